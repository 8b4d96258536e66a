/*
 * What tasks at work have given so far: kept when they end, forgotten when they are run again. What
 * is kept with a task in the case lets a run that is resumed count as one that never stopped.
 */
#include "triage/engine/session_parts.h"

#include "triage/base/error.h"
#include "triage/record/wire.h"

#include <assert.h>
#include <string.h>

enum { COUNTS = sizeof(struct session_counts) / sizeof(uint64_t) };

static_assert(sizeof(struct session_counts) % sizeof(uint64_t) == 0, "counts are numbers only");
static_assert(COUNTS <= 64, "a bit for each says which are not 0");

static void add_counts(struct session_counts *sum, const struct session_counts *more)
{
    uint64_t *numbers = (uint64_t *)sum;

    for (size_t i = 0; i < COUNTS; i++)
        numbers[i] += ((const uint64_t *)more)[i];
}

static uint64_t indicators_of(const struct session_counts *counts)
{
    uint64_t sum = 0;

    for (size_t i = 0; i <= LEVEL_CRITICAL; i++)
        sum += counts->indicators[i];
    return sum;
}

static struct attempt *attempt_of(struct session *session, size_t task)
{
    for (size_t i = 0; i < session->attempt_count; i++)
        if (session->attempts[i].open && session->attempts[i].task == task)
            return &session->attempts[i];
    return NULL;
}

static struct attempt *begin(struct session *session, size_t task, const char *kind,
                             const char *name)
{
    for (size_t i = 0; i < session->attempt_count; i++) {
        struct attempt *attempt = &session->attempts[i];
        if (attempt->open)
            continue;
        const struct buffer key = attempt->key;
        *attempt = (struct attempt){.open = true, .task = task, .key = key};
        buffer_clear(&attempt->key);
        buffer_format(&attempt->key, "%s%s", kind, name);
        if (session->file)
            case_mark(session->file, &attempt->mark);
        return buffer_failed(&attempt->key) ? NULL : attempt;
    }
    return NULL;
}

int session_at_work(struct session *session, size_t task, const char *kind, const char *name)
{
    session->attempt = attempt_of(session, task);
    if (!session->attempt)
        session->attempt = begin(session, task, kind, name);
    return session->attempt ? 0 : session_stored(session, error_set("out of memory"));
}

void session_rest(struct session *session)
{
    session->attempt = NULL;
}

static void put_note(const struct attempt *attempt, struct buffer *out)
{
    const uint64_t *numbers = (const uint64_t *)&attempt->counts;
    uint64_t present = 0;

    for (size_t i = 0; i < COUNTS; i++)
        present |= (uint64_t)(numbers[i] != 0) << i;
    wire_put_u8(out, attempt->matched);
    wire_put_u64(out, present);
    for (size_t i = 0; i < COUNTS; i++)
        if (numbers[i])
            wire_put_u64(out, numbers[i]);
}

static void get_counts(struct cursor *in, struct session_counts *counts)
{
    const uint64_t present = wire_get_u64(in);

    for (size_t i = 0; i < COUNTS; i++)
        ((uint64_t *)counts)[i] = present >> i & 1 ? wire_get_u64(in) : 0;
}

static int store(struct session *session, const struct attempt *attempt)
{
    struct buffer note = BUFFER_EMPTY;

    put_note(attempt, &note);
    const struct case_task task = {.key = session_task_key(session), .note = buffer_slice(&note)};
    const int result =
        buffer_failed(&note) ? error_set("out of memory") : case_task_done(session->file, &task);
    buffer_release(&note);
    return session_stored(session, result);
}

void session_count(struct session *session)
{
    add_counts(&session->counts, &session->attempt->counts);
    session->attempt->open = false;
    session_rest(session);
}

int session_keep(struct session *session)
{
    const int result = session->file ? store(session, session->attempt) : 0;

    session_count(session);
    return result;
}

int session_forget(struct session *session)
{
    struct attempt *attempt = session->attempt;
    const int result =
        session->file ? case_forget(session->file, session_task_key(session), &attempt->mark) : 0;

    session->progress.indicators -= indicators_of(&attempt->counts);
    attempt->open = false;
    session_rest(session);
    return session_stored(session, result);
}

/* --- a run that is resumed --- */

struct recalling {
    struct session *session;
    const char *kind;
    int (*visit)(struct session *session, const char *name, bool matched);
};

/* Keys are "copy:ARTIFACT|...", or "ARTIFACT|..." for what is read. */
static const char *name_in_key(const char *key, const char *kind)
{
    const size_t size = strlen(kind);

    if (size)
        return strncmp(key, kind, size) == 0 ? key + size : NULL;
    return key[strcspn(key, ":|")] == '|' ? key : NULL;
}

static int recall(void *context, const struct case_task *task)
{
    const struct recalling *recalling = context;
    struct session *session = recalling->session;
    const char *name = name_in_key(task->key, recalling->kind);
    struct cursor in = cursor_over(task->note, 0);
    struct session_counts counts;

    if (!name)
        return 0;
    const bool matched = wire_get_u8(&in) != 0;
    get_counts(&in, &counts);
    if (cursor_failed(&in))
        return error_set("the interrupted case has a malformed task");
    add_counts(&session->counts, &counts);
    session->progress.indicators += indicators_of(&counts);
    return recalling->visit ? recalling->visit(session, name, matched) : 0;
}

int session_recall(struct session *session, const char *kind,
                   int (*visit)(struct session *session, const char *name, bool matched))
{
    struct recalling recalling = {session, kind, visit};

    return case_each_task(session->file, recall, &recalling);
}
