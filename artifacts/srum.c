/*
 * The System Resource Usage Monitor (SRUDB.dat): about once an hour, what each program sent and
 * received and how long it ran, kept for some 60 days. The program "ese" reads the tables with
 * libesedb; programs and users are numbers there, which SruDbIdMapTable explains. One event for
 * each row that a rule could match, and one for each program that moved most over the whole time.
 * Source: "System Resource Usage Monitor (SRUM) database" (esedb-kb, Joachim Metz).
 */
#include "artifacts/helper_table.h"
#include "triage/evidence/ntfs_owner.h"
#include "triage/formats/ese_header.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    HEAD_SIZE = 4096,
    VALUES_MOST = HELPER_COLUMNS_MOST + 8,
    NAMES_MOST = 1 << 20,
    TOTALS = 8192, /* slots, a power of two */
    TOTALS_TOLD = 20,
    NUMBER_TEXT = 24,
    SID_TYPE = 3,
};

#define ID_MAP       "SruDbIdMapTable"
#define NETWORK      "{973F5D5C-1D90-4944-BE8E-24B94231A174}"
#define APPLICATION  "{D10CA2FE-6FCF-4F6D-848E-B2E99266FA89}"
#define CONNECTIVITY "{DD6636C4-8929-4683-974E-22C046A43763}"

/* In the order in which they are asked for: names first. */
static const char *const tables[] = {ID_MAP, NETWORK, APPLICATION, CONNECTIVITY, NULL};

static const struct {
    const char *table;
    enum kind kind;
} kinds[] = {
    {NETWORK, KIND_srum_network},
    {APPLICATION, KIND_srum_application},
    {CONNECTIVITY, KIND_srum_connection},
};

/* Names that a value has here; others keep that of the column. */
static const struct {
    const char *column, *name;
} renamed[] = {{"BytesRecvd", "BytesReceived"}};

struct id_name {
    int64_t index;
    uint64_t order; /* of its row: the first of an index counts */
    struct slice text;
};

struct total {
    bool used;
    int64_t app, user;
    uint64_t sent, received, rows;
    struct instant first, last;
};

struct srum {
    struct job *job;
    struct id_name *names;
    size_t name_count, name_room;
    bool sorted, names_cut;
    struct total *totals; /* TOTALS slots */
    size_t total_count;
    struct arena *arena; /* of the row at hand */
    struct value values[VALUES_MOST];
    size_t value_count;
    struct buffer text; /* "name=value" lines: what the prefilter sees, and the rendering */
    uint64_t undated;
    enum kind table; /* of the latest row */
};

/* --- names of programs and users --- */

/* Both are kept as they are known: a SID in binary, all others in UTF-16. */
static struct slice name_text(struct srum *srum, uint64_t type, const struct helper_value *blob)
{
    char sid[SID_TEXT_SIZE];

    if (type == SID_TYPE)
        return blob->form == HELPER_BYTES && ntfs_sid_text(blob->bytes, sid)
                   ? arena_copy(srum->job->arena, slice_of_text(sid))
                   : slice_of(NULL, 0);
    return helper_text(blob, srum->job->arena);
}

static int take_name(struct srum *srum, const struct helper_reader *row)
{
    const struct helper_value *index = helper_value(row, "IdIndex");
    const struct slice text =
        name_text(srum, helper_value(row, "IdType")->whole, helper_value(row, "IdBlob"));

    if (index->form != HELPER_WHOLE || !text.size)
        return 0;
    if (srum->name_count == NAMES_MOST || arena_used(srum->job->arena) > 48u << 20) {
        srum->names_cut = true;
        return 0;
    }
    if (srum->name_count == srum->name_room) {
        const size_t room = srum->name_room ? srum->name_room * 2 : 1024;
        struct id_name *names = realloc(srum->names, room * sizeof *names);
        if (!names)
            return error_set("out of memory");
        srum->names = names;
        srum->name_room = room;
    }
    srum->names[srum->name_count] = (struct id_name){(int64_t)index->whole, srum->name_count, text};
    srum->name_count++;
    return 0;
}

static int by_index(const void *a, const void *b)
{
    const struct id_name *x = a, *y = b;

    if (x->index != y->index)
        return x->index < y->index ? -1 : 1;
    return x->order < y->order ? -1 : x->order > y->order;
}

static struct slice name_of(struct srum *srum, int64_t index)
{
    size_t low = 0, high = srum->name_count;

    if (!srum->sorted && srum->name_count)
        qsort(srum->names, srum->name_count, sizeof *srum->names, by_index);
    srum->sorted = true;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (srum->names[middle].index < index)
            low = middle + 1;
        else
            high = middle;
    }
    return low < srum->name_count && srum->names[low].index == index ? srum->names[low].text
                                                                     : slice_of(NULL, 0);
}

/* "svchost.exe" of "\device\harddiskvolume2\windows\system32\svchost.exe [netsvcs]" and of
 * "!!svchost.exe!2021/03/03:10:15:19!1a2b3!netsvcs". */
static struct slice program_of(struct slice name)
{
    size_t start = 0, end;

