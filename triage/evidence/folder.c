/* Folders and single files. Every component is opened with O_NOFOLLOW below a descriptor: no link
 * leads out of the evidence. */
#include "triage/evidence/folder_parts.h"

#include "triage/base/buffer.h"
#include "triage/base/error.h"
#include "triage/base/utf16.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

enum { DEPTH_MAX = 200 };

struct single {
    struct source source;
    int file;
    char *name;
};

struct plain {
    struct stream stream;
    int file;
};

/* ---- content ---- */

static ssize_t plain_read(struct stream *stream, uint64_t offset, void *buffer, size_t size)
{
    const struct plain *plain = (struct plain *)stream;
    size_t done = 0;

    while (done < size) {
        const ssize_t got =
            pread(plain->file, (uint8_t *)buffer + done, size - done, (off_t)(offset + done));
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return error_set_errno("the file cannot be read at byte %llu",
                                   (unsigned long long)(offset + done));
        if (got == 0)
            break;
        done += (size_t)got;
    }
    return (ssize_t)done;
}

static bool plain_data(struct stream *stream, uint64_t offset, uint64_t *start, uint64_t *size)
{
    const struct plain *plain = (struct plain *)stream;
    const off_t data = lseek(plain->file, (off_t)offset, SEEK_DATA);
    uint64_t end = stream->size;

    if (data < 0 && errno == ENXIO)
        return false;
    *start = data < 0 ? offset : (uint64_t)data;
    const off_t hole = data < 0 ? -1 : lseek(plain->file, data, SEEK_HOLE);
    if (hole > data && (uint64_t)hole < end)
        end = (uint64_t)hole;
    *size = end > *start ? end - *start : 0;
    return *size > 0;
}

static void plain_close(struct stream *stream)
{
    close(((struct plain *)stream)->file);
    free(stream);
}

static const struct stream_methods plain_methods = {
    .read = plain_read,
    .data = plain_data,
    .close = plain_close,
};

/* Takes over the descriptor, also on failure. */
static int plain_new(int file, const char *path, struct stream **out)
{
    struct plain *plain = calloc(1, sizeof *plain);
    struct stat status;

    if (!plain || fstat(file, &status) < 0 || !S_ISREG(status.st_mode)) {
        free(plain);
        close(file);
        return error_set("'%s' is not a regular file", path);
    }
    plain->stream.methods = &plain_methods;
    plain->stream.size = (uint64_t)status.st_size;
    plain->file = file;
    *out = &plain->stream;
    return 0;
}

/* ---- listing ---- */

struct lister {
    const struct folder *folder;
    struct listing *listing;
    struct buffer text;
    bool keeps_times; /* a mounted NTFS: all four times are the evidence's own */
};

/* The same place in all merged folders. */
struct place {
    int folders[ROOTS_MAX];
    size_t count;
    uint32_t entry;
};

static struct instant instant_of(struct statx_timestamp time)
{
    return time.tv_sec || time.tv_nsec ? instant_from_unix(time.tv_sec, time.tv_nsec)
                                       : INSTANT_NONE;
}

/* A copy keeps the time of modification; the other times are those of the copying. */
static void fill_times(const struct lister *lister, struct listing_entry *entry,
                       const struct statx *status)
{
    entry->si.modified = instant_of(status->stx_mtime);
    if (!lister->keeps_times)
        return;
    entry->si.accessed = instant_of(status->stx_atime);
    entry->si.changed = instant_of(status->stx_ctime);
    entry->si.created =
        status->stx_mask & STATX_BTIME ? instant_of(status->stx_btime) : INSTANT_NONE;
}

static struct slice repaired(struct lister *lister, const char *text, size_t size)
{
    buffer_clear(&lister->text);
    utf8_append_repaired(&lister->text, slice_of(text, size));
    return buffer_slice(&lister->text);
}

