/* Content of files through libtsk: plain runs are read straight from the image, compressed ones by
 * libtsk; what is free; owners of NTFS files. */
#include "triage/evidence/sleuthkit_parts.h"

#include "triage/base/error.h"
#include "triage/evidence/free_space.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REPARSE_TAG_WOF UINT32_C(0x80000017)

struct content {
    struct stream stream;
    struct mount *mount;
    TSK_FS_FILE *file;
    const TSK_FS_ATTR *attribute;
    const TSK_FS_ATTR_RUN *run; /* the last one used, so that reading on costs nothing */
    bool deleted;               /* its clusters may belong to other files by now */
};

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

int mount_open_free(struct source *source, struct stream **out)
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
                         (unsigned long long)offset, sleuthkit_reason());
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
        medium_forget_cache(medium);
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

/* What one question of content_data can tell apart: compressed units mix stored and sparse
 * clusters, so only whole ones are holes. */
static uint64_t hole_unit(const struct content *content)
{
    const uint64_t unit = content->attribute->flags & TSK_FS_ATTR_COMP
                              ? (uint64_t)content->attribute->nrd.compsize * block_size(content)
                              : 1;

    return unit ? unit : 1;
}

static bool content_data(struct stream *stream, uint64_t offset, uint64_t *start, uint64_t *size)
{
    struct content *content = content_of(stream);
    const uint64_t unit = hole_unit(content);
    uint64_t first, end;

    if (content->attribute->flags & TSK_FS_ATTR_RES) {
        *start = offset;
        *size = stream->size - offset;
        return true;
    }
    const TSK_FS_ATTR_RUN *run = run_at(content, offset - offset % unit);
    for (; run; run = run->next) {
        if (!run_range(content, run, &first, &end) || first >= stream->size)
            return false;
        first -= first % unit;
        if (end < stream->size) /* or it cannot be rounded up */
            end += (unit - end % unit) % unit;
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
        return error_set("'%s': %s", file->path, sleuthkit_reason());
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

int mount_open_stream(struct source *source, const struct file *file, struct stream **out)
{
    struct mount *mount = (struct mount *)source;
    struct content *content = calloc(1, sizeof *content);

    if (!content)
        return error_set("out of memory");
    const uint64_t before = image_damage_hits(mount->medium->image);
    if (before)
        medium_forget_cache(mount->medium);
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

bool mount_owner(struct source *source, const struct file *file, char *text, size_t size)
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
