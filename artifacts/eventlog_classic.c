/*
 * Event logs of Windows XP and 2003 (*.evt), which the program "evt" reads with libevt. Their
 * records have the names that eventlog.c gives, so that the same rules see them; the texts of a
 * record are Data0, Data1 ... The file's header and the bytes of each record are looked at here
 * too: what the helper says of a record must stand where it says. Format: "Windows Event Log (EVT)
 * format" (libevt), MS-EVEN.
 */
#include "artifacts/entry.h"
#include "artifacts/eventlog_event.h"
#include "artifacts/helper_table.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    HEADER_SIZE = 48,
    RECORD_HEAD = 56,
    RECORD_MOST = 1 << 20,
    RECORD_MEMORY = 16 << 20,
    STRINGS_MOST = 256,
    PARAMS = 8,
    NUMBERS_MOST = 4 << 20,
};

#define MAGIC "LfLe"

enum header_flag { FLAG_DIRTY = 1, FLAG_WRAPPED = 2, FLAG_FULL = 4 };

/* What a log of that name is called where events are looked for. */
static const struct {
    const char *file, *channel;
} channels[] = {
    {"AppEvent.evt", "Application"},
    {"SecEvent.evt", "Security"},
    {"SysEvent.evt", "System"},
    {"NTDS.evt", "Directory Service"},
    {"DnsEvent.evt", "DNS Server"},
    {"NtFrs.evt", "File Replication Service"},
    {"PowerShe.evt", "Windows PowerShell"},
    {"WindowsPowerShell.evt", "Windows PowerShell"},
};

/* Level and keywords as they stand in an EVTX record of that type. */
static const struct {
    uint64_t type;
    const char *level, *keywords;
} types[] = {
    {0, "0", "0x80000000000000"}, {1, "2", "0x80000000000000"}, {2, "3", "0x80000000000000"},
    {4, "4", "0x80000000000000"}, {8, "0", "0xa0000000000000"}, {16, "0", "0x90000000000000"},
};

enum system_name {
    NAME_PROVIDER,
    NAME_EVENT_ID,
    NAME_QUALIFIERS,
    NAME_LEVEL,
    NAME_TASK,
    NAME_KEYWORDS,
    NAME_TIME,
    NAME_RECORD_ID,
    NAME_CHANNEL,
    NAME_COMPUTER,
    NAME_USER,
    NAME_COUNT,
};

static const struct {
    const char *element, *attribute;
} system_elements[NAME_COUNT] = {
    {"Provider", "Name"}, {"EventID", ""},  {"EventID", "Qualifiers"},     {"Level", ""},
    {"Task", ""},         {"Keywords", ""}, {"TimeCreated", "SystemTime"}, {"EventRecordID", ""},
    {"Channel", ""},      {"Computer", ""}, {"Security", "UserID"},
};

struct classic {
    struct job *job;
    struct eventlog *log;
    struct arena *arena;                /* of the record at hand */
    struct evtx_name names[NAME_COUNT]; /* live as long as the job */
    struct evtx_name data, binary;
    struct evtx_name params[PARAMS]; /* "param1" ..., as the service control manager has them */
    struct evtx_value values[NAME_COUNT + STRINGS_MOST + 1];
    size_t value_count;
    struct buffer text; /* all values, a line each */
    const char *channel;
    uint8_t *record;
    uint64_t *numbers; /* of live records */
    size_t number_count, number_room;
    uint64_t recovered, misplaced;
    uint64_t claimed; /* records in force, as the header says; 0 when it does not say */
    uint64_t previous;
};

/* --- values --- */

static void add(struct classic *classic, struct evtx_name *name, struct slice text)
{
    if (!name->text || classic->value_count == sizeof classic->values / sizeof *classic->values)
        return;
    classic->values[classic->value_count++] = (struct evtx_value){name, text};
    buffer_add(&classic->text, text);
    buffer_add_byte(&classic->text, '\n');
}

static void add_system(struct classic *classic, enum system_name name, struct slice text)
{
    if (text.size)
        add(classic, &classic->names[name], text);
}

static void add_number(struct classic *classic, enum system_name name, uint64_t number)
{
    const char *text = arena_format(classic->arena, "%" PRIu64, number);

    add_system(classic, name, slice_of_text(text));
}

