/* What the evidence holds, and which of its files are wanted. */
#include "triage/engine/session_parts.h"

#include "triage/base/error.h"
#include "triage/base/sandbox.h"
#include "triage/record/wire.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int add_wanted(struct session *session, size_t evidence, struct cursor *in)
{
    if (session->wanted_count == session->wanted_room) {
        const size_t room = session->wanted_room ? 2 * session->wanted_room : 1024;
        struct wanted *grown = realloc(session->wanted, room * sizeof *grown);
        if (!grown)
            return error_set("out of memory");
        session->wanted = grown;
        session->wanted_room = room;
    }
    struct wanted *wanted = &session->wanted[session->wanted_count];
    *wanted = (struct wanted){.artifact = wire_get_u32(in)};
    if (wire_get_file(in, session->arena, &wanted->file) < 0 || cursor_failed(in))
        return -1;
    if (wanted->file.evidence != evidence || !wanted->file.path ||
        !session_is_known_volume(&session->items[evidence].inventory, &wanted->file) ||
        (wanted->artifact != NO_ARTIFACT && !session_artifact(wanted->artifact)))
        return error_set("a malformed entry of the plan");
    session->wanted_count++;
    return 0;
}

static int take_host(struct session *session, size_t evidence, struct cursor *in)
{
    if (host_get(in, session->arena, &session->items[evidence].host) < 0)
        return -1;
    exchange_builds_name(&session->builds, session->arena, &session->items[evidence].host);
    session->hosts[evidence] = session->items[evidence].host;
    return 0;
}

static int take_inventory(struct session *session, size_t evidence, struct cursor *in)
{
    struct inventory *inventory = &session->items[evidence].inventory;

    if (session->items[evidence].surveyed)
        return error_set("a second description of the evidence");
    if (inventory_get(in, session->arena, inventory) < 0)
        return -1;
    session->items[evidence].surveyed = true;
    for (size_t i = 0; i < inventory->damage_count; i++)
        if (session_add_damage(session, evidence, inventory->damage[i].offset,
                               inventory->damage[i].size, inventory->damage[i].why) < 0)
            return -1;
    return 0;
}

static int take_listed_count(struct session *session, struct cursor *in)
{
    session_counting(session)->files_listed += wire_get_u64(in);
    session_counting(session)->entries_unreadable += wire_get_u64(in);
    session_counting(session)->unrecognised += wire_get_u64(in);
    return cursor_failed(in) ? error_set("a malformed count") : 0;
}

static int take_notice(struct session *session, size_t evidence, struct cursor *in)
{
    const uint64_t offset = wire_get_u64(in);
    const char *text = wire_get_text(in, session->frame_arena);
    const char *path = wire_get_text(in, session->frame_arena);

    if (cursor_failed(in) || !text || !path)
        return error_set("a malformed notice");
    return session_add_note(session, false, evidence, NULL, path, offset, text);
}

/* The name of a survey's task. A run that is resumed surveys again: that takes little, and the plan
 * of all else comes of it. */
static const char *number_text(size_t number, char text[24])
{
    snprintf(text, 24, "%zu", number);
    return text;
}

static int survey_frame(void *context, size_t task, uint8_t type, struct slice body)
{
    struct session *session = context;
    struct cursor in = cursor_over(body, 0);
    char name[24];

    if (session_at_work(session, task, "survey:", number_text(task, name)) < 0)
        return -1;
    arena_reset(session->frame_arena);
    switch (type) {
    case RESULT_INVENTORY:
        return take_inventory(session, task, &in);
    case RESULT_HOST:
        return take_host(session, task, &in);
    case RESULT_WANTED:
        return add_wanted(session, task, &in);
    case RESULT_LISTED_COUNT:
        return take_listed_count(session, &in);
    case RESULT_UNREAD:
        return session_take_unread(session, task, NULL, &in);
    case RESULT_NOTICE:
        return take_notice(session, task, &in);
    case RESULT_DAMAGE:
        return session_take_damage(session, task, &in);
    default:
        return error_set("a result of unknown kind %u", type);
    }
}

