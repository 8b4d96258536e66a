/* What the file systems' tables and journals say of the time around the indicators. */
#include "triage/engine/session_parts.h"

#include "triage/base/error.h"

#include <stdlib.h>

static int context_frame(void *context, size_t task, uint8_t type, struct slice body)
{
    struct session *session = context;
    struct wanted *wanted = &session->wanted[session->order[task]];
    struct cursor in = cursor_over(body, 0);

    if (session_at_work(session, task, "context:", wanted->key) < 0)
        return -1;
    arena_reset(session->frame_arena);
    switch (type) {
    case RESULT_CONTEXT:
        return session_take_context(session, wanted, &in);
    case RESULT_NOTICE:
        return session_take_notice(session, wanted, &in);
    case RESULT_DAMAGE:
        return session_take_damage(session, wanted->file.evidence, &in);
    default:
        return error_set("a result of unknown kind %u", type);
    }
}

static void context_ended(void *context, size_t task, const char *problem)
{
    struct session *session = context;
    const struct wanted *wanted = &session->wanted[session->order[task]];

    session->progress.tasks_done++;
    session->progress.current = wanted->windows_path;
    if (session_at_work(session, task, "context:", wanted->key) < 0)
        return;
    if (problem)
        session_add_note(session, true, wanted->file.evidence, wanted, "", 0, problem);
    session_keep(session);
}

static void context_again(void *context, size_t task, const char *problem)
{
    struct session *session = context;
    const struct wanted *wanted = &session->wanted[session->order[task]];

    (void)problem;
    if (session_at_work(session, task, "context:", wanted->key) == 0)
        session_forget(session);
}

static bool is_done(struct session *session, const struct wanted *wanted)
{
    buffer_clear(&session->text);
    buffer_format(&session->text, "context:%s", wanted->key);
    return case_task_is_done(session->file, buffer_text(&session->text));
}

/* The case has true time, the evidence that of its clock. */
static int add_window(void *context, int64_t timestamp)
{
    struct session *session = context;
    const int64_t us = timestamp + session->options.clock_skew * 1000000;
    const int64_t seconds = us / 1000000;

    return time_windows_add(&session->windows,
                            instant_from_unix(seconds, (us - seconds * 1000000) * 1000));
}

int session_context(struct session *session, struct case_file *file)
{
    size_t count = 0;

    session->file = file;
    session->windows.reach = session->options.context_minutes * 60 * TICKS_PER_SECOND;
    if (case_each_time(file, add_window, session) < 0 ||
        session_recall(session, "context:", NULL) < 0)
        return -1;
    free(session->order);
    session->order = calloc(session->wanted_count + 1, sizeof *session->order);
    if (!session->order)
        return error_set("out of memory");
    for (size_t i = 0; i < session->wanted_count && session->windows.count; i++)
        if (session_artifact(session->wanted[i].artifact)->context &&
            !is_done(session, &session->wanted[i]))
            session->order[count++] = i;
    session->setup.windows = &session->windows;
    struct pool pool = session_pool(session, STAGE_CONTEXT, count);
    pool.frame = context_frame;
    pool.again = context_again;
    pool.ended = context_ended;
    const int result = session_run_tasks(session, &pool, count, TASK_CONTEXT);
    session_rest(session);
    return result;
}
