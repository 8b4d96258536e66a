/*
 * The master file table: each file and stream, live or deleted, with what its two sets of times say
 * about each other (mft_reasons.h): that is no proof, so the rules ask for the place and the kind
 * of file as well.
 */
#include "artifacts/log_names.h"
#include "artifacts/mft_births.h"
#include "artifacts/mft_reasons.h"
#include "artifacts/mft_scripts.h"
#include "triage/base/error.h"
#include "triage/evidence/mft.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
    BATCH_TEXT = 128 << 10,
    BATCH_ENTRIES = 1024,
    EXTENSION_SIZE = 16,
    READ_STEP = 64 << 10,
    RECORD_SIZE_MAX = 64 << 10,
    LAST_DAY = 3067670, /* 9999-12-31 */
};

/* The texts of an entry's line, each ended by a tab, the last by a line feed. */
enum text {
    TEXT_TARGET,
    TEXT_EXTENSION,
    TEXT_ATTRIBUTES,
    TEXT_SIZE,
    TEXT_DELETED,
    TEXT_STREAM,
    TEXT_CREATED,
    TEXT_MODIFIED,
    TEXT_NAMED,
    TEXT_REASON,
    TEXT_BIRTH,
    TEXT_PLACE,
    TEXT_REFERENCE,
    TEXT_COUNT,
};

static const enum field field_of[TEXT_COUNT] = {
    FIELD_TargetFilename,
    FIELD_Extension,
    FIELD_FileAttributes,
    FIELD_Size,
    FIELD_Deleted,
    FIELD_Stream,
    FIELD_Created0x10,
    FIELD_LastModified0x10,
    FIELD_Created0x30,
    FIELD_TimestompReason,
    FIELD_BirthReason,
    FIELD_Place,
    FIELD_FileReferenceNumber,
};

/* An entry that is there was created once: what Sigma calls a file event, as far as it goes. */
static const struct log_source file_sources[] = {{"file_event", "windows", "mft"},
                                                 {NULL, NULL, NULL}};
static const struct log_source stream_sources[] = {{"create_stream_hash", "windows", "mft"},
                                                   {NULL, NULL, NULL}};

struct pending {
    uint32_t start, end[TEXT_COUNT];
    uint32_t name, name_end; /* of the last part of the target, without a stream */
    uint64_t entry;
    struct instant when;
    enum kind kind; /* of an event of context; else it follows from what the line says */
    bool damaged, forged, lost_log;
};

