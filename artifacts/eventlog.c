/*
 * Windows event logs (*.evtx). Every chunk is read on its own, so that damage costs no more than
 * itself. Records in space that its chunk or the file calls unused are recovered and marked; what
 * cannot be decoded is searched as text.
 */
#include "artifacts/eventlog_event.h"
#include "triage/base/error.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    WINDOW_CHUNKS = 16, /* read at a time */
    CHUNKS_TOLD = 20,   /* damaged chunks that get a notice of their own */
    RECORD_HEAD = 24,
    RUN_LEAST = 4, /* readable characters that make a text */
};

/* Record ids of a chunk, for telling gaps. */
struct id_range {
    uint64_t first, last;
};

struct evtx_job {
    struct job *job;
    struct evtx_decoder *decoder;
    struct eventlog *log;
    struct evtx_file_header header;
    uint8_t *window;
    /* The chunk at hand */
    struct slice chunk;
    uint64_t place; /* of the chunk in the file */
    bool unused;    /* the file's header does not count it */
    struct evtx_span span;
    struct id_range range;
    /* The file so far */
    struct id_range *ranges;
    size_t range_count, range_room;
    struct buffer loose; /* text of a record that could not be decoded */
    uint64_t chunks, chunks_damaged, chunks_beyond, recovered, undecided, gaps, missing;
};

/* --- records --- */

static struct slice render_xml(void *context)
{
    struct evtx_job *evtx = context;

    return evtx_xml(evtx->decoder, &evtx->span);
}

static struct slice record_bytes(const struct evtx_job *evtx)
{
    return slice_part(evtx->chunk, evtx->span.offset, evtx->span.size);
}

static bool is_readable(const uint8_t *unit)
{
    return unit[1] == 0 && unit[0] >= 0x20 && unit[0] < 0x7F;
}

/* Where the next run of at least RUN_LEAST readable units begins, whichever byte that is; the end
 * when there is none. Most places are passed with one look at the upper halves of four units. */
static size_t find_run(struct slice bytes, size_t at)
{
    /* No run begins with a NUL, and slack is full of them. */
    for (uint64_t units; at + sizeof units <= bytes.size; at += units ? 1 : sizeof units) {
        memcpy(&units, bytes.data + at, sizeof units);
        if (units == 0 || le64toh(units) & UINT64_C(0xFF80FF80FF80FF80))
            continue;
        size_t readable = 0;
        while (readable < RUN_LEAST && is_readable(bytes.data + at + 2 * readable))
            readable++;
        if (readable == RUN_LEAST)
            return at;
    }
    return bytes.size;
}

/* Readable runs of UTF-16, a line each. */
static void add_loose_text(struct buffer *out, struct slice bytes)
{
    uint8_t *text = buffer_reserve(out, bytes.size + 1);
    size_t used = 0;

    if (!text)
        return;
    for (size_t at = find_run(bytes, 0); at < bytes.size; at = find_run(bytes, at)) {
        for (; at + 2 <= bytes.size && is_readable(bytes.data + at); at += 2)
            text[used++] = bytes.data[at];
        text[used++] = '\n';
    }
    out->size += used;
}

/* A record that cannot be decoded is searched as text, by the rules of all event logs. */
static void emit_loose(struct evtx_job *evtx, unsigned marks)
{
    buffer_clear(&evtx->loose);
    add_loose_text(&evtx->loose, slice_from(record_bytes(evtx), RECORD_HEAD));
    const struct event event = {
        .kind = KIND_evt_other,
        .artifact = evtx->job->artifact->name,
        .sources = source_map_any,
        .when = evtx->span.written,
        .basis = BASIS_UTC,
        .file = evtx->job->file,
        .offset = evtx->place + evtx->span.offset,
        .number = evtx->span.id,
        .raw = buffer_slice(&evtx->loose),
        .record = record_bytes(evtx),
        .marks = EVENT_REJECTED | marks,
    };
    if (event.raw.size && job_next_candidate(evtx->job, event.raw, 0) != SIZE_MAX)
        job_emit(evtx->job, &event);
}

static void count_id(struct evtx_job *evtx)
{
    const uint64_t id = evtx->span.id;
    struct id_range *range = &evtx->range;

    if (range->first == 0) {
        range->first = id;
    } else if (id > range->last + 1) {
        evtx->gaps++;
        evtx->missing += id - range->last - 1;
    }
    if (id > range->last)
        range->last = id;
}