/* Makes the entry of a file or folder below `parent`. LISTING_NONE with error_text. */
static uint32_t add_entry(struct lister *lister, uint32_t parent, const char *shown, size_t size,
                          const struct statx *status)
{
    const uint32_t index = listing_count(lister->listing);
    struct listing_entry *entry = listing_entry(lister->listing, index);
    struct listing_name name = {.parent = parent};

    if (!entry || listing_set_address(lister->listing, index, status->stx_ino) < 0)
        return LISTING_NONE;
    fill_times(lister, entry, status);
    if (S_ISDIR(status->stx_mode))
        entry->flags |= FILE_FOLDER;
    else if (!S_ISREG(status->stx_mode))
        entry->flags |= FILE_REPARSE; /* a link or a device: told, never opened */
    name.text = repaired(lister, shown, size);
    return listing_add_name(lister->listing, index, &name) < 0 ? LISTING_NONE : index;
}

static int add_stream(struct lister *lister, uint32_t index, const char *name,
                      const struct statx *status)
{
    const struct listing_stream stream = {
        .size = S_ISREG(status->stx_mode) ? status->stx_size : 0,
        .name = repaired(lister, name, strlen(name)),
    };
    return listing_add_stream(lister->listing, index, &stream);
}

static bool can_read(int folder, const char *name, const struct statx *status)
{
    return !S_ISREG(status->stx_mode) || geteuid() == 0 ||
           faccessat(folder, name, R_OK, AT_EACCESS | AT_SYMLINK_NOFOLLOW) == 0;
}

static bool is_other_volume(const struct folder *folder, int opened)
{
    struct stat status;

    if (fstat(opened, &status) < 0)
        return true;
    for (size_t i = 0; i < folder->other_count; i++)
        if (folder->others[i].device == status.st_dev && folder->others[i].inode == status.st_ino)
            return true;
    return false;
}

static int list_place(struct lister *lister, const struct place *place, unsigned depth);

/* Opens the sub-folder `shown` in all merged folders that have it and lists it. */
static int list_folder(struct lister *lister, const struct place *place, uint32_t entry,
                       const struct found *items, size_t count, unsigned depth)
{
    struct place below = {.entry = entry};
    int result = 0;

    for (size_t i = 0; i < count && below.count < ROOTS_MAX; i++) {
        const int opened = openat(place->folders[items[i].parent], items[i].raw, FOLDER_FLAGS);
        if (opened >= 0 && is_other_volume(lister->folder, opened))
            close(opened);
        else if (opened >= 0)
            below.folders[below.count++] = opened;
        else if (errno != ENOTDIR && errno != ELOOP)
            listing_count_unreadable(lister->listing);
    }
    if (depth + 1 >= DEPTH_MAX)
        listing_count_unreadable(lister->listing);
    else
        result = list_place(lister, &below, depth + 1);
    for (size_t i = 0; i < below.count; i++)
        close(below.folders[i]);
    return result;
}

/* A decoded "name:stream": hangs the stream on the file `last`, when that has this name, or on a
 * file of its own. */
static int add_named_stream(struct lister *lister, uint32_t parent, const struct found *found,
                            const char *last_name, uint32_t last, const struct statx *status)
{
    const char *colon = strchr(found->shown, ':');
    const size_t size = (size_t)(colon - found->shown);

    if (last == LISTING_NONE || strlen(last_name) != size ||
        strncmp(last_name, found->shown, size) != 0)
        last = add_entry(lister, parent, found->shown, size, status);
    return last == LISTING_NONE ? -1 : add_stream(lister, last, colon + 1, status);
}

static bool names_stream(const struct lister *lister, const struct found *found,
                         const struct statx *status)
{
    const char *colon = strchr(found->shown, ':');

    return lister->folder->decode && colon && colon > found->shown && colon[1] &&
           S_ISREG(status->stx_mode);
}

/* Lists `count` items of the same shown name; the first of them stands for all unless they are
 * folders. */
static int list_name(struct lister *lister, const struct place *place, const struct found *items,
                     size_t count, const char **last_name, uint32_t *last, unsigned depth)
{
    const int folder = place->folders[items->parent];
    struct statx status;

    if (statx(folder, items->raw, AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS | STATX_BTIME, &status) <
        0) {
        listing_count_unreadable(lister->listing);
        return 0;
    }
    if (names_stream(lister, items, &status))
        return add_named_stream(lister, place->entry, items, *last_name, *last, &status);
    const uint32_t index =
        add_entry(lister, place->entry, items->shown, strlen(items->shown), &status);
    if (index == LISTING_NONE)
        return -1;
    *last = index;
    *last_name = items->shown;
    if (S_ISDIR(status.stx_mode))
        return list_folder(lister, place, index, items, count, depth);
    if (!can_read(folder, items->raw, &status))
        listing_count_unreadable(lister->listing);
    return add_stream(lister, index, "", &status);
}

