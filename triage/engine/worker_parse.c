/* The tasks of one file: parse it, read it again for context, copy it out. */
#include "triage/engine/worker_parts.h"

#include "triage/base/error.h"
#include "triage/base/hash.h"
#include "triage/record/wire.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { CONTEXT_ROOMS = 1 << 16 };

static const char *windows_path_of(struct worker *worker, const struct file *file)
{
    struct buffer *path = &worker->windows_path;

    buffer_clear(path);
    host_windows_path(&worker->setup->hosts[file->evidence], file->volume, file->path, path);
    if (file->stream)
        buffer_format(path, ":%s", file->stream);
    return buffer_text(path);
}

/* How many there were of what is kept up to a number only. */
static void tell_left_out(struct running *running)
{
    struct tally *tally = &running->tally;
    const struct {
        const char *what;
        size_t count, most;
        uint64_t *left;
    } kept[] = {
        {"notices", running->notices, MOST_NOTICES, &tally->notices_left},
        {"facts", running->facts, MOST_FACTS, &tally->facts_left},
        {"rejected records", running->rejected, MOST_REJECTED, &tally->rejected_left},
    };
    char text[120];

    for (size_t i = 0; i < sizeof kept / sizeof *kept; i++) {
        if (kept[i].count <= kept[i].most)
            continue;
        *kept[i].left += kept[i].count - kept[i].most;
        snprintf(text, sizeof text, "%zu %s of this file are not kept: the first %zu are",
                 kept[i].count - kept[i].most, kept[i].what, kept[i].most);
        worker_send_notice(running->worker, running->outbox, 0, text);
    }
}

static void send_digests(struct running *running)
{
    struct buffer *out = worker_frame(running->worker);
    char owner[200] = "";

    if (!running->owner)
        evidence_owner(running->evidence, running->job.file, owner, sizeof owner);
    wire_put_text(out, running->digests.md5);
    wire_put_text(out, running->digests.sha1);
    wire_put_text(out, running->digests.sha256);
    wire_put_text(out, running->owner ? running->owner : owner);
    worker_send(running->worker, running->outbox, RESULT_DIGESTS);
}

/* Everything a parse or copy task needs; -1 with error_text when the file cannot be opened. */
static int running_init(struct running *running, struct worker *worker, struct outbox *outbox,
                        const struct file *file)
{
    *running = (struct running){.worker = worker, .outbox = outbox};
    if (file->evidence >= worker->setup->evidence_count)
        return error_set("there is no evidence item %u", file->evidence);
    running->evidence = worker->evidence[file->evidence];
    if (evidence_open_stream(running->evidence, file, &running->stream) < 0)
        return -1;
    running->job = (struct job){
        .file = file,
        .host = &worker->setup->hosts[file->evidence],
        .windows_path = windows_path_of(worker, file),
        .size = stream_size(running->stream),
        .arena = worker->arena,
        .tally = &running->tally,
        .services = &running_services,
        .engine = running,
    };
    return 0;
}

static void running_release(struct running *running)
{
    for (size_t i = 0; i < running->neighbour_count; i++)
        buffer_release(&running->neighbours[i]);
    stream_close(running->mft);
    stream_close(running->peeked);
    stream_close(running->stream);
}

void worker_parse(struct worker *worker, struct outbox *outbox, const struct artifact *artifact,
                  const struct file *file)
{
    struct running running;

    if (running_init(&running, worker, outbox, file) < 0) {
        worker_send_unread(worker, outbox, "", error_text());
        return;
    }
    running.job.artifact = artifact;
    if (worker->setup->rules)
        running.prefilter = rule_set_prefilter(worker->setup->rules, artifact->sources);
    if (worker->setup->rules)
        running.job.source_map = rule_set_source_map(worker->setup->rules);
    if (file->flags & FILE_SCANNED && worker->matcher)
        running_scan_prepare(&running);
    if (artifact->parse(&running.job) < 0)
        worker_send_unread(worker, outbox, "", error_text());
    else if (arena_full(worker->arena)) /* a value that found no room is a value nobody saw */
        worker_send_unread(
            worker, outbox, "",
            "it holds more than the job's memory: some of what it says was left out");
    if (file->flags & FILE_SCANNED && worker->matcher)
        running_scan(&running);
    if (stream_lost(running.stream) && !running.loss_told) {
        const char *text = running_loss_text(&running);
        running_notice(&running.job, 0, text ? text : error_text());
    }
    tell_left_out(&running);
    if (running.digested)
        send_digests(&running);
    worker_put_tally(worker_frame(worker), &running.tally, running.job.size,
                     stream_damaged(running.stream));
    worker_send(worker, outbox, RESULT_TALLY);
    worker_send_damage(worker, outbox, file->evidence);
    running_release(&running);
}

