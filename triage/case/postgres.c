#include "triage/case/postgres.h"

#include "triage/base/error.h"

#include <string.h>

static const char *const schemes[] = {"postgresql://", "postgres://"};

static bool is_target(const char *target)
{
    for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++)
        if (strncmp(target, schemes[i], strlen(schemes[i])) == 0)
            return true;
    return false;
}

enum { PASSWORDS_MOST = 8 };

/* The passwords within the text: in front of the host, and as parameters ("sslpassword=" too),
 * which may hold an '@' themselves. Gives how many. */
static size_t passwords_in(const char *target, struct slice passwords[PASSWORDS_MOST])
{
    static const char parameter[] = "password=";
    const char *start = strstr(target, "://");
    const char *first = strstr(target, parameter);
    const size_t before = first ? (size_t)(first - target) : strlen(target);
    const char *at = start && start < target + before
                         ? memrchr(start, '@', (size_t)(target + before - start))
                         : NULL;
    const char *colon = at ? memchr(start + 3, ':', (size_t)(at - start - 3)) : NULL;
    size_t count = 0;

    for (const char *value = first;
         value && (value = strstr(value, parameter)) && count < PASSWORDS_MOST - 1;) {
        value += sizeof parameter - 1;
        if (strcspn(value, "&"))
            passwords[count++] = slice_of(value, strcspn(value, "&"));
    }
    if (colon && at > colon + 1)
        passwords[count++] = slice_of(colon + 1, (size_t)(at - colon - 1));
    return count;
}

/* The text with each of the passwords of `target` as stars. */
static void hide_passwords(const char *target, const char *text, struct buffer *out)
{
    struct slice passwords[PASSWORDS_MOST];
    const size_t count = passwords_in(target, passwords);

    while (*text) {
        size_t hidden = 0;
        for (size_t i = 0; i < count && !hidden; i++)
            if (strncmp(text, (const char *)passwords[i].data, passwords[i].size) == 0)
                hidden = passwords[i].size;
        if (hidden)
            buffer_add_text(out, "***");
        else
            buffer_add_byte(out, (uint8_t)*text);
        text += hidden ? hidden : 1;
    }
}

void postgres_show_target(const char *target, struct buffer *out)
{
    hide_passwords(target, target, out);
}

static int refuse_target(void)
{
    return error_set("--to wants postgresql://HOST/DATABASE");
}

#ifdef HAVE_POSTGRES

#include "triage/case/postgres_copy.h"

#include <stdlib.h>

/* Whoever has this lock merges; the others wait. */
enum { LOCK_NUMBER = 0x65787472 };

/* Lines of postgres.sql. */
static const char *const schema[] = {
#include "triage/case/postgres.inc"
};

struct postgres {
    PGconn *connection;
    char *target;
    bool has_schema;
};

int postgres_error(PGconn *connection, const char *what)
{
    const char *text = PQerrorMessage(connection);
    const int size = (int)strcspn(text, "\n");

    return error_set("%s: %.*s", what, size, size ? text : "");
}

static int execute(struct postgres *postgres, const char *sql)
{
    PGresult *done = PQexec(postgres->connection, sql);
    const ExecStatusType status = PQresultStatus(done);

    PQclear(done);
    return status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK
               ? 0
               : postgres_error(postgres->connection, "the database refuses");
}

/* The first cell of the first row, on the heap; NULL in `*cell` for none or NULL. */
static int ask(struct postgres *postgres, const char *sql, int count, const char *const *values,
               char **cell)
{
    PGresult *done = PQexecParams(postgres->connection, sql, count, NULL, values, NULL, NULL, 0);
    int result = 0;

    *cell = NULL;
    if (PQresultStatus(done) != PGRES_TUPLES_OK)
        result = postgres_error(postgres->connection, "the database refuses");
    else if (PQntuples(done) > 0 && !PQgetisnull(done, 0, 0) &&
             !(*cell = strdup(PQgetvalue(done, 0, 0))))
        result = error_set("out of memory");
    PQclear(done);
    return result;
}

