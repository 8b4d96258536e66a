/* Names in slack and their events. See slack_entry.h. */
#include "artifacts/slack_entry.h"

#include "artifacts/usn_paths.h"
#include "triage/base/error.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* How $FILE_NAME says that the entry is a folder. */
enum { INDEX_FOLDER = 0x10000000 };

enum { SEEN_SLOTS = 1 << 14, EXTENSION_SIZE = 32, NUMBER_SIZE = 24, VALUES = 12 };

struct slack_entries {
    struct job *job;
    struct usn_paths *paths;
    uint64_t seen[SEEN_SLOTS]; /* hashes of what was told; the newest of each slot */
    struct buffer folder;      /* Windows path of the folder at work, '\' ended; empty for $MFT */
    struct buffer target, reference, parent;
};

const struct log_source slack_sources[] = {{NULL, "windows", "folderindex"}, {NULL, NULL, NULL}};

/* "C:\dir\" of a folder whose index is at work: its path has the stream's name behind it. */
static void write_folder(struct slack_entries *entries)
{
    const struct job *job = entries->job;
    struct slice path = slice_of_text(job->windows_path ? job->windows_path : job->file->path);

    if (!(job->file->flags & FILE_FOLDER))
        return;
    if (slice_ends_nocase(path, ":$I30"))
        path = slice_part(path, 0, path.size - 5);
    buffer_add(&entries->folder, path);
    if (path.size && path.data[path.size - 1] != '\\')
        buffer_add_byte(&entries->folder, '\\');
}

struct slack_entries *slack_entries_new(struct job *job)
{
    struct slack_entries *entries = calloc(1, sizeof *entries);

    if (!entries) {
        error_set("out of memory");
        return NULL;
    }
    entries->job = job;
    write_folder(entries);
    return entries;
}

void slack_entries_free(struct slack_entries *entries)
{
    if (!entries)
        return;
    usn_paths_free(entries->paths);
    buffer_release(&entries->folder);
    buffer_release(&entries->target);
    buffer_release(&entries->reference);
    buffer_release(&entries->parent);
    free(entries);
}

/* FNV-1a. Entries move within the slack as others come and go, and leave copies behind. */
static bool was_seen(struct slack_entries *entries, const struct index_entry *entry)
{
    uint64_t hash = UINT64_C(0xCBF29CE484222325) ^ (uint64_t)entry->times.created.ticks;

    for (size_t i = 0; i < entry->name.size; i++)
        hash = (hash ^ entry->name.data[i]) * UINT64_C(0x100000001B3);
    hash = (hash ^ entry->parent) * UINT64_C(0x9E3779B97F4A7C15);
    uint64_t *slot = &entries->seen[hash >> 40 & (SEEN_SLOTS - 1)];
    const bool seen = *slot == hash;
    *slot = hash;
    return seen;
}

/* An index block may have been another folder's before. */
static bool is_of_this_folder(const struct slack_entries *entries, const struct index_entry *entry)
{
    const struct file *folder = entries->job->file;

    return folder->flags & FILE_FOLDER && folder->address == reference_entry(entry->parent);
}

/* The folder's path from the $MFT, where the entry alone says which folder it is. */
static void add_parent(struct slack_entries *entries, const struct index_entry *entry)
{
    if (is_of_this_folder(entries, entry)) {
        buffer_add(&entries->target, buffer_slice(&entries->folder));
        return;
    }
    if (!entries->paths)
        entries->paths = usn_paths_new(entries->job);
    if (entries->paths)
        usn_paths_append(entries->paths, (struct usn_reference){entry->parent, 0},
                         &entries->target);
}

/* Whether the folder still holds the very file. */
enum whereabouts { GONE, THERE, UNKNOWN /* its entry in the $MFT is lost */ };

static enum whereabouts whereabouts_of(struct slack_entries *entries,
                                       const struct index_entry *entry)
{
    const struct file *folder = entries->job->file;
    struct buffer path = BUFFER_EMPTY;
    struct file there;
    bool found = false;

    if (!is_of_this_folder(entries, entry) || folder->flags & FILE_DELETED || folder->snapshot)
        return GONE;
    buffer_format(&path, "%s%s", folder->path, *folder->path ? "/" : "");
    usn_name_append(&path, entry->name);
    if (!buffer_failed(&path))
        found = job_find(entries->job, folder->volume, buffer_text(&path), &there);
    buffer_release(&path);
    if (found &&
        (entry->reference == 0 || (there.address == reference_entry(entry->reference) &&
                                   there.sequence == reference_sequence(entry->reference))))
        return THERE;
    return entry->reference && job_is_lost(entries->job, entry->reference) ? UNKNOWN : GONE;
}

