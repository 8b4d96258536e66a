/*
 * COPY in PostgreSQL's binary format (https://www.postgresql.org/docs/current/sql-copy.html): no
 * text needs escaping, and a cell that does not fit its column is an error, not another value.
 */
#include "triage/case/postgres_copy.h"

#include "triage/base/error.h"
#include "triage/base/utf16.h"

#include <stdlib.h>
#include <string.h>

enum { COLUMNS_MOST = 40, SENT_AT_ONCE = 256 << 10 };

/* As what a column is kept; case.db knows numbers, texts and bytes only. */
enum form { AS_NUMBER, AS_BOOLEAN, AS_TEXT, AS_JSON, AS_BYTES };

struct copy {
    PGconn *connection;
    struct case_file *file;
    const char *table;
    size_t column_count;
    char *columns[COLUMNS_MOST];
    enum form forms[COLUMNS_MOST];
    struct buffer out, clean;
};

/* --- columns --- */

int postgres_check_name(const char *name)
{
    const size_t size =
        strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");

    return *name && !name[size] ? 0 : error_set("'%s' is no name of a table or column", name);
}

static bool is_one_of(const char *name, const char *const *list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(name, list[i]) == 0)
            return true;
    return false;
}

static enum form form_of(const char *name, const char *type)
{
    static const char *const booleans[] = {
        "dated",       "raw_cut", "continuous", "damaged",  "deleted",
        "private",     "found",   "in_place",   "intruder", "begins_after_first_trace",
        "determinable"};
    static const char *const trees[] = {"fields", "tags", "days",  "damage",
                                        "body",   "cves", "roles", "also"};

    if (strcmp(type, "BLOB") == 0)
        return AS_BYTES;
    if (strcmp(type, "INTEGER") == 0)
        return is_one_of(name, booleans, sizeof booleans / sizeof *booleans) ? AS_BOOLEAN
                                                                             : AS_NUMBER;
    return is_one_of(name, trees, sizeof trees / sizeof *trees) ? AS_JSON : AS_TEXT;
}

static int take_column(void *context, const char *const *cells)
{
    struct copy *copy = context;

    if (postgres_check_name(cells[0]) < 0)
        return -1;
    if (copy->column_count == COLUMNS_MOST)
        return error_set("the table '%s' has too many columns", copy->table);
    if (!(copy->columns[copy->column_count] = strdup(cells[0])))
        return error_set("out of memory");
    copy->forms[copy->column_count++] = form_of(cells[0], cells[1]);
    return 0;
}

static int take_columns(struct copy *copy)
{
    struct buffer sql = BUFFER_EMPTY;

    buffer_format(&sql, "SELECT name, type FROM pragma_table_info('%s') ORDER BY cid", copy->table);
    const int result = case_query(copy->file, buffer_text(&sql), take_column, copy);
    buffer_release(&sql);
    return result;
}

static void release(struct copy *copy)
{
    for (size_t i = 0; i < copy->column_count; i++)
        free(copy->columns[i]);
    buffer_release(&copy->out);
    buffer_release(&copy->clean);
}

int postgres_create_table(PGconn *connection, struct case_file *file, const char *table)
{
    static const char *const types[] = {
        [AS_NUMBER] = "bigint", [AS_BOOLEAN] = "boolean", [AS_TEXT] = "text",
        [AS_JSON] = "jsonb",    [AS_BYTES] = "bytea",
    };
    struct copy copy = {.connection = connection, .file = file, .table = table};
    struct buffer sql = BUFFER_EMPTY;
    int result = take_columns(&copy);

    buffer_format(&sql, "CREATE TABLE \"%s\" (server bigint NOT NULL, source_row bigint NOT NULL",
                  table);
    for (size_t i = 0; i < copy.column_count; i++)
        buffer_format(&sql, ", \"%s\" %s", copy.columns[i], types[copy.forms[i]]);
    buffer_format(&sql, "); CREATE INDEX \"%s_server\" ON \"%s\" (server)", table, table);
    if (result == 0) {
        PGresult *done = PQexec(connection, buffer_text(&sql));
        if (PQresultStatus(done) != PGRES_COMMAND_OK)
            result = postgres_error(connection, "the tables cannot be made");
        PQclear(done);
    }
    buffer_release(&sql);
    release(&copy);
    return result;
}

