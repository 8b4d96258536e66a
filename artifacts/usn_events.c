/* Change journal records on their way to becoming events. See usn_events.h. */
#include "artifacts/usn_events.h"

#include "artifacts/log_names.h"

#include "triage/base/error.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    BATCH_TEXT = 128 << 10, /* of lines, before the prefilter looks at them */
    BATCH_RECORDS = 1024,
    WORDS_SLOTS = 256,
    WORDS_SIZE = 496,
    OPEN_FILES = 1 << 12,
    OLD_NAMES = 256,
    OLD_NAME_SIZE = 510,
    EXTENSION_SIZE = 32,
    NUMBER_SIZE = 24,
    VALUES = 10,
};

/* The texts of a record's line, each ended by a tab, the last by a line feed. */
enum text {
    TEXT_TARGET,
    TEXT_SOURCE,
    TEXT_REASON,
    TEXT_INFO,
    TEXT_ATTRIBUTES,
    TEXT_FILE,
    TEXT_PARENT,
    TEXT_COUNT,
};

struct pending {
    struct usn_record record; /* its slices lie in the caller's window */
    uint64_t offset;          /* in the file */
    uint32_t start, name; /* of the line and of the last part of the target, in the batch's text */
    uint32_t end[TEXT_COUNT];
    uint32_t fresh; /* reasons that this record is the first to give */
    bool lost_log;  /* a log that tells of attacks was deleted */
};

/* Words for bits, made once per combination. */
struct words {
    uint32_t bits;
    uint16_t size;
    char text[WORDS_SIZE];
};

struct open_file {
    struct usn_reference file;
    uint32_t reasons;
};

struct old_name {
    struct usn_reference file, parent;
    uint16_t size;
    uint8_t name[OLD_NAME_SIZE];
};

struct usn_events {
    struct job *job;
    struct usn_paths *paths;
    unsigned marks;
    struct words reasons[WORDS_SLOTS], attributes[WORDS_SLOTS];
    struct open_file open_files[OPEN_FILES];
    struct old_name old_names[OLD_NAMES];
    struct buffer text, scratch;
    struct pending pending[BATCH_RECORDS];
    size_t pending_count;
};

/* ---- words ---- */

static void attributes_append(struct buffer *out, uint32_t bits)
{
    char text[ATTRIBUTES_SIZE];

    buffer_add(out, slice_of(text, file_attributes_write(bits, bits & USN_FOLDER, text)));
}

static struct slice words_of(struct usn_events *events, struct words *table, uint32_t bits,
                             void (*append)(struct buffer *out, uint32_t bits))
{
    struct words *words = &table[bits * UINT32_C(0x9E3779B1) >> 24];

    if (words->bits != bits || words->size == 0) {
        buffer_clear(&events->scratch);
        append(&events->scratch, bits);
        const struct slice text = slice_part(buffer_slice(&events->scratch), 0, WORDS_SIZE);
        words->bits = bits;
        words->size = (uint16_t)text.size;
        if (text.size)
            memcpy(words->text, text.data, text.size);
    }
    return slice_of(words->text, words->size);
}

/* ---- what goes before a record ---- */

static size_t hash_of(struct usn_reference file)
{
    return (size_t)((file.low ^ file.high) * UINT64_C(0x9E3779B97F4A7C15) >> 40);
}

static bool is_file(struct usn_reference a, struct usn_reference b)
{
    return a.low == b.low && a.high == b.high;
}

/* Reasons of this record that earlier ones since the file was opened did not give. */
static uint32_t fresh_reasons(struct usn_events *events, const struct usn_record *record)
{
    struct open_file *open = &events->open_files[hash_of(record->file) % OPEN_FILES];
    const uint32_t before = is_file(open->file, record->file) ? open->reasons : 0;

    open->file = record->file;
    open->reasons = record->reason & USN_CLOSE ? 0 : record->reason;
    if (record->reason & USN_RENAME_OLD_NAME) /* another rename follows */
        open->reasons &= ~(uint32_t)USN_RENAME_NEW_NAME;
    return record->reason & ~before;
}

static struct old_name *old_name_slot(struct usn_events *events, struct usn_reference file)
{
    return &events->old_names[hash_of(file) % OLD_NAMES];
}

static void keep_old_name(struct usn_events *events, const struct usn_record *record)
{
    struct old_name *old = old_name_slot(events, record->file);

    old->file = record->file;
    old->parent = record->parent;
    old->size = record->name.size <= OLD_NAME_SIZE ? (uint16_t)record->name.size : 0;
    if (old->size)
        memcpy(old->name, record->name.data, old->size);
}

static void add_old_path(struct usn_events *events, const struct usn_record *record)
{
    const struct old_name *old = old_name_slot(events, record->file);

    if (!(record->reason & USN_RENAME_NEW_NAME) || old->size == 0 ||
        !is_file(old->file, record->file))
        return;
    usn_paths_append(events->paths, old->parent, &events->text);
    usn_name_append(&events->text, slice_of(old->name, old->size));
}

