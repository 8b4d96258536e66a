#include "triage/engine/pool.h"

#include "triage/base/error.h"
#include "triage/record/wire.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    FRAME_END = 0,        /* the task is done */
    FRAME_PROGRESS = 255, /* body: u64 bytes */
    FRAME_HEAD = 9,       /* u32 size of the body, u8 type, u32 task */
    FRAME_CEILING = 16 << 20,
    BATCH_TASKS = 32, /* tasks handed over at once */
    BATCH_WEIGHT = 1 << 20,
    OUTBOX_FLUSH = 64 << 10,
    TICK_MS = 100,
};

struct outbox {
    int socket; /* -1: frames go to the pool's callback directly */
    const struct pool *pool;
    struct buffer pending; /* frames not sent yet */
    size_t task;
    int output;
    uint64_t unreported, *read_here;
    struct timespec reported;
    bool broken; /* the callback refused a frame (only with jobs 0) */
};

struct worker {
    pid_t pid; /* 0: not running */
    int socket;
    struct buffer inbox;
    size_t tasks[BATCH_TASKS]; /* handed over, in order; [done, count) are open */
    size_t count, done;
    struct timespec heard;
};

struct run {
    const struct pool *pool;
    const struct pool_task *tasks;
    size_t count, next;
    size_t *again; /* tasks taken back from a worker that ended */
    size_t again_count;
    struct worker *workers;
    size_t ended;
    uint64_t bytes_read;
    struct buffer scratch;
};

/* --- the worker's side --- */

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
    assert(type != FRAME_END && type != FRAME_PROGRESS);
    if (body.size > FRAME_CEILING)
        return;
    if (outbox->socket >= 0)
        put_frame(outbox, type, body);
    else if (outbox->pool->frame(outbox->pool->context, outbox->task, type, body) < 0)
        outbox->broken = true;
}

static int64_t milliseconds_since(const struct timespec *then)
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
    if (milliseconds_since(&outbox->reported) >= TICK_MS)
        report_progress(outbox);
}

int outbox_output(const struct outbox *outbox)
{
    return outbox->output;
}

/* Reads exactly `size` bytes and, with the first of them, the descriptors that the parent sent
 * along. */
