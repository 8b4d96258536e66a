/*
 * The change journal of NTFS: what was created, renamed, written and deleted, with the path of that
 * time. Two passes: the first only looks for folders (usn_paths.h), the second tells each record. A
 * record becomes a line of text that the prefilter looks at; only those nominated become events.
 *
 * Reasons add up while a file is open, so that one creation stands in three or four records. The
 * log source "file_event" (and "file_delete", "file_rename") belongs to the first of them only.
 */
#include "artifacts/usn_paths.h"
#include "triage/base/error.h"

#include <stdlib.h>
#include <string.h>

enum {
    WINDOW_SIZE = 1 << 20,
    BATCH_TEXT = 128 << 10, /* of lines, before the prefilter looks at them */
    BATCH_RECORDS = 1024,
    UNREADABLE_STEP = 64 << 10,
    WORDS_SLOTS = 256,
    WORDS_SIZE = 496,
    OPEN_FILES = 1 << 12,
    OLD_NAMES = 256,
    OLD_NAME_SIZE = 510,
    EXTENSION_SIZE = 32,
    VALUES = 9,
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
    struct usn_record record; /* its slices lie in the window */
    uint32_t start, name; /* of the line and of the last part of the target, in the batch's text */
    uint32_t end[TEXT_COUNT];
    uint32_t fresh; /* reasons that this record is the first to give */
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

struct journal {
    struct job *job;
    struct usn_paths *paths;
    uint8_t *bytes; /* the window */
    uint64_t window_offset;
    uint64_t damage_end; /* where the damage told last ends */
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
    static const struct {
        uint32_t bit;
        const char *word;
    } words[] = {
        {ATTRIBUTE_READONLY, "readonly"}, {ATTRIBUTE_HIDDEN, "hidden"},
        {ATTRIBUTE_SYSTEM, "system"},     {ATTRIBUTE_ARCHIVE, "archive"},
        {USN_FOLDER, "directory"},
    };
    const size_t start = out->size;

    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (!(bits & words[i].bit))
            continue;
        if (out->size > start)
            buffer_add_byte(out, ' ');
        buffer_add_text(out, words[i].word);
    }
}

