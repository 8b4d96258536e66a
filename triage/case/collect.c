#include "triage/case/database.h"

#include "triage/base/error.h"

#include <string.h>
#include <time.h>

enum { FLUSH_ROWS = 50000, FLUSH_SECONDS = 5 };

static int prepare_insert(struct case_file *file, enum table_id id)
{
    struct buffer sql = BUFFER_EMPTY;

    buffer_format(&sql, "INSERT INTO %s (rowid, task, ", case_tables[id].name);
    table_column_list(&case_tables[id], &sql);
    buffer_add_text(&sql, ") VALUES (?, ?");
    for (size_t i = 0; i < case_tables[id].column_count; i++)
        buffer_add_text(&sql, ", ?");
    buffer_add_text(&sql, ")");
    const int result =
        sqlite3_prepare_v2(file->database, buffer_text(&sql), -1, &file->inserts[id], NULL);
    buffer_release(&sql);
    return result == SQLITE_OK ? 0 : database_error(file, "the case database refuses");
}

/* Rows are numbered here: SQLite would give numbers of rows that were dropped to others. */
static int find_last(struct case_file *file, enum table_id id)
{
    struct buffer sql = BUFFER_EMPTY;
    sqlite3_stmt *statement = NULL;
    int result = -1;

    buffer_format(&sql, "SELECT max(rowid) FROM %s", case_tables[id].name);
    if (sqlite3_prepare_v2(file->database, buffer_text(&sql), -1, &statement, NULL) == SQLITE_OK &&
        sqlite3_step(statement) == SQLITE_ROW) {
        file->last[id] = sqlite3_column_int64(statement, 0);
        result = 0;
    } else {
        database_error(file, "the case database refuses");
    }
    sqlite3_finalize(statement);
    buffer_release(&sql);
    return result;
}

int case_prepare_inserts(struct case_file *file)
{
    for (size_t i = 0; i < TABLE_COUNT; i++)
        if (prepare_insert(file, (enum table_id)i) < 0 || find_last(file, (enum table_id)i) < 0)
            return -1;
    return tasks_prepare(file);
}

int case_stored(struct case_file *file, int result)
{
    if (result == SQLITE_DONE)
        return 0;
    file->failed = true;
    return database_error(file, "the case cannot be written");
}

static int add_row(struct case_file *file, enum table_id id, const char *task, const void *row)
{
    const struct table *table = &case_tables[id];
    sqlite3_stmt *statement = file->inserts[id];

    if (file->failed)
        return error_set("the case cannot be written any more");
    sqlite3_bind_int64(statement, 1, file->last[id] + 1);
    sqlite3_bind_text(statement, 2, task, -1, SQLITE_STATIC);
    table_bind_row(statement, 3, table, row);
    const int result = sqlite3_step(statement);
    sqlite3_reset(statement);
    if (case_stored(file, result) < 0)
        return -1;
    file->last[id]++;
    return ++file->unflushed >= FLUSH_ROWS ? case_flush(file) : 0;
}

int case_add_rule(struct case_file *file, const struct case_rule *row)
{
    return add_row(file, RULE, "", row);
}

int case_add_indicator(struct case_file *file, const char *task, const struct case_indicator *row)
{
    return add_row(file, INDICATOR, task, row);
}

int case_add_coverage(struct case_file *file, const char *task, const struct case_coverage *row)
{
    return add_row(file, COVERAGE, task, row);
}

int case_add_rejected(struct case_file *file, const char *task, const struct case_rejected *row)
{
    return add_row(file, REJECTED, task, row);
}

int case_add_fact(struct case_file *file, const char *task, const struct case_fact *row)
{
    return add_row(file, FACT, task, row);
}

int case_add_context(struct case_file *file, const char *task, const struct case_context *row)
{
    return add_row(file, CONTEXT, task, row);
}

int case_add_unread(struct case_file *file, const char *task, const struct case_note *row)
{
    return add_row(file, UNREAD, task, row);
}

int case_add_notice(struct case_file *file, const char *task, const struct case_note *row)
{
    return add_row(file, NOTICE, task, row);
}

int case_add_stored(struct case_file *file, const char *task, const struct case_stored *row)
{
    return add_row(file, STORED, task, row);
}

int case_add_correlated(struct case_file *file, const char *task, const struct case_correlated *row)
{
    return add_row(file, CORRELATED, task, row);
}

int case_add_damage(struct case_file *file, const char *task, const struct case_damage *row)
{
    return add_row(file, DAMAGE, task, row);
}

int case_set_document(struct case_file *file, const char *name, struct slice body)
{
    sqlite3_stmt *statement = NULL;

    if (sqlite3_prepare_v2(file->database, "INSERT OR REPLACE INTO document VALUES (?, ?)", -1,
                           &statement, NULL) != SQLITE_OK)
        return database_error(file, "the case database refuses");
    sqlite3_bind_text(statement, 1, name, -1, SQLITE_STATIC);
    sqlite3_bind_text64(statement, 2, body.size ? (const char *)body.data : "", body.size,
                        SQLITE_STATIC, SQLITE_UTF8);
    const int result = sqlite3_step(statement);
    sqlite3_finalize(statement);
    return result == SQLITE_DONE ? 0 : database_error(file, "a document cannot be stored");
}

static time_t seconds_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec;
}

/* A run that is killed loses seconds. */
bool case_is_flush_due(const struct case_file *file)
{
    return seconds_now() - file->flushed >= FLUSH_SECONDS;
}

/* Each costs a wait for the disk: what is kept then outlives a loss of power. */
int case_flush(struct case_file *file)
{
    file->unflushed = 0;
    file->flushed = seconds_now();
    if (sqlite3_exec(file->database, "COMMIT; BEGIN", NULL, NULL, NULL) == SQLITE_OK)
        return 0;
    return case_stored(file, SQLITE_ERROR);
}

int case_each_time(struct case_file *file, int (*visit)(void *context, int64_t timestamp),
                   void *context)
{
    sqlite3_stmt *statement = NULL;
    int result = 0, step = SQLITE_DONE;

    if (sqlite3_prepare_v2(file->database,
                           "SELECT DISTINCT timestamp FROM indicator WHERE dated = 1 ORDER BY 1",
                           -1, &statement, NULL) != SQLITE_OK)
        return database_error(file, "the case cannot be read");
    while (result == 0 && (step = sqlite3_step(statement)) == SQLITE_ROW)
        result = visit(context, sqlite3_column_int64(statement, 0));
    if (result == 0 && step != SQLITE_DONE)
        result = database_error(file, "the case cannot be read");
    sqlite3_finalize(statement);
    return result;
}