    if (slice_starts(name, "!!")) {
        end = slice_find(name, 2, '!');
        return slice_part(name, 2, end == SIZE_MAX ? SIZE_MAX : end - 2);
    }
    for (size_t i = 0; i < name.size; i++)
        if (name.data[i] == '\\')
            start = i + 1;
    end = slice_find_nocase(name, start, SLICE_LITERAL(" ["));
    return slice_part(name, start, end == SIZE_MAX ? SIZE_MAX : end - start);
}

/* --- totals --- */

static void add_total(struct srum *srum, const struct helper_reader *row, struct instant when)
{
    const int64_t app = (int64_t)helper_value(row, "AppId")->whole;
    const int64_t user = (int64_t)helper_value(row, "UserId")->whole;
    size_t slot =
        ((uint64_t)app * 0x9E3779B97F4A7C15u ^ (uint64_t)user * 0xC2B2AE3D27D4EB4Fu) >> 51;
    struct total *total = &srum->totals[slot];

    while (total->used && (total->app != app || total->user != user)) {
        slot = (slot + 1) % TOTALS;
        total = &srum->totals[slot];
    }
    if (!total->used && srum->total_count >= TOTALS / 2)
        return;
    srum->total_count += !total->used;
    total->used = true;
    total->app = app;
    total->user = user;
    total->sent += helper_value(row, "BytesSent")->whole;
    total->received += helper_value(row, "BytesRecvd")->whole;
    total->rows++;
    if (instant_known(when) && (!instant_known(total->first) || when.ticks < total->first.ticks))
        total->first = when;
    if (when.ticks > total->last.ticks)
        total->last = when;
}

static int by_sent(const void *a, const void *b)
{
    const struct total *x = a, *y = b;

    if (x->sent != y->sent)
        return x->sent > y->sent ? -1 : 1;
    if (x->app != y->app)
        return x->app < y->app ? -1 : 1;
    return x->user < y->user ? -1 : x->user > y->user;
}

/* --- values --- */

static void add(struct srum *srum, const char *name, struct slice text)
{
    if (!text.size || srum->value_count == VALUES_MOST)
        return;
    srum->values[srum->value_count++] =
        (struct value){name, field_from_name(slice_of_text(name)), false, text};
    buffer_format(&srum->text, "%s=", name);
    buffer_add(&srum->text, text);
    buffer_add_byte(&srum->text, '\n');
}

static void add_number(struct srum *srum, const char *name, int64_t number)
{
    add(srum, name, slice_of_text(arena_format(srum->arena, "%" PRId64, number)));
}

static void add_time(struct srum *srum, const char *name, struct instant when)
{
    char text[INSTANT_TEXT_SIZE];

    if (instant_known(when))
        add(srum, name, arena_copy(srum->arena, slice_of_text(instant_format(when, text))));
}

static void add_identity(struct srum *srum, int64_t app, int64_t user)
{
    const struct slice name = name_of(srum, app), sid = name_of(srum, user);

    add(srum, "Application", name);
    add(srum, "FileName", program_of(name));
    add(srum, "UserSid", sid);
    if (!name.size)
        add_number(srum, "AppId", app);
    if (!sid.size && user)
        add_number(srum, "UserId", user);
}

static const char *value_name(const char *column)
{
    for (size_t i = 0; i < sizeof renamed / sizeof *renamed; i++)
        if (strcmp(column, renamed[i].column) == 0)
            return renamed[i].name;
    return column;
}

static bool is_identity(const char *column)
{
    static const char *const names[] = {"AutoIncId", "TimeStamp", "AppId", "UserId"};

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(column, names[i]) == 0)
            return true;
    return false;
}

static void add_column(struct srum *srum, const char *column, const struct helper_value *value)
{
    const char *name = value_name(column);

    if (is_identity(column))
        return;
    if (strcmp(column, "ConnectStartTime") == 0)
        add_time(srum, name, helper_time(value));
    else if (value->form == HELPER_WHOLE)
        add_number(srum, name, (int64_t)value->whole);
    else if (value->form == HELPER_TEXT)
        add(srum, name, helper_text(value, srum->arena));
}

static void start_values(struct srum *srum)
{
    srum->value_count = 0;
    buffer_clear(&srum->text);
    arena_reset(srum->arena);
}

/* --- rows --- */

static struct event event_of(struct srum *srum, enum kind kind, struct instant when)
{
    return (struct event){
        .kind = kind,
        .artifact = srum->job->artifact->name,
        .sources = srum->job->artifact->sources,
        .when = when,
        .basis = instant_known(when) ? BASIS_UTC : BASIS_UNKNOWN,
        .file = srum->job->file,
        .raw = buffer_slice(&srum->text),
        .values = srum->values,
        .value_count = srum->value_count,
    };
}

static enum kind kind_of(const char *table)
{
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (strcmp(table, kinds[i].table) == 0)
            return kinds[i].kind;
    return KIND_COUNT;
}

