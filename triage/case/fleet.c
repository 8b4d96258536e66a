#include "triage/case/fleet.h"

#include "triage/base/error.h"
#include "triage/case/folder.h"

#include <dirent.h>
#include <errno.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct fleet {
    char *folder, *path, *new_path;
    sqlite3 *database;
    char **tables; /* of the first case: those that are joined */
    size_t table_count;
};

static int fleet_error(sqlite3 *database, const char *what)
{
    return error_set("%s: %s", what, database ? sqlite3_errmsg(database) : "out of memory");
}

static int execute(struct fleet *fleet, const char *sql)
{
    if (sqlite3_exec(fleet->database, sql, NULL, NULL, NULL) != SQLITE_OK)
        return fleet_error(fleet->database, "the fleet's database refuses");
    return 0;
}

/* --- the folder --- */

static bool is_part(const char *name)
{
    static const char *const parts[] = {
        "fleet.db",     "fleet.db.new", "fleet.html",     "fleet.json",     "fleet.md",
        "timeline.csv", "SHA256SUMS",   "SHA256SUMS.asc", "SHA256SUMS.sig", "timeline.jsonl"};

    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (strcmp(name, parts[i]) == 0)
            return true;
    return false;
}

/* Removes the parts of a fleet; false when something else is there. */
static bool empty_folder(const char *folder, bool clobber)
{
    DIR *listing = opendir(folder);
    struct dirent *entry;
    struct buffer path = BUFFER_EMPTY;
    bool is_empty = listing != NULL;

    while (listing && is_empty && (entry = readdir(listing))) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        if (!clobber || !is_part(entry->d_name)) {
            is_empty = false;
            break;
        }
        buffer_clear(&path);
        buffer_format(&path, "%s/%s", folder, entry->d_name);
        unlink(buffer_text(&path));
    }
    if (listing)
        closedir(listing);
    buffer_release(&path);
    return is_empty;
}

static int prepare_folder(const char *folder, bool clobber)
{
    if (mkdir(folder, 0755) == 0)
        return 0;
    if (errno != EEXIST)
        return error_set_errno("cannot make the folder '%s'", folder);
    if (clobber && !case_folder_has(folder, "fleet.db") && !case_folder_has(folder, "fleet.db.new"))
        clobber = false;
    return empty_folder(folder, clobber)
               ? 0
               : error_set("'%s' is not empty (--clobber overwrites the fleet in it, and nothing "
                           "else)",
                           folder);
}

int fleet_create(const char *folder, bool clobber, struct fleet **out)
{
    if (prepare_folder(folder, clobber) < 0)
        return -1;
    struct fleet *fleet = calloc(1, sizeof *fleet);
    if (!fleet || !(fleet->folder = strdup(folder)) ||
        asprintf(&fleet->path, "%s/fleet.db", folder) < 0 ||
        asprintf(&fleet->new_path, "%s/fleet.db.new", folder) < 0) {
        fleet_free(fleet);
        return error_set("out of memory");
    }
    if (sqlite3_open_v2(fleet->new_path, &fleet->database,
                        SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL) != SQLITE_OK ||
        execute(fleet, "PRAGMA page_size=32768; PRAGMA cache_size=-65536; "
                       "PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; PRAGMA temp_store=FILE; "
                       "CREATE TABLE server (\"case\" TEXT PRIMARY KEY, folder TEXT, host TEXT, "
                       "exchange TEXT, build TEXT, rung INTEGER, verdict TEXT, confidence TEXT, "
                       "first TEXT, last TEXT, infected TEXT, summary TEXT, indicators INTEGER, "
                       "unread INTEGER, damaged INTEGER, sha256 TEXT, evidence TEXT);"
                       "CREATE TABLE left_out (folder TEXT, why TEXT)") < 0) {
        fleet_error(fleet->database, fleet->new_path);
        fleet_free(fleet);
        return -1;
    }
    *out = fleet;
    return 0;
}

void fleet_free(struct fleet *fleet)
{
    if (!fleet)
        return;
    sqlite3_close(fleet->database);
    for (size_t i = 0; i < fleet->table_count; i++)
        free(fleet->tables[i]);
    free(fleet->tables);
    free(fleet->folder);
    free(fleet->path);
    free(fleet->new_path);
    free(fleet);
}

/* --- adding --- */

