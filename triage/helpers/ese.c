/*
 * Helper program: tables of an ESE database, read with libesedb. A request is the names of tables,
 * a NUL behind each, in the order in which they are wanted; the answer is as record/helper_rows.h
 * has it. A row or value that cannot be read costs itself.
 */
#include "triage/base/error.h"
#include "triage/helpers/bfio.h"
#include "triage/helpers/ese_pages.h"
#include "triage/record/helper_rows.h"

#include <libesedb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    MEMORY = 1 << 30,
    REASON_SIZE = 200,
    NOTICES_MOST = 20,   /* of one table */
    FAILURES_MOST = 500, /* rows of one table, one after the other: then it is given up */
    SMALL_MOST = 8,      /* bytes of a number */
};

struct column {
    uint32_t id, type;
    char name[HELPER_NAME_MOST + 1];
};

struct reading {
    struct server *server;
    libesedb_table_t *table;
    const char *name; /* of the table */
    struct column columns[HELPER_COLUMNS_MOST];
    size_t column_count;
    struct buffer frame, value;
    size_t notices;
    bool damaged; /* something of the row could not be read */
    struct ese_pages pages;
    bool pages_open;
    struct buffer places; /* of the table's rows; empty when they are not known */
    uint32_t long_root;   /* of the table; 0: it has no long values, or its pages cannot be read */
};

/* The library's reason in one line; takes the error. */
static const char *reason(libesedb_error_t **error)
{
    static char text[REASON_SIZE];

    snprintf(text, sizeof text, "no reason given");
    if (*error)
        libesedb_error_sprint(*error, text, sizeof text);
    libesedb_error_free(error);
    for (char *c = text; *c; c++)
        if (*c == '\n')
            *c = ' ';
    return text;
}

/* The library's reason, or ours when it had none. */
static const char *why_of(libesedb_error_t **error)
{
    return *error ? reason(error) : error_text();
}

static int send_frame(struct reading *reading)
{
    if (buffer_failed(&reading->frame))
        return error_set("out of memory");
    return server_row(reading->server, buffer_slice(&reading->frame));
}

static int notice(struct reading *reading, int row, const char *what, libesedb_error_t **error)
{
    char text[REASON_SIZE * 2];

    reading->damaged = true;
    const char *why = why_of(error);
    if (reading->notices++ >= NOTICES_MOST)
        return 0;
    snprintf(text, sizeof text, "table %s, row %d: %s: %s", reading->name, row, what, why);
    buffer_clear(&reading->frame);
    helper_write_notice(&reading->frame, HELPER_NO_OFFSET, text);
    return send_frame(reading);
}

/* --- values --- */

/* Room for a value in reading->value; NULL when it is too large. */
static uint8_t *value_room(struct reading *reading, uint64_t size)
{
    buffer_clear(&reading->value);
    if (size == 0 || size > HELPER_VALUE_MOST)
        return NULL;
    uint8_t *room = buffer_reserve(&reading->value, (size_t)size);
    if (room)
        reading->value.size = (size_t)size;
    return room;
}

/* A value that lies in pages of its own; the record has its key only. */
static bool read_long(struct reading *reading, libesedb_record_t *record, int at)
{
    uint8_t key[8];
    size_t size = 0;

    error_set("its key cannot be read");
    if (libesedb_record_get_value_data_size(record, at, &size, NULL) != 1 || size > sizeof key ||
        libesedb_record_get_value_data(record, at, key, size, NULL) != 1)
        return false;
    return ese_pages_long_value(&reading->pages, reading->long_root, slice_of(key, size),
                                HELPER_VALUE_MOST, &reading->value) == 0;
}

static bool is_text(uint32_t type)
{
    return type == LIBESEDB_COLUMN_TYPE_TEXT || type == LIBESEDB_COLUMN_TYPE_LARGE_TEXT;
}

/* Texts go through the library, which knows their code page and compression. False: there is none.
 */
static bool read_text(struct reading *reading, libesedb_record_t *record, int at,
                      libesedb_error_t **error)
{
    size_t size = 0;

    if (libesedb_record_get_value_utf8_string_size(record, at, &size, error) != 1)
        return false;
    uint8_t *room = value_room(reading, size);
    if (!room || libesedb_record_get_value_utf8_string(record, at, room, size, error) != 1)
        return false;
    reading->value.size = size - 1; /* it counts a NUL */
    return true;
}

static bool read_plain(struct reading *reading, libesedb_record_t *record, int at,
                       libesedb_error_t **error)
{
    size_t size = 0;
    const int found = libesedb_record_get_value_data_size(record, at, &size, error);

    value_room(reading, 0);
    if (found != 1)
        return found == 0;
    uint8_t *room = value_room(reading, size);
    return size == 0 ||
           (room && libesedb_record_get_value_data(record, at, room, size, error) == 1);
}

static uint64_t number_of(struct slice bytes)
{
    uint64_t number = 0;

    for (size_t i = bytes.size; i-- > 0;)
        number = number << 8 | bytes.data[i];
    return number;
}