/* ---- events ---- */

#define USN_SOURCE(name)                                                                           \
    {                                                                                              \
        name, "windows", "usnjournal"                                                              \
    }
#define FRESH_CREATE 1
#define FRESH_DELETE 2
#define FRESH_RENAME 4

/* By what happened with this record for the first time. */
static const struct log_source sources_of[8][4] = {
    [0] = {USN_SOURCE(NULL)},
    [FRESH_CREATE] = {USN_SOURCE("file_event")},
    [FRESH_DELETE] = {USN_SOURCE("file_delete")},
    [FRESH_CREATE | FRESH_DELETE] = {USN_SOURCE("file_event"), USN_SOURCE("file_delete")},
    [FRESH_RENAME] = {USN_SOURCE("file_rename")},
    [FRESH_CREATE | FRESH_RENAME] = {USN_SOURCE("file_event"), USN_SOURCE("file_rename")},
    [FRESH_DELETE | FRESH_RENAME] = {USN_SOURCE("file_delete"), USN_SOURCE("file_rename")},
    [7] = {USN_SOURCE("file_event"), USN_SOURCE("file_delete"), USN_SOURCE("file_rename")},
};

static const struct log_source *sources_for(uint32_t fresh)
{
    const unsigned what = (fresh & USN_FILE_CREATE ? FRESH_CREATE : 0) |
                          (fresh & USN_FILE_DELETE ? FRESH_DELETE : 0) |
                          (fresh & USN_RENAME_NEW_NAME ? FRESH_RENAME : 0);

    return sources_of[what];
}

static struct slice text_of(const struct usn_events *events, const struct pending *pending,
                            enum text which)
{
    const uint32_t start = which == 0 ? pending->start : pending->end[which - 1] + 1;

    return slice_part(buffer_slice(&events->text), start, pending->end[which] - start);
}

static struct value value_of(enum field field, struct slice text)
{
    return (struct value){.name = field_name(field), .field = field, .text = text};
}

/* With its dot, lower case; empty when the name has none or it is too long to be one. */
static struct slice extension_of(struct slice name, uint8_t out[EXTENSION_SIZE])
{
    size_t dot = name.size;

    while (dot > 0 && name.data[dot - 1] != '.')
        dot--;
    const struct slice extension = dot ? slice_from(name, dot - 1) : slice_of(NULL, 0);
    if (extension.size > EXTENSION_SIZE)
        return slice_of(NULL, 0);
    for (size_t i = 0; i < extension.size; i++) {
        const uint8_t byte = extension.data[i];
        out[i] = byte >= 'A' && byte <= 'Z' ? (uint8_t)(byte | 0x20) : byte;
    }
    return slice_of(out, extension.size);
}

/* Empty when the log's name has no day. */
static struct slice age_text(const struct pending *pending, struct slice name,
                             char text[NUMBER_SIZE])
{
    const int64_t days = pending->lost_log ? log_age_days(name, pending->record.when) : -1;

    *text = 0;
    if (days >= 0)
        snprintf(text, NUMBER_SIZE, "%lld", (long long)days);
    return slice_of_text(text);
}

/* A fact goes to no rule: the record itself does. */
static void emit(struct usn_events *events, const struct pending *pending, bool fact)
{
    const struct usn_record *record = &pending->record;
    const struct slice target = text_of(events, pending, TEXT_TARGET);
    const struct slice name = slice_from(target, pending->name - pending->start);
    const struct slice source = text_of(events, pending, TEXT_SOURCE);
    uint8_t extension[EXTENSION_SIZE];
    char age[NUMBER_SIZE];
    struct value values[VALUES] = {
        value_of(FIELD_TargetFilename, target),
        value_of(FIELD_FileName, name),
        value_of(FIELD_Extension, extension_of(name, extension)),
        value_of(FIELD_Reason, text_of(events, pending, TEXT_REASON)),
        value_of(FIELD_SourceInfo, text_of(events, pending, TEXT_INFO)),
        value_of(FIELD_FileAttributes, text_of(events, pending, TEXT_ATTRIBUTES)),
        value_of(FIELD_FileReferenceNumber, text_of(events, pending, TEXT_FILE)),
        value_of(FIELD_ParentFileReferenceNumber, text_of(events, pending, TEXT_PARENT)),
    };
    size_t count = VALUES - 2;
    if (source.size)
        values[count++] = value_of(FIELD_SourceFilename, source);
    if (pending->lost_log)
        values[count++] = value_of(FIELD_LogAge, age_text(pending, name, age));
    const struct event event = {
        .kind = fact ? KIND_file_deleted_log : KIND_usn_record,
        .artifact = events->job->artifact->name,
        .sources = fact ? sources_of[0] : sources_for(pending->fresh),
        .when = record->when,
        .basis = instant_known(record->when) ? BASIS_UTC : BASIS_UNKNOWN,
        .file = events->job->file,
        .offset = pending->offset,
        .number = record->usn,
        .raw = record->bytes,
        .values = values,
        .value_count = count,
        .marks = events->marks | (fact ? EVENT_FACT : 0),
    };

    job_emit(events->job, &event);
}

