/*
 * libtsk's only home: file systems over our own image callbacks (tsk_img_open_external), and VMDK
 * and VHDX images. The $MFT of NTFS is parsed by mft.c; plain runs are read straight from the
 * image, compressed ones by libtsk.
 */
#include "triage/evidence/sleuthkit.h"

#include "triage/base/error.h"
#include "triage/base/utf16.h"
#include "triage/evidence/free_space.h"
#include "triage/evidence/image_methods.h"
#include "triage/evidence/mft.h"
#include "triage/evidence/ntfs_owner.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <tsk/libtsk.h>

enum {
    OVERLAYS_MAX = 64, /* two for each NTFS volume that needs its copies */
    ENTRIES_MAX = 20 * 1000 * 1000,
    RECORD_SIZE_MAX = 64 * 1024,
    TSK_DEPTH_MAX = 160,    /* libtsk stops at 128 */
    PIECE_SIZE = 64 * 1024, /* of a virtual disk, read one by one where it is damaged */
};

#define REPARSE_TAG_WOF UINT32_C(0x80000017)

/* Bytes that stand in for damaged ones of the medium: a copy of the boot sector or of the first
 * $MFT entry. */
struct overlay {
    uint64_t offset;
    size_t size;
    uint8_t *bytes;
};

struct medium {
    TSK_IMG_INFO info; /* has to be first: libtsk hands it to the callbacks */
    struct image *image;
    struct overlay overlays[OVERLAYS_MAX];
    size_t overlay_count;
};

struct mount {
    struct source source;
    struct medium *medium;
    TSK_FS_INFO *fs;
    uint64_t offset, size;
    uint32_t cluster_size, record_size;
    bool ntfs, owners_sought;
    struct ntfs_owners *owners; /* read on first use; NULL when $Secure cannot be read */
};

struct content {
    struct stream stream;
    struct mount *mount;
    TSK_FS_FILE *file;
    const TSK_FS_ATTR *attribute;
    const TSK_FS_ATTR_RUN *run; /* the last one used, so that reading on costs nothing */
    bool deleted;               /* its clusters may belong to other files by now */
};

/* What libtsk says of its last failure, which it forgets by that; valid until the next call. */
static const char *tsk_reason(void)
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

/* As image_read, with the copies in place of what they stand for. */
static ssize_t medium_bytes(struct medium *medium, uint64_t offset, void *buffer, size_t size)
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
        error_set("libtsk cannot use the image: %s", tsk_reason());
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

/* libtsk must not hand out bytes that it cached before, or damage would be met only once. A handle
 * has one thread: no lock. */
static void forget_cache(struct medium *medium)
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
    forget_cache(medium);
    return 0;
}

/* ---- content ---- */

static struct content *content_of(struct stream *stream)
{
    return (struct content *)stream;
}

static uint64_t block_size(const struct content *content)
{
    return content->mount->fs->block_size;
}

/* Start and end of a run in bytes of the stream; false when its numbers are impossible. */
static bool run_range(const struct content *content, const TSK_FS_ATTR_RUN *run, uint64_t *start,
                      uint64_t *end)
{
    uint64_t blocks;

    return !__builtin_add_overflow((uint64_t)run->offset, (uint64_t)run->len, &blocks) &&
           !__builtin_mul_overflow((uint64_t)run->offset, block_size(content), start) &&
           !__builtin_mul_overflow(blocks, block_size(content), end);
}

/* The run that holds `offset`, searched onwards from the last one where possible. */
static const TSK_FS_ATTR_RUN *run_at(struct content *content, uint64_t offset)
{
    const TSK_FS_ATTR_RUN *run = content->run;
    uint64_t start, end;

    if (!run || !run_range(content, run, &start, &end) || start > offset)
        run = content->attribute->nrd.run;
    for (; run; run = run->next) {
        if (!run_range(content, run, &start, &end))
            return NULL;
        if (offset >= start && offset < end) {
            content->run = run;
            return run;
        }
    }
    return NULL;
}

/* ---- what is free ---- */

/* libtsk keeps the part of the bitmap that it used last. */
static bool block_is_free(void *context, uint64_t block)
{
    TSK_FS_INFO *fs = ((struct mount *)context)->fs;

    if (block < fs->first_block || block > fs->last_block)
        return false;
    const TSK_FS_BLOCK_FLAG_ENUM flags = fs->block_getflags(fs, block);
    return flags & TSK_FS_BLOCK_FLAG_UNALLOC && !(flags & TSK_FS_BLOCK_FLAG_ALLOC);
}

