/*
 * What Defender found: its detection history, and the entries of its quarantine. One event for each
 * file, process or key that was part of a detection, under the names of Defender's own event log.
 * What is in quarantine stays there: only whether it is there is told.
 */
#include "artifacts/entry.h"
#include "triage/base/error.h"
#include "triage/formats/defender.h"

#include <inttypes.h>
#include <string.h>

/* Whether Quarantine/ResourceData/AB/ABCD... is beside the folder of the entry. */
static const char *content_is_there(struct job *job, const char *name)
{
    const char *path = job->file->path, *slash = strrchr(path, '/');
    struct file file;

    if (!name || strlen(name) < 2 || !slash)
        return NULL;
    const struct slice folder = slice_of(path, (size_t)(slash - path));
    if (!slice_ends_nocase(folder, "/Entries"))
        return NULL;
    const char *content = arena_format(job->arena, "%.*s/ResourceData/%.2s/%s",
                                       (int)(folder.size - 8), path, name, name);
    return content && job_find(job, job->file->volume, content, &file) ? "true" : "false";
}

static const char *time_text(struct arena *arena, struct instant when)
{
    char text[INSTANT_TEXT_SIZE];

    return instant_known(when) ? arena_text(arena, slice_of_text(instant_format(when, text)))
                               : NULL;
}

static void tell(struct job *job, const struct defender_detection *detection,
                 const struct defender_resource *resource, struct slice content)
{
    struct arena *arena = job->arena;
    struct entry entry;

    entry_begin(&entry, job, KIND_defender_detection);
    if (instant_known(detection->detected))
        entry_time(&entry, detection->detected);
    entry.event.offset = resource->offset;
    entry.event.raw = content;
    entry.event.marks |= EVENT_FACT;
    if (detection->problem)
        entry.event.marks |= EVENT_REPAIRED;
    entry_add(&entry, "Threat Name", detection->threat);
    entry_add(&entry, "ThreatName", detection->threat);
    entry_add(&entry, "ThreatId", arena_format(arena, "%" PRIu64, detection->threat_id));
    entry_add(&entry, "DetectionId", detection->id);
    entry_add(&entry, "ResourceType", resource->type);
    entry_add(&entry, "Path", resource->path);
    entry_add(&entry, "Process Name", detection->process);
    entry_add(&entry, "User", detection->user);
    entry_add(&entry, "MD5", resource->md5);
    entry_add(&entry, "SHA1", resource->sha1);
    entry_add(&entry, "SHA256", resource->sha256);
    entry_add(&entry, "RemediationTime", time_text(arena, detection->remedied));
    entry_add(&entry, "ResourceData", content_is_there(job, resource->content_name));
    entry_emit(&entry);
}

static int parse(struct job *job)
{
    static const struct defender_resource nothing = {.type = NULL};
    const bool quarantine = slice_find_nocase(slice_of_text(job->file->path), 0,
                                              SLICE_LITERAL("/Quarantine/")) != SIZE_MAX;
    struct defender_detection *detection = arena_take(job->arena, sizeof *detection);
    struct slice content;

    if (!detection || entry_content(job, &content) < 0)
        return -1;
    if ((quarantine ? defender_quarantine_read(content, job->arena, detection)
                    : defender_history_read(content, job->arena, detection)) < 0) {
        if (content.size && !(job->file->flags & FILE_DELETED))
            entry_reject(job, KIND_defender_detection, content, error_text());
        return 0;
    }
    if (detection->problem)
        job_notice(job, 0, detection->problem);
    for (size_t i = 0; i < detection->resource_count; i++)
        tell(job, detection, &detection->resources[i], content);
    if (!detection->resource_count)
        tell(job, detection, &nothing, content);
    return 0;
}

static const char *const paths[] = {
    "ProgramData/Microsoft/Windows Defender/Scans/History/Service/DetectionHistory/**",
    "ProgramData/Microsoft/Windows Defender/Quarantine/Entries/*", NULL};
static const struct log_source sources[] = {
    {NULL, "windows", "windefend"}, {NULL, "windows", "defender-history"}, {NULL, NULL, NULL}};

extern const struct artifact artifact_defender_detection;
const struct artifact artifact_defender_detection = {
    .name = "defender_detection",
    .title = "Detections and quarantine of Defender",
    .paths = paths,
    .sources = sources,
    .keep = true,
    .deleted = true,
    .parse = parse,
};
