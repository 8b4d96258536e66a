/* What a worker says to its parent; worker.h lists all results. */
#include "triage/engine/worker_parts.h"

#include "triage/record/wire.h"

#include <unistd.h>

struct buffer *worker_frame(struct worker *worker)
{
    buffer_clear(&worker->frame);
    return &worker->frame;
}

void worker_send(struct worker *worker, struct outbox *outbox, enum result_kind kind)
{
    if (buffer_failed(&worker->frame))
        _exit(1); /* out of memory: the parent notes the task */
    outbox_send(outbox, (uint8_t)kind, buffer_slice(&worker->frame));
}

void worker_send_unread(struct worker *worker, struct outbox *outbox, const char *path,
                        const char *why)
{
    struct buffer *out = worker_frame(worker);

    wire_put_text(out, path);
    wire_put_text(out, why);
    worker_send(worker, outbox, RESULT_UNREAD);
}

void worker_send_notice(struct worker *worker, struct outbox *outbox, uint64_t offset,
                        const char *text)
{
    struct buffer *out = worker_frame(worker);

    wire_put_u64(out, offset);
    wire_put_text(out, text);
    worker_send(worker, outbox, RESULT_NOTICE);
}

/* Damage of the medium that came up since this worker last told. */
void worker_send_damage(struct worker *worker, struct outbox *outbox, uint32_t index)
{
    size_t count;
    const struct damage *damage = evidence_damage(worker->evidence[index], &count);
    uint64_t bytes = 0;

    for (size_t i = 0; i < count; i++)
        bytes += damage[i].size;
    if (bytes == worker->damage_told[index])
        return;
    worker->damage_told[index] = bytes;
    for (size_t i = 0; i < count; i++) {
        struct buffer *out = worker_frame(worker);
        wire_put_u64(out, damage[i].offset);
        wire_put_u64(out, damage[i].size);
        wire_put_text(out, damage[i].why);
        worker_send(worker, outbox, RESULT_DAMAGE);
    }
}

void worker_put_tally(struct buffer *out, const struct tally *tally, uint64_t bytes, bool damaged)
{
    wire_put_u64(out, bytes);
    wire_put_u64(out, tally->records);
    wire_put_u64(out, tally->used);
    wire_put_u64(out, tally->repaired);
    wire_put_u64(out, tally->rejected);
    wire_put_u64(out, tally->backward);
    wire_put_u8(out, tally->continuous);
    wire_put_u64(out, tally->gaps);
    wire_put_u64(out, tally->missing);
    wire_put_u64(out, tally->notices_left);
    wire_put_u64(out, tally->facts_left);
    wire_put_u64(out, tally->rejected_left);
    wire_put_u64(out, (uint64_t)tally->first.ticks);
    wire_put_u64(out, (uint64_t)tally->last.ticks);
    wire_put_u8(out, damaged);
    wire_put_u32(out, (uint32_t)tally->day_count);
    for (size_t i = 0; i < tally->day_count; i++)
        wire_put_u32(out, tally->days[i]);
    for (size_t i = 0; i < tally->day_count; i++)
        wire_put_u32(out, tally->hours[i]);
}

void worker_put_indicator(struct buffer *out, const struct hit *hit, const struct event *event,
                          const char *sha256)
{
    wire_put_u32(out, (uint32_t)hit->rule);
    wire_put_text(out, hit->how);
    wire_put_text(out, hit->detail);
    wire_put_text(out, sha256);
    wire_put_u8(out, event->raw.size > RAW_CEILING);
    wire_put_event(out, event, RAW_CEILING);
}
