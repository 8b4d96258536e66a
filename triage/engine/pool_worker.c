/* The worker's side of the pool: batches come in, frames go out. */
#include "triage/engine/pool_parts.h"

#include "triage/base/error.h"
#include "triage/base/sandbox.h"
#include "triage/record/wire.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

enum { OUTBOX_FLUSH = 64 << 10 };

static void write_all(int descriptor, struct slice bytes)
{
    while (bytes.size) {
        const ssize_t written = send(descriptor, bytes.data, bytes.size, MSG_NOSIGNAL);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            _exit(0); /* the parent is gone: nobody wants the result */
        bytes = slice_from(bytes, (size_t)written);
    }
}

static void outbox_flush(struct outbox *outbox)
{
    write_all(outbox->socket, buffer_slice(&outbox->pending));
    buffer_clear(&outbox->pending);
}

static void put_frame(struct outbox *outbox, uint8_t type, struct slice body)
{
    struct buffer *out = &outbox->pending;

    wire_put_u32(out, (uint32_t)body.size);
    wire_put_u8(out, type);
    wire_put_u32(out, (uint32_t)outbox->task);
    buffer_add(out, body);
    if (buffer_failed(out))
        _exit(1);
    if (out->size >= OUTBOX_FLUSH)
        outbox_flush(outbox);
}

void outbox_send(struct outbox *outbox, uint8_t type, struct slice body)
{
    assert(type != FRAME_END && type < FRAME_SPOILT);
    if (body.size > FRAME_CEILING)
        return;
    if (outbox->socket >= 0)
        put_frame(outbox, type, body);
    else if (outbox->pool->frame(outbox->pool->context, outbox->task, type, body) < 0)
        outbox->broken = true;
}

int64_t pool_milliseconds_since(const struct timespec *then)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (now.tv_sec - then->tv_sec) * INT64_C(1000) + (now.tv_nsec - then->tv_nsec) / 1000000;
}

static void report_progress(struct outbox *outbox)
{
    struct buffer body = BUFFER_EMPTY;

    if (outbox->socket >= 0) {
        wire_put_u64(&body, outbox->unreported);
        put_frame(outbox, FRAME_PROGRESS, buffer_slice(&body));
        outbox_flush(outbox);
        buffer_release(&body);
    } else {
        *outbox->read_here += outbox->unreported;
        if (outbox->pool->tick)
            outbox->pool->tick(outbox->pool->context, *outbox->read_here);
    }
    outbox->unreported = 0;
    clock_gettime(CLOCK_MONOTONIC, &outbox->reported);
}

void outbox_progress(struct outbox *outbox, uint64_t bytes)
{
    outbox->unreported += bytes;
    if (pool_milliseconds_since(&outbox->reported) >= TICK_MS)
        report_progress(outbox);
}

int outbox_output(const struct outbox *outbox)
{
    return outbox->output;
}

/* The slot of the next blank; BATCH_TASKS when there is none. */
static size_t blank_slot(const struct outbox *outbox)
{
    size_t slot = 0;

    while (slot < BATCH_TASKS && outbox->blanks[slot] == 0)
        slot++;
    return slot;
}

int outbox_blank(const struct outbox *outbox)
{
    const size_t slot = blank_slot(outbox);

    return slot < BATCH_TASKS ? outbox->blanks[slot] : -1;
}

/* The next batch brings another one in its place. */
static void end_blank(struct outbox *outbox, uint8_t type, struct slice body)
{
    const size_t slot = blank_slot(outbox);
    struct buffer frame = BUFFER_EMPTY;

    if (slot == BATCH_TASKS)
        return;
    wire_put_u8(&frame, (uint8_t)slot);
    buffer_add(&frame, body);
    if (buffer_failed(&frame))
        _exit(1);
    put_frame(outbox, type, buffer_slice(&frame));
    buffer_release(&frame);
    close(outbox->blanks[slot]);
    outbox->blanks[slot] = 0;
}

void outbox_filled(struct outbox *outbox, struct slice body)
{
    end_blank(outbox, FRAME_FILLED, body);
}

void outbox_spoilt(struct outbox *outbox)
{
    end_blank(outbox, FRAME_SPOILT, slice_of(NULL, 0));
}