/* --- cells --- */

static void put_big_endian(struct buffer *out, uint64_t value, unsigned size)
{
    for (unsigned i = size; i-- > 0;)
        buffer_add_byte(out, (uint8_t)(value >> (8 * i)));
}

static void put_number(struct buffer *out, int64_t number)
{
    put_big_endian(out, 8, 4);
    put_big_endian(out, (uint64_t)number, 8);
}

static void put_bytes(struct buffer *out, struct slice bytes)
{
    put_big_endian(out, bytes.size, 4);
    buffer_add(out, bytes);
}

/* PostgreSQL's texts are UTF-8 and hold no NUL. */
static struct slice clean_text(struct copy *copy, struct slice text)
{
    if (utf8_valid(text) && !(text.size && memchr(text.data, 0, text.size)))
        return text;
    buffer_clear(&copy->clean);
    while (text.size) {
        const uint8_t *nul = memchr(text.data, 0, text.size);
        const size_t part = nul ? (size_t)(nul - text.data) : text.size;
        utf8_append_repaired(&copy->clean, slice_part(text, 0, part));
        if (nul)
            buffer_add_text(&copy->clean, "\xEF\xBF\xBD");
        text = slice_from(text, part + (nul ? 1 : 0));
    }
    return buffer_slice(&copy->clean);
}

/* jsonb has no \u0000; the record as it was is in the column raw. An escape is never taken apart:
 * the byte behind a backslash belongs to it. */
static struct slice clean_json(struct copy *copy, struct slice text)
{
    if (text.size == 0 || !memmem(text.data, text.size, "\\u0000", 6))
        return text;
    struct buffer changed = BUFFER_EMPTY;
    for (size_t at = 0; at < text.size;) {
        const struct slice rest = slice_from(text, at);
        const bool is_nul = slice_starts(rest, "\\u0000");
        const size_t size = is_nul ? 6 : rest.data[0] == '\\' && rest.size > 1 ? 2 : 1;
        if (is_nul)
            buffer_add_text(&changed, "\\ufffd");
        else
            buffer_add(&changed, slice_part(rest, 0, size));
        at += size;
    }
    buffer_release(&copy->clean);
    copy->clean = changed;
    return buffer_slice(&copy->clean);
}

static struct slice cell_bytes(sqlite3_stmt *statement, int at)
{
    const void *data = sqlite3_column_blob(statement, at);

    return slice_of(data, (size_t)sqlite3_column_bytes(statement, at));
}

static int put_cell(struct copy *copy, sqlite3_stmt *statement, int at, enum form form)
{
    const int type = sqlite3_column_type(statement, at);

    if (type == SQLITE_NULL) {
        put_big_endian(&copy->out, UINT32_MAX, 4);
        return 0;
    }
    if ((form == AS_NUMBER || form == AS_BOOLEAN) && type != SQLITE_INTEGER)
        return error_set("the table '%s' has something else where a number belongs", copy->table);
    switch (form) {
    case AS_NUMBER:
        put_number(&copy->out, sqlite3_column_int64(statement, at));
        break;
    case AS_BOOLEAN:
        put_big_endian(&copy->out, 1, 4);
        buffer_add_byte(&copy->out, sqlite3_column_int64(statement, at) != 0);
        break;
    case AS_TEXT:
        put_bytes(&copy->out, clean_text(copy, cell_bytes(statement, at)));
        break;
    case AS_JSON: {
        const struct slice text = clean_text(copy, cell_bytes(statement, at));
        const struct slice tree = clean_json(copy, text);
        put_big_endian(&copy->out, tree.size + 1, 4);
        buffer_add_byte(&copy->out, 1); /* version of jsonb's binary form */
        buffer_add(&copy->out, tree);
        break;
    }
    case AS_BYTES:
        put_bytes(&copy->out, cell_bytes(statement, at));
        break;
    }
    return 0;
}

/* --- rows --- */

static int send(struct copy *copy)
{
    if (buffer_failed(&copy->out))
        return error_set("out of memory");
    if (copy->out.size &&
        PQputCopyData(copy->connection, (const char *)copy->out.data, (int)copy->out.size) != 1)
        return postgres_error(copy->connection, "the rows cannot be sent");
    buffer_clear(&copy->out);
    return 0;
}