static int read_volume(void *context, uint64_t offset, void *buffer, size_t size, bool *damaged)
{
    const struct mount *mount = context;
    const uint64_t left = offset < mount->size ? mount->size - offset : 0;
    const size_t part = size < left ? size : (size_t)left;
    const uint64_t before = image_damage_hits(mount->medium->image);
    const ssize_t got =
        part ? medium_bytes(mount->medium, mount->offset + offset, buffer, part) : 0;

    if (got < 0)
        return -1;
    if ((size_t)got < size)
        memset((uint8_t *)buffer + got, 0, size - (size_t)got);
    *damaged |= (size_t)got < size || image_damage_hits(mount->medium->image) != before;
    return 0;
}

static struct free_space space_of(struct mount *mount)
{
    return (struct free_space){
        .is_free = block_is_free,
        .read = read_volume,
        .context = mount,
        .block_count = mount->fs->last_block + 1,
        .block_size = mount->fs->block_size,
    };
}

static int mount_open_free(struct source *source, struct stream **out)
{
    const struct free_space space = space_of((struct mount *)source);

    return free_space_open(&space, out);
}

/* Bytes of the runs that are in use, so by another file. A crafted entry can name the same clusters
 * any number of times: what more than twice the volume holds counts as in use, unseen. */
static uint64_t bytes_in_use(const struct content *content)
{
    const struct free_space space = space_of(content->mount);
    uint64_t blocks = 0, looks = 2 * space.block_count, count;

    for (const TSK_FS_ATTR_RUN *run = content->attribute->nrd.run; run; run = run->next) {
        if (run->flags & (TSK_FS_ATTR_RUN_FLAG_SPARSE | TSK_FS_ATTR_RUN_FLAG_FILLER) ||
            run->addr >= space.block_count)
            continue;
        for (uint64_t at = 0; at < run->len && run->addr + at < space.block_count; at += count) {
            bool is_free = false;
            count = free_space_stretch(&space, run->addr + at, run->len - at, &is_free);
            if (count > looks)
                return UINT64_MAX;
            looks -= count;
            blocks += is_free ? 0 : count;
        }
    }
    return blocks * space.block_size;
}

/* A deleted file's clusters are given out again: what other files own is not its content. */
static void check_clusters(struct content *content)
{
    struct stream *stream = &content->stream;

    if (content->attribute->flags & TSK_FS_ATTR_RES)
        return;
    content->deleted = true;
    const uint64_t lost = bytes_in_use(content);
    stream->lost = lost < stream->size ? lost : stream->size;
}

/* Reads within one run. Runs that lead out of the volume read as zeroes and mark the stream. */
static int read_run(struct content *content, const TSK_FS_ATTR_RUN *run, uint64_t at, void *buffer,
                    size_t size)
{
    const struct mount *mount = content->mount;
    uint64_t place;

    if (run->flags & TSK_FS_ATTR_RUN_FLAG_SPARSE) {
        memset(buffer, 0, size);
        return 0;
    }
    if (run->flags & TSK_FS_ATTR_RUN_FLAG_FILLER ||
        __builtin_mul_overflow((uint64_t)run->addr, block_size(content), &place) ||
        __builtin_add_overflow(place, at, &place) || place > mount->size ||
        size > mount->size - place) {
        content->stream.damaged = true;
        memset(buffer, 0, size);
        return 0;
    }
    if (content->deleted && content->stream.lost) {
        const struct free_space space = space_of(content->mount);
        return free_space_read(&space, place, buffer, size, &content->stream.damaged);
    }
    const ssize_t got = medium_bytes(mount->medium, mount->offset + place, buffer, size);
    if (got < 0)
        return -1;
    if ((size_t)got < size) { /* the medium ends before the volume does */
        content->stream.damaged = true;
        memset((uint8_t *)buffer + got, 0, size - (size_t)got);
    }
    return 0;
}

