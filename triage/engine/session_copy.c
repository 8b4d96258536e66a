/* Copies of what artifacts keep and of what gave indicators. */
#include "triage/engine/session_parts.h"

#include "triage/base/error.h"
#include "triage/base/hash.h"
#include "triage/case/custody.h"
#include "triage/engine/extract_name.h"
#include "triage/engine/mailbox_store.h"
#include "triage/engine/plan.h"
#include "triage/record/wire.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

/* The worker's word alone does not end the run: it may be that of the evidence. */
static bool is_place_full(const struct session *session, const struct wanted *wanted)
{
    enum { SPARE = 1 << 20 };
    struct statvfs place;

    return statvfs(case_folder(session->file), &place) == 0 &&
           (uint64_t)place.f_bavail * place.f_frsize < wanted->file.size + SPARE;
}

/* A place that takes no more bytes is no matter of this one file: the run ends, and can be resumed.
 */
static int take_unwritten(struct session *session, size_t task, struct cursor *in)
{
    const struct wanted *wanted = &session->wanted[session->order[task]];
    const char *why = wire_get_text(in, session->frame_arena);

    unlink(session->outputs[task]);
    error_set("'%s' cannot be written: %s", session->outputs[task], why ? why : "");
    if (is_place_full(session, wanted))
        return session_stored(session, -1);
    return session_add_note(session, true, wanted->file.evidence, wanted, "", 0, error_text());
}

static int copy_frame(void *context, size_t task, uint8_t type, struct slice body)
{
    struct session *session = context;
    const struct wanted *wanted = &session->wanted[session->order[task]];
    struct cursor in = cursor_over(body, 0);

    if (session_at_work(session, task, "copy:", wanted->key) < 0)
        return -1;
    arena_reset(session->frame_arena);
    if (type == RESULT_UNREAD)
        return session_take_unread(session, wanted->file.evidence, wanted, &in);
    if (type == RESULT_DAMAGE)
        return session_take_damage(session, wanted->file.evidence, &in);
    if (type == RESULT_NOTICE)
        return session_take_notice(session, wanted, &in);
    if (type == RESULT_UNWRITTEN)
        return take_unwritten(session, task, &in);
    if (type != RESULT_COPIED)
        return error_set("a result of unknown kind %u", type);
    session_counting(session)->bytes += wire_get_u64(&in);
    const bool damaged = wire_get_u8(&in) != 0;
    session_counting(session)->files_copied++;
    return session_take_stored(session, wanted, &in, session->outputs[task] + session->case_prefix,
                               damaged);
}

static void copy_ended(void *context, size_t task, const char *problem)
{
    struct session *session = context;
    const struct wanted *wanted = &session->wanted[session->order[task]];

    session->progress.tasks_done++;
    session->progress.current = wanted->windows_path;
    if (session->failure) {
        unlink(session->outputs[task]);
        return;
    }
    if (session_at_work(session, task, "copy:", wanted->key) < 0)
        return;
    if (problem) {
        unlink(session->outputs[task]); /* half a copy must not look like a whole one */
        session_add_note(session, true, wanted->file.evidence, wanted, "", 0, problem);
    }
    session_keep(session);
}

static void copy_again(void *context, size_t task, const char *problem)
{
    struct session *session = context;
    const struct wanted *wanted = &session->wanted[session->order[task]];

    (void)problem;
    if (session_at_work(session, task, "copy:", wanted->key) == 0)
        session_forget(session);
}

static bool is_same_file(const struct file *a, const struct file *b)
{
    return a->evidence == b->evidence && a->volume == b->volume && a->snapshot == b->snapshot &&
           a->address == b->address && a->sequence == b->sequence &&
           strcmp(a->path, b->path) == 0 &&
           strcmp(a->stream ? a->stream : "", b->stream ? b->stream : "") == 0;
}

bool session_is_copied(const struct session *session, const struct wanted *wanted)
{
    const struct artifact *artifact = session_artifact(wanted->artifact);

    if (!artifact)
        return true;
    if (session->options.take_all)
        return !is_mailbox_store(wanted->file.path);
    return plan_copies(artifact, wanted->file.path, wanted->matched);
}

/* One task per file, though several artifacts may have wanted it: they are neighbours, as `wanted`
 * is in disk order. */
static size_t choose_copies(struct session *session)
{
    size_t count = 0;

    for (size_t i = 0; i < session->wanted_count; i++) {
        bool known = false;
        if (!session_is_copied(session, &session->wanted[i]))
            continue;
        for (size_t j = count; j > 0 && !known && j + 8 > count; j--)
            known = is_same_file(&session->wanted[session->order[j - 1]].file,
                                 &session->wanted[i].file);
        if (!known)
            session->order[count++] = i;
    }
    return count;
}

/* --- copies that an earlier part of the run has made --- */

enum { FORGOTTEN_MOST = 64 }; /* copies that are forgotten one by one: each costs a search */

