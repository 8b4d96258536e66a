#include "artifacts/helper_table.h"

#include "triage/base/utf16.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    NOTICES_MOST = 50,
    NOTICE_SIZE = 240,
};

#define ROWS_MOST UINT64_C(20000000)

struct reading {
    struct job *job;
    helper_row_taker *take;
    void *context;
    struct helper_reader reader;
    uint64_t rows, notices;
};

/* What a helper says is text for people: printable ASCII, for it may quote the evidence. */
static void copy_text(char *out, size_t size, struct slice text)
{
    size_t used = 0;

    for (size_t i = 0; i < text.size && used + 1 < size; i++) {
        const uint8_t c = text.data[i];
        out[used++] = c >= 0x20 && c < 0x7F ? (char)c : '?';
    }
    out[used] = 0;
}

static void take_notice(struct reading *reading)
{
    const uint64_t offset = reading->reader.offset;
    char text[NOTICE_SIZE];

    if (reading->notices++ >= NOTICES_MOST)
        return;
    copy_text(text, sizeof text, reading->reader.text);
    job_notice(reading->job, offset < reading->job->size ? offset : 0, text);
}

static int take_frame(void *context, struct slice frame)
{
    struct reading *reading = context;

    if (helper_read(&reading->reader, frame) < 0)
        return -1;
    switch (reading->reader.kind) {
    case HELPER_TABLE:
        return 0;
    case HELPER_ROW:
        if (reading->rows++ >= ROWS_MOST)
            return error_set("the helper sent more rows than a file can have");
        return reading->take(reading->context, &reading->reader);
    case HELPER_NOTICE:
        take_notice(reading);
        return 0;
    }
    return 0;
}

/* The names, a NUL behind each. */
static void add_request(struct buffer *request, const char *const *tables)
{
    for (; tables && *tables; tables++)
        buffer_add(request, slice_of(*tables, strlen(*tables) + 1));
}

static int ask(struct reading *reading, const char *helper, const char *const *tables)
{
    struct buffer request = BUFFER_EMPTY;

    add_request(&request, tables);
    const int result =
        buffer_failed(&request)
            ? error_set("out of memory")
            : job_ask(reading->job, helper, buffer_slice(&request), take_frame, reading);
    buffer_release(&request);
    return result;
}

int helper_table_read(struct job *job, const char *helper, const char *const *tables,
                      helper_row_taker *take, void *context, uint64_t *rows)
{
    struct reading *reading = calloc(1, sizeof *reading);

    if (!reading)
        return error_set("out of memory");
    reading->job = job;
    reading->take = take;
    reading->context = context;
    const int result = ask(reading, helper, tables);
    if (reading->notices > NOTICES_MOST) {
        job_notice_format(job, 0, "%llu more notices of the helper are left out",
                          (unsigned long long)(reading->notices - NOTICES_MOST));
    }
    if (rows)
        *rows = reading->rows;
    free(reading);
    return result;
}

/* --- values --- */

struct slice helper_text(const struct helper_value *value, struct arena *arena)
{
    if (value->form == HELPER_TEXT) {
        struct buffer text = BUFFER_EMPTY;
        utf8_append_repaired(&text, value->bytes);
        const struct slice kept = arena_copy(arena, buffer_slice(&text));
        buffer_release(&text);
        return kept;
    }
    if (value->form == HELPER_BYTES)
        return slice_of_text(utf16_to_text(arena, value->bytes, true));
    return slice_of(NULL, 0);
}

struct instant helper_time(const struct helper_value *value)
{
    /* 1930 to 2100: what lies outside is no day that a database of Windows was written on. */
    const double first = 11000, last = 73050;
    const struct instant base = instant_from_civil((struct civil){1899, 12, 30, 0, 0, 0, 0});
    uint64_t whole = value->whole;

    if (value->form == HELPER_REAL && value->real >= first && value->real <= last) {
        /* to the second: a double has no more behind so many days than some hundred nanoseconds */
        const double seconds = value->real * 86400.0 + 0.5;
        return (struct instant){base.ticks + (int64_t)seconds * TICKS_PER_SECOND};
    }
    if (value->form == HELPER_REAL)
        memcpy(&whole, &value->real, sizeof whole);
    else if (value->form != HELPER_WHOLE)
        return INSTANT_NONE;
    const struct instant least = instant_from_civil((struct civil){1980, 1, 1, 0, 0, 0, 0});
    const struct instant most = instant_from_civil((struct civil){2100, 1, 1, 0, 0, 0, 0});
    return whole >= (uint64_t)least.ticks && whole <= (uint64_t)most.ticks
               ? instant_from_filetime(whole)
               : INSTANT_NONE;
}
