/*
 * Virtual PC / Hyper-V disks of the first generation: fixed and dynamic. Format: "Virtual Hard Disk
 * Image Format Specification" 1.0, Microsoft, 2006. All numbers are big-endian.
 */
#include "triage/base/error.h"
#include "triage/base/utf16.h"
#include "triage/evidence/image_methods.h"
#include "triage/evidence/segments.h"

#include <stdlib.h>
#include <string.h>

enum {
    SECTOR_SIZE = 512,
    FOOTER_SIZE = 512,
    HEADER_SIZE = 1024,
    BLOCK_MAX = 256 << 20,
    DISK_FIXED = 2,
    DISK_DYNAMIC = 3,
    DISK_DIFFERENCING = 4
};

#define BLOCK_UNUSED UINT32_MAX
/* Of a block whose entry cannot be right: outside of any file that is read. */
#define BLOCK_LOST    (UINT32_MAX - 1)
#define MEDIUM_MAX    (UINT64_C(1) << 52)
#define BITMAP_NOBODY UINT64_MAX

static const char cut_short[] = "the VHD file is cut short";
static const char bad_table[] =
    "an entry of the VHD's block table points where its block cannot be";

struct footer {
    uint64_t header_at, size;
    uint32_t kind;
};

struct vhd {
    struct image image;
    struct segments segments;
    const char **paths;
    uint32_t *blocks; /* first sector of each block's bitmap in the file, BLOCK_UNUSED for zeroes */
    uint32_t block_count, block_size, bitmap_size;
    uint8_t *bitmap; /* of block bitmap_of */
    uint64_t bitmap_of;
};

static struct vhd *vhd_of(struct image *image)
{
    return (struct vhd *)image;
}

/* The sum of all bytes but the checksum's own, inverted. */
static bool sum_holds(struct slice bytes, size_t sum_at)
{
    uint32_t sum = 0;
    struct cursor c = cursor_over(bytes, 0);

    for (size_t i = 0; i < bytes.size; i++)
        if (i < sum_at || i >= sum_at + 4)
            sum += bytes.data[i];
    cursor_skip(&c, sum_at);
    return cursor_u32be(&c) == ~sum;
}

static bool footer_parse(struct slice bytes, struct footer *footer)
{
    struct cursor c = cursor_over(bytes, 0);

    if (!slice_is(cursor_take(&c, 8), "conectix") || !sum_holds(bytes, 64))
        return false;
    cursor_skip(&c, 8);
    footer->header_at = cursor_u64be(&c);
    cursor_skip(&c, 24);
    footer->size = cursor_u64be(&c);
    cursor_skip(&c, 4);
    footer->kind = cursor_u32be(&c);
    return !cursor_failed(&c);
}

static bool footer_at(const struct segment *file, uint64_t at, size_t size, struct footer *footer)
{
    uint8_t bytes[FOOTER_SIZE] = {0};

    return segment_read(file, at, bytes, size) == (ssize_t)size &&
           footer_parse(slice_of(bytes, sizeof bytes), footer);
}

/* At the end; versions before Virtual PC 2004 wrote one byte less; dynamic disks have a copy at the
 * start. */
static int find_footer(const struct segment *file, struct footer *footer)
{
    bool found = (file->size >= FOOTER_SIZE &&
                  (footer_at(file, file->size - FOOTER_SIZE, FOOTER_SIZE, footer) ||
                   footer_at(file, file->size - FOOTER_SIZE + 1, FOOTER_SIZE - 1, footer))) ||
                 footer_at(file, 0, FOOTER_SIZE, footer);

    if (!found)
        return error_set("'%s' is a VHD whose footer is damaged, and no valid copy is there",
                         file->path);
    if (footer->size > MEDIUM_MAX)
        return error_set("'%s' is a VHD that claims an impossible size", file->path);
    return 0;
}

static int refuse_differencing(const struct segment *file, const struct footer *footer)
{
    uint8_t bytes[HEADER_SIZE], turned[512];
    struct buffer name = BUFFER_EMPTY;

    if (segment_read(file, footer->header_at, bytes, sizeof bytes) == (ssize_t)sizeof bytes &&
        !memcmp(bytes, "cxsparse", 8)) {
        for (size_t i = 0; i < sizeof turned; i++)
            turned[i] = bytes[64 + (i ^ 1)];
        utf16_append(&name, slice_of(turned, sizeof turned), true);
    }
    error_set(
        "'%s' is a differencing VHD and cannot be read without its parent '%s'; merge copies of "
        "both (Hyper-V: Merge-VHD, or qemu-img convert -O raw) and give the result",
        file->path, buffer_text(&name));
    buffer_release(&name);
    return -1;
}

