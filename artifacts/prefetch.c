/*
 * Windows/Prefetch/NAME.EXE-HASH.pf: programs that ran. One event for each run time that is kept:
 * the last one, and since Windows 8 the last eight. The file is written some ten seconds after
 * the start; on servers prefetching is off unless somebody turned it on.
 */
#include "triage/formats/prefetch.h"
#include "artifacts/entry.h"
#include "triage/base/error.h"
#include "triage/base/utf16.h"

#include <inttypes.h>
#include <string.h>
#include <strings.h>

enum { NAMES_MOST = 64 * 1024, NOTABLE_MOST = 8 * 1024, NAME_UNITS_MOST = 29 };

/* What all runs share. */
struct trace {
    struct job *job;
    const struct prefetch *prefetch;
    const char *system_device; /* the one that ntdll.dll was loaded from; NULL: not known */
    const char *image, *loaded, *notable, *volumes;
};

/* Upper case, as the paths are. */
static const char *const notable_places[] = {
    "\\INETPUB\\",      "\\ASPNET_CLIENT\\", "\\FRONTEND\\HTTPPROXY\\",
    "\\CLIENTACCESS\\", "\\TEMP\\",          "\\TMP\\",
    "\\PERFLOGS\\",     "\\PROGRAMDATA\\",   "\\USERS\\PUBLIC\\",
    "\\$RECYCLE.BIN\\", "\\APPDATA\\",       "\\DOWNLOADS\\",
    "\\DESKTOP\\",      "\\MUSIC\\",         "\\PICTURES\\"};

/* The part of a path behind its device: "\WINDOWS\X.EXE". */
static const char *behind_device(const struct prefetch *prefetch, const char *path)
{
    for (size_t i = 0; i < prefetch->volume_count; i++) {
        const size_t size = prefetch->volumes[i].device_size;
        if (size && strncasecmp(path, prefetch->volumes[i].device, size) == 0 && path[size] == '\\')
            return path + size;
    }
    return NULL;
}

/* The device that Windows itself was loaded from: it has the drive letter of the file's own path.
 */
static const char *find_system_device(struct job *job, const struct prefetch *prefetch)
{
    static const char ntdll[] = "\\SYSTEM32\\NTDLL.DLL";
    struct slice names = prefetch->names, name;
    struct buffer text = BUFFER_EMPTY;
    const char *device = NULL;

    while (!device && prefetch_next_name(&names, &name)) {
        buffer_clear(&text);
        utf16_append(&text, name, true);
        const char *path = buffer_text(&text), *rest = behind_device(prefetch, path);
        if (rest && slice_ends_nocase(slice_of_text(rest), ntdll))
            device = arena_text(job->arena, slice_of(path, (size_t)(rest - path)));
    }
    buffer_release(&text);
    return device;
}

/* "C:\WINDOWS\X.EXE" where the drive is known, else the path as it stands. */
static void add_path(const struct trace *trace, const char *path, struct buffer *out)
{
    const char *own = trace->job->windows_path, *device = trace->system_device;
    const size_t size = device ? strlen(device) : 0;

    if (size && own && own[0] && own[1] == ':' && strncasecmp(path, device, size) == 0 &&
        path[size] == '\\') {
        buffer_add(out, slice_of(own, 2));
        path += size;
    }
    buffer_add_text(out, path);
}

static bool in_web_root(const struct job *job, const char *rest)
{
    for (size_t i = 0; job->host && rest && i < job->host->place_count; i++) {
        const struct place *place = &job->host->places[i];
        size_t at = 0;
        if (strcmp(place->name, "web_root") != 0 || !*place->path)
            continue;
        while (place->path[at] && rest[at + 1] &&
               ((place->path[at] == '/' && rest[at + 1] == '\\') ||
                strncasecmp(place->path + at, rest + at + 1, 1) == 0))
            at++;
        if (!place->path[at] && rest[at + 1] == '\\')
            return true;
    }
    return false;
}

static bool is_notable(const struct trace *trace, const char *path)
{
    for (size_t i = 0; i < sizeof notable_places / sizeof *notable_places; i++)
        if (strcasestr(path, notable_places[i]))
            return true;
    return in_web_root(trace->job, behind_device(trace->prefetch, path));
}

/* The header keeps 29 letters of the name. */
static bool is_program(const struct trace *trace, const char *path)
{
    const char *name = entry_last_part(path), *kept = trace->prefetch->executable;
    const size_t size = strlen(kept);

    if (!size)
        return false;
    return size >= NAME_UNITS_MOST ? strncasecmp(name, kept, size) == 0
                                   : strcasecmp(name, kept) == 0;
}

static void add_listed(struct buffer *list, size_t most, const char *path, size_t size)
{
    if (list->size + size + 2 > most)
        return;
    if (list->size)
        buffer_add_text(list, "; ");
    buffer_add(list, slice_of(path, size));
}