/* --- connecting --- */

int postgres_check(const char *target)
{
    return is_target(target) ? 0 : refuse_target();
}

/* What libpq says of an address may hold all of it. */
static int connection_error(struct postgres *postgres)
{
    struct buffer shown = BUFFER_EMPTY, text = BUFFER_EMPTY;

    postgres_show_target(postgres->target, &shown);
    hide_passwords(postgres->target, PQerrorMessage(postgres->connection), &text);
    while (text.size && text.data[text.size - 1] == '\n')
        text.size--;
    for (size_t i = 0; i < text.size; i++)
        if (text.data[i] == '\n')
            text.data[i] = ' ';
    const int result = error_set("cannot use the database '%s': %s", buffer_text(&shown),
                                 text.size ? buffer_text(&text) : "out of memory");
    buffer_release(&shown);
    buffer_release(&text);
    return result;
}

/* A schema of another version would take rows that it has no place for. */
static int check_schema(struct postgres *postgres)
{
    char *found = NULL, *version = NULL;

    if (ask(postgres, "SELECT to_regclass('extriage.meta')::text", 0, NULL, &found) < 0)
        return -1;
    postgres->has_schema = found != NULL;
    free(found);
    if (!postgres->has_schema)
        return 0;
    if (ask(postgres, "SELECT max(schema_version) FROM extriage.meta", 0, NULL, &version) < 0)
        return -1;
    const int held = version ? atoi(version) : 0;
    free(version);
    return held == CASE_SCHEMA_VERSION
               ? 0
               : error_set("the database holds cases of schema %d, these are of %d: name another "
                           "database",
                           held, CASE_SCHEMA_VERSION);
}

static int begin(struct postgres *postgres)
{
    char lock[200];

    snprintf(lock, sizeof lock,
             "BEGIN; SELECT pg_advisory_xact_lock(%d); SET LOCAL search_path TO extriage; "
             "SET LOCAL client_min_messages TO warning",
             LOCK_NUMBER);
    return execute(postgres, lock) < 0 ? -1 : check_schema(postgres);
}

int postgres_open(const char *target, struct postgres **out)
{
    const char *const keys[] = {"connect_timeout", "fallback_application_name", "dbname",
                                "client_encoding", NULL};
    const char *const values[] = {"20", "extriage", target, "UTF8", NULL};
    struct postgres *postgres = calloc(1, sizeof *postgres);

    if (!postgres || !(postgres->target = strdup(target))) {
        postgres_close(postgres);
        return error_set("out of memory");
    }
    postgres->connection = PQconnectdbParams(keys, values, 1);
    if (PQstatus(postgres->connection) != CONNECTION_OK) {
        connection_error(postgres);
        postgres_close(postgres);
        return -1;
    }
    if (begin(postgres) < 0) {
        postgres_close(postgres);
        return -1;
    }
    *out = postgres;
    return 0;
}

void postgres_close(struct postgres *postgres)
{
    if (!postgres)
        return;
    PQfinish(postgres->connection); /* rolls back what was not committed */
    free(postgres->target);
    free(postgres);
}

int postgres_commit(struct postgres *postgres)
{
    PGresult *done = PQexec(postgres->connection, "COMMIT");
    const bool committed = PQresultStatus(done) == PGRES_COMMAND_OK &&
                           strcmp(PQcmdStatus(done), "COMMIT") == 0; /* not "ROLLBACK" */

    PQclear(done);
    return committed ? 0
                     : postgres_error(postgres->connection,
                                      "the database did not take the cases: nothing has changed");
}

/* --- tables --- */

struct each_table {
    struct postgres *postgres;
    struct case_file *file;
    const char *server; /* number as text */
    int (*visit)(const struct each_table *each, const char *table);
};

