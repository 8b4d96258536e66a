/* The files of FAT, exFAT, ext and ISO 9660, folder by folder. */
#include "triage/evidence/sleuthkit_parts.h"

#include "triage/base/error.h"
#include "triage/base/utf16.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    ENTRIES_MAX = 20 * 1000 * 1000,
    TSK_DEPTH_MAX = 160,    /* libtsk stops at 128 */
    FOLDER_MAX = 512 << 20, /* bytes; more than two million names */
};

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

/* libtsk reads a folder to the end that its entry claims, for centuries if need be. */
static bool is_wild(const struct mount *mount, const TSK_FS_META *meta)
{
    return meta &&
           (meta->size < 0 || meta->size > FOLDER_MAX || (uint64_t)meta->size > mount->size);
}

/* Keeps libtsk from walking into the folder that it has just shown. */
static void leave_out(struct lister *lister, TSK_FS_FILE *folder)
{
    folder->name->type = TSK_FS_NAME_TYPE_REG;
    listing_count_unreadable(lister->listing);
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
    if (is_folder(file) && is_wild(lister->mount, file->meta))
        leave_out(lister, file);
    else if (is_folder(file))
        push(lister, path, name, index);
    return lister->failed ? TSK_WALK_STOP : TSK_WALK_CONT;
}

static bool has_wild_root(const struct mount *mount)
{
    TSK_FS_FILE *root = tsk_fs_file_open_meta(mount->fs, NULL, mount->fs->root_inum);
    const bool wild = root && is_wild(mount, root->meta);

    tsk_fs_file_close(root);
    tsk_error_reset();
    return wild;
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
    if (has_wild_root(lister->mount))
        return error_set("its folders cannot be read: the first one has an impossible size");
    if (TSK_FS_TYPE_ISFAT(fs->ftype)) /* there, looking for orphans reads the whole volume */
        flags |= TSK_FS_DIR_WALK_FLAG_NOORPHAN;
    const uint8_t broken =
        tsk_fs_dir_walk(fs, fs->root_inum, (TSK_FS_DIR_WALK_FLAG_ENUM)flags, show_walked, lister);
    if (lister->failed)
        return -1;
    if (broken && listing_count(lister->listing) == 1)
        return error_set("its folders cannot be read: %s", sleuthkit_reason());
    if (broken || (TSK_FS_TYPE_ISEXT(fs->ftype) && listing_count(lister->listing) == 1))
        listing_count_unreadable(lister->listing); /* every ext has a lost+found at least */
    tsk_error_reset();
    return 0;
}

int mount_list_walked(struct mount *mount, struct listing **out)
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