static void read_names(struct trace *trace)
{
    struct slice names = trace->prefetch->names, name;
    struct buffer text = BUFFER_EMPTY, path = BUFFER_EMPTY, loaded = BUFFER_EMPTY,
                  notable = BUFFER_EMPTY;

    while (prefetch_next_name(&names, &name)) {
        buffer_clear(&text);
        buffer_clear(&path);
        utf16_append(&text, name, true);
        const char *device_path = buffer_text(&text);
        add_path(trace, device_path, &path);
        add_listed(&loaded, NAMES_MOST, buffer_text(&path), path.size);
        if (is_notable(trace, device_path))
            add_listed(&notable, NOTABLE_MOST, buffer_text(&path), path.size);
        if (!trace->image && is_program(trace, device_path))
            trace->image = arena_text(trace->job->arena, buffer_slice(&path));
    }
    trace->loaded = arena_text(trace->job->arena, buffer_slice(&loaded));
    trace->notable = arena_text(trace->job->arena, buffer_slice(&notable));
    buffer_release(&text);
    buffer_release(&path);
    buffer_release(&loaded);
    buffer_release(&notable);
}

/* "\DEVICE\HARDDISKVOLUME2 7450-B65F created 2016-01-16T22:21:57.788926+00:00; ..." */
static const char *volumes_text(struct job *job, const struct prefetch *prefetch)
{
    struct buffer text = BUFFER_EMPTY;
    char created[INSTANT_TEXT_SIZE];

    for (size_t i = 0; i < prefetch->volume_count; i++) {
        const struct prefetch_volume *volume = &prefetch->volumes[i];
        buffer_format(&text, "%s%.256s %04X-%04X created %s", i ? "; " : "", volume->device,
                      volume->serial >> 16, volume->serial & 0xffff,
                      instant_format(volume->created, created));
    }
    const char *kept = arena_text(job->arena, buffer_slice(&text));
    buffer_release(&text);
    return kept;
}

static void tell_run(const struct trace *trace, const struct prefetch_run *run, size_t index)
{
    const struct prefetch *prefetch = trace->prefetch;
    struct arena *arena = trace->job->arena;
    struct entry entry;

    entry_begin(&entry, trace->job, KIND_program_run);
    entry_time(&entry, run ? run->when : INSTANT_NONE);
    entry.event.offset = run && !prefetch->compressed ? run->offset : 0;
    /* Without a path, only the name is known. */
    entry_add(&entry, "Image", trace->image ? trace->image : prefetch->executable);
    entry_add(&entry, "Executable", prefetch->executable);
    entry_add(&entry, "PrefetchHash", arena_format(arena, "%08X", prefetch->hash));
    entry_add(&entry, "RunCount", arena_format(arena, "%" PRIu32, prefetch->run_count));
    if (run)
        entry_add(&entry, "RunIndex",
                  arena_format(arena, "%zu of %zu", index + 1, prefetch->run_times));
    entry_add(&entry, "FileCount", arena_format(arena, "%" PRIu32, prefetch->file_count));
    entry_add(&entry, "NotableFiles", trace->notable);
    entry_add(&entry, "Volumes", trace->volumes);
    entry_add(&entry, "FormatVersion",
              arena_format(arena, "%" PRIu32 "%s", prefetch->version,
                           prefetch->compressed ? ", compressed" : ""));
    entry_add(&entry, "LoadedFiles", trace->loaded);
    if (prefetch->problem)
        entry.event.marks |= EVENT_REPAIRED;
    entry_emit(&entry);
}

static int parse(struct job *job)
{
    struct prefetch prefetch;
    struct slice content;

    if (entry_content(job, &content) < 0)
        return -1;
    if (prefetch_read(content, job->arena, &prefetch) < 0) {
        entry_reject(job, KIND_program_run, content, error_text());
        return 0;
    }
    if (prefetch.problem)
        job_notice(job, 0, prefetch.problem);
    struct trace trace = {.job = job, .prefetch = &prefetch};
    trace.system_device = find_system_device(job, &prefetch);
    trace.volumes = volumes_text(job, &prefetch);
    read_names(&trace);
    for (size_t i = prefetch.run_times; i-- > 0;) /* the newest stands in front */
        tell_run(&trace, &prefetch.runs[i], i);
    if (!prefetch.run_times)
        tell_run(&trace, NULL, 0);
    return 0;
}

static bool recognise(struct slice head, const char *name)
{
    return slice_ends_nocase(slice_of_text(name), ".pf") && prefetch_begins(head);
}

static const char *const paths[] = {"{windows}/Prefetch/*.pf", "Windows/Prefetch/*.pf", NULL};
static const struct log_source sources[] = {{NULL, "windows", "prefetch"}, {NULL, NULL, NULL}};

extern const struct artifact artifact_prefetch;
const struct artifact artifact_prefetch = {
    .name = "prefetch",
    .title = "Programs that ran (prefetch)",
    .paths = paths,
    .sources = sources,
    .deleted = true,
    .recognise = recognise,
    .parse = parse,
};
