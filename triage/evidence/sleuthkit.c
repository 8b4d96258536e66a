/*
 * libtsk's home are the files triage/evidence/sleuthkit*.c: file systems over our own image
 * callbacks (tsk_img_open_external), and VMDK and VHDX images. Here: the medium that libtsk sees,
 * and mounting.
 */
#include "triage/evidence/sleuthkit_parts.h"

#include "triage/base/error.h"
#include "triage/base/utf16.h"
#include "triage/evidence/mft.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

const char *sleuthkit_reason(void)
{
    static _Thread_local char text[512];
    const char *reason = tsk_error_get();

    snprintf(text, sizeof text, "%s", reason && *reason ? reason : "libtsk gives no reason");
    tsk_error_reset();
    return text;
}

/* ---- the medium ---- */

static void apply_overlay(const struct overlay *overlay, uint64_t offset, uint8_t *bytes,
                          size_t size)
{
    const uint64_t start = overlay->offset > offset ? overlay->offset : offset;
    const uint64_t overlay_end = overlay->offset + overlay->size, end = offset + size;
    const uint64_t stop = overlay_end < end ? overlay_end : end;

    if (start < stop)
        memcpy(bytes + (start - offset), overlay->bytes + (start - overlay->offset), stop - start);
}

ssize_t medium_bytes(struct medium *medium, uint64_t offset, void *buffer, size_t size)
{
    const ssize_t got = image_read(medium->image, offset, buffer, size);

    for (size_t i = 0; got > 0 && i < medium->overlay_count; i++)
        apply_overlay(&medium->overlays[i], offset, buffer, (size_t)got);
    return got;
}

static ssize_t medium_read(TSK_IMG_INFO *info, TSK_OFF_T offset, char *bytes, size_t size)
{
    const ssize_t got =
        offset < 0 ? -1 : medium_bytes((struct medium *)info, (uint64_t)offset, bytes, size);

    if (got < 0) {
        tsk_error_reset();
        tsk_error_set_errno(TSK_ERR_IMG_READ);
        tsk_error_set_errstr("%s", error_text());
    }
    return got;
}

static void medium_closed(TSK_IMG_INFO *info)
{
    (void)info; /* medium_free owns the struct */
}

static void medium_stat(TSK_IMG_INFO *info, FILE *file)
{
    (void)info;
    (void)file;
}

struct medium *medium_new(struct image *image)
{
    const struct container *container = image_container(image);
    struct medium *medium = calloc(1, sizeof *medium);

    if (!medium) {
        error_set("out of memory");
        return NULL;
    }
    medium->image = image;
    if (container->size > INT64_MAX ||
        !tsk_img_open_external(&medium->info, (TSK_OFF_T)container->size, container->sector_size,
                               medium_read, medium_closed, medium_stat)) {
        error_set("libtsk cannot use the image: %s", sleuthkit_reason());
        free(medium);
        return NULL;
    }
    return medium;
}

void medium_free(struct medium *medium)
{
    if (!medium)
        return;
    tsk_img_close(&medium->info);
    for (size_t i = 0; i < medium->overlay_count; i++)
        free(medium->overlays[i].bytes);
    free(medium);
}

void medium_forget_cache(struct medium *medium)
{
    for (size_t i = 0; i < TSK_IMG_INFO_CACHE_NUM; i++)
        medium->info.cache_len[i] = 0;
}

static int add_overlay(struct medium *medium, uint64_t offset, struct slice bytes)
{
    uint8_t *copy = malloc(bytes.size);

    if (!copy || medium->overlay_count == OVERLAYS_MAX) {
        free(copy);
        return error_set("no room for the copy of a damaged sector");
    }
    memcpy(copy, bytes.data, bytes.size);
    medium->overlays[medium->overlay_count++] =
        (struct overlay){.offset = offset, .size = bytes.size, .bytes = copy};
    medium_forget_cache(medium);
    return 0;
}

/* ---- the source ---- */

static int mount_list(struct source *source, struct listing **out)
{
    struct mount *mount = (struct mount *)source;

    return mount->ntfs ? mount_list_ntfs(mount, out) : mount_list_walked(mount, out);
}

static void mount_close(struct source *source)
{
    struct mount *mount = (struct mount *)source;

    tsk_fs_close(mount->fs);
    ntfs_owners_free(mount->owners);
    free(mount);
}

static const struct source_methods mount_methods = {
    .list = mount_list,
    .open_stream = mount_open_stream,
    .open_free = mount_open_free,
    .owner = mount_owner,
    .close = mount_close,
};

/* ---- mounting ---- */

static const struct {
    enum probe_kind kind;
    TSK_FS_TYPE_ENUM type;
} types[] = {
    {PROBE_NTFS, TSK_FS_TYPE_NTFS},       {PROBE_FAT, TSK_FS_TYPE_FAT_DETECT},
    {PROBE_EXFAT, TSK_FS_TYPE_EXFAT},     {PROBE_EXT, TSK_FS_TYPE_EXT_DETECT},
    {PROBE_ISO9660, TSK_FS_TYPE_ISO9660},
};