static struct slice words_of(struct journal *journal, struct words *table, uint32_t bits,
                             void (*append)(struct buffer *out, uint32_t bits))
{
    struct words *words = &table[bits * UINT32_C(0x9E3779B1) >> 24];

    if (words->bits != bits || words->size == 0) {
        buffer_clear(&journal->scratch);
        append(&journal->scratch, bits);
        const struct slice text = slice_part(buffer_slice(&journal->scratch), 0, WORDS_SIZE);
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
static uint32_t fresh_reasons(struct journal *journal, const struct usn_record *record)
{
    struct open_file *open = &journal->open_files[hash_of(record->file) % OPEN_FILES];
    const uint32_t before = is_file(open->file, record->file) ? open->reasons : 0;

    open->file = record->file;
    open->reasons = record->reason & USN_CLOSE ? 0 : record->reason;
    if (record->reason & USN_RENAME_OLD_NAME) /* another rename follows */
        open->reasons &= ~(uint32_t)USN_RENAME_NEW_NAME;
    return record->reason & ~before;
}

static struct old_name *old_name_slot(struct journal *journal, struct usn_reference file)
{
    return &journal->old_names[hash_of(file) % OLD_NAMES];
}

static void keep_old_name(struct journal *journal, const struct usn_record *record)
{
    struct old_name *old = old_name_slot(journal, record->file);

    old->file = record->file;
    old->parent = record->parent;
    old->size = record->name.size <= OLD_NAME_SIZE ? (uint16_t)record->name.size : 0;
    if (old->size)
        memcpy(old->name, record->name.data, old->size);
}

static void add_old_path(struct journal *journal, const struct usn_record *record)
{
    const struct old_name *old = old_name_slot(journal, record->file);

    if (!(record->reason & USN_RENAME_NEW_NAME) || old->size == 0 ||
        !is_file(old->file, record->file))
        return;
    usn_paths_append(journal->paths, old->parent, &journal->text);
    usn_name_append(&journal->text, slice_of(old->name, old->size));
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

static struct slice text_of(const struct journal *journal, const struct pending *pending,
                            enum text which)
{
    const uint32_t start = which == 0 ? pending->start : pending->end[which - 1] + 1;

    return slice_part(buffer_slice(&journal->text), start, pending->end[which] - start);
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

static void emit(struct journal *journal, const struct pending *pending)
{
    const struct usn_record *record = &pending->record;
    const struct slice target = text_of(journal, pending, TEXT_TARGET);
    const struct slice name = slice_from(target, pending->name - pending->start);
    const struct slice source = text_of(journal, pending, TEXT_SOURCE);
    uint8_t extension[EXTENSION_SIZE];
    struct value values[VALUES] = {
        value_of(FIELD_TargetFilename, target),
        value_of(FIELD_FileName, name),
        value_of(FIELD_Extension, extension_of(name, extension)),
        value_of(FIELD_Reason, text_of(journal, pending, TEXT_REASON)),
        value_of(FIELD_SourceInfo, text_of(journal, pending, TEXT_INFO)),
        value_of(FIELD_FileAttributes, text_of(journal, pending, TEXT_ATTRIBUTES)),
        value_of(FIELD_FileReferenceNumber, text_of(journal, pending, TEXT_FILE)),
        value_of(FIELD_ParentFileReferenceNumber, text_of(journal, pending, TEXT_PARENT)),
        value_of(FIELD_SourceFilename, source),
    };
    const struct event event = {
        .kind = KIND_usn_record,
        .artifact = journal->job->artifact->name,
        .sources = sources_for(pending->fresh),
        .when = record->when,
        .basis = instant_known(record->when) ? BASIS_UTC : BASIS_UNKNOWN,
        .file = journal->job->file,
        .offset = journal->window_offset + (uint64_t)(record->bytes.data - journal->bytes),
        .number = record->usn,
        .raw = record->bytes,
        .values = values,
        .value_count = source.size ? VALUES : VALUES - 1,
    };

    job_emit(journal->job, &event);
}

/* Has the prefilter look at the lines, tells those that it nominates, and forgets them all. */
static void flush(struct journal *journal)
{
    const struct slice text = buffer_slice(&journal->text);
    size_t at = text.size ? job_next_candidate(journal->job, text, 0) : SIZE_MAX;

    for (size_t i = 0; i < journal->pending_count && at != SIZE_MAX; i++) {
        const struct pending *pending = &journal->pending[i];
        const size_t end = pending->end[TEXT_COUNT - 1] + 1;
        if (at >= end)
            continue;
        emit(journal, pending);
        at = end < text.size ? job_next_candidate(journal->job, text, end) : SIZE_MAX;
    }
    journal->pending_count = 0;
    buffer_clear(&journal->text);
}

/* ---- lines ---- */

static void end_text(struct journal *journal, struct pending *pending, enum text which)
{
    pending->end[which] = (uint32_t)journal->text.size;
    buffer_add_byte(&journal->text, which == TEXT_COUNT - 1 ? '\n' : '\t');
}

/* Version 4 has no name of its own: its file is looked for as folders are. */
static void add_target(struct journal *journal, struct pending *pending)
{
    const struct usn_record *record = &pending->record;
    struct buffer *text = &journal->text;

    usn_paths_append(journal->paths, record->name.size ? record->parent : record->file, text);
    if (record->name.size == 0 && text->size > pending->start)
        text->size--; /* the '\' behind a folder */
    pending->name = (uint32_t)text->size;
    if (record->name.size)
        usn_name_append(text, record->name);
    else
        while (pending->name > pending->start && text->data[pending->name - 1] != '\\')
            pending->name--;
}

static void add_line(struct journal *journal, const struct usn_record *record, uint32_t fresh)
{
    struct pending *pending = &journal->pending[journal->pending_count++];
    struct buffer *text = &journal->text;

    *pending = (struct pending){.record = *record, .start = (uint32_t)text->size, .fresh = fresh};
    add_target(journal, pending);
    end_text(journal, pending, TEXT_TARGET);
    add_old_path(journal, record);
    end_text(journal, pending, TEXT_SOURCE);
    buffer_add(text, words_of(journal, journal->reasons, record->reason, usn_reason_append));
    end_text(journal, pending, TEXT_REASON);
    if (record->source)
        usn_source_append(text, record->source);
    end_text(journal, pending, TEXT_INFO);
    buffer_add(text, words_of(journal, journal->attributes, record->attributes, attributes_append));
    end_text(journal, pending, TEXT_ATTRIBUTES);
    usn_reference_append(text, record->file);
    end_text(journal, pending, TEXT_FILE);
    usn_reference_append(text, record->parent);
    end_text(journal, pending, TEXT_PARENT);
}

/* ---- the passes ---- */

static void learn(struct journal *journal, const struct usn_record *record)
{
    if (record->attributes & USN_FOLDER)
        usn_paths_learn(journal->paths, record);
}

static void tell(struct journal *journal, const struct usn_record *record)
{
    const uint32_t fresh = fresh_reasons(journal, record);

    if (record->attributes & USN_FOLDER)
        usn_paths_update(journal->paths, record);
    if (record->reason & USN_RENAME_OLD_NAME)
        keep_old_name(journal, record);
    add_line(journal, record, fresh);
    journal->job->tally->records++;
    journal->job->tally->used++;
    tally_time(journal->job->tally, record->when);
    if (journal->pending_count == BATCH_RECORDS || journal->text.size >= BATCH_TEXT)
        flush(journal);
}

/* One rejected record for each stretch, also when it reaches over several windows. */
static void tell_damage(struct journal *journal, uint64_t start, struct slice bytes, uint64_t size,
                        const char *why)
{
    if (start != journal->damage_end || start == 0) {
        journal->job->tally->records++;
        journal->job->tally->rejected++;
        job_notice(journal->job, start, why);
        if (bytes.size)
            job_reject(journal->job, start, 0, bytes);
    }
    journal->damage_end = start + size;
}

static void skip_damage(struct journal *journal, struct slice damage)
{
    const uint64_t start = journal->window_offset + (uint64_t)(damage.data - journal->bytes);

    tell_damage(journal, start, damage, damage.size, "these bytes are no change journal record");
}

/* Takes the records of a window. Gives the bytes that need not be seen again. */
static size_t take_window(struct journal *journal, size_t size, bool last,
                          void (*take)(struct journal *journal, const struct usn_record *record))
{
    struct usn_window window = {.bytes = slice_of(journal->bytes, size), .last = last};
    struct usn_record record;
    struct slice damage;

    for (;;) {
        switch (usn_next(&window, &record, &damage)) {
        case USN_RECORD:
            take(journal, &record);
            break;
        case USN_DAMAGE:
            if (take == tell)
                skip_damage(journal, damage);
            break;
        case USN_MORE:
        case USN_END:
            return window.at;
        }
    }
}

/* Goes over all stretches of the journal that are not sparse. */
static int pass(struct journal *journal,
                void (*take)(struct journal *journal, const struct usn_record *record))
{
    struct job *job = journal->job;
    uint64_t at = 0, start, size, good = 0, bad = 0;

    while (job_data(job, at, &start, &size)) {
        size_t want = WINDOW_SIZE;
        at = start > at ? (start + 7) & ~UINT64_C(7) : at;
        ssize_t got = job_read(job, at, journal->bytes, want);
        if (got < 0) /* what lies in front of the damage is still wanted */
            got = job_read(job, at, journal->bytes, want = UNREADABLE_STEP);
        if (got == 0)
            break;
        if (got < 0) {
            bad++;
            if (take == tell)
                tell_damage(journal, at, slice_of(NULL, 0), UNREADABLE_STEP, error_text());
            at += UNREADABLE_STEP;
            continue;
        }
        good++;
        journal->window_offset = at;
        const bool last = at + (uint64_t)got >= job->size || (size_t)got < want;
        const size_t used = take_window(journal, (size_t)got, last, take);
        flush(journal);
        at += used ? used : (size_t)got;
    }
    return bad && !good ? -1 : 0;
}

static void release(struct journal *journal)
{
    usn_paths_free(journal->paths);
    buffer_release(&journal->text);
    buffer_release(&journal->scratch);
    free(journal->bytes);
    free(journal);
}

static int parse(struct job *job)
{
    struct journal *journal = calloc(1, sizeof *journal);
    int result = -1;

    if (!journal)
        return error_set("out of memory");
    journal->job = job;
    journal->bytes = malloc(WINDOW_SIZE);
    journal->paths = usn_paths_new(job);
    if (!journal->bytes || !journal->paths)
        error_set("out of memory");
    else if (pass(journal, learn) == 0)
        result = pass(journal, tell);
    if (journal->paths && usn_paths_full(journal->paths))
        job_notice(
            job, 0,
            "the journal names more folders than are kept: of some files only the name is known");
    release(journal);
    return result;
}

/* ---- recognition ---- */

/* A copy of the stream under one of the names that collectors give it. */
static bool is_called_journal(const char *name)
{
    const struct slice text = slice_of_text(name);

    return slice_is_nocase(text, "$J") || slice_starts_nocase(text, "$UsnJrnl") ||
           slice_starts_nocase(text, "UsnJrnl");
}

static bool recognise(struct slice head, const char *name)
{
    struct usn_window window = {.bytes = head, .last = head.size < 65536};
    struct usn_record record;
    struct slice damage;
    const enum usn_step step = usn_next(&window, &record, &damage);

    if (step == USN_END) /* its start is sparse, which a copy has as zeroes */
        return head.size > 0 && is_called_journal(name);
    return step == USN_RECORD && record.usn % 8 == 0 &&
           (record.version == 4 || instant_known(record.when));
}

static const char *const paths[] = {"$Extend/$UsnJrnl:$J", "$Extend/$J", "$Extend/$UsnJrnl%3A$J",
                                    "$Extend/$UsnJrnl_$J", "$J",         "$Extend/$UsnJrnl.$J",
                                    "$Extend/$UsnJrnl/$J", NULL};
static const struct log_source sources[] = {
    {"file_event", "windows", "usnjournal"},
    {"file_delete", "windows", "usnjournal"},
    {"file_rename", "windows", "usnjournal"},
    {NULL, NULL, NULL},
};

extern const struct artifact artifact_usn_journal;
const struct artifact artifact_usn_journal = {
    .name = "usn_journal",
    .title = "Change journal ($UsnJrnl:$J)",
    .paths = paths,
    .sources = sources,
    .stay = true,
    .recognise = recognise,
    .parse = parse,
};