/* A case may be made by others: what its schema calls a name is put into statements. */
static int visit_table(void *context, const char *const *cells)
{
    const struct each_table *each = context;

    return postgres_check_name(cells[0]) < 0 ? -1 : each->visit(each, cells[0]);
}

static int for_tables(const struct each_table *each)
{
    return case_query(each->file,
                      "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE "
                      "'sqlite_%' ORDER BY name",
                      visit_table, (void *)(uintptr_t)each);
}

static int create_table(const struct each_table *each, const char *table)
{
    return postgres_create_table(each->postgres->connection, each->file, table);
}

/* "server" is a word of its own: none of a case's tables has that name. */
static int make_schema(struct postgres *postgres, struct case_file *file)
{
    const struct each_table each = {postgres, file, NULL, create_table};
    struct buffer sql = BUFFER_EMPTY;
    char version[80];

    if (execute(postgres,
                "CREATE SCHEMA IF NOT EXISTS extriage; SET LOCAL search_path TO extriage; "
                "CREATE TABLE meta (schema_version integer NOT NULL); "
                "CREATE TABLE server (number bigserial PRIMARY KEY, evidence text NOT NULL UNIQUE, "
                "sha256 text NOT NULL, name text NOT NULL, folder text, host text, exchange text, "
                "build text, rung integer, verdict text, confidence text, first text, last text, "
                "infected text, summary text, indicators bigint, unread bigint, damaged bigint, "
                "added timestamptz NOT NULL DEFAULT now())") < 0 ||
        for_tables(&each) < 0)
        return -1;
    snprintf(version, sizeof version, "INSERT INTO meta VALUES (%d)", CASE_SCHEMA_VERSION);
    for (size_t i = 0; i < sizeof schema / sizeof *schema; i++)
        buffer_format(&sql, "%s\n", schema[i]);
    const int result = execute(postgres, version) < 0 || execute(postgres, buffer_text(&sql)) < 0;
    buffer_release(&sql);
    postgres->has_schema = result == 0;
    return result ? -1 : 0;
}

/* --- one case --- */

enum { SUMMARY_COLUMNS = 13, SERVER_VALUES = SUMMARY_COLUMNS + 4 };

struct server_row {
    struct postgres *postgres;
    const char *first[4]; /* evidence, sha256, name, folder */
    char *number;
};

static int insert_server(void *context, const char *const *cells)
{
    struct server_row *row = context;
    const char *values[SERVER_VALUES];

    memcpy(values, row->first, sizeof row->first);
    for (size_t i = 0; i < SUMMARY_COLUMNS; i++)
        values[i + 4] = cells[i];
    return ask(row->postgres,
               "INSERT INTO server (evidence, sha256, name, folder, host, exchange, build, rung, "
               "verdict, confidence, first, last, infected, summary, indicators, unread, damaged) "
               "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, "
               "$17) RETURNING number",
               SERVER_VALUES, values, &row->number);
}

static int delete_rows(const struct each_table *each, const char *table)
{
    struct buffer sql = BUFFER_EMPTY;

    buffer_format(&sql, "DELETE FROM \"%s\" WHERE server = %s", table, each->server);
    const int result = execute(each->postgres, buffer_text(&sql));
    buffer_release(&sql);
    return result;
}

static int delete_server(struct postgres *postgres, struct case_file *file, const char *number)
{
    const struct each_table each = {postgres, file, number, delete_rows};
    struct buffer sql = BUFFER_EMPTY;

    buffer_format(&sql, "DELETE FROM agent WHERE server = %s; DELETE FROM server WHERE number = %s",
                  number, number);
    const int result = for_tables(&each) < 0 ? -1 : execute(postgres, buffer_text(&sql));
    buffer_release(&sql);
    return result;
}

static int copy_table(const struct each_table *each, const char *table)
{
    return postgres_copy_table(each->postgres->connection, each->file, table,
                               strtoll(each->server, NULL, 10));
}