static void add_type(struct classic *classic, uint64_t type)
{
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (types[i].type == type) {
            add_system(classic, NAME_LEVEL, slice_of_text(types[i].level));
            add_system(classic, NAME_KEYWORDS, slice_of_text(types[i].keywords));
        }
}

/* The record's own texts, each with a NUL behind. */
static void add_strings(struct classic *classic, struct slice strings, struct slice provider)
{
    const bool named = slice_is_nocase(provider, "Service Control Manager");
    size_t count = 0;

    for (size_t at = 0; at < strings.size && count < STRINGS_MOST; count++) {
        size_t end = slice_find(strings, at, 0);
        end = end == SIZE_MAX ? strings.size : end;
        add(classic, named && count < PARAMS ? &classic->params[count] : &classic->data,
            slice_part(strings, at, end - at));
        at = end + 1;
    }
}

/* In hexadecimal digits, as EVTX has it in <Binary>. */
static void add_binary(struct classic *classic, struct slice bytes)
{
    enum { SHOWN = 4096 };
    static const char digits[] = "0123456789ABCDEF";
    const struct slice shown = slice_part(bytes, 0, SHOWN);
    char *text = arena_take(classic->arena, shown.size * 2 + 1);

    if (!text || !shown.size)
        return;
    for (size_t i = 0; i < shown.size; i++) {
        text[2 * i] = digits[shown.data[i] >> 4];
        text[2 * i + 1] = digits[shown.data[i] & 15];
    }
    add(classic, &classic->binary, slice_of(text, shown.size * 2));
}

static struct slice text_in(struct classic *classic, const struct helper_reader *row,
                            const char *column)
{
    return helper_text(helper_value(row, column), classic->arena);
}

static struct instant seconds_in(const struct helper_reader *row, const char *column)
{
    const uint64_t seconds = helper_value(row, column)->whole;

    return seconds && seconds <= UINT32_MAX ? instant_from_unix((int64_t)seconds, 0) : INSTANT_NONE;
}

static void add_values(struct classic *classic, const struct helper_reader *row,
                       struct instant created)
{
    const uint64_t id = helper_value(row, "event_id")->whole;
    const struct slice provider = text_in(classic, row, "source");
    char time[INSTANT_TEXT_SIZE];

    classic->value_count = 0;
    buffer_clear(&classic->text);
    add_system(classic, NAME_PROVIDER, provider);
    add_number(classic, NAME_EVENT_ID, id & 0xFFFF);
    add_number(classic, NAME_QUALIFIERS, id >> 16 & 0xFFFF);
    add_type(classic, helper_value(row, "type")->whole);
    add_number(classic, NAME_TASK, helper_value(row, "category")->whole);
    if (instant_known(created))
        add_system(classic, NAME_TIME,
                   arena_copy(classic->arena, slice_of_text(instant_format(created, time))));
    add_number(classic, NAME_RECORD_ID, row->number);
    add_system(classic, NAME_CHANNEL, slice_of_text(classic->channel));
    add_system(classic, NAME_COMPUTER, text_in(classic, row, "computer"));
    add_system(classic, NAME_USER, text_in(classic, row, "sid"));
    add_strings(classic, text_in(classic, row, "strings"), provider);
    add_binary(classic, helper_value(row, "data")->bytes);
}

/* --- records --- */

/* The record's bytes in the file: one that does not fit in front of the file's end goes on behind
 * the header. Empty when there is no such record at that place. */
static struct slice record_bytes(struct classic *classic, uint64_t offset, uint64_t number)
{
    struct job *job = classic->job;
    const ssize_t got =
        offset < job->size ? job_read(job, offset, classic->record, RECORD_MOST) : 0;
    const struct slice head = slice_of(classic->record, got > 0 ? (size_t)got : 0);
    struct cursor c = cursor_over(head, offset);
    const uint32_t size = cursor_u32le(&c);
    const struct slice magic = cursor_take(&c, 4);
    const uint32_t own_number = cursor_u32le(&c);

