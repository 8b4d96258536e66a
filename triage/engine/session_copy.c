/* Copies of what artifacts keep and of what gave indicators. */
#include "triage/engine/session_parts.h"

#include "triage/base/error.h"
#include "triage/engine/extract_name.h"
#include "triage/engine/mailbox_store.h"
#include "triage/record/wire.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int copy_frame(void *context, size_t task, uint8_t type, struct slice body)
{
    struct session *session = context;
    const struct wanted *wanted = &session->wanted[session->order[task]];
    struct cursor in = cursor_over(body, 0);

    arena_reset(session->frame_arena);
    if (type == RESULT_UNREAD)
        return session_take_unread(session, wanted->file.evidence, wanted, &in);
    if (type == RESULT_DAMAGE)
        return session_take_damage(session, wanted->file.evidence, &in);
    if (type == RESULT_NOTICE)
        return session_take_notice(session, wanted, &in);
    if (type != RESULT_COPIED)
        return error_set("a result of unknown kind %u", type);
    session->counts.bytes += wire_get_u64(&in);
    const bool damaged = wire_get_u8(&in) != 0;
    session->counts.files_copied++;
    return session_take_stored(session, wanted, &in, session->outputs[task] + session->case_prefix,
                               damaged);
}

static void copy_ended(void *context, size_t task, const char *problem)
{
    struct session *session = context;
    const struct wanted *wanted = &session->wanted[session->order[task]];

    session->progress.tasks_done++;
    session->progress.current = wanted->windows_path;
    if (!problem)
        return;
    unlink(session->outputs[task]); /* half a copy must not look like a whole one */
    session_add_note(session, true, wanted->file.evidence, wanted, "", 0, problem);
}

static bool is_same_file(const struct file *a, const struct file *b)
{
    return a->evidence == b->evidence && a->volume == b->volume && a->snapshot == b->snapshot &&
           a->address == b->address && a->sequence == b->sequence &&
           strcmp(a->path, b->path) == 0 &&
           strcmp(a->stream ? a->stream : "", b->stream ? b->stream : "") == 0;
}

static bool is_worth_keeping(const struct session *session, const struct wanted *wanted)
{
    const struct artifact *artifact = session_artifact(wanted->artifact);

    if (artifact && is_mailbox_store(wanted->file.path))
        return false;
    return session->options.take_all || !artifact || artifact->keep ||
           (wanted->matched && !artifact->stay);
}

/* One task per file, though several artifacts may have wanted it: they are neighbours, as `wanted`
 * is in disk order. */
static size_t choose_copies(struct session *session)
{
    size_t count = 0;

    for (size_t i = 0; i < session->wanted_count; i++) {
        bool known = false;
        if (!is_worth_keeping(session, &session->wanted[i]))
            continue;
        for (size_t j = count; j > 0 && !known && j + 8 > count; j--)
            known = is_same_file(&session->wanted[session->order[j - 1]].file,
                                 &session->wanted[i].file);
        if (!known)
            session->order[count++] = i;
    }
    return count;
}

int session_copy(struct session *session, struct case_file *file)
{
    const char *folder = arena_format(session->arena, "%s/files", case_folder(file));
    struct name_set *names = folder ? name_set_new(session->arena, folder) : NULL;

    session->file = file;
    session->case_prefix = strlen(case_folder(file)) + 1;
    if (!names)
        return -1;
    if (mkdir(folder, 0755) != 0 && errno != EEXIST)
        return error_set_errno("cannot make the folder '%s'", folder);
    free(session->order);
    free(session->outputs);
    session->order = calloc(session->wanted_count + 1, sizeof *session->order);
    session->outputs = calloc(session->wanted_count + 1, sizeof *session->outputs);
    if (!session->order || !session->outputs)
        return error_set("out of memory");
    const size_t count = choose_copies(session);
    struct pool pool = session_pool(session, STAGE_COPY, count);
    for (size_t i = 0; i < count; i++) {
        const struct wanted *wanted = &session->wanted[session->order[i]];
        session->outputs[i] = name_set_add(names, &session->hosts[wanted->file.evidence],
                                           session->options.evidence_count, &wanted->file);
        if (!session->outputs[i])
            return -1;
    }
    pool.frame = copy_frame;
    pool.ended = copy_ended;
    return session_run_tasks(session, &pool, count, TASK_COPY);
}