/* Bytes from `offset` on that lie in one run; what has no run reads as zeroes. */
static ssize_t read_piece(struct content *content, uint64_t offset, void *buffer, size_t size)
{
    const TSK_FS_ATTR_RUN *run = run_at(content, offset);
    uint64_t start, end;

    if (!run || !run_range(content, run, &start, &end)) {
        content->stream.damaged |= content->mount->ntfs;
        memset(buffer, 0, size);
        return (ssize_t)size;
    }
    const size_t part = size < end - offset ? size : (size_t)(end - offset);
    return read_run(content, run, offset - start, buffer, part) < 0 ? -1 : (ssize_t)part;
}

static ssize_t read_plain(struct stream *stream, uint64_t offset, void *buffer, size_t size)
{
    struct content *content = content_of(stream);
    const uint64_t filled = (uint64_t)content->attribute->nrd.initsize;

    for (size_t done = 0; done < size;) {
        const uint64_t at = offset + done;
        uint8_t *into = (uint8_t *)buffer + done;
        if (content->mount->ntfs && at >= filled) { /* allocated, but never written */
            memset(into, 0, size - done);
            break;
        }
        size_t part = size - done;
        if (content->mount->ntfs && part > filled - at)
            part = (size_t)(filled - at);
        const ssize_t got = read_piece(content, at, into, part);
        if (got < 0)
            return -1;
        done += (size_t)got;
    }
    return (ssize_t)size;
}

static ssize_t read_resident(struct stream *stream, uint64_t offset, void *buffer, size_t size)
{
    const TSK_FS_ATTR *attribute = content_of(stream)->attribute;

    if (!attribute->rd.buf || offset > attribute->rd.buf_size ||
        size > attribute->rd.buf_size - offset)
        return error_set("resident content is cut short");
    memcpy(buffer, attribute->rd.buf + offset, size);
    return (ssize_t)size;
}

static ssize_t read_compressed(struct stream *stream, uint64_t offset, void *buffer, size_t size)
{
    struct content *content = content_of(stream);

    if (offset > INT64_MAX)
        return error_set("offset is out of range");
    if (stream->lost) /* units of bytes from several files would come out as anything */
        return error_set("it is compressed, and %llu bytes of it belong to other files now",
                         (unsigned long long)stream->lost);
    const ssize_t got = tsk_fs_attr_read(content->attribute, (TSK_OFF_T)offset, buffer, size,
                                         TSK_FS_FILE_READ_FLAG_NONE);
    if (got < 0)
        return error_set("compressed content at byte %llu cannot be read: %s",
                         (unsigned long long)offset, tsk_reason());
    return got;
}

/* Reads, and marks the stream when the image met damage on the way. */
static ssize_t content_read(struct stream *stream, uint64_t offset, void *buffer, size_t size)
{
    struct content *content = content_of(stream);
    struct medium *medium = content->mount->medium;
    const uint64_t before = image_damage_hits(medium->image);
    ssize_t got;

    if (before)
        forget_cache(medium);
    if (content->attribute->flags & TSK_FS_ATTR_RES)
        got = read_resident(stream, offset, buffer, size);
    else if (content->attribute->flags & TSK_FS_ATTR_COMP)
        got = read_compressed(stream, offset, buffer, size);
    else
        got = read_plain(stream, offset, buffer, size);
    if (image_damage_hits(medium->image) != before)
        stream->damaged = true;
    return got;
}

/* Compressed units mix stored and sparse clusters, so a compressed stream is data throughout. */
static bool content_data(struct stream *stream, uint64_t offset, uint64_t *start, uint64_t *size)
{
    struct content *content = content_of(stream);
    uint64_t first, end;

    if (content->attribute->flags & (TSK_FS_ATTR_RES | TSK_FS_ATTR_COMP)) {
        *start = offset;
        *size = stream->size - offset;
        return true;
    }
    for (const TSK_FS_ATTR_RUN *run = run_at(content, offset); run; run = run->next) {
        if (!run_range(content, run, &first, &end) || first >= stream->size)
            return false;
        if (run->flags & TSK_FS_ATTR_RUN_FLAG_SPARSE || end <= offset)
            continue;
        *start = first > offset ? first : offset;
        *size = (end < stream->size ? end : stream->size) - *start;
        content->run = run;
        return true;
    }
    return false;
}

static void content_close(struct stream *stream)
{
    tsk_fs_file_close(content_of(stream)->file);
    free(stream);
}

static const struct stream_methods content_methods = {
    .read = content_read,
    .data = content_data,
    .close = content_close,
};