    if (cursor_failed(&c) || !slice_is(magic, MAGIC) || own_number != number ||
        size < RECORD_HEAD || size > RECORD_MOST)
        return slice_of(NULL, 0);
    if (head.size >= size)
        return slice_part(head, 0, size);
    const ssize_t more = job_read(job, HEADER_SIZE, classic->record + head.size, size - head.size);
    return slice_of(classic->record, head.size + (more > 0 ? (size_t)more : 0));
}

static int keep_number(struct classic *classic, uint64_t number)
{
    if (classic->number_count == NUMBERS_MOST)
        return 0;
    if (classic->number_count == classic->number_room) {
        const size_t room = classic->number_room ? classic->number_room * 2 : 1024;
        uint64_t *numbers = realloc(classic->numbers, room * sizeof *numbers);
        if (!numbers)
            return error_set("out of memory");
        classic->numbers = numbers;
        classic->number_room = room;
    }
    classic->numbers[classic->number_count++] = number;
    return 0;
}

static void count(struct classic *classic, unsigned marks, uint64_t number, struct instant when)
{
    struct tally *tally = classic->job->tally;

    tally->records++;
    tally->repaired += marks != 0;
    tally->used += marks == 0;
    classic->recovered += (marks & EVENT_RECOVERED) != 0;
    if (marks & EVENT_RECOVERED)
        return;
    if (number < classic->previous) /* a full log begins again at its start: no jump of the clock */
        tally->previous = INSTANT_NONE;
    classic->previous = number;
    tally_time(tally, when);
}

static int take_row(void *context, const struct helper_reader *row)
{
    struct classic *classic = context;
    const struct instant created = seconds_in(row, "created"), written = seconds_in(row, "written");
    const struct slice bytes = record_bytes(classic, row->offset, row->number);
    unsigned marks = row->marks & HELPER_RECOVERED ? EVENT_RECOVERED : 0;

    if (!bytes.size || row->marks & HELPER_DAMAGED)
        marks |= EVENT_REPAIRED;
    if (!bytes.size && !classic->misplaced++)
        job_notice_format(classic->job, row->offset < classic->job->size ? row->offset : 0,
                          "record %" PRIu64 " does not stand where it was read", row->number);
    arena_reset(classic->arena);
    add_values(classic, row, created);
    if (buffer_failed(&classic->text))
        return error_set("out of memory");
    const struct eventlog_record record = {
        .values = classic->values,
        .value_count = classic->value_count,
        .text = buffer_slice(&classic->text),
        .written = written,
        .offset = row->offset < classic->job->size ? row->offset : 0,
        .number = row->number,
        .marks = marks,
        .raw = bytes.size ? bytes : buffer_slice(&classic->text),
        .record = bytes,
    };
    count(classic, marks, row->number, eventlog_time(&record));
    eventlog_take(classic->log, &record);
    return marks & EVENT_RECOVERED ? 0 : keep_number(classic, row->number);
}

/* --- the file --- */

static int by_number(const void *a, const void *b)
{
    const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return x < y ? -1 : x > y;
}

static void tell_gaps(struct classic *classic)
{
    uint64_t gaps = 0, missing = 0;

    if (classic->number_count)
        qsort(classic->numbers, classic->number_count, sizeof *classic->numbers, by_number);
    for (size_t i = 1; i < classic->number_count; i++) {
        const uint64_t step = classic->numbers[i] - classic->numbers[i - 1];
        gaps += step > 1;
        missing += step > 1 ? step - 1 : 0;
    }
    if (gaps)
        job_notice_format(classic->job, 0,
                          "record numbers have %" PRIu64 " gaps, %" PRIu64
                          " are missing: records were removed, or the log is damaged",
                          gaps, missing);
}

static void tell_file(struct classic *classic)
{
    const struct tally *tally = classic->job->tally;

    tell_gaps(classic);
    if (classic->claimed && classic->claimed != classic->number_count)
        job_notice_format(classic->job, 0, "the header tells of %" PRIu64 " records, %zu are there",
                          classic->claimed, classic->number_count);
    if (tally->backward)
        job_notice_format(classic->job, 0,
                          "%" PRIu64
                          " records are earlier than the one in front: the clock was set",
                          tally->backward);
    if (classic->recovered)
        job_notice_format(classic->job, 0, "unused space: %" PRIu64 " records recovered",
                          classic->recovered);
    if (classic->misplaced > 1)
        job_notice_format(classic->job, 0, "%" PRIu64 " records do not stand where they were read",
                          classic->misplaced);
}

