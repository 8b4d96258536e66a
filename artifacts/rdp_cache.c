/*
 * Traces of mstsc, the remote desktop client, in a profile: the bitmap cache is written while a
 * session to another computer runs, NAME.rdp keeps where it went. From a server both are seldom
 * honest. The pictures in the cache are not decoded. An .rdp file is a row of lines "name:s:value"
 * or "name:i:number", UTF-16 or not.
 */
#include "artifacts/link_event.h"
#include "triage/base/error.h"
#include "triage/base/utf16.h"

#include <inttypes.h>
#include <string.h>

enum { SETTINGS_MOST = 1024 * 1024, VALUE_MOST = 1024 };

static const struct {
    const char *key, *name;
} settings[] = {{"full address:s:", "FullAddress"},
                {"alternate full address:s:", "AlternateAddress"},
                {"username:s:", "UserName"},
                {"domain:s:", "Domain"},
                {"gatewayhostname:s:", "Gateway"},
                {"alternate shell:s:", "AlternateShell"},
                {"remoteapplicationprogram:s:", "RemoteProgram"},
                {"drivestoredirect:s:", "RedirectedDrives"}};

static bool is_settings(const char *path)
{
    return slice_ends_nocase(slice_of_text(path), ".rdp");
}

static void begin(struct entry *entry, struct job *job, enum kind kind)
{
    entry_begin(entry, job, kind);
    entry_add(entry, "Profile", link_profile(job->arena, job->file->path));
    entry_add(entry, "Size", arena_format(job->arena, "%" PRIu64, job->file->size));
    entry_add_created(entry, "FileCreated");
}

static int parse_cache(struct job *job)
{
    uint8_t head[16];
    struct entry entry;
    const ssize_t got = job_read(job, 0, head, sizeof head);

    begin(&entry, job, KIND_rdp_cache);
    if (got < 0) {
        job_notice(job, 0, error_text());
        entry.event.marks |= EVENT_REPAIRED;
    }
    const struct slice start = slice_of(head, got > 0 ? (size_t)got : 0);
    entry_add(&entry, "CacheType",
              slice_starts(start, "RDP8bmp") ? "RDP8bmp"
              : job->file->size == 0         ? "empty"
                                             : "bitmaps");
    entry_emit(&entry);
    return 0;
}

static struct slice as_utf8(struct job *job, struct slice content)
{
    if (!slice_starts(content, "\xff\xfe"))
        return content;
    return slice_of_text(utf16_to_text(job->arena, slice_from(content, 2), false));
}

static void add_setting(struct entry *entry, struct slice line)
{
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++) {
        if (!slice_starts_nocase(line, settings[i].key))
            continue;
        const struct slice value = slice_part(line, strlen(settings[i].key), VALUE_MOST);
        entry_add(entry, settings[i].name, arena_text(entry->job->arena, slice_trim(value)));
    }
}

static int parse_settings(struct job *job)
{
    struct slice content, text;
    struct entry entry;

    if (job->size > SETTINGS_MOST)
        return error_set("the file is larger than 1 MiB");
    if (entry_content(job, &content) < 0)
        return -1;
    text = as_utf8(job, content);
    if (slice_find_nocase(text, 0, SLICE_LITERAL(":s:")) == SIZE_MAX &&
        slice_find_nocase(text, 0, SLICE_LITERAL(":i:")) == SIZE_MAX) {
        entry_reject(job, KIND_rdp_settings, content, "it has no line as remote desktop files do");
        return 0;
    }
    begin(&entry, job, KIND_rdp_settings);
    for (size_t at = 0; at < text.size;) {
        const size_t end = slice_find(text, at, '\n');
        const size_t size = (end == SIZE_MAX ? text.size : end) - at;
        add_setting(&entry, slice_part(text, at, size));
        at += size + 1;
    }
    entry.event.raw = text;
    entry_emit(&entry);
    return 0;
}

static int parse(struct job *job)
{
    return is_settings(job->file->path) ? parse_settings(job) : parse_cache(job);
}

static bool recognise(struct slice head, const char *name)
{
    return slice_starts(head, "RDP8bmp") || (is_settings(name) && head.size);
}

#define CACHE    "Microsoft/Terminal Server Client/Cache/*"
#define PROFILES "config/systemprofile/AppData/Local/" CACHE

static const char *const paths[] = {
    "Users/*/AppData/Local/" CACHE,
    "Documents and Settings/*/Local Settings/Application Data/" CACHE,
    "{windows}/System32/" PROFILES,
    "{windows}/SysWOW64/" PROFILES,
    "{windows}/ServiceProfiles/*/AppData/Local/" CACHE,
    "Users/*/Documents/*.rdp",
    "Users/*/Desktop/*.rdp",
    "Users/*/Downloads/*.rdp",
    "{windows}/System32/config/systemprofile/**/*.rdp",
    NULL};
static const struct log_source sources[] = {{NULL, "windows", "rdp-cache"}, {NULL, NULL, NULL}};

extern const struct artifact artifact_rdp_cache;
const struct artifact artifact_rdp_cache = {
    .name = "rdp_cache",
    .title = "Remote desktop client",
    .paths = paths,
    .sources = sources,
    .deleted = true,
    .recognise = recognise,
    .parse = parse,
};
