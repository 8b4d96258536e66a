/*
 * A finished case that may come from anybody. Opening a database runs what stands in its schema as
 * soon as it is asked: a view in a table's place never ends, a table's name can hold statements. So
 * nothing is read of a case whose schema is not, to the letter, the one that case_finish makes; and
 * what is written on as it is, JSON and the places of copies, is looked at once.
 */
#include "triage/case/database.h"

#include "triage/base/error.h"

#include <string.h>

enum { CELL_MOST = 256 << 20 }; /* bytes; findings of millions of indicators have some 50 MiB */

static int number_of(sqlite3 *database, const char *sql, long long *number)
{
    sqlite3_stmt *statement = NULL;
    int result = -1;

    *number = 0;
    if (sqlite3_prepare_v2(database, sql, -1, &statement, NULL) == SQLITE_OK) {
        const int step = sqlite3_step(statement);
        if (step == SQLITE_ROW)
            *number = sqlite3_column_int64(statement, 0);
        result = step == SQLITE_ROW || step == SQLITE_DONE ? 0 : -1;
    }
    sqlite3_finalize(statement);
    return result;
}

static int check_version(struct case_file *file)
{
    long long id, version;

    if (number_of(file->database, "PRAGMA application_id", &id) < 0 ||
        number_of(file->database, "PRAGMA user_version", &version) < 0) {
        database_error(file, "the case cannot be read");
        return error_prefix("case.db in '%s' is damaged", file->folder);
    }
    if (id != CASE_APPLICATION_ID)
        return error_set("'%s' holds no case of extriage", file->folder);
    if (version < CASE_SCHEMA_VERSION)
        return error_set("the case in '%s' was made by an older version of extriage (its schema is "
                         "%lld, not %d): run it again",
                         file->folder, version, CASE_SCHEMA_VERSION);
    if (version > CASE_SCHEMA_VERSION)
        return error_set("the case in '%s' was made by a newer version of extriage (its schema is "
                         "%lld, not %d): use that version",
                         file->folder, version, CASE_SCHEMA_VERSION);
    return 0;
}

/* --- the schema --- */

static const char schema_sql[] =
    "SELECT type, name, tbl_name, coalesce(sql, '') FROM sqlite_master ORDER BY type, name";

static bool same_columns(sqlite3_stmt *a, sqlite3_stmt *b)
{
    for (int i = 0; i < 4; i++) {
        const char *x = (const char *)sqlite3_column_text(a, i);
        const char *y = (const char *)sqlite3_column_text(b, i);
        if (!x || !y || strcmp(x, y) != 0)
            return false;
    }
    return true;
}

/* Both lists step together, so a schema without end is not read to it. */
static int compare_schemas(sqlite3_stmt *ours, sqlite3_stmt *theirs)
{
    int a, b;

    do {
        a = sqlite3_step(ours);
        b = sqlite3_step(theirs);
    } while (a == SQLITE_ROW && b == SQLITE_ROW && same_columns(ours, theirs));
    return a == SQLITE_DONE && b == SQLITE_DONE ? 0 : -1;
}

static int check_schema(struct case_file *file)
{
    struct case_file model = {.folder = file->folder};
    sqlite3_stmt *ours = NULL, *theirs = NULL;
    int result = database_open(&model, ":memory:", SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);

    if (result == 0)
        result = schema_create(&model);
    if (result == 0 &&
        (sqlite3_prepare_v2(model.database, schema_sql, -1, &ours, NULL) != SQLITE_OK ||
         sqlite3_prepare_v2(file->database, schema_sql, -1, &theirs, NULL) != SQLITE_OK)) {
        database_error(file, "the case cannot be read");
        result = error_prefix("case.db in '%s' is damaged", file->folder);
    } else if (result == 0 && compare_schemas(ours, theirs) < 0) {
        result = error_set("case.db in '%s' has other tables, views or triggers than extriage "
                           "makes: it was changed, and is not read",
                           file->folder);
    }
    sqlite3_finalize(ours);
    sqlite3_finalize(theirs);
    sqlite3_close(model.database);
    return result;
}

/* --- what it holds --- */

static const struct {
    const char *sql, *what;
} odd[] = {
    {"SELECT 1 FROM document WHERE typeof(body) <> 'text' OR NOT json_valid(body)",
     "a document that is no JSON"},
    {"SELECT 1 FROM rule WHERE \"index\" IS NOT rowid - 1 OR typeof(tags) <> 'text' OR NOT "
     "json_valid(tags)",
     "a rule whose number or tags cannot be"},
    {"SELECT 1 FROM file WHERE stored <> '' AND (typeof(stored) <> 'text' OR typeof(sha256) <> "
     "'text' OR length(sha256) <> 64 OR sha256 GLOB '*[^0-9a-f]*' OR stored NOT GLOB 'files/*' OR "
     "'/' || stored || '/' GLOB '*/../*' OR instr(stored, char(10)) OR instr(stored, char(13)))",
     "a copy whose hash or place cannot be"},
};

static int check_rows(struct case_file *file)
{
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
        long long found;
        if (number_of(file->database, odd[i].sql, &found) < 0) {
            database_error(file, "the case cannot be read");
            return error_prefix("case.db in '%s' is damaged", file->folder);
        }
        if (found)
            return error_set("case.db in '%s' holds %s: it was changed, and is not read",
                             file->folder, odd[i].what);
    }
    return 0;
}

int database_guard_foreign(struct case_file *file)
{
    file->is_foreign = true;
    sqlite3_limit(file->database, SQLITE_LIMIT_LENGTH, CELL_MOST);
    if (database_execute(file, "PRAGMA cell_size_check=ON") < 0)
        return error_prefix("case.db in '%s' is damaged", file->folder);
    return 0;
}

int database_check_foreign(struct case_file *file)
{
    if (database_guard_foreign(file) < 0 || check_version(file) < 0 || check_schema(file) < 0)
        return -1;
    return check_rows(file);
}
