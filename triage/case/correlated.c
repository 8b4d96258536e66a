#include "triage/case/database.h"

#include "triage/base/error.h"

int case_index_correlated(struct case_file *file)
{
    return database_execute(file,
                            "COMMIT; PRAGMA temp_store=FILE; BEGIN; CREATE INDEX IF NOT EXISTS "
                            "correlated_order ON correlated (correlation, skipped, grp, ticks)");
}

bool case_has_correlated(struct case_file *file, int64_t correlation)
{
    sqlite3_stmt *statement = NULL;

    if (sqlite3_prepare_v2(file->database,
                           "SELECT 1 FROM correlated WHERE correlation = ? AND skipped = 0 LIMIT 1",
                           -1, &statement, NULL) != SQLITE_OK)
        return true; /* who reads them finds out why */
    sqlite3_bind_int64(statement, 1, correlation);
    const bool found = sqlite3_step(statement) != SQLITE_DONE;
    sqlite3_finalize(statement);
    return found;
}

/* Ties are broken by what a row says, so that it does not matter which worker sent it first. */
int case_each_correlated(struct case_file *file, int64_t correlation,
                         int (*visit)(void *context, int64_t id, const struct case_correlated *row),
                         void *context)
{
    struct buffer sql = BUFFER_EMPTY;
    sqlite3_stmt *statement = NULL;
    struct case_correlated row = {0};
    int result = 0, step = SQLITE_DONE;

    buffer_add_text(&sql, "SELECT rowid, ");
    table_column_list(&case_tables[CORRELATED], &sql);
    buffer_add_text(&sql, " FROM correlated WHERE correlation = ? AND skipped = 0 ORDER BY grp, "
                          "ticks, source, offset, record, rule, value, shown");
    if (sqlite3_prepare_v2(file->database, buffer_text(&sql), -1, &statement, NULL) != SQLITE_OK)
        result = database_error(file, "the case database refuses");
    sqlite3_bind_int64(statement, 1, correlation);
    while (result == 0 && (step = sqlite3_step(statement)) == SQLITE_ROW) {
        table_load_row(statement, 1, &case_tables[CORRELATED], &row);
        result = visit(context, sqlite3_column_int64(statement, 0), &row);
    }
    if (result == 0 && step != SQLITE_DONE)
        result = database_error(file, "the case cannot be read");
    sqlite3_finalize(statement);
    buffer_release(&sql);
    return result;
}

int case_correlated_at(struct case_file *file, int64_t id,
                       int (*visit)(void *context, int64_t id, const struct case_correlated *row),
                       void *context)
{
    struct buffer sql = BUFFER_EMPTY;
    sqlite3_stmt *statement = NULL;
    struct case_correlated row = {0};
    int result = -1;

    buffer_add_text(&sql, "SELECT ");
    table_column_list(&case_tables[CORRELATED], &sql);
    buffer_add_text(&sql, " FROM correlated WHERE rowid = ?");
    if (sqlite3_prepare_v2(file->database, buffer_text(&sql), -1, &statement, NULL) == SQLITE_OK &&
        sqlite3_bind_int64(statement, 1, id) == SQLITE_OK &&
        sqlite3_step(statement) == SQLITE_ROW) {
        table_load_row(statement, 0, &case_tables[CORRELATED], &row);
        result = visit(context, id, &row);
    } else {
        database_error(file, "the case cannot be read");
    }
    sqlite3_finalize(statement);
    buffer_release(&sql);
    return result;
}

int case_count_skipped(struct case_file *file,
                       int (*visit)(void *context, const struct case_correlated *row,
                                    uint64_t count),
                       void *context)
{
    sqlite3_stmt *statement = NULL;
    struct case_correlated row = {0};
    int result = 0;

    if (sqlite3_prepare_v2(file->database,
                           "SELECT correlation, rule, skipped, COUNT(*) FROM correlated WHERE "
                           "skipped <> 0 GROUP BY 1, 2, 3 ORDER BY 1, 2, 3",
                           -1, &statement, NULL) != SQLITE_OK)
        return database_error(file, "the case database refuses");
    while (result == 0 && sqlite3_step(statement) == SQLITE_ROW) {
        row.correlation = sqlite3_column_int64(statement, 0);
        row.rule = sqlite3_column_int64(statement, 1);
        row.skipped = sqlite3_column_int64(statement, 2);
        result = visit(context, &row, (uint64_t)sqlite3_column_int64(statement, 3));
    }
    sqlite3_finalize(statement);
    return result;
}