static bool attribute_is(const TSK_FS_ATTR *attribute, TSK_FS_ATTR_TYPE_ENUM type, const char *name)
{
    const char *there = attribute->name ? attribute->name : "";

    if (attribute->type != type)
        return false;
    return strcmp(there, name ? name : "") == 0;
}

/* By name, because attribute ids are not unique over several $MFT entries of one file. */
static const TSK_FS_ATTR *find_attribute(TSK_FS_FILE *file, TSK_FS_ATTR_TYPE_ENUM type,
                                         const char *name)
{
    const int count = tsk_fs_file_attr_getsize(file);

    for (int i = 0; i < count; i++) {
        const TSK_FS_ATTR *attribute = tsk_fs_file_attr_get_idx(file, i);
        if (attribute && attribute_is(attribute, type, name))
            return attribute;
    }
    return NULL;
}

static bool is_wof(TSK_FS_FILE *file)
{
    const TSK_FS_ATTR *attribute =
        tsk_fs_file_attr_get_type(file, TSK_FS_ATTR_TYPE_NTFS_REPARSE, 0, 0);

    if (!attribute) {
        tsk_error_reset();
        return false;
    }
    struct cursor c = cursor_over(slice_of(attribute->rd.buf, attribute->rd.buf_size), 0);
    return attribute->flags & TSK_FS_ATTR_RES && attribute->rd.buf &&
           cursor_u32le(&c) == REPARSE_TAG_WOF;
}

/* What is not the plain content is an error, never a run of zeroes. */
static int check_readable(const struct file *file, TSK_FS_FILE *opened,
                          const TSK_FS_ATTR *attribute)
{
    if (attribute->flags & TSK_FS_ATTR_ENC || file->flags & FILE_ENCRYPTED)
        return error_set("'%s' is encrypted with EFS; it can only be read on the machine or with "
                         "the key of its user",
                         file->path);
    if (!file->stream && is_wof(opened))
        return error_set("'%s' is compressed by WOF (compact.exe /exe), which cannot be read; copy "
                         "it from a running Windows",
                         file->path);
    return 0;
}

/* Where the runs end, in bytes; a stream cannot be longer, whatever its header says. */
static uint64_t runs_end(const struct content *content)
{
    uint64_t start, end, last = 0;

    for (const TSK_FS_ATTR_RUN *run = content->attribute->nrd.run; run; run = run->next)
        if (run_range(content, run, &start, &end) && end > last)
            last = end;
    return last;
}

static void set_size(struct content *content)
{
    const TSK_FS_ATTR *attribute = content->attribute;
    const uint64_t size = attribute->size > 0 ? (uint64_t)attribute->size : 0;
    uint64_t limit = size;

    if (attribute->flags & TSK_FS_ATTR_RES)
        limit = attribute->rd.buf ? attribute->rd.buf_size : 0;
    else if (content->mount->ntfs)
        limit = runs_end(content);
    if (limit == 0 && !(attribute->flags & TSK_FS_ATTR_RES) && attribute->nrd.initsize == 0)
        return; /* nothing was ever written; libtsk gives $BadClus:$Bad no runs */
    content->stream.size = size < limit ? size : limit;
    content->stream.damaged |= size > limit;
}

/* A file that never had a cluster: some file systems give it no attribute at all. */
static bool is_empty_file(const struct content *content, const struct file *file)
{
    return !file->stream && content->file->meta->size == 0;
}

static int pick_attribute(struct content *content, const struct file *file)
{
    static const TSK_FS_ATTR empty = {.flags = TSK_FS_ATTR_INUSE | TSK_FS_ATTR_RES};

    if (content->mount->ntfs)
        content->attribute = find_attribute(
            content->file,
            file->flags & FILE_FOLDER ? TSK_FS_ATTR_TYPE_NTFS_IDXALLOC : TSK_FS_ATTR_TYPE_NTFS_DATA,
            file->stream);
    else if (!file->stream)
        content->attribute = tsk_fs_file_attr_get(content->file);
    if (!content->attribute && is_empty_file(content, file)) {
        tsk_error_reset();
        content->attribute = &empty;
    }
    if (!content->attribute)
        return error_set("'%s' has no stream '%s' (any more)", file->path,
                         file->stream ? file->stream : "");
    return check_readable(file, content->file, content->attribute);
}

/*
 * libtsk refuses a run that is longer than the volume, and with it the whole entry. A change
 * journal's sparse head is that long on every server that has run for some years, so the limit is
 * lifted for a second try; reading checks each run itself.
 */
