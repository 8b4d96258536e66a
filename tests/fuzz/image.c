/* Containers, partitions and file systems: the input is an image, written to a file in memory,
 * opened, surveyed and read. */
#include "tests/fuzz/target.h"

#include "triage/base/buffer.h"
#include "triage/engine/inventory.h"
#include "triage/engine/survey.h"
#include "triage/evidence/evidence.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MEMORY = 256 << 20, MOST_FILES = 200, MOST_BYTES = 1 << 20, BLOCK = 4096, WINDOW = 65536 };

struct visit {
    struct evidence *evidence;
    size_t files;
};

static char folder[64];

static void remove_folder(void)
{
    if (*folder && rmdir(folder) < 0)
        perror(folder);
}

/* A folder of this process alone, in memory where there is such a place. */
static const char *own_folder(void)
{
    static pid_t owner;

    if (owner == getpid())
        return folder;
    owner = getpid();
    snprintf(folder, sizeof folder, "%s/extriage-fuzz-XXXXXX",
             access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    demand(mkdtemp(folder) != NULL, "there is room for the image");
    atexit(remove_folder);
    return folder;
}

static bool is_zero(const uint8_t *data, size_t size)
{
    return data[0] == 0 && memcmp(data, data + 1, size - 1) == 0;
}

/* Zeroes are left out, so that a large image costs only what is in it. */
static void write_image(const char *path, struct slice input)
{
    const int fd = open(path, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);

    demand(fd >= 0 && ftruncate(fd, (off_t)input.size) == 0, "the image is made");
    for (size_t at = 0; at < input.size; at += BLOCK) {
        const struct slice part = slice_part(input, at, BLOCK);
        if (!is_zero(part.data, part.size))
            demand(pwrite(fd, part.data, part.size, (off_t)at) == (ssize_t)part.size,
                   "the image is written");
    }
    close(fd);
}

static void read_stream(struct evidence *evidence, const struct file *file)
{
    static uint8_t window[WINDOW];
    struct stream *stream;
    uint64_t start, size;

    if (evidence_open_stream(evidence, file, &stream) < 0)
        return;
    stream_data(stream, 0, &start, &size);
    for (uint64_t at = 0; at < MOST_BYTES;) {
        const ssize_t got = stream_read(stream, at, window, sizeof window);
        demand(got <= (ssize_t)sizeof window, "no more is read than was asked for");
        if (got <= 0)
            break;
        at += (uint64_t)got;
    }
    stream_close(stream);
}

static int visit_file(void *context, const struct file *file)
{
    struct visit *visit = context;
    char owner[200];

    demand(file->path != NULL, "a file has a path");
    evidence_owner(visit->evidence, file, owner, sizeof owner);
    if (!(file->flags & FILE_FOLDER) || file->stream)
        read_stream(visit->evidence, file);
    return ++visit->files > MOST_FILES;
}

static void look_into(struct evidence *evidence)
{
    static struct host host;
    struct arena *arena = arena_new(MEMORY);
    struct buffer sent = BUFFER_EMPTY;
    struct inventory inventory;
    uint64_t unreadable;
    size_t count;

    for (size_t i = 0; i < evidence_volume_count(evidence); i++) {
        struct visit visit = {.evidence = evidence};
        const struct volume *volume = evidence_volume(evidence, i);
        demand(volume->file_system && volume->partition, "a volume is described");
        if (*volume->file_system)
            evidence_list(evidence, (uint32_t)i, visit_file, &visit, &unreadable);
    }
    memset(&host, 0, sizeof host);
    survey_run(evidence, arena, &host);
    host_put(&sent, &host);
    if (inventory_of(evidence, arena, &inventory) == 0)
        inventory_put(&sent, &inventory);
    evidence_damage(evidence, &count);
    buffer_release(&sent);
    arena_free(arena);
}

void fuzz_image(const struct fuzz_target *target, const char *file_name, struct slice input)
{
    struct evidence *evidence = NULL;
    char path[sizeof folder + 64];
    const char *ending = strrchr(file_name, '.');

    (void)target;
    snprintf(path, sizeof path, "%s/image%.16s", own_folder(), ending ? ending : ".E01");
    write_image(path, input);
    if (evidence_open(path, &evidence) == 0) {
        look_into(evidence);
        evidence_close(evidence);
    }
    unlink(path);
}
