/* Ranges of the medium that cannot be trusted, as the workers meet them. */
#include "triage/engine/session_parts.h"

#include "triage/base/error.h"
#include "triage/record/wire.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DAMAGE_MOST = 100000 };

static uint64_t damage_end(const struct damage *range)
{
    return range->offset + range->size;
}

/* Index of the first range that a range from `offset` on, with that reason, may touch or must stand
 * before. */
static size_t damage_place(const struct item *item, uint64_t offset, const char *why)
{
    size_t low = 0, high = item->damage_count;

    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (damage_end(&item->damage[middle]) < offset)
            low = middle + 1;
        else
            high = middle;
    }
    while (low < item->damage_count && item->damage[low].offset < offset &&
           strcmp(item->damage[low].why, why) != 0)
        low++;
    return low;
}

static int insert_damage(struct session *session, struct item *item, size_t at, struct damage range)
{
    if (item->damage_count == item->damage_room) {
        const size_t room = item->damage_room ? 2 * item->damage_room : 16;
        struct damage *grown = realloc(item->damage, room * sizeof *grown);
        if (!grown)
            return error_set("out of memory");
        item->damage = grown;
        item->damage_room = room;
    }
    if (!(range.why = arena_text(session->arena, slice_of_text(range.why))))
        return -1;
    memmove(&item->damage[at + 1], &item->damage[at], (item->damage_count - at) * sizeof range);
    item->damage[at] = range;
    item->damage_count++;
    return 0;
}

static void tell_damage(struct session *session, size_t evidence, const struct damage *range)
{
    enum { TOLD = 50 };
    char text[300];

    if (session->items[evidence].damage_count > TOLD)
        return;
    if (session->items[evidence].damage_count == TOLD)
        snprintf(text, sizeof text, "%s: more damaged ranges are listed in coverage.json",
                 session_evidence_name(session, evidence));
    else
        snprintf(text, sizeof text,
                 "%s: bytes %" PRIu64 " to %" PRIu64 " of the medium cannot be trusted: %s",
                 session_evidence_name(session, evidence), range->offset, damage_end(range) - 1,
                 range->why);
    session_tell(session, text);
}

/* Over the ceiling a range is not lost: a neighbour takes it in, with what lies between. */
static void widen_damage(struct damage *known, const struct damage *range)
{
    const uint64_t start = known->offset < range->offset ? known->offset : range->offset;
    const uint64_t stop =
        damage_end(known) > damage_end(range) ? damage_end(known) : damage_end(range);

    known->offset = start;
    known->size = stop - start;
}

/* Ranges are kept in their order and joined, so that it does not matter which worker met them
 * first. */
int session_add_damage(struct session *session, size_t evidence, uint64_t offset, uint64_t size,
                       const char *why)
{
    struct item *item = &session->items[evidence];
    struct damage range = {offset, size, why};

    if (size > UINT64_MAX - offset)
        return error_set("a malformed damage report");
    const size_t at = damage_place(item, offset, why);
    size_t end = at;
    for (; end < item->damage_count && item->damage[end].offset <= damage_end(&range) &&
           strcmp(item->damage[end].why, why) == 0;
         end++) {
        const struct damage *known = &item->damage[end];
        const uint64_t stop =
            damage_end(known) > damage_end(&range) ? damage_end(known) : damage_end(&range);
        range.offset = known->offset < range.offset ? known->offset : range.offset;
        range.size = stop - range.offset;
        range.why = known->why;
    }
    if (end == at && item->damage_count >= DAMAGE_MOST) {
        widen_damage(&item->damage[at ? at - 1 : 0], &range);
        return 0;
    }
    if (end == at) {
        tell_damage(session, evidence, &range);
        return insert_damage(session, item, at, range);
    }
    item->damage[at] = range;
    memmove(&item->damage[at + 1], &item->damage[end], (item->damage_count - end) * sizeof range);
    item->damage_count -= end - at - 1;
    return 0;
}

static int store(struct session *session, size_t evidence, uint64_t offset, uint64_t size,
                 const char *why)
{
    const struct case_damage row = {(int64_t)evidence, (int64_t)offset, (int64_t)size, why};

    return session->file ? session_stored(session, case_add_damage(session->file,
                                                                   session_task_key(session), &row))
                         : 0;
}

static int recall(void *context, const struct case_damage *row)
{
    struct session *session = context;

    if (row->item < 0 || (uint64_t)row->item >= session->options.evidence_count)
        return error_set("the interrupted case has malformed damage");
    return session_add_damage(session, (size_t)row->item, (uint64_t)row->offset,
                              (uint64_t)row->size, row->why);
}

int session_recall_damage(struct session *session)
{
    return case_each_damage(session->file, recall, session);
}

int session_take_damage(struct session *session, size_t evidence, struct cursor *in)
{
    const uint64_t offset = wire_get_u64(in), size = wire_get_u64(in);
    const char *why = wire_get_text(in, session->frame_arena);

    if (cursor_failed(in) || !why || size == 0)
        return error_set("a malformed damage report");
    return store(session, evidence, offset, size, why) < 0
               ? -1
               : session_add_damage(session, evidence, offset, size, why);
}