/* Damage that was met stays known: it is there. */
static void survey_again(void *context, size_t task, const char *problem)
{
    struct session *session = context;
    char name[24];
    size_t kept = 0;

    buffer_clear(&session->text);
    buffer_format(&session->text, "the survey of '%s' is done again: %s",
                  session->options.evidence[task], problem);
    session_tell(session, buffer_text(&session->text));
    for (size_t i = 0; i < session->wanted_count; i++)
        if (session->wanted[i].file.evidence != task)
            session->wanted[kept++] = session->wanted[i];
    session->wanted_count = kept;
    session_describe_unsurveyed(session, task);
    session->items[task].host = session->hosts[task] = (struct host){0};
    if (session_at_work(session, task, "survey:", number_text(task, name)) == 0)
        session_forget(session);
}

void session_describe_unsurveyed(struct session *session, size_t evidence)
{
    session->items[evidence].surveyed = false;
    session->items[evidence].inventory = (struct inventory){
        .path = session->options.evidence[evidence],
        .shape = EVIDENCE_IMAGE,
        .container.format = "not surveyed",
    };
}

/* What came before the worker ended is of use: the run goes on with it. */
static void note_failed_survey(struct session *session, size_t evidence, const char *problem)
{
    buffer_clear(&session->text);
    buffer_format(&session->text, "'%s' could not be surveyed%s: %s",
                  session->options.evidence[evidence],
                  session->items[evidence].surveyed ? " in full" : "",
                  problem ? problem : "the worker said nothing of it");
    session_tell(session, buffer_text(&session->text));
    session_add_note(session, true, evidence, NULL, "/", 0, buffer_text(&session->text));
}

static void survey_ended(void *context, size_t task, const char *problem)
{
    struct session *session = context;
    char name[24];

    session->progress.tasks_done++;
    if (session_at_work(session, task, "survey:", number_text(task, name)) < 0)
        return;
    if (problem || !session->items[task].surveyed)
        note_failed_survey(session, task, problem);
    session_count(session);
}

/* What tells the file and the artifact apart from all others, the same in each run. */
static const char *key_of(struct session *session, const struct wanted *wanted)
{
    const struct file *f = &wanted->file;
    const struct artifact *artifact = session_artifact(wanted->artifact);

    return arena_format(session->arena, "%s|%u|%u|%u|%" PRIu64 "-%u|%s|%s",
                        artifact ? artifact->name : "", f->evidence, f->volume, f->snapshot,
                        f->address, f->sequence, f->path, f->stream ? f->stream : "");
}

static int by_key(const void *a, const void *b)
{
    return strcmp((*(struct wanted *const *)a)->key, (*(struct wanted *const *)b)->key);
}

static int sort_by_key(struct session *session)
{
    session->by_key = calloc(session->wanted_count + 1, sizeof(*session->by_key));
    if (!session->by_key)
        return error_set("out of memory");
    for (size_t i = 0; i < session->wanted_count; i++)
        session->by_key[i] = &session->wanted[i];
    qsort(session->by_key, session->wanted_count, sizeof(*session->by_key), by_key);
    return 0;
}

struct wanted *session_find_key(const struct session *session, const char *key)
{
    const struct wanted sought = {.key = key};
    const struct wanted *pointer = &sought;
    struct wanted **found =
        bsearch(&pointer, session->by_key, session->wanted_count, sizeof(*session->by_key), by_key);

    return found ? *found : NULL;
}

static int by_place(const void *a, const void *b)
{
    const struct wanted *x = a, *y = b;

    if (x->file.evidence != y->file.evidence)
        return x->file.evidence < y->file.evidence ? -1 : 1;
    if (x->file.volume != y->file.volume)
        return x->file.volume < y->file.volume ? -1 : 1;
    if (x->file.place != y->file.place)
        return x->file.place < y->file.place ? -1 : 1;
    return strcmp(x->key, y->key);
}

static int complete_wanted(struct session *session)
{
    for (size_t i = 0; i < session->wanted_count; i++) {
        struct wanted *wanted = &session->wanted[i];
        buffer_clear(&session->text);
        host_windows_path(&session->hosts[wanted->file.evidence], wanted->file.volume,
                          wanted->file.path, &session->text);
        if (wanted->file.stream)
            buffer_format(&session->text, ":%s", wanted->file.stream);
        wanted->windows_path = arena_text(session->arena, buffer_slice(&session->text));
        wanted->key = key_of(session, wanted);
        if (!wanted->windows_path || !wanted->key)
            return -1;
    }
    if (session->wanted_count)
        qsort(session->wanted, session->wanted_count, sizeof *session->wanted, by_place);
    session->counts.files_wanted = session->wanted_count;
    return sort_by_key(session);
}