static int header_parse(struct vhd *vhd, struct slice bytes, uint64_t *table_at)
{
    struct cursor c = cursor_over(bytes, 0);
    const char *path = vhd->segments.files[0].path;

    if (!slice_is(cursor_take(&c, 8), "cxsparse"))
        return error_set("'%s' is a dynamic VHD without its header", path);
    if (!sum_holds(bytes, 36))
        return error_set("'%s' is a dynamic VHD whose header is damaged (checksum)", path);
    cursor_skip(&c, 8);
    *table_at = cursor_u64be(&c);
    cursor_skip(&c, 4);
    vhd->block_count = cursor_u32be(&c);
    vhd->block_size = cursor_u32be(&c);
    if (cursor_failed(&c) || vhd->block_size < SECTOR_SIZE || vhd->block_size > BLOCK_MAX ||
        (vhd->block_size & (vhd->block_size - 1)))
        return error_set("'%s' is a dynamic VHD with an impossible block size", path);
    vhd->bitmap_size =
        (vhd->block_size / SECTOR_SIZE / 8 + SECTOR_SIZE - 1) / SECTOR_SIZE * SECTOR_SIZE;
    return 0;
}

/* Bytes of the medium that block `index` holds. */
static uint64_t block_part(const struct vhd *vhd, uint32_t index)
{
    uint64_t start = (uint64_t)index * vhd->block_size, size = vhd->image.container.size;

    if (start >= size)
        return 0;
    return size - start < vhd->block_size ? size - start : vhd->block_size;
}

/* Where the data of a used block lie, and how many of its bytes the file holds. */
static uint64_t block_present(const struct vhd *vhd, uint32_t index, uint64_t *at)
{
    uint64_t size = vhd->segments.files[0].size, part = block_part(vhd, index);

    *at = (uint64_t)vhd->blocks[index] * SECTOR_SIZE + vhd->bitmap_size;
    if (*at >= size)
        return 0;
    return size - *at < part ? size - *at : part;
}

/* First sector in the file, and where that stands in the table. */
struct block_place {
    uint32_t sector, index;
};

static int by_sector(const void *a, const void *b)
{
    const struct block_place *x = a, *y = b;

    return x->sector != y->sector ? (x->sector < y->sector ? -1 : 1)
                                  : (x->index > y->index) - (x->index < y->index);
}

static bool overlaps(const struct vhd *vhd, uint32_t sector, uint64_t at, uint64_t size)
{
    const uint64_t start = (uint64_t)sector * SECTOR_SIZE;

    return start < at + size && at < start + vhd->bitmap_size + vhd->block_size;
}

/* Blocks that would lie over one another, or over the header or the table, are nobody's: no data
 * are better than another block's. */
static int lose_impossible_blocks(struct vhd *vhd, uint64_t header_at, uint64_t table_at)
{
    struct block_place *places = calloc((size_t)vhd->block_count + 1, sizeof *places);
    size_t count = 0;

    if (!places)
        return error_set("out of memory");
    for (uint32_t i = 0; i < vhd->block_count; i++) {
        if (vhd->blocks[i] == BLOCK_UNUSED)
            continue;
        if (vhd->blocks[i] == 0 || overlaps(vhd, vhd->blocks[i], header_at, HEADER_SIZE) ||
            overlaps(vhd, vhd->blocks[i], table_at, (uint64_t)vhd->block_count * 4))
            vhd->blocks[i] = BLOCK_LOST;
        else
            places[count++] = (struct block_place){vhd->blocks[i], i};
    }
    qsort(places, count, sizeof *places, by_sector);
    for (size_t i = 0; i + 1 < count; i++)
        if (overlaps(vhd, places[i + 1].sector, (uint64_t)places[i].sector * SECTOR_SIZE,
                     (uint64_t)vhd->bitmap_size + vhd->block_size))
            vhd->blocks[places[i].index] = vhd->blocks[places[i + 1].index] = BLOCK_LOST;
    free(places);
    return 0;
}