static TSK_FS_FILE *open_entry(const struct mount *mount, uint64_t address)
{
    TSK_FS_INFO *fs = mount->fs;
    TSK_FS_FILE *file = tsk_fs_file_open_meta(fs, NULL, address);

    if (file || !mount->ntfs)
        return file;
    const TSK_DADDR_T blocks = fs->block_count;
    fs->block_count = (TSK_DADDR_T)INT64_MAX / fs->block_size;
    file = tsk_fs_file_open_meta(fs, NULL, address);
    fs->block_count = blocks;
    if (file)
        tsk_error_reset();
    return file;
}

static int open_content(struct content *content, const struct file *file)
{
    TSK_FS_INFO *fs = content->mount->fs;

    if (file->address < fs->first_inum || file->address >= fs->last_inum)
        return error_set("'%s': there is no entry %llu", file->path,
                         (unsigned long long)file->address);
    content->file = open_entry(content->mount, file->address);
    if (!content->file || !content->file->meta)
        return error_set("'%s': %s", file->path, tsk_reason());
    if (file->sequence && content->file->meta->seq != file->sequence)
        return error_set("'%s': entry %llu belongs to another file now", file->path,
                         (unsigned long long)file->address);
    if (pick_attribute(content, file) < 0)
        return -1;
    set_size(content);
    if (file->flags & FILE_DELETED || content->file->meta->flags & TSK_FS_META_FLAG_UNALLOC)
        check_clusters(content);
    return 0;
}

static int mount_open_stream(struct source *source, const struct file *file, struct stream **out)
{
    struct mount *mount = (struct mount *)source;
    struct content *content = calloc(1, sizeof *content);

    if (!content)
        return error_set("out of memory");
    const uint64_t before = image_damage_hits(mount->medium->image);
    if (before)
        forget_cache(mount->medium);
    content->stream.methods = &content_methods;
    content->mount = mount;
    if (open_content(content, file) < 0) {
        content_close(&content->stream);
        return -1;
    }
    content->stream.damaged |= image_damage_hits(mount->medium->image) != before;
    *out = &content->stream;
    return 0;
}

static bool same_runs(const TSK_FS_ATTR_RUN *one, const TSK_FS_ATTR_RUN *other)
{
    while (one && other && one->offset == other->offset && one->addr == other->addr &&
           one->len == other->len && one->flags == other->flags) {
        one = one->next;
        other = other->next;
    }
    return !one && !other;
}

static bool same_residents(const TSK_FS_ATTR *one, const TSK_FS_ATTR *other)
{
    return one->rd.buf_size == other->rd.buf_size &&
           (!one->rd.buf_size || (one->rd.buf && other->rd.buf &&
                                  memcmp(one->rd.buf, other->rd.buf, one->rd.buf_size) == 0));
}

bool sleuthkit_is_same(struct stream *one, struct stream *other,
                       bool (*same)(void *context, uint64_t offset, uint64_t size), void *context)
{
    struct content *content = content_of(one);
    const TSK_FS_ATTR *attribute = content->attribute, *second = content_of(other)->attribute;
    uint64_t start, end, place;

    if (one->methods != &content_methods || other->methods != &content_methods ||
        one->size != other->size || attribute->flags != second->flags)
        return false;
    if (attribute->flags & TSK_FS_ATTR_RES)
        return same_residents(attribute, second);
    if (attribute->nrd.initsize != second->nrd.initsize ||
        !same_runs(attribute->nrd.run, second->nrd.run))
        return false;
    for (const TSK_FS_ATTR_RUN *run = attribute->nrd.run; run; run = run->next) {
        if (run->flags & TSK_FS_ATTR_RUN_FLAG_SPARSE)
            continue;
        if (!run_range(content, run, &start, &end) ||
            __builtin_mul_overflow((uint64_t)run->addr, block_size(content), &place) ||
            !same(context, place, end - start))
            return false;
    }
    return true;
}

/* The stream $SDS of $Secure, as far as it can be read. */
static struct ntfs_owners *read_owners(struct mount *mount)
{
    enum { SECURE_ENTRY = 9, SDS_CEILING = 64 << 20 };
    const struct file secure = {.path = "$Secure", .stream = "$SDS", .address = SECURE_ENTRY};
    struct ntfs_owners *owners = NULL;
    struct stream *stream;