/* Has the prefilter look at the lines, tells those that it nominates, and forgets them all. */
void usn_events_flush(struct usn_events *events)
{
    const struct slice text = buffer_slice(&events->text);
    size_t at = text.size ? job_next_candidate(events->job, text, 0) : SIZE_MAX;

    for (size_t i = 0; i < events->pending_count; i++) {
        const struct pending *pending = &events->pending[i];
        const size_t end = pending->end[TEXT_COUNT - 1] + 1;
        if (pending->lost_log && !events->job->context)
            emit(events, pending, true);
        if (at >= end)
            continue;
        emit(events, pending, false);
        at = end < text.size ? job_next_candidate(events->job, text, end) : SIZE_MAX;
    }
    events->pending_count = 0;
    buffer_clear(&events->text);
}

/* ---- lines ---- */

static void end_text(struct usn_events *events, struct pending *pending, enum text which)
{
    pending->end[which] = (uint32_t)events->text.size;
    buffer_add_byte(&events->text, which == TEXT_COUNT - 1 ? '\n' : '\t');
}

/* Version 4 has no name of its own: its file is looked for as folders are. */
static void add_target(struct usn_events *events, struct pending *pending)
{
    const struct usn_record *record = &pending->record;
    struct buffer *text = &events->text;

    usn_paths_append(events->paths, record->name.size ? record->parent : record->file, text);
    if (record->name.size == 0 && text->size > pending->start)
        text->size--; /* the '\' behind a folder */
    pending->name = (uint32_t)text->size;
    if (record->name.size)
        usn_name_append(text, record->name);
    else
        while (pending->name > pending->start && text->data[pending->name - 1] != '\\')
            pending->name--;
}

static void add_line(struct usn_events *events, const struct usn_record *record, uint64_t offset,
                     uint32_t fresh)
{
    struct pending *pending = &events->pending[events->pending_count++];
    struct buffer *text = &events->text;

    *pending = (struct pending){
        .record = *record, .offset = offset, .start = (uint32_t)text->size, .fresh = fresh};
    add_target(events, pending);
    pending->lost_log =
        fresh & USN_FILE_DELETE && log_is_telling(slice_from(buffer_slice(text), pending->start));
    end_text(events, pending, TEXT_TARGET);
    add_old_path(events, record);
    end_text(events, pending, TEXT_SOURCE);
    buffer_add(text, words_of(events, events->reasons, record->reason, usn_reason_append));
    end_text(events, pending, TEXT_REASON);
    if (record->source)
        usn_source_append(text, record->source);
    end_text(events, pending, TEXT_INFO);
    buffer_add(text, words_of(events, events->attributes, record->attributes, attributes_append));
    end_text(events, pending, TEXT_ATTRIBUTES);
    usn_reference_append(text, record->file);
    end_text(events, pending, TEXT_FILE);
    usn_reference_append(text, record->parent);
    end_text(events, pending, TEXT_PARENT);
}

/* ---- interface ---- */

struct usn_events *usn_events_new(struct job *job, unsigned marks)
{
    struct usn_events *events = calloc(1, sizeof *events);

    if (!events) {
        error_set("out of memory");
        return NULL;
    }
    events->job = job;
    events->marks = marks;
    events->paths = usn_paths_new(job);
    if (events->paths)
        return events;
    usn_events_free(events);
    return NULL;
}

void usn_events_free(struct usn_events *events)
{
    if (!events)
        return;
    usn_paths_free(events->paths);
    buffer_release(&events->text);
    buffer_release(&events->scratch);
    free(events);
}

struct usn_paths *usn_events_paths(struct usn_events *events)
{
    return events->paths;
}

void usn_events_add(struct usn_events *events, const struct usn_record *record, uint64_t offset)
{
    const uint32_t fresh = fresh_reasons(events, record);

    /* recovered records come in any order: for those, folders have the names of the $MFT */
    if (record->attributes & USN_FOLDER && !(events->marks & EVENT_RECOVERED))
        usn_paths_update(events->paths, record);
    if (record->reason & USN_RENAME_OLD_NAME)
        keep_old_name(events, record);
    if (events->job->context && !job_wants(events->job, record->when))
        return;
    add_line(events, record, offset, fresh);
    if (events->pending_count == BATCH_RECORDS || events->text.size >= BATCH_TEXT)
        usn_events_flush(events);
}
