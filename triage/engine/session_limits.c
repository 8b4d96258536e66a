/* Far more than any honest file has needed: a worker that was taken over must not fill the disk,
 * run for ever or tell of other files. */
#include "triage/engine/session_parts.h"

#include "triage/base/error.h"
#include "triage/record/wire.h"

enum {
    LEAST_BYTES = 64 << 20, /* of results */
    BYTES_PER_BYTE = 512,
    LEAST_SECONDS = 3600,
    BYTES_PER_SECOND = 100000,
    SURVEY_SECONDS = 12 * 3600,
    MOST_UNREAD = 10, /* reasons why a file was not read in full */
    GROWTH = 1 << 30, /* of a live folder's file since it was listed, or of packed content */
};

static uint64_t add(uint64_t a, uint64_t b)
{
    return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

void session_limit_survey(struct pool_task *task)
{
    task->most_bytes = UINT64_C(4) << 30;
    task->most_seconds = SURVEY_SECONDS;
}

void session_limit_task(struct session *session, struct pool_task *task)
{
    const uint64_t weight = task->weight;

    task->most_seconds = LEAST_SECONDS + weight / BYTES_PER_SECOND;
    task->most_bytes = weight > UINT64_MAX / BYTES_PER_BYTE
                           ? UINT64_MAX
                           : add(LEAST_BYTES, BYTES_PER_BYTE * weight);
    if (task->output && add(weight, GROWTH) > session->setup.output)
        session->setup.output = add(weight, GROWTH);
}

bool session_is_known_volume(const struct inventory *inventory, const struct file *file)
{
    if (file->volume >= inventory->volume_count)
        return false;
    const struct volume *volume = &inventory->volumes[file->volume];
    for (size_t i = 0; i < volume->snapshot_count; i++)
        if (volume->snapshots[i].number == file->snapshot)
            return true;
    return file->snapshot == 0;
}

int session_count_result(struct wanted *wanted, uint8_t type)
{
    if ((type == RESULT_NOTICE && ++wanted->notices > 2 * MOST_NOTICES) ||
        (type == RESULT_FACT && ++wanted->facts > MOST_FACTS) ||
        (type == RESULT_REJECTED && ++wanted->rejected > MOST_REJECTED) ||
        (type == RESULT_UNREAD && ++wanted->unread > MOST_UNREAD) ||
        (type == RESULT_TALLY && ++wanted->tallies > 1))
        return error_set("more results of one kind than a file can have");
    return 0;
}

int session_get_event(struct session *session, const struct wanted *wanted, struct cursor *in,
                      struct event *event)
{
    if (wire_get_event(in, session->frame_arena, event) < 0)
        return -1;
    return event->offset > INT64_MAX || event->offset > add(wanted->file.size, GROWTH)
               ? error_set("an event from behind the end of its file")
               : 0;
}