    if (mount_open_stream(&mount->source, &secure, &stream) < 0)
        return NULL;
    const uint64_t size = stream_size(stream);
    uint8_t *bytes = size && size <= SDS_CEILING ? malloc((size_t)size) : NULL;
    const ssize_t got = bytes ? stream_read(stream, 0, bytes, (size_t)size) : -1;
    if (got > 0)
        owners = ntfs_owners_new(slice_of(bytes, (size_t)got));
    free(bytes);
    stream_close(stream);
    return owners;
}

/* The id in $STANDARD_INFORMATION, which has one since NTFS 3.0; 0 without. */
static uint32_t security_id_of(TSK_FS_FILE *file)
{
    enum { ID_OFFSET = 52, ID_SIZE = 4 };
    const TSK_FS_ATTR *standard = tsk_fs_file_attr_get_type(file, TSK_FS_ATTR_TYPE_NTFS_SI, 0, 0);
    char bytes[ID_SIZE];

    if (!standard || standard->size < ID_OFFSET + ID_SIZE ||
        tsk_fs_attr_read(standard, ID_OFFSET, bytes, ID_SIZE, TSK_FS_FILE_READ_FLAG_NONE) !=
            ID_SIZE)
        return 0;
    struct cursor c = cursor_over(slice_of(bytes, ID_SIZE), 0);
    return cursor_u32le(&c);
}

static bool mount_owner(struct source *source, const struct file *file, char *text, size_t size)
{
    struct mount *mount = (struct mount *)source;
    const char *sid = NULL;

    if (!mount->ntfs || file->address >= mount->fs->last_inum)
        return false;
    if (!mount->owners_sought)
        mount->owners = read_owners(mount);
    mount->owners_sought = true;
    TSK_FS_FILE *opened =
        mount->owners ? tsk_fs_file_open_meta(mount->fs, NULL, file->address) : NULL;
    if (opened && opened->meta)
        sid = ntfs_owner_sid(mount->owners, security_id_of(opened));
    if (sid)
        snprintf(text, size, "%s", sid);
    tsk_error_reset();
    tsk_fs_file_close(opened);
    return sid != NULL;
}

/* ---- listing of NTFS ---- */

struct mft_reader {
    struct stream *stream;
    uint32_t record_size;
};

static bool all_zero(const uint8_t *bytes, size_t size)
{
    return bytes[0] == 0 && memcmp(bytes, bytes + 1, size - 1) == 0;
}

/* Gives records that damage has zeroed the mark of a broken one, so that they are counted and not
 * taken for unused. */
static void mark_lost(uint8_t *bytes, size_t size, uint32_t record_size)
{
    for (size_t at = 0; size - at >= record_size; at += record_size)
        if (all_zero(bytes + at, record_size))
            memcpy(bytes + at, "BAAD", 4);
}

/* Reads again piece by piece, to tell which records lie in damaged bytes of the image. */
static ssize_t read_damaged_mft(const struct mft_reader *reader, uint64_t offset, uint8_t *buffer,
                                size_t size)
{
    struct stream *stream = reader->stream;

    for (size_t at = 0; at < size; at += RECORD_SIZE_MAX) {
        const size_t part = size - at < RECORD_SIZE_MAX ? size - at : RECORD_SIZE_MAX;
        stream->damaged = false;
        if (stream->methods->read(stream, offset + at, buffer + at, part) != (ssize_t)part)
            return -1;
        if (stream->damaged)
            mark_lost(buffer + at, part, reader->record_size);
    }
    return (ssize_t)size;
}

static ssize_t read_mft(void *context, uint64_t offset, void *buffer, size_t size)
{
    const struct mft_reader *reader = context;
    struct stream *stream = reader->stream;
    const uint64_t left = offset < stream->size ? stream->size - offset : 0;

    if (size > left)
        size = (size_t)left;
    if (size == 0)
        return 0;
    stream->damaged = false;
    const ssize_t got = stream->methods->read(stream, offset, buffer, size);
    return got > 0 && stream->damaged ? read_damaged_mft(reader, offset, buffer, (size_t)got) : got;
}