struct table {
    struct job *job;
    struct listing *listing;
    uint32_t record_size;
    struct mft_reasons reasons;
    struct births *births;
    struct scripts scripts;
    struct buffer root, text;
    struct buffer folder; /* of the last path, and whether it lies in a web root */
    bool folder_is_web;
    int64_t day; /* of the last time, and its text */
    char day_text[INSTANT_TEXT_SIZE];
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

/* ---- what a path says ---- */

static const char *last_part(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

static bool lies_below(const char *path, const char *folder)
{
    const size_t size = strlen(folder);

    return strncasecmp(path, folder, size) == 0 && (size == 0 || path[size] == '/');
}

/* By what the survey found, and by the names that such folders have where it found none. `folder`
 * ends with '/'. */
static bool is_web_folder(const struct job *job, const char *folder)
{
    static const char *const usual[] = {"inetpub/wwwroot/", "/FrontEnd/HttpProxy/",
                                        "/ClientAccess/", "aspnet_client/"};
    const struct host *host = job->host;

    for (size_t i = 0; host && i < host->place_count; i++)
        if (strcmp(host->places[i].name, "web_root") == 0 &&
            host->places[i].volume == job->file->volume && lies_below(folder, host->places[i].path))
            return true;
    for (size_t i = 0; i < sizeof usual / sizeof *usual; i++)
        if (strcasestr(folder, usual[i]))
            return true;
    return false;
}

/* Entries that follow each other often lie in one folder. */
static bool is_in_web_root(struct table *table, const char *path)
{
    const struct slice folder = slice_of(path, (size_t)(last_part(path) - path));

    if (!slice_equal(folder, buffer_slice(&table->folder))) {
        buffer_clear(&table->folder);
        buffer_add(&table->folder, folder);
        table->folder_is_web = is_web_folder(table->job, buffer_text(&table->folder));
    }
    return table->folder_is_web;
}

/* ---- lines ---- */

static void end_text(struct table *table, struct pending *pending, enum text which)
{
    pending->end[which] = (uint32_t)table->text.size;
    buffer_add_byte(&table->text, which == TEXT_COUNT - 1 ? '\n' : '\t');
}

/* With '\' between the parts; control bytes, which only POSIX names have, as U+FFFD. */
static void add_path(struct buffer *out, const char *path)
{
    const size_t size = strlen(path);
    uint8_t *end = buffer_reserve(out, 3 * size);
    size_t used = 0;

    for (size_t i = 0; end && i < size; i++) {
        const uint8_t byte = (uint8_t)path[i];
        if (byte >= 0x20 && byte != '\\') {
            end[used++] = byte == '/' ? '\\' : byte;
            continue;
        }
        memcpy(end + used, "\xEF\xBF\xBD", 3);
        used += 3;
    }
    out->size += used;
}

static void add_target(struct table *table, struct pending *pending, const struct file *file)
{
    struct buffer *text = &table->text;
    const char *name = last_part(file->path);
    char extension[EXTENSION_SIZE] = "";

    buffer_add(text, buffer_slice(&table->root));
    add_path(text, file->path);
    pending->name_end = (uint32_t)text->size;
    pending->name = pending->name_end;
    while (pending->name > pending->start && text->data[pending->name - 1] != '\\')
        pending->name--;
    if (file->stream) {
        buffer_add_byte(text, ':');
        add_path(text, file->stream);
    }
    end_text(table, pending, TEXT_TARGET);
    const char *dot = strrchr(name, '.');
    for (size_t i = 0; dot && strlen(dot) < EXTENSION_SIZE && dot[i]; i++)
        extension[i] = dot[i] >= 'A' && dot[i] <= 'Z' ? (char)(dot[i] | 0x20) : dot[i];
    add_path(text, extension);
    end_text(table, pending, TEXT_EXTENSION);
}

static void add_attributes(struct buffer *out, const struct file *file)
{
    static const struct {
        uint32_t bit;
        const char *word;
    } words[] = {
        {ATTRIBUTE_READONLY, "readonly"},
        {ATTRIBUTE_HIDDEN, "hidden"},
        {ATTRIBUTE_SYSTEM, "system"},
        {ATTRIBUTE_ARCHIVE, "archive"},
    };
    const size_t start = out->size;

    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (!(file->attributes & words[i].bit))
            continue;
        if (out->size > start)
            buffer_add_byte(out, ' ');
        buffer_add_text(out, words[i].word);
    }
    if (file->flags & FILE_FOLDER)
        buffer_add_text(out, out->size > start ? " directory" : "directory");
}

static void put_digits(char *text, int64_t number, size_t count)
{
    while (count-- > 0) {
        text[count] = (char)('0' + number % 10);
        number /= 10;
    }
}

/* As instant_format has it, but three times for each of millions of entries. */
static void add_time(struct table *table, struct instant instant)
{
    static const char blank[] = "0000-00-00T00:00:00.000000+00:00";
    const int64_t day = instant.ticks / TICKS_PER_DAY, rest = instant.ticks % TICKS_PER_DAY;
    const int64_t second = rest / TICKS_PER_SECOND;
    char *text = table->day_text;

    if (instant.ticks <= 0 || day > LAST_DAY) {
        buffer_add_text(&table->text, instant_format(instant, text));
        *text = 0;
        return;
    }
    if (day != table->day || !*text) {
        const struct civil civil = instant_to_civil(instant);
        memcpy(text, blank, sizeof blank);
        put_digits(text, civil.year, 4);
        put_digits(text + 5, civil.month, 2);
        put_digits(text + 8, civil.day, 2);
        table->day = day;
    }
    put_digits(text + 11, second / 3600, 2);
    put_digits(text + 14, second / 60 % 60, 2);
    put_digits(text + 17, second % 60, 2);
    put_digits(text + 20, rest % TICKS_PER_SECOND / 10, 6);
    buffer_add(&table->text, slice_of(text, sizeof blank - 1));
}

/* Of a script in a web root. */
static void add_birth(struct buffer *text, int64_t late)
{
    if (late <= 0)
        return;
    buffer_add_number(text, (uint64_t)late);
    buffer_add_text(text, late == 1 ? " day after" : " days after");
    buffer_add_text(text, " what is beside it");
}

static void add_line(struct table *table, struct pending *pending, const struct file *file,
                     bool odd, int64_t late)
{
    struct buffer *text = &table->text;

    add_target(table, pending, file);
    add_attributes(text, file);
    end_text(table, pending, TEXT_ATTRIBUTES);
    buffer_add_number(text, file->size);
    end_text(table, pending, TEXT_SIZE);
    buffer_add_text(text, file->flags & FILE_DELETED ? "true" : "false");
    end_text(table, pending, TEXT_DELETED);
    add_path(text, file->stream ? file->stream : "");
    end_text(table, pending, TEXT_STREAM);
    add_time(table, file->si.created);
    end_text(table, pending, TEXT_CREATED);
    add_time(table, file->si.modified);
    end_text(table, pending, TEXT_MODIFIED);
    add_time(table, file->fn.created);
    end_text(table, pending, TEXT_NAMED);
    mft_reasons_add(&table->reasons, file, odd, text);
    pending->forged = text->size > pending->end[TEXT_NAMED] + 1;
    end_text(table, pending, TEXT_REASON);
    add_birth(text, late);
    end_text(table, pending, TEXT_BIRTH);
    if (is_in_web_root(table, file->path))
        buffer_add_text(text, "web root");
    end_text(table, pending, TEXT_PLACE);
    buffer_add_number(text, file->address);
    buffer_add_byte(text, '-');
    buffer_add_number(text, file->sequence);
    end_text(table, pending, TEXT_REFERENCE);
}

/* ---- events ---- */

static struct slice text_of(const struct table *table, const struct pending *pending,
                            enum text which)
{
    const uint32_t start = which == 0 ? pending->start : pending->end[which - 1] + 1;

