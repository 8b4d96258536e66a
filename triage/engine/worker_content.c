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

/* A YARA match becomes an event of its own, so that it is stored and shown like all others. */
static void content_found(void *context, const struct hit *hit)
{
    struct running *running = context;
    const struct scanned *scanned = &running->scanned;
    const struct file *file = running->job.file;
    const struct value values[] = {
        {"TargetFilename", FIELD_TargetFilename, false, slice_of_text(scanned->windows_path)},
        {"Matched", FIELD_Matched, false, slice_of_text(hit->detail)},
        {"MD5", FIELD_MD5, false, slice_of_text(scanned->digests.md5)},
        {"SHA1", FIELD_SHA1, false, slice_of_text(scanned->digests.sha1)},
        {"SHA256", FIELD_SHA256, false, slice_of_text(scanned->digests.sha256)},
    };
    const struct event event = {
        .kind = KIND_content_match,
        .artifact = running->job.artifact->name,
        .when = scanned->recovered ? INSTANT_NONE : file_appeared(file),
        .basis = scanned->recovered ? BASIS_UNKNOWN : BASIS_UTC,
        .file = file,
        .offset = scanned->offset,
        .raw = slice_part(scanned->bytes, 0, RAW_CEILING + 1),
        .values = values,
        .value_count = sizeof values / sizeof *values,
        .marks = scanned->recovered ? EVENT_RECOVERED : 0,
    };

    running->event = &event;
    running_found(running, hit);
}

static void content_undecided(void *context, size_t rule, const char *why)
{
    struct running *running = context;
    const struct event event = {.file = running->job.file};

    running->event = &event;
    running_undecided(running, rule, why);
}

/* Bytes that were a file of their own once. Nothing is known of its times. */
void running_scan_part(struct job *job, const char *windows_path, uint64_t offset,
                       struct slice content, char md5[33], char sha1[41], char sha256[65])
{
    struct running *running = running_of(job);
    const struct match_sink sink = {running, content_found, content_undecided};
    const struct content_file file = {.filename = "",
                                      .filepath = windows_path,
                                      .extension = "",
                                      .filetype = "",
                                      .owner = "",
                                      .md5 = running->scanned.digests.md5};
    struct hasher *hasher = hasher_new(HASH_ALL);

    *md5 = *sha1 = *sha256 = 0;
    if (!hasher) {
        running_notice(job, offset, error_text());
        return;
    }
    hasher_add(hasher, content);
    running->scanned = (struct scanned){.bytes = content,
                                        .windows_path = windows_path,
                                        .digests = hasher_finish(hasher),
                                        .offset = offset,
                                        .recovered = true};
    hasher_free(hasher);
    memcpy(md5, running->scanned.digests.md5, sizeof running->scanned.digests.md5);
    memcpy(sha1, running->scanned.digests.sha1, sizeof running->scanned.digests.sha1);
    memcpy(sha256, running->scanned.digests.sha256, sizeof running->scanned.digests.sha256);
    if (running->worker->matcher &&
        matcher_content(running->worker->matcher, content, &file, &sink) < 0)
        running_notice(job, offset, error_text());
}

const char *last_component(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

static const char *extension_of(struct running *running)
{
    const char *name = last_component(running->job.file->path);
    const char *dot = strrchr(name, '.');
    char *extension = dot ? arena_text(running->job.arena, slice_of_text(dot)) : NULL;

    for (char *c = extension; c && *c; c++)
        if (*c >= 'A' && *c <= 'Z')
            *c = (char)(*c | 0x20);
    return extension ? extension : "";
}

void running_scan(struct running *running)
{
    const struct match_sink sink = {running, content_found, content_undecided};
    char md5[33], sha1[41], sha256[65];
    const struct content_file file = {
        .filename = last_component(running->job.file->path),
        .filepath = running->job.windows_path,
        .extension = extension_of(running),
        .filetype = "",
        .owner = running->owner ? running->owner : "",
        .md5 = md5,
    };

    const bool partial = stream_lost(running->stream) > 0;
    *md5 = 0;
    if (is_mailbox_store(running->job.file->path))
        return;
    if (partial && (stream_lost(running->stream) == running->job.size || running_load(running) < 0))
        return;
    if ((!partial && running_digests(&running->job, md5, sha1, sha256) < 0) || !running->loaded) {
        if (running->job.size > CONTENT_CEILING)
            running_notice(&running->job, CONTENT_CEILING,
                           "the file is larger than 64 MiB: its content was not scanned");
        return;
    }
    running->scanned = (struct scanned){.bytes = buffer_slice(&running->worker->content),
                                        .windows_path = running->job.windows_path,
                                        .digests = running->digests};
    if (matcher_content(running->worker->matcher, running->scanned.bytes, &file, &sink) < 0)
        running_notice(&running->job, 0, error_text());
}