static void tell_header(struct classic *classic)
{
    const ssize_t got = job_read(classic->job, 0, classic->record, HEADER_SIZE);
    struct cursor c = cursor_over(slice_of(classic->record, got > 0 ? (size_t)got : 0), 0);

    const uint32_t size = cursor_u32le(&c);
    const struct slice magic = cursor_take(&c, 4);
    cursor_seek(&c, 24);
    const uint32_t next = cursor_u32le(&c), oldest = cursor_u32le(&c);
    cursor_seek(&c, 36);
    const uint32_t flags = cursor_u32le(&c);
    if (cursor_failed(&c) || size != HEADER_SIZE || !slice_is(magic, MAGIC)) {
        job_notice(classic->job, 0, "the file's header is damaged");
        return;
    }
    if (!(flags & FLAG_DIRTY) && oldest && next > oldest)
        classic->claimed = next - oldest;
    if (flags & FLAG_DIRTY)
        job_notice(classic->job, 0,
                   "the log was not closed properly (dirty): its header is older than its records");
    if (flags & FLAG_FULL)
        job_notice(classic->job, 0, "the log was full: later events were not written");
}

static const char *channel_of(struct job *job)
{
    const struct slice name = slice_of_text(entry_last_part(job->file->path));

    for (size_t i = 0; i < sizeof channels / sizeof *channels; i++)
        if (slice_is_nocase(name, channels[i].file))
            return channels[i].channel;
    const bool ending = slice_ends_nocase(name, ".evt");
    const char *channel = arena_text(job->arena, slice_part(name, 0, name.size - 4 * ending));
    return channel ? channel : "";
}

static void set_names(struct classic *classic)
{
    for (size_t i = 0; i < NAME_COUNT; i++)
        classic->names[i] =
            evtx_system_name(classic->job->arena, slice_of_text(system_elements[i].element),
                             slice_of_text(system_elements[i].attribute));
    for (size_t i = 0; i < PARAMS; i++)
        classic->params[i] =
            (struct evtx_name){.text = arena_format(classic->job->arena, "param%zu", i + 1)};
    classic->data = (struct evtx_name){.text = "Data", .role = EVTX_ROLE_UNNAMED};
    classic->binary = (struct evtx_name){.text = "Binary"};
}

static int read_log(struct classic *classic)
{
    uint64_t rows = 0;

    set_names(classic);
    classic->channel = channel_of(classic->job);
    tell_header(classic);
    if (helper_table_read(classic->job, "evt", NULL, take_row, classic, &rows) < 0) {
        if (rows == 0)
            return -1;
        job_notice_format(classic->job, 0, "the rest of the log is missing: %s", error_text());
    }
    eventlog_finish(classic->log);
    tell_file(classic);
    return 0;
}

static int parse(struct job *job)
{
    struct classic *classic = calloc(1, sizeof *classic);
    int result = -1;

    if (!classic)
        return error_set("out of memory");
    classic->job = job;
    classic->arena = arena_new(RECORD_MEMORY);
    classic->record = malloc(RECORD_MOST);
    classic->log = eventlog_new(job);
    if (!classic->arena || !classic->record || !classic->log)
        error_set("out of memory");
    else if (job->size == 0)
        result = 0;
    else
        result = read_log(classic);
    eventlog_free(classic->log);
    arena_free(classic->arena);
    buffer_release(&classic->text);
    free(classic->numbers);
    free(classic->record);
    free(classic);
    return result;
}

static bool recognise(struct slice head, const char *name)
{
    return slice_is(slice_part(head, 4, 4), MAGIC) ||
           (slice_ends_nocase(slice_of_text(name), ".evt") && head.size >= HEADER_SIZE &&
            slice_find_nocase(slice_part(head, 0, 4096), 0, SLICE_LITERAL(MAGIC)) != SIZE_MAX);
}

static const char *const paths[] = {"**/*.evt", NULL};

const struct artifact artifact_eventlog_classic = {
    .name = "eventlog_classic",
    .title = "Event logs of Windows XP and 2003",
    .paths = paths,
    .sources = source_map_any,
    .recognise = recognise,
    .helper = "evt",
    .parse = parse,
};
