/*
 * Jobs of the Background Intelligent Transfer Service: qmgr0.dat and qmgr1.dat until Windows Server
 * 2016, qmgr.db (ESE) since, which the program "ese" reads with libesedb. One event for each file
 * of a job. Besides, the bytes of the file are searched for jobs and files that are not in the
 * queue any more: BITS forgets a job when it is done, its bytes stay a while. Formats:
 * formats/bits_queue.h.
 */
#include "artifacts/entry.h"
#include "artifacts/helper_table.h"
#include "triage/base/guid.h"
#include "triage/formats/bits_queue.h"
#include "triage/formats/ese_header.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    CONTENT_MOST = 256 << 20,
    PARTS_MOST = 100000, /* jobs and files of one file */
    PART_SIZE = 1 << 20, /* bytes looked at behind the GUID of one */
    TABLE_MEMORY = 48 << 20,
    PROBLEMS_TOLD = 20,
    FILE_KEY_AT = 38, /* of a carved file: its key lies so many bytes in front */
};

/* Something with the key of its row, be it a job or a file. */
struct part {
    uint8_t id[BITS_GUID_SIZE];
    struct slice blob; /* behind the GUID it begins with */
    uint64_t offset, number;
    bool live, told; /* read as a row; an event told of it */
};

struct parts {
    struct part *list;
    size_t count, room;
};

struct bits {
    struct job *job;
    uint8_t *content; /* of the file, as much as was read */
    size_t size;
    struct arena *rows;  /* what the helper sent */
    struct arena *arena; /* of the job at hand */
    struct parts jobs, files;
    size_t live_end; /* qmgr0.dat: where the queue in force ends */
    bool by_rows;    /* the tables were read: what else is found is no longer in force */
    uint64_t recovered, problems, live_jobs;
    uint64_t blind, left_out; /* rows without their bytes; rows for which there was no room */
};

/* --- parts --- */

static int add_part(struct parts *parts, const struct part *part)
{
    if (parts->count == PARTS_MOST)
        return error_set("there are more than %d jobs", PARTS_MOST);
    if (parts->count == parts->room) {
        const size_t room = parts->room ? parts->room * 2 : 64;
        struct part *list = realloc(parts->list, room * sizeof *list);
        if (!list)
            return error_set("out of memory");
        parts->list = list;
        parts->room = room;
    }
    parts->list[parts->count++] = *part;
    return 0;
}

/* Live ones first, then by their place. */
static int by_id(const void *a, const void *b)
{
    const struct part *x = a, *y = b;
    const int order = memcmp(x->id, y->id, BITS_GUID_SIZE);

    if (order)
        return order;
    if (x->live != y->live)
        return x->live ? -1 : 1;
    return x->offset < y->offset ? -1 : x->offset > y->offset;
}

static int by_place(const void *a, const void *b)
{
    const struct part *x = a, *y = b;

    if (x->live != y->live)
        return x->live ? -1 : 1;
    if (x->number != y->number)
        return x->number < y->number ? -1 : 1;
    return x->offset < y->offset ? -1 : x->offset > y->offset;
}

static void sort(struct parts *parts, int (*order)(const void *, const void *))
{
    if (parts->count)
        qsort(parts->list, parts->count, sizeof *parts->list, order);
}

