/*
 * The master file table: each file and stream, live or deleted, with what its two sets of times say
 * about each other (mft_reasons.c). A reason in TimestompReason is no proof, so the rules ask for
 * the place and the kind of file as well.
 */
#include "artifacts/log_names.h"
#include "artifacts/mft_births.h"
#include "artifacts/mft_lines.h"
#include "triage/base/error.h"
#include "triage/evidence/mft.h"

#include <stdlib.h>
#include <string.h>

enum {
    BATCH_TEXT = 128 << 10,
    BATCH_ENTRIES = 1024,
    READ_STEP = 64 << 10,
    RECORD_SIZE_MAX = 64 << 10,
};

/* An entry that is there was created once: what Sigma calls a file event, as far as it goes. */
static const struct log_source file_sources[] = {{"file_event", "windows", "mft"},
                                                 {NULL, NULL, NULL}};
static const struct log_source stream_sources[] = {{"create_stream_hash", "windows", "mft"},
                                                   {NULL, NULL, NULL}};

/* An entry whose line waits for the prefilter. */
struct pending {
    struct mft_line line;
    uint64_t entry;
    struct instant when;
    enum kind kind; /* of an event of context; else it follows from what the line says */
    bool damaged, lost_log;
};

struct table {
    struct job *job;
    struct listing *listing;
    uint32_t record_size;
    struct births *births;
    struct scripts scripts;
    struct mft_lines lines;
    struct pending pending[BATCH_ENTRIES];
    size_t pending_count;
    uint8_t record[RECORD_SIZE_MAX];
};

/* ---- reading the table ---- */

/* What cannot be read is told and taken as unused entries. */
static ssize_t read_step(struct job *job, uint64_t offset, uint8_t *buffer, size_t size)
{
    const ssize_t got = job_read(job, offset, buffer, size);

    if (got >= 0)
        return got;
    job_notice(job, offset, error_text());
    memset(buffer, 0, size);
    return (ssize_t)size;
}

static ssize_t read_table(void *context, uint64_t offset, void *buffer, size_t size)
{
    struct job *job = context;
    const ssize_t got = job_read(job, offset, buffer, size);

    if (got >= 0)
        return got;
    for (size_t at = 0; at < size; at += READ_STEP) {
        const size_t want = size - at < READ_STEP ? size - at : READ_STEP;
        const ssize_t part = read_step(job, offset + at, (uint8_t *)buffer + at, want);
        if ((size_t)part < want)
            return (ssize_t)(at + (size_t)part);
    }
    return (ssize_t)size;
}

static void count_entries(struct table *table)
{
    struct tally *tally = table->job->tally;
    const uint64_t partial = listing_partial(table->listing);

    for (uint32_t i = 0; i < listing_count(table->listing); i++)
        tally->used += listing_look(table->listing, i) != NULL;
    tally->repaired = partial < tally->used ? partial : tally->used;
    tally->used -= tally->repaired;
    tally->rejected = listing_unreadable(table->listing) - partial;
    tally->records = tally->used + tally->repaired + tally->rejected;
}

/* ---- events ---- */

/* A fact goes to no rule: the entry itself does. */
static void emit(struct table *table, const struct pending *pending, bool fact)
{
    static const struct log_source no_source[] = {{NULL, NULL, NULL}};
    struct job *job = table->job;
    const uint64_t offset = pending->entry * table->record_size;
    struct value values[MFT_VALUES];

    mft_line_values(&table->lines, &pending->line, values);
    const ssize_t got = job_read(job, offset, table->record, table->record_size);
    const struct event event = {
        .kind = fact                   ? KIND_file_log_gone
                : job->context         ? pending->kind
                : pending->line.forged ? KIND_file_timestomp
                                       : KIND_file_entry,
        .artifact = job->artifact->name,
        .sources = fact                                                             ? no_source
                   : mft_line_text(&table->lines, &pending->line, TEXT_STREAM).size ? stream_sources
                                                                                    : file_sources,
        .when = pending->when,
        .basis = instant_known(pending->when) ? BASIS_UTC : BASIS_UNKNOWN,
        .file = job->file,
        .offset = offset,
        .number = pending->entry,
        .raw = got > 0 ? slice_of(table->record, (size_t)got)
                       : mft_line_text(&table->lines, &pending->line, TEXT_TARGET),
        .values = values,
        .value_count = MFT_VALUES,
        .marks = (pending->damaged ? EVENT_DAMAGED : 0u) | (fact ? EVENT_FACT : 0u),
    };
    job_emit(job, &event);
}

