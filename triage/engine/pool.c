#include "triage/engine/pool_parts.h"

#include "triage/base/error.h"
#include "triage/record/wire.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { BATCH_WEIGHT = 1 << 20 };

struct worker {
    pid_t pid; /* 0: not running */
    int socket;
    struct buffer inbox;
    size_t tasks[BATCH_TASKS]; /* handed over, in order; [done, count) are open */
    size_t count, done;
    struct timespec heard, begun; /* begun: the task at work */
    uint64_t told;                /* bytes of frames of the task at work */
    bool ready; /* it has said so: it cannot claim any more that it cannot start */
    struct blanks blanks;
};

struct run {
    const struct pool *pool;
    const struct pool_task *tasks;
    size_t count, next;
    size_t *again; /* tasks taken back from a worker that ended */
    size_t again_count;
    size_t *alone; /* tasks for a second run by themselves; [alone_done, alone_count) are to come */
    size_t alone_count, alone_done;
    bool *tried;
    struct worker *workers;
    size_t ended;
    uint64_t bytes_read;
    uint64_t blanks; /* made so far */
    struct buffer scratch;
    const struct run *other; /* at work at the same time: its sockets are no business of a worker */
};

struct pool_beside {
    struct pool pool;
    struct run run;
    char *problem; /* why its tasks cannot go on; NULL */
};

static void close_sockets(const struct run *run)
{
    for (size_t i = 0; run && i < run->pool->jobs; i++)
        if (run->workers[i].pid > 0)
            close(run->workers[i].socket);
}

