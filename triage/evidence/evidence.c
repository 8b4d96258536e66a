/* Evidence of every shape behind one set of functions; what differs is in partitions.c, sleuthkit.c
 * and folder.c. */
#include "triage/evidence/evidence.h"

#include "triage/base/error.h"
#include "triage/evidence/folder.h"
#include "triage/evidence/partitions.h"
#include "triage/evidence/sleuthkit.h"
#include "triage/evidence/snapshots.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

struct slot {
    struct volume volume;
    struct view live;            /* without a source when the volume has a problem */
    struct snapshots *snapshots; /* NULL without shadow copies */
    struct image *opened;        /* an encrypted volume's own medium; NULL for the others */
    struct medium *medium;       /* of `opened` */
};

struct evidence {
    enum evidence_shape shape;
    char *path;
    const struct bitlocker_keys *keys; /* while it is being opened */
    struct arena *arena;               /* texts of the volumes */
    struct image *image;
    struct medium *medium;
    struct slot *slots;
    size_t slot_count;
};

/* ---- images ---- */

static const char *problem_of(struct evidence *evidence, const char *text)
{
    const char *copy = arena_text(evidence->arena, slice_of_text(text));

    return copy ? copy : "out of memory";
}

/* What a partition is, in the words of its table or of the container. */
static void describe(struct slot *slot, size_t index, const struct partition *partition,
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
static int find_snapshots(struct evidence *evidence, struct slot *slot, const struct place *place)
{
    const struct shadow_volume volume = {place->image, place->offset, place->size};

    if (!shadow_is_there(&volume))
        return 0;
    slot->snapshots = snapshots_new(&volume, evidence->arena);
    return slot->snapshots ? 0 : -1;
}

/* Opens an encrypted volume, whose file system then begins at byte 0 of a medium of its own. -1
 * with error_text. */
static int open_encrypted(struct evidence *evidence, struct slot *slot, struct place *place)
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
static int look_into(struct evidence *evidence, struct slot *slot, struct place *place,
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
static int mount_at(struct evidence *evidence, struct slot *slot, const struct place *place,
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

static int mount_volume(struct evidence *evidence, struct slot *slot)
{
    struct volume *volume = &slot->volume;
    struct probe probe;

    if (volume->problem || !fit_to_medium(evidence, volume))
        return 0;
    struct place place = {evidence->image, evidence->medium, volume->offset, volume->size};
    if (look_into(evidence, slot, &place, &probe) < 0) {
        volume->problem = problem_of(evidence, error_text());
        return 0;
    }
    if (probe.problem) {
        volume->problem = probe.problem;
        return 0;
    }
    describe_file_system(volume, &probe);
    if (mount_at(evidence, slot, &place, &probe) < 0) {
        volume->problem = problem_of(evidence, error_text());
        return 0;
    }
    return probe.kind == PROBE_NTFS ? find_snapshots(evidence, slot, &place) : 0;
}

static int open_volumes(struct evidence *evidence, struct partition_table *table)
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
    return evidence->medium ? open_volumes(evidence, &table) : -1;
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

/* ---- the handle ---- */

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
        struct slot *slot = &evidence->slots[i];
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

const char *evidence_path(const struct evidence *evidence)
{
    return evidence->path;
}

enum evidence_shape evidence_shape(const struct evidence *evidence)
{
    return evidence->shape;
}

const struct container *evidence_container(const struct evidence *evidence)
{
    return evidence->image ? image_container(evidence->image) : NULL;
}

size_t evidence_volume_count(const struct evidence *evidence)
{
    return evidence->slot_count;
}

const struct volume *evidence_volume(const struct evidence *evidence, size_t index)
{
    return index < evidence->slot_count ? &evidence->slots[index].volume : NULL;
}

const struct damage *evidence_damage(const struct evidence *evidence, size_t *count)
{
    *count = 0;
    return evidence->image ? image_damage(evidence->image, count) : NULL;
}

/* ---- files ---- */

static struct slot *slot_of(struct evidence *evidence, uint32_t volume)
{
    struct slot *slot = volume < evidence->slot_count ? &evidence->slots[volume] : NULL;

    if (!slot)
        error_set("there is no volume %u", volume);
    else if (!slot->live.source)
        error_set("volume %u: %s", volume, slot->volume.problem);
    return slot && slot->live.source ? slot : NULL;
}

/* A state of the volume that can be read; NULL with error_text. */
static struct view *view_of(struct evidence *evidence, uint32_t volume, uint32_t snapshot)
{
    struct slot *slot = slot_of(evidence, volume);
    struct view *view;

    if (!slot || !snapshot)
        return slot ? &slot->live : NULL;
    view = slot->snapshots ? snapshots_view(slot->snapshots, snapshot) : NULL;
    if (!slot->snapshots)
        error_set("volume %u has no shadow copies", volume);
    else if (!view)
        error_prefix("volume %u", volume);
    return view;
}

static struct listing *listing_of(struct evidence *evidence, uint32_t volume, uint32_t snapshot)
{
    struct view *view = view_of(evidence, volume, snapshot);

    if (!view)
        return NULL;
    if (!view->listing && view->source->methods->list(view->source, &view->listing) < 0) {
        error_prefix("volume %u", volume);
        return NULL;
    }
    return view->listing;
}

const struct volume *evidence_snapshots(struct evidence *evidence, size_t index)
{
    struct slot *slot = index < evidence->slot_count ? &evidence->slots[index] : NULL;

    if (slot && slot->snapshots && !slot->volume.snapshot_problem &&
        snapshots_list(slot->snapshots, &slot->volume.snapshots, &slot->volume.snapshot_count) < 0)
        slot->volume.snapshot_problem = problem_of(evidence, error_text());
    return slot ? &slot->volume : NULL;
}

struct visitor {
    uint32_t volume, snapshot;
    int (*visit)(void *context, const struct file *file);
    void *context;
};

static int visit_in_volume(void *context, const struct file *file)
{
    const struct visitor *visitor = context;
    struct file placed = *file;

    placed.volume = visitor->volume;
    placed.snapshot = visitor->snapshot;
    return visitor->visit(visitor->context, &placed);
}

int evidence_list_snapshot(struct evidence *evidence, uint32_t volume, uint32_t snapshot,
                           int (*visit)(void *context, const struct file *file), void *context,
                           uint64_t *unreadable)
{
    struct listing *listing = listing_of(evidence, volume, snapshot);
    struct visitor visitor = {volume, snapshot, visit, context};

    if (!listing)
        return -1;
    if (unreadable)
        *unreadable = listing_unreadable(listing);
    return listing_walk(listing, visit_in_volume, &visitor);
}

int evidence_list(struct evidence *evidence, uint32_t volume,
                  int (*visit)(void *context, const struct file *file), void *context,
                  uint64_t *unreadable)
{
    return evidence_list_snapshot(evidence, volume, 0, visit, context, unreadable);
}

bool evidence_find_snapshot(struct evidence *evidence, uint32_t volume, uint32_t snapshot,
                            const char *path, struct arena *arena, struct file *file)
{
    struct listing *listing = listing_of(evidence, volume, snapshot);

    if (!listing || !listing_find(listing, path, arena, file))
        return false;
    file->volume = volume;
    file->snapshot = snapshot;
    return true;
}

bool evidence_find(struct evidence *evidence, uint32_t volume, const char *path,
                   struct arena *arena, struct file *file)
{
    return evidence_find_snapshot(evidence, volume, 0, path, arena, file);
}

static bool same_times(const struct macb *one, const struct macb *other)
{
    return one->modified.ticks == other->modified.ticks &&
           one->accessed.ticks == other->accessed.ticks &&
           one->changed.ticks == other->changed.ticks && one->created.ticks == other->created.ticks;
}

/* The same entry, of the same file, at the same path when it is not deleted. */
static bool is_listed_live(struct listing *live, const struct file *file)
{
    const struct listing_entry *entry =
        file->address < listing_count(live) ? listing_look(live, (uint32_t)file->address) : NULL;
    const uint32_t deleted = entry ? entry->flags & FILE_DELETED : 0;
    struct arena *arena;
    struct file found;

    if (!entry || entry->sequence != file->sequence || deleted != (file->flags & FILE_DELETED) ||
        !same_times(&entry->si, &file->si))
        return false;
    if (deleted)
        return listing_has_stream(live, (uint32_t)file->address, slice_of_text(file->stream));
    if (!(arena = arena_new(0)))
        return false;
    const char *path =
        file->stream ? arena_format(arena, "%s:%s", file->path, file->stream) : file->path;
    const bool same = path && listing_find(live, path, arena, &found) &&
                      found.address == file->address && found.size == file->size;
    arena_free(arena);
    return same;
}

bool evidence_is_unchanged(struct evidence *evidence, const struct file *file)
{
    struct listing *live = listing_of(evidence, file->volume, 0);
    struct stream *kept = NULL, *now = NULL;
    struct file same = *file;
    bool unchanged = false;

    if (!file->snapshot || !live || !is_listed_live(live, file))
        return false;
    same.snapshot = 0;
    if (evidence_open_stream(evidence, file, &kept) == 0 &&
        evidence_open_stream(evidence, &same, &now) == 0)
        unchanged = snapshots_same_content(evidence->slots[file->volume].snapshots, file->snapshot,
                                           kept, now);
    stream_close(kept);
    stream_close(now);
    return unchanged;
}

bool evidence_owner(struct evidence *evidence, const struct file *file, char *text, size_t size)
{
    struct view *view = view_of(evidence, file->volume, file->snapshot);

    return view && view->source->methods->owner &&
           view->source->methods->owner(view->source, file, text, size);
}

static int open_free(struct view *view, uint32_t volume, struct stream **out)
{
    if (!view->source->methods->open_free)
        return error_set("volume %u: what is free cannot be told", volume);
    return view->source->methods->open_free(view->source, out);
}

int evidence_open_stream(struct evidence *evidence, const struct file *file, struct stream **out)
{
    struct view *view = view_of(evidence, file->volume, file->snapshot);

    if (view && file->flags & FILE_UNALLOCATED)
        return open_free(view, file->volume, out);
    return view ? view->source->methods->open_stream(view->source, file, out) : -1;
}

int evidence_open_unallocated(struct evidence *evidence, uint32_t volume, struct stream **out)
{
    struct view *view = view_of(evidence, volume, 0);

    return view ? open_free(view, volume, out) : -1;
}

/* In a folder the $MFT is a file like any other; it has to be looked for. */
static int find_mft(struct evidence *evidence, uint32_t volume, struct file *file)
{
    return evidence_find(evidence, volume, "$MFT", evidence->arena, file)
               ? 0
               : error_set("volume %u has no $MFT", volume);
}

int evidence_open_mft(struct evidence *evidence, uint32_t volume, uint32_t snapshot,
                      struct stream **out)
{
    struct slot *slot = slot_of(evidence, volume);
    struct file file = {.path = "$MFT", .volume = volume, .snapshot = snapshot};

    if (!slot)
        return -1;
    if (evidence->shape == EVIDENCE_IMAGE && strcmp(slot->volume.file_system, "NTFS") != 0)
        return error_set("volume %u is not NTFS", volume);
    if (evidence->shape != EVIDENCE_IMAGE && find_mft(evidence, volume, &file) < 0)
        return -1;
    return evidence_open_stream(evidence, &file, out);
}

void stream_close(struct stream *stream)
{
    if (stream)
        stream->methods->close(stream);
}

uint64_t stream_size(const struct stream *stream)
{
    return stream->size;
}

ssize_t stream_read(struct stream *stream, uint64_t offset, void *buffer, size_t size)
{
    const uint64_t left = offset < stream->size ? stream->size - offset : 0;

    if (size > left)
        size = (size_t)left;
    return size ? stream->methods->read(stream, offset, buffer, size) : 0;
}

bool stream_data(struct stream *stream, uint64_t offset, uint64_t *start, uint64_t *size)
{
    if (offset >= stream->size)
        return false;
    if (stream->methods->data)
        return stream->methods->data(stream, offset, start, size);
    *start = offset;
    *size = stream->size - offset;
    return true;
}

uint64_t stream_lost(const struct stream *stream)
{
    return stream->lost;
}

bool stream_damaged(const struct stream *stream)
{
    return stream->damaged;
}