/* Has the prefilter look at the lines, tells those that it nominates, and forgets them all. */
static void flush(struct table *table)
{
    const struct slice text = buffer_slice(&table->lines.text);
    size_t at = text.size ? job_next_candidate(table->job, text, 0) : SIZE_MAX;

    for (size_t i = 0; i < table->pending_count; i++) {
        const struct pending *pending = &table->pending[i];
        const size_t end = pending->line.end[TEXT_COUNT - 1] + 1;
        if (pending->lost_log && !table->job->context)
            emit(table, pending, true);
        if (at >= end)
            continue;
        emit(table, pending, false);
        at = end < text.size ? job_next_candidate(table->job, text, end) : SIZE_MAX;
    }
    table->pending_count = 0;
    buffer_clear(&table->lines.text);
}

static int tell_at(struct table *table, const struct file *file, const struct script *script,
                   struct instant when, enum kind kind)
{
    struct pending *pending = &table->pending[table->pending_count++];

    *pending = (struct pending){
        .entry = file->address,
        .when = when,
        .kind = kind,
        .damaged = (file->flags & FILE_DAMAGED) != 0,
    };
    if (mft_lines_add(&table->lines, file, script, &pending->line) < 0)
        return -1;
    pending->lost_log = file->flags & FILE_DELETED && !file->stream &&
                        log_is_telling(mft_line_text(&table->lines, &pending->line, TEXT_TARGET));
    if (table->pending_count == BATCH_ENTRIES || table->lines.text.size >= BATCH_TEXT)
        flush(table);
    return 0;
}

static struct instant born(const struct file *file)
{
    return instant_known(file->fn.created) ? file->fn.created : file->si.created;
}

/* `script`: what is known of the file when it was put aside, else NULL. */
static int tell(struct table *table, const struct file *file, const struct script *script)
{
    return tell_at(table, file, script, born(file), KIND_file_entry);
}

/* Birth and changes, each time once, as far as they are around an indicator. */
static int tell_context(struct table *table, const struct file *file)
{
    const struct {
        struct instant when;
        enum kind kind;
    } times[] = {{born(file), KIND_file_entry},
                 {file->si.modified, KIND_file_modified},
                 {file->si.changed, KIND_file_changed}};

    for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
        bool known = false;
        for (size_t j = 0; j < i; j++)
            known |= times[j].when.ticks == times[i].when.ticks;
        if (!known && job_wants(table->job, times[i].when) &&
            tell_at(table, file, NULL, times[i].when, times[i].kind) < 0)
            return -1;
    }
    return 0;
}

static int visit(void *context, const struct file *file)
{
    struct table *table = context;

    if (table->job->context)
        return tell_context(table, file);
    const bool in_web_root = web_folders_hold(&table->lines.web, file->path);
    births_add(table->births, file, in_web_root);
    return in_web_root && scripts_put_aside(&table->scripts, file) ? 0 : tell(table, file, NULL);
}

static int walk(struct table *table)
{
    if (listing_walk(table->listing, visit, table) < 0)
        return -1;
    scripts_judge(&table->scripts);
    for (size_t i = 0; i < table->scripts.count; i++)
        if (tell(table, &table->scripts.all[i].file, &table->scripts.all[i]) < 0)
            return -1;
    flush(table);
    if (!table->job->context)
        births_tell(table->births);
    return 0;
}

static int parse(struct job *job)
{
    const struct mft_input input = {.read = read_table, .context = job, .size = job->size};
    struct table *table = calloc(1, sizeof *table);
    int result = -1;

    if (!table)
        return error_set("out of memory");
    table->job = job;
    table->record_size = mft_record_size(&input);
    if (table->record_size && mft_read(&input, &table->listing) == 0) {
        mft_lines_init(&table->lines, job, table->listing);
        count_entries(table);
        table->scripts = (struct scripts){.job = job, .listing = table->listing};
        table->births = births_new(job, table->listing, table->record_size);
        result = table->births ? walk(table) : -1;
    }
    births_free(table->births);
    listing_free(table->listing);
    scripts_release(&table->scripts);
    mft_lines_release(&table->lines);
    free(table);
    return result;
}

/* A whole first entry, wherever the file was copied to. */
static bool recognise(struct slice head, const char *name)
{
    uint8_t record[4096];

    (void)name;
    for (size_t size = 1024; size <= sizeof record && size <= head.size; size *= 4) {
        memcpy(record, head.data, size);
        if (mft_fix_up(record, size) == size)
            return true;
    }
    return false;
}

static const char *const paths[] = {"$MFT", NULL};
static const struct log_source sources[] = {
    {"file_event", "windows", "mft"}, {"create_stream_hash", "windows", "mft"}, {NULL, NULL, NULL}};

extern const struct artifact artifact_mft_times;
const struct artifact artifact_mft_times = {
    .name = "mft_times",
    .title = "Master file table ($MFT)",
    .paths = paths,
    .sources = sources,
    .context = true,
    .recognise = recognise,
    .parse = parse,
};