static int64_t with_sign(uint64_t number, size_t size)
{
    const unsigned unused = (unsigned)(8 - size) * 8;

    return (int64_t)(number << unused) >> unused;
}

static void write_value(struct buffer *frame, struct slice bytes, uint32_t type)
{
    double real;

    switch (type) {
    case LIBESEDB_COLUMN_TYPE_DOUBLE_64BIT:
    case LIBESEDB_COLUMN_TYPE_DATE_TIME:
        if (bytes.size == sizeof real) {
            memcpy(&real, bytes.data, sizeof real);
            helper_write_real(frame, real);
            return;
        }
        break;
    case LIBESEDB_COLUMN_TYPE_BOOLEAN:
    case LIBESEDB_COLUMN_TYPE_INTEGER_8BIT_UNSIGNED:
    case LIBESEDB_COLUMN_TYPE_INTEGER_16BIT_UNSIGNED:
    case LIBESEDB_COLUMN_TYPE_INTEGER_32BIT_UNSIGNED:
        if (bytes.size && bytes.size <= SMALL_MOST) {
            helper_write_whole(frame, number_of(bytes));
            return;
        }
        break;
    case LIBESEDB_COLUMN_TYPE_INTEGER_16BIT_SIGNED:
    case LIBESEDB_COLUMN_TYPE_INTEGER_32BIT_SIGNED:
    case LIBESEDB_COLUMN_TYPE_INTEGER_64BIT_SIGNED:
    case LIBESEDB_COLUMN_TYPE_CURRENCY:
        if (bytes.size && bytes.size <= SMALL_MOST) {
            helper_write_whole(frame, (uint64_t)with_sign(number_of(bytes), bytes.size));
            return;
        }
        break;
    default:
        break;
    }
    if (bytes.size)
        helper_write_bytes(frame, is_text(type) ? HELPER_TEXT : HELPER_BYTES, bytes);
    else
        helper_write_null(frame);
}

/* The place of a column among the record's values, which leave nothing out but may be in another
 * order; -1 when it has none. */
static int place_of(libesedb_record_t *record, int count, const struct column *column, size_t at)
{
    uint32_t id;

    if ((int)at < count && libesedb_record_get_column_identifier(record, (int)at, &id, NULL) == 1 &&
        id == column->id)
        return (int)at;
    for (int i = 0; i < count && i < HELPER_COLUMNS_MOST; i++)
        if (libesedb_record_get_column_identifier(record, i, &id, NULL) == 1 && id == column->id)
            return i;
    return -1;
}

static bool read_value(struct reading *reading, libesedb_record_t *record, int at, uint32_t type,
                       libesedb_error_t **error)
{
    if (libesedb_record_is_long_value(record, at, NULL) == 1)
        return read_long(reading, record, at);
    if (is_text(type) && read_text(reading, record, at, NULL))
        return true;
    return read_plain(reading, record, at, error);
}

/* --- rows --- */

/* The values of a record, in the order of the columns. */
static int write_values(struct reading *reading, libesedb_record_t *record, int row,
                        struct buffer *values)
{
    libesedb_error_t *error = NULL;
    int count = 0;

    libesedb_record_get_number_of_values(record, &count, NULL);
    for (size_t i = 0; i < reading->column_count; i++) {
        const struct column *column = &reading->columns[i];
        const int at = place_of(record, count, column, i);
        value_room(reading, 0);
        error_set("the value is damaged");
        if (at >= 0 && !read_value(reading, record, at, column->type, &error)) {
            value_room(reading, 0);
            if (notice(reading, row, column->name, &error) < 0)
                return -1;
        }
        write_value(values, buffer_slice(&reading->value), column->type);
    }
    return buffer_failed(values) ? error_set("out of memory") : 0;
}

/* Where the row lies in the file. */
static uint64_t row_place(const struct reading *reading, int row)
{
    struct cursor c = cursor_over(buffer_slice(&reading->places), 0);

    cursor_seek(&c, (size_t)row * 8);
    const uint64_t place = cursor_u64le(&c);
    return cursor_failed(&c) ? HELPER_NO_OFFSET : place;
}

static int send_record(struct reading *reading, libesedb_record_t *record, int row)
{
    struct buffer values = BUFFER_EMPTY;

    reading->damaged = false;
    int result = write_values(reading, record, row, &values);
    if (result == 0) {
        buffer_clear(&reading->frame);
        helper_write_row(&reading->frame, (uint64_t)row, row_place(reading, row),
                         reading->damaged ? HELPER_DAMAGED : 0, reading->column_count);
        buffer_add(&reading->frame, buffer_slice(&values));
        result = send_frame(reading);
    }
    buffer_release(&values);
    return result;
}