/* Runs one statement with some texts bound. */
static int run_with(struct fleet *fleet, const char *sql, const char *const *texts, size_t count)
{
    sqlite3_stmt *statement = NULL;

    if (sqlite3_prepare_v2(fleet->database, sql, -1, &statement, NULL) != SQLITE_OK)
        return fleet_error(fleet->database, "the case does not fit the others");
    for (size_t i = 0; i < count; i++)
        sqlite3_bind_text(statement, (int)i + 1, texts[i], -1, SQLITE_STATIC);
    const int step = sqlite3_step(statement);
    sqlite3_finalize(statement);
    return step == SQLITE_DONE || step == SQLITE_ROW
               ? 0
               : fleet_error(fleet->database, "the case cannot be read");
}

/* The tables of the case that is attached, but for its documents. */
static int take_tables(struct fleet *fleet)
{
    sqlite3_stmt *statement = NULL;
    int result = 0;

    if (sqlite3_prepare_v2(fleet->database,
                           "SELECT name FROM source.sqlite_master WHERE type = 'table' AND name "
                           "NOT IN ('document') AND name NOT LIKE 'sqlite_%' ORDER BY name",
                           -1, &statement, NULL) != SQLITE_OK)
        return fleet_error(fleet->database, "the case cannot be read");
    while (result == 0 && sqlite3_step(statement) == SQLITE_ROW) {
        char **grown = realloc(fleet->tables, (fleet->table_count + 1) * sizeof(*fleet->tables));
        if (grown)
            fleet->tables = grown;
        if (!grown ||
            !(grown[fleet->table_count] = strdup((const char *)sqlite3_column_text(statement, 0))))
            result = error_set("out of memory");
        else
            fleet->table_count++;
    }
    sqlite3_finalize(statement);
    return result;
}

/* Tables without row numbers have keys of their own. */
static bool has_rows(struct fleet *fleet, const char *table)
{
    struct buffer sql = BUFFER_EMPTY;
    sqlite3_stmt *statement = NULL;

    buffer_format(&sql, "SELECT rowid FROM source.\"%s\" LIMIT 0", table);
    const bool has =
        sqlite3_prepare_v2(fleet->database, buffer_text(&sql), -1, &statement, NULL) == SQLITE_OK;
    sqlite3_finalize(statement);
    buffer_release(&sql);
    return has;
}

/* Cases come one after the other, so these grow at their ends, and need no second reading of all
 * rows. */
static const char early_indexes[] =
    "CREATE INDEX indicator_number ON indicator (\"case\", source_row);"
    "CREATE INDEX rule_number ON rule (\"case\", \"index\");"
    "CREATE INDEX incident_id ON incident (\"case\", id);"
    "CREATE INDEX incident_indicator_incident ON incident_indicator (\"case\", incident);";

static int create_tables(struct fleet *fleet)
{
    struct buffer sql = BUFFER_EMPTY;
    int result = take_tables(fleet);

    for (size_t i = 0; i < fleet->table_count && result == 0; i++) {
        buffer_clear(&sql);
        buffer_format(&sql,
                      "CREATE TABLE main.\"%s\" AS SELECT CAST('' AS TEXT) AS \"case\", CAST(0 AS "
                      "INTEGER) AS source_row, * FROM source.\"%s\" WHERE 0",
                      fleet->tables[i], fleet->tables[i]);
        result = execute(fleet, buffer_text(&sql));
    }
    buffer_release(&sql);
    return result == 0 ? execute(fleet, early_indexes) : result;
}

/* Of the rules only those that found something: each case has the same hundreds. */
static int copy_table(struct fleet *fleet, const char *table, const char *name)
{
    struct buffer sql = BUFFER_EMPTY;

    buffer_format(&sql, "INSERT INTO main.\"%s\" SELECT ?1, %s, * FROM source.\"%s\"%s", table,
                  has_rows(fleet, table) ? "rowid" : "0", table,
                  strcmp(table, "rule") == 0
                      ? " WHERE \"index\" IN (SELECT rule FROM source.indicator)"
                      : "");
    const int result = run_with(fleet, buffer_text(&sql), &name, 1);
    buffer_release(&sql);
    return result;
}

static const char server_sql[] =
    "INSERT INTO main.server SELECT ?1, ?2, " MEMBER_SUMMARY("source.") ", ?3, ?4";

static int copy_case(struct fleet *fleet, const char *name, const char *folder,
                     const struct member_facts *facts)
{
    const char *const texts[] = {name, folder, facts->sha256, facts->evidence};
    int result = fleet->table_count ? 0 : create_tables(fleet);

    for (size_t i = 0; i < fleet->table_count && result == 0; i++)
        result = copy_table(fleet, fleet->tables[i], name);
    return result == 0 ? run_with(fleet, server_sql, texts, 4) : result;
}

