/* The volumes of an image: what lies in each, and the file systems mounted. */
#include "triage/evidence/evidence_parts.h"

#include "triage/base/error.h"

#include <stdlib.h>
#include <string.h>

const char *evidence_problem(struct evidence *evidence)
{
    const char *copy = arena_text(evidence->arena, slice_of_text(error_text()));

    return copy ? copy : "out of memory";
}

/* What a partition is, in the words of its table or of the container. */
static void describe(struct volume_slot *slot, size_t index, const struct partition *partition,
                     const struct partition_table *table)
{
    slot->volume = (struct volume){
        .index = (uint32_t)index,
        .offset = partition->offset,
        .size = partition->size,
        .partition = partition->text,
        .file_system = "",
        .label = "",
        .sector_size = table->sector_size,
        .disk_signature = table->disk_signature,
        .problem = partition->problem,
        .vacant = partition->vacant,
        .notice = table->notice,
    };
    memcpy(slot->volume.partition_guid, partition->guid, sizeof partition->guid);
}

/* Cuts the volume to the medium. False when it lies outside of it. */
static bool fit_to_medium(const struct evidence *evidence, struct volume *volume)
{
    const uint64_t medium = image_container(evidence->image)->size;

    if (volume->offset >= medium) {
        volume->problem = "it lies behind the end of the medium; the image is cut short";
        return false;
    }
    if (volume->size > medium - volume->offset) {
        volume->size = medium - volume->offset;
        volume->notice = "the medium ends before the volume does; what is missing reads as zeroes";
    }
    return true;
}

/* Where the bytes of a volume's file system lie: on the medium, or on one of its own. */
struct place {
    struct image *image;
    struct medium *medium;
    uint64_t offset, size;
};

/* Starts what reads the volume's shadow copies, when it has some. */
static int find_snapshots(struct evidence *evidence, struct volume_slot *slot,
                          const struct place *place)
{
    const struct shadow_volume volume = {place->image, place->offset, place->size};

    if (!shadow_is_there(&volume))
        return 0;
    slot->snapshots = snapshots_new(&volume, evidence->arena);
    return slot->snapshots ? 0 : -1;
}

/* Opens an encrypted volume, whose file system then begins at byte 0 of a medium of its own. -1
 * with error_text. */
static int open_encrypted(struct evidence *evidence, struct volume_slot *slot, struct place *place)
{
    const char *method;

    if (bitlocker_open(place->image, place->offset, place->size, evidence->keys, &slot->opened,
                       &method) < 0)
        return -1;
    slot->medium = medium_new(slot->opened);
    if (!slot->medium)
        return -1;
    *place = (struct place){slot->opened, slot->medium, 0, image_container(slot->opened)->size};
    slot->volume.notice = arena_format(
        evidence->arena, "it is encrypted with BitLocker (%s) and was opened with a key", method);
    return 0;
}

/* What lies in the volume, and where. -1 with error_text. */
static int look_into(struct evidence *evidence, struct volume_slot *slot, struct place *place,
                     struct probe *probe)
{
    if (probe_volume(place->image, place->offset, place->size, probe) < 0)
        return -1;
    if (probe->kind != PROBE_BITLOCKER)
        return 0;
    return open_encrypted(evidence, slot, place) < 0
               ? -1
               : probe_volume(place->image, place->offset, place->size, probe);
}

static void describe_file_system(struct volume *volume, const struct probe *probe)
{
    volume->serial = probe->serial;
    volume->cluster_size = probe->cluster_size;
    if (probe->sector_size)
        volume->sector_size = probe->sector_size;
    if (probe->volume_size > volume->size)
        volume->notice = "the file system is larger than its volume; the image may be cut short";
}

/* The volume stays where it is on the disk; only who reads it sees the place. */
static int mount_at(struct evidence *evidence, struct volume_slot *slot, const struct place *place,
                    const struct probe *probe)
{
    struct volume placed = slot->volume;

    placed.offset = place->offset;
    placed.size = place->size;
    const int result =
        sleuthkit_mount(place->medium, probe, evidence->arena, &placed, &slot->live.source);
    placed.offset = slot->volume.offset;
    placed.size = slot->volume.size;
    slot->volume = placed;
    return result;
}

static int mount_volume(struct evidence *evidence, struct volume_slot *slot)
{
    struct volume *volume = &slot->volume;
    struct probe probe;

    if (volume->problem || !fit_to_medium(evidence, volume))
        return 0;
    struct place place = {evidence->image, evidence->medium, volume->offset, volume->size};
    if (look_into(evidence, slot, &place, &probe) < 0) {
        volume->problem = evidence_problem(evidence);
        return 0;
    }
    if (probe.problem) {
        volume->problem = probe.problem;
        return 0;
    }
    describe_file_system(volume, &probe);
    if (mount_at(evidence, slot, &place, &probe) < 0) {
        volume->problem = evidence_problem(evidence);
        return 0;
    }
    return probe.kind == PROBE_NTFS ? find_snapshots(evidence, slot, &place) : 0;
}

int evidence_open_volumes(struct evidence *evidence, struct partition_table *table)
{
    struct partition whole = {.size = image_container(evidence->image)->size, .text = ""};

    if (table->count == 0) {
        table->partitions = &whole;
        table->count = 1;
    }
    evidence->slots = calloc(table->count, sizeof *evidence->slots);
    if (!evidence->slots)
        return error_set("out of memory");
    evidence->slot_count = table->count;
    for (size_t i = 0; i < table->count; i++) {
        describe(&evidence->slots[i], i, &table->partitions[i], table);
        if (mount_volume(evidence, &evidence->slots[i]) < 0)
            return -1;
    }
    return 0;
}
