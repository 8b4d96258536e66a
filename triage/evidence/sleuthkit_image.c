/* Images that libtsk opens: VMDK and VHDX. */
#include "triage/evidence/sleuthkit_parts.h"

#include "triage/base/error.h"

#include <stdlib.h>
#include <string.h>

enum { PIECE_SIZE = 64 * 1024 }; /* read one by one where it is damaged */

struct tsk_image {
    struct image image;
    TSK_IMG_INFO *info;
    char *path;
    const char *segments[1];
};

static const char beyond_file[] = "the virtual disk's file is cut short or damaged";

/* Bytes of one piece; what libtsk cannot read is damage and zeroes. */
static void read_disk_piece(struct tsk_image *self, uint64_t offset, uint8_t *bytes, size_t size)
{
    const ssize_t got = tsk_img_read(self->info, (TSK_OFF_T)offset, (char *)bytes, size);
    const size_t good = got < 0 ? 0 : (size_t)got;

    if (good >= size)
        return;
    memset(bytes + good, 0, size - good);
    self->image.damage_hits++;
    image_add_damage(&self->image, offset + good, size - good, beyond_file);
    tsk_error_reset();
}

static ssize_t tsk_image_read(struct image *image, uint64_t offset, void *buffer, size_t size)
{
    struct tsk_image *self = (struct tsk_image *)image;
    size_t part;

    if (tsk_img_read(self->info, (TSK_OFF_T)offset, buffer, size) == (ssize_t)size)
        return (ssize_t)size;
    for (size_t done = 0; done < size; done += part) { /* only what cannot be read is lost */
        part = PIECE_SIZE - (size_t)((offset + done) % PIECE_SIZE);
        if (part > size - done)
            part = size - done;
        read_disk_piece(self, offset + done, (uint8_t *)buffer + done, part);
    }
    return (ssize_t)size;
}

static void tsk_image_close(struct image *image)
{
    struct tsk_image *self = (struct tsk_image *)image;

    tsk_img_close(self->info);
    free(image->damage);
    free(self->path);
    free(self);
}

static const struct image_methods tsk_image_methods = {
    .read = tsk_image_read,
    .close = tsk_image_close,
};

static void fill_tsk_image(struct tsk_image *self, const char *format)
{
    self->segments[0] = self->path;
    self->image.methods = &tsk_image_methods;
    self->image.container.format = format;
    self->image.container.size = (uint64_t)self->info->size;
    self->image.container.sector_size = self->info->sector_size ? self->info->sector_size : 512;
    self->image.container.segments = self->segments;
    self->image.container.segment_count = 1;
}

/* A disk whose very first bytes cannot be read has lost its tables, not some data. */
static bool starts_readable(const struct tsk_image *self)
{
    char bytes[512];

    return tsk_img_read(self->info, 0, bytes, sizeof bytes) > 0;
}

int sleuthkit_image_open(const char *path, const char *format, struct image **out)
{
    const bool vmdk = strncmp(format, "VMDK", 4) == 0;
    struct tsk_image *self = calloc(1, sizeof *self);
    char *copy = strdup(path);

    if (!self || !copy) {
        free(self);
        free(copy);
        return error_set("out of memory");
    }
    self->path = copy;
    self->info =
        tsk_img_open_utf8_sing(path, vmdk ? TSK_IMG_TYPE_VMDK_VMDK : TSK_IMG_TYPE_VHD_VHD, 0);
    if (!self->info || self->info->size <= 0 || !starts_readable(self)) {
        error_set("'%s' cannot be read as %s: %s", path, format, sleuthkit_reason());
        tsk_image_close(&self->image);
        return -1;
    }
    fill_tsk_image(self, format);
    *out = &self->image;
    return 0;
}