static TSK_FS_TYPE_ENUM type_of(enum probe_kind kind)
{
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (types[i].kind == kind)
            return types[i].type;
    return TSK_FS_TYPE_UNSUPP;
}

static const char *file_system_name(TSK_FS_TYPE_ENUM type)
{
    switch (type) {
    case TSK_FS_TYPE_NTFS:
        return "NTFS";
    case TSK_FS_TYPE_FAT12:
        return "FAT12";
    case TSK_FS_TYPE_FAT16:
        return "FAT16";
    case TSK_FS_TYPE_FAT32:
        return "FAT32";
    case TSK_FS_TYPE_EXFAT:
        return "exFAT";
    case TSK_FS_TYPE_EXT2:
        return "ext2";
    case TSK_FS_TYPE_EXT3:
        return "ext3";
    case TSK_FS_TYPE_EXT4:
        return "ext4";
    case TSK_FS_TYPE_ISO9660:
        return "ISO 9660";
    default:
        return "";
    }
}

/* A FILE record that can be used as it is. */
static bool record_is_good(struct medium *medium, uint64_t offset, uint32_t size, uint8_t *bytes)
{
    uint8_t fixed[RECORD_SIZE_MAX];

    if (size > sizeof fixed || image_read(medium->image, offset, bytes, size) != (ssize_t)size)
        return false;
    memcpy(fixed, bytes, size);
    return mft_fix_up(fixed, size) == size;
}

/* The first entry of the $MFT says where all the others are; when it is damaged its copy in
 * $MFTMirr takes its place. */
static int replace_first_record(struct medium *medium, const struct probe *probe,
                                const char **notice, uint64_t volume_offset)
{
    uint8_t bytes[RECORD_SIZE_MAX];
    const uint32_t size = probe->record_size;

    if (record_is_good(medium, volume_offset + probe->mft_offset, size, bytes) ||
        !record_is_good(medium, volume_offset + probe->mirror_offset, size, bytes))
        return 0;
    *notice = probe->from_backup
                  ? "the boot sector and the first entry of the $MFT are damaged; their copies "
                    "were used"
                  : "the first entry of the $MFT is damaged; its copy in $MFTMirr was used";
    return add_overlay(medium, volume_offset + probe->mft_offset, slice_of(bytes, size));
}

static int prepare_ntfs(struct medium *medium, const struct probe *probe, struct volume *volume)
{
    if (probe->mft_offset > volume->size || probe->mirror_offset > volume->size)
        return error_set("its boot sector points the $MFT outside of the volume");
    if (probe->from_backup) {
        volume->notice = "the boot sector is damaged; its copy at the end of the volume was used";
        if (add_overlay(medium, volume->offset, slice_of(probe->boot, sizeof probe->boot)) < 0)
            return -1;
    }
    return replace_first_record(medium, probe, &volume->notice, volume->offset);
}

/* The volume's name: from $Volume for NTFS, where libtsk does not hand it out. */
static const char *ntfs_label(TSK_FS_INFO *fs, struct arena *arena)
{
    TSK_FS_FILE *file = tsk_fs_file_open_meta(fs, NULL, 3);
    const TSK_FS_ATTR *attribute =
        file ? tsk_fs_file_attr_get_type(file, TSK_FS_ATTR_TYPE_NTFS_VNAME, 0, 0) : NULL;
    const char *label = NULL;

    if (attribute && attribute->flags & TSK_FS_ATTR_RES && attribute->rd.buf) {
        const size_t size = attribute->size > 0 && (size_t)attribute->size < attribute->rd.buf_size
                                ? (size_t)attribute->size
                                : attribute->rd.buf_size;
        label = utf16_to_text(arena, slice_of(attribute->rd.buf, size), true);
    }
    tsk_error_reset();
    tsk_fs_file_close(file);
    return label ? label : "";
}

/* FAT has local times without a zone; libtsk would take this machine's. They are given as if they
 * were UTC. */
static void use_utc(void)
{
    setenv("TZ", "UTC", 1);
    tzset();
}

int sleuthkit_mount(struct medium *medium, const struct probe *probe, struct arena *arena,
                    struct volume *volume, struct source **out)
{
    const bool ntfs = probe->kind == PROBE_NTFS;

    if (ntfs && prepare_ntfs(medium, probe, volume) < 0)
        return -1;
    use_utc();
    struct mount *mount = calloc(1, sizeof *mount);
    if (!mount)
        return error_set("out of memory");
    mount->fs = tsk_fs_open_img(&medium->info, (TSK_OFF_T)volume->offset, type_of(probe->kind));
    if (!mount->fs) {
        free(mount);
        return error_set("it cannot be read: %s", sleuthkit_reason());
    }
    mount->source.methods = &mount_methods;
    mount->medium = medium;
    mount->offset = volume->offset;
    mount->size = volume->size;
    mount->cluster_size = probe->cluster_size;
    mount->record_size = probe->record_size;
    mount->ntfs = ntfs;
    volume->file_system = file_system_name(mount->fs->ftype);
    volume->cluster_size = probe->cluster_size ? probe->cluster_size : mount->fs->block_size;
    if (ntfs)
        volume->label = ntfs_label(mount->fs, arena);
    *out = &mount->source;
    return 0;
}
