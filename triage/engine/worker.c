#include "triage/engine/worker_parts.h"

#include "triage/base/alive.h"
#include "triage/base/error.h"
#include "triage/base/sandbox.h"
#include "triage/record/wire.h"

#include <stdlib.h>
#include <string.h>

enum { JOB_MEMORY = 64 << 20 /* ceiling of a job's arena */ };

/* --- tasks --- */

void task_put_survey(struct buffer *out, uint32_t evidence)
{
    wire_put_u8(out, TASK_SURVEY);
    wire_put_u32(out, evidence);
}

void task_put_verify(struct buffer *out, uint32_t evidence, struct slice from)
{
    wire_put_u8(out, TASK_VERIFY);
    wire_put_u32(out, evidence);
    wire_put_slice(out, from);
}

void task_put_parse(struct buffer *out, uint32_t artifact, const struct file *file)
{
    wire_put_u8(out, TASK_PARSE);
    wire_put_u32(out, artifact);
    wire_put_file(out, file);
}

void task_put_context(struct buffer *out, uint32_t artifact, const struct file *file)
{
    wire_put_u8(out, TASK_CONTEXT);
    wire_put_u32(out, artifact);
    wire_put_file(out, file);
}

void task_put_copy(struct buffer *out, const struct file *file)
{
    wire_put_u8(out, TASK_COPY);
    wire_put_file(out, file);
}

/* --- the worker itself --- */

static int open_evidence(struct worker *worker)
{
    const struct worker_setup *setup = worker->setup;

    sandbox_raise_file_limit();
    for (size_t i = 0; i < setup->evidence_count; i++)
        if (evidence_open_with(setup->evidence[i], setup->keys, &worker->evidence[i]) < 0)
            return -1;
    return 0;
}

static int enter_sandbox(const struct worker *worker)
{
    const struct worker_setup *setup = worker->setup;
    const char **roots = calloc(setup->evidence_count + 1, sizeof *roots);
    struct sandbox sandbox = {.memory = setup->memory ? setup->memory : (size_t)4 << 30,
                              .output = setup->output,
                              .roots = roots};
    size_t count = 0;

    if (!roots)
        return error_set("out of memory");
    for (size_t i = 0; i < setup->evidence_count; i++)
        if (evidence_shape(worker->evidence[i]) == EVIDENCE_FOLDER)
            roots[count++] = setup->evidence[i];
    sandbox.open_read_only = count > 0;
    const int result = sandbox_enter(&sandbox);
    free(roots);
    return result;
}

static struct worker *new_worker(const struct worker_setup *setup)
{
    struct worker *worker = calloc(1, sizeof *worker);

    if (!worker)
        return NULL;
    worker->setup = setup;
    worker->evidence = calloc(setup->evidence_count + 1, sizeof *worker->evidence);
    worker->fits = calloc(setup->evidence_count + 1, sizeof *worker->fits);
    worker->damage_told = calloc(setup->evidence_count + 1, sizeof *worker->damage_told);
    worker->arena = arena_new(JOB_MEMORY);
    if (worker->evidence && worker->damage_told && worker->fits && worker->arena)
        return worker;
    worker_stop(worker);
    error_set("out of memory");
    return NULL;
}

static bool is_helper_wanted(void *context, const char *name)
{
    const struct worker_setup *setup = context;
    size_t count;
    const struct artifact *const *all = artifact_all(&count);

    for (size_t i = 0; i < count; i++)
        if (setup->artifacts >> i & 1 && all[i]->helper && strcmp(all[i]->helper, name) == 0)
            return true;
    return false;
}

void *worker_start(const struct worker_setup *setup)
{
    struct worker *worker = new_worker(setup);

    if (!worker)
        return NULL;
    if (open_evidence(worker) < 0 ||
        (setup->rules && setup->artifacts && matcher_new(setup->rules, &worker->matcher) < 0)) {
        worker_stop(worker);
        return NULL;
    }
    worker->helpers = helper_programs_start(is_helper_wanted, (void *)setup);
    return worker;
}

int worker_lock_down(void *state)
{
    return enter_sandbox(state);
}

/* The folder that a path lies in, in the worker's arena. */
static const char *folder_of(const struct worker *worker, const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash == path ? "/"
           : slash       ? arena_text(worker->arena, slice_of(path, (size_t)(slash - path)))
                         : ".";
}

int worker_lock_down_verifier(void *state)
{
    const struct worker *worker = state;
    const struct worker_setup *setup = worker->setup;
    const char **roots = arena_array(worker->arena, setup->evidence_count + 1, sizeof *roots);
    const struct sandbox sandbox = {.memory = setup->memory ? setup->memory : (size_t)4 << 30,
                                    .open_read_only = true,
                                    .threads = true,
                                    .roots = roots};

    if (!roots)
        return -1;
    for (size_t i = 0; i < setup->evidence_count; i++)
        if (!(roots[i] = folder_of(worker, setup->evidence[i])))
            return -1;
    return sandbox_enter(&sandbox);
}

void *worker_start_verifier(const struct worker_setup *setup)
{
    struct worker *worker = new_worker(setup);

    if (worker)
        sandbox_raise_file_limit();
    return worker;
}

/* Reading a list of files has no results until all are read. */
static void hear_alive(void *outbox)
{
    outbox_progress(outbox, 0);
}

void worker_run(void *state, struct slice body, struct outbox *outbox)
{
    struct worker *worker = state;
    struct cursor in = cursor_over(body, 0);
    const uint8_t kind = wire_get_u8(&in);
    const uint32_t number = kind == TASK_COPY ? 0 : wire_get_u32(&in);
    size_t artifact_count;
    const struct artifact *const *artifacts = artifact_all(&artifact_count);
    struct file file;

    arena_reset(worker->arena);
    alive_watch(hear_alive, outbox);
    if (kind == TASK_SURVEY) {
        worker_survey(worker, outbox, number);
    } else if (kind == TASK_VERIFY) {
        worker_verify(worker, outbox, number, wire_get_slice(&in));
    } else if (wire_get_file(&in, worker->arena, &file) == 0) {
        if (kind == TASK_COPY)
            worker_copy(worker, outbox, &file);
        else if (kind == TASK_CONTEXT && number < artifact_count)
            worker_add_context(worker, outbox, artifacts[number], &file);
        else if (number < artifact_count)
            worker_parse(worker, outbox, artifacts[number], &file);
    }
    alive_watch(NULL, NULL);
}

void worker_stop(void *state)
{
    struct worker *worker = state;

    if (!worker)
        return;
    for (size_t i = 0; worker->evidence && i < worker->setup->evidence_count; i++)
        if (worker->evidence[i])
            evidence_close(worker->evidence[i]);
    matcher_free(worker->matcher);
    helper_programs_stop(worker->helpers);
    arena_free(worker->arena);
    buffer_release(&worker->frame);
    buffer_release(&worker->content);
    buffer_release(&worker->window);
    buffer_release(&worker->copied);
    buffer_release(&worker->windows_path);
    buffer_release(&worker->stream_path);
    free(worker->evidence);
    free(worker->damage_told);
    free(worker->fits);
    free(worker);
}
