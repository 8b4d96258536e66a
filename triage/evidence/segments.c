#include "triage/evidence/segments.h"

#include "triage/base/error.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SPARE_FILES = 64 }; /* what the rest of the process may want to open */

/* Takes over `path`. */
static int add(struct segments *segments, char *path, uint32_t number)
{
    if (segments->count == segments->room) {
        size_t room = segments->room ? 2 * segments->room : 16;
        struct segment *grown = realloc(segments->files, room * sizeof *grown);
        if (!grown) {
            free(path);
            return error_set("out of memory");
        }
        segments->files = grown;
        segments->room = room;
    }
    segments->files[segments->count++] = (struct segment){.path = path, .number = number, .fd = -1};
    return 0;
}

static char *beside(const char *path, const char *name)
{
    char *joined = NULL;
    size_t folder_size = (size_t)(path_name(path) - path);

    if (folder_size > 4096 || asprintf(&joined, "%.*s%s", (int)folder_size, path, name) < 0)
        return NULL;
    return joined;
}

static int by_number_and_name(const void *a, const void *b)
{
    const struct segment *one = a, *other = b;

    if (one->number != other->number)
        return one->number < other->number ? -1 : 1;
    if (one->odd != other->odd)
        return one->odd ? 1 : -1;
    return strcmp(one->path, other->path);
}

/* How many letters of the suffix are spelled in the same case as in `model`. */
static unsigned likeness(const char *suffix, const char *model)
{
    unsigned alike = 0;

    for (size_t i = 0; suffix[i] && model[i]; i++)
        alike += (suffix[i] >= 'a') == (model[i] >= 'a');
    return alike;
}

static void drop_doubles(struct segments *segments, const char *path, size_t stem_size)
{
    const char *model = path_name(path) + stem_size;
    size_t kept = 0;

    for (size_t i = 0; i < segments->count; i++) {
        struct segment *file = &segments->files[i], *last = &segments->files[kept - (kept > 0)];
        if (kept == 0 || last->number != file->number) {
            segments->files[kept++] = *file;
        } else if (likeness(path_name(file->path) + stem_size, model) >
                   likeness(path_name(last->path) + stem_size, model)) {
            free(last->path);
            *last = *file;
        } else {
            free(file->path);
        }
    }
    segments->count = kept;
}

static DIR *folder_of(const char *path)
{
    char *folder = beside(path, ".");
    DIR *listing = folder ? opendir(folder) : NULL;

    free(folder);
    return listing;
}

int segments_find(const char *path, size_t stem_size, segment_number *number, struct segments *out)
{
    const char *own = path_name(path);
    const struct dirent *entry;
    DIR *listing = folder_of(path);
    int result = 0;

    *out = (struct segments){0};
    if (!listing)
        return error_set_errno("the folder of '%s' cannot be listed", path);
    while (result == 0 && (entry = readdir(listing))) {
        uint32_t value;
        if (strncmp(entry->d_name, own, stem_size) || strlen(entry->d_name) < stem_size ||
            !number(entry->d_name + stem_size, &value))
            continue;
        char *found = beside(path, entry->d_name);
        result = found ? add(out, found, value) : error_set("out of memory");
    }
    closedir(listing);
    if (result < 0)
        return -1;
    if (out->count)
        qsort(out->files, out->count, sizeof *out->files, by_number_and_name);
    drop_doubles(out, path, stem_size);
    return 0;
}

int segments_single(const char *path, struct segments *out)
{
    char *copy = strdup(path);

    *out = (struct segments){0};
    if (!copy)
        return error_set("out of memory");
    return add(out, copy, 1);
}

static void raise_file_limit(size_t wanted)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur >= wanted + SPARE_FILES)
        return;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit); /* when refused, opening says so */
}

int medium_open(const char *path, uint64_t *size)
{
    struct stat status;
    off_t end;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

    if (fd < 0)
        return error_set_errno("'%s' cannot be opened", path);
    if (fstat(fd, &status) < 0 || !(S_ISREG(status.st_mode) || S_ISBLK(status.st_mode))) {
        close(fd);
        return error_set("'%s' is neither a file nor a block device", path);
    }
    end = S_ISREG(status.st_mode) ? status.st_size : lseek(fd, 0, SEEK_END);
    if (end < 0) {
        close(fd);
        return error_set_errno("the size of '%s' cannot be told", path);
    }
    *size = (uint64_t)end;
    return fd;
}

int segments_open(struct segments *segments)
{
    raise_file_limit(segments->count);
    for (size_t i = 0; i < segments->count; i++) {
        struct segment *file = &segments->files[i];
        file->fd = medium_open(file->path, &file->size);
        if (file->fd < 0)
            return -1;
    }
    return 0;
}

static void release_one(struct segment *file)
{
    if (file->fd >= 0)
        close(file->fd);
    free(file->path);
}

void segments_sort(struct segments *segments)
{
    size_t kept = 0;

    if (segments->count)
        qsort(segments->files, segments->count, sizeof *segments->files, by_number_and_name);
    for (size_t i = 0; i < segments->count; i++) {
        struct segment *file = &segments->files[i];
        if (file->number && (kept == 0 || segments->files[kept - 1].number != file->number))
            segments->files[kept++] = *file;
        else
            release_one(file);
    }
    segments->count = kept;
}

void segments_release(struct segments *segments)
{
    for (size_t i = 0; i < segments->count; i++)
        release_one(&segments->files[i]);
    free(segments->files);
    *segments = (struct segments){0};
}

const char **segments_paths(const struct segments *segments)
{
    const char **paths = calloc(segments->count + 1, sizeof *paths);

    for (size_t i = 0; paths && i < segments->count; i++)
        paths[i] = segments->files[i].path;
    return paths;
}

ssize_t segment_read(const struct segment *segment, uint64_t offset, void *buffer, size_t size)
{
    size_t done = 0;

    while (done < size && offset + done <= INT64_MAX) {
        ssize_t got =
            pread(segment->fd, (char *)buffer + done, size - done, (off_t)(offset + done));
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return error_set_errno("'%s' cannot be read at byte %llu", segment->path,
                                   (unsigned long long)(offset + done));
        if (got == 0)
            break;
        done += (size_t)got;
    }
    return (ssize_t)done;
}
