/* Files and streams of evidence, behind one set of functions whatever its shape. */
#include "triage/evidence/evidence_parts.h"

#include "triage/base/error.h"

#include <string.h>

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

static struct volume_slot *slot_of(struct evidence *evidence, uint32_t volume)
{
    struct volume_slot *slot = volume < evidence->slot_count ? &evidence->slots[volume] : NULL;

    if (!slot)
        error_set("there is no volume %u", volume);
    else if (!slot->live.source)
        error_set("volume %u: %s", volume, slot->volume.problem);
    return slot && slot->live.source ? slot : NULL;
}

/* A state of the volume that can be read; NULL with error_text. */
static struct view *view_of(struct evidence *evidence, uint32_t volume, uint32_t snapshot)
{
    struct volume_slot *slot = slot_of(evidence, volume);
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
    struct volume_slot *slot = index < evidence->slot_count ? &evidence->slots[index] : NULL;

    if (slot && slot->snapshots && !slot->volume.snapshot_problem &&
        snapshots_list(slot->snapshots, &slot->volume.snapshots, &slot->volume.snapshot_count) < 0)
        slot->volume.snapshot_problem = evidence_problem(evidence);
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
    struct volume_slot *slot = slot_of(evidence, volume);
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
