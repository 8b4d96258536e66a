#include "triage/case/seal.h"

#include "triage/base/error.h"
#include "triage/base/hash.h"
#include "triage/base/instant.h"

#include <dirent.h>
#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { DIGEST_WORDS = 4, OPEN_FOLDERS = 32 };

struct sealed {
    char *path;
    struct stat status;
    bool relevant, holds; /* set by seal_holds */
};

/* All entries of a folder: how many there are, and the exclusive or of their hashes, which does not
 * depend on the order in which a folder is listed. */
struct tree {
    uint64_t entries, words[DIGEST_WORDS];
};

struct seal {
    char *path;
    bool is_folder;
    struct tree before, after;
    struct sealed *files;
    size_t count, room;
};

/* nftw has no context. */
static struct tree *walked;

static int add_entry(const char *path, const struct stat *status, int type, struct FTW *place)
{
    char text[SHA256_TEXT_SIZE], word[17];
    struct buffer line = BUFFER_EMPTY;

    (void)type;
    (void)place;
    buffer_format(&line, "%s|%llu|%llu|%o|%lld|%lld.%09ld|%lld.%09ld", path,
                  (unsigned long long)status->st_dev, (unsigned long long)status->st_ino,
                  (unsigned)status->st_mode, (long long)status->st_size,
                  (long long)status->st_mtim.tv_sec, status->st_mtim.tv_nsec,
                  (long long)status->st_ctim.tv_sec, status->st_ctim.tv_nsec);
    const bool failed = buffer_failed(&line);
    hash_sha256(buffer_slice(&line), text);
    buffer_release(&line);
    if (failed) {
        errno = ENOMEM;
        return -1;
    }
    walked->entries++;
    for (size_t i = 0; i < DIGEST_WORDS; i++) {
        snprintf(word, sizeof word, "%.16s", text + 16 * i);
        walked->words[i] ^= strtoull(word, NULL, 16);
    }
    return 0;
}

static int tree_of(const char *path, struct tree *tree)
{
    *tree = (struct tree){0};
    walked = tree;
    errno = 0;
    const int result = nftw(path, add_entry, OPEN_FOLDERS, FTW_PHYS);
    walked = NULL;
    /* What cannot be listed (a path of more than PATH_MAX bytes) is so both times. */
    return result == 0 || errno != ENOMEM ? 0 : error_set_errno("cannot list '%s'", path);
}

static int add_file(struct seal *seal, const char *folder, const char *name)
{
    if (seal->count == seal->room) {
        const size_t room = seal->room ? 2 * seal->room : 16;
        struct sealed *grown = realloc(seal->files, room * sizeof *grown);
        if (!grown)
            return error_set("out of memory");
        seal->files = grown;
        seal->room = room;
    }
    struct sealed *file = &seal->files[seal->count];
    *file = (struct sealed){0};
    if (asprintf(&file->path, "%s%s", folder, name) < 0)
        return error_set("out of memory");
    if (stat(file->path, &file->status) != 0 || S_ISDIR(file->status.st_mode))
        free(file->path); /* a link to nowhere, a folder: no segment */
    else
        seal->count++;
    return 0;
}

/* Files whose names begin as that of the evidence, up to its last dot. */
static int add_siblings(struct seal *seal)
{
    const char *slash = strrchr(seal->path, '/');
    const char *name = slash ? slash + 1 : seal->path;
    const char *dot = strrchr(name, '.');
    const size_t stem = dot ? (size_t)(dot - name) : strlen(name);
    char *folder = strndup(seal->path, (size_t)(name - seal->path));
    DIR *listing = folder ? opendir(*folder ? folder : ".") : NULL;
    struct dirent *entry;
    int result = folder ? 0 : error_set("out of memory");

    if (!listing && result == 0) /* it may be readable without being listed */
        result = add_file(seal, folder, name);
    while (listing && result == 0 && (entry = readdir(listing)))
        if (strncasecmp(entry->d_name, name, stem) == 0)
            result = add_file(seal, folder, entry->d_name);
    if (listing)
        closedir(listing);
    free(folder);
    return result;
}