int fleet_add(struct fleet *fleet, const char *name, const char *folder,
              const struct member_facts *facts)
{
    struct buffer path = BUFFER_EMPTY;

    buffer_format(&path, "%s%s/case.db", *folder == '/' ? "" : "./", folder);
    const char *const text = buffer_text(&path);
    int result = run_with(fleet, "ATTACH DATABASE ?1 AS source", &text, 1);
    buffer_release(&path);
    if (result < 0)
        return error_prefix("'%s'", folder);
    if ((result = execute(fleet, "BEGIN")) == 0)
        result = copy_case(fleet, name, folder, facts);
    if (result == 0)
        result = execute(fleet, "COMMIT; DETACH DATABASE source");
    return result < 0 ? error_prefix("'%s'", folder) : 0;
}

int fleet_leave_out(struct fleet *fleet, const char *folder, const char *why)
{
    const char *const texts[] = {folder, why};

    return run_with(fleet, "INSERT INTO main.left_out VALUES (?1, ?2)", texts, 2);
}

/* --- finishing --- */

static const char indexes[] =
    "CREATE INDEX indicator_order ON indicator (dated, timestamp, \"case\", source_row);"
    "CREATE INDEX actor_address ON actor (address);"
    "CREATE INDEX incident_file_hash ON incident_file (sha256);"
    "CREATE INDEX file_hash ON file (sha256);"
    /* What intruders were seen with, on which servers. */
    "CREATE TABLE agent AS SELECT i.\"case\" AS \"case\", CASE WHEN json_valid(i.fields) "
    "THEN coalesce(json_extract(i.fields, '$.\"cs-user-agent\"'), json_extract(i.fields, "
    "'$.UserAgent')) END AS agent, count(*) AS "
    "indicator_count, min(i.timestamp) AS first, max(i.timestamp) AS last FROM incident n CROSS "
    "JOIN "
    "incident_indicator x ON x.\"case\" = n.\"case\" AND x.incident = n.id CROSS JOIN indicator i "
    "ON "
    "i.\"case\" = x.\"case\" AND i.source_row = x.indicator WHERE n.kind = 'intrusion' AND agent "
    "IS NOT "
    "NULL AND agent NOT IN ('', '-') GROUP BY 1, 2 ORDER BY 1, 2;"
    "CREATE VIEW v_shared_address AS SELECT a.address, count(DISTINCT a.\"case\") AS servers, "
    "group_concat(DISTINCT a.\"case\") AS cases, min(a.first) AS first, max(a.last) AS last, "
    "sum(a.indicator_count) AS indicator_count, max(i.kind = 'intrusion') AS intruder FROM actor a "
    "JOIN incident i ON i.\"case\" = a.\"case\" AND i.id = a.incident WHERE a.address IS NOT NULL "
    "AND "
    "NOT a.private GROUP BY a.address ORDER BY 2 DESC, 7 DESC, 4, 1;"
    "CREATE VIEW v_shared_agent AS SELECT agent, count(DISTINCT \"case\") AS servers, "
    "group_concat(DISTINCT \"case\") AS cases, sum(indicator_count) AS indicator_count FROM agent "
    "GROUP BY agent ORDER BY 2 DESC, 4 DESC, 1;"
    "CREATE VIEW v_shared_file AS SELECT f.sha256, count(DISTINCT f.\"case\") AS servers, "
    "group_concat(DISTINCT f.\"case\") AS cases, min(f.first) AS first, min(f.path) AS path FROM "
    "incident_file f JOIN incident i ON i.\"case\" = f.\"case\" AND i.id = f.incident WHERE "
    "f.sha256 "
    "<> '' AND i.kind = 'intrusion' GROUP BY f.sha256 ORDER BY 2 DESC, 4, 1;"
    "CREATE VIEW v_order AS SELECT \"case\", host, infected, rung, verdict, confidence FROM server "
    "WHERE infected IS NOT NULL ORDER BY infected, \"case\"";

int fleet_finish(struct fleet *fleet, struct case_file **out)
{
    if (execute(fleet, indexes) < 0)
        return -1;
    sqlite3_close(fleet->database);
    fleet->database = NULL;
    if (rename(fleet->new_path, fleet->path) != 0)
        return error_set_errno("cannot finish '%s'", fleet->path);
    return case_open_fleet(fleet->folder, out);
}