static void fill_slots(struct outbox *outbox, const int *descriptors, size_t count)
{
    size_t used = 0;

    for (size_t slot = 0; slot < BATCH_TASKS && used < count; slot++)
        if (outbox->blanks[slot] == 0)
            outbox->blanks[slot] = descriptors[used++];
}

/* Reads exactly `size` bytes and, with the first of them, the descriptors that the parent sent
 * along. */
static bool receive(int socket, uint8_t *bytes, size_t size, int *descriptors,
                    size_t *descriptor_count)
{
    while (size) {
        union {
            struct cmsghdr head;
            char room[CMSG_SPACE(sizeof(int) * BATCH_DESCRIPTORS)];
        } control;
        struct iovec part = {bytes, size};
        struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
        if (descriptors) {
            message.msg_control = &control;
            message.msg_controllen = sizeof control;
        }
        const ssize_t got = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return false;
        struct cmsghdr *head = descriptors ? CMSG_FIRSTHDR(&message) : NULL;
        if (head && head->cmsg_type == SCM_RIGHTS) {
            *descriptor_count = (head->cmsg_len - CMSG_LEN(0)) / sizeof(int);
            memcpy(descriptors, CMSG_DATA(head), *descriptor_count * sizeof(int));
        }
        bytes += got;
        size -= (size_t)got;
    }
    return true;
}

static size_t count_outputs(struct slice batch)
{
    struct cursor in = cursor_over(batch, 0);
    size_t count = 0;

    while (cursor_left(&in)) {
        wire_get_u32(&in);
        count += wire_get_u8(&in) != 0;
        wire_get_slice(&in);
    }
    return count;
}

static void run_batch(const struct pool *pool, void *state, struct outbox *outbox,
                      struct slice batch, const int *descriptors, size_t descriptor_count)
{
    struct cursor in = cursor_over(batch, 0);
    const size_t outputs = count_outputs(batch);
    size_t used = 0;

    if (outputs < descriptor_count)
        fill_slots(outbox, descriptors + outputs, descriptor_count - outputs);
    while (cursor_left(&in)) {
        outbox->task = wire_get_u32(&in);
        const bool has_output = wire_get_u8(&in) != 0;
        const struct slice body = wire_get_slice(&in);
        if (cursor_failed(&in))
            return;
        outbox->output = has_output && used < descriptor_count ? descriptors[used++] : -1;
        pool->run(state, body, outbox);
        if (outbox->output >= 0)
            close(outbox->output);
        outbox->output = -1;
        put_frame(outbox, FRAME_END, slice_of(NULL, 0));
        outbox_flush(outbox); /* what is done must be known before the next task can crash */
    }
    report_progress(outbox);
}

/* Whatever happens to the parent, nobody is to write into the case for it any more. */
static void end_with(pid_t parent)
{
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && getppid() != parent)
        _exit(0);
}

_Noreturn void pool_worker(const struct pool *pool, int socket, pid_t parent)
{
    struct outbox outbox = {.socket = socket, .pool = pool, .output = -1};
    struct buffer batch = BUFFER_EMPTY;

    end_with(parent);
    signal(SIGINT, SIG_IGN); /* the parent decides when to stop */
    sandbox_drop_descriptors(STDERR_FILENO + 1, socket);
    signal(SIGTERM, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
    void *state = pool->start(pool->context);
    if (!state) {
        outbox.task = UINT32_MAX;
        put_frame(&outbox, FRAME_END, slice_of_text(error_text()));
        outbox_flush(&outbox);
        _exit(1);
    }
    report_progress(&outbox);
    for (;;) {
        uint8_t head[4];
        int descriptors[BATCH_DESCRIPTORS];
        size_t descriptor_count = 0;
        if (!receive(socket, head, sizeof head, descriptors, &descriptor_count))
            break;
        struct cursor c = cursor_over(slice_of(head, sizeof head), 0);
        const uint32_t size = cursor_u32le(&c);
        buffer_clear(&batch);
        uint8_t *room = buffer_reserve(&batch, size);
        if (!room || !receive(socket, room, size, NULL, NULL))
            break;
        run_batch(pool, state, &outbox, slice_of(room, size), descriptors, descriptor_count);
    }
    pool->stop(state);
    buffer_release(&batch);
    buffer_release(&outbox.pending);
    _exit(0);
}