/* Damage that shows without reading the blocks. */
static void note_absent_blocks(struct vhd *vhd)
{
    for (uint32_t i = 0; i < vhd->block_count; i++) {
        uint64_t at, part = block_part(vhd, i), present;
        if (vhd->blocks[i] == BLOCK_UNUSED || part == 0)
            continue;
        present = block_present(vhd, i, &at);
        if (present < part)
            image_add_damage(&vhd->image, (uint64_t)i * vhd->block_size + present, part - present,
                             present ? cut_short : bad_table);
    }
}

static int load_table(struct vhd *vhd, uint64_t header_at, uint64_t at)
{
    const struct segment *file = &vhd->segments.files[0];
    uint64_t needed = (vhd->image.container.size + vhd->block_size - 1) / vhd->block_size;
    uint8_t *bytes;
    ssize_t got;

    if (vhd->block_count > needed)
        vhd->block_count = (uint32_t)needed;
    if (at > file->size || (uint64_t)vhd->block_count * 4 > file->size - at)
        return error_set("'%s' is a dynamic VHD that is cut short within its block table",
                         file->path);
    vhd->blocks = calloc((size_t)vhd->block_count + 1, sizeof *vhd->blocks);
    vhd->bitmap = calloc(1, vhd->bitmap_size);
    if (!vhd->blocks || !vhd->bitmap)
        return error_set("out of memory");
    vhd->bitmap_of = BITMAP_NOBODY;
    bytes = (uint8_t *)vhd->blocks;
    got = segment_read(file, at, bytes, (size_t)vhd->block_count * 4);
    if (got < 0)
        return -1;
    struct cursor c = cursor_over(slice_of(bytes, (size_t)got), at);
    for (uint32_t i = 0; i < vhd->block_count;
         i++) /* in place: entry i is read before it is written */
        vhd->blocks[i] = cursor_u32be(&c);
    if (cursor_failed(&c))
        return error_set("'%s' became shorter", file->path);
    if (vhd->block_count < needed)
        image_add_damage(&vhd->image, (uint64_t)vhd->block_count * vhd->block_size,
                         vhd->image.container.size - (uint64_t)vhd->block_count * vhd->block_size,
                         "the VHD's block table is too short");
    if (lose_impossible_blocks(vhd, header_at, at) < 0)
        return -1;
    note_absent_blocks(vhd);
    return 0;
}

static bool load_bitmap(struct vhd *vhd, uint32_t index)
{
    if (vhd->bitmap_of == index)
        return true;
    vhd->bitmap_of = BITMAP_NOBODY;
    if (segment_read(&vhd->segments.files[0], (uint64_t)vhd->blocks[index] * SECTOR_SIZE,
                     vhd->bitmap, vhd->bitmap_size) != (ssize_t)vhd->bitmap_size)
        return false;
    vhd->bitmap_of = index;
    return true;
}

/* Zeroes the sectors that were never written: bit 0, the first sector being the highest bit. */
static void clear_unwritten(const struct vhd *vhd, uint64_t inside, uint8_t *bytes, size_t size)
{
    for (size_t done = 0; done < size;) {
        uint64_t sector = (inside + done) / SECTOR_SIZE;
        size_t part = SECTOR_SIZE - (size_t)((inside + done) % SECTOR_SIZE);
        if (part > size - done)
            part = size - done;
        if (!(vhd->bitmap[sector / 8] & 0x80 >> sector % 8))
            memset(bytes + done, 0, part);
        done += part;
    }
}

/* `size` bytes that all lie in block `index`. */
static int read_block(struct vhd *vhd, uint32_t index, uint64_t inside, uint8_t *bytes, size_t size)
{
    uint64_t at, present;
    size_t part;
    ssize_t got;

    memset(bytes, 0, size);
    if (index >= vhd->block_count) {
        vhd->image.damage_hits++;
        return 0;
    }
    if (vhd->blocks[index] == BLOCK_UNUSED)
        return 0;
    present = block_present(vhd, index, &at);
    part = inside >= present ? 0 : present - inside < size ? (size_t)(present - inside) : size;
    if (part && !load_bitmap(vhd, index))
        return error_set("'%s' cannot be read", vhd->segments.files[0].path);
    got = segment_read(&vhd->segments.files[0], at + inside, bytes, part);
    if (got < 0)
        return -1;
    if ((size_t)got < size) {
        vhd->image.damage_hits++;
        image_add_damage(&vhd->image, (uint64_t)index * vhd->block_size + inside + (size_t)got,
                         size - (size_t)got, cut_short);
    }
    clear_unwritten(vhd, inside, bytes, (size_t)got);
    return 0;
}

