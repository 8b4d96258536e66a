/* Which shape evidence has, and how it is opened; what differs is in partitions.c, sleuthkit.c and
 * folder.c. */
#include "triage/evidence/evidence_parts.h"

#include "triage/base/error.h"
#include "triage/evidence/folder.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

static bool is_image_name(const char *path)
{
    static const char *const endings[] = {".dd", ".raw", ".img", ".bin", ".001", ".000", ".iso"};

    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++)
        if (slice_ends_nocase(slice_of_text(path), endings[i]))
            return true;
    return false;
}

/* Logs that are numbered "name.0", "name.1" look like the parts of an image. */
static bool begins_as_text(struct image *image)
{
    uint8_t head[512];
    const ssize_t size = image_read(image, 0, head, sizeof head);

    for (ssize_t i = 0; i < size; i++)
        if (head[i] < ' ' && (!head[i] || !strchr("\t\r\n", head[i])))
            return false;
    return size > 0;
}

/*
 * Is a file without any container's signature a medium at all? Yes with a partition table or a
 * known volume in it, when it is one of several parts, or when it is called like one. Otherwise it
 * is an artifact.
 */
static bool is_medium(const struct evidence *evidence, const struct partition_table *table)
{
    const struct container *container = image_container(evidence->image);
    struct probe probe;

    if (table->count || (strcasecmp(container->format, "raw") != 0 &&
                         strcasecmp(container->format, "split raw") != 0))
        return true;
    if (container->segment_count > 1)
        return !begins_as_text(evidence->image);
    if (is_image_name(evidence->path))
        return true;
    return probe_volume(evidence->image, 0, container->size, &probe) == 0 &&
           probe.kind != PROBE_UNKNOWN && probe.kind != PROBE_EMPTY;
}

static int add_source(struct evidence *evidence, const struct folder_volume *found, size_t count,
                      const char *file_system)
{
    evidence->slots = calloc(count ? count : 1, sizeof *evidence->slots);
    if (!evidence->slots) {
        for (size_t i = 0; i < count; i++)
            found[i].source->methods->close(found[i].source);
        return error_set("out of memory");
    }
    evidence->slot_count = count;
    for (size_t i = 0; i < count; i++) {
        evidence->slots[i].live.source = found[i].source;
        evidence->slots[i].volume = (struct volume){
            .index = (uint32_t)i,
            .partition = found[i].text,
            .file_system = file_system,
            .label = "",
            .drive_hint = found[i].drive_hint,
        };
    }
    return 0;
}

static int open_single(struct evidence *evidence)
{
    struct folder_volume found = {.text = "single file"};

    evidence->shape = EVIDENCE_SINGLE_FILE;
    if (single_file_open(evidence->path, &found.source) < 0)
        return -1;
    return add_source(evidence, &found, 1, "file");
}

static int open_image(struct evidence *evidence)
{
    struct partition_table table;

    if (image_open(evidence->path, &evidence->image) < 0 ||
        partitions_read(evidence->image, evidence->arena, &table) < 0)
        return -1;
    if (!is_medium(evidence, &table)) {
        image_close(evidence->image);
        evidence->image = NULL;
        return open_single(evidence);
    }
    evidence->shape = EVIDENCE_IMAGE;
    evidence->medium = medium_new(evidence->image);
    return evidence->medium ? evidence_open_volumes(evidence, &table) : -1;
}

static int open_folder(struct evidence *evidence)
{
    struct folder_volume found[FOLDER_VOLUMES_MAX];
    size_t count;

    evidence->shape = EVIDENCE_FOLDER;
    if (folder_open(evidence->path, found, &count) < 0)
        return -1;
    return add_source(evidence, found, count, "folder");
}

static struct evidence *evidence_new(const char *path)
{
    struct evidence *evidence = calloc(1, sizeof *evidence);

    if (!evidence) {
        error_set("out of memory");
        return NULL;
    }
    evidence->path = strdup(path);
    evidence->arena = arena_new(0);
    if (evidence->path && evidence->arena)
        return evidence;
    error_set("out of memory");
    evidence_close(evidence);
    return NULL;
}

int evidence_open(const char *path, struct evidence **out)
{
    return evidence_open_with(path, NULL, out);
}

int evidence_open_with(const char *path, const struct bitlocker_keys *keys, struct evidence **out)
{
    struct stat status;

    if (stat(path, &status) < 0)
        return error_set_errno("evidence '%s'", path);
    struct evidence *evidence = evidence_new(path);
    if (!evidence)
        return -1;
    evidence->keys = keys;
    if ((S_ISDIR(status.st_mode) ? open_folder(evidence) : open_image(evidence)) < 0) {
        evidence_close(evidence);
        return -1;
    }
    evidence->keys = NULL;
    *out = evidence;
    return 0;
}

void evidence_close(struct evidence *evidence)
{
    if (!evidence)
        return;
    for (size_t i = 0; i < evidence->slot_count; i++) {
        struct volume_slot *slot = &evidence->slots[i];
        snapshots_free(slot->snapshots);
        view_release(&slot->live);
        medium_free(slot->medium);
        image_close(slot->opened);
    }
    free(evidence->slots);
    medium_free(evidence->medium);
    if (evidence->image)
        image_close(evidence->image);
    arena_free(evidence->arena);
    free(evidence->path);
    free(evidence);
}