static int take_usage(struct srum *srum, const struct helper_reader *row, enum kind kind)
{
    struct tally *tally = srum->job->tally;
    const struct instant when = helper_time(helper_value(row, "TimeStamp"));
    const struct helper_value *id = helper_value(row, "AutoIncId");
    const bool damaged = row->marks & HELPER_DAMAGED || !instant_known(when);

    tally->records++;
    tally->repaired += damaged;
    tally->used += !damaged;
    srum->undated += !instant_known(when);
    if (kind != srum->table) /* the next table begins again at its start */
        tally->previous = INSTANT_NONE;
    srum->table = kind;
    tally_time(tally, when);
    if (kind == KIND_srum_network)
        add_total(srum, row, when);
    start_values(srum);
    add_identity(srum, (int64_t)helper_value(row, "AppId")->whole,
                 (int64_t)helper_value(row, "UserId")->whole);
    for (size_t i = 0; i < row->column_count; i++)
        add_column(srum, row->columns[i], &row->values[i]);
    if (buffer_failed(&srum->text))
        return error_set("out of memory");
    struct event event = event_of(srum, kind, when);
    event.number = id->form == HELPER_WHOLE ? id->whole : row->number;
    event.offset = row->offset < srum->job->size ? row->offset : 0;
    event.marks = damaged ? EVENT_REPAIRED : 0;
    if (job_next_candidate(srum->job, event.raw, 0) != SIZE_MAX)
        job_emit(srum->job, &event);
    return 0;
}

static int take_row(void *context, const struct helper_reader *row)
{
    struct srum *srum = context;
    const enum kind kind = kind_of(row->table);

    if (strcmp(row->table, ID_MAP) == 0) {
        if (srum->sorted)
            return error_set("the helper sent names behind what they name");
        return take_name(srum, row);
    }
    return kind == KIND_COUNT ? error_set("the helper sent a table that was not asked for")
                              : take_usage(srum, row, kind);
}

static const struct log_source no_sources[] = {{NULL, NULL, NULL}};

/* The programs that sent most: facts, for each row alone says little. They are sums of records that
 * were counted. */
static void tell_totals(struct srum *srum)
{
    size_t count = 0;

    for (size_t i = 0; i < TOTALS; i++)
        if (srum->totals[i].used)
            srum->totals[count++] = srum->totals[i];
    qsort(srum->totals, count, sizeof *srum->totals, by_sent);
    for (size_t i = 0; i < count && i < TOTALS_TOLD; i++) {
        const struct total *total = &srum->totals[i];
        start_values(srum);
        add_identity(srum, total->app, total->user);
        add_number(srum, "BytesSent", (int64_t)total->sent);
        add_number(srum, "BytesReceived", (int64_t)total->received);
        add_number(srum, "Intervals", (int64_t)total->rows);
        add_time(srum, "FirstSeen", total->first);
        struct event event = event_of(srum, KIND_srum_total, total->last);
        event.sources = no_sources; /* rules see the rows */
        event.marks = EVENT_FACT;
        job_emit(srum->job, &event);
    }
}

/* --- the file --- */

static void tell_state(struct job *job)
{
    uint8_t head[HEAD_SIZE];
    struct ese_header header;
    const ssize_t got = job_read(job, 0, head, sizeof head);

    if (!ese_header_read(slice_of(head, got > 0 ? (size_t)got : 0), &header))
        job_notice(job, 0, "the header of the database is damaged");
    else if (ese_state_notice(header.state))
        job_notice(job, 0, ese_state_notice(header.state));
}

static int read_tables(struct srum *srum)
{
    struct job *job = srum->job;
    uint64_t rows = 0;

    tell_state(job);
    if (helper_table_read(job, "ese", tables, take_row, srum, &rows) < 0) {
        if (rows == 0)
            return -1;
        job_notice_format(job, 0, "the rest of the database is missing: %.250s", error_text());
    }
    tell_totals(srum);
    if (srum->names_cut)
        job_notice(job, 0, "there are more names of programs than can be kept");
    if (srum->undated) {
        job_notice_format(job, 0, "%" PRIu64 " rows have no time that can be", srum->undated);
    }
    return 0;
}

static int parse(struct job *job)
{
    struct srum *srum = calloc(1, sizeof *srum);
    int result = -1;

    if (!srum)
        return error_set("out of memory");
    srum->job = job;
    srum->arena = arena_new(HELPER_VALUE_MOST * 4);
    srum->totals = calloc(TOTALS, sizeof *srum->totals);
    if (!srum->arena || !srum->totals)
        error_set("out of memory");
    else
        result = job->size == 0 ? 0 : read_tables(srum);
    arena_free(srum->arena);
    buffer_release(&srum->text);
    free(srum->totals);
    free(srum->names);
    free(srum);
    return result;
}

static bool recognise(struct slice head, const char *name)
{
    struct ese_header header;

    return slice_is_nocase(slice_of_text(name), "SRUDB.dat") && ese_header_read(head, &header);
}

static const char *const paths[] = {"**/sru/SRUDB.dat", NULL};
static const struct log_source sources[] = {{NULL, "windows", "srum"}, {NULL, NULL, NULL}};

const struct artifact artifact_srum = {
    .name = "srum",
    .title = "System Resource Usage Monitor",
    .paths = paths,
    .sources = sources,
    .recognise = recognise,
    .helper = "ese",
    .parse = parse,
};