static void emit_record(struct evtx_job *evtx, const struct evtx_record *decoded, unsigned marks)
{
    const struct eventlog_record record = {
        .values = decoded->values,
        .value_count = decoded->value_count,
        .text = decoded->text,
        .written = evtx->span.written,
        .offset = evtx->place + evtx->span.offset,
        .number = evtx->span.id,
        .marks = marks,
        .record = record_bytes(evtx),
        .render = render_xml,
        .render_context = evtx,
    };

    if (!(marks & EVENT_RECOVERED))
        tally_time(evtx->job->tally, eventlog_time(&record));
    eventlog_take(evtx->log, &record);
}

/* A record that is not where the log's records are; those that cannot be decoded are searched, not
 * counted. */
static void take_unused(struct evtx_job *evtx, const struct evtx_record *decoded)
{
    struct tally *tally = evtx->job->tally;

    if (decoded->problem) {
        evtx->undecided++;
        emit_loose(evtx, EVENT_RECOVERED);
        return;
    }
    evtx->recovered++;
    tally->records++;
    tally->repaired++;
    emit_record(evtx, decoded, EVENT_RECOVERED);
}

static void take_live(struct evtx_job *evtx, const struct evtx_record *decoded)
{
    struct tally *tally = evtx->job->tally;
    const bool found = evtx->span.state == EVTX_FOUND;

    tally->records++;
    count_id(evtx);
    if (decoded->problem)
        job_notice_format(evtx->job, evtx->place + evtx->span.offset, "record %" PRIu64 ": %s",
                          evtx->span.id, decoded->problem);
    if (decoded->problem && decoded->value_count == 0) {
        tally->rejected++;
        emit_loose(evtx, 0);
        return;
    }
    tally->repaired += found || decoded->problem;
    tally->used += !found && !decoded->problem;
    emit_record(evtx, decoded, found || decoded->problem ? EVENT_REPAIRED : 0);
    if (decoded->problem)
        emit_loose(evtx, 0);
}

static void take_broken(struct evtx_job *evtx)
{
    evtx->job->tally->records++;
    evtx->job->tally->rejected++;
    job_notice_format(evtx->job, evtx->place + evtx->span.offset,
                      "a record is damaged: its size is wrong");
    evtx->span.written = INSTANT_NONE;
    emit_loose(evtx, 0);
}

static void take_record(struct evtx_job *evtx)
{
    struct evtx_record decoded;

    if (evtx->span.state == EVTX_BROKEN) {
        take_broken(evtx);
        return;
    }
    evtx_decode(evtx->decoder, &evtx->span, &decoded);
    if (evtx->unused || evtx->span.state == EVTX_SLACK)
        take_unused(evtx, &decoded);
    else
        take_live(evtx, &decoded);
}

/* --- chunks --- */

static void tell_chunk(struct evtx_job *evtx, const char *why)
{
    evtx->chunks_damaged++;
    if (evtx->chunks_damaged <= CHUNKS_TOLD)
        job_notice_format(evtx->job, evtx->place, "chunk %" PRIu64 ": %s", evtx->chunks, why);
    if (evtx->chunks_damaged == CHUNKS_TOLD + 1)
        job_notice(evtx->job, evtx->place, "further damaged chunks are only counted");
}

static void tell_header(struct evtx_job *evtx, const struct evtx_chunk_header *header)
{
    if (!header->magic)
        tell_chunk(evtx, "no header, its records are searched for");
    else if (!header->header_ok)
        tell_chunk(evtx, "the checksum of its header is wrong");
    else if (!header->records_ok && !(evtx->header.flags & EVTX_DIRTY))
        tell_chunk(evtx, "the checksum of its records is wrong");
    if (evtx->chunk.size < EVTX_CHUNK_SIZE)
        tell_chunk(evtx, "it is cut short");
}

static int keep_range(struct evtx_job *evtx)
{
    if (evtx->range.first == 0)
        return 0;
    if (evtx->range_count == evtx->range_room) {
        const size_t room = evtx->range_room ? evtx->range_room * 2 : 256;
        struct id_range *ranges = realloc(evtx->ranges, room * sizeof *ranges);
        if (!ranges)
            return error_set("out of memory");
        evtx->ranges = ranges;
        evtx->range_room = room;
    }
    evtx->ranges[evtx->range_count++] = evtx->range;
    return 0;
}