static bool receive(int socket, uint8_t *bytes, size_t size, int *descriptors,
                    size_t *descriptor_count)
{
    while (size) {
        union {
            struct cmsghdr head;
            char room[CMSG_SPACE(sizeof(int) * BATCH_TASKS)];
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

static void run_batch(const struct pool *pool, void *state, struct outbox *outbox,
                      struct slice batch, const int *descriptors, size_t descriptor_count)
{
    struct cursor in = cursor_over(batch, 0);
    size_t used = 0;

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

static void worker_main(const struct pool *pool, int socket)
{
    struct outbox outbox = {.socket = socket, .pool = pool, .output = -1};
    struct buffer batch = BUFFER_EMPTY;

    signal(SIGINT, SIG_IGN); /* the parent decides when to stop */
    void *state = pool->start(pool->context);
    if (!state) {
        outbox.task = UINT32_MAX;
        put_frame(&outbox, FRAME_END, slice_of_text(error_text()));
        outbox_flush(&outbox);
        _exit(1);
    }
    clock_gettime(CLOCK_MONOTONIC, &outbox.reported);
    for (;;) {
        uint8_t head[4];
        int descriptors[BATCH_TASKS];
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

/* --- the parent's side --- */

static int worker_start(struct run *run, struct worker *worker)
{
    int pair[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
        return error_set_errno("cannot make a socket for a worker");
    fflush(NULL);
    const pid_t pid = fork();
    if (pid < 0) {
        close(pair[0]);
        close(pair[1]);
        return error_set_errno("cannot start a worker");
    }
    if (pid == 0) {
        close(pair[0]);
        for (size_t i = 0; i < run->pool->jobs; i++)
            if (run->workers[i].pid > 0)
                close(run->workers[i].socket);
        worker_main(run->pool, pair[1]);
    }
    close(pair[1]);
    buffer_clear(&worker->inbox);
    worker->pid = pid;
    worker->socket = pair[0];
    worker->count = worker->done = 0;
    clock_gettime(CLOCK_MONOTONIC, &worker->heard);
    return 0;
}

static bool next_task(struct run *run, size_t *task)
{
    if (run->again_count)
        *task = run->again[--run->again_count];
    else if (run->next < run->count)
        *task = run->next++;
    else
        return false;
    return true;
}

static void task_ended(struct run *run, size_t task, const char *problem)
{
    run->ended++;
    run->pool->ended(run->pool->context, task, problem);
}

static int open_output(const char *path)
{
    return open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
}

/* Sends the batch's size with the output descriptors along, then its bytes. */
static bool send_batch(struct worker *worker, struct slice batch, const int *descriptors,
                       size_t count)
{
    union {
        struct cmsghdr head;
        char room[CMSG_SPACE(sizeof(int) * BATCH_TASKS)];
    } control;
    const uint32_t size = (uint32_t)batch.size;
    uint8_t head[4] = {(uint8_t)size, (uint8_t)(size >> 8), (uint8_t)(size >> 16),
                       (uint8_t)(size >> 24)};
    struct iovec part = {head, sizeof head};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};

    if (count) {
        memset(&control, 0, sizeof control);
        message.msg_control = &control;
        message.msg_controllen = CMSG_SPACE(sizeof(int) * count);
        struct cmsghdr *attached = CMSG_FIRSTHDR(&message);
        attached->cmsg_level = SOL_SOCKET;
        attached->cmsg_type = SCM_RIGHTS;
        attached->cmsg_len = CMSG_LEN(sizeof(int) * count);
        memcpy(CMSG_DATA(attached), descriptors, sizeof(int) * count);
    }
    if (sendmsg(worker->socket, &message, MSG_NOSIGNAL) != (ssize_t)sizeof head)
        return false;
    while (batch.size) {
        const ssize_t sent = send(worker->socket, batch.data, batch.size, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent <= 0)
            return false;
        batch = slice_from(batch, (size_t)sent);
    }
    return true;
}

/* Adds one task to the batch; false when its output file cannot be made (the task has ended then).
 */
static bool add_to_batch(struct run *run, struct worker *worker, size_t task, int *descriptors,
                         size_t *descriptor_count)
{
    const struct pool_task *t = &run->tasks[task];

    if (t->output) {
        const int output = open_output(t->output);
        if (output < 0) {
            error_set_errno("cannot create '%s'", t->output);
            task_ended(run, task, error_text());
            return false;
        }
        descriptors[(*descriptor_count)++] = output;
    }
    wire_put_u32(&run->scratch, (uint32_t)task);
    wire_put_u8(&run->scratch, t->output != NULL);
    wire_put_slice(&run->scratch, t->body);
    worker->tasks[worker->count++] = task;
    return true;
}

/* Neighbours on the disk go together; a batch ends once it is heavy, so that workers end at about
 * the same time. */
static void hand_out(struct run *run, struct worker *worker)
{
    int descriptors[BATCH_TASKS];
    size_t descriptor_count = 0, task;
    uint64_t weight = 0;

    buffer_clear(&run->scratch);
    worker->count = worker->done = 0;
    while (worker->count < BATCH_TASKS && weight < BATCH_WEIGHT && next_task(run, &task)) {
        weight += run->tasks[task].weight;
        add_to_batch(run, worker, task, descriptors, &descriptor_count);
    }
    if (worker->count)
        send_batch(worker, buffer_slice(&run->scratch), descriptors, descriptor_count);
    for (size_t i = 0; i < descriptor_count; i++)
        close(descriptors[i]);
    clock_gettime(CLOCK_MONOTONIC, &worker->heard);
}

/* Waits for the worker's end; gives its status. */
static int reap(struct worker *worker)
{
    int status = 0;

    while (waitpid(worker->pid, &status, 0) < 0 && errno == EINTR)
        ;
    worker->pid = 0;
    return status;
}

/* The worker is gone: its current task bears the blame, the others of its batch are handed out
 * again. */
static void worker_lost(struct run *run, struct worker *worker, const char *problem)
{
    if (worker->pid > 0) {
        kill(worker->pid, SIGKILL);
        reap(worker);
    }
    close(worker->socket);
    for (size_t i = worker->count; i > worker->done + 1; i--)
        run->again[run->again_count++] = worker->tasks[i - 1];
    if (worker->done < worker->count)
        task_ended(run, worker->tasks[worker->done], problem);
    worker->count = worker->done = 0;
}

/* How a worker whose socket closed came to its end, in words. */
static const char *ending(struct worker *worker, char *text, size_t size)
{
    const int status = reap(worker);

    if (WIFSIGNALED(status))
        snprintf(text, size, "the worker crashed (signal %d, %s)", WTERMSIG(status),
                 strsignal(WTERMSIG(status)));
    else
        snprintf(text, size, "the worker ended early (exit code %d)", WEXITSTATUS(status));
    return text;
}

/* 1: a frame was taken from the inbox; 0: it is not complete yet; -1: it is broken; -2: the worker
 * could not start. */
static int take_frame(struct run *run, struct worker *worker, struct cursor *in)
{
    struct cursor ahead = *in;
    const uint32_t size = cursor_u32le(&ahead);
    const uint8_t type = cursor_u8(&ahead);
    const uint32_t task = cursor_u32le(&ahead);
    const struct pool *pool = run->pool;

    if (!cursor_failed(&ahead) && size > FRAME_CEILING)
        return -1;
    struct slice body = cursor_take(&ahead, size);
    if (cursor_failed(&ahead))
        return 0;
    *in = ahead;
    if (task == UINT32_MAX && type == FRAME_END) {
        error_set("%.*s", (int)(body.size < 400 ? body.size : 400), (const char *)body.data);
        return -2;
    }
    if (type == FRAME_PROGRESS) {
        struct cursor c = cursor_over(body, 0);
        run->bytes_read += wire_get_u64(&c);
        return 1;
    }
    if (worker->done >= worker->count || worker->tasks[worker->done] != task)
        return -1;
    if (type == FRAME_END) {
        worker->done++;
        task_ended(run, task, NULL);
        return 1;
    }
    return pool->frame(pool->context, task, type, body) < 0 ? -1 : 1;
}

static int take_frames(struct run *run, struct worker *worker)
{
    struct cursor in = cursor_over(buffer_slice(&worker->inbox), 0);
    int result;

    while ((result = take_frame(run, worker, &in)) > 0)
        ;
    const size_t left = cursor_left(&in);
    if (left)
        memmove(worker->inbox.data, worker->inbox.data + in.at, left);
    worker->inbox.size = left;
    return result;
}

/* -1 only when a worker says that it cannot start at all. */
static int hear(struct run *run, struct worker *worker)
{
    enum { READ_SIZE = 256 << 10 };
    char text[160];
    uint8_t *room = buffer_reserve(&worker->inbox, READ_SIZE);

    if (!room)
        return error_set("out of memory");
    const ssize_t got = recv(worker->socket, room, READ_SIZE, MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return 0;
    if (got <= 0) {
        worker_lost(run, worker, ending(worker, text, sizeof text));
        return 0;
    }
    worker->inbox.size += (size_t)got;
    clock_gettime(CLOCK_MONOTONIC, &worker->heard);
    const int result = take_frames(run, worker);
    if (result == -1)
        worker_lost(run, worker, "the worker sent a broken result");
    return result == -2 ? -1 : 0;
}

static void end_silent_worker(struct run *run, struct worker *worker)
{
    char text[80];

    if (worker->pid == 0 || worker->done >= worker->count ||
        milliseconds_since(&worker->heard) < (int64_t)run->pool->timeout_seconds * 1000)
        return;
    snprintf(text, sizeof text, "nothing was heard of the worker for %u seconds",
             run->pool->timeout_seconds);
    worker_lost(run, worker, text);
}

static int hand_out_to_all(struct run *run)
{
    for (size_t i = 0; i < run->pool->jobs; i++) {
        struct worker *worker = &run->workers[i];
        if (worker->done < worker->count || (run->next >= run->count && run->again_count == 0))
            continue;
        if (worker->pid == 0 && worker_start(run, worker) < 0)
            return -1;
        hand_out(run, worker);
    }
    return 0;
}

static int hear_all(struct run *run)
{
    struct pollfd *waits = calloc(run->pool->jobs, sizeof *waits);
    int result = 0;

    if (!waits)
        return error_set("out of memory");
    for (size_t i = 0; i < run->pool->jobs; i++)
        waits[i] = (struct pollfd){run->workers[i].pid ? run->workers[i].socket : -1, POLLIN, 0};
    poll(waits, run->pool->jobs, TICK_MS);
    for (size_t i = 0; i < run->pool->jobs && result == 0; i++)
        if (waits[i].revents)
            result = hear(run, &run->workers[i]);
    for (size_t i = 0; i < run->pool->jobs && result == 0; i++)
        end_silent_worker(run, &run->workers[i]);
    free(waits);
    return result;
}

static int drive(struct run *run, const volatile int *interrupted)
{
    while (run->ended < run->count) {
        if (*interrupted)
            return 1;
        if (hand_out_to_all(run) < 0 || hear_all(run) < 0)
            return -1;
        if (run->pool->tick)
            run->pool->tick(run->pool->context, run->bytes_read);
    }
    return 0;
}

static void stop_workers(struct run *run)
{
    for (size_t i = 0; i < run->pool->jobs; i++) {
        struct worker *worker = &run->workers[i];
        if (worker->pid) {
            const bool busy = worker->done < worker->count;
            close(worker->socket); /* an idle worker ends at that */
            if (busy)
                kill(worker->pid, SIGKILL);
            reap(worker);
        }
        buffer_release(&worker->inbox);
    }
}

static int run_in_workers(const struct pool *pool, const struct pool_task *tasks, size_t count,
                          const volatile int *interrupted)
{
    struct run run = {.pool = pool, .tasks = tasks, .count = count};

    run.workers = calloc(pool->jobs, sizeof *run.workers);
    run.again = calloc(count ? count : 1, sizeof *run.again);
    int result = run.workers && run.again ? drive(&run, interrupted) : error_set("out of memory");
    if (run.workers)
        stop_workers(&run);
    buffer_release(&run.scratch);
    free(run.workers);
    free(run.again);
    return result;
}

static int run_here(const struct pool *pool, const struct pool_task *tasks, size_t count,
                    const volatile int *interrupted)
{
    uint64_t read_here = 0;
    struct outbox outbox = {.socket = -1, .pool = pool, .output = -1, .read_here = &read_here};
    void *state = pool->start(pool->context);

    if (!state)
        return -1;
    clock_gettime(CLOCK_MONOTONIC, &outbox.reported);
    for (size_t i = 0; i < count && !*interrupted; i++) {
        outbox.task = i;
        outbox.broken = false;
        outbox.output = tasks[i].output ? open_output(tasks[i].output) : -1;
        if (tasks[i].output && outbox.output < 0) {
            error_set_errno("cannot create '%s'", tasks[i].output);
            pool->ended(pool->context, i, error_text());
            continue;
        }
        pool->run(state, tasks[i].body, &outbox);
        if (outbox.output >= 0)
            close(outbox.output);
        pool->ended(pool->context, i, outbox.broken ? "the worker sent a broken result" : NULL);
    }
    pool->stop(state);
    return *interrupted ? 1 : 0;
}

int pool_run(const struct pool *pool, const struct pool_task *tasks, size_t count,
             const volatile int *interrupted)
{
    if (count == 0)
        return 0;
    return pool->jobs == 0 ? run_here(pool, tasks, count, interrupted)
                           : run_in_workers(pool, tasks, count, interrupted);
}
