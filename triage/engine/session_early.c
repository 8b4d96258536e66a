/*
 * Copies that workers make of a file while they parse it, so that it is read once. Which files are
 * copied, and under which names, is known when all are parsed: until then the copies wait in a
 * folder of their own. A run that is resumed begins without them and reads those files again.
 */
#include "triage/engine/session_parts.h"

#include "triage/base/error.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { TOLD_MOST = 1024 };

/* Removes the files in it, which a run that was killed may have left there. -1 when it is not a
 * folder of our own. */
static int empty_folder(const char *path)
{
    const int descriptor = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *folder = descriptor < 0 ? NULL : fdopendir(descriptor);
    struct dirent *entry;

    if (!folder && descriptor >= 0)
        close(descriptor);
    if (!folder)
        return -1;
    while ((entry = readdir(folder)))
        unlinkat(descriptor, entry->d_name, 0);
    closedir(folder);
    return 0;
}

static const struct early_copy *early_copy_new(struct session *session, const char *path,
                                               struct slice told)
{
    struct early_copy *early = arena_take(session->arena, sizeof *early);
    uint8_t *bytes = arena_take(session->arena, told.size + 1);

    if (!early || !bytes || !(early->path = arena_text(session->arena, slice_of_text(path))))
        return NULL;
    if (told.size)
        memcpy(bytes, told.data, told.size);
    early->told = slice_of(bytes, told.size);
    return early;
}

/* A file that has changed in a live folder since it was listed is read again: *taken stays false.
 */
static int take(struct session *session, size_t task, const char *path, struct slice told,
                bool *taken)
{
    const struct wanted *wanted = &session->wanted[session->order[task]];
    struct stat status;

    if (session_at_work(session, task, "", wanted->key) < 0)
        return -1;
    if (session->attempt->early || told.size > TOLD_MOST)
        return error_set("a malformed copy");
    if (stat(path, &status) != 0 || (uint64_t)status.st_size != wanted->file.size)
        return 0;
    session->attempt->early = early_copy_new(session, path, told);
    *taken = session->attempt->early != NULL;
    return 0;
}

static int filled(void *context, size_t task, const char *path, struct slice told)
{
    bool taken = false;
    const int result = take(context, task, path, told, &taken);

    if (!taken)
        unlink(path);
    return result;
}

void session_begin_early(struct session *session, struct pool *pool)
{
    const char *folder = arena_format(session->arena, "%s/files.new", case_folder(session->file));

    if (!folder || session->options.no_copies || pool->jobs == 0)
        return;
    if ((mkdir(folder, 0755) != 0 && errno != EEXIST) || empty_folder(folder) < 0)
        return;
    session->early_folder = pool->blanks = folder;
    pool->filled = filled;
    pool->blank_most = COPIED_EARLY_MOST;
    session->setup.output = COPIED_EARLY_MOST;
}

void session_keep_early(struct session *session, struct wanted *wanted, bool good)
{
    const struct early_copy *early = session->attempt->early;

    session->attempt->early = NULL;
    if (early && good && session_is_copied(session, wanted))
        wanted->early = early;
    else if (early)
        unlink(early->path);
}

bool session_place_early(struct wanted *wanted)
{
    return wanted->early && rename(wanted->early->path, wanted->output) == 0;
}

void session_end_early(struct session *session)
{
    if (!session->early_folder)
        return;
    empty_folder(session->early_folder);
    rmdir(session->early_folder);
    session->early_folder = NULL;
}
