/*
 * $Recycle.Bin/SID/$IXXXXXX.EXT: for each file that a user put into the recycle bin, where it was,
 * how large, and when; $RXXXXXX.EXT beside it is the file itself, until the bin is emptied. What
 * goes over the network, a web shell or del does not come here. Source: the documentation of
 * Windows Recycle.Bin files in libyal's dtformats.
 */
#include "artifacts/entry.h"
#include "triage/base/error.h"
#include "triage/base/utf16.h"

#include <inttypes.h>
#include <string.h>
#include <strings.h>

enum {
    PATH_UNITS = 260, /* of version 1, which has always as many */
    VERSION_OLD = 1,
    VERSION_NEW = 2, /* since Windows 10 */
    HEADER_SIZE = 24,
};

struct recycled {
    uint64_t version, size;
    struct instant when;
    const char *path;
    const char *problem;
};

static int read_recycled(struct slice content, struct arena *arena, struct recycled *out)
{
    struct cursor c = cursor_over(content, 0);

    *out = (struct recycled){.version = cursor_u64le(&c)};
    out->size = cursor_u64le(&c);
    out->when = instant_from_filetime(cursor_u64le(&c));
    if (cursor_failed(&c))
        return error_set("it is cut short in front of the path");
    if (out->version != VERSION_OLD && out->version != VERSION_NEW)
        return error_set("it does not begin as an entry of the recycle bin");
    const size_t units = out->version == VERSION_OLD ? PATH_UNITS : cursor_u32le(&c);
    if (cursor_failed(&c) || units > cursor_left(&c) / 2)
        out->problem = "the path is cut short";
    out->path = utf16_to_text(arena, slice_part(slice_from(content, c.at), 0, units * 2), true);
    if (!out->path || !*out->path)
        return error_set("it has no path");
    return 0;
}

/* "$R..." beside "$I...". */
static char *content_path(struct job *job)
{
    char *path = arena_text(job->arena, slice_of_text(job->file->path));
    const char *name = path ? entry_last_part(path) : NULL;

    if (!name || name[0] != '$' || (name[1] != 'I' && name[1] != 'i'))
        return NULL;
    path[name + 1 - path] = 'R';
    return path;
}

static void add_content(struct entry *entry)
{
    struct job *job = entry->job;
    const char *path = content_path(job);
    struct file file;

    if (!path)
        return;
    const bool found = job_find(job, job->file->volume, path, &file);
    entry_add(entry, "ContentFile", entry_last_part(path));
    entry_add(entry, "ContentOnDisk", found ? "true" : "false");
    if (found && file.flags & FILE_FOLDER)
        entry_add(entry, "ContentSize", "folder");
    else if (found)
        entry_add(entry, "ContentSize", arena_format(job->arena, "%" PRIu64, file.size));
}

/* The name of the folder, a SID; NULL when it is not one. */
static const char *sid_of(struct job *job)
{
    const char *name = entry_last_part(job->file->path), *start = name;

    if (name == job->file->path)
        return NULL;
    for (start = name - 1; start > job->file->path && start[-1] != '/';)
        start--;
    if (strncasecmp(start, "S-1-", 4) != 0)
        return NULL;
    return arena_text(job->arena, slice_of(start, (size_t)(name - 1 - start)));
}

static const char *extension_of(struct job *job, const char *path)
{
    const char *dot = strrchr(entry_last_part(path), '.');
    char *text = dot ? arena_text(job->arena, slice_of_text(dot)) : NULL;

    for (char *c = text; c && *c; c++)
        if (*c >= 'A' && *c <= 'Z')
            *c = (char)(*c | 0x20);
    return text;
}

/* The file that was deleted stands where other artifacts have the file that says so. */
static void name_deleted(struct entry *entry, const char *path)
{
    const char *const texts[] = {path, entry_last_part(path)};

    for (size_t i = 0; i < 2; i++)
        entry->values[i].text = slice_of_text(texts[i]);
}

static int parse(struct job *job)
{
    struct recycled recycled;
    struct slice content;
    struct entry entry;

    if (entry_content(job, &content) < 0)
        return -1;
    if (read_recycled(content, job->arena, &recycled) < 0) {
        entry_reject(job, KIND_recycled_file, content, error_text());
        return 0;
    }
    entry_begin(&entry, job, KIND_recycled_file);
    const char *index = arena_text(job->arena, entry.values[0].text);
    name_deleted(&entry, recycled.path);
    entry_time(&entry, recycled.when);
    entry_add(&entry, "Extension", extension_of(job, recycled.path));
    entry_add(&entry, "Size", arena_format(job->arena, "%" PRIu64, recycled.size));
    entry_add(&entry, "User", sid_of(job));
    entry_add(&entry, "IndexFile", index);
    add_content(&entry);
    entry_add(&entry, "FormatVersion", recycled.version == VERSION_OLD ? "1" : "2");
    entry.event.raw = content;
    if (recycled.problem) {
        job_notice(job, HEADER_SIZE, recycled.problem);
        entry.event.marks |= EVENT_REPAIRED;
    }
    entry_emit(&entry);
    return 0;
}

static bool recognise(struct slice head, const char *name)
{
    struct cursor c = cursor_over(head, 0);
    const uint64_t version = cursor_u64le(&c);

    return slice_starts_nocase(slice_of_text(name), "$I") && !cursor_failed(&c) &&
           (version == VERSION_OLD || version == VERSION_NEW);
}

static const char *const paths[] = {"$Recycle.Bin/*/$I*", NULL};
static const struct log_source sources[] = {
    {NULL, "windows", "recyclebin"}, {"file_delete", "windows", NULL}, {NULL, NULL, NULL}};

extern const struct artifact artifact_recycle_bin;
const struct artifact artifact_recycle_bin = {
    .name = "recycle_bin",
    .title = "Recycle bin",
    .paths = paths,
    .sources = sources,
    .deleted = true,
    .recognise = recognise,
    .parse = parse,
};
