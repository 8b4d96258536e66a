/* Tasks of a run at work: which are done, and what those that are not have left behind. */
#include "triage/case/database.h"

#include "triage/base/error.h"

#include <assert.h>
#include <string.h>

static int look_for_tasks(struct case_file *file)
{
    sqlite3_stmt *statement = NULL;
    int result = -1;

    if (sqlite3_prepare_v2(file->database, "SELECT EXISTS (SELECT 1 FROM task)", -1, &statement,
                           NULL) == SQLITE_OK &&
        sqlite3_step(statement) == SQLITE_ROW) {
        file->has_tasks = sqlite3_column_int(statement, 0) != 0;
        result = 0;
    } else {
        database_error(file, "the case database refuses");
    }
    sqlite3_finalize(statement);
    return result;
}

int tasks_prepare(struct case_file *file)
{
    if (sqlite3_prepare_v2(file->database, "INSERT INTO task VALUES (?, ?)", -1, &file->task_insert,
                           NULL) != SQLITE_OK)
        return database_error(file, "the case database refuses");
    return look_for_tasks(file);
}

/* Tasks are found by their keys when a case is resumed or a task is run again. Most runs do
 * neither: they only add to the end of the table. */
static int index_tasks(struct case_file *file)
{
    if (file->task_query)
        return 0;
    if (database_execute(file, "CREATE INDEX IF NOT EXISTS task_key ON task (key)") < 0)
        return -1;
    return sqlite3_prepare_v2(file->database, "SELECT 1 FROM task WHERE key = ?", -1,
                              &file->task_query, NULL) == SQLITE_OK
               ? 0
               : database_error(file, "the case database refuses");
}

bool case_task_is_done(struct case_file *file, const char *key)
{
    if (!file->has_tasks || index_tasks(file) < 0)
        return false;
    sqlite3_bind_text(file->task_query, 1, key, -1, SQLITE_STATIC);
    const bool found = sqlite3_step(file->task_query) == SQLITE_ROW;
    sqlite3_reset(file->task_query);
    return found;
}

int case_task_done(struct case_file *file, const struct case_task *task)
{
    const struct slice note = task->note;

    if (file->failed)
        return error_set("the case cannot be written any more");
    sqlite3_bind_text(file->task_insert, 1, task->key, -1, SQLITE_STATIC);
    sqlite3_bind_blob64(file->task_insert, 2, note.size ? (const void *)note.data : "", note.size,
                        SQLITE_STATIC);
    const int result = sqlite3_step(file->task_insert);
    sqlite3_reset(file->task_insert);
    if (case_stored(file, result) < 0)
        return -1;
    file->has_tasks = true;
    return case_is_flush_due(file) ? case_flush(file) : 0;
}

int case_each_task(struct case_file *file,
                   int (*visit)(void *context, const struct case_task *task), void *context)
{
    sqlite3_stmt *statement = NULL;
    int result = 0, step = SQLITE_DONE;

    if (sqlite3_prepare_v2(file->database, "SELECT key, note FROM task ORDER BY key", -1,
                           &statement, NULL) != SQLITE_OK)
        return database_error(file, "the case database refuses");
    while (result == 0 && (step = sqlite3_step(statement)) == SQLITE_ROW) {
        const void *note = sqlite3_column_blob(statement, 1);
        const struct case_task task = {
            .key = (const char *)sqlite3_column_text(statement, 0),
            .note = slice_of(note, (size_t)sqlite3_column_bytes(statement, 1)),
        };
        result = visit(context, &task);
    }
    if (result == 0 && step != SQLITE_DONE)
        result = database_error(file, "the case cannot be read");
    sqlite3_finalize(statement);
    return result;
}

void case_mark(const struct case_file *file, struct case_mark *mark)
{
    static_assert(TABLE_COUNT <= sizeof mark->rows / sizeof *mark->rows, "a mark holds all tables");
    *mark = (struct case_mark){{0}};
    memcpy(mark->rows, file->last, sizeof file->last);
}

static int delete_rows(struct case_file *file, const char *sql, const char *key, int64_t since)
{
    sqlite3_stmt *statement = NULL;

    if (sqlite3_prepare_v2(file->database, sql, -1, &statement, NULL) != SQLITE_OK)
        return database_error(file, "the case database refuses");
    sqlite3_bind_text(statement, 1, key, -1, SQLITE_STATIC);
    if (sqlite3_bind_parameter_count(statement) > 1)
        sqlite3_bind_int64(statement, 2, since);
    const int result = sqlite3_step(statement);
    sqlite3_finalize(statement);
    return result == SQLITE_DONE ? 0 : database_error(file, "rows cannot be removed");
}