static int list_ntfs(struct mount *mount, struct listing **out)
{
    const struct file table = {.path = "$MFT"};
    struct stream *stream = NULL;

    if (mount_open_stream(&mount->source, &table, &stream) < 0)
        return -1;
    struct mft_reader reader = {.stream = stream, .record_size = mount->record_size};
    const struct mft_input input = {
        .read = read_mft,
        .context = &reader,
        .size = stream->size,
        .record_size = mount->record_size,
        .cluster_size = mount->cluster_size,
        .volume_offset = mount->offset,
    };
    const int result = mft_read(&input, out);
    content_close(stream);
    return result;
}

/* ---- listing of the other file systems ---- */

struct level {
    char *path; /* as libtsk hands it to the callback: "a/b/" */
    uint32_t entry;
};

struct lister {
    struct mount *mount;
    struct listing *listing;
    struct level levels[TSK_DEPTH_MAX];
    size_t depth;
    struct buffer text;
    bool failed;
};

static struct instant instant_of(time_t seconds, uint32_t nanoseconds)
{
    return seconds ? instant_from_unix(seconds, nanoseconds) : INSTANT_NONE;
}

static void fill_from_meta(struct listing_entry *entry, const TSK_FS_META *meta)
{
    entry->si.modified = instant_of(meta->mtime, meta->mtime_nano);
    entry->si.accessed = instant_of(meta->atime, meta->atime_nano);
    entry->si.changed = instant_of(meta->ctime, meta->ctime_nano);
    entry->si.created = instant_of(meta->crtime, meta->crtime_nano);
    if (meta->type == TSK_FS_META_TYPE_LNK)
        entry->flags |= FILE_REPARSE;
}

static uint64_t place_of(const struct mount *mount, TSK_FS_FILE *file)
{
    const TSK_FS_ATTR *attribute =
        file->meta && file->meta->size > 0 ? tsk_fs_file_attr_get(file) : NULL;
    uint64_t place = 0;

    tsk_error_reset();
    if (!attribute || !(attribute->flags & TSK_FS_ATTR_NONRES))
        return 0;
    for (const TSK_FS_ATTR_RUN *run = attribute->nrd.run; run; run = run->next)
        if (!(run->flags & (TSK_FS_ATTR_RUN_FLAG_SPARSE | TSK_FS_ATTR_RUN_FLAG_FILLER)))
            return __builtin_mul_overflow((uint64_t)run->addr, mount->fs->block_size, &place) ||
                           __builtin_add_overflow(place, mount->offset, &place)
                       ? 0
                       : place;
    return 0;
}

/* The entry of the folder at `path`, from the folders above; an orphan has none. */
static uint32_t folder_of(struct lister *lister, const char *path)
{
    while (lister->depth > 1 && strcmp(lister->levels[lister->depth - 1].path, path) != 0)
        free(lister->levels[--lister->depth].path);
    return strcmp(lister->levels[lister->depth - 1].path, path) == 0
               ? lister->levels[lister->depth - 1].entry
               : LISTING_NONE;
}

/* Remembers a folder, because libtsk walks into it right after it was shown. */
static void push(struct lister *lister, const char *path, const char *name, uint32_t entry)
{
    if (lister->depth == TSK_DEPTH_MAX)
        return;
    const size_t size = strlen(path) + strlen(name) + 2;
    char *whole = malloc(size);
    if (!whole) {
        lister->failed = true;
        return;
    }
    snprintf(whole, size, "%s%s/", path, name);
    lister->levels[lister->depth++] = (struct level){.path = whole, .entry = entry};
}

static bool is_folder(const TSK_FS_FILE *file)
{
    if (file->meta)
        return file->meta->type == TSK_FS_META_TYPE_DIR;
    return file->name->type == TSK_FS_NAME_TYPE_DIR;
}

static bool is_virtual(const TSK_FS_FILE *file)
{
    return file->name->type == TSK_FS_NAME_TYPE_VIRT ||
           file->name->type == TSK_FS_NAME_TYPE_VIRT_DIR;
}

static uint16_t flags_of(const TSK_FS_FILE *file)
{
    unsigned flags = 0;

    if (is_folder(file))
        flags |= FILE_FOLDER;
    if (file->name->flags & TSK_FS_NAME_FLAG_UNALLOC ||
        (file->meta && file->meta->flags & TSK_FS_META_FLAG_UNALLOC))
        flags |= FILE_DELETED;
    return (uint16_t)flags;
}