/* A log that is full begins again at its start: that is no jump of the clock. */
static void start_time(struct evtx_job *evtx, const struct evtx_chunk_header *header)
{
    if (evtx->range_count && header->first_record < evtx->ranges[evtx->range_count - 1].last)
        evtx->job->tally->previous = INSTANT_NONE;
}

static int take_chunk(struct evtx_job *evtx, struct slice chunk)
{
    const struct evtx_chunk_header header = evtx_chunk_header_read(chunk);

    evtx->chunk = chunk;
    evtx->range = (struct id_range){0, 0};
    evtx->unused = evtx->chunks >= evtx->header.chunk_count && evtx->header.magic &&
                   !(evtx->header.flags & EVTX_DIRTY);
    if (!header.magic && slice_is_zero(chunk)) {
        if (!evtx->unused && evtx->header.magic && evtx->chunks < evtx->header.chunk_count)
            tell_chunk(evtx, "nothing but zeros");
        return 0;
    }
    evtx->chunks_beyond += evtx->header.magic && evtx->chunks >= evtx->header.chunk_count;
    if (!evtx->unused)
        tell_header(evtx, &header);
    start_time(evtx, &header);
    struct evtx_walk walk = evtx_walk_over(chunk, &header);
    evtx_decoder_chunk(evtx->decoder, chunk);
    while (evtx_walk_next(&walk, &evtx->span))
        take_record(evtx);
    if (walk.lost && !evtx->unused)
        job_notice_format(evtx->job, evtx->place,
                          "chunk %" PRIu64 ": %zu bytes belong to no record", evtx->chunks,
                          walk.lost);
    return keep_range(evtx);
}

/* Reads up to `size` bytes; what cannot be read of the evidence is zeros, with a notice. */
static size_t read_window(struct evtx_job *evtx, uint64_t at, size_t size)
{
    const ssize_t got = job_read(evtx->job, at, evtx->window, size);
    size_t done = 0;

    if (got >= 0)
        return (size_t)got;
    for (; done < size; done += EVTX_CHUNK_SIZE) {
        const ssize_t part = job_read(evtx->job, at + done, evtx->window + done, EVTX_CHUNK_SIZE);
        if (part >= 0 && part < EVTX_CHUNK_SIZE)
            return done + (size_t)part;
        if (part < 0) {
            job_notice_format(evtx->job, at + done, "a chunk cannot be read: %s", error_text());
            memset(evtx->window + done, 0, EVTX_CHUNK_SIZE);
        }
    }
    return done;
}

static int take_chunks(struct evtx_job *evtx, uint64_t start)
{
    const size_t room = WINDOW_CHUNKS * (size_t)EVTX_CHUNK_SIZE;

    for (uint64_t at = start; at < evtx->job->size;) {
        const uint64_t left = evtx->job->size - at;
        const size_t got = read_window(evtx, at, left < room ? (size_t)left : room);
        for (size_t part = 0; part < got; part += EVTX_CHUNK_SIZE, evtx->chunks++) {
            evtx->place = at + part;
            if (take_chunk(evtx, slice_part(slice_of(evtx->window, got), part, EVTX_CHUNK_SIZE)) <
                0)
                return -1;
        }
        if (got < room)
            break;
        at += got;
    }
    return 0;
}

/* --- the file --- */

static int by_first(const void *a, const void *b)
{
    const struct id_range *x = a, *y = b;

    return x->first < y->first ? -1 : x->first > y->first;
}

static void count_gaps(struct evtx_job *evtx)
{
    uint64_t last = 0;

    if (evtx->range_count)
        qsort(evtx->ranges, evtx->range_count, sizeof *evtx->ranges, by_first);
    for (size_t i = 0; i < evtx->range_count; i++) {
        const struct id_range *range = &evtx->ranges[i];
        if (i && range->first > last + 1) {
            evtx->gaps++;
            evtx->missing += range->first - last - 1;
        }
        last = range->last > last ? range->last : last;
    }
}