struct earlier {
    struct session *session;
    const char *keys[FORGOTTEN_MOST];
    size_t spoilt;
};

static bool is_whole(const struct session *session, const struct case_stored *row)
{
    char sha256[SHA256_TEXT_SIZE];
    const char *path =
        arena_format(session->frame_arena, "%s/%s", case_folder(session->file), row->stored);

    return path && *row->sha256 && custody_hash_file(path, sha256) == 0 &&
           strcmp(sha256, row->sha256) == 0;
}

/* A copy counts when it lies where it would be put today and is what it was: its bytes need not
 * have reached the disk before the power was lost. */
static int check_copy(void *context, const char *task, const struct case_stored *row)
{
    struct earlier *earlier = context;
    struct session *session = earlier->session;
    const char *name = strchr(task, ':');
    struct wanted *wanted = name ? session_find_key(session, name + 1) : NULL;

    arena_reset(session->frame_arena);
    if (wanted && wanted->output && is_whole(session, row) &&
        strcmp(wanted->output + session->case_prefix, row->stored) == 0) {
        wanted->copied = true;
        return 0;
    }
    const char *key = arena_text(session->arena, slice_of_text(task));
    if (!key)
        return -1;
    if (earlier->spoilt < FORGOTTEN_MOST)
        earlier->keys[earlier->spoilt] = key;
    earlier->spoilt++;
    return 0;
}

static int forget_spoilt(struct session *session, const struct earlier *earlier)
{
    if (earlier->spoilt > FORGOTTEN_MOST) {
        for (size_t i = 0; i < session->wanted_count; i++)
            session->wanted[i].copied = false;
        return case_forget_kind(session->file, "copy:");
    }
    for (size_t i = 0; i < earlier->spoilt; i++)
        if (case_forget(session->file, earlier->keys[i], NULL) < 0)
            return -1;
    return 0;
}

static int recall_copies(struct session *session)
{
    struct earlier earlier = {.session = session};

    if (case_each_copy(session->file, check_copy, &earlier) < 0 ||
        forget_spoilt(session, &earlier) < 0)
        return -1;
    return session_recall(session, "copy:", NULL);
}

/* What stays to be done. A file that lies there (not in a folder that is new) belongs to no task
 * that is done. */
static size_t leave_copied_out(struct session *session, size_t count, bool is_new)
{
    size_t left = 0;

    for (size_t i = 0; i < count; i++) {
        const struct wanted *wanted = &session->wanted[session->order[i]];
        if (wanted->copied)
            continue;
        if (!is_new)
            unlink(wanted->output);
        session->outputs[left] = wanted->output;
        session->order[left++] = session->order[i];
    }
    return left;
}

static int name_copies(struct session *session, const char *folder, size_t count)
{
    struct name_set *names = name_set_new(session->arena, folder);

    for (size_t i = 0; i < count && names; i++) {
        struct wanted *wanted = &session->wanted[session->order[i]];
        wanted->output = name_set_add(names, &session->hosts[wanted->file.evidence],
                                      session->options.evidence_count, &wanted->file);
        if (!wanted->output)
            return -1;
        session->outputs[i] = wanted->output;
    }
    return names ? 0 : -1;
}

/* What was copied while it was parsed lacks its place only. */
static void place_early_copies(struct session *session, size_t count)
{
    for (size_t i = 0; i < count && !*session->options.interrupted && !session->failure; i++) {
        struct wanted *wanted = &session->wanted[session->order[i]];
        if (wanted->copied || !session_place_early(wanted))
            continue;
        const bool taken = copy_frame(session, i, RESULT_COPIED, wanted->early->told) == 0;
        copy_ended(session, i, taken ? NULL : "the worker sent a broken result");
        wanted->copied = true;
    }
    session_end_early(session);
}

int session_copy(struct session *session, struct case_file *file)
{
    const char *folder = arena_format(session->arena, "%s/files", case_folder(file));

    session->file = file;
    session->case_prefix = strlen(case_folder(file)) + 1;
    if (!folder)
        return -1;
    const bool is_new = mkdir(folder, 0755) == 0;
    if (!is_new && errno != EEXIST)
        return error_set_errno("cannot make the folder '%s'", folder);
    free(session->order);
    free(session->outputs);
    session->order = calloc(session->wanted_count + 1, sizeof *session->order);
    session->outputs = calloc(session->wanted_count + 1, sizeof *session->outputs);
    if (!session->order || !session->outputs)
        return error_set("out of memory");
    size_t count = choose_copies(session);
    if (name_copies(session, folder, count) < 0 || recall_copies(session) < 0)
        return -1;
    place_early_copies(session, count);
    count = leave_copied_out(session, count, is_new);
    struct pool pool = session_pool(session, STAGE_COPY, count);
    pool.frame = copy_frame;
    pool.again = copy_again;
    pool.ended = copy_ended;
    const int result = session_run_tasks(session, &pool, count, TASK_COPY);
    session_rest(session);
    return result;
}