static int worker_start(struct run *run, struct worker *worker)
{
    int pair[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
        return error_set_errno("cannot make a socket for a worker");
    fflush(NULL);
    const pid_t parent = getpid(), pid = fork();
    if (pid < 0) {
        close(pair[0]);
        close(pair[1]);
        return error_set_errno("cannot start a worker");
    }
    if (pid == 0) {
        close(pair[0]);
        close_sockets(run);
        close_sockets(run->other);
        pool_worker(run->pool, pair[1], parent);
    }
    close(pair[1]);
    buffer_clear(&worker->inbox);
    worker->pid = pid;
    worker->socket = pair[0];
    worker->count = worker->done = 0;
    worker->ready = false;
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

/* Adds one task to the batch; a task whose output file cannot be made has ended then. -1 when none
 * can. */
static int add_to_batch(struct run *run, struct worker *worker, size_t task, int *descriptors,
                        size_t *descriptor_count)
{
    const struct pool_task *t = &run->tasks[task];

    if (t->output) {
        const int output = pool_open_output(t->output), reason = errno;
        if (output < 0) {
            error_set_errno("cannot create '%s'", t->output);
            if (pool_is_place_lost(reason))
                return -1;
            task_ended(run, task, error_text());
            return 0;
        }
        descriptors[(*descriptor_count)++] = output;
    }
    wire_put_u32(&run->scratch, (uint32_t)task);
    wire_put_u8(&run->scratch, t->output != NULL);
    wire_put_slice(&run->scratch, t->body);
    worker->tasks[worker->count++] = task;
    return 0;
}

/* The next of the batch is at work from now on. */
static void begin_task(struct worker *worker)
{
    worker->told = 0;
    clock_gettime(CLOCK_MONOTONIC, &worker->begun);
}

/* Neighbours on the disk go together; a batch ends once it is heavy, so that workers end at about
 * the same time. */
static int hand_out(struct run *run, struct worker *worker)
{
    int descriptors[BATCH_DESCRIPTORS];
    size_t descriptor_count = 0, task;
    uint64_t weight = 0;

    buffer_clear(&run->scratch);
    worker->count = worker->done = 0;
    int result = 0;
    while (worker->count < BATCH_TASKS && weight < BATCH_WEIGHT && result == 0 &&
           next_task(run, &task)) {
        weight += run->tasks[task].weight;
        result = add_to_batch(run, worker, task, descriptors, &descriptor_count);
    }
    if (worker->count && result == 0) {
        pool_fill_blanks(run->pool, &worker->blanks, &run->blanks, descriptors, &descriptor_count);
        pool_send(worker->socket, buffer_slice(&run->scratch), descriptors, descriptor_count);
    }
    for (size_t i = 0; i < descriptor_count; i++)
        close(descriptors[i]);
    clock_gettime(CLOCK_MONOTONIC, &worker->heard);
    begin_task(worker);
    return result;
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

/* It is made anew when the task is handed out again. */
static void remove_output(const struct run *run, size_t task)
{
    if (run->tasks[task].output)
        unlink(run->tasks[task].output);
}

/* Whether the task gets a second run after what happened to its worker. */
static bool take_back(struct run *run, size_t task, const char *problem)
{
    if (!run->pool->again || run->tried[task])
        return false;
    remove_output(run, task);
    run->tried[task] = true;
    run->alone[run->alone_count++] = task;
    run->pool->again(run->pool->context, task, problem);
    return true;
}

/* The worker is gone: its current task bears the blame, the others of its batch are handed out
 * again. `may_pass` tells that the task may not be the cause. */
static void worker_lost(struct run *run, struct worker *worker, const char *problem, bool may_pass)
{
    if (worker->pid > 0) {
        kill(worker->pid, SIGKILL);
        reap(worker);
    }
    close(worker->socket);
    pool_drop_blanks(run->pool, &worker->blanks);
    for (size_t i = worker->count; i > worker->done + 1; i--) {
        remove_output(run, worker->tasks[i - 1]);
        run->again[run->again_count++] = worker->tasks[i - 1];
    }
    const bool busy = worker->done < worker->count;
    const size_t task = busy ? worker->tasks[worker->done] : 0;
    worker->count = worker->done = 0;
    if (busy && !(may_pass && take_back(run, task, problem)))
        task_ended(run, task, problem);
}

/* How a worker whose socket closed came to its end, in words; and whether it need not be its task's
 * doing. */
static const char *ending(struct worker *worker, char *text, size_t size, bool *may_pass)
{
    const int status = reap(worker);

    *may_pass = !(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS);
    if (!*may_pass)
        snprintf(text, size,
                 "the worker tried what its sandbox forbids and was ended: it may have been taken "
                 "over by the evidence");
    else if (WIFSIGNALED(status))
        snprintf(text, size, "the worker crashed (signal %d, %s)", WTERMSIG(status),
                 strsignal(WTERMSIG(status)));
    else
        snprintf(text, size, "the worker ended early (exit code %d)", WEXITSTATUS(status));
    return text;
}

/* The worker has put what `body` tells of into a blank, or could not. */
static int take_blank(struct run *run, struct worker *worker, size_t task, uint8_t type,
                      struct slice body)
{
    struct cursor in = cursor_over(body, 0);
    char path[BLANK_PATH_SIZE];
    const uint8_t slot = wire_get_u8(&in);

    if (cursor_failed(&in) || !pool_take_blank(run->pool, &worker->blanks, slot, path))
        return error_set("a blank that the worker does not have");
    if (type == FRAME_FILLED)
        return run->pool->filled(run->pool->context, task, path,
                                 cursor_take(&in, cursor_left(&in)));
    unlink(path);
    return 0;
}

/* 1: a frame was taken from the inbox; 0: it is not complete yet; -1: it is broken; -2: the worker
 * could not start; -3: it says more than its task can have to say. */
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
    if (task == UINT32_MAX && type == FRAME_END && !worker->ready) {
        error_set("%.*s", (int)(body.size < 400 ? body.size : 400), (const char *)body.data);
        return -2;
    }
    if (type == FRAME_PROGRESS) {
        struct cursor c = cursor_over(body, 0);
        run->bytes_read += wire_get_u64(&c);
        worker->ready = true;
        return 1;
    }
    if (worker->done >= worker->count || worker->tasks[worker->done] != task)
        return -1;
    if (type == FRAME_END) {
        worker->done++;
        task_ended(run, task, NULL);
        begin_task(worker);
        return 1;
    }
    worker->told += size;
    if (run->tasks[task].most_bytes && worker->told > run->tasks[task].most_bytes)
        return -3;
    if (type == FRAME_FILLED || type == FRAME_SPOILT)
        return take_blank(run, worker, task, type, body) < 0 ? -1 : 1;
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
        bool may_pass;
        const char *problem = ending(worker, text, sizeof text, &may_pass);
        worker_lost(run, worker, problem, may_pass);
        return 0;
    }
    worker->inbox.size += (size_t)got;
    clock_gettime(CLOCK_MONOTONIC, &worker->heard);
    const int result = take_frames(run, worker);
    if (result == -1)
        worker_lost(run, worker, "the worker sent a broken result", false);
    if (result == -3)
        worker_lost(run, worker, "the worker sent more than can come of this file", false);
    return result == -2 ? -1 : 0;
}

/* One that is silent, and one that has much to say but comes to no end. */
static void end_slow_worker(struct run *run, struct worker *worker)
{
    char text[120];

    if (worker->pid == 0 || worker->done >= worker->count)
        return;
    const uint64_t most = run->tasks[worker->tasks[worker->done]].most_seconds;
    if (pool_milliseconds_since(&worker->heard) >= (int64_t)run->pool->timeout_seconds * 1000)
        snprintf(text, sizeof text, "nothing was heard of the worker for %u seconds",
                 run->pool->timeout_seconds);
    else if (most && pool_milliseconds_since(&worker->begun) / 1000 >= (int64_t)most)
        snprintf(text, sizeof text, "the worker came to no end within %" PRIu64 " seconds", most);
    else
        return;
    worker_lost(run, worker, text, false);
}

static bool is_busy(const struct worker *worker)
{
    return worker->pid && worker->done < worker->count;
}

static bool any_busy(const struct run *run)
{
    for (size_t i = 0; i < run->pool->jobs; i++)
        if (is_busy(&run->workers[i]))
            return true;
    return false;
}

/* An idle worker ends when its socket closes. */
static void end_worker(const struct run *run, struct worker *worker)
{
    const bool busy = is_busy(worker);

    if (!worker->pid)
        return;
    close(worker->socket);
    if (busy)
        kill(worker->pid, SIGKILL);
    reap(worker);
    pool_drop_blanks(run->pool, &worker->blanks);
}

/* One task for a second run, when nothing else is at work: it gets all of the memory. */
static int hand_out_alone(struct run *run)
{
    struct worker *worker = &run->workers[0];

    for (size_t i = 0; i < run->pool->jobs; i++)
        end_worker(run, &run->workers[i]);
    if (worker_start(run, worker) < 0)
        return -1;
    run->again[run->again_count++] = run->alone[run->alone_done++];
    return hand_out(run, worker);
}

/* Without memory for one more worker those that are there go on. */
static int hand_out_to_all(struct run *run)
{
    for (size_t i = 0; i < run->pool->jobs; i++) {
        struct worker *worker = &run->workers[i];
        if (is_busy(worker) || (run->next >= run->count && run->again_count == 0))
            continue;
        if (worker->pid == 0 && worker_start(run, worker) < 0) {
            if (any_busy(run))
                break;
            return -1;
        }
        if (hand_out(run, worker) < 0)
            return -1;
    }
    return run->alone_done < run->alone_count && !any_busy(run) ? hand_out_alone(run) : 0;
}

static int hear_all(struct run *run, int wait_ms)
{
    struct pollfd *waits = calloc(run->pool->jobs, sizeof *waits);
    int result = 0;

    if (!waits)
        return error_set("out of memory");
    for (size_t i = 0; i < run->pool->jobs; i++)
        waits[i] = (struct pollfd){run->workers[i].pid ? run->workers[i].socket : -1, POLLIN, 0};
    poll(waits, run->pool->jobs, wait_ms);
    for (size_t i = 0; i < run->pool->jobs && result == 0; i++)
        if (waits[i].revents)
            result = hear(run, &run->workers[i]);
    for (size_t i = 0; i < run->pool->jobs && result == 0; i++)
        end_slow_worker(run, &run->workers[i]);
    free(waits);
    return result;
}

static bool has_failed(const struct pool *pool)
{
    return pool->failed && pool->failed(pool->context) < 0;
}

static void attend(struct pool_beside *beside, const struct run *other)
{
    struct run *run = &beside->run;

    if (beside->problem || run->ended == run->count)
        return;
    run->other = other;
    if (hand_out_to_all(run) < 0 || hear_all(run, 0) < 0)
        beside->problem = strdup(error_text());
    run->other = NULL;
}

static int drive(struct run *run, const volatile int *interrupted)
{
    struct pool_beside *beside = run->pool->beside;

    while (run->ended < run->count) {
        if (*interrupted)
            return 1;
        run->other = beside ? &beside->run : NULL;
        if (hand_out_to_all(run) < 0 || hear_all(run, TICK_MS) < 0 || has_failed(run->pool))
            return -1;
        if (beside)
            attend(beside, run);
        if (run->pool->tick)
            run->pool->tick(run->pool->context, run->bytes_read);
    }
    return 0;
}

static void stop_workers(struct run *run)
{
    for (size_t i = 0; i < run->pool->jobs; i++) {
        end_worker(run, &run->workers[i]);
        buffer_release(&run->workers[i].inbox);
    }
}

static int run_init(struct run *run, const struct pool *pool, const struct pool_task *tasks,
                    size_t count)
{
    *run = (struct run){.pool = pool, .tasks = tasks, .count = count};
    run->workers = calloc(pool->jobs, sizeof *run->workers);
    run->again = calloc(count + 1, sizeof *run->again);
    run->alone = calloc(count + 1, sizeof *run->alone);
    run->tried = calloc(count + 1, sizeof *run->tried);
    return run->workers && run->again && run->alone && run->tried ? 0 : error_set("out of memory");
}

static void run_release(struct run *run)
{
    if (run->workers)
        stop_workers(run);
    buffer_release(&run->scratch);
    free(run->workers);
    free(run->again);
    free(run->alone);
    free(run->tried);
}

static int run_in_workers(const struct pool *pool, const struct pool_task *tasks, size_t count,
                          const volatile int *interrupted)
{
    struct run run;
    const int result = run_init(&run, pool, tasks, count) < 0 ? -1 : drive(&run, interrupted);

    run_release(&run);
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
    for (size_t i = 0; i < count && !*interrupted && !has_failed(pool); i++) {
        outbox.task = i;
        outbox.broken = false;
        outbox.output = tasks[i].output ? pool_open_output(tasks[i].output) : -1;
        if (tasks[i].output && outbox.output < 0) {
            const int reason = errno;
            error_set_errno("cannot create '%s'", tasks[i].output);
            if (pool_is_place_lost(reason)) {
                pool->stop(state);
                return -1;
            }
            pool->ended(pool->context, i, error_text());
            continue;
        }
        pool->run(state, tasks[i].body, &outbox);
        if (outbox.output >= 0)
            close(outbox.output);
        pool->ended(pool->context, i, outbox.broken ? "the worker sent a broken result" : NULL);
    }
    pool->stop(state);
    return has_failed(pool) ? -1 : *interrupted ? 1 : 0;
}

int pool_run(const struct pool *pool, const struct pool_task *tasks, size_t count,
             const volatile int *interrupted)
{
    if (count == 0)
        return 0;
    return pool->jobs == 0 ? run_here(pool, tasks, count, interrupted)
                           : run_in_workers(pool, tasks, count, interrupted);
}

int pool_begin(const struct pool *pool, const struct pool_task *tasks, size_t count,
               struct pool_beside **out)
{
    struct pool_beside *beside = calloc(1, sizeof *beside);

    if (!beside)
        return error_set("out of memory");
    beside->pool = *pool;
    if (run_init(&beside->run, &beside->pool, tasks, count) < 0 ||
        hand_out_to_all(&beside->run) < 0) {
        pool_drop(beside);
        return -1;
    }
    *out = beside;
    return 0;
}

int pool_end(struct pool_beside *beside, const volatile int *interrupted)
{
    const int result =
        beside->problem ? error_set("%s", beside->problem) : drive(&beside->run, interrupted);

    pool_drop(beside);
    return result;
}

void pool_drop(struct pool_beside *beside)
{
    if (!beside)
        return;
    run_release(&beside->run);
    free(beside->problem);
    free(beside);
}