static void tell_file(struct evtx_job *evtx)
{
    struct tally *tally = evtx->job->tally;

    count_gaps(evtx);
    tally->continuous = true;
    tally->gaps = evtx->gaps;
    tally->missing = evtx->missing;
    if (evtx->gaps)
        job_notice_format(evtx->job, 0,
                          "record ids have %" PRIu64 " gaps, %" PRIu64
                          " ids are missing: records were removed, or the log is a selection",
                          evtx->gaps, evtx->missing);
    if (tally->backward)
        job_notice_format(evtx->job, 0,
                          "%" PRIu64
                          " records are earlier than the one in front: the clock was set",
                          tally->backward);
    if (evtx->recovered || evtx->undecided)
        job_notice_format(evtx->job, 0,
                          "unused space: %" PRIu64 " records recovered, %" PRIu64
                          " more could only be searched as text",
                          evtx->recovered, evtx->undecided);
    if (evtx->chunks_beyond)
        job_notice_format(evtx->job, 0, "%" PRIu64 " chunks are not counted by the file's header",
                          evtx->chunks_beyond);
    if (evtx->chunks_damaged > CHUNKS_TOLD)
        job_notice_format(evtx->job, 0, "%" PRIu64 " chunks are damaged", evtx->chunks_damaged);
}

/* Where the first chunk is: behind the header, or at the start when there is no header. */
static uint64_t open_header(struct evtx_job *evtx, struct slice head)
{
    evtx->header = evtx_file_header_read(head);
    if (!evtx->header.magic && slice_starts(head, "ElfChnk")) {
        job_notice(evtx->job, 0, "the file's header is missing: it begins with a chunk");
        return 0;
    }
    if (!evtx->header.magic)
        job_notice(evtx->job, 0, "the file's header is damaged");
    else if (!evtx->header.checksum_ok)
        job_notice(evtx->job, 0, "the checksum of the file's header is wrong");
    if (evtx->job->size / EVTX_CHUNK_SIZE > UINT16_MAX)
        evtx->header.chunk_count = SIZE_MAX; /* more than the header's 16 bits can count */
    if (evtx->header.flags & EVTX_DIRTY)
        job_notice(evtx->job, 0,
                   "the log was not closed properly (dirty): its header is older than its records");
    return evtx->header.header_size;
}

static int parse_chunks(struct evtx_job *evtx)
{
    const ssize_t got = job_read(evtx->job, 0, evtx->window, EVTX_FILE_HEADER_SIZE);

    if (got < 0)
        return -1;
    if (got == 0)
        return 0;
    const uint64_t start = open_header(evtx, slice_of(evtx->window, (size_t)got));
    if (take_chunks(evtx, start) < 0)
        return -1;
    if (evtx->job->tally->records == 0 && !evtx->header.magic)
        return error_set("this is no event log");
    eventlog_finish(evtx->log);
    tell_file(evtx);
    return 0;
}

/* $Recycle.Bin/SID/$IXXXXXX.evtx tells of a log that was deleted and is none: recycle_bin reads it.
 */
static bool is_recycle_index(const char *path)
{
    return slice_starts_nocase(slice_of_text(path), "$Recycle.Bin/") && strstr(path, "/$I");
}

static int parse(struct job *job)
{
    struct evtx_job evtx = {.job = job};
    int result = -1;

    if (is_recycle_index(job->file->path))
        return 0;
    evtx.window = malloc(WINDOW_CHUNKS * (size_t)EVTX_CHUNK_SIZE);
    evtx.log = eventlog_new(job);
    if (!evtx.window || !evtx.log)
        error_set("out of memory");
    else if (evtx_decoder_new(&evtx.decoder) == 0)
        result = parse_chunks(&evtx);
    evtx_decoder_free(evtx.decoder);
    eventlog_free(evtx.log);
    buffer_release(&evtx.loose);
    free(evtx.ranges);
    free(evtx.window);
    return result;
}

static bool recognise(struct slice head, const char *name)
{
    const size_t size = strlen(name);

    return slice_starts(head, "ElfFile") || slice_starts(head, "ElfChnk") ||
           (size > 5 && slice_is_nocase(slice_of_text(name + size - 5), ".evtx"));
}

static const char *const paths[] = {"**/*.evtx", NULL};

const struct artifact artifact_eventlog = {
    .name = "eventlog",
    .title = "Windows event logs",
    .paths = paths,
    .sources = source_map_any,
    .recognise = recognise,
    .parse = parse,
};
