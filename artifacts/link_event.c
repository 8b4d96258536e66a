#include "artifacts/link_event.h"

#include <inttypes.h>
#include <string.h>
#include <strings.h>

static void add_volume(struct entry *entry, struct arena *arena, const struct shell_link *link)
{
    if (!link->has_volume)
        return;
    entry_add(entry, "DriveType", link->drive_type);
    entry_add(entry, "VolumeSerial",
              arena_format(arena, "%04X-%04X", link->serial >> 16, link->serial & 0xffff));
    entry_add(entry, "VolumeLabel", link->volume_label);
}

static void add_tracker(struct entry *entry, const struct shell_link *link)
{
    entry_add(entry, "MachineId", link->machine);
    entry_add(entry, "MacAddress", link->mac);
    entry_add(entry, "DroidVolume", link->droid.volume);
    entry_add(entry, "DroidFile", link->droid.file);
    if (strcmp(link->birth.volume, link->droid.volume) != 0)
        entry_add(entry, "BirthDroidVolume", link->birth.volume);
    if (strcmp(link->birth.file, link->droid.file) != 0)
        entry_add(entry, "BirthDroidFile", link->birth.file);
}

void link_add(struct entry *entry, struct arena *arena, const struct shell_link *link)
{
    const char *target = shell_link_target(link);

    entry_add(entry, "LinkTarget", target);
    entry_add(entry, "Arguments", link->arguments);
    if (*target)
        entry_add(
            entry, "CommandLine",
            arena_format(arena, "%s%s%s", target, *link->arguments ? " " : "", link->arguments));
    entry_add(entry, "WorkingDirectory", link->folder);
    entry_add(entry, "Description", link->description);
    entry_add(entry, "RelativePath", link->relative_path);
    entry_add(entry, "IconLocation", link->icon);
    entry_add(entry, "NetworkShare", link->share);
    entry_add_time(entry, arena, "TargetCreated", link->created);
    entry_add_time(entry, arena, "TargetModified", link->modified);
    entry_add_time(entry, arena, "TargetAccessed", link->accessed);
    if (link->size)
        entry_add(entry, "TargetSize", arena_format(arena, "%" PRIu32, link->size));
    if (*link->local_path)
        entry_add(entry, "TargetOnDisk", entry_program_on_disk(entry->job, link->local_path));
    add_volume(entry, arena, link);
    add_tracker(entry, link);
    if (link->run_as_administrator)
        entry_add(entry, "RunLevel", "HighestAvailable");
}

/* The part of the path behind `folder`, which must be a whole part of it; NULL when it is not. */
static const char *behind(const char *path, const char *folder)
{
    const size_t size = strlen(folder);

    for (const char *at = path; (at = strcasestr(at, folder)); at++)
        if (at == path || at[-1] == '/')
            return at + size;
    return NULL;
}

const char *link_profile(struct arena *arena, const char *path)
{
    static const char *const folders[] = {"Users/", "Documents and Settings/", "ServiceProfiles/"};

    if (behind(path, "systemprofile/"))
        return "systemprofile";
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        const char *name = behind(path, folders[i]);
        const char *end = name ? strchr(name, '/') : NULL;
        if (end)
            return arena_text(arena, slice_of(name, (size_t)(end - name)));
    }
    return NULL;
}