static int add_walked(struct lister *lister, TSK_FS_FILE *file, uint32_t parent)
{
    struct listing *listing = lister->listing;
    const uint32_t index = listing_count(listing);
    struct listing_entry *entry = listing_entry(listing, index);

    if (!entry || listing_set_address(listing, index, file->name->meta_addr) < 0)
        return -1;
    entry->flags |= flags_of(file);
    if (file->meta)
        fill_from_meta(entry, file->meta);
    buffer_clear(&lister->text);
    utf8_append_repaired(&lister->text, slice_of_text(file->name->name));
    const struct listing_name name = {.parent = parent, .text = buffer_slice(&lister->text)};
    if (listing_add_name(listing, index, &name) < 0)
        return -1;
    if (entry->flags & FILE_FOLDER)
        return 0;
    const struct listing_stream stream = {
        .size = file->meta && file->meta->size > 0 ? (uint64_t)file->meta->size : 0,
        .place = place_of(lister->mount, file),
    };
    return listing_add_stream(listing, index, &stream);
}

static TSK_WALK_RET_ENUM show_walked(TSK_FS_FILE *file, const char *path, void *context)
{
    struct lister *lister = context;
    const char *name = file->name ? file->name->name : NULL;

    if (!name || TSK_FS_ISDOT(name) || is_virtual(file))
        return TSK_WALK_CONT;
    if (listing_count(lister->listing) >= ENTRIES_MAX) {
        error_set("more than %d files", ENTRIES_MAX);
        lister->failed = true;
        return TSK_WALK_STOP;
    }
    const uint32_t index = listing_count(lister->listing);
    if (add_walked(lister, file, folder_of(lister, path)) < 0) {
        lister->failed = true;
        return TSK_WALK_STOP;
    }
    if (is_folder(file))
        push(lister, path, name, index);
    return lister->failed ? TSK_WALK_STOP : TSK_WALK_CONT;
}

static int walk_all(struct lister *lister)
{
    TSK_FS_INFO *fs = lister->mount->fs;
    unsigned flags =
        TSK_FS_DIR_WALK_FLAG_ALLOC | TSK_FS_DIR_WALK_FLAG_UNALLOC | TSK_FS_DIR_WALK_FLAG_RECURSE;
    struct listing_entry *root = listing_entry(lister->listing, 0);

    if (!root || listing_set_address(lister->listing, 0, fs->root_inum) < 0)
        return -1;
    root->flags |= FILE_FOLDER;
    lister->levels[lister->depth++] = (struct level){.path = strdup("")};
    if (!lister->levels[0].path)
        return error_set("out of memory");
    if (TSK_FS_TYPE_ISFAT(fs->ftype)) /* there, looking for orphans reads the whole volume */
        flags |= TSK_FS_DIR_WALK_FLAG_NOORPHAN;
    const uint8_t broken =
        tsk_fs_dir_walk(fs, fs->root_inum, (TSK_FS_DIR_WALK_FLAG_ENUM)flags, show_walked, lister);
    if (lister->failed)
        return -1;
    if (broken && listing_count(lister->listing) == 1)
        return error_set("its folders cannot be read: %s", tsk_reason());
    if (broken || (TSK_FS_TYPE_ISEXT(fs->ftype) && listing_count(lister->listing) == 1))
        listing_count_unreadable(lister->listing); /* every ext has a lost+found at least */
    tsk_error_reset();
    return 0;
}

static int list_walked(struct mount *mount, struct listing **out)
{
    struct lister lister = {.mount = mount, .listing = listing_new(0)};
    const int result = lister.listing ? walk_all(&lister) : -1;

    for (size_t i = 0; i < lister.depth; i++)
        free(lister.levels[i].path);
    buffer_release(&lister.text);
    if (result < 0) {
        listing_free(lister.listing);
        return -1;
    }
    listing_finish(lister.listing);
    *out = lister.listing;
    return 0;
}

static int mount_list(struct source *source, struct listing **out)
{
    struct mount *mount = (struct mount *)source;

    return mount->ntfs ? list_ntfs(mount, out) : list_walked(mount, out);
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
        return error_set("it cannot be read: %s", tsk_reason());
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

/* ---- images that libtsk opens ---- */

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
        error_set("'%s' cannot be read as %s: %s", path, format, tsk_reason());
        tsk_image_close(&self->image);
        return -1;
    }
    fill_tsk_image(self, format);
    *out = &self->image;
    return 0;
}
