/* A file's content as a whole: held in memory, hashed, scanned with the content rules. */
#include "triage/engine/worker_parts.h"

#include "triage/base/error.h"
#include "triage/base/hash.h"
#include "triage/engine/mailbox_store.h"

#include <string.h>

/* Reads the whole file into memory, so that it is read once however often it is looked at. */
int running_load(struct running *running)
{
    struct buffer *content = &running->worker->content;
    size_t at = 0;

    buffer_clear(content);
    if (running->job.size > CONTENT_CEILING)
        return 0;
    uint8_t *room = buffer_reserve(content, (size_t)running->job.size + 1);
    if (!room)
        return error_set("out of memory");
    while (at < running->job.size) {
        const ssize_t got =
            stream_read(running->stream, at, room + at, (size_t)running->job.size - at);
        if (got < 0)
            return -1;
        if (got == 0)
            break;
        at += (size_t)got;
        outbox_progress(running->outbox, (uint64_t)got);
    }
    content->size = at;
    running->loaded = true;
    return 0;
}

uint64_t running_data_from(struct running *running, uint64_t offset)
{
    uint64_t start = running->job.size, size;

    if (offset >= running->job.size)
        return offset;
    if (!stream_data(running->stream, offset, &start, &size) || start > running->job.size)
        start = running->job.size;
    return start > offset && start - offset >= HOLE_LEAST ? start : offset;
}

/* Bytes of large holes. Each is met by one question. */
uint64_t running_holes(struct running *running)
{
    uint64_t holes = 0, at = 0, start, size;

    while (at < running->job.size) {
        start = running_data_from(running, at);
        holes += start - at;
        if (!stream_data(running->stream, start, &start, &size) || size == 0)
            break;
        at = start + size;
    }
    return holes;
}

/* Calls `take` with the file's bytes from start to end. */
int running_each_window(struct running *running, int (*take)(void *context, struct slice window),
                        void *context)
{
    uint8_t *window = buffer_reserve(&running->worker->window, COPY_WINDOW);
    uint64_t at = 0;
    int result = window ? 0 : error_set("out of memory");

    while (result == 0 && at < running->job.size) {
        const ssize_t got = running_read(&running->job, at, window, COPY_WINDOW);
        if (got < 0)
            result = -1;
        if (got <= 0)
            break;
        at += (uint64_t)got;
        result = take(context, slice_of(window, (size_t)got));
    }
    return result;
}

static int add_to_hasher(void *context, struct slice window)
{
    hasher_add(context, window);
    return 0;
}

static int digest(struct running *running)
{
    const uint64_t holes = running->loaded ? 0 : running_holes(running);

    if (holes > HOLES_HASHED)
        return error_set("%llu of its %llu bytes are a hole: it has no hash",
                         (unsigned long long)holes, (unsigned long long)running->job.size);
    struct hasher *hasher = hasher_new(HASH_ALL);
    int result = hasher ? 0 : -1;

    if (result == 0 && running->loaded)
        hasher_add(hasher, buffer_slice(&running->worker->content));
    else if (result == 0)
        result = running_each_window(running, add_to_hasher, hasher);
    if (result == 0) {
        running->digests = hasher_finish(hasher);
        running->digested = true;
    }
    hasher_free(hasher);
    return result;
}

/* A deleted file of which other files have taken clusters. */
const char *running_loss_text(struct running *running)
{
    running->loss_told = true;
    return arena_format(running->job.arena,
                        "the file is deleted, and %llu of its %llu bytes lie where other files are "
                        "now: they read as zeroes, and it has no hash",
                        (unsigned long long)stream_lost(running->stream),
                        (unsigned long long)stream_size(running->stream));
}

int running_digests(struct job *job, char md5[33], char sha1[41], char sha256[65])
{
    struct running *running = running_of(job);

    if (is_mailbox_store(job->file->path))
        return error_set("%s", mail_is_not_read);
    if (stream_lost(running->stream)) {
        const char *text = running_loss_text(running);
        return error_set("%s", text ? text : "the file is deleted and not whole");
    }
    if (!running->loaded && running_load(running) < 0)
        return -1;
    if (!running->digested && digest(running) < 0)
        return -1;
    memcpy(md5, running->digests.md5, sizeof running->digests.md5);
    memcpy(sha1, running->digests.sha1, sizeof running->digests.sha1);
    memcpy(sha256, running->digests.sha256, sizeof running->digests.sha256);
    return 0;
}

const char *last_component(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}