    return slice_part(buffer_slice(&table->text), start, pending->end[which] - start);
}

/* A fact goes to no rule: the entry itself does. */
static void emit(struct table *table, const struct pending *pending, bool fact)
{
    static const struct log_source no_source[] = {{NULL, NULL, NULL}};
    struct job *job = table->job;
    const uint64_t offset = pending->entry * table->record_size;
    struct value values[TEXT_COUNT + 1];

    for (size_t i = 0; i < TEXT_COUNT; i++)
        values[i] = (struct value){.name = field_name(field_of[i]),
                                   .field = field_of[i],
                                   .text = text_of(table, pending, (enum text)i)};
    values[TEXT_COUNT] =
        (struct value){.name = field_name(FIELD_FileName),
                       .field = FIELD_FileName,
                       .text = slice_part(buffer_slice(&table->text), pending->name,
                                          pending->name_end - pending->name)};
    const ssize_t got = job_read(job, offset, table->record, table->record_size);
    const struct event event = {
        .kind = fact              ? KIND_file_log_gone
                : job->context    ? pending->kind
                : pending->forged ? KIND_file_timestomp
                                  : KIND_file_entry,
        .artifact = job->artifact->name,
        .sources = fact                                        ? no_source
                   : text_of(table, pending, TEXT_STREAM).size ? stream_sources
                                                               : file_sources,
        .when = pending->when,
        .basis = instant_known(pending->when) ? BASIS_UTC : BASIS_UNKNOWN,
        .file = job->file,
        .offset = offset,
        .number = pending->entry,
        .raw =
            got > 0 ? slice_of(table->record, (size_t)got) : text_of(table, pending, TEXT_TARGET),
        .values = values,
        .value_count = TEXT_COUNT + 1,
        .marks = (pending->damaged ? EVENT_DAMAGED : 0u) | (fact ? EVENT_FACT : 0u),
    };
    job_emit(job, &event);
}

/* Has the prefilter look at the lines, tells those that it nominates, and forgets them all. */
static void flush(struct table *table)
{
    const struct slice text = buffer_slice(&table->text);
    size_t at = text.size ? job_next_candidate(table->job, text, 0) : SIZE_MAX;

    for (size_t i = 0; i < table->pending_count; i++) {
        const struct pending *pending = &table->pending[i];
        const size_t end = pending->end[TEXT_COUNT - 1] + 1;
        if (pending->lost_log && !table->job->context)
            emit(table, pending, true);
        if (at >= end)
            continue;
        emit(table, pending, false);
        at = end < text.size ? job_next_candidate(table->job, text, end) : SIZE_MAX;
    }
    table->pending_count = 0;
    buffer_clear(&table->text);
}

static int tell_at(struct table *table, const struct file *file, const struct script *script,
                   struct instant when, enum kind kind)
{
    struct pending *pending = &table->pending[table->pending_count++];

    *pending = (struct pending){
        .start = (uint32_t)table->text.size,
        .entry = file->address,
        .when = when,
        .kind = kind,
        .damaged = (file->flags & FILE_DAMAGED) != 0,
    };
    add_line(table, pending, file, script && script->odd, script ? script->late : 0);
    pending->lost_log = file->flags & FILE_DELETED && !file->stream &&
                        log_is_telling(text_of(table, pending, TEXT_TARGET));
    if (buffer_failed(&table->text))
        return error_set("out of memory");
    if (table->pending_count == BATCH_ENTRIES || table->text.size >= BATCH_TEXT)
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
    const bool in_web_root = is_in_web_root(table, file->path);
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
    if (job->host)
        host_windows_path(job->host, job->file->volume, "", &table->root);
    if (table->record_size && mft_read(&input, &table->listing) == 0) {
        table->reasons = mft_reasons_of(table->listing);
        count_entries(table);
        table->scripts = (struct scripts){.job = job, .listing = table->listing};
        table->births = births_new(job, table->listing, table->record_size);
        result = table->births ? walk(table) : -1;
    }
    births_free(table->births);
    listing_free(table->listing);
    scripts_release(&table->scripts);
    buffer_release(&table->folder);
    buffer_release(&table->root);
    buffer_release(&table->text);
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