static struct part *find_part(struct parts *parts, const uint8_t id[BITS_GUID_SIZE])
{
    size_t low = 0, high = parts->count;

    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (memcmp(parts->list[middle].id, id, BITS_GUID_SIZE) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low < parts->count && memcmp(parts->list[low].id, id, BITS_GUID_SIZE) == 0
               ? &parts->list[low]
               : NULL;
}

static bool same_start(struct slice a, struct slice b)
{
    enum { COMPARED = 512 };

    return slice_equal(slice_part(a, 0, COMPARED), slice_part(b, 0, COMPARED));
}

/* A carved part that is also a row gives the row its place, and its bytes where the row's own could
 * not be read. It is not told again, nor is a copy of another one: databases keep
 * pages twice. By id sorted. */
static void join_places(struct parts *parts)
{
    struct part *first = NULL;

    for (size_t i = 0; i < parts->count; i++) {
        struct part *part = &parts->list[i];
        if (!first || part->live || memcmp(first->id, part->id, BITS_GUID_SIZE) != 0) {
            first = part;
            continue;
        }
        if (first->live && !first->offset)
            first->offset = part->offset;
        if (first->live && !first->blob.size)
            first->blob = part->blob;
        part->told = first->live || same_start(first->blob, part->blob);
    }
}

/* --- events --- */

static void add_size(struct entry *entry, struct arena *arena, const char *name, uint64_t bytes)
{
    if (bytes != BITS_SIZE_UNKNOWN)
        entry_add(entry, name, arena_format(arena, "%" PRIu64, bytes));
}

static void add_instant(struct entry *entry, struct arena *arena, const char *name,
                        struct instant when)
{
    char text[INSTANT_TEXT_SIZE];