static int list_place(struct lister *lister, const struct place *place, unsigned depth)
{
    struct found_list list = {0};
    const char *last_name = "";
    uint32_t last = LISTING_NONE;
    int result = 0;

    for (size_t i = 0; result >= 0 && i < place->count; i++) {
        result = folder_names(place->folders[i], i, lister->folder->decode, &list);
        if (result > 0)
            listing_count_unreadable(lister->listing);
    }
    if (list.count > 1)
        qsort(list.items, list.count, sizeof *list.items, found_compare);
    for (size_t at = 0; result >= 0 && at < list.count;) {
        size_t count = 1;
        while (at + count < list.count &&
               strcmp(list.items[at].shown, list.items[at + count].shown) == 0)
            count++;
        result = list_name(lister, place, list.items + at, count, &last_name, &last, depth);
        at += count;
    }
    found_release(&list);
    return result < 0 ? -1 : 0;
}

/* The kernel's NTFS driver gives all times of the mounted volume. */
static bool is_ntfs(int folder)
{
    enum { NTFS3_MAGIC = 0x7366746E }; /* linux/fs/ntfs3/super.c: "ntfs" backwards */
    struct statfs status;

    return fstatfs(folder, &status) == 0 && status.f_type == NTFS3_MAGIC;
}

static int folder_list(struct source *source, struct listing **out)
{
    struct folder *folder = (struct folder *)source;
    struct lister lister = {.folder = folder, .listing = listing_new(0)};
    struct place top = {.count = folder->root_count};
    struct listing_entry *root = lister.listing ? listing_entry(lister.listing, 0) : NULL;
    int result = -1;

    if (root) {
        root->flags |= FILE_FOLDER;
        memcpy(top.folders, folder->roots, sizeof top.folders);
        lister.keeps_times = is_ntfs(folder->roots[0]);
        result = list_place(&lister, &top, 0);
    }
    buffer_release(&lister.text);
    if (result < 0) {
        listing_free(lister.listing);
        return -1;
    }
    listing_finish(lister.listing);
    *out = lister.listing;
    return 0;
}

/* ---- opening by path ---- */

/* Is this how the name is shown: decoded where names are percent-encoded, as valid UTF-8? */
static bool is_shown_as(const struct folder *folder, const char *name, const char *shown,
                        struct buffer *scratch)
{
    char decoded[COMPONENT_SIZE];
    const bool is_encoded = folder->decode && name_decode(name, decoded, sizeof decoded);

    buffer_clear(scratch);
    utf8_append_repaired(scratch, slice_of_text(is_encoded ? decoded : name));
    return slice_is(buffer_slice(scratch), shown);
}

/* Looks for the name that is shown as `shown`. */
static int open_shown(const struct folder *folder, int parent, const char *shown, int flags)
{
    DIR *names = folder_stream(parent, ".");
    struct buffer scratch = BUFFER_EMPTY;
    int file = -1;

    if (!names)
        return -1;
    for (struct dirent *entry; file < 0 && (entry = readdir(names));)
        if (is_shown_as(folder, entry->d_name, shown, &scratch))
            file = openat(parent, entry->d_name, flags);
    closedir(names);
    buffer_release(&scratch);
    return file;
}

static int open_component(const struct folder *folder, int parent, const char *name, int flags)
{
    if (*name == 0 || name_is_dot(name)) {
        errno = ENOENT;
        return -1;
    }
    const int file = openat(parent, name, flags);
    const bool is_repaired = strstr(name, "\xEF\xBF\xBD") != NULL;
    if (file >= 0 || errno != ENOENT || (!folder->decode && !is_repaired))
        return file;
    return open_shown(folder, parent, name, flags);
}

