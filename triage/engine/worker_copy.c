/* The task that copies a file out. */
#include "triage/engine/worker_parts.h"

#include "triage/base/error.h"
#include "triage/record/wire.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

struct copy {
    struct hasher *hasher; /* NULL without hashes */
    int output;
    uint64_t bytes;
    bool unwritten;
};

int copy_write(int output, struct slice bytes)
{
    while (bytes.size) {
        const ssize_t written = write(output, bytes.data, bytes.size);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return error_set("%s", strerror(written < 0 ? errno : ENOSPC));
        bytes = slice_from(bytes, (size_t)written);
    }
    return 0;
}

static int copy_window(struct copy *copy, struct slice window)
{
    if (copy->hasher)
        hasher_add(copy->hasher, window);
    copy->bytes += window.size;
    if (copy_write(copy->output, window) < 0) {
        copy->unwritten = true;
        return -1;
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

int copy_check(int output)
{
    const int other = fcntl(output, F_DUPFD_CLOEXEC, 0);

    return other >= 0 && close(other) != 0 ? error_set("%s", strerror(errno)) : 0;
}

static void send_unwritten(struct worker *worker, struct outbox *outbox)
{
    wire_put_text(worker_frame(worker), error_text());
    worker_send(worker, outbox, RESULT_UNWRITTEN);
}

void running_put_copied(struct running *running, uint64_t bytes, const struct digests *digests)
{
    struct buffer *out = worker_frame(running->worker);
    char owner[200] = "";

    evidence_owner(running->evidence, running->job.file, owner, sizeof owner);
    wire_put_u64(out, bytes);
    wire_put_u8(out, stream_damaged(running->stream) || stream_lost(running->stream));
    wire_put_text(out, digests->md5);
    wire_put_text(out, digests->sha1);
    wire_put_text(out, digests->sha256);
    wire_put_text(out, owner);
}

static void send_copied(struct running *running, const struct copy *copy)
{
    const struct digests none = {"", "", ""};
    const struct digests digests = copy->hasher ? hasher_finish(copy->hasher) : none;

    running_put_copied(running, copy->bytes, &digests);
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
    if (!copy.unwritten)
        copy.unwritten = copy_check(copy.output) < 0;
    if (copy.unwritten)
        send_unwritten(worker, outbox);
    else
        send_copied(&running, &copy);
    hasher_free(copy.hasher);
    worker_send_damage(worker, outbox, file->evidence);
    running_release(&running);
}
