#include "triage/case/database.h"

#include "triage/base/error.h"

struct rewrite {
    sqlite3_stmt *row, *update;
    const char *table;
    const char *const *columns;
    int count;
    int (*change)(void *context, const char *table, const char *column, struct slice text,
                  struct buffer *out);
    void *context;
};

static int prepare_rewrite(struct case_file *file, struct rewrite *rewrite)
{
    struct buffer select = BUFFER_EMPTY, update = BUFFER_EMPTY;

    buffer_add_text(&select, "SELECT rowid");
    buffer_format(&update, "UPDATE %s SET ", rewrite->table);
    for (int i = 0; i < rewrite->count; i++) {
        buffer_format(&select, ", %s", rewrite->columns[i]);
        buffer_format(&update, "%s%s = ?", i ? ", " : "", rewrite->columns[i]);
    }
    buffer_format(&select, " FROM %s ORDER BY rowid", rewrite->table);
    buffer_add_text(&update, " WHERE rowid = ?");
    const bool prepared = sqlite3_prepare_v2(file->database, buffer_text(&select), -1,
                                             &rewrite->row, NULL) == SQLITE_OK &&
                          sqlite3_prepare_v2(file->database, buffer_text(&update), -1,
                                             &rewrite->update, NULL) == SQLITE_OK;
    buffer_release(&select);
    buffer_release(&update);
    return prepared ? 0 : database_error(file, "the case database refuses");
}

static void bind_as(sqlite3_stmt *statement, int at, int type, struct slice text)
{
    const char *bytes = text.size ? (const char *)text.data : "";

    if (type == SQLITE_BLOB)
        sqlite3_bind_blob64(statement, at, bytes, text.size, SQLITE_TRANSIENT);
    else
        sqlite3_bind_text64(statement, at, bytes, text.size, SQLITE_TRANSIENT, SQLITE_UTF8);
}

/* The row that the query stands on. */
static int rewrite_row(struct case_file *file, const struct rewrite *rewrite, struct buffer *out)
{
    bool changed = false;
    int result = 0;

    for (int i = 0; i < rewrite->count && result >= 0; i++) {
        const int type = sqlite3_column_type(rewrite->row, i + 1);
        const void *data = sqlite3_column_blob(rewrite->row, i + 1);
        const struct slice text = slice_of(data, (size_t)sqlite3_column_bytes(rewrite->row, i + 1));
        buffer_clear(out);
        result = text.size ? rewrite->change(rewrite->context, rewrite->table, rewrite->columns[i],
                                             text, out)
                           : 0;
        changed |= result > 0;
        bind_as(rewrite->update, i + 1, type, result > 0 ? buffer_slice(out) : text);
    }
    if (result >= 0 && buffer_failed(out))
        result = error_set("out of memory");
    if (result < 0 || !changed)
        return result < 0 ? -1 : 0;
    sqlite3_bind_int64(rewrite->update, rewrite->count + 1, sqlite3_column_int64(rewrite->row, 0));
    const int step = sqlite3_step(rewrite->update);
    sqlite3_reset(rewrite->update);
    return step == SQLITE_DONE ? 0 : database_error(file, "a row cannot be changed");
}

static int rewrite_table(struct case_file *file, struct rewrite *rewrite)
{
    struct buffer out = BUFFER_EMPTY;
    int result = prepare_rewrite(file, rewrite), step = SQLITE_DONE;

    while (result == 0 && (step = sqlite3_step(rewrite->row)) == SQLITE_ROW)
        result = rewrite_row(file, rewrite, &out);
    if (result == 0 && step != SQLITE_DONE)
        result = database_error(file, "the case cannot be read");
    sqlite3_finalize(rewrite->row);
    sqlite3_finalize(rewrite->update);
    buffer_release(&out);
    return result;
}

int case_rewrite(struct case_file *file,
                 int (*change)(void *context, const char *table, const char *column,
                               struct slice text, struct buffer *out),
                 void *context)
{
    static const char *const body[] = {"body"};
    struct rewrite documents = {NULL, NULL, "document", body, 1, change, context};
    int result = database_execute(file, "BEGIN");

    for (size_t i = 0; i < TABLE_COUNT && result == 0; i++) {
        const char *columns[CASE_CELLS_MOST];
        struct rewrite rewrite = {NULL, NULL, case_tables[i].name, columns, 0, change, context};
        if (!case_tables[i].order || i == RULE)
            continue;
        for (size_t j = 0; j < case_tables[i].column_count; j++)
            if (case_tables[i].columns[j].type == TEXT || case_tables[i].columns[j].type == BYTES)
                columns[rewrite.count++] = case_tables[i].columns[j].name;
        result = rewrite_table(file, &rewrite);
    }
    if (result == 0)
        result = rewrite_table(file, &documents);
    return database_execute(file, "COMMIT") < 0 ? -1 : result;
}

int case_compact(struct case_file *file)
{
    return database_execute(file, "VACUUM");
}
