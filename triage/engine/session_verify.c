/* Whole images against the hashes that are stored in them. */
#include "triage/engine/session_parts.h"

#include "triage/base/error.h"
#include "triage/record/wire.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { VERIFY_TIMEOUT = 600 };

static void *start_verifier(void *context)
{
    const struct session *session = context;
    void *worker = worker_start_verifier(&session->setup);

    if (worker && session->options.jobs > 0 && worker_lock_down_verifier(worker) < 0) {
        worker_stop(worker);
        return NULL;
    }
    return worker;
}

static int take_verified(struct session *session, size_t evidence, struct cursor *in)
{
    struct verified *verified = &session->items[evidence].verified;
    struct verification *result = &verified->result;
    struct {
        char *text;
        size_t size;
    } texts[] = {
        {result->computed.md5, sizeof result->computed.md5},
        {result->computed.sha1, sizeof result->computed.sha1},
        {result->computed.sha256, sizeof result->computed.sha256},
        {result->stored_md5, sizeof result->stored_md5},
        {result->stored_sha1, sizeof result->stored_sha1},
    };

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        const char *read = wire_get_text(in, session->frame_arena);
        snprintf(texts[i].text, texts[i].size, "%s", read ? read : "");
    }
    result->hash_differs = wire_get_u8(in) != 0;
    result->bytes = wire_get_u64(in);
    result->chunks = wire_get_u64(in);
    result->bad_chunks = wire_get_u64(in);
    if (cursor_failed(in))
        return error_set("a malformed verification");
    verified->done = true;
    return 0;
}

static int verify_failed(struct session *session, size_t evidence, const char *why)
{
    return session_stored(session, error_set("'%s' cannot be verified: %s",
                                             session->options.evidence[evidence], why));
}

/* Names the task, and the document with its result: a run that is resumed does not verify again. */
static const char *name_of(size_t evidence, char text[24])
{
    snprintf(text, 24, "%zu", evidence);
    return text;
}

static void document_of(size_t evidence, char text[64])
{
    snprintf(text, 64, CASE_RUN_DOCUMENT ": verified %zu", evidence);
}

static int keep_verified(struct session *session, size_t evidence, struct slice body)
{
    struct cursor in = cursor_over(body, 0);
    char document[64];

    document_of(evidence, document);
    if (take_verified(session, evidence, &in) < 0)
        return -1;
    return session->file ? session_stored(session, case_set_document(session->file, document, body))
                         : 0;
}

/* False when it has to be done (again). */
static bool recall_verified(struct session *session, size_t evidence)
{
    struct buffer body = BUFFER_EMPTY, key = BUFFER_EMPTY;
    char document[64];
    bool done = false;

    document_of(evidence, document);
    buffer_format(&key, "verify:%zu", evidence);
    if (session->file && case_task_is_done(session->file, buffer_text(&key)) &&
        case_document(session->file, document, &body)) {
        struct cursor in = cursor_over(buffer_slice(&body), 0);
        arena_reset(session->frame_arena);
        done = take_verified(session, evidence, &in) == 0;
    }
    buffer_release(&body);
    buffer_release(&key);
    return done;
}

static void point_of(size_t evidence, char text[64])
{
    snprintf(text, 64, CASE_RUN_DOCUMENT ": verifying %zu", evidence);
}

/* Written to the disk at once: they are a GiB apart. */
static int keep_point(struct session *session, size_t task, struct cursor *in)
{
    struct buffer *point = &session->verifying.points[task];
    const struct slice bytes = wire_get_slice(in);
    char document[64];

    if (cursor_failed(in))
        return error_set("a malformed point of verification");
    buffer_clear(point);
    buffer_add(point, bytes);
    point_of(session->verifying.items[task], document);
    if (!session->file)
        return 0;
    return session_stored(session, case_set_document(session->file, document, bytes) < 0
                                       ? -1
                                       : case_flush(session->file));
}

/* Apart from the tasks of all stages that go on meanwhile. */
static size_t task_of(size_t evidence)
{
    return SIZE_MAX - evidence;
}

static int verify_frame(void *context, size_t task, uint8_t type, struct slice body)
{
    struct session *session = context;
    const size_t evidence = session->verifying.items[task];
    struct cursor in = cursor_over(body, 0);
    char name[24];

    if (session_at_work(session, task_of(evidence), "verify:", name_of(evidence, name)) < 0)
        return -1;
    arena_reset(session->frame_arena);
    switch (type) {
    case RESULT_VERIFY_PROGRESS:
        wire_get_u64(&in);
        if (session->progress.stage == STAGE_VERIFY)
            session->progress.bytes_all = wire_get_u64(&in);
        return 0;
    case RESULT_VERIFY_POINT:
        return keep_point(session, task, &in);
    case RESULT_DAMAGE:
        return session_take_damage(session, evidence, &in);
    case RESULT_VERIFIED:
        return keep_verified(session, evidence, body);
    case RESULT_UNREAD: {
        wire_get_text(&in, session->frame_arena);
        const char *why = wire_get_text(&in, session->frame_arena);
        verify_failed(session, evidence, why ? why : "");
        return 0;
    }
    default:
        return error_set("a result of unknown kind %u", type);
    }
}

