#include "artifacts/entry.h"

#include "triage/base/error.h"

#include <string.h>

enum { REJECTED_RAW = 64 * 1024 };

const char *entry_last_part(const char *path)
{
    const char *last = path;

    for (const char *at = path; *at; at++)
        if (*at == '/' || *at == '\\')
            last = at + 1;
    return last;
}

void entry_begin(struct entry *entry, struct job *job, enum kind kind)
{
    const struct file *file = job->file;
    const char *path = job->windows_path ? job->windows_path : file->path;

    entry->job = job;
    entry->event = (struct event){
        .kind = kind,
        .artifact = job->artifact->name,
        .sources = job->artifact->sources,
        .file = file,
        .values = entry->values,
        .number = job->tally->records + 1,
        .marks = file->flags & FILE_DAMAGED ? EVENT_DAMAGED : 0,
    };
    entry_time(entry, instant_known(file->si.modified) ? file->si.modified : file_appeared(file));
    entry_add(entry, "TargetFilename", path);
    entry_add(entry, "FileName", entry_last_part(file->path));
    if (file->flags & FILE_DELETED) {
        entry->event.marks |= EVENT_RECOVERED;
        entry_add(entry, "Deleted", "true");
    }
}

void entry_add_slice(struct entry *entry, const char *name, struct slice text)
{
    struct event *event = &entry->event;

    if (!text.size || event->value_count == ENTRY_VALUES)
        return;
    entry->values[event->value_count++] =
        (struct value){.name = name, .field = field_from_name(slice_of_text(name)), .text = text};
}

void entry_add(struct entry *entry, const char *name, const char *text)
{
    entry_add_slice(entry, name, slice_of_text(text));
}

void entry_add_time(struct entry *entry, struct arena *arena, const char *name, struct instant when)
{
    char text[INSTANT_TEXT_SIZE];

    if (instant_known(when))
        entry_add(entry, name, arena_text(arena, slice_of_text(instant_format(when, text))));
}

void entry_add_created(struct entry *entry, const char *name)
{
    const struct file *file = entry->job->file;
    const bool known = instant_known(file->fn.created);

    entry_add_time(entry, entry->job->arena, name, known ? file->fn.created : file->si.created);
}

void entry_time(struct entry *entry, struct instant when)
{
    entry->event.when = when;
    entry->event.basis = instant_known(when) ? BASIS_UTC : BASIS_UNKNOWN;
}

static void count(struct tally *tally, const struct event *event)
{
    tally->records++;
    if (event->marks & EVENT_REJECTED)
        tally->rejected++;
    else if (event->marks & EVENT_REPAIRED)
        tally->repaired++;
    else
        tally->used++;
    if (event->basis == BASIS_UTC)
        tally_time(tally, event->when);
}

void entry_emit(struct entry *entry)
{
    struct event *event = &entry->event;

    if (!event->raw.size && event->value_count)
        event->raw = entry->values[event->value_count - 1].text;
    count(entry->job->tally, event);
    if (event->marks & EVENT_REJECTED)
        job_reject(entry->job, event->offset, event->number, event->raw);
    job_emit(entry->job, event);
}

int entry_content(struct job *job, struct slice *content)
{
    size_t at = 0;

    if (job->size > ENTRY_FILE_MOST)
        return error_set("the file is larger than %d MiB", ENTRY_FILE_MOST >> 20);
    uint8_t *bytes = arena_take(job->arena, (size_t)job->size + 1);
    if (!bytes)
        return -1;
    while (at < job->size) {
        const ssize_t got = job_read(job, at, bytes + at, (size_t)job->size - at);
        if (got < 0 && at == 0)
            return -1;
        if (got < 0)
            job_notice(job, at, error_text());
        if (got <= 0)
            break;
        at += (size_t)got;
    }
    *content = slice_of(bytes, at);
    return 0;
}

void entry_reject(struct job *job, enum kind kind, struct slice content, const char *why)
{
    struct entry entry;

    job_notice(job, 0, why);
    entry_begin(&entry, job, kind);
    entry.event.marks |= EVENT_REJECTED;
    entry.event.raw = slice_part(content, 0, REJECTED_RAW);
    entry_emit(&entry);
}

/* ntdll.dll stands for the programs of Windows: each Windows has it, and a collection without it
 * says nothing of other programs. */
static bool has_programs(struct job *job)
{
    struct buffer path = BUFFER_EMPTY;
    struct file file;
    uint32_t volume;

    const bool found =
        host_resolve(job->host, "%SystemRoot%\\System32\\ntdll.dll", &volume, &path) &&
        job_find(job, volume, buffer_text(&path), &file);
    buffer_release(&path);
    return found;
}

const char *entry_program_on_disk(struct job *job, const char *windows_path)
{
    struct buffer path = BUFFER_EMPTY;
    struct file file;
    uint32_t volume;

    if (!job->host || !windows_path || !*windows_path)
        return "unknown";
    const bool placed = host_resolve(job->host, windows_path, &volume, &path);
    const bool found = placed && job_find(job, volume, buffer_text(&path), &file);
    buffer_release(&path);
    if (found)
        return "true";
    return placed && has_programs(job) ? "false" : "unknown";
}