    if (instant_known(when))
        entry_add(entry, name, arena_text(arena, slice_of_text(instant_format(when, text))));
}

/* A second name, that of the event log of BITS. */
static void add_alias(struct entry *entry, const char *name, const char *text)
{
    const size_t before = entry->event.value_count;

    entry_add(entry, name, text);
    if (entry->event.value_count > before)
        entry->values[before].alias = true;
}

static void add_job(struct entry *entry, struct arena *arena, const struct bits_job *job)
{
    char id[GUID_TEXT_SIZE];

    guid_braced(slice_of(job->id, sizeof job->id), id);
    entry_add(entry, "jobTitle", job->name);
    entry_add(entry, "jobId", arena_text(arena, slice_of_text(id)));
    entry_add(entry, "jobOwner", job->owner);
    entry_add(entry, "Description", job->description);
    entry_add(entry, "JobType", bits_type_name(job->type));
    entry_add(entry, "JobState", bits_state_name(job->state));
    entry_add(entry, "Priority", bits_priority_name(job->priority));
    entry_add(entry, "Command", job->command);
    entry_add(entry, "Arguments", job->arguments);
    if (*job->command || *job->arguments)
        entry_add(entry, "CommandLine",
                  arena_format(arena, "%s%s%s", job->command,
                               *job->command && *job->arguments ? " " : "", job->arguments));
    add_instant(entry, arena, "Created", job->created);
    add_instant(entry, arena, "Modified", job->modified);
    add_instant(entry, arena, "Completed", job->completed);
}

static void add_file(struct entry *entry, struct arena *arena, const struct bits_file *file)
{
    entry_add(entry, "RemoteName", file->remote);
    entry_add(entry, "LocalName", file->local);
    entry_add(entry, "TemporaryName", file->temporary);
    add_size(entry, arena, "BytesTotal", file->size);
    add_size(entry, arena, "BytesTransferred", file->transferred);
    add_alias(entry, "url", file->remote);
}

/* An event of a job's file; either may be missing. */
static void tell(struct bits *bits, const struct part *part, const struct bits_job *job,
                 const struct bits_file *file, unsigned marks)
{
    struct entry entry;

    entry_begin(&entry, bits->job, KIND_bits_job);
    entry.event.marks |= marks;
    entry.event.offset = part->offset;
    if (part->live)
        entry.event.number = part->number;
    entry_time(&entry, job && instant_known(job->created) ? job->created
                       : file                             ? file->created
                                                          : INSTANT_NONE);
    if (job)
        add_job(&entry, bits->arena, job);
    if (file)
        add_file(&entry, bits->arena, file);
    entry.event.raw = slice_part(part->blob, 0, 64 * 1024);
    bits->recovered += (marks & EVENT_RECOVERED) != 0;
    bits->job->tally->previous = INSTANT_NONE; /* jobs are in no order of time */
    entry_emit(&entry);
}

static void tell_problem(struct bits *bits, const struct part *part, const char *problem)
{
    if (bits->problems++ < PROBLEMS_TOLD) {
        job_notice_format(bits->job, part->offset, "a job or file of BITS: %s", problem);
    }
}

static void reject(struct bits *bits, const struct part *part, const char *why)
{
    struct entry entry;

    tell_problem(bits, part, why);
    entry_begin(&entry, bits->job, KIND_bits_job);
    entry.event.marks |= EVENT_REJECTED;
    entry.event.offset = part->offset;
    entry.event.raw = slice_part(part->blob, 0, 4096);
    entry_emit(&entry);
}

/* The files that a job of qmgr.db names by their keys. Gives how many there were. */
static size_t tell_named_files(struct bits *bits, const struct part *part,
                               const struct bits_job *job, unsigned marks)
{
    size_t told = 0;

    for (size_t at = 0; at + BITS_GUID_SIZE <= job->file_ids.size; at += BITS_GUID_SIZE) {
        struct part *named = find_part(&bits->files, job->file_ids.data + at);
        struct bits_file file;
        if (!named || named->told || bits_file_read(named->blob, bits->arena, &file) < 0)
            continue;
        named->told = true;
        tell(bits, part, job, &file, marks);
        told++;
    }
    return told;
}

static unsigned marks_of(const struct bits *bits, const struct part *part)
{
    if (part->live)
        return 0;
    if (bits->blind) /* it may be one of those */
        return EVENT_REPAIRED;
    return bits->by_rows || part->offset > bits->live_end ? EVENT_RECOVERED : 0;
}

static void tell_job(struct bits *bits, struct part *part)
{
    unsigned marks = marks_of(bits, part);
    struct bits_job job;

    part->told = true;
    arena_reset(bits->arena);
    if (bits_job_read(part->blob, bits->arena, &job) < 0) {
        reject(bits, part, error_text());
        return;
    }
    if (job.problem) {
        tell_problem(bits, part, job.problem);
        marks |= EVENT_REPAIRED;
    }
    bits->live_jobs += !(marks & EVENT_RECOVERED);
    for (size_t i = 0; i < job.file_count; i++)
        tell(bits, part, &job, &job.files[i], marks);
    if (job.file_count + tell_named_files(bits, part, &job, marks) == 0)
        tell(bits, part, &job, NULL, marks);
}

/* Files that no job names: their job is gone. */
static void tell_file(struct bits *bits, struct part *part)
{
    struct bits_file file;

    arena_reset(bits->arena);
    if (bits_file_read(part->blob, bits->arena, &file) < 0)
        reject(bits, part, error_text());
    else
        tell(bits, part, NULL, &file, marks_of(bits, part));
}

static void tell_all(struct bits *bits)
{
    sort(&bits->files, by_id);
    sort(&bits->jobs, by_id);
    join_places(&bits->files);
    join_places(&bits->jobs);
    sort(&bits->jobs, by_place);
    for (size_t i = 0; i < bits->jobs.count; i++)
        if (!bits->jobs.list[i].told && bits->jobs.list[i].blob.size)
            tell_job(bits, &bits->jobs.list[i]);
    sort(&bits->files, by_place);
    for (size_t i = 0; i < bits->files.count; i++)
        if (!bits->files.list[i].told && bits->files.list[i].blob.size)
            tell_file(bits, &bits->files.list[i]);
}

/* --- search --- */

/* Whether a job begins here: the GUID stands behind a job as well, with anything behind it. */
static bool begins_job(struct slice blob)
{
    static const uint8_t none[BITS_GUID_SIZE];
    struct cursor c = cursor_over(blob, 0);
    const uint32_t type = cursor_u32le(&c), priority = cursor_u32le(&c), state = cursor_u32le(&c);

    cursor_skip(&c, 4);
    const struct slice id = cursor_take(&c, BITS_GUID_SIZE);
    return !cursor_failed(&c) && type <= 2 && priority <= 3 && state <= 8 &&
           memcmp(id.data, none, sizeof none) != 0;
}

static int carve_job(struct bits *bits, struct part *part)
{
    enum { ID_AT = 16 };
    const struct slice id = slice_part(part->blob, ID_AT, BITS_GUID_SIZE);

    if (!begins_job(part->blob))
        return 0;
    memcpy(part->id, id.data, BITS_GUID_SIZE);
    return add_part(&bits->jobs, part);
}

static int carve_file(struct bits *bits, struct part *part, size_t start)
{
    if (start >= FILE_KEY_AT)
        memcpy(part->id, bits->content + start - FILE_KEY_AT, BITS_GUID_SIZE);
    return add_part(&bits->files, part);
}

/* Every job and file of BITS that begins somewhere in the bytes, up to where the next one does. */
static int carve(struct bits *bits)
{
    const struct slice all = slice_of(bits->content, bits->size);
    size_t start, next = 0;
    enum bits_part kind = bits_find(all, 0, &start);

    while (kind != BITS_NONE) {
        const enum bits_part following = bits_find(all, start, &next);
        const size_t end = following == BITS_NONE ? all.size : next - BITS_GUID_SIZE;
        const size_t size = end - start;
        struct part part = {
            .blob = slice_part(all, start, size < PART_SIZE ? size : PART_SIZE),
            .offset = start - BITS_GUID_SIZE,
        };
        const struct parts *into = kind == BITS_JOB ? &bits->jobs : &bits->files;
        if (into->count == PARTS_MOST) { /* what was found so far is told all the same */
            job_notice(bits->job, part.offset,
                       "there are more than 100000 jobs or files: what begins behind here is not "
                       "read");
            return 0;
        }
        if ((kind == BITS_JOB ? carve_job(bits, &part) : carve_file(bits, &part, start)) < 0)
            return -1;
        kind = following;
        start = next;
    }
    return 0;
}

/* --- qmgr.db --- */

/* The value is kept, its first GUID says what it is. */
static int take_row(void *context, const struct helper_reader *row)
{
    struct bits *bits = context;
    const bool is_job = strcmp(row->table, "Jobs") == 0;
    const struct slice id = helper_value(row, "Id")->bytes;
    const struct slice blob = arena_copy(bits->rows, helper_value(row, "Blob")->bytes);
    struct part part = {.blob = slice_from(blob, BITS_GUID_SIZE),
                        .offset = row->offset < bits->job->size ? row->offset : 0,
                        .number = row->number,
                        .live = true};

    /* Not an error: the helper would be left in the middle of its answer. */
    if ((is_job ? &bits->jobs : &bits->files)->count == PARTS_MOST ||
        (helper_value(row, "Blob")->bytes.size && !blob.size)) {
        bits->left_out++;
        return 0;
    }
    bits->blind += !blob.size;
    if (id.size >= BITS_GUID_SIZE)
        memcpy(part.id, id.data, BITS_GUID_SIZE);
    if (is_job && part.blob.size >= 32) /* the key of its own, which a carved job has too */
        memcpy(part.id, part.blob.data + 16, BITS_GUID_SIZE);
    return add_part(is_job ? &bits->jobs : &bits->files, &part);
}

static int read_database(struct bits *bits, const struct ese_header *header)
{
    static const char *const tables[] = {"Files", "Jobs", NULL};

    if (ese_state_notice(header->state))
        job_notice(bits->job, 0, ese_state_notice(header->state));
    bits->by_rows = helper_table_read(bits->job, "ese", tables, take_row, bits, NULL) == 0;
    if (!bits->by_rows) {
        job_notice_format(
            bits->job, 0,
            "its tables could not be read (%.200s): jobs are told as they are found in its "
            "bytes, in force or not",
            error_text());
    }
    if (bits->left_out) {
        job_notice_format(bits->job, 0,
                          "%" PRIu64
                          " rows of its tables found no room: they are told as they are found in "
                          "its bytes",
                          bits->left_out);
    }
    if (bits->blind) {
        job_notice_format(bits->job, 0,
                          "%" PRIu64
                          " rows of its tables have no readable value: what is found in its bytes "
                          "may be in force or not",
                          bits->blind);
    }
    bits->live_end = SIZE_MAX;
    return carve(bits);
}

/* --- the file --- */

static int read_queue(struct bits *bits)
{
    uint32_t jobs = 0;

    if (!bits_queue_header(slice_of(bits->content, bits->size), &jobs, &bits->live_end)) {
        job_notice(bits->job, 0, "the header of the queue is missing or damaged");
        bits->live_end = bits->size;
        jobs = UINT32_MAX;
    }
    if (carve(bits) < 0)
        return -1;
    tell_all(bits);
    if (jobs != UINT32_MAX && jobs != bits->live_jobs) {
        job_notice_format(bits->job, 0, "the queue says that it has %u jobs, %" PRIu64 " are there",
                          jobs, bits->live_jobs);
    }
    return 0;
}

static int read_content(struct bits *bits)
{
    struct job *job = bits->job;
    const size_t size = job->size < CONTENT_MOST ? (size_t)job->size : CONTENT_MOST;

    if (size < job->size)
        job_notice(job, size,
                   "the file is too large: what is behind its first 256 MiB is not read");
    bits->content = malloc(size + 1);
    if (!bits->content)
        return error_set("out of memory");
    while (bits->size < size) {
        const ssize_t got =
            job_read(job, bits->size, bits->content + bits->size, size - bits->size);
        if (got < 0 && bits->size == 0)
            return -1;
        if (got < 0)
            job_notice(job, bits->size, error_text());
        if (got <= 0)
            break;
        bits->size += (size_t)got;
    }
    return 0;
}

static int read_file(struct bits *bits)
{
    struct ese_header header;

    if (read_content(bits) < 0)
        return -1;
    if (!ese_header_read(slice_of(bits->content, bits->size), &header)) {
        if (read_queue(bits) < 0)
            return -1;
    } else {
        if (read_database(bits, &header) < 0)
            return -1;
        tell_all(bits);
    }
    if (bits->recovered) {
        job_notice_format(bits->job, 0,
                          "%" PRIu64 " events of jobs that are no longer in the queue",
                          bits->recovered);
    }
    if (bits->problems > PROBLEMS_TOLD)
        job_notice(bits->job, 0, "further damaged jobs are only counted");
    return 0;
}

static int parse(struct job *job)
{
    struct bits bits = {
        .job = job, .rows = arena_new(TABLE_MEMORY), .arena = arena_new(TABLE_MEMORY)};
    int result = -1;

    if (!bits.rows || !bits.arena)
        error_set("out of memory");
    else
        result = job->size == 0 ? 0 : read_file(&bits);
    arena_free(bits.rows);
    arena_free(bits.arena);
    free(bits.jobs.list);
    free(bits.files.list);
    free(bits.content);
    return result;
}

static bool recognise(struct slice head, const char *name)
{
    struct ese_header header;

    return bits_queue_header(head, NULL, NULL) ||
           (slice_is_nocase(slice_of_text(name), "qmgr.db") && ese_header_read(head, &header));
}

static const char *const paths[] = {"**/Network/Downloader/qmgr.db",
                                    "**/Network/Downloader/qmgr0.dat",
                                    "**/Network/Downloader/qmgr1.dat", NULL};
static const struct log_source sources[] = {
    {NULL, "windows", "bits-jobs"}, {NULL, "windows", "bits-client"}, {NULL, NULL, NULL}};

const struct artifact artifact_bits_jobs = {
    .name = "bits_jobs",
    .title = "Jobs of the Background Intelligent Transfer Service",
    .paths = paths,
    .sources = sources,
    .recognise = recognise,
    .helper = "ese",
    .parse = parse,
};