static ssize_t read_dynamic(struct image *image, uint64_t offset, void *buffer, size_t size)
{
    struct vhd *vhd = vhd_of(image);
    size_t done = 0;

    while (done < size) {
        uint64_t at = offset + done, inside = at % vhd->block_size;
        size_t part = size - done;
        if (part > vhd->block_size - inside)
            part = (size_t)(vhd->block_size - inside);
        uint64_t index = at / vhd->block_size;
        if (read_block(vhd, index > UINT32_MAX ? UINT32_MAX : (uint32_t)index, inside,
                       (uint8_t *)buffer + done, part) < 0)
            return -1;
        done += part;
    }
    return (ssize_t)done;
}

static ssize_t read_fixed(struct image *image, uint64_t offset, void *buffer, size_t size)
{
    ssize_t got = segment_read(&vhd_of(image)->segments.files[0], offset, buffer, size);

    if (got >= 0 && (size_t)got < size) {
        memset((char *)buffer + got, 0, size - (size_t)got);
        image->damage_hits++;
        image_add_damage(image, offset + (size_t)got, size - (size_t)got, cut_short);
    }
    return got < 0 ? -1 : (ssize_t)size;
}

static void close_vhd(struct image *image)
{
    struct vhd *vhd = vhd_of(image);

    segments_release(&vhd->segments);
    image_release_damage(image);
    free(vhd->paths);
    free(vhd->blocks);
    free(vhd->bitmap);
    free(vhd);
}

static const struct image_methods fixed_methods = {.read = read_fixed, .close = close_vhd};
static const struct image_methods dynamic_methods = {.read = read_dynamic, .close = close_vhd};

/* The footer of a fixed disk stands behind its data: where less than the whole disk is in front of
 * it, the file is a part that was cut out of a VHD, such as a partition up to the end, and not one
 * that is cut short. */
static int load_fixed(struct vhd *vhd)
{
    struct container *container = &vhd->image.container;
    uint64_t file_size = vhd->segments.files[0].size;
    uint64_t present = file_size < FOOTER_SIZE ? 0 : file_size - FOOTER_SIZE;

    container->format = "VHD (fixed)";
    if (present < container->size) {
        container->format = "raw, cut out of a VHD (fixed)";
        container->size = present;
    }
    return 0;
}

static int load_dynamic(struct vhd *vhd, const struct footer *footer)
{
    const struct segment *file = &vhd->segments.files[0];
    uint8_t bytes[HEADER_SIZE];
    uint64_t table_at = 0;
    ssize_t got = segment_read(file, footer->header_at, bytes, sizeof bytes);

    if (got < 0)
        return -1;
    vhd->image.methods = &dynamic_methods;
    vhd->image.container.format = "VHD (dynamic)";
    if (header_parse(vhd, slice_of(bytes, (size_t)got), &table_at) < 0)
        return -1;
    vhd->image.container.chunk_size = vhd->block_size;
    vhd->image.container.chunk_count =
        (vhd->image.container.size + vhd->block_size - 1) / vhd->block_size;
    return load_table(vhd, footer->header_at, table_at);
}

static int load(struct vhd *vhd, const char *path)
{
    struct container *container = &vhd->image.container;
    struct footer footer;

    if (segments_single(path, &vhd->segments) < 0 || segments_open(&vhd->segments) < 0 ||
        find_footer(&vhd->segments.files[0], &footer) < 0)
        return -1;
    vhd->paths = segments_paths(&vhd->segments);
    if (!vhd->paths)
        return error_set("out of memory");
    container->segments = vhd->paths;
    container->segment_count = 1;
    container->sector_size = SECTOR_SIZE;
    container->size = footer.size;
    switch (footer.kind) {
    case DISK_FIXED:
        return load_fixed(vhd);
    case DISK_DYNAMIC:
        return load_dynamic(vhd, &footer);
    case DISK_DIFFERENCING:
        return refuse_differencing(&vhd->segments.files[0], &footer);
    default:
        return error_set("'%s' is a VHD of unknown kind %u", path, footer.kind);
    }
}

int vhd_open(const char *path, struct image **out)
{
    struct vhd *vhd = calloc(1, sizeof *vhd);

    if (!vhd)
        return error_set("out of memory");
    vhd->image.methods = &fixed_methods;
    if (load(vhd, path) < 0) {
        close_vhd(&vhd->image);
        return -1;
    }
    *out = &vhd->image;
    return 0;
}
