/*
 * Helper program: records of an event log of Windows XP or 2003 (*.evt), read with libevt. The
 * answer, as record/helper_rows.h has it, is one table: records in force in their order, then those
 * that the library recovered from unused space. Times are seconds since 1970, "strings" has a NUL
 * behind each text.
 */
#include "triage/base/error.h"
#include "triage/helpers/bfio.h"
#include "triage/record/helper_rows.h"

#include <libevt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    MEMORY = 1 << 30,
    REASON_SIZE = 200,
    NOTICES_MOST = 20,
    FAILURES_MOST = 1000, /* records, one after the other */
    STRINGS_MOST = 1024,
};

static const char *const columns[] = {"event_id", "type",     "category", "created", "written",
                                      "source",   "computer", "sid",      "strings", "data"};

struct reading {
    struct server *server;
    libevt_record_t *record;
    struct buffer frame, value;
    size_t notices;
    bool damaged;
};

/* The library's reason in one line; takes the error. */
static const char *reason(libevt_error_t **error)
{
    static char text[REASON_SIZE];

    snprintf(text, sizeof text, "no reason given");
    if (*error)
        libevt_error_sprint(*error, text, sizeof text);
    libevt_error_free(error);
    for (char *c = text; *c; c++)
        if (*c == '\n')
            *c = ' ';
    return text;
}

static int send_frame(struct reading *reading)
{
    if (buffer_failed(&reading->frame))
        return error_set("out of memory");
    return server_row(reading->server, buffer_slice(&reading->frame));
}

static int notice(struct reading *reading, const char *text)
{
    if (reading->notices++ >= NOTICES_MOST)
        return 0;
    buffer_clear(&reading->frame);
    helper_write_notice(&reading->frame, HELPER_NO_OFFSET, text);
    return send_frame(reading);
}

static int tell_failure(struct reading *reading, int at, libevt_error_t **error)
{
    char text[REASON_SIZE * 2];

    snprintf(text, sizeof text, "record %d in order cannot be read: %s", at, reason(error));
    return notice(reading, text);
}

/* --- values --- */

static uint8_t *value_room(struct reading *reading, size_t size)
{
    if (size == 0 || size > HELPER_VALUE_MOST - reading->value.size)
        return NULL;
    return buffer_reserve(&reading->value, size);
}

static void write_whole(struct reading *reading, bool found, uint32_t value)
{
    if (found) {
        helper_write_whole(&reading->frame, value);
        return;
    }
    reading->damaged = true;
    helper_write_null(&reading->frame);
}

typedef int number_getter(libevt_record_t *record, uint32_t *value, libevt_error_t **error);
typedef int size_getter(libevt_record_t *record, size_t *size, libevt_error_t **error);
typedef int bytes_getter(libevt_record_t *record, uint8_t *bytes, size_t size,
                         libevt_error_t **error);

static void write_number(struct reading *reading, number_getter *get)
{
    uint32_t value = 0;
    const bool found = get(reading->record, &value, NULL) == 1;

    write_whole(reading, found, value);
}

/* `ending`: bytes behind the value that the library counts and that are no part of it. It calls a
 * record without data, which has no such ending, a failure. */
static void write_bytes(struct reading *reading, enum helper_form form, size_getter *get_size,
                        bytes_getter *get, size_t ending)
{
    size_t size = 0;

    buffer_clear(&reading->value);
    const int found = get_size(reading->record, &size, NULL);
    uint8_t *room = found == 1 ? value_room(reading, size) : NULL;
    if (room && get(reading->record, room, size, NULL) == 1)
        reading->value.size = size - ending;
    else if ((found < 0 && ending) || size > ending)
        reading->damaged = true;
    if (reading->value.size)
        helper_write_bytes(&reading->frame, form, buffer_slice(&reading->value));
    else
        helper_write_null(&reading->frame);
}

static void add_string(struct reading *reading, int at)
{
    size_t size = 0;
    const int found = libevt_record_get_utf8_string_size(reading->record, at, &size, NULL);
    uint8_t *room = found == 1 ? value_room(reading, size) : NULL;

    if (room && libevt_record_get_utf8_string(reading->record, at, room, size, NULL) == 1) {
        reading->value.size += size; /* with its NUL */
        return;
    }
    reading->damaged |= found < 0 || size > 1;
    buffer_add_byte(&reading->value, 0);
}

static void write_strings(struct reading *reading)
{
    int count = 0;

    buffer_clear(&reading->value);
    if (libevt_record_get_number_of_strings(reading->record, &count, NULL) != 1)
        reading->damaged = true;
    for (int i = 0; i < count && i < STRINGS_MOST; i++)
        add_string(reading, i);
    helper_write_bytes(&reading->frame, HELPER_TEXT, buffer_slice(&reading->value));
}

