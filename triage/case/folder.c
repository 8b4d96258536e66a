#include "triage/case/folder.h"

#include "triage/base/error.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
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
    "case.db.new",
    "case.db.partial",
    "case.db.partial-journal",
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

void case_folder_remove_files(const char *path)
{
    const int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (folder < 0)
        return;
    remove_tree(folder, "files", 0);
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

static void remove_parts(const char *path)
{
    const int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (folder < 0)
        return;
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        unlinkat(folder, parts[i], 0);
    close(folder);
    case_folder_remove_files(path);
}

int case_folder_prepare(const char *path, enum case_mode mode)
{
    if (mkdir(path, 0755) == 0)
        return mode == CASE_RESUME ? error_set("'%s' holds no case to resume", path) : 0;
    if (errno != EEXIST)
        return error_set_errno("cannot make the case folder '%s'", path);
    struct stat status;
    if (stat(path, &status) != 0 || !S_ISDIR(status.st_mode))
        return error_set("'%s' is not a folder", path);
    if (mode == CASE_CLOBBER && !folder_is_empty(path) && !holds_case(path))
        return error_set("'%s' is not empty and holds no case: --clobber overwrites nothing else",
                         path);
    if (mode == CASE_CLOBBER)
        remove_parts(path);
    if (mode == CASE_NEW && !folder_is_empty(path))
        return error_set("'%s' is not empty (use --clobber to overwrite the case in it)", path);
    return 0;
}