/* What intruders were seen with: the fleet's table of that name. */
static int add_agents(struct postgres *postgres, const char *number)
{
    struct buffer sql = BUFFER_EMPTY;

    buffer_format(
        &sql,
        "INSERT INTO agent SELECT server, agent, count(*), min(timestamp), max(timestamp) FROM "
        "(SELECT i.server, coalesce(i.fields ->> 'cs-user-agent', i.fields ->> 'UserAgent') AS "
        "agent, i.timestamp FROM incident n JOIN incident_indicator x ON x.server = n.server AND "
        "x.incident = n.id JOIN indicator i ON i.server = x.server AND i.source_row = x.indicator "
        "WHERE n.server = %s AND n.kind = 'intrusion') seen WHERE agent NOT IN ('', '-') GROUP BY "
        "server, agent",
        number);
    const int result = execute(postgres, buffer_text(&sql));
    buffer_release(&sql);
    return result;
}

static int add_rows(struct postgres *postgres, struct case_file *file, struct server_row *row)
{
    struct each_table each = {postgres, file, NULL, copy_table};

    if (case_query(file, "SELECT " MEMBER_SUMMARY(""), insert_server, row) < 0)
        return -1;
    each.server = row->number;
    return for_tables(&each) < 0 ? -1 : add_agents(postgres, row->number);
}

/* Whether the evidence is there already, and as which case. */
static int look_up(struct postgres *postgres, const struct member_facts *facts, char **number,
                   enum postgres_how *how)
{
    const char *const values[] = {facts->evidence, facts->sha256};
    char *same = NULL;

    if (ask(postgres, "SELECT number FROM server WHERE evidence = $1", 1, values, number) < 0 ||
        ask(postgres, "SELECT number FROM server WHERE evidence = $1 AND sha256 = $2", 2, values,
            &same) < 0)
        return -1;
    *how = same ? POSTGRES_SAME : *number ? POSTGRES_REPLACED : POSTGRES_ADDED;
    free(same);
    return 0;
}

static int add_case(struct postgres *postgres, struct case_file *file, struct server_row *row,
                    const struct member_facts *facts, enum postgres_how *how)
{
    char *held = NULL;

    if (!postgres->has_schema && make_schema(postgres, file) < 0)
        return -1;
    int result = look_up(postgres, facts, &held, how);
    if (result == 0 && *how == POSTGRES_REPLACED)
        result = delete_server(postgres, file, held);
    if (result == 0 && *how != POSTGRES_SAME)
        result = add_rows(postgres, file, row);
    free(held);
    return result;
}

int postgres_add(struct postgres *postgres, const char *name, const char *folder,
                 const struct member_facts *facts, enum postgres_how *how)
{
    struct server_row row = {postgres, {facts->evidence, facts->sha256, name, folder}, NULL};
    struct case_file *file = NULL;

    if (case_open(folder, &file) < 0)
        return -1;
    const int result = add_case(postgres, file, &row, facts, how);
    case_close(file);
    free(row.number);
    return result < 0 ? error_prefix("'%s'", folder) : 0;
}

#else

int postgres_check(const char *target)
{
    return is_target(target) ? error_set("built without libpq: no database can be used")
                             : refuse_target();
}

int postgres_open(const char *target, struct postgres **out)
{
    (void)target;
    (void)out;
    return error_set("built without libpq: no database can be used");
}

int postgres_add(struct postgres *postgres, const char *name, const char *folder,
                 const struct member_facts *facts, enum postgres_how *how)
{
    (void)postgres;
    (void)name;
    (void)folder;
    (void)facts;
    (void)how;
    return error_set("built without libpq: no database can be used");
}

int postgres_commit(struct postgres *postgres)
{
    (void)postgres;
    return error_set("built without libpq: no database can be used");
}

void postgres_close(struct postgres *postgres)
{
    (void)postgres;
}

#endif