static int send_row(struct copy *copy, sqlite3_stmt *statement, int64_t server)
{
    put_big_endian(&copy->out, copy->column_count + 2, 2);
    put_number(&copy->out, server);
    put_number(&copy->out, sqlite3_column_int64(statement, 0));
    for (size_t i = 0; i < copy->column_count; i++)
        if (put_cell(copy, statement, (int)i + 1, copy->forms[i]) < 0)
            return -1;
    return copy->out.size >= SENT_AT_ONCE ? send(copy) : 0;
}

static int send_rows(struct copy *copy, sqlite3_stmt *statement, int64_t server, uint64_t *count)
{
    static const char signature[] = "PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0"; /* no flags, no extension */
    int result = 0, step;

    buffer_add(&copy->out, slice_of(signature, sizeof signature));
    while ((step = sqlite3_step(statement)) == SQLITE_ROW && result == 0) {
        result = send_row(copy, statement, server);
        ++*count;
    }
    if (result == 0 && step != SQLITE_DONE)
        result = database_error(copy->file, "the case cannot be read");
    put_big_endian(&copy->out, UINT16_MAX, 2);
    return result == 0 ? send(copy) : result;
}

/* How many rows arrived, or -1. */
static int end_copy(struct copy *copy, bool good, uint64_t sent)
{
    if (PQputCopyEnd(copy->connection, good ? NULL : "the case cannot be read") != 1)
        return good ? postgres_error(copy->connection, "the rows cannot be sent") : -1;
    PGresult *done = PQgetResult(copy->connection);
    int result = good ? 0 : -1;

    if (good && PQresultStatus(done) != PGRES_COMMAND_OK)
        result = postgres_error(copy->connection, "the rows are refused");
    else if (good && strtoull(PQcmdTuples(done), NULL, 10) != sent)
        result =
            error_set("only %s of %llu rows arrived", PQcmdTuples(done), (unsigned long long)sent);
    PQclear(done);
    while ((done = PQgetResult(copy->connection)))
        PQclear(done);
    return result;
}

/* Of the rules only those that found something; tables without row numbers have keys of their own.
 */
static int prepare(struct copy *copy, sqlite3_stmt **statement)
{
    static const char *const numbers[] = {"rowid", "0"};
    const bool is_rule = strcmp(copy->table, "rule") == 0;
    struct buffer sql = BUFFER_EMPTY;

    for (size_t i = 0; i < 2 && !*statement; i++) {
        buffer_clear(&sql);
        buffer_format(&sql, "SELECT %s, * FROM \"%s\"%s", numbers[i], copy->table,
                      is_rule ? " WHERE \"index\" IN (SELECT rule FROM indicator)" : "");
        sqlite3_prepare_v2(copy->file->database, buffer_text(&sql), -1, statement, NULL);
    }
    buffer_release(&sql);
    return *statement ? 0 : database_error(copy->file, "the case cannot be read");
}

static int begin_copy(struct copy *copy)
{
    struct buffer sql = BUFFER_EMPTY;

    buffer_format(&sql, "COPY \"%s\" (server, source_row", copy->table);
    for (size_t i = 0; i < copy->column_count; i++)
        buffer_format(&sql, ", \"%s\"", copy->columns[i]);
    buffer_add_text(&sql, ") FROM STDIN (FORMAT binary)");
    PGresult *begun = PQexec(copy->connection, buffer_text(&sql));
    const int result = PQresultStatus(begun) == PGRES_COPY_IN
                           ? 0
                           : postgres_error(copy->connection, "the rows are refused");
    PQclear(begun);
    buffer_release(&sql);
    return result;
}

int postgres_copy_table(PGconn *connection, struct case_file *file, const char *table,
                        int64_t server)
{
    struct copy copy = {.connection = connection, .file = file, .table = table};
    sqlite3_stmt *statement = NULL;
    uint64_t sent = 0;
    int result = take_columns(&copy);

    if (result == 0 && (result = prepare(&copy, &statement)) == 0 &&
        (result = begin_copy(&copy)) == 0) {
        result = send_rows(&copy, statement, server, &sent);
        result = end_copy(&copy, result == 0, sent);
    }
    sqlite3_finalize(statement);
    release(&copy);
    return result < 0 ? error_prefix("table '%s'", table) : 0;
}
