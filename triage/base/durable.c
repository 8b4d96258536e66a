#include "triage/base/durable.h"

#include "triage/base/error.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Some file systems have nothing to wait for and say so. */
static bool has_failed(int result)
{
    return result != 0 && errno != EINVAL && errno != ENOTSUP && errno != EROFS;
}

static int sync_path(const char *path, int (*sync)(int descriptor))
{
    const int descriptor = open(path, O_RDONLY | O_CLOEXEC);

    if (descriptor < 0)
        return error_set_errno("cannot open '%s'", path);
    const bool failed = has_failed(sync(descriptor));
    const int reason = errno;
    close(descriptor);
    errno = reason;
    return failed ? error_set_errno("cannot write '%s' to the disk", path) : 0;
}

int durable_sync(const char *path)
{
    return sync_path(path, fsync);
}

int durable_sync_all(const char *folder)
{
    return sync_path(folder, syncfs);
}

static int sync_folder_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    char *folder = slash ? strndup(path, slash == path ? 1 : (size_t)(slash - path)) : strdup(".");
    const int result = folder ? durable_sync(folder) : error_set("out of memory");

    free(folder);
    return result;
}

int durable_rename(const char *from, const char *to)
{
    if (durable_sync(from) < 0)
        return -1;
    if (rename(from, to) != 0)
        return error_set_errno("cannot write '%s'", to);
    return sync_folder_of(to);
}

int new_file_open(struct new_file *file, const char *path)
{
    *file = (struct new_file){.path = strdup(path)};
    if (!file->path || asprintf(&file->beside, "%s.new", path) < 0) {
        file->beside = NULL;
        new_file_drop(file);
        return error_set("out of memory");
    }
    unlink(file->beside); /* what a run that was killed has left */
    file->stream = fopen(file->beside, "wxe");
    if (file->stream)
        return 0;
    error_set_errno("cannot write '%s'", path);
    new_file_drop(file);
    return -1;
}

int new_file_keep(struct new_file *file)
{
    const bool spoilt = ferror(file->stream) != 0, flushed = fflush(file->stream) == 0;
    int reason = flushed ? EIO : errno; /* the stream does not tell why a write failed before */

    const bool closed = fclose(file->stream) == 0;
    file->stream = NULL;
    if (!closed && flushed)
        reason = errno;
    errno = reason;
    if (spoilt || !flushed || !closed || rename(file->beside, file->path) != 0)
        return error_set_errno("cannot write '%s'", file->path);
    free(file->beside);
    file->beside = NULL;
    return 0;
}

void new_file_drop(struct new_file *file)
{
    if (file->stream)
        fclose(file->stream);
    if (file->beside)
        unlink(file->beside);
    free(file->beside);
    free(file->path);
    *file = (struct new_file){0};
}
