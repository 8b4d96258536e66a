/* Bursts of births. See mft_births.h. */
#include "artifacts/mft_births.h"

#include "triage/base/buffer.h"
#include "triage/base/error.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
    BIRTHS_MAX = 1 << 17,
    LEAST_OF_BURST = 5,
    NAMES_TOLD = 12,
    NUMBER_SIZE = 24,
    VALUES = 5,
};

static const int64_t reach = 10 * TICKS_PER_SECOND; /* between two births of a burst */

struct birth {
    int64_t when;
    uint32_t folder, entry;
    const char *path; /* in the job's arena */
};

struct births {
    struct job *job;
    const struct listing *listing;
    uint32_t record_size;
    struct birth *all;
    size_t count, room;
    size_t left_out; /* found no room */
};

struct births *births_new(struct job *job, const struct listing *listing, uint32_t record_size)
{
    struct births *births = calloc(1, sizeof *births);

    if (!births) {
        error_set("out of memory");
        return NULL;
    }
    births->job = job;
    births->listing = listing;
    births->record_size = record_size;
    return births;
}

void births_free(struct births *births)
{
    if (!births)
        return;
    free(births->all);
    free(births);
}

static bool runs(const char *path)
{
    static const char *const endings[] = {".aspx", ".asp", ".ashx", ".asmx", ".php", ".jsp", ".ps1",
                                          ".bat",  ".cmd", ".vbs",  ".js",   ".hta", ".exe", ".dll",
                                          ".scr",  ".sys", ".msi",  ".py",   ".jar"};
    const char *slash = strrchr(path, '/'), *dot = strrchr(slash ? slash : path, '.');

    for (size_t i = 0; dot && i < sizeof endings / sizeof *endings; i++)
        if (strcasecmp(dot, endings[i]) == 0)
            return true;
    return false;
}

static bool is_place_to_put_things(const char *path)
{
    static const char *const parts[] = {"/Temp/",  "Users/Public/", "PerfLogs/", "$Recycle.Bin/",
                                        "/Debug/", "/Downloads/",   "/Desktop/"};

    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (strcasestr(path, parts[i]))
            return true;
    return strncasecmp(path, "ProgramData/", 12) == 0 || strncasecmp(path, "Temp/", 5) == 0 ||
           strncasecmp(path, "root/", 5) == 0;
}

static bool make_room(struct births *births)
{
    if (births->count < births->room)
        return true;
    const size_t room = births->room ? 2 * births->room : 256;
    struct birth *grown = room > BIRTHS_MAX ? NULL : realloc(births->all, room * sizeof *grown);
    if (!grown) {
        births->left_out++;
        return false;
    }
    births->all = grown;
    births->room = room;
    return true;
}

void births_add(struct births *births, const struct file *file, bool in_web_root)
{
    if (file->stream || file->flags & FILE_FOLDER || !instant_known(file->fn.created) ||
        !runs(file->path) || !(in_web_root || is_place_to_put_things(file->path)) ||
        !make_room(births))
        return;
    const char *path = arena_text(births->job->arena, slice_of_text(file->path));
    if (path)
        births->all[births->count++] =
            (struct birth){.when = file->fn.created.ticks,
                           .folder = listing_parent(births->listing, (uint32_t)file->address),
                           .entry = (uint32_t)file->address,
                           .path = path};
}

static int in_order(const void *a, const void *b)
{
    const struct birth *x = a, *y = b;

    if (x->folder != y->folder)
        return x->folder < y->folder ? -1 : 1;
    if (x->when != y->when)
        return x->when < y->when ? -1 : 1;
    return x->entry < y->entry ? -1 : x->entry > y->entry;
}

/* A folder that came with its content says nothing. */
static bool is_long_after_folder(const struct births *births, const struct birth *first)
{
    const struct listing_entry *folder =
        first->folder == LISTING_NONE ? NULL : listing_look(births->listing, first->folder);

    return folder && instant_known(folder->si.created) &&
           first->when - TICKS_PER_DAY > folder->si.created.ticks;
}

static void add_names(struct buffer *names, const struct birth *all, size_t count)
{
    for (size_t i = 0; i < count && i < NAMES_TOLD; i++) {
        const char *slash = strrchr(all[i].path, '/');
        buffer_format(names, "%s%s", i ? ", " : "", slash ? slash + 1 : all[i].path);
    }
    if (count > NAMES_TOLD)
        buffer_format(names, " and %zu more", count - NAMES_TOLD);
}

static struct value value_of(enum field field, const char *text)
{
    return (struct value){.name = field_name(field), .field = field, .text = slice_of_text(text)};
}

static const struct log_source sources[] = {{NULL, "windows", "mft"}, {NULL, NULL, NULL}};

static void tell(const struct births *births, const struct birth *all, size_t count)
{
    struct job *job = births->job;
    struct buffer names = BUFFER_EMPTY, folder = BUFFER_EMPTY;
    const char *slash = strrchr(all->path, '/');
    const char *parent =
        slash ? arena_text(job->arena, slice_of(all->path, (size_t)(slash - all->path))) : "";
    char number[NUMBER_SIZE], seconds[NUMBER_SIZE], first[INSTANT_TEXT_SIZE];

    host_windows_path(job->host, job->file->volume, parent ? parent : "", &folder);
    add_names(&names, all, count);
    snprintf(number, sizeof number, "%zu", count);
    snprintf(seconds, sizeof seconds, "%" PRId64,
             (all[count - 1].when - all->when + TICKS_PER_SECOND - 1) / TICKS_PER_SECOND);
    const struct value values[VALUES] = {
        value_of(FIELD_TargetFilename, buffer_text(&folder)),
        value_of(FIELD_Count, number),
        value_of(FIELD_Seconds, seconds),
        value_of(FIELD_FileNames, buffer_text(&names)),
        value_of(FIELD_Created0x30, instant_format((struct instant){all->when}, first)),
    };
    const struct event event = {
        .kind = KIND_file_burst,
        .artifact = job->artifact->name,
        .sources = sources,
        .when = {all->when},
        .basis = BASIS_UTC,
        .file = job->file,
        .offset = (uint64_t)all->entry * births->record_size,
        .number = all->entry,
        .raw = buffer_slice(&names),
        .values = values,
        .value_count = VALUES,
        .marks = EVENT_FACT,
    };
    job_emit(job, &event);
    buffer_release(&names);
    buffer_release(&folder);
}

static void tell_left_out(const struct births *births)
{
    job_notice_format(
        births->job, 0,
        "bursts of new programs and pages: %zu files were not looked at, more than %d at such "
        "places",
        births->left_out, BIRTHS_MAX);
}

void births_tell(struct births *births)
{
    const struct birth *all = births->all;
    size_t end;

    if (births->left_out)
        tell_left_out(births);
    if (births->count)
        qsort(births->all, births->count, sizeof *births->all, in_order);
    for (size_t start = 0; start < births->count; start = end) {
        for (end = start + 1; end < births->count && all[end].folder == all[start].folder &&
                              all[end].when - all[end - 1].when <= reach;)
            end++;
        if (end - start >= LEAST_OF_BURST && is_long_after_folder(births, &all[start]))
            tell(births, &all[start], end - start);
    }
}
