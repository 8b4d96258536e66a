/* What the two sides of the pool share; for triage/engine/pool*.c only. */
#ifndef TRIAGE_ENGINE_POOL_PARTS_H
#define TRIAGE_ENGINE_POOL_PARTS_H

#include "triage/engine/pool.h"

#include <sys/types.h>
#include <time.h>

enum {
    FRAME_END = 0,        /* the task is done */
    FRAME_PROGRESS = 255, /* body: u64 bytes */
    FRAME_CEILING = 16 << 20,
    BATCH_TASKS = 32, /* tasks handed over at once */
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

/* The worker's side, from its start to its end, which is that of `parent` at the latest. */
_Noreturn void pool_worker(const struct pool *pool, int socket, pid_t parent);
int64_t pool_milliseconds_since(const struct timespec *then);

#endif
