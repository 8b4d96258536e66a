/* What the two sides of the pool share; for triage/engine/pool*.c only. */
#ifndef TRIAGE_ENGINE_POOL_PARTS_H
#define TRIAGE_ENGINE_POOL_PARTS_H

#include "triage/engine/pool.h"

#include <sys/types.h>
#include <time.h>

enum {
    FRAME_END = 0,        /* the task is done */
    FRAME_PROGRESS = 255, /* body: u64 bytes */
    FRAME_FILLED = 254,   /* body: u8 slot of the blank, what is to be told of it */
    FRAME_SPOILT = 253,   /* body: u8 slot */
    FRAME_CEILING = 16 << 20,
    BATCH_TASKS = 32,                    /* tasks handed over at once */
    BATCH_DESCRIPTORS = 2 * BATCH_TASKS, /* outputs of the tasks, then blanks */
    BLANK_PATH_SIZE = 4096,
    TICK_MS = 100,
};

struct outbox {
    int socket; /* -1: frames go to the pool's callback directly */
    const struct pool *pool;
    struct buffer pending; /* frames not sent yet */
    size_t task;
    int output;
    int blanks[BATCH_TASKS]; /* descriptors by slot; 0: none until the next batch */
    uint64_t unreported, *read_here;
    struct timespec reported;
    bool broken; /* the callback refused a frame (only with jobs 0) */
};

/* The worker's side, from its start to its end, which is that of `parent` at the latest. */
_Noreturn void pool_worker(const struct pool *pool, int socket, pid_t parent);
int64_t pool_milliseconds_since(const struct timespec *then);

/* --- pool_files.c: files that the parent makes and workers write --- */

/* Numbers of the blanks that a worker has, by slot; 0 for an empty slot. Both sides fill the empty
 * slots from the lowest up. */
struct blanks {
    uint64_t numbers[BATCH_TASKS];
};

int pool_open_output(const char *path);
/* Whether no file can be made in that place any more, whatever its name. */
bool pool_is_place_lost(int reason);
/* The batch's size with the descriptors along, then its bytes. */
bool pool_send(int socket, struct slice batch, const int *descriptors, size_t count);
/* A new blank for each empty slot, while there is room for what may be written; its descriptor goes
 * behind the others. *made counts them. */
void pool_fill_blanks(const struct pool *pool, struct blanks *blanks, uint64_t *made,
                      int *descriptors, size_t *count);
/* The slot is empty from now on, and the path is what it held. False when it held nothing. */
bool pool_take_blank(const struct pool *pool, struct blanks *blanks, size_t slot,
                     char path[BLANK_PATH_SIZE]);
/* Removes what was not taken. */
void pool_drop_blanks(const struct pool *pool, struct blanks *blanks);

#endif