/* Only rows since the mark are looked at: a task that is run again costs what it stored. */
int case_forget(struct case_file *file, const char *key, const struct case_mark *since)
{
    struct buffer sql = BUFFER_EMPTY;
    int result = 0;

    if (file->has_tasks)
        result = index_tasks(file) < 0
                     ? -1
                     : delete_rows(file, "DELETE FROM task WHERE key = ?", key, 0);
    for (size_t i = 0; i < TABLE_COUNT && result == 0; i++) {
        buffer_clear(&sql);
        buffer_format(&sql, "DELETE FROM %s WHERE task = ? AND rowid > ?", case_tables[i].name);
        if (!since || since->rows[i] < file->last[i])
            result = delete_rows(file, buffer_text(&sql), key, since ? since->rows[i] : 0);
    }
    buffer_release(&sql);
    return result;
}

/* All keys of a kind lie between "copy:" and "copy;". */
#define OF_KIND(column) column " >= ?1 AND " column " < substr(?1, 1, length(?1) - 1) || ';'"

int case_forget_kind(struct case_file *file, const char *kind)
{
    struct buffer sql = BUFFER_EMPTY;
    int result = delete_rows(file, "DELETE FROM task WHERE " OF_KIND("key"), kind, 0);
    const bool any = sqlite3_changes(file->database) > 0;

    for (size_t i = 0; i < TABLE_COUNT && result == 0 && any; i++) {
        buffer_clear(&sql);
        buffer_format(&sql, "DELETE FROM %s WHERE " OF_KIND("task"), case_tables[i].name);
        result = delete_rows(file, buffer_text(&sql), kind, 0);
    }
    buffer_release(&sql);
    return result;
}

int case_each_copy(struct case_file *file,
                   int (*visit)(void *context, const char *task, const struct case_stored *row),
                   void *context)
{
    const struct table *table = &case_tables[STORED];
    struct buffer sql = BUFFER_EMPTY;
    sqlite3_stmt *statement = NULL;
    struct case_stored row = {0};
    int result = 0, step = SQLITE_DONE;

    buffer_add_text(&sql, "SELECT task, ");
    table_column_list(table, &sql);
    buffer_add_text(&sql, " FROM file WHERE stored <> '' ORDER BY rowid");
    if (sqlite3_prepare_v2(file->database, buffer_text(&sql), -1, &statement, NULL) != SQLITE_OK)
        result = database_error(file, "the case database refuses");
    while (result == 0 && (step = sqlite3_step(statement)) == SQLITE_ROW) {
        table_load_row(statement, 1, table, &row);
        result = visit(context, (const char *)sqlite3_column_text(statement, 0), &row);
    }
    if (result == 0 && step != SQLITE_DONE)
        result = database_error(file, "the case cannot be read");
    sqlite3_finalize(statement);
    buffer_release(&sql);
    return result;
}

/* So will those go that could not read all: what a worker died of may have passed. */
int tasks_drop_unfinished(struct case_file *file)
{
    struct buffer sql = BUFFER_EMPTY;
    int result = database_execute(file, "DELETE FROM task WHERE key IN (SELECT task FROM unread)");

    for (size_t i = 0; i < TABLE_COUNT && result == 0; i++) {
        buffer_clear(&sql);
        buffer_format(&sql, "DELETE FROM %s WHERE task NOT IN (SELECT key FROM task)",
                      case_tables[i].name);
        result = database_execute(file, buffer_text(&sql));
    }
    buffer_release(&sql);
    return result;
}

int case_each_damage(struct case_file *file,
                     int (*visit)(void *context, const struct case_damage *row), void *context)
{
    const struct table *table = &case_tables[DAMAGE];
    struct buffer sql = BUFFER_EMPTY;
    sqlite3_stmt *statement = NULL;
    struct case_damage row = {0};
    int result = 0, step = SQLITE_DONE;

    buffer_add_text(&sql, "SELECT ");
    table_column_list(table, &sql);
    buffer_add_text(&sql, " FROM damage ORDER BY item, \"offset\", size, why");
    if (sqlite3_prepare_v2(file->database, buffer_text(&sql), -1, &statement, NULL) != SQLITE_OK)
        result = database_error(file, "the case database refuses");
    while (result == 0 && (step = sqlite3_step(statement)) == SQLITE_ROW) {
        table_load_row(statement, 0, table, &row);
        result = visit(context, &row);
    }
    if (result == 0 && step != SQLITE_DONE)
        result = database_error(file, "the case cannot be read");
    sqlite3_finalize(statement);
    buffer_release(&sql);
    return result;
}
