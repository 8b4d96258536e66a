/*
 * Forked workers. The parent hands out tasks in their order, reads framed results and survives
 * whatever a worker does: a crash, a hang or a broken frame costs the one task that caused it; its
 * neighbours are handed to a fresh worker. What made a worker end may have nothing to do with its
 * task (somebody killed it, memory was short): such a task is run once more, by itself in a fresh
 * worker, when all others are done.
 *
 *   parent                                     worker (sandboxed)
 *     | -- tasks (u32 count, then slices) --->   |  task by task:
 *     | <-- frames: u32 size, u8 type, u32 task, body ... FRAME_END
 */
#ifndef TRIAGE_ENGINE_POOL_H
#define TRIAGE_ENGINE_POOL_H

#include "triage/base/buffer.h"

/* Where a worker's results go: a socket to the parent, or straight to its callback with --jobs 0.
 */
struct outbox;

/* Sends one frame for the task at hand. `type` is the caller's, from 1; 0 is the pool's own. */
void outbox_send(struct outbox *outbox, uint8_t type, struct slice body);
/* Tells the parent that the worker is alive and how many bytes of evidence it has read since it
 * last told; cheap. */
void outbox_progress(struct outbox *outbox, uint64_t bytes);
/* Descriptor of the task's output file; -1 when it has none. Closed by the pool. */
int outbox_output(const struct outbox *outbox);
/* Descriptor of an empty file that the worker may fill with what it has read, so that nobody has to
 * read it again; -1 when there is none. One of the next two calls ends it. */
int outbox_blank(const struct outbox *outbox);
/* It is written: `body` says what it holds. */
void outbox_filled(struct outbox *outbox, struct slice body);
/* It could not be written. */
void outbox_spoilt(struct outbox *outbox);

struct pool_task {
    struct slice body;  /* borrowed until the pool ends */
    const char *output; /* NULL, or a file that the parent creates (it must not exist) and the
                           worker writes */
    uint64_t weight;    /* bytes it will read, for batching and progress */
    /* What a worker that was taken over, or runs in a circle, may cost; 0: no limit. */
    uint64_t most_bytes;   /* of its frames */
    uint64_t most_seconds; /* until it has ended, however much it says */
};

/* Tasks of a pool that run beside those of others. */
struct pool_beside;

struct pool {
    struct pool_beside *beside; /* NULL, or one whose workers are heard, too, while this one runs */
    unsigned jobs;              /* 0: everything runs in this process */
    unsigned timeout_seconds;   /* a worker that neither answers nor reports progress for so long is
                                   ended */
    const char *blanks;  /* NULL, or a folder for what workers fill with what they have read */
    uint64_t blank_most; /* bytes in one */
    void *context;       /* handed to all callbacks */

    /* In the worker. `start` opens what tasks need and then locks the process down; NULL with
     * error_text on failure. */
    void *(*start)(void *context);
    void (*run)(void *state, struct slice body, struct outbox *outbox);
    void (*stop)(void *state);

    /* In the parent. The body is hostile: read it with a cursor. A -1 from `frame` counts as a
     * broken frame. */
    int (*frame)(void *context, size_t task, uint8_t type, struct slice body);
    /* With `blanks`: the task has filled a file, whose path (it is the callee's now, whatever comes
     * of it) is the parent's word, and all else the worker's. */
    int (*filled)(void *context, size_t task, const char *path, struct slice body);
    /* The task will be run once more: what its first run gave is to be forgotten. NULL: there is no
     * second run. */
    void (*again)(void *context, size_t task, const char *problem);
    /* Once for each task: `problem` is NULL, or says how it ended ("crashed (signal 11)"). */
    void (*ended)(void *context, size_t task, const char *problem);
    /* With error_text set when going on makes no sense any more (results cannot be stored); may be
     * NULL. */
    int (*failed)(void *context);
    /* About ten times a second, for a progress line; may be NULL. */
    void (*tick)(void *context, uint64_t bytes_read);
};

/*
 * Runs all tasks. 0 when each task has ended (well or not), 1 when *interrupted became non-zero and
 * the rest was left, -1 with error_text when no worker can be started or `failed` says so.
 */
int pool_run(const struct pool *pool, const struct pool_task *tasks, size_t count,
             const volatile int *interrupted);

/*
 * As pool_run, without waiting: the workers begin (jobs is not 0), and are heard while pools run
 * that name *out as `beside`. The tasks are borrowed until pool_end, which waits for the rest, or
 * pool_drop, which leaves it; both free it.
 */
int pool_begin(const struct pool *pool, const struct pool_task *tasks, size_t count,
               struct pool_beside **out);
int pool_end(struct pool_beside *beside, const volatile int *interrupted);
void pool_drop(struct pool_beside *beside);

#endif
