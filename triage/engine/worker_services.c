/* What an artifact may ask of the worker while it parses a file. */
#include "triage/engine/worker_parts.h"

#include "triage/base/error.h"
#include "triage/engine/mailbox_store.h"
#include "triage/evidence/mft.h"
#include "triage/record/wire.h"

#include <string.h>

enum {
    NEIGHBOUR_CEILING = 64 << 20,
};

const char mail_is_not_read[] =
    "a mailbox database or store: it is listed, and its content is never opened";

struct running *running_of(struct job *job)
{
    return job->engine;
}

ssize_t running_read(struct job *job, uint64_t offset, void *buffer, size_t size)
{
    struct running *running = running_of(job);

    if (job->artifact && is_mailbox_store(job->file->path))
        return error_set("%s", mail_is_not_read);
    if (running->loaded) {
        const struct slice part =
            slice_part(buffer_slice(&running->worker->content), (size_t)offset, size);
        if (part.size)
            memcpy(buffer, part.data, part.size);
        return (ssize_t)part.size;
    }
    const ssize_t got = stream_read(running->stream, offset, buffer, size);
    if (got > 0)
        outbox_progress(running->outbox, (uint64_t)got);
    if (got > 0 && running->pieces)
        running_scan_follow(running, offset, slice_of(buffer, (size_t)got));
    if (got > 0)
        running_early_follow(running, offset, slice_of(buffer, (size_t)got));
    return got;
}

static size_t service_next_candidate(struct job *job, struct slice window, size_t from)
{
    const struct running *running = running_of(job);

    if (job->context)
        return from < window.size ? from : SIZE_MAX;
    return running->prefilter
               ? matcher_next(running->worker->matcher, running->prefilter, window, from)
               : SIZE_MAX;
}

static bool service_could_match(struct job *job, struct slice record)
{
    const struct running *running = running_of(job);
    struct matcher *matcher = running->worker->matcher;

    return matcher && matcher_could_match(matcher, job->artifact->sources, record);
}

static void service_reject(struct job *job, uint64_t offset, uint64_t number, struct slice raw)
{
    struct running *running = running_of(job);

    if (job->context)
        return;
    if (running->rejected++ >= MOST_REJECTED)
        return;
    struct buffer *out = worker_frame(running->worker);
    wire_put_u64(out, offset);
    wire_put_u64(out, number);
    wire_put_u8(out, raw.size > RAW_CEILING);
    wire_put_slice(out, slice_part(raw, 0, RAW_CEILING));
    worker_send(running->worker, running->outbox, RESULT_REJECTED);
}

static bool service_owner(struct job *job, char *text, size_t size)
{
    struct running *running = running_of(job);

    if (!evidence_owner(running->evidence, job->file, text, size))
        return false;
    running->owner = arena_text(running->job.arena, slice_of_text(text));
    return true;
}

bool running_find(struct job *job, uint32_t volume, const char *path, struct file *file)
{
    struct running *running = running_of(job);

    if (volume >= evidence_volume_count(running->evidence) ||
        !evidence_find_snapshot(running->evidence, volume, job->file->snapshot, path, job->arena,
                                file))
        return false;
    file->evidence = job->file->evidence;
    return true;
}

static int read_whole(struct running *running, struct stream *stream, size_t most,
                      struct slice *content)
{
    const uint64_t size = stream_size(stream);
    size_t at = 0;

    if (size > most)
        return error_set("the file has more than %zu bytes", most);
    uint8_t *bytes = arena_take(running->job.arena, (size_t)size + 1);
    if (!bytes)
        return -1;
    while (at < size) {
        const ssize_t got = stream_read(stream, at, bytes + at, (size_t)size - at);
        if (got < 0)
            return -1;
        if (got == 0)
            break;
        at += (size_t)got;
    }
    *content = slice_of(bytes, at);
    return 0;
}

int running_load_file(struct job *job, const struct file *file, size_t most, struct slice *content)
{
    struct running *running = running_of(job);
    struct stream *stream;

    if (evidence_open_stream(running->evidence, file, &stream) < 0)
        return -1;
    const int result = read_whole(running, stream, most, content);
    stream_close(stream);
    return result;
}

static void service_emit(struct job *job, const struct event *event)
{
    struct running *running = running_of(job);
    const struct match_sink sink = {running, running_found, running_undecided, NULL};
    struct event copy;

    if (job->context) {
        running_send_context(running, event);
        return;
    }
    if (event->kind == KIND_file_listed || event->kind == KIND_aspnet_page ||
        event->kind == KIND_aspnet_file)
        event = running_judged(running, event, &copy);
    if (event->marks & EVENT_FACT)
        running_send_fact(running, event);
    if (!running->worker->matcher)
        return;
    running->event = event;
    matcher_event(running->worker->matcher, event, &sink);
}

