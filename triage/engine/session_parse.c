/* Reading and matching: each wanted file is a task, and what is found belongs to it. */
#include "triage/engine/session_parts.h"

#include "triage/base/error.h"
#include "triage/engine/correlate.h"
#include "triage/engine/mailbox_store.h"
#include "triage/record/wire.h"

#include <stdlib.h>
#include <string.h>

/* --- correlations --- */

static const char *path_of_key(void *context, const char *key)
{
    const struct wanted *wanted = session_find_key(context, key);

    return wanted ? wanted->windows_path : NULL;
}

static int correlation_found(void *context, size_t rule, const char *source,
                             const struct event *found, const char *sha256, bool raw_cut)
{
    struct session *session = context;
    struct wanted *wanted = session_find_key(session, source);
    struct event event = *found;

    if (!wanted)
        return error_set("a correlated event of an unknown file");
    arena_reset(session->frame_arena);
    event.file = &wanted->file;
    return session_add_indicator(session, wanted, &event, (uint32_t)rule, "", sha256, raw_cut);
}

static int correlation_notice(void *context, const char *text)
{
    return session_add_note(context, false, 0, NULL, "", 0, text);
}

static struct correlate correlate_of(struct session *session)
{
    return (struct correlate){
        .rules = session->options.rules,
        .file = session->file,
        .context = session,
        .path = path_of_key,
        .found = correlation_found,
        .notice = correlation_notice,
    };
}

static int take_correlated(struct session *session, const struct wanted *wanted, struct cursor *in)
{
    const struct correlate correlate = correlate_of(session);
    const uint32_t rule = wire_get_u32(in);
    const char *sha256 = wire_get_text(in, session->frame_arena);
    const bool raw_cut = wire_get_u8(in) != 0;
    struct event event = {.file = &wanted->file};

    if (cursor_failed(in) || !sha256 || rule >= rule_set_count(session->options.rules))
        return error_set("a malformed correlated event");
    if (session_get_event(session, wanted, in, &event) < 0)
        return -1;
    return session_stored(session,
                          correlate_keep(&correlate, wanted->key, rule, &event, sha256, raw_cut));
}

static int evaluate_correlations(struct session *session)
{
    const struct correlate correlate = correlate_of(session);

    return session->options.rules ? correlate_run(&correlate) : 0;
}

/* --- parsing --- */

static int parse_frame(void *context, size_t task, uint8_t type, struct slice body)
{
    struct session *session = context;
    struct wanted *wanted = &session->wanted[session->order[task]];
    struct cursor in = cursor_over(body, 0);

    if (session_at_work(session, task, "", wanted->key) < 0)
        return -1;
    arena_reset(session->frame_arena);
    if (session_count_result(wanted, type) < 0)
        return -1;
    switch (type) {
    case RESULT_INDICATOR:
        return session_take_indicator(session, wanted, &in);
    case RESULT_FACT:
        return session_take_fact(session, wanted, &in);
    case RESULT_CORRELATED:
        return take_correlated(session, wanted, &in);
    case RESULT_TALLY:
        return session_take_tally(session, wanted, &in);
    case RESULT_REJECTED:
        return session_take_rejected(session, wanted, &in);
    case RESULT_DIGESTS:
        return session_take_stored(session, wanted, &in, "", false);
    case RESULT_NOTICE:
        return session_take_notice(session, wanted, &in);
    case RESULT_UNREAD:
        return session_take_unread(session, wanted->file.evidence, wanted, &in);
    case RESULT_DAMAGE:
        return session_take_damage(session, wanted->file.evidence, &in);
    default:
        return error_set("a result of unknown kind %u", type);
    }
}

static void parse_again(void *context, size_t task, const char *problem)
{
    struct session *session = context;
    struct wanted *wanted = &session->wanted[session->order[task]];

    wanted->notices = wanted->facts = wanted->rejected = wanted->tallies = wanted->unread = 0;
    buffer_clear(&session->text);
    buffer_format(&session->text, "%s is read again: %s", wanted->windows_path, problem);
    session_tell(session, buffer_text(&session->text));
    if (session_at_work(session, task, "", wanted->key) < 0)
        return;
    session_keep_early(session, wanted, false);
    session_forget(session);
}

static void parse_ended(void *context, size_t task, const char *problem)
{
    struct session *session = context;
    struct wanted *wanted = &session->wanted[session->order[task]];

    session->progress.tasks_done++;
    session->progress.current = wanted->windows_path;
    if (session_at_work(session, task, "", wanted->key) < 0)
        return;
    session_tell_trail(session,
                       is_mailbox_store(wanted->file.path) ? "listed, not opened:" : "opened",
                       wanted, "");
    if (problem) {
        session_add_note(session, true, wanted->file.evidence, wanted, "", 0, problem);
        buffer_clear(&session->text);
        buffer_format(&session->text, "%s was not read in full: %s", wanted->windows_path, problem);
        session_tell(session, buffer_text(&session->text));
    }
    wanted->matched |= session->attempt->matched;
    session_keep_early(session, wanted, problem == NULL);
    session_keep(session);
}

static int mark_matched(struct session *session, const char *name, bool matched)
{
    struct wanted *wanted = session_find_key(session, name);

    if (wanted)
        wanted->matched |= matched;
    return 0;
}

int session_parse(struct session *session, struct case_file *file)
{
    size_t count = 0;

    session->file = file;
    if (session_recall_damage(session) < 0 || session_recall(session, "", mark_matched) < 0)
        return -1;
    free(session->order);
    session->order = calloc(session->wanted_count + 1, sizeof *session->order);
    if (!session->order)
        return error_set("out of memory");
    for (size_t i = 0; i < session->wanted_count; i++)
        if (!case_task_is_done(file, session->wanted[i].key))
            session->order[count++] = i;
    struct pool pool = session_pool(session, STAGE_PARSE, count);
    pool.frame = parse_frame;
    pool.again = parse_again;
    pool.ended = parse_ended;
    session_begin_early(session, &pool);
    const int result = session_run_tasks(session, &pool, count, TASK_PARSE);
    session->setup.output = 0;
    session_rest(session);
    if (result)
        session_end_early(session);
    /* What was just read may have given indicators that context was not sought around. */
    if (count && case_forget_kind(file, "context:") < 0)
        return -1;
    return result == 0 ? evaluate_correlations(session) : result;
}
