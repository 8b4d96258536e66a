#include "triage/evidence/image.h"

#include "triage/base/error.h"
#include "triage/evidence/image_methods.h"
#include "triage/evidence/signature.h"

#include <stdlib.h>
#include <string.h>

int image_open(const char *path, struct image **out)
{
    enum signature signature;

    if (signature_detect(path, &signature) < 0)
        return -1;
    switch (signature) {
    case SIGNATURE_EWF:
        return ewf_open(path, out);
    case SIGNATURE_VHD:
        return vhd_open(path, out);
    case SIGNATURE_VHDX:
        return sleuthkit_image_open(path, "VHDX", out);
    case SIGNATURE_VMDK:
        return sleuthkit_image_open(path, "VMDK", out);
    default:
        return raw_open(path, out);
    }
}

void image_close(struct image *image)
{
    if (image)
        image->methods->close(image);
}

const struct container *image_container(const struct image *image)
{
    return &image->container;
}

ssize_t image_read(struct image *image, uint64_t offset, void *buffer, size_t size)
{
    uint64_t all = image->container.size;

    if (offset >= all)
        return 0;
    if (size > all - offset)
        size = (size_t)(all - offset);
    return image->methods->read(image, offset, buffer, size);
}

const struct damage *image_damage(const struct image *image, size_t *count)
{
    *count = image->damage_count;
    return image->damage;
}

uint64_t image_damage_hits(const struct image *image)
{
    return image->damage_hits;
}

/* Index of the first range that ends behind `offset`. */
static size_t range_after(const struct image *image, uint64_t offset)
{
    size_t low = 0, high = image->damage_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct damage *range = &image->damage[middle];
        if (range->offset + range->size > offset)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

static bool make_room(struct image *image)
{
    size_t room = image->damage_room ? 2 * image->damage_room : 16;
    struct damage *grown;

    if (image->damage_count < image->damage_room)
        return true;
    grown = realloc(image->damage, room * sizeof *grown);
    if (!grown)
        return false;
    image->damage = grown;
    image->damage_room = room;
    return true;
}

static bool joins(const struct damage *before, const struct damage *after)
{
    return before->offset + before->size == after->offset && !strcmp(before->why, after->why);
}

static void remove_range(struct image *image, size_t at)
{
    memmove(&image->damage[at], &image->damage[at + 1],
            (image->damage_count - at - 1) * sizeof *image->damage);
    image->damage_count--;
}

/* Puts a range that overlaps no other in its place, joined with its neighbours where the reason is
 * the same. */
static void insert_range(struct image *image, size_t at, struct damage range)
{
    struct damage *ranges = image->damage;

    if (at > 0 && joins(&ranges[at - 1], &range)) {
        ranges[at - 1].size += range.size;
        if (at < image->damage_count && joins(&ranges[at - 1], &ranges[at])) {
            ranges[at - 1].size += ranges[at].size;
            remove_range(image, at);
        }
        return;
    }
    if (at < image->damage_count && joins(&range, &ranges[at])) {
        ranges[at].offset = range.offset;
        ranges[at].size += range.size;
        return;
    }
    if (!make_room(image)) { /* rather too much damage than too little: stretch the neighbour */
        if (at > 0)
            ranges[at - 1].size = range.offset + range.size - ranges[at - 1].offset;
        return;
    }
    ranges = image->damage;
    memmove(&ranges[at + 1], &ranges[at], (image->damage_count - at) * sizeof *ranges);
    ranges[at] = range;
    image->damage_count++;
}

void image_add_damage(struct image *image, uint64_t offset, uint64_t size, const char *why)
{
    uint64_t end = size > UINT64_MAX - offset ? UINT64_MAX : offset + size;

    while (offset < end) { /* only the parts that are not known yet */
        size_t at = range_after(image, offset);
        uint64_t stop = end;
        if (at < image->damage_count) {
            const struct damage *range = &image->damage[at];
            if (range->offset <= offset) {
                offset = range->offset + range->size;
                continue;
            }
            if (range->offset < stop)
                stop = range->offset;
        }
        insert_range(image, at, (struct damage){offset, stop - offset, why});
        offset = stop;
    }
}

void image_release_damage(struct image *image)
{
    free(image->damage);
    image->damage = NULL;
    image->damage_count = image->damage_room = 0;
}