static void write_extension(struct slice name, char text[EXTENSION_SIZE])
{
    size_t dot = name.size, size = 0;

    while (dot > 0 && name.data[dot - 1] != '.')
        dot--;
    if (dot > 0 && name.size - dot + 2 <= EXTENSION_SIZE)
        for (size_t i = dot - 1; i < name.size; i++)
            text[size++] = name.data[i] >= 'A' && name.data[i] <= 'Z' ? (char)(name.data[i] | 0x20)
                                                                      : (char)name.data[i];
    text[size] = 0;
}

static struct value value_of(enum field field, struct slice text)
{
    return (struct value){.name = field_name(field), .field = field, .text = text};
}

static void tell(struct slack_entries *entries, const struct index_entry *entry,
                 enum whereabouts place, size_t name_at, uint64_t offset)
{
    char extension[EXTENSION_SIZE], attributes[ATTRIBUTES_SIZE], size[NUMBER_SIZE];
    char times[4][INSTANT_TEXT_SIZE];
    const struct slice target = buffer_slice(&entries->target);
    const struct slice name = slice_from(target, name_at);

    write_extension(name, extension);
    file_attributes_write(entry->attributes, entry->attributes & INDEX_FOLDER, attributes);
    snprintf(size, sizeof size, "%" PRIu64, entry->size);
    const struct value values[VALUES] = {
        value_of(FIELD_TargetFilename, target),
        value_of(FIELD_FileName, name),
        value_of(FIELD_Extension, slice_of_text(extension)),
        value_of(FIELD_FileAttributes, slice_of_text(attributes)),
        value_of(FIELD_Size, slice_of_text(size)),
        value_of(FIELD_Deleted, slice_of_text(place == UNKNOWN ? "unknown" : "true")),
        value_of(FIELD_CreatedIndex, slice_of_text(instant_format(entry->times.created, times[0]))),
        value_of(FIELD_ModifiedIndex,
                 slice_of_text(instant_format(entry->times.modified, times[1]))),
        value_of(FIELD_ChangedIndex, slice_of_text(instant_format(entry->times.changed, times[2]))),
        value_of(FIELD_AccessedIndex,
                 slice_of_text(instant_format(entry->times.accessed, times[3]))),
        value_of(FIELD_FileReferenceNumber, buffer_slice(&entries->reference)),
        value_of(FIELD_ParentFileReferenceNumber, buffer_slice(&entries->parent)),
    };
    const struct event event = {
        .kind = place == UNKNOWN ? KIND_file_unread : KIND_file_remnant,
        .artifact = entries->job->artifact->name,
        .sources = entries->job->artifact->sources,
        .when = entry->times.created,
        .basis = BASIS_UTC,
        .file = entries->job->file,
        .offset = offset,
        .number = entry->reference ? reference_entry(entry->reference) : 0,
        .raw = entry->bytes,
        .values = values,
        .value_count = VALUES,
        .marks = place == UNKNOWN ? EVENT_RECOVERED | EVENT_DAMAGED : EVENT_RECOVERED,
    };
    job_emit(entries->job, &event);
}

void slack_entry_take(struct slack_entries *entries, const struct index_entry *entry,
                      uint64_t offset)
{
    struct tally *tally = entries->job->tally;

    tally->records++;
    tally->used++;
    tally_time(tally, entry->times.created);
    const enum whereabouts place =
        was_seen(entries, entry) ? THERE : whereabouts_of(entries, entry);
    if (place == THERE)
        return;
    buffer_clear(&entries->target);
    buffer_clear(&entries->reference);
    buffer_clear(&entries->parent);
    add_parent(entries, entry);
    const size_t name_at = entries->target.size;
    usn_name_append(&entries->target, entry->name);
    if (entry->reference)
        usn_reference_append(&entries->reference, (struct usn_reference){entry->reference, 0});
    usn_reference_append(&entries->parent, (struct usn_reference){entry->parent, 0});
    if (!buffer_failed(&entries->target))
        tell(entries, entry, place, name_at, offset);
}