/* Reads a file again for the events of certain times. What else there is to tell of it was told. */
void worker_add_context(struct worker *worker, struct outbox *outbox,
                        const struct artifact *artifact, const struct file *file)
{
    struct running running;

    if (!artifact->context || running_init(&running, worker, outbox, file) < 0)
        return; /* a file that cannot be opened was told as unread */
    running.job.artifact = artifact;
    running.job.context = true;
    running.rooms = calloc(CONTEXT_ROOMS, sizeof *running.rooms);
    if (running.rooms)
        artifact->parse(&running.job);
    if (running.context_left) {
        char text[200];
        snprintf(text, sizeof text,
                 "context: %llu events were left out: more than %d in a stretch of time",
                 (unsigned long long)running.context_left, MOST_CONTEXT);
        worker_send_notice(worker, outbox, 0, text);
    }
    running_release(&running);
    free(running.rooms);
}

/* --- copying --- */

struct copy {
    struct hasher *hasher; /* NULL without hashes */
    int output;
    uint64_t bytes;
    bool unwritten;
};

static int copy_window(struct copy *copy, struct slice window)
{
    if (copy->hasher)
        hasher_add(copy->hasher, window);
    copy->bytes += window.size;
    while (window.size) {
        const ssize_t written = write(copy->output, window.data, window.size);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0) {
            copy->unwritten = true;
            return error_set("%s", strerror(written < 0 ? errno : ENOSPC));
        }
        window = slice_from(window, (size_t)written);
    }
    return 0;
}

/* Large holes stay holes, in the copy too; in the hash they are zeroes. */
static int copy_hole(struct running *running, struct copy *copy, uint64_t size)
{
    static const uint8_t zeroes[64 << 10];

    for (uint64_t left = size; copy->hasher && left; outbox_progress(running->outbox, 0)) {
        const size_t part = left < sizeof zeroes ? (size_t)left : sizeof zeroes;
        hasher_add(copy->hasher, slice_of(zeroes, part));
        left -= part;
    }
    copy->bytes += size;
    /* The last byte is written, so that the copy is as long as the file. */
    copy->unwritten =
        lseek(copy->output, (off_t)(size - 1), SEEK_CUR) < 0 || write(copy->output, zeroes, 1) != 1;
    return copy->unwritten ? error_set("%s", strerror(errno)) : 0;
}

static int copy_content(struct running *running, struct copy *copy)
{
    uint8_t *window = buffer_reserve(&running->worker->window, COPY_WINDOW);
    uint64_t at = 0;
    int result = window ? 0 : error_set("out of memory");

    while (result == 0 && at < running->job.size) {
        const uint64_t data = running_data_from(running, at);
        if (data > at)
            result = copy_hole(running, copy, data - at);
        at = data;
        if (result < 0 || at >= running->job.size)
            break;
        const ssize_t got = running_read(&running->job, at, window, COPY_WINDOW);
        if (got <= 0)
            return got < 0 ? -1 : 0;
        at += (uint64_t)got;
        result = copy_window(copy, slice_of(window, (size_t)got));
    }
    return result;
}

/* Each close tells of bytes that could not be stored, on a network share only then; this one leaves
 * the file open. */
static void check_written(struct copy *copy)
{
    const int other = copy->unwritten ? -1 : fcntl(copy->output, F_DUPFD_CLOEXEC, 0);

    if (other >= 0 && close(other) != 0) {
        copy->unwritten = true;
        error_set("%s", strerror(errno));
    }
}

static void send_unwritten(struct worker *worker, struct outbox *outbox)
{
    wire_put_text(worker_frame(worker), error_text());
    worker_send(worker, outbox, RESULT_UNWRITTEN);
}

static void send_copied(struct running *running, const struct copy *copy)
{
    const struct digests none = {"", "", ""};
    const struct digests digests = copy->hasher ? hasher_finish(copy->hasher) : none;
    char owner[200] = "";

    evidence_owner(running->evidence, running->job.file, owner, sizeof owner);
    struct buffer *out = worker_frame(running->worker);
    wire_put_u64(out, copy->bytes);
    wire_put_u8(out, stream_damaged(running->stream) || stream_lost(running->stream));
    wire_put_text(out, digests.md5);
    wire_put_text(out, digests.sha1);
    wire_put_text(out, digests.sha256);
    wire_put_text(out, owner);
    worker_send(running->worker, running->outbox, RESULT_COPIED);
}

void worker_copy(struct worker *worker, struct outbox *outbox, const struct file *file)
{
    struct running running;
    struct copy copy = {.output = outbox_output(outbox)};

    if (running_init(&running, worker, outbox, file) < 0) {
        worker_send_unread(worker, outbox, "", error_text());
        return;
    }
    if (stream_lost(running.stream)) {
        const char *text = running_loss_text(&running);
        worker_send_notice(worker, outbox, 0, text ? text : error_text());
    }
    const uint64_t holes = running_holes(&running);
    if (holes > HOLES_HASHED)
        worker_send_notice(worker, outbox, 0,
                           "most of the file is a hole: its copy has no hash, and no hash is "
                           "computed of more than 16 GiB of zeroes");
    else if (!worker->setup->no_hash)
        copy.hasher = hasher_new(HASH_ALL);
    if (copy_content(&running, &copy) < 0 && !copy.unwritten)
        worker_send_unread(worker, outbox, "", error_text());
    check_written(&copy);
    if (copy.unwritten)
        send_unwritten(worker, outbox);
    else
        send_copied(&running, &copy);
    hasher_free(copy.hasher);
    worker_send_damage(worker, outbox, file->evidence);
    running_release(&running);
}