static ssize_t service_peek(struct job *job, const struct file *file, uint64_t offset, void *buffer,
                            size_t size)
{
    struct running *running = running_of(job);

    if (!running->peeked || running->peeked_address != file->address) {
        stream_close(running->peeked);
        running->peeked = NULL;
        if (evidence_open_stream(running->evidence, file, &running->peeked) < 0)
            return -1;
        running->peeked_address = file->address;
    }
    return stream_read(running->peeked, offset, buffer, size);
}

static bool service_data(struct job *job, uint64_t offset, uint64_t *start, uint64_t *size)
{
    return stream_data(running_of(job)->stream, offset, start, size);
}

static ssize_t read_mft(void *context, uint64_t offset, void *buffer, size_t size)
{
    return stream_read(context, offset, buffer, size);
}

/* Opens the $MFT once; what it cannot do is told once. */
static void seek_mft(struct running *running)
{
    const struct file *file = running->job.file;

    running->mft_sought = true;
    if (evidence_open_mft(running->evidence, file->volume, file->snapshot, &running->mft) < 0) {
        running_notice(&running->job, 0, error_text());
        return;
    }
    running->mft_input = (struct mft_input){
        .read = read_mft, .context = running->mft, .size = stream_size(running->mft)};
    running->mft_input.record_size = mft_record_size(&running->mft_input);
    if (running->mft_input.record_size == 0)
        running_notice(&running->job, 0, error_text());
}

static bool service_name_of(struct job *job, uint64_t reference, struct buffer *name,
                            uint64_t *parent)
{
    struct running *running = running_of(job);

    if (!running->mft_sought)
        seek_mft(running);
    return running->mft_input.record_size &&
           mft_name_of(&running->mft_input, reference, name, parent);
}

static bool service_is_lost(struct job *job, uint64_t reference)
{
    struct running *running = running_of(job);

    if (!running->mft_sought)
        seek_mft(running);
    return running->mft_input.record_size && mft_is_lost(&running->mft_input, reference);
}

static int read_neighbour(struct running *running, const struct file *file, struct buffer *content)
{
    struct stream *stream;

    if (evidence_open_stream(running->evidence, file, &stream) < 0)
        return -1;
    const uint64_t size = stream_size(stream);
    const size_t wanted = size < NEIGHBOUR_CEILING ? (size_t)size : NEIGHBOUR_CEILING;
    uint8_t *room = buffer_reserve(content, wanted + 1);
    const ssize_t got = room ? stream_read(stream, 0, room, wanted) : error_set("out of memory");
    stream_close(stream);
    if (got < 0)
        return -1;
    content->size = (size_t)got;
    outbox_progress(running->outbox, (uint64_t)got);
    return 0;
}

/* Of the same state of the volume: the log of a shadow copy's hive is that of the copy. */
static int service_neighbour(struct job *job, const char *suffix, struct slice *content)
{
    struct running *running = running_of(job);
    const char *path = arena_format(job->arena, "%s%s", job->file->path, suffix);
    struct file file;

    *content = slice_of(NULL, 0);
    if (!path)
        return -1;
    if (job->file->stream || !evidence_find_snapshot(running->evidence, job->file->volume,
                                                     job->file->snapshot, path, job->arena, &file))
        return 0;
    if (running->neighbour_count == MOST_NEIGHBOURS)
        return error_set("too many files beside '%s' are asked for", job->file->path);
    struct buffer *buffer = &running->neighbours[running->neighbour_count++];
    if (read_neighbour(running, &file, buffer) < 0)
        return error_prefix("'%s'", path);
    *content = buffer_slice(buffer);
    return 0;
}

static ssize_t read_for_helper(void *context, uint64_t offset, void *out, size_t size)
{
    return job_read(context, offset, out, size);
}

static int service_ask(struct job *job, const char *helper, struct slice request,
                       int (*take)(void *context, struct slice worker_frame), void *context)
{
    const struct helper_file file = {.size = job->size, .read = read_for_helper, .context = job};

    return helper_programs_ask(running_of(job)->worker->helpers, helper, request, &file, take,
                               context);
}

const struct job_services running_services = {
    .read = running_read,
    .next_candidate = service_next_candidate,
    .could_match = service_could_match,
    .emit = service_emit,
    .notice = running_notice,
    .owner = service_owner,
    .digests = running_digests,
    .reject = service_reject,
    .neighbour = service_neighbour,
    .find = running_find,
    .load = running_load_file,
    .data = service_data,
    .name_of = service_name_of,
    .is_lost = service_is_lost,
    .peek = service_peek,
    .scan = running_scan_part,
    .ask = service_ask,
    .wants = running_wants,
};
