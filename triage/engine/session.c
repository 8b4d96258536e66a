#include "triage/engine/session_parts.h"
#include "triage/match/matcher.h"

#include "triage/base/error.h"
#include "triage/record/wire.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FRAME_MEMORY = 64 << 20 };
/* The list of wanted files above all; a worker leaves out what would not fit. */
static const size_t SESSION_MEMORY = (size_t)4 << 30;

void session_tell(struct session *session, const char *text)
{
    if (session->options.notice)
        session->options.notice(session->options.context, text);
}

/* Without the table Exchange is named by its build number alone, which a notice says. */
static void load_builds(struct session *session)
{
    char path[4096];

    if (!session->options.rules_folder || !*session->options.rules_folder)
        return;
    snprintf(path, sizeof path, "%s/exchange_builds.tsv", session->options.rules_folder);
    if (exchange_builds_load(path, session->arena, &session->builds) < 0)
        session_tell(session, error_text());
}

int session_new(const struct session_options *options, struct session **out)
{
    struct session *session = calloc(1, sizeof *session);
    const size_t count = options->evidence_count;

    if (!session)
        return error_set("out of memory");
    session->options = *options;
    session->hosts = calloc(count + 1, sizeof *session->hosts);
    session->items = calloc(count + 1, sizeof *session->items);
    session->attempt_count = (options->jobs ? options->jobs : 1) + 1;
    session->attempts = calloc(session->attempt_count, sizeof *session->attempts);
    session->arena = arena_new(SESSION_MEMORY);
    session->frame_arena = arena_new(FRAME_MEMORY);
    if (!session->hosts || !session->items || !session->attempts || !session->arena ||
        !session->frame_arena) {
        session_free(session);
        return error_set("out of memory");
    }
    session->progress.current = "";
    session->setup = (struct worker_setup){
        .evidence = options->evidence,
        .evidence_count = count,
        .rules = options->rules,
        .hosts = session->hosts,
        .globs = options->globs,
        .all_streams = options->take_deleted,
        .no_hash = options->no_hash,
        .snapshots = options->snapshots,
        .keys = options->keys,
        .survey_only = options->survey_only,
        .carve = options->carve,
        .known = options->known,
        .only = options->only,
        .scan_all = options->scan_all,
    };
    for (size_t i = 0; i < count; i++)
        session_describe_unsurveyed(session, i);
    load_builds(session);
    *out = session;
    return 0;
}

void session_free(struct session *session)
{
    if (!session)
        return;
    session_stop_verifying(session);
    session_end_early(session);
    for (size_t i = 0; session->items && i < session->options.evidence_count; i++)
        free(session->items[i].damage);
    free(session->items);
    for (size_t i = 0; session->attempts && i < session->attempt_count; i++)
        buffer_release(&session->attempts[i].key);
    free(session->attempts);
    free(session->failure_text);
    free(session->hosts);
    time_windows_release(&session->windows);
    free(session->wanted);
    free(session->order);
    free(session->outputs);
    free(session->by_key);
    arena_free(session->arena);
    arena_free(session->frame_arena);
    buffer_release(&session->message);
    buffer_release(&session->fields);
    buffer_release(&session->text);
    free(session);
}

/* --- small things that all stages need --- */

const struct artifact *session_artifact(uint32_t number)
{
    size_t count;
    const struct artifact *const *all = artifact_all(&count);

    return number < count ? all[number] : NULL;
}

/* The file's name, or the whole path where another item has the same name. */
const char *session_evidence_name(const struct session *session, size_t index)
{
    const char *const *evidence = session->options.evidence;
    const char *name = evidence_name(evidence[index]);

    for (size_t i = 0; i < session->options.evidence_count; i++)
        if (i != index && strcmp(evidence_name(evidence[i]), name) == 0)
            return evidence[index];
    return name;
}

/* The case could not be written: remembered, so that the stage ends and says why. */
int session_stored(struct session *session, int result)
{
    if (result == 0 || session->failure)
        return result;
    session->failure = -1;
    session->failure_text = strdup(error_text());
    return result;
}

static int failed(void *context)
{
    const struct session *session = context;

    return session->failure
               ? error_set("%s", session->failure_text ? session->failure_text : "out of memory")
               : 0;
}

const char *session_task_key(const struct session *session)
{
    return session->attempt ? (const char *)session->attempt->key.data : "";
}

struct session_counts *session_counting(struct session *session)
{
    return session->attempt ? &session->attempt->counts : &session->counts;
}

int session_add_note(struct session *session, bool unread, size_t evidence,
                     const struct wanted *wanted, const char *path, uint64_t offset,
                     const char *text)
{
    const struct artifact *artifact = wanted ? session_artifact(wanted->artifact) : NULL;
    const struct case_note note = {
        .evidence = session_evidence_name(session, evidence),
        .volume = wanted ? wanted->file.volume : 0,
        .snapshot = wanted ? wanted->file.snapshot : 0,
        .path = wanted ? wanted->windows_path : path,
        .artifact = artifact ? artifact->name : "",
        .offset = (int64_t)offset,
        .text = text,
    };
    const char *key = session_task_key(session);

    if (unread)
        session_counting(session)->files_unread++;
    else
        session_counting(session)->notices++;
    if (!session->file)
        return 0;
    return session_stored(session, unread ? case_add_unread(session->file, key, &note)
                                          : case_add_notice(session->file, key, &note));
}

