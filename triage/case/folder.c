#include "triage/case/folder.h"

#include "triage/base/buffer.h"
#include "triage/base/error.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const parts[] = {
    "report.html",
    "report-print.html",
    "timeline.jsonl",
    "timeline.csv",
    "undated.jsonl",
    "context.jsonl",
    "findings.json",
    "coverage.json",
    "host.json",
    "files.csv",
    "bodyfile.txt",
    "timeline.tln",
    "timeline.l2t.csv",
    "timeline.plaso.csv",
    "timeline.ecs.jsonl",
    "stix.json",
    "case-uco.jsonld",
    "dfxml.xml",
    "misp.json",
    "summary.md",
    "case.db",
    "case.db.partial",
    "case.db.partial-journal",
    "case.db.partial-shm",
    "case.db.partial-wal",
    "run.json",
    "log.txt",
    "SHA256SUMS",
    "SHA256SUMS.asc",
    "SHA256SUMS.sig",
};

static bool folder_is_empty(const char *path)
{
    DIR *folder = opendir(path);
    struct dirent *entry;
    bool empty = true;

    if (!folder)
        return false;
    while (empty && (entry = readdir(folder)))
        empty = strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0;
    closedir(folder);
    return empty;
}

/* Removes `name` of `parent`, with all below it when it is a folder, never following a link. */
static void remove_tree(int parent, const char *name, unsigned depth)
{
    if (unlinkat(parent, name, 0) == 0)
        return;
    const int descriptor = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *folder = descriptor < 0 ? NULL : fdopendir(descriptor);
    struct dirent *entry;

    while (folder && (entry = readdir(folder))) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        if (unlinkat(descriptor, entry->d_name, 0) != 0 && depth < 512)
            remove_tree(descriptor, entry->d_name, depth + 1);
    }
    if (folder)
        closedir(folder);
    unlinkat(parent, name, AT_REMOVEDIR);
}

static void remove_files(const char *path)
{
    const int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (folder < 0)
        return;
    remove_tree(folder, "files", 0);
    remove_tree(folder, "files.new", 0); /* of a run that was killed while it made copies */
    close(folder);
}

/* Whether the folder holds a case, finished or not: all else in the world is not to be overwritten.
 */
static bool holds_case(const char *path)
{
    const int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool found = false;

    if (folder < 0)
        return false;
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        found |= strncmp(parts[i], "case.db", 7) == 0 &&
                 faccessat(folder, parts[i], F_OK, AT_SYMLINK_NOFOLLOW) == 0;
    close(folder);
    return found;
}

static int remove_name(int folder, const char *name)
{
    return unlinkat(folder, name, 0) == 0 || errno == ENOENT
               ? 0
               : error_set_errno("cannot remove '%s'", name);
}

/* The part, and what may lie beside it while it is written. */
static int remove_part(int folder, const char *name)
{
    char beside[64];

    snprintf(beside, sizeof beside, "%s.new", name);
    return remove_name(folder, name) < 0 ? -1 : remove_name(folder, beside);
}

static bool is_of_run(const char *name)
{
    return strncmp(name, "case.db.partial", 15) == 0 || strcmp(name, "log.txt") == 0;
}

enum removal { ALL_PARTS, PARTS_OF_RUN, PARTS_FOR_PEOPLE };

static bool is_meant(enum removal which, const char *name)
{
    return which == ALL_PARTS || (which == PARTS_OF_RUN) == is_of_run(name);
}

static int remove_parts(const char *path, enum removal which)
{
    const int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int result = 0;

    if (folder < 0)
        return error_set_errno("cannot open the case folder '%s'", path);
    for (size_t i = 0; i < sizeof parts / sizeof *parts && result == 0; i++)
        if (is_meant(which, parts[i]))
            result = remove_part(folder, parts[i]);
    close(folder);
    return result == 0 ? 0 : error_prefix("'%s'", path);
}

int case_folder_remove_outputs(const char *path)
{
    return remove_parts(path, PARTS_FOR_PEOPLE);
}

void case_folder_take_back(const char *path, bool folder_too)
{
    if (remove_parts(path, PARTS_OF_RUN) == 0 && folder_too)
        rmdir(path);
}

/* SQLite holds locks on the database while a run collects. */
static int check_nobody_is_at_work(const char *path)
{
    const int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const int partial =
        folder < 0 ? -1 : openat(folder, "case.db.partial", O_RDWR | O_NOFOLLOW | O_CLOEXEC);
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    const bool busy = partial >= 0 && fcntl(partial, F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;

    if (partial >= 0)
        close(partial);
    if (folder >= 0)
        close(folder);
    return busy ? error_set("another run is at work on the case in '%s' (process %ld)", path,
                            (long)lock.l_pid)
                : 0;
}

static int clobber(const char *path)
{
    if (!folder_is_empty(path) && !holds_case(path))
        return error_set("'%s' is not empty and holds no case: --clobber overwrites nothing else",
                         path);
    if (check_nobody_is_at_work(path) < 0 || remove_parts(path, ALL_PARTS) < 0)
        return -1;
    remove_files(path);
    return 0;
}

int case_folder_prepare(const char *path, enum case_mode mode)
{
    struct stat status;
    const bool exists = stat(path, &status) == 0;

    if (mode == CASE_RESUME && !exists)
        return error_set("'%s' holds no case to resume", path);
    if (!exists && mkdir(path, 0755) == 0)
        return 0;
    if (!exists)
        return error_set_errno("cannot make the case folder '%s'", path);
    if (!S_ISDIR(status.st_mode))
        return error_set("'%s' is not a folder", path);
    if (mode == CASE_CLOBBER)
        return clobber(path);
    if (mode == CASE_NEW && !folder_is_empty(path))
        return error_set("'%s' is not empty (use --clobber to overwrite the case in it)", path);
    return 0;
}

FILE *case_folder_open(const char *path, const char *name)
{
    struct buffer text = BUFFER_EMPTY;
    struct stat status;

    buffer_format(&text, "%s/%s", path, name);
    const int file = open(buffer_text(&text), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    buffer_release(&text);
    if (file < 0)
        return NULL;
    FILE *stream = fstat(file, &status) == 0 && S_ISREG(status.st_mode) ? fdopen(file, "r") : NULL;
    if (!stream)
        close(file);
    return stream;
}

bool case_folder_has(const char *path, const char *name)
{
    struct buffer text = BUFFER_EMPTY;

    buffer_format(&text, "%s/%s", path, name);
    const bool found = access(buffer_text(&text), F_OK) == 0;
    buffer_release(&text);
    return found;
}