/* Opens "a/b/c" component by component below `root`; -1 with errno. */
static int open_path(const struct folder *folder, int root, const char *path)
{
    char name[COMPONENT_SIZE];
    int parent = root;

    for (;;) {
        const char *slash = strchr(path, '/');
        const size_t size = slash ? (size_t)(slash - path) : strlen(path);
        if (size >= sizeof name) {
            errno = ENAMETOOLONG;
            break;
        }
        memcpy(name, path, size);
        name[size] = 0;
        const int file = open_component(folder, parent, name, slash ? FOLDER_FLAGS : FILE_FLAGS);
        const int reason = errno;
        if (parent != root)
            close(parent);
        errno = reason;
        if (file < 0 || !slash)
            return file;
        parent = file;
        path = slash + 1;
    }
    if (parent != root)
        close(parent);
    errno = ENAMETOOLONG;
    return -1;
}

static int folder_open_stream(struct source *source, const struct file *file, struct stream **out)
{
    const struct folder *folder = (struct folder *)source;
    char path[PATH_MAX];
    int opened = -1;

    const int size = snprintf(path, sizeof path, "%s%s%s", file->path, file->stream ? ":" : "",
                              file->stream ? file->stream : "");
    if (size < 0 || (size_t)size >= sizeof path)
        return error_set("'%.100s...' is too long a path", file->path);
    errno = ENOENT;
    for (size_t i = 0; opened < 0 && i < folder->root_count; i++)
        opened = open_path(folder, folder->roots[i], path);
    if (opened < 0 && errno == ELOOP)
        return error_set("'%s' is a symbolic link and is not followed", path);
    if (opened < 0)
        return error_set_errno("'%s' cannot be opened", path);
    return plain_new(opened, path, out);
}

static void folder_close(struct source *source)
{
    struct folder *folder = (struct folder *)source;

    for (size_t i = 0; i < folder->root_count; i++)
        close(folder->roots[i]);
    free(folder->others);
    free(folder);
}

static const struct source_methods folder_methods = {
    .list = folder_list,
    .open_stream = folder_open_stream,
    .close = folder_close,
};

struct folder *folder_new(bool decode)
{
    struct folder *folder = calloc(1, sizeof *folder);

    if (!folder) {
        error_set("out of memory");
        return NULL;
    }
    folder->source.methods = &folder_methods;
    folder->decode = decode;
    return folder;
}

/* ---- single file ---- */

static int single_list(struct source *source, struct listing **out)
{
    struct single *single = (struct single *)source;
    struct folder none = {0};
    struct lister lister = {.folder = &none, .listing = listing_new(0)};
    struct listing_entry *root = lister.listing ? listing_entry(lister.listing, 0) : NULL;
    struct statx status;
    int result = -1;

    if (root &&
        statx(single->file, "", AT_EMPTY_PATH, STATX_BASIC_STATS | STATX_BTIME, &status) < 0)
        error_set_errno("'%s'", single->name);
    else if (root) {
        root->flags |= FILE_FOLDER;
        const uint32_t index = add_entry(&lister, 0, single->name, strlen(single->name), &status);
        result = index == LISTING_NONE ? -1 : add_stream(&lister, index, "", &status);
    }
    buffer_release(&lister.text);
    if (result < 0)
        listing_free(lister.listing);
    else
        *out = lister.listing;
    return result;
}

static int single_open_stream(struct source *source, const struct file *file, struct stream **out)
{
    const struct single *single = (struct single *)source;
    const int copy = file->stream ? -1 : fcntl(single->file, F_DUPFD_CLOEXEC, 0);

    if (copy < 0)
        return error_set("'%s' cannot be opened", file->path);
    return plain_new(copy, file->path, out);
}

static void single_close(struct source *source)
{
    struct single *single = (struct single *)source;

    close(single->file);
    free(single->name);
    free(single);
}

static const struct source_methods single_methods = {
    .list = single_list,
    .open_stream = single_open_stream,
    .close = single_close,
};

int single_file_open(const char *path, struct source **out)
{
    const char *slash = strrchr(path, '/');
    struct single *single = calloc(1, sizeof *single);
    char *name = strdup(slash ? slash + 1 : path);
    const int file = open(path, O_RDONLY | O_CLOEXEC);

    if (!single || !name || file < 0) {
        if (single && name)
            error_set_errno("'%s' cannot be opened", path);
        else
            error_set("out of memory");
        if (file >= 0)
            close(file);
        free(single);
        free(name);
        return -1;
    }
    single->source.methods = &single_methods;
    single->file = file;
    single->name = name;
    *out = &single->source;
    return 0;
}