int session_note_rest(struct session *session, const char *why)
{
    session_stop_verifying(session);
    session_rest(session);
    return session_add_note(session, true, 0, NULL, "/", 0, why);
}

int session_take_unread(struct session *session, size_t evidence, const struct wanted *wanted,
                        struct cursor *in)
{
    const char *path = wire_get_text(in, session->frame_arena);
    const char *why = wire_get_text(in, session->frame_arena);

    if (cursor_failed(in) || !path || !why)
        return error_set("a malformed report");
    return session_add_note(session, true, evidence, wanted, path, 0, why);
}

static void report_progress(struct session *session)
{
    if (session->options.progress)
        session->options.progress(session->options.context, &session->progress);
}

static void tick(void *context, uint64_t bytes_read)
{
    struct session *session = context;

    session->progress.bytes_done = bytes_read;
    report_progress(session);
}

static void *start(void *context)
{
    const struct session *session = context;
    void *worker = worker_start(&session->setup);

    if (worker && session->options.jobs > 0 && worker_lock_down(worker) < 0) {
        worker_stop(worker);
        return NULL;
    }
    return worker;
}

struct pool session_pool(struct session *session, enum stage stage, size_t tasks)
{
    session->progress = (struct progress){
        .stage = stage,
        .tasks_all = tasks,
        .current = "",
        .indicators = session->progress.indicators,
    };
    return (struct pool){
        .beside = session->verifying.beside,
        .jobs = session->options.jobs,
        .timeout_seconds = session->options.timeout_seconds,
        .context = session,
        .start = start,
        .run = worker_run,
        .stop = worker_stop,
        .failed = failed,
        .tick = tick,
    };
}

/* Tells the workers of a stage which artifacts session->order asks for. */
static void name_artifacts(struct session *session, size_t count)
{
    session->setup.artifacts = 0;
    for (size_t i = 0; i < count; i++) {
        const uint32_t artifact = session->wanted[session->order[i]].artifact;
        session->setup.artifacts |= artifact < 64 ? UINT64_C(1) << artifact : 0;
    }
}

/* The prefilters of what is going to be parsed are made before the fork, so that all workers share
 * them; those of artifacts that this evidence does not have would cost a small run a third of its
 * time. */
static void make_prefilters(struct session *session)
{
    size_t count;
    const struct artifact *const *all = artifact_all(&count);

    for (size_t i = 0; session->setup.rules && i < count && i < 64; i++)
        if (session->setup.artifacts >> i & 1)
            rule_set_prefilter(session->setup.rules, all[i]->sources);
}

/* Makes the tasks of a stage from session->order. */
int session_run_tasks(struct session *session, struct pool *pool, size_t count, enum task_kind kind)
{
    struct pool_task *tasks = calloc(count + 1, sizeof *tasks);
    struct buffer bodies = BUFFER_EMPTY;
    size_t *starts = calloc(count + 1, sizeof *starts);
    int result = tasks && starts ? 0 : error_set("out of memory");

    name_artifacts(session, kind == TASK_COPY ? 0 : count);
    if (kind == TASK_PARSE)
        make_prefilters(session);
    for (size_t i = 0; i < count && result == 0; i++) {
        const struct wanted *wanted = &session->wanted[session->order[i]];
        starts[i] = bodies.size;
        if (kind == TASK_COPY)
            task_put_copy(&bodies, &wanted->file);
        else if (kind == TASK_CONTEXT)
            task_put_context(&bodies, wanted->artifact, &wanted->file);
        else
            task_put_parse(&bodies, wanted->artifact, &wanted->file);
        tasks[i].weight = wanted->file.size;
        tasks[i].output = kind == TASK_COPY ? session->outputs[i] : NULL;
        session_limit_task(session, &tasks[i]);
        session->progress.bytes_all += wanted->file.size;
    }
    if (result == 0 && buffer_failed(&bodies))
        result = error_set("out of memory");
    for (size_t i = 0; i < count && result == 0; i++)
        tasks[i].body = slice_part(buffer_slice(&bodies), starts[i],
                                   (i + 1 < count ? starts[i + 1] : bodies.size) - starts[i]);
    if (result == 0)
        result = pool_run(pool, tasks, count, session->options.interrupted);
    buffer_release(&bodies);
    free(starts);
    free(tasks);
    return result == 0 ? failed(session) : result;
}

/* --- what came of it --- */

const struct inventory *session_inventory(const struct session *session, size_t evidence)
{
    return &session->items[evidence].inventory;
}

const struct host *session_host(const struct session *session, size_t evidence)
{
    return &session->items[evidence].host;
}

const struct damage *session_damage(const struct session *session, size_t evidence, size_t *count)
{
    *count = session->items[evidence].damage_count;
    return session->items[evidence].damage;
}

const struct verified *session_verified(const struct session *session, size_t evidence)
{
    return &session->items[evidence].verified;
}

const struct session_counts *session_counts(const struct session *session)
{
    return &session->counts;
}

bool session_incomplete(const struct session *session)
{
    for (size_t i = 0; i < session->options.evidence_count; i++)
        if (session->items[i].damage_count)
            return true;
    return session->counts.files_unread > 0 || session->counts.entries_unreadable > 0;
}

bool session_hash_differs(const struct session *session)
{
    for (size_t i = 0; i < session->options.evidence_count; i++) {
        const struct item *item = &session->items[i];
        if (item->verified.done && item->verified.result.hash_differs && item->damage_count == 0)
            return true;
    }
    return false;
}
