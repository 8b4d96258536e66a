#include "triage/match/rule_files.h"

#include "triage/base/error.h"
#include "triage/match/content_rules.h"
#include "triage/match/indicator_reader.h"
#include "triage/match/indicator_rules.h"
#include "triage/match/rule_settings.h"
#include "triage/match/sigma_rules.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    FOLDER_DEPTH = 16,
    FOLDERS_MOST = 4096,
    FILE_MOST = 64 << 20,
    LIST_MOST = 1 << 30,
    HEAD_SIZE = 4096
};

/* --- names --- */

static bool is_content_name(const char *path)
{
    const struct slice name = slice_of_text(path);

    return slice_ends_nocase(name, ".yar") || slice_ends_nocase(name, ".yara");
}

static bool is_sigma_name(const char *path)
{
    const struct slice name = slice_of_text(path);

    return slice_ends_nocase(name, ".yml") || slice_ends_nocase(name, ".yaml");
}

/* Of a file in a folder that is neither Sigma nor YARA its start tells whether it is a list. */
static bool is_list(const char *path)
{
    uint8_t head[HEAD_SIZE];
    const int handle = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    const ssize_t size = handle < 0 ? 0 : read(handle, head, sizeof head);

    if (handle >= 0)
        close(handle);
    return size > 0 && indicator_recognise(path, slice_of(head, (size_t)size));
}

static bool is_rule_name(const char *path)
{
    return is_content_name(path) || is_sigma_name(path) || is_list(path);
}

/* --- files --- */

static int read_all(int handle, size_t most, struct buffer *out)
{
    for (;;) {
        uint8_t *room = buffer_reserve(out, 64 * 1024);
        if (!room || out->size > most)
            return error_set("too large for a rule file");
        const ssize_t size = read(handle, room, 64 * 1024);
        if (size < 0 && errno == EINTR)
            continue;
        if (size < 0)
            return error_set_errno("cannot be read");
        if (size == 0)
            return 0;
        out->size += (size_t)size;
    }
}

int rule_file_read(const char *path, struct buffer *out)
{
    const int handle = open(path, O_RDONLY | O_CLOEXEC);

    if (handle < 0)
        return error_set_errno("cannot be opened");
    const bool list = !is_content_name(path) && !is_sigma_name(path);
    const int result = read_all(handle, list ? LIST_MOST : FILE_MOST, out);
    close(handle);
    return result;
}

/* Not a pipe, which may never end, nor a device. */
static bool is_plain_file(const char *path)
{
    struct stat status;

    if (stat(path, &status) == 0 && S_ISREG(status.st_mode))
        return true;
    error_set("is no file");
    return false;
}

static int load_text(struct rule_set *set, const char *path, struct slice text)
{
    struct rule_file file = {.path = path, .text = text};

    hash_sha256(text, file.sha256);
    return is_content_name(path) ? content_rules_load(set, &file)
           : is_sigma_name(path) ? sigma_rules_load(set, &file)
                                 : indicator_rules_load(set, &file);
}

/* In a folder a file that cannot be read is a rule that is not loaded. */
static int load_file(struct rule_set *set, const char *path, bool in_folder)
{
    struct buffer text = BUFFER_EMPTY;
    const struct rule_file file = {.path = path};
    int result;

    if ((!in_folder || is_plain_file(path)) && rule_file_read(path, &text) == 0)
        result = load_text(set, path, buffer_slice(&text));
    else if (in_folder)
        result = rule_set_add_refused(set, &file, is_content_name(path) ? RULE_YARA : RULE_SIGMA, 0,
                                      error_text());
    else
        result = error_prefix("rules '%s'", path);
    buffer_release(&text);
    return result;
}

/* --- folders --- */

static int is_visible(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static int load_settings(struct rule_set *set, const char *folder, const char *name)
{
    if (!rule_settings_has(name))
        return 0;
    const char *path = arena_format(set->arena, "%s/%s", folder, name);
    const struct rule_file file = {.path = path};
    if (!path)
        return -1;
    return is_plain_file(path) && rule_settings_load(set, name, path) == 0
               ? 0
               : rule_set_add_refused(set, &file, RULE_SIGMA, 0, error_text());
}

/* Folders that were loaded: links may lead to each of them on many ways, and round in circles. */
struct folders {
    size_t count;
    struct {
        dev_t device;
        ino_t number;
    } list[FOLDERS_MOST];
};

static bool is_new(struct folders *folders, const struct stat *status)
{
    for (size_t i = 0; i < folders->count; i++)
        if (folders->list[i].device == status->st_dev && folders->list[i].number == status->st_ino)
            return false;
    if (folders->count == FOLDERS_MOST)
        return false;
    folders->list[folders->count].device = status->st_dev;
    folders->list[folders->count++].number = status->st_ino;
    return true;
}

static int load_path(struct rule_set *set, const char *path, unsigned depth,
                     struct folders *folders);

static int load_folder(struct rule_set *set, const char *path, unsigned depth,
                       struct folders *folders)
{
    struct dirent **names = NULL;
    const int count = scandir(path, &names, is_visible, by_name);
    int result = 0;

    if (count < 0)
        return error_set_errno("rules '%s' cannot be listed", path);
    for (int i = 0; i < count && result == 0; i++)
        result = load_settings(set, path, names[i]->d_name);
    for (int i = 0; i < count; i++) {
        const char *child = arena_format(set->arena, "%s/%s", path, names[i]->d_name);
        if (result == 0 && !rule_settings_has(names[i]->d_name))
            result = child ? load_path(set, child, depth + 1, folders) : -1;
        free(names[i]);
    }
    free(names);
    return result;
}

static int load_path(struct rule_set *set, const char *path, unsigned depth,
                     struct folders *folders)
{
    struct stat status;
    const bool found = stat(path, &status) == 0;

    if (!found && depth == 0)
        return error_set_errno("rules '%s' cannot be read", path);
    if (found && S_ISDIR(status.st_mode))
        return depth < FOLDER_DEPTH && is_new(folders, &status)
                   ? load_folder(set, path, depth, folders)
                   : 0;
    return depth == 0 || is_rule_name(path) ? load_file(set, path, depth > 0) : 0;
}

int rule_set_load(struct rule_set *set, const char *path)
{
    const char *kept = arena_text(set->arena, slice_of_text(path));
    struct folders folders = {0};

    return kept ? load_path(set, kept, 0, &folders) : -1;
}

int rule_set_load_text(struct rule_set *set, const char *name, struct slice text)
{
    const char *kept = arena_text(set->arena, slice_of_text(name));

    return kept ? load_text(set, kept, text) : -1;
}
