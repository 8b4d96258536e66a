#include "triage/case/custody.h"

#include "triage/base/durable.h"
#include "triage/base/error.h"
#include "triage/base/hash.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { WINDOW = 1 << 20 };

struct sums {
    struct buffer lines; /* "hash  path\n", each */
    size_t *starts;
    size_t count, room;
    bool failed;
    const struct custody_known *known;
    size_t known_count;
};

int custody_hash_file(const char *path, char text[65])
{
    const int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    struct hasher *hasher = hasher_new(HASH_SHA256);
    uint8_t *window = malloc(WINDOW);
    ssize_t got = -1;

    text[0] = 0;
    if (descriptor >= 0 && hasher && window)
        while ((got = read(descriptor, window, WINDOW)) > 0)
            hasher_add(hasher, slice_of(window, (size_t)got));
    if (got == 0) {
        const struct digests digests = hasher_finish(hasher);
        memcpy(text, digests.sha256, SHA256_TEXT_SIZE);
    } else {
        error_set_errno("cannot hash '%s'", path);
    }
    if (descriptor >= 0)
        close(descriptor);
    hasher_free(hasher);
    free(window);
    return got == 0 ? 0 : -1;
}

static void add_sum(struct sums *sums, const char *hash, const char *path)
{
    if (sums->count == sums->room) {
        const size_t room = sums->room ? 2 * sums->room : 256;
        size_t *grown = realloc(sums->starts, room * sizeof *grown);
        if (!grown) {
            sums->failed = true;
            return;
        }
        sums->starts = grown;
        sums->room = room;
    }
    sums->starts[sums->count++] = sums->lines.size;
    buffer_format(&sums->lines, "%s  %s\n", hash, path);
    buffer_add_byte(&sums->lines, 0);
}

static int add_stored(void *context, const struct case_stored *row)
{
    if (*row->stored)
        add_sum(context, row->sha256, row->stored);
    return 0;
}

static const char *known_hash(const struct sums *sums, const char *name)
{
    for (size_t i = 0; i < sums->known_count; i++)
        if (sums->known[i].sha256[0] && strcmp(sums->known[i].name, name) == 0)
            return sums->known[i].sha256;
    return NULL;
}

static int add_top_files(struct case_file *file, struct sums *sums)
{
    DIR *folder = opendir(case_folder(file));
    struct dirent *entry;
    struct buffer path = BUFFER_EMPTY;
    struct stat status;
    char hash[SHA256_TEXT_SIZE];
    int result = 0;

    if (!folder)
        return error_set_errno("cannot list '%s'", case_folder(file));
    while (result == 0 && (entry = readdir(folder))) {
        buffer_clear(&path);
        buffer_format(&path, "%s/%s", case_folder(file), entry->d_name);
        if (strncmp(entry->d_name, "SHA256SUMS", 10) == 0 ||
            strncmp(entry->d_name, "case.db.partial", 15) == 0 || /* goes when all is done */
            lstat(buffer_text(&path), &status) != 0 || !S_ISREG(status.st_mode))
            continue;
        const char *known = known_hash(sums, entry->d_name);
        result = known ? 0 : custody_hash_file(buffer_text(&path), hash);
        add_sum(sums, known ? known : hash, entry->d_name);
    }
    closedir(folder);
    buffer_release(&path);
    return result;
}

static int by_path(const void *a, const void *b, void *context)
{
    const char *lines = context;
    const char *x = lines + *(const size_t *)a, *y = lines + *(const size_t *)b;

    return strcmp(x + SHA256_TEXT_SIZE + 1, y + SHA256_TEXT_SIZE + 1);
}

static int write_sums(struct case_file *file, struct sums *sums)
{
    struct buffer path = BUFFER_EMPTY;
    struct new_file out = {0};

    buffer_format(&path, "%s/SHA256SUMS", case_folder(file));
    int result = new_file_open(&out, buffer_text(&path));
    if (result == 0) {
        qsort_r(sums->starts, sums->count, sizeof *sums->starts, by_path, sums->lines.data);
        for (size_t i = 0; i < sums->count; i++)
            fputs((const char *)sums->lines.data + sums->starts[i], out.stream);
        result = new_file_keep(&out);
    }
    new_file_drop(&out);
    buffer_release(&path);
    return result;
}

int custody_write_sums(struct case_file *file)
{
    return custody_write_sums_knowing(file, NULL, 0);
}

int custody_write_sums_knowing(struct case_file *file, const struct custody_known *known,
                               size_t count)
{
    struct sums sums = {.known = known, .known_count = count};
    int result = add_top_files(file, &sums);

    if (result == 0 && !case_is_fleet(file))
        result = case_each_stored(file, add_stored, &sums);
    if (result == 0 && (sums.failed || buffer_failed(&sums.lines)))
        result = error_set("out of memory");
    if (result == 0)
        result = write_sums(file, &sums);
    buffer_release(&sums.lines);
    free(sums.starts);
    return result;
}
