#include "triage/match/content_cache.h"

#include "triage/base/hash.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH_SIZE = 4096, CONTENT_MOST = 512 << 20 };

static const char magic[] = "extriage compiled rules 2\n";
enum { MAGIC_SIZE = sizeof magic - 1, HEAD_SIZE = MAGIC_SIZE + SHA256_TEXT_SIZE - 1 };

/* The folder, made when it is not there; false when there is no safe place. */
static bool folder_path(char path[PATH_SIZE], bool make)
{
    const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    int size;

    if (cache && *cache == '/')
        size = snprintf(path, PATH_SIZE, "%s", cache);
    else if (home && *home == '/')
        size = snprintf(path, PATH_SIZE, "%s/.cache", home);
    else
        return false;
    if (size < 0 || size + 128 > PATH_SIZE)
        return false;
    if (make && mkdir(path, 0700) < 0 && errno != EEXIST)
        return false;
    memcpy(path + size, "/extriage", sizeof "/extriage");
    return !make || mkdir(path, 0700) == 0 || errno == EEXIST;
}

static bool file_path(const char *key, char path[PATH_SIZE], bool make)
{
    if (!folder_path(path, make))
        return false;
    const size_t size = strlen(path);
    snprintf(path + size, PATH_SIZE - size, "/%.64s.yarc", key);
    return true;
}

/* Ours, and nobody else's to write into. */
static bool folder_is_safe(void)
{
    char path[PATH_SIZE];
    struct stat status;

    return folder_path(path, false) && lstat(path, &status) == 0 && S_ISDIR(status.st_mode) &&
           status.st_uid == geteuid() && !(status.st_mode & (S_IWGRP | S_IWOTH));
}

static bool is_safe(const struct stat *status)
{
    return S_ISREG(status->st_mode) && status->st_uid == geteuid() &&
           !(status->st_mode & (S_IWGRP | S_IWOTH)) && status->st_size > HEAD_SIZE &&
           status->st_size <= CONTENT_MOST;
}

static bool read_file(int handle, size_t size, struct buffer *out)
{
    uint8_t *room = buffer_reserve(out, size);

    for (size_t at = 0; room && at < size;) {
        const ssize_t got = read(handle, room + at, size - at);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return false;
        at += (size_t)got;
        out->size += (size_t)got;
    }
    return room != NULL;
}

/* Of the content and of what it stands for: a file under another's name is not taken for it. */
static bool hash_of(const char *key, struct slice content, char hash[SHA256_TEXT_SIZE])
{
    struct hasher *hasher = hasher_new(HASH_SHA256);

    if (!hasher)
        return false;
    hasher_add(hasher, slice_of_text(key));
    hasher_add(hasher, content);
    memcpy(hash, hasher_finish(hasher).sha256, SHA256_TEXT_SIZE);
    hasher_free(hasher);
    return true;
}

static bool hash_fits(const char *key, const struct buffer *file)
{
    const struct slice whole = buffer_slice(file);
    char hash[SHA256_TEXT_SIZE];

    return memcmp(whole.data, magic, MAGIC_SIZE) == 0 &&
           hash_of(key, slice_from(whole, HEAD_SIZE), hash) &&
           memcmp(whole.data + MAGIC_SIZE, hash, SHA256_TEXT_SIZE - 1) == 0;
}

bool content_cache_load(const char *key, struct buffer *content)
{
    char path[PATH_SIZE];
    struct buffer file = BUFFER_EMPTY;
    struct stat status;
    const int handle = folder_is_safe() && file_path(key, path, false)
                           ? open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
                           : -1;
    bool good = handle >= 0 && fstat(handle, &status) == 0 && is_safe(&status) &&
                read_file(handle, (size_t)status.st_size, &file) && hash_fits(key, &file);

    if (good) {
        buffer_add(content, slice_from(buffer_slice(&file), HEAD_SIZE));
        good = !buffer_failed(content);
    }
    if (handle >= 0)
        close(handle);
    buffer_release(&file);
    return good;
}

static bool write_all(int handle, struct slice bytes)
{
    while (bytes.size) {
        const ssize_t written = write(handle, bytes.data, bytes.size);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return false;
        bytes = slice_from(bytes, (size_t)written);
    }
    return true;
}

/* Written beside and renamed, so that nobody reads half of it. */
void content_cache_store(const char *key, struct slice content)
{
    char path[PATH_SIZE], beside[PATH_SIZE + 16], hash[SHA256_TEXT_SIZE];

    if (content.size > CONTENT_MOST - HEAD_SIZE || !file_path(key, path, true) ||
        !folder_is_safe() || !hash_of(key, content, hash))
        return;
    snprintf(beside, sizeof beside, "%s.XXXXXX", path);
    const int handle = mkostemp(beside, O_CLOEXEC);
    if (handle < 0)
        return;
    const bool whole = write_all(handle, slice_of(magic, MAGIC_SIZE)) &&
                       write_all(handle, slice_of_text(hash)) && write_all(handle, content);
    close(handle);
    if (!whole || rename(beside, path) < 0)
        unlink(beside);
}