/* A volume that cannot be read is a loss; one that was read with its spare parts is a notice. */
static void note_volume(struct session *session, size_t evidence, const struct volume *volume)
{
    const bool lost = volume->problem && !volume->vacant;
    const char *text = lost ? volume->problem : volume->notice;

    if (!text)
        return;
    buffer_clear(&session->text);
    buffer_format(&session->text, "volume %u (%s): %s", volume->index, volume->partition, text);
    session_tell(session, buffer_text(&session->text));
    session_add_note(session, lost, evidence, NULL, "/", volume->offset,
                     buffer_text(&session->text));
}

static bool is_any_chosen(const struct snapshot_choice *choice)
{
    for (size_t i = 0; i < sizeof choice->bits / sizeof *choice->bits; i++)
        if (choice->bits[i])
            return true;
    return false;
}

static void note_shadow(struct session *session, bool lost, size_t evidence,
                        const struct volume *volume)
{
    session_tell(session, buffer_text(&session->text));
    session_add_note(session, lost, evidence, NULL, "/", volume->offset,
                     buffer_text(&session->text));
}

/* What is wanted and cannot be read is a loss; that some could be read is worth a notice. */
static void note_snapshots(struct session *session, size_t evidence, const struct volume *volume)
{
    const struct snapshot_choice *choice = &session->options.snapshots;
    size_t read = 0;

    for (size_t i = 0; i < volume->snapshot_count; i++)
        read += snapshot_is_chosen(choice, volume->snapshots[i].number);
    if (volume->snapshot_problem) {
        buffer_clear(&session->text);
        buffer_format(&session->text, "volume %u (%s): %s", volume->index, volume->partition,
                      volume->snapshot_problem);
        note_shadow(session, is_any_chosen(choice), evidence, volume);
    }
    if (read < volume->snapshot_count && !session->options.survey_only) {
        buffer_clear(&session->text);
        buffer_format(&session->text,
                      "volume %u (%s): %zu of its %zu shadow copies were not read (--vss all)",
                      volume->index, volume->partition, volume->snapshot_count - read,
                      volume->snapshot_count);
        note_shadow(session, false, evidence, volume);
    }
}

static void note_survey(struct session *session, size_t evidence)
{
    const struct inventory *inventory = &session->items[evidence].inventory;
    const struct host *host = &session->items[evidence].host;

    for (size_t i = 0; i < inventory->volume_count; i++) {
        note_volume(session, evidence, &inventory->volumes[i]);
        note_snapshots(session, evidence, &inventory->volumes[i]);
    }
    for (size_t i = 0; i < host->notice_count; i++)
        session_add_note(session, false, evidence, NULL, "/", 0, host->notices[i]);
}

int session_survey(struct session *session, struct case_file *file)
{
    const size_t count = session->options.evidence_count;
    struct pool pool = session_pool(session, STAGE_SURVEY, count);
    struct pool_task *tasks = calloc(count + 1, sizeof *tasks);
    struct buffer *bodies = calloc(count + 1, sizeof *bodies);
    int result = tasks && bodies ? 0 : error_set("out of memory");

    session->file = file;
    if (pool.jobs > count)
        pool.jobs = (unsigned)count;
    pool.frame = survey_frame;
    pool.again = survey_again;
    pool.ended = survey_ended;
    for (size_t i = 0; i < count && result == 0; i++) {
        task_put_survey(&bodies[i], (uint32_t)i);
        tasks[i].body = buffer_slice(&bodies[i]);
        session_limit_survey(&tasks[i]);
    }
    if (session->options.jobs && sandbox_lack())
        session_tell(session, sandbox_lack());
    if (result == 0)
        result = pool_run(&pool, tasks, count, session->options.interrupted);
    session_rest(session);
    if (result == 0)
        result = complete_wanted(session);
    for (size_t i = 0; i < count && result == 0; i++)
        note_survey(session, i);
    if (result == 0)
        result = pool.failed(session);
    for (size_t i = 0; i < count && bodies; i++)
        buffer_release(&bodies[i]);
    free(bodies);
    free(tasks);
    return result;
}