int seal_take(const char *path, struct seal **out)
{
    struct seal *seal = calloc(1, sizeof *seal);
    struct stat status;
    int result = -1;

    if (!seal || !(seal->path = strdup(path)))
        error_set("out of memory");
    else if (stat(path, &status) != 0)
        error_set_errno("cannot read '%s'", path);
    else if ((seal->is_folder = S_ISDIR(status.st_mode))) {
        result = tree_of(path, &seal->before);
    } else
        result = add_siblings(seal);
    if (result < 0)
        seal_free(seal);
    else
        *out = seal;
    return result;
}

void seal_free(struct seal *seal)
{
    if (!seal)
        return;
    for (size_t i = 0; i < seal->count; i++)
        free(seal->files[i].path);
    free(seal->files);
    free(seal->path);
    free(seal);
}

static const char *name_in(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

/* All lie in one folder: the name alone tells them apart. */
static bool is_segment(const struct seal *seal, const struct sealed *file,
                       const char *const *segments, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(name_in(segments[i]), name_in(file->path)) == 0)
            return true;
    return strcmp(name_in(seal->path), name_in(file->path)) == 0;
}

static bool same_time(struct timespec a, struct timespec b)
{
    return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

static bool file_holds(const struct sealed *file, struct buffer *what)
{
    const struct stat *old = &file->status;
    struct stat now;
    const char *change = NULL;

    if (stat(file->path, &now) != 0)
        change = "is gone";
    else if (now.st_dev != old->st_dev || now.st_ino != old->st_ino)
        change = "is another file";
    else if (now.st_size != old->st_size)
        change = "has another size";
    else if (!same_time(now.st_mtim, old->st_mtim))
        change = "was written to";
    else if (!same_time(now.st_ctim, old->st_ctim))
        change = "has other attributes";
    if (change)
        buffer_format(what, "%s'%s' %s since the run began", what->size ? "; " : "", file->path,
                      change);
    return !change;
}

bool seal_holds(struct seal *seal, const char *const *segments, size_t count, struct buffer *what)
{
    bool holds = true;

    if (seal->is_folder) {
        const bool listed = tree_of(seal->path, &seal->after) == 0;
        holds = listed && memcmp(&seal->before, &seal->after, sizeof seal->before) == 0;
        if (!listed)
            buffer_add_text(what, error_text());
        else if (!holds)
            buffer_format(what, "something in the folder '%s' changed since the run began",
                          seal->path);
        return holds;
    }
    for (size_t i = 0; i < seal->count; i++) {
        struct sealed *file = &seal->files[i];
        file->relevant = is_segment(seal, file, segments, count);
        file->holds = !file->relevant || file_holds(file, what);
        holds &= file->holds;
    }
    return holds;
}

static void put_time(struct json *json, const char *key, struct timespec time)
{
    char text[INSTANT_TEXT_SIZE];

    json_pair(json, key, instant_format(instant_from_unix(time.tv_sec, time.tv_nsec), text));
}

static void put_tree(struct json *json, const char *key, const struct tree *tree)
{
    char text[DIGEST_WORDS * 16 + 1];

    for (size_t i = 0; i < DIGEST_WORDS; i++)
        snprintf(text + 16 * i, 17, "%016llx", (unsigned long long)tree->words[i]);
    json_key(json, key);
    json_object(json);
    json_pair_unsigned(json, "entries", tree->entries);
    json_pair(json, "fingerprint", text);
    json_object_end(json);
}

void seal_json(const struct seal *seal, struct json *json)
{
    json_object(json);
    if (seal->is_folder) {
        put_tree(json, "before", &seal->before);
        put_tree(json, "after", &seal->after);
        json_pair_bool(json, "unchanged",
                       memcmp(&seal->before, &seal->after, sizeof seal->before) == 0);
    }
    json_key(json, "files");
    json_array(json);
    for (size_t i = 0; i < seal->count; i++) {
        const struct sealed *file = &seal->files[i];
        if (!file->relevant)
            continue;
        json_object(json);
        json_pair(json, "path", file->path);
        json_pair_unsigned(json, "device", file->status.st_dev);
        json_pair_unsigned(json, "inode", file->status.st_ino);
        json_pair_integer(json, "size", file->status.st_size);
        put_time(json, "modified", file->status.st_mtim);
        put_time(json, "changed", file->status.st_ctim);
        json_pair_bool(json, "unchanged", file->holds);
        json_object_end(json);
    }
    json_array_end(json);
    json_object_end(json);
}
