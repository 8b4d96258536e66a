/* A folder as evidence: which of its folders are drives, and what is left beside them. */
#include "triage/evidence/folder_parts.h"

#include "triage/base/error.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

struct drives {
    struct folder *folders[26];
    struct identity others[26 * ROOTS_MAX];
    size_t other_count;
};

/* Adds the sub-folder as a root of the drive. A link or a file of that name is none. */
static int drives_add(struct drives *drives, int parent, const char *name, char letter)
{
    struct folder **slot = &drives->folders[letter - 'A'];
    const int opened = openat(parent, name, FOLDER_FLAGS);
    struct stat status;

    if (opened < 0)
        return 0;
    if (!*slot)
        *slot = folder_new(false);
    if (!*slot || (*slot)->root_count == ROOTS_MAX || fstat(opened, &status) < 0) {
        close(opened);
        return *slot ? 0 : -1;
    }
    (*slot)->roots[(*slot)->root_count++] = opened;
    (*slot)->decode |= strchr(name, '%') != NULL;
    drives->others[drives->other_count++] =
        (struct identity){.device = status.st_dev, .inode = status.st_ino};
    return 0;
}

/* Velociraptor's accessors: "uploads/auto/C%3A", "uploads/ntfs/%5C%5C.%5CC%3A". */
static bool is_collection_folder(const char *name)
{
    static const char *const names[] = {"uploads", "auto", "ntfs", "lazy_ntfs", "file", "mft"};

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcasecmp(name, names[i]) == 0)
            return true;
    return false;
}

static int find_drives(struct drives *drives, int folder, unsigned depth)
{
    struct found_list list = {0};
    int result = folder_names(folder, 0, false, &list);

    if (list.count > 1)
        qsort(list.items, list.count, sizeof *list.items, found_compare);
    for (size_t i = 0; result == 0 && i < list.count; i++) {
        const char *name = list.items[i].raw;
        const char letter = folder_drive_letter(name);
        if (letter) {
            result = drives_add(drives, folder, name, letter);
        } else if (depth < 2 && is_collection_folder(name)) {
            const int below = openat(folder, name, FOLDER_FLAGS);
            if (below >= 0) {
                result = find_drives(drives, below, depth + 1);
                close(below);
            }
        }
    }
    found_release(&list);
    return result < 0 ? -1 : 0;
}

/* A folder with these in it is a system drive itself, whatever else lies beside them. */
static bool is_drive_root(const struct found_list *list)
{
    static const char *const names[] = {"Windows", "Program Files", "inetpub", "$MFT"};

    for (size_t i = 0; i < list->count; i++)
        for (size_t k = 0; k < sizeof names / sizeof *names; k++)
            if (strcasecmp(list->items[i].raw, names[k]) == 0)
                return true;
    return false;
}

static bool only_drives(const struct found_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        if (!folder_drive_letter(list->items[i].raw))
            return false;
    return list->count > 0;
}

static char base_drive_letter(const char *path)
{
    size_t size = strlen(path);

    while (size > 1 && path[size - 1] == '/')
        size--;
    const char *slash = memrchr(path, '/', size);
    const char *base = slash ? slash + 1 : path;
    char name[COMPONENT_SIZE];
    snprintf(name, sizeof name, "%.*s", (int)(size - (size_t)(base - path)), base);
    return folder_drive_letter(name);
}

/* The folder itself, without the drives that were found in it. Takes over `root`. */
static int add_rest(int root, const char *path, const struct drives *drives,
                    struct folder_volume volumes[FOLDER_VOLUMES_MAX], size_t *count)
{
    struct folder *folder = folder_new(strchr(path, '%') != NULL);
    struct identity *others = calloc(drives->other_count + 1, sizeof *others);

    if (!folder || !others) {
        free(folder);
        free(others);
        close(root);
        return error_set("out of memory");
    }
    memcpy(others, drives->others, drives->other_count * sizeof *others);
    folder->roots[folder->root_count++] = root;
    folder->others = others;
    folder->other_count = drives->other_count;
    volumes[(*count)++] = (struct folder_volume){
        .source = &folder->source,
        .drive_hint = drives->other_count ? 0 : base_drive_letter(path),
        .text = drives->other_count ? "files beside the drives" : "folder",
    };
    return 0;
}

static void add_drives(struct drives *drives, struct folder_volume volumes[FOLDER_VOLUMES_MAX],
                       size_t *count)
{
    for (size_t i = 0; i < 26; i++)
        if (drives->folders[i])
            volumes[(*count)++] = (struct folder_volume){
                .source = &drives->folders[i]->source,
                .drive_hint = (char)('A' + i),
                .text = "folder of a drive",
            };
}

int folder_open(const char *path, struct folder_volume volumes[FOLDER_VOLUMES_MAX], size_t *count)
{
    struct drives drives = {0};
    struct found_list list = {0};
    const int root = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    *count = 0;
    if (root < 0)
        return error_set_errno("folder '%s' cannot be opened", path);
    int result = folder_names(root, 0, false, &list);
    if (result > 0)
        result = error_set_errno("folder '%s' cannot be read", path);
    if (result == 0 && !is_drive_root(&list))
        result = find_drives(&drives, root, 0);
    add_drives(&drives, volumes, count);
    if (result == 0 && !(drives.other_count && only_drives(&list)))
        result = add_rest(root, path, &drives, volumes, count);
    else
        close(root);
    found_release(&list);
    for (size_t i = 0; result < 0 && i < *count; i++)
        volumes[i].source->methods->close(volumes[i].source);
    return result;
}
