#include "triage/commands/rule_folder.h"

#include "triage/base/buffer.h"
#include "triage/base/error.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH_SIZE = PATH_MAX + 64, FOLDER_DEPTH = 16, PIECE_SIZE = 1 << 16, FILES_MOST = 100000 };

static const char *chosen;

void rule_folder_choose(const char *path)
{
    chosen = path;
}

/* ---- where it is ---- */

static bool is_folder(const char *path)
{
    struct stat status;

    return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

/* A folder of somebody's own is taken as a whole: one that does not say its version is something
 * else. */
static bool holds_version(const char *folder)
{
    struct rule_folder_version version;

    rule_folder_read_version(folder, &version);
    return *version.version != 0;
}

/* The folder that the program lies in; "" when it cannot be told. */
static void own_folder(char path[PATH_MAX])
{
    const ssize_t size = readlink("/proc/self/exe", path, PATH_MAX - 1);

    path[size > 0 ? size : 0] = 0;
    char *slash = strrchr(path, '/');
    *(slash ? slash : path) = 0;
}

static bool find_beside(char path[PATH_SIZE])
{
    char own[PATH_MAX];

    own_folder(own);
    snprintf(path, PATH_SIZE, "%s/rules", own);
    return *own && is_folder(path);
}

static bool find_users(char path[PATH_SIZE])
{
    const char *data = getenv("XDG_DATA_HOME"), *home = getenv("HOME");

    if (data && *data == '/')
        snprintf(path, PATH_SIZE, "%s/extriage/rules", data);
    else if (home && *home == '/')
        snprintf(path, PATH_SIZE, "%s/.local/share/extriage/rules", home);
    else
        return false;
    return holds_version(path);
}

static bool find_system(char path[PATH_SIZE])
{
    snprintf(path, PATH_SIZE, "/etc/extriage/rules");
    return holds_version(path);
}

static bool find_installed(char path[PATH_SIZE])
{
    char own[PATH_MAX];

    own_folder(own);
    snprintf(path, PATH_SIZE, "%s/../share/extriage/rules", own);
    if (*own && is_folder(path))
        return true;
    snprintf(path, PATH_SIZE, "%s/rules", PKGDATADIR);
    return is_folder(path);
}

static const char *search(void)
{
    static char path[PATH_SIZE];

    return find_beside(path) || find_users(path) || find_system(path) || find_installed(path) ? path
                                                                                              : "";
}

/* Asked for each rule of a case: looked up once. */
const char *default_rules_folder(void)
{
    static const char *found;
    const char *named = chosen ? chosen : getenv("EXTRIAGE_RULES");

    if (named && *named)
        return named;
    if (!found)
        found = search();
    return found;
}

/* ---- its version ---- */

static void first_word(const char *line, char word[RULE_VERSION_SIZE])
{
    const size_t size = strcspn(line, " \t\r\n");

    snprintf(word, RULE_VERSION_SIZE, "%.*s", (int)(size < 32 ? size : 32), line);
    for (char *c = word; *c; c++)
        if (*c < '!' || *c > '~')
            *c = '?';
}

void rule_folder_read_version(const char *folder, struct rule_folder_version *version)
{
    static const char needs[] = "needs extriage ";
    char path[PATH_SIZE], line[200];

    *version = (struct rule_folder_version){{0}, {0}};
    snprintf(path, sizeof path, "%s/VERSION", folder);
    FILE *file = fopen(path, "re");
    while (file && fgets(line, sizeof line, file))
        if (strncmp(line, needs, sizeof needs - 1) == 0)
            first_word(line + sizeof needs - 1, version->needs);
        else if (!*version->version)
            first_word(line, version->version);
    if (file)
        fclose(file);
}

int rule_version_compare(const char *a, const char *b)
{
    while (*a || *b) {
        char *a_end, *b_end;
        const unsigned long first = strtoul(a, &a_end, 10), second = strtoul(b, &b_end, 10);
        if (first != second)
            return first < second ? -1 : 1;
        a = *a_end ? a_end + 1 : a_end;
        b = *b_end ? b_end + 1 : b_end;
    }
    return 0;
}

int rule_folder_check(const char *folder)
{
    struct rule_folder_version version;

    rule_folder_read_version(folder, &version);
    if (rule_version_compare(version.needs, PACKAGE_VERSION) > 0)
        return error_set("the rules in '%s' need extriage %s or newer; this is " PACKAGE_VERSION,
                         folder, version.needs);
    return 0;
}

bool rule_folder_is_old(char *text, size_t size)
{
    struct rule_folder_version used, installed;
    char path[PATH_SIZE];

    if (!find_installed(path))
        return false;
    rule_folder_read_version(default_rules_folder(), &used);
    rule_folder_read_version(path, &installed);
    if (!*used.version || !*installed.version ||
        rule_version_compare(used.version, installed.version) >= 0)
        return false;
    snprintf(text, size, "the rules in '%s' (%s) are older than those that are installed (%s)",
             default_rules_folder(), used.version, installed.version);
    return true;
}

/* ---- its digest ---- */

struct file_list {
    char **paths; /* below the folder, "./..." */
    size_t count;
    size_t folder_size;
};

static int add_path(struct file_list *list, const char *path)
{
    char *text = NULL;
    char **paths =
        list->count < FILES_MOST ? realloc(list->paths, (list->count + 1) * sizeof(*paths)) : NULL;

    if (paths)
        list->paths = paths;
    if (!paths || asprintf(&text, ".%s", path + list->folder_size) < 0)
        return error_set("too many rules");
    list->paths[list->count++] = text;
    return 0;
}

static bool is_counted(const char *name)
{
    const size_t size = strlen(name);

    return strcmp(name, ".") != 0 && strcmp(name, "..") != 0 &&
           (size < 3 || strcmp(name + size - 3, ".md") != 0);
}

static int list_files(struct file_list *list, const char *folder, unsigned depth)
{
    DIR *entries = depth < FOLDER_DEPTH ? opendir(folder) : NULL;
    const struct dirent *entry;
    int result = 0;

    if (!entries)
        return error_set_errno("the folder '%s' cannot be read", folder);
    while (result == 0 && (entry = readdir(entries))) {
        struct buffer path = BUFFER_EMPTY;
        struct stat status;
        buffer_format(&path, "%s/%s", folder, entry->d_name);
        if (!is_counted(entry->d_name) || stat(buffer_text(&path), &status) < 0)
            result = 0;
        else if (S_ISDIR(status.st_mode))
            result = list_files(list, buffer_text(&path), depth + 1);
        else if (S_ISREG(status.st_mode))
            result = add_path(list, buffer_text(&path));
        buffer_release(&path);
    }
    closedir(entries);
    return result;
}

static int compare_paths(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static int hash_file(const char *folder, const char *path, char text[SHA256_TEXT_SIZE])
{
    struct buffer whole = BUFFER_EMPTY;
    struct hasher *hasher = hasher_new(HASH_SHA256);
    uint8_t piece[PIECE_SIZE];
    size_t size;

    buffer_format(&whole, "%s/%s", folder, path);
    FILE *file = fopen(buffer_text(&whole), "rbe");
    while (file && hasher && (size = fread(piece, 1, sizeof piece, file)) > 0)
        hasher_add(hasher, slice_of(piece, size));
    const bool read = file && hasher && !ferror(file);
    const struct digests digests = read ? hasher_finish(hasher) : (struct digests){{0}, {0}, {0}};
    memcpy(text, digests.sha256, SHA256_TEXT_SIZE);
    if (!read)
        error_set_errno("'%s' cannot be read", buffer_text(&whole));
    if (file)
        fclose(file);
    hasher_free(hasher);
    buffer_release(&whole);
    return read ? 0 : -1;
}

int rule_folder_read_digest(const char *folder, struct rule_folder_digest *digest)
{
    struct file_list list = {.folder_size = strlen(folder)};
    struct buffer lines = BUFFER_EMPTY;
    int result = list_files(&list, folder, 0);

    if (list.count)
        qsort(list.paths, list.count, sizeof *list.paths, compare_paths);
    for (size_t i = 0; i < list.count && result == 0; i++) {
        char hash[SHA256_TEXT_SIZE];
        result = hash_file(folder, list.paths[i], hash);
        buffer_format(&lines, "%s  %s\n", hash, list.paths[i]);
    }
    digest->files = list.count;
    hash_sha256(buffer_slice(&lines), digest->sha256);
    for (size_t i = 0; i < list.count; i++)
        free(list.paths[i]);
    free(list.paths);
    buffer_release(&lines);
    return result;
}
