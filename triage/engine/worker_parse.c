/* The tasks of one file: parse it, read it again for context. */
#include "triage/engine/worker_parts.h"

#include "triage/base/error.h"
#include "triage/base/hash.h"
#include "triage/record/wire.h"

#include <stdio.h>
#include <stdlib.h>

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

int running_init(struct running *running, struct worker *worker, struct outbox *outbox,
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

void running_release(struct running *running)
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
    running_early_finish(&running);
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