static int send_rows(struct reading *reading)
{
    libesedb_error_t *error = NULL;
    int count = 0, failures = 0;

    if (libesedb_table_get_number_of_records(reading->table, &count, &error) != 1)
        return notice(reading, 0, "its rows cannot be counted", &error);
    if (reading->places.size != (size_t)count * 8) /* not the same rows */
        buffer_clear(&reading->places);
    for (int row = 0; row < count && failures < FAILURES_MOST; row++) {
        libesedb_record_t *record = NULL;
        int result;
        if (libesedb_table_get_record(reading->table, row, &record, &error) == 1) {
            result = send_record(reading, record, row);
            libesedb_record_free(&record, NULL);
            failures = 0;
        } else {
            result = notice(reading, row, "cannot be read", &error);
            failures++;
        }
        if (result < 0)
            return -1;
    }
    return failures < FAILURES_MOST ? 0 : notice(reading, count, "the rest is not tried", &error);
}

/* --- tables --- */

static bool read_column(struct reading *reading, int at, struct column *out)
{
    libesedb_column_t *column = NULL;
    size_t size = 0;

    if (libesedb_table_get_column(reading->table, at, &column, 0, NULL) != 1)
        return false;
    const bool done =
        libesedb_column_get_identifier(column, &out->id, NULL) == 1 &&
        libesedb_column_get_type(column, &out->type, NULL) == 1 &&
        libesedb_column_get_utf8_name_size(column, &size, NULL) == 1 && size &&
        size <= sizeof out->name &&
        libesedb_column_get_utf8_name(column, (uint8_t *)out->name, sizeof out->name, NULL) == 1;
    libesedb_column_free(&column, NULL);
    return done;
}

static int send_columns(struct reading *reading)
{
    const char *names[HELPER_COLUMNS_MOST];
    libesedb_error_t *error = NULL;
    int count = 0;

    reading->column_count = 0;
    if (libesedb_table_get_number_of_columns(reading->table, &count, 0, &error) != 1)
        return notice(reading, 0, "its columns cannot be read", &error);
    for (int i = 0; i < count && reading->column_count < HELPER_COLUMNS_MOST; i++)
        if (read_column(reading, i, &reading->columns[reading->column_count])) {
            names[reading->column_count] = reading->columns[reading->column_count].name;
            reading->column_count++;
        }
    buffer_clear(&reading->frame);
    helper_write_table(&reading->frame, reading->name, names, reading->column_count);
    return send_frame(reading);
}

/* What the pages tell of the table and the library does not. */
static void find_pages(struct reading *reading)
{
    uint32_t id;

    buffer_clear(&reading->places);
    reading->long_root = 0;
    if (!reading->pages_open || libesedb_table_get_identifier(reading->table, &id, NULL) != 1)
        return;
    reading->long_root = ese_pages_long_root(&reading->pages, id);
    if (ese_pages_places(&reading->pages, id, &reading->places) < 0)
        buffer_clear(&reading->places);
}

static int send_table(struct reading *reading, libesedb_file_t *file, const char *name)
{
    libesedb_error_t *error = NULL;
    int result;

    reading->name = name;
    reading->notices = 0;
    const int found = libesedb_file_get_table_by_utf8_name(file, (const uint8_t *)name,
                                                           strlen(name), &reading->table, &error);
    if (found != 1)
        return found == 0 ? 0 : notice(reading, 0, "it cannot be opened", &error);
    result = send_columns(reading);
    find_pages(reading);
    if (result == 0 && reading->column_count)
        result = send_rows(reading);
    libesedb_table_free(&reading->table, NULL);
    return result;
}

static ssize_t read_pages(void *context, uint64_t offset, void *buffer, size_t size)
{
    return server_read(context, offset, buffer, size);
}

static int send_tables(struct server *server, libesedb_file_t *file, struct slice names)
{
    struct reading *reading = calloc(1, sizeof *reading);
    int result = 0;

    if (!reading)
        return error_set("out of memory");
    reading->server = server;
    reading->pages.read = read_pages;
    reading->pages.context = server;
    reading->pages_open = ese_pages_open(&reading->pages) == 0;
    while (names.size && result == 0) {
        const size_t end = slice_find(names, 0, 0);
        if (end == SIZE_MAX)
            result = error_set("the request is malformed");
        else
            result = send_table(reading, file, (const char *)names.data);
        names = slice_from(names, end == SIZE_MAX ? names.size : end + 1);
    }
    buffer_release(&reading->frame);
    buffer_release(&reading->value);
    buffer_release(&reading->places);
    free(reading);
    return result;
}

static int answer(struct server *server, struct slice request)
{
    libesedb_error_t *error = NULL;
    libesedb_file_t *file = NULL;
    bfio_handle *handle = bfio_over(server);
    int result = -1;

    if (!handle)
        return -1;
    if (libesedb_file_initialize(&file, &error) != 1)
        error_set("libesedb cannot begin: %s", reason(&error));
    else if (libesedb_file_open_file_io_handle(file, (libbfio_handle_t *)handle, LIBESEDB_OPEN_READ,
                                               &error) != 1)
        error_set("the database cannot be opened: %s", reason(&error));
    else
        result = send_tables(server, file, request);
    libesedb_file_free(&file, NULL);
    bfio_free(handle);
    return result;
}

int main(void)
{
    static const struct server_program program = {.memory = MEMORY, .answer = answer};

    return server_main(&program);
}
