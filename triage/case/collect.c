#include "triage/case/database.h"

#include "triage/base/error.h"

#include <string.h>
#include <time.h>

enum { FLUSH_ROWS = 50000, FLUSH_SECONDS = 5 };

static int prepare_insert(struct case_file *file, enum table_id id)
{
    struct buffer sql = BUFFER_EMPTY;

    buffer_format(&sql, "INSERT INTO %s (task, ", case_tables[id].name);
    table_column_list(&case_tables[id], &sql);
    buffer_add_text(&sql, ") VALUES (?");
    for (size_t i = 0; i < case_tables[id].column_count; i++)
        buffer_add_text(&sql, ", ?");
    buffer_add_text(&sql, ")");
    const int result =
        sqlite3_prepare_v2(file->database, buffer_text(&sql), -1, &file->inserts[id], NULL);
    buffer_release(&sql);
    return result == SQLITE_OK ? 0 : database_error(file, "the case database refuses");
}

int case_prepare_inserts(struct case_file *file)
{
    for (size_t i = 0; i < TABLE_COUNT; i++)
        if (prepare_insert(file, (enum table_id)i) < 0)
            return -1;
    if (sqlite3_prepare_v2(file->database, "SELECT 1 FROM task WHERE key = ?", -1,
                           &file->task_query, NULL) != SQLITE_OK ||
        sqlite3_prepare_v2(file->database, "INSERT OR IGNORE INTO task VALUES (?)", -1,
                           &file->task_insert, NULL) != SQLITE_OK)
        return database_error(file, "the case database refuses");
    return 0;
}

static int add_row(struct case_file *file, enum table_id id, const char *task, const void *row)
{
    const struct table *table = &case_tables[id];
    sqlite3_stmt *statement = file->inserts[id];

    sqlite3_bind_text(statement, 1, task, -1, SQLITE_STATIC);
    table_bind_row(statement, 2, table, row);
    const int result = sqlite3_step(statement);
    sqlite3_reset(statement);
    if (result != SQLITE_DONE)
        return database_error(file, "a row cannot be stored");
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

static time_t seconds_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec;
}

bool case_task_is_done(struct case_file *file, const char *key)
{
    sqlite3_bind_text(file->task_query, 1, key, -1, SQLITE_STATIC);
    const bool found = sqlite3_step(file->task_query) == SQLITE_ROW;
    sqlite3_reset(file->task_query);
    return found;
}

int case_task_done(struct case_file *file, const char *key)
{
    sqlite3_bind_text(file->task_insert, 1, key, -1, SQLITE_STATIC);
    const int result = sqlite3_step(file->task_insert);
    sqlite3_reset(file->task_insert);
    if (result != SQLITE_DONE)
        return database_error(file, "a row cannot be stored");
    return seconds_now() - file->flushed >= FLUSH_SECONDS ? case_flush(file) : 0;
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

int case_flush(struct case_file *file)
{
    file->unflushed = 0;
    file->flushed = seconds_now();
    return database_execute(file, "COMMIT; BEGIN");
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

int case_each_matched_task(struct case_file *file, int (*visit)(void *context, const char *task),
                           void *context)
{
    sqlite3_stmt *statement = NULL;
    int result = 0;

    if (sqlite3_prepare_v2(file->database, "SELECT DISTINCT task FROM indicator ORDER BY task", -1,
                           &statement, NULL) != SQLITE_OK)
        return database_error(file, "the case database refuses");
    while (result == 0 && sqlite3_step(statement) == SQLITE_ROW)
        result = visit(context, (const char *)sqlite3_column_text(statement, 0));
    sqlite3_finalize(statement);
    return result;
}

/* One row of numbers. */
static int query_numbers(struct case_file *file, const char *sql, uint64_t *numbers, int count)
{
    sqlite3_stmt *statement = NULL;
    int result = -1;

    if (sqlite3_prepare_v2(file->database, sql, -1, &statement, NULL) == SQLITE_OK &&
        sqlite3_step(statement) == SQLITE_ROW)
        for (result = 0; result < count; result++)
            numbers[result] = (uint64_t)sqlite3_column_int64(statement, result);
    if (result < 0)
        database_error(file, "the case cannot be read");
    sqlite3_finalize(statement);
    return result < 0 ? -1 : 0;
}

int case_count(struct case_file *file, struct case_counts *counts)
{
    uint64_t sums[6], others[7];

    *counts = (struct case_counts){0};
    if (query_numbers(file,
                      "SELECT COUNT(*), SUM(bytes), SUM(records), SUM(used), SUM(repaired), "
                      "SUM(rejected) FROM coverage WHERE task <> ''",
                      sums, 6) < 0 ||
        query_numbers(
            file,
            "SELECT SUM(level = 0), SUM(level = 1), SUM(level = 2), SUM(level = 3), SUM(level = "
            "4), "
            "SUM(NOT dated), (SELECT COUNT(*) FROM notice WHERE task <> '') FROM indicator "
            "WHERE task <> ''",
            others, 7) < 0)
        return -1;
    memcpy(counts->indicators, others, sizeof counts->indicators);
    counts->undated = others[5];
    counts->notices = others[6];
    counts->files = sums[0];
    counts->bytes = sums[1];
    counts->records = sums[2];
    counts->used = sums[3];
    counts->repaired = sums[4];
    counts->rejected = sums[5];
    return 0;
}
