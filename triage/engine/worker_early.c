/*
 * The copy of a file is made while it is parsed, from the moment on when it is known that there
 * will be one: its bytes are at hand, and need not be read, inflated and hashed once more. What is
 * not as it should be (damage, holes, a full disk) is left to the task that copies.
 */
#include "triage/engine/worker_parts.h"

#include "triage/base/error.h"
#include "triage/engine/plan.h"

/* Nothing but its bytes and hashes is to be told of the copy. */
static bool is_simple(struct running *running)
{
    return running->job.size <= COPIED_EARLY_MOST && !running->worker->setup->no_hash &&
           !stream_lost(running->stream) && running_holes(running) == 0;
}

static bool is_wanted(struct running *running)
{
    struct early *early = &running->early;

    if (early->begun)
        return !early->over;
    if (!running->job.artifact ||
        !plan_copies(running->job.artifact, running->job.file->path, running->matched))
        return false;
    early->begun = true;
    early->over = outbox_blank(running->outbox) < 0 || !is_simple(running) ||
                  (!running->digested && !(early->hasher = hasher_new(HASH_ALL)));
    return !early->over;
}

static int take(struct running *running, struct slice bytes)
{
    struct early *early = &running->early;

    if (stream_damaged(running->stream))
        return error_set("the file is damaged");
    if (early->hasher)
        hasher_add(early->hasher, bytes);
    early->at += bytes.size;
    return copy_write(outbox_blank(running->outbox), bytes);
}

/* What was read before it was known that it matters, or was not read at all. */
static int catch_up(struct running *running, uint64_t end)
{
    struct early *early = &running->early;
    uint8_t *window =
        early->at < end ? buffer_reserve(&running->worker->copied, COPY_WINDOW) : NULL;

    while (early->at < end) {
        const uint64_t left = end - early->at;
        const ssize_t got =
            window ? stream_read(running->stream, early->at, window,
                                 left < COPY_WINDOW ? (size_t)left : (size_t)COPY_WINDOW)
                   : -1;
        if (got <= 0 || take(running, slice_of(window, (size_t)got)) < 0)
            return -1;
        outbox_progress(running->outbox, 0);
    }
    return 0;
}

static void give_up(struct running *running)
{
    outbox_spoilt(running->outbox);
    running->early.over = true;
}

/* What the artifact has passed over waits for the end: damage that is met on the way to a copy must
 * not mark what the artifact says. */
void running_early_follow(struct running *running, uint64_t offset, struct slice bytes)
{
    struct early *early = &running->early;

    if (offset > early->passed)
        return;
    if (offset + bytes.size > early->passed)
        early->passed = offset + bytes.size;
    if (!is_wanted(running))
        return;
    if (catch_up(running, offset) < 0 ||
        (early->at - offset < bytes.size &&
         take(running, slice_from(bytes, (size_t)(early->at - offset))) < 0))
        give_up(running);
}

static int take_rest(struct running *running)
{
    if (running->loaded)
        return running->worker->content.size == running->job.size
                   ? take(running, slice_from(buffer_slice(&running->worker->content),
                                              (size_t)running->early.at))
                   : error_set("the file is cut short");
    return catch_up(running, running->job.size);
}

static void tell(struct running *running)
{
    const struct early *early = &running->early;
    const struct digests digests = early->hasher ? hasher_finish(early->hasher) : running->digests;

    running_put_copied(running, early->at, &digests);
    if (buffer_failed(&running->worker->frame))
        give_up(running);
    else
        outbox_filled(running->outbox, buffer_slice(&running->worker->frame));
}

void running_early_finish(struct running *running)
{
    if (is_wanted(running)) {
        if (take_rest(running) < 0 || stream_damaged(running->stream) ||
            copy_check(outbox_blank(running->outbox)) < 0)
            give_up(running);
        else
            tell(running);
    }
    hasher_free(running->early.hasher);
    running->early.hasher = NULL;
}