static void verify_ended(void *context, size_t task, const char *problem)
{
    struct session *session = context;

    const size_t evidence = session->verifying.items[task];
    char name[24];

    session->progress.tasks_done += session->progress.stage == STAGE_VERIFY;
    if (problem)
        verify_failed(session, evidence, problem);
    else if (session_at_work(session, task_of(evidence), "verify:", name_of(evidence, name)) == 0)
        session_keep(session);
}

static void make_body(struct session *session, size_t task)
{
    struct verifying *verifying = &session->verifying;

    buffer_clear(&verifying->bodies[task]);
    task_put_verify(&verifying->bodies[task], (uint32_t)verifying->items[task],
                    buffer_slice(&verifying->points[task]));
    verifying->tasks[task].body = buffer_slice(&verifying->bodies[task]);
}

static void verify_again(void *context, size_t task, const char *problem)
{
    struct session *session = context;
    const size_t evidence = session->verifying.items[task];
    char name[24];

    buffer_clear(&session->text);
    buffer_format(&session->text, "verifying %s: %s",
                  session->verifying.points[task].size ? "goes on from the last point"
                                                       : "begins again",
                  problem);
    session_tell(session, buffer_text(&session->text));
    if (session_at_work(session, task_of(evidence), "verify:", name_of(evidence, name)) == 0)
        session_forget(session);
    make_body(session, task);
}

/* A folder has no container: there is nothing to compare. Before a survey nothing is known, so all
 * are tried. */
static void choose_images(struct session *session)
{
    struct verifying *verifying = &session->verifying;

    for (size_t i = 0; i < session->options.evidence_count; i++) {
        const struct inventory *inventory = &session->items[i].inventory;
        if (recall_verified(session, i))
            continue;
        if (!inventory->path || inventory->shape == EVIDENCE_IMAGE)
            verifying->items[verifying->count++] = i;
        else
            session_tell(session,
                         "a folder or a single file stores no hash: there is nothing to verify");
    }
}

/* Chooses and makes the tasks, once. */
static int plan_verifying(struct session *session)
{
    struct verifying *verifying = &session->verifying;
    const size_t most = session->options.evidence_count;

    if (verifying->tasks)
        return 0;
    verifying->tasks = calloc(most + 1, sizeof *verifying->tasks);
    verifying->bodies = calloc(most + 1, sizeof *verifying->bodies);
    verifying->points = calloc(most + 1, sizeof *verifying->points);
    verifying->items = calloc(most + 1, sizeof *verifying->items);
    if (!verifying->tasks || !verifying->bodies || !verifying->points || !verifying->items)
        return error_set("out of memory");
    choose_images(session);
    for (size_t i = 0; i < verifying->count; i++) {
        char document[64];
        point_of(verifying->items[i], document);
        if (session->file)
            case_document(session->file, document, &verifying->points[i]);
        make_body(session, i);
        if (buffer_failed(&verifying->bodies[i]))
            return error_set("out of memory");
    }
    return 0;
}

static struct pool pool_of(struct session *session)
{
    struct pool pool = session_pool(session, STAGE_VERIFY, session->verifying.count);

    pool.beside = NULL;
    pool.jobs = pool.jobs ? 1 : 0;
    pool.timeout_seconds = VERIFY_TIMEOUT;
    pool.start = start_verifier;
    pool.frame = verify_frame;
    pool.again = verify_again;
    pool.ended = verify_ended;
    return pool;
}

int session_verify_begin(struct session *session)
{
    struct verifying *verifying = &session->verifying;

    if (plan_verifying(session) < 0)
        return -1;
    if (!session->options.jobs || !verifying->count)
        return 0;
    const struct pool pool = pool_of(session);
    return pool_begin(&pool, verifying->tasks, verifying->count, &verifying->beside);
}

int session_verify(struct session *session)
{
    struct verifying *verifying = &session->verifying;

    if (plan_verifying(session) < 0)
        return -1;
    const struct pool pool = pool_of(session);
    struct pool_beside *beside = verifying->beside;
    verifying->beside = NULL;
    const int result =
        beside ? pool_end(beside, session->options.interrupted)
               : pool_run(&pool, verifying->tasks, verifying->count, session->options.interrupted);
    session_rest(session);
    return result == 0 ? pool.failed(session) : result;
}

void session_stop_verifying(struct session *session)
{
    struct verifying *verifying = &session->verifying;

    pool_drop(verifying->beside);
    for (size_t i = 0; verifying->bodies && verifying->points && i < verifying->count; i++) {
        buffer_release(&verifying->bodies[i]);
        buffer_release(&verifying->points[i]);
    }
    free(verifying->tasks);
    free(verifying->bodies);
    free(verifying->points);
    free(verifying->items);
    *verifying = (struct verifying){0};
}