static void write_values(struct reading *reading)
{
    uint16_t small = 0;

    write_number(reading, libevt_record_get_event_identifier);
    const bool typed = libevt_record_get_event_type(reading->record, &small, NULL) == 1;
    write_whole(reading, typed, small);
    const bool sorted = libevt_record_get_event_category(reading->record, &small, NULL) == 1;
    write_whole(reading, sorted, small);
    write_number(reading, libevt_record_get_creation_time);
    write_number(reading, libevt_record_get_written_time);
    write_bytes(reading, HELPER_TEXT, libevt_record_get_utf8_source_name_size,
                libevt_record_get_utf8_source_name, 1);
    write_bytes(reading, HELPER_TEXT, libevt_record_get_utf8_computer_name_size,
                libevt_record_get_utf8_computer_name, 1);
    write_bytes(reading, HELPER_TEXT, libevt_record_get_utf8_user_security_identifier_size,
                libevt_record_get_utf8_user_security_identifier, 1);
    write_strings(reading);
    write_bytes(reading, HELPER_BYTES, libevt_record_get_data_size, libevt_record_get_data, 0);
}

/* --- records --- */

static int send_record(struct reading *reading, unsigned marks)
{
    struct buffer row = BUFFER_EMPTY;
    uint32_t number = 0;
    off64_t offset = -1;

    reading->damaged = false;
    buffer_clear(&reading->frame);
    write_values(reading);
    if (libevt_record_get_identifier(reading->record, &number, NULL) != 1 ||
        libevt_record_get_offset(reading->record, &offset, NULL) != 1)
        reading->damaged = true;
    helper_write_row(&row, number, offset < 0 ? HELPER_NO_OFFSET : (uint64_t)offset,
                     marks | (reading->damaged ? HELPER_DAMAGED : 0),
                     sizeof columns / sizeof *columns);
    buffer_add(&row, buffer_slice(&reading->frame));
    const int result = buffer_failed(&row) || buffer_failed(&reading->frame)
                           ? error_set("out of memory")
                           : server_row(reading->server, buffer_slice(&row));
    buffer_release(&row);
    return result;
}

typedef int record_getter(libevt_file_t *file, int at, libevt_record_t **record,
                          libevt_error_t **error);

static int send_records(struct reading *reading, libevt_file_t *file, int count, record_getter *get,
                        unsigned marks)
{
    libevt_error_t *error = NULL;
    int failures = 0;

    for (int i = 0; i < count; i++) {
        int result;
        reading->record = NULL;
        if (get(file, i, &reading->record, &error) == 1) {
            result = send_record(reading, marks);
            libevt_record_free(&reading->record, NULL);
            failures = 0;
        } else {
            result = tell_failure(reading, i, &error);
            failures++;
        }
        if (result < 0)
            return -1;
        if (failures == FAILURES_MOST)
            return notice(reading, "too many records cannot be read: the rest is not tried");
    }
    return 0;
}

static int send_log(struct reading *reading, libevt_file_t *file)
{
    libevt_error_t *error = NULL;
    int count = 0, recovered = 0;

    helper_write_table(&reading->frame, "records", columns, sizeof columns / sizeof *columns);
    if (send_frame(reading) < 0)
        return -1;
    if (libevt_file_is_corrupted(file, NULL) == 1 &&
        notice(reading, "libevt calls the log corrupted") < 0)
        return -1;
    if (libevt_file_get_number_of_records(file, &count, &error) != 1)
        return error_set("the records cannot be counted: %s", reason(&error));
    if (send_records(reading, file, count, libevt_file_get_record_by_index, 0) < 0)
        return -1;
    if (libevt_file_get_number_of_recovered_records(file, &recovered, NULL) != 1)
        return 0;
    return send_records(reading, file, recovered, libevt_file_get_recovered_record_by_index,
                        HELPER_RECOVERED);
}

static int read_log(struct server *server, libevt_file_t *file)
{
    struct reading reading = {.server = server};
    const int result = send_log(&reading, file);

    buffer_release(&reading.frame);
    buffer_release(&reading.value);
    return result;
}

static int answer(struct server *server, struct slice request)
{
    libevt_error_t *error = NULL;
    libevt_file_t *file = NULL;
    bfio_handle *handle = bfio_over(server);
    int result = -1;

    (void)request; /* the whole log is wanted */
    if (!handle)
        return -1;
    if (libevt_file_initialize(&file, &error) != 1)
        error_set("libevt cannot begin: %s", reason(&error));
    else if (libevt_file_open_file_io_handle(file, (libbfio_handle_t *)handle, LIBEVT_OPEN_READ,
                                             &error) != 1)
        error_set("the log cannot be opened: %s", reason(&error));
    else
        result = read_log(server, file);
    libevt_file_free(&file, NULL);
    bfio_free(handle);
    return result;
}

int main(void)
{
    static const struct server_program program = {.memory = MEMORY, .answer = answer};

    return server_main(&program);
}
