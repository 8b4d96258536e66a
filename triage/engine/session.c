#include "triage/engine/session.h"

#include "artifacts/artifact.h"
#include "triage/base/error.h"
#include "triage/base/json.h"
#include "triage/engine/correlate.h"
#include "triage/engine/exchange_builds.h"
#include "triage/engine/extract_name.h"
#include "triage/engine/mailbox_store.h"
#include "triage/engine/message.h"
#include "triage/record/wire.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FRAME_MEMORY = 64 << 20, VERIFY_TIMEOUT = 600 };
/* The list of wanted files above all; a worker leaves out what would not fit. */
static const size_t SESSION_MEMORY = (size_t)4 << 30;

/* A file that an artifact (or the user) wants. */
struct wanted {
    struct file file;
    uint32_t artifact; /* NO_ARTIFACT for the user's own globs */
    const char *windows_path, *key;
    bool matched; /* an indicator came of it */
};

struct item { /* one evidence item */
    struct inventory inventory;
    struct host host;
    struct damage *damage;
    size_t damage_count, damage_room;
    struct verified verified;
};

struct session {
    struct session_options options;
    struct worker_setup setup;
    struct host *hosts; /* what the workers see */
    struct item *items;
    struct case_file *file;
    struct arena *arena, *frame_arena;
    struct wanted *wanted;
    size_t wanted_count, wanted_room;
    size_t *order; /* of the stage's tasks: indices of wanted */
    const char **outputs;
    size_t case_prefix; /* bytes of an output's path up to the case folder's content */
    struct session_counts counts;
    struct progress progress;
    struct buffer message, fields, text;
    struct exchange_builds builds;
    struct wanted **by_key; /* sorted by key, for correlations; NULL before they are evaluated */
    bool correlating;
    struct time_windows windows; /* of context */
    int failure;                 /* the case could not be written */
};

static void tell(struct session *session, const char *text)
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
        tell(session, error_text());
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
    session->arena = arena_new(SESSION_MEMORY);
    session->frame_arena = arena_new(FRAME_MEMORY);
    if (!session->hosts || !session->items || !session->arena || !session->frame_arena) {
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
    };
    load_builds(session);
    *out = session;
    return 0;
}

void session_free(struct session *session)
{
    if (!session)
        return;
    for (size_t i = 0; session->items && i < session->options.evidence_count; i++)
        free(session->items[i].damage);
    free(session->items);
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

static const struct artifact *artifact_number(uint32_t number)
{
    size_t count;
    const struct artifact *const *all = artifact_all(&count);

    return number < count ? all[number] : NULL;
}

/* The file's name, or the whole path where another item has the same name. */
static const char *name_of_evidence(const struct session *session, size_t index)
{
    const char *const *evidence = session->options.evidence;
    const char *name = evidence_name(evidence[index]);

    for (size_t i = 0; i < session->options.evidence_count; i++)
        if (i != index && strcmp(evidence_name(evidence[i]), name) == 0)
            return evidence[index];
    return name;
}

static const char *mft_entry_text(const struct file *file, char text[48])
{
    if (file->sequence)
        snprintf(text, 48, "%" PRIu64 "-%u", file->address, file->sequence);
    else
        snprintf(text, 48, "%" PRIu64, file->address);
    return text;
}

/* The case could not be written: remembered, so that the stage fails. */
static int stored(struct session *session, int result)
{
    if (result < 0)
        session->failure = -1;
    return result;
}

/* Rows of correlations, context and copies belong to no task: all that is done again when a case is
 * resumed. */
static const char *task_key(const struct session *session, const struct wanted *wanted)
{
    const enum stage stage = session->progress.stage;

    return wanted && !session->correlating && stage != STAGE_COPY && stage != STAGE_CONTEXT
               ? wanted->key
               : "";
}

static int add_note(struct session *session, bool unread, size_t evidence,
                    const struct wanted *wanted, const char *path, uint64_t offset,
                    const char *text)
{
    const struct artifact *artifact = wanted ? artifact_number(wanted->artifact) : NULL;
    const struct case_note note = {
        .evidence = name_of_evidence(session, evidence),
        .volume = wanted ? wanted->file.volume : 0,
        .snapshot = wanted ? wanted->file.snapshot : 0,
        .path = wanted ? wanted->windows_path : path,
        .artifact = artifact ? artifact->name : "",
        .offset = (int64_t)offset,
        .text = text,
    };
    const char *key = task_key(session, wanted);

    if (unread)
        session->counts.files_unread++;
    else
        session->counts.notices++;
    if (!session->file)
        return 0;
    return stored(session, unread ? case_add_unread(session->file, key, &note)
                                  : case_add_notice(session->file, key, &note));
}

static uint64_t damage_end(const struct damage *range)
{
    return range->offset + range->size;
}

/* Index of the first range that a range from `offset` on, with that reason, may touch or must stand
 * before. */
static size_t damage_place(const struct item *item, uint64_t offset, const char *why)
{
    size_t low = 0, high = item->damage_count;

    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (damage_end(&item->damage[middle]) < offset)
            low = middle + 1;
        else
            high = middle;
    }
    while (low < item->damage_count && item->damage[low].offset < offset &&
           strcmp(item->damage[low].why, why) != 0)
        low++;
    return low;
}

static int insert_damage(struct session *session, struct item *item, size_t at, struct damage range)
{
    if (item->damage_count == item->damage_room) {
        const size_t room = item->damage_room ? 2 * item->damage_room : 16;
        struct damage *grown = realloc(item->damage, room * sizeof *grown);
        if (!grown)
            return error_set("out of memory");
        item->damage = grown;
        item->damage_room = room;
    }
    if (!(range.why = arena_text(session->arena, slice_of_text(range.why))))
        return -1;
    memmove(&item->damage[at + 1], &item->damage[at], (item->damage_count - at) * sizeof range);
    item->damage[at] = range;
    item->damage_count++;
    return 0;
}

static void tell_damage(struct session *session, size_t evidence, const struct damage *range)
{
    enum { TOLD = 50 };
    char text[300];

    if (session->items[evidence].damage_count > TOLD)
        return;
    if (session->items[evidence].damage_count == TOLD)
        snprintf(text, sizeof text, "%s: more damaged ranges are listed in coverage.json",
                 name_of_evidence(session, evidence));
    else
        snprintf(text, sizeof text,
                 "%s: bytes %" PRIu64 " to %" PRIu64 " of the medium cannot be trusted: %s",
                 name_of_evidence(session, evidence), range->offset, damage_end(range) - 1,
                 range->why);
    tell(session, text);
}

/* Ranges are kept in their order and joined, so that it does not matter which worker met them
 * first. */
static int add_damage(struct session *session, size_t evidence, uint64_t offset, uint64_t size,
                      const char *why)
{
    struct item *item = &session->items[evidence];
    struct damage range = {offset, size, why};

    if (size > UINT64_MAX - offset)
        return error_set("a malformed damage report");
    const size_t at = damage_place(item, offset, why);
    size_t end = at;
    for (; end < item->damage_count && item->damage[end].offset <= damage_end(&range) &&
           strcmp(item->damage[end].why, why) == 0;
         end++) {
        const struct damage *known = &item->damage[end];
        const uint64_t stop =
            damage_end(known) > damage_end(&range) ? damage_end(known) : damage_end(&range);
        range.offset = known->offset < range.offset ? known->offset : range.offset;
        range.size = stop - range.offset;
        range.why = known->why;
    }
    if (end == at) {
        tell_damage(session, evidence, &range);
        return insert_damage(session, item, at, range);
    }
    item->damage[at] = range;
    memmove(&item->damage[at + 1], &item->damage[end], (item->damage_count - end) * sizeof range);
    item->damage_count -= end - at - 1;
    return 0;
}

static int frame_damage(struct session *session, size_t evidence, struct cursor *in)
{
    const uint64_t offset = wire_get_u64(in), size = wire_get_u64(in);
    const char *why = wire_get_text(in, session->frame_arena);

    if (cursor_failed(in) || !why || size == 0)
        return error_set("a malformed damage report");
    return add_damage(session, evidence, offset, size, why);
}

static int frame_unread(struct session *session, size_t evidence, const struct wanted *wanted,
                        struct cursor *in)
{
    const char *path = wire_get_text(in, session->frame_arena);
    const char *why = wire_get_text(in, session->frame_arena);

    if (cursor_failed(in) || !path || !why)
        return error_set("a malformed report");
    return add_note(session, true, evidence, *path ? NULL : wanted, path, 0, why);
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

static struct pool pool_for(struct session *session, enum stage stage, size_t tasks)
{
    session->progress = (struct progress){
        .stage = stage,
        .tasks_all = tasks,
        .current = "",
        .indicators = session->progress.indicators,
    };
    return (struct pool){
        .jobs = session->options.jobs,
        .timeout_seconds = session->options.timeout_seconds,
        .context = session,
        .start = start,
        .run = worker_run,
        .stop = worker_stop,
        .tick = tick,
    };
}

/* --- survey --- */

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
        (wanted->artifact != NO_ARTIFACT && !artifact_number(wanted->artifact)))
        return error_set("a malformed entry of the plan");
    session->wanted_count++;
    return 0;
}

static int frame_host(struct session *session, size_t evidence, struct cursor *in)
{
    if (host_get(in, session->arena, &session->items[evidence].host) < 0)
        return -1;
    exchange_builds_name(&session->builds, session->arena, &session->items[evidence].host);
    session->hosts[evidence] = session->items[evidence].host;
    return 0;
}

static int frame_inventory(struct session *session, size_t evidence, struct cursor *in)
{
    struct inventory *inventory = &session->items[evidence].inventory;

    if (inventory_get(in, session->arena, inventory) < 0)
        return -1;
    for (size_t i = 0; i < inventory->damage_count; i++)
        if (add_damage(session, evidence, inventory->damage[i].offset, inventory->damage[i].size,
                       inventory->damage[i].why) < 0)
            return -1;
    return 0;
}

static int frame_listed_count(struct session *session, struct cursor *in)
{
    session->counts.files_listed += wire_get_u64(in);
    session->counts.entries_unreadable += wire_get_u64(in);
    session->counts.unrecognised += wire_get_u64(in);
    return cursor_failed(in) ? error_set("a malformed count") : 0;
}

static int frame_survey_notice(struct session *session, size_t evidence, struct cursor *in)
{
    const uint64_t offset = wire_get_u64(in);
    const char *text = wire_get_text(in, session->frame_arena);
    const char *path = wire_get_text(in, session->frame_arena);

    if (cursor_failed(in) || !text || !path)
        return error_set("a malformed notice");
    return add_note(session, false, evidence, NULL, path, offset, text);
}

static int survey_frame(void *context, size_t task, uint8_t type, struct slice body)
{
    struct session *session = context;
    struct cursor in = cursor_over(body, 0);

    arena_reset(session->frame_arena);
    switch (type) {
    case RESULT_INVENTORY:
        return frame_inventory(session, task, &in);
    case RESULT_HOST:
        return frame_host(session, task, &in);
    case RESULT_WANTED:
        return add_wanted(session, task, &in);
    case RESULT_LISTED_COUNT:
        return frame_listed_count(session, &in);
    case RESULT_UNREAD:
        return frame_unread(session, task, NULL, &in);
    case RESULT_NOTICE:
        return frame_survey_notice(session, task, &in);
    case RESULT_DAMAGE:
        return frame_damage(session, task, &in);
    default:
        return error_set("a result of unknown kind %u", type);
    }
}

static void survey_ended(void *context, size_t task, const char *problem)
{
    struct session *session = context;

    struct inventory *inventory = &session->items[task].inventory;

    session->progress.tasks_done++;
    if (!problem && inventory->path)
        return;
    buffer_clear(&session->text);
    buffer_format(&session->text, "'%s' could not be surveyed: %s", session->options.evidence[task],
                  problem ? problem : "the worker said nothing of it");
    if (session->options.evidence_count == 1) {
        session->failure = error_set("%s", buffer_text(&session->text));
        return;
    }
    *inventory = (struct inventory){.path = session->options.evidence[task],
                                    .shape = EVIDENCE_IMAGE,
                                    .container.format = "not surveyed"};
    tell(session, buffer_text(&session->text));
    add_note(session, true, task, NULL, "/", 0, buffer_text(&session->text));
}

/* What tells the file and the artifact apart from all others, the same in each run. */
static const char *key_of(struct session *session, const struct wanted *wanted)
{
    const struct file *f = &wanted->file;
    const struct artifact *artifact = artifact_number(wanted->artifact);

    return arena_format(session->arena, "%s|%u|%u|%u|%" PRIu64 "-%u|%s|%s",
                        artifact ? artifact->name : "", f->evidence, f->volume, f->snapshot,
                        f->address, f->sequence, f->path, f->stream ? f->stream : "");
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
    return 0;
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
    tell(session, buffer_text(&session->text));
    add_note(session, lost, evidence, NULL, "/", volume->offset, buffer_text(&session->text));
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
    tell(session, buffer_text(&session->text));
    add_note(session, lost, evidence, NULL, "/", volume->offset, buffer_text(&session->text));
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
        add_note(session, false, evidence, NULL, "/", 0, host->notices[i]);
}

int session_survey(struct session *session, struct case_file *file)
{
    const size_t count = session->options.evidence_count;
    struct pool pool = pool_for(session, STAGE_SURVEY, count);
    struct pool_task *tasks = calloc(count + 1, sizeof *tasks);
    struct buffer *bodies = calloc(count + 1, sizeof *bodies);
    int result = tasks && bodies ? 0 : error_set("out of memory");

    session->file = file;
    if (pool.jobs > count)
        pool.jobs = (unsigned)count;
    pool.frame = survey_frame;
    pool.ended = survey_ended;
    for (size_t i = 0; i < count && result == 0; i++) {
        task_put_survey(&bodies[i], (uint32_t)i);
        tasks[i].body = buffer_slice(&bodies[i]);
    }
    if (result == 0)
        result = pool_run(&pool, tasks, count, session->options.interrupted);
    if (result == 0)
        result = session->failure;
    if (result == 0)
        result = complete_wanted(session);
    for (size_t i = 0; i < count && result == 0; i++)
        note_survey(session, i);
    for (size_t i = 0; i < count && bodies; i++)
        buffer_release(&bodies[i]);
    free(bodies);
    free(tasks);
    return result;
}

/* --- parsing --- */

/* --from and --to are of true time, as the timeline is: the clock's error is taken off first. */
static bool is_filtered(const struct session *session, const struct event *event, enum level level)
{
    const struct session_options *options = &session->options;

    if (level < options->least_level)
        return true;
    if (!instant_known(event->when))
        return false;
    const int64_t ticks = event->when.ticks - options->clock_skew * TICKS_PER_SECOND;
    return (instant_known(options->from) && ticks < options->from.ticks) ||
           (instant_known(options->to) && ticks > options->to.ticks);
}

static const char *basis_text(const struct session *session, const struct event *event, char *text,
                              size_t size)
{
    const struct host *host = &session->hosts[event->file->evidence];

    if (event->basis == BASIS_UTC)
        return "utc";
    if (event->basis == BASIS_UNKNOWN)
        return "unknown";
    snprintf(text, size, "local:%s", host->zone.name[0] ? host->zone.name : "unknown");
    return text;
}

static const char *marks_text(unsigned marks)
{
    static const char *const texts[] = {
        "",
        "repaired",
        "rejected",
        "repaired,rejected",
        "damaged",
        "damaged,repaired",
        "damaged,rejected",
        "damaged,repaired,rejected",
        "recovered",
        "recovered,repaired",
        "recovered,rejected",
        "recovered,repaired,rejected",
        "damaged,recovered",
        "damaged,recovered,repaired",
        "damaged,recovered,rejected",
        "damaged,recovered,repaired,rejected",
    };
    return texts[marks & 15];
}

/* Kinds whose time is that of their file's birth, where it is known. */
static bool is_told_by_birth(enum kind kind)
{
    static const enum kind kinds[] = {KIND_aspnet_page, KIND_aspnet_file, KIND_um_message,
                                      KIND_scheduled_task};

    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (kinds[i] == kind)
            return true;
    return false;
}

/* "File created ($FN)" is not true of a file system without $FILE_NAME, nor of a folder, which
 * keeps modification times only. */
static const char *time_meaning(const struct event *event)
{
    const struct file *file = event->file;

    if (!instant_known(event->when))
        return "no time recorded";
    if (event->kind != KIND_file_listed && event->kind != KIND_content_match)
        return is_told_by_birth(event->kind) && !instant_known(file->fn.created) &&
                       !instant_known(file->si.created)
                   ? "File modified"
                   : kind_time_meaning(event->kind);
    return instant_known(file->fn.created)   ? "File created ($FN)"
           : instant_known(file->si.created) ? "File created"
                                             : "File modified";
}

static char *time_text_of(struct session *session, const struct event *event)
{
    char iso[INSTANT_TEXT_SIZE];

    if (event->time_text.size || !instant_known(event->when))
        return arena_text(session->frame_arena, event->time_text);
    return arena_text(session->frame_arena, slice_of_text(instant_format(event->when, iso)));
}

/* Microseconds since 1970, with the clock's error taken off; 0 without a time. */
static int64_t timestamp_of(const struct session *session, const struct event *event)
{
    return instant_known(event->when)
               ? instant_to_unix_us(event->when) - session->options.clock_skew * 1000000
               : 0;
}

static void message_with_title(struct session *session, const struct event *event,
                               const struct rule *rule, const char *how)
{
    buffer_clear(&session->message);
    buffer_format(&session->message, "%s: ", rule->title);
    message_of(event, &session->message);
    if (how && *how)
        buffer_format(&session->message, " [%s]", how);
}

struct row_room {
    char basis[ZONE_NAME_SIZE + 8], entry[48];
};

/* What a row of the timeline says of an event, whatever rule it matched. `room` holds its texts; so
 * do the session's buffers, of which the message has to be made before. */
static struct case_indicator row_of(struct session *session, const struct wanted *wanted,
                                    const struct event *event, const char *sha256, bool raw_cut,
                                    struct row_room *room)
{
    const struct host *host = &session->hosts[wanted->file.evidence];

    buffer_clear(&session->fields);
    message_fields(event, &session->fields);
    return (struct case_indicator){
        .dated = instant_known(event->when),
        .timestamp = timestamp_of(session, event),
        .timestamp_desc = time_meaning(event),
        .time_text = time_text_of(session, event),
        .time_basis = basis_text(session, event, room->basis, sizeof room->basis),
        .message = buffer_text(&session->message),
        .host = host->computer.value ? host->computer.value : "",
        .artifact = artifact_number(wanted->artifact)->name,
        .path = wanted->windows_path,
        .evidence = name_of_evidence(session, wanted->file.evidence),
        .volume = wanted->file.volume,
        .snapshot = wanted->file.snapshot,
        .mft_entry = mft_entry_text(&wanted->file, room->entry),
        .offset = (int64_t)event->offset,
        .record = (int64_t)event->number,
        .raw = event->raw,
        .raw_cut = raw_cut,
        .raw_sha256 = sha256,
        .fields = buffer_text(&session->fields),
        .how = "",
        .marks = marks_text(event->marks),
    };
}

static int add_indicator(struct session *session, struct wanted *wanted, const struct event *event,
                         uint32_t rule_index, const char *how, const char *sha256, bool raw_cut)
{
    const struct rule *rule = rule_set_rule(session->options.rules, rule_index);
    struct row_room room;

    wanted->matched = true;
    if (is_filtered(session, event, rule->level)) {
        session->counts.filtered++;
        return 0;
    }
    message_with_title(session, event, rule, how);
    struct case_indicator row = row_of(session, wanted, event, sha256, raw_cut, &room);
    row.level = rule->level;
    row.rule = rule_index;
    row.how = how;
    session->counts.indicators[rule->level]++;
    session->counts.undated += !row.dated;
    session->progress.indicators++;
    return stored(session, case_add_indicator(session->file, task_key(session, wanted), &row));
}

static int frame_indicator(struct session *session, struct wanted *wanted, struct cursor *in)
{
    const uint32_t rule = wire_get_u32(in);
    const char *how = wire_get_text(in, session->frame_arena);
    wire_get_text(in, session->frame_arena); /* detail: stands in the event's "Matched" */
    const char *sha256 = wire_get_text(in, session->frame_arena);
    const bool raw_cut = wire_get_u8(in) != 0;
    struct event event = {.file = &wanted->file};

    if (cursor_failed(in) || !sha256 || rule >= rule_set_count(session->options.rules))
        return error_set("a malformed indicator");
    if (wire_get_event(in, session->frame_arena, &event) < 0)
        return -1;
    return add_indicator(session, wanted, &event, rule, how ? how : "", sha256, raw_cut);
}

static int add_context(struct session *session, const struct wanted *wanted,
                       const struct event *event, const char *sha256, bool raw_cut)
{
    struct row_room room;

    buffer_clear(&session->message);
    message_of(event, &session->message);
    const struct case_context row = {.event =
                                         row_of(session, wanted, event, sha256, raw_cut, &room)};
    return stored(session, case_add_context(session->file, "", &row));
}

static int frame_context(struct session *session, struct wanted *wanted, struct cursor *in)
{
    struct event event = {.file = &wanted->file};

    wire_get_u32(in); /* no rule, no way of matching */
    wire_get_text(in, session->frame_arena);
    wire_get_text(in, session->frame_arena);
    const char *sha256 = wire_get_text(in, session->frame_arena);
    const bool raw_cut = wire_get_u8(in) != 0;
    if (cursor_failed(in) || !sha256)
        return error_set("a malformed event");
    if (wire_get_event(in, session->frame_arena, &event) < 0)
        return -1;
    return instant_known(event.when) ? add_context(session, wanted, &event, sha256, raw_cut)
                                     : error_set("a malformed event: it has no time");
}

/* A fact's time is that of the event, not filtered: the verdict needs to know all. */
static int frame_fact(struct session *session, const struct wanted *wanted, struct cursor *in)
{
    struct event event = {.file = &wanted->file};
    char basis[ZONE_NAME_SIZE + 8], entry[48];

    if (wire_get_event(in, session->frame_arena, &event) < 0)
        return -1;
    buffer_clear(&session->message);
    message_of(&event, &session->message);
    buffer_clear(&session->fields);
    message_fields(&event, &session->fields);
    const struct case_fact row = {
        .kind = kind_name(event.kind),
        .dated = instant_known(event.when),
        .timestamp = timestamp_of(session, &event),
        .timestamp_desc = time_meaning(&event),
        .time_text = time_text_of(session, &event),
        .time_basis = basis_text(session, &event, basis, sizeof basis),
        .message = buffer_text(&session->message),
        .artifact = artifact_number(wanted->artifact)->name,
        .path = wanted->windows_path,
        .evidence = name_of_evidence(session, wanted->file.evidence),
        .volume = wanted->file.volume,
        .snapshot = wanted->file.snapshot,
        .mft_entry = mft_entry_text(&wanted->file, entry),
        .offset = (int64_t)event.offset,
        .record = (int64_t)event.number,
        .fields = buffer_text(&session->fields),
        .marks = marks_text(event.marks),
    };
    return stored(session, case_add_fact(session->file, wanted->key, &row));
}

/* --- correlations --- */

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

static struct wanted *find_key(const struct session *session, const char *key)
{
    const struct wanted sought = {.key = key};
    const struct wanted *pointer = &sought;
    struct wanted **found =
        bsearch(&pointer, session->by_key, session->wanted_count, sizeof(*session->by_key), by_key);

    return found ? *found : NULL;
}

static const char *path_of_key(void *context, const char *key)
{
    const struct wanted *wanted = find_key(context, key);

    return wanted ? wanted->windows_path : NULL;
}

static int correlation_found(void *context, size_t rule, const char *source,
                             const struct event *found, const char *sha256, bool raw_cut)
{
    struct session *session = context;
    struct wanted *wanted = find_key(session, source);
    struct event event = *found;

    if (!wanted)
        return error_set("a correlated event of an unknown file");
    arena_reset(session->frame_arena);
    event.file = &wanted->file;
    return add_indicator(session, wanted, &event, (uint32_t)rule, "", sha256, raw_cut);
}

static int correlation_notice(void *context, const char *text)
{
    return add_note(context, false, 0, NULL, "", 0, text);
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

static int frame_correlated(struct session *session, const struct wanted *wanted, struct cursor *in)
{
    const struct correlate correlate = correlate_of(session);
    const uint32_t rule = wire_get_u32(in);
    const char *sha256 = wire_get_text(in, session->frame_arena);
    const bool raw_cut = wire_get_u8(in) != 0;
    struct event event = {.file = &wanted->file};

    if (cursor_failed(in) || !sha256 || rule >= rule_set_count(session->options.rules))
        return error_set("a malformed correlated event");
    if (wire_get_event(in, session->frame_arena, &event) < 0)
        return -1;
    return stored(session, correlate_keep(&correlate, wanted->key, rule, &event, sha256, raw_cut));
}

static int evaluate_correlations(struct session *session)
{
    const struct correlate correlate = correlate_of(session);

    if (!session->options.rules)
        return 0;
    session->correlating = true;
    const int result = sort_by_key(session) < 0 ? -1 : correlate_run(&correlate);
    session->correlating = false;
    return result;
}

static void put_days(struct buffer *out, struct cursor *in, uint32_t count)
{
    enum {
        LAST_DAY = 3652059
    }; /* 9999-12-31, counted from year 1; more than any zero of time needs */
    struct json json = json_over(out, false);

    json_array(&json);
    for (uint32_t i = 0; i < count && !cursor_failed(in); i++) {
        char iso[INSTANT_TEXT_SIZE];
        const int64_t day = wire_get_u32(in);
        if (day > LAST_DAY)
            in->failed = true;
        else
            instant_format((struct instant){day * TICKS_PER_DAY + 1}, iso);
        if (!cursor_failed(in))
            json_slice(&json, slice_part(slice_of_text(iso), 0, 10));
    }
    json_array_end(&json);
}

static void put_hours(struct buffer *out, struct cursor *in, uint32_t count)
{
    for (uint32_t i = 0; i < count && !cursor_failed(in); i++)
        buffer_format(out, "%06x", wire_get_u32(in) & 0xFFFFFF);
}

static int frame_tally(struct session *session, const struct wanted *wanted, struct cursor *in)
{
    char first[INSTANT_TEXT_SIZE], last[INSTANT_TEXT_SIZE];
    struct case_coverage row = {
        .path = wanted->windows_path,
        .artifact = artifact_number(wanted->artifact)->name,
        .evidence = name_of_evidence(session, wanted->file.evidence),
        .volume = wanted->file.volume,
        .snapshot = wanted->file.snapshot,
    };

    row.bytes = (int64_t)wire_get_u64(in);
    row.records = (int64_t)wire_get_u64(in);
    row.used = (int64_t)wire_get_u64(in);
    row.repaired = (int64_t)wire_get_u64(in);
    row.rejected = (int64_t)wire_get_u64(in);
    row.backward = (int64_t)wire_get_u64(in);
    row.continuous = wire_get_u8(in) != 0;
    row.gaps = (int64_t)wire_get_u64(in);
    row.missing = (int64_t)wire_get_u64(in);
    row.first = instant_format((struct instant){(int64_t)wire_get_u64(in)}, first);
    row.last = instant_format((struct instant){(int64_t)wire_get_u64(in)}, last);
    const bool damaged = wire_get_u8(in) != 0;
    const uint32_t days = wire_get_u32(in);
    if (cursor_failed(in) || days > TALLY_DAYS)
        return error_set("a malformed account");
    buffer_clear(&session->fields);
    put_days(&session->fields, in, days);
    buffer_clear(&session->text);
    put_hours(&session->text, in, days);
    if (cursor_failed(in))
        return error_set("a malformed account");
    row.days = buffer_text(&session->fields);
    row.hours = buffer_text(&session->text);
    row.damage = damaged ? "[\"bytes of this file lie in a damaged part of the evidence\"]" : "[]";
    session->counts.files_read++;
    session->counts.damaged_files += damaged;
    session->counts.records += (uint64_t)row.records;
    session->counts.used += (uint64_t)row.used;
    session->counts.repaired += (uint64_t)row.repaired;
    session->counts.rejected += (uint64_t)row.rejected;
    session->counts.bytes += (uint64_t)row.bytes;
    return stored(session, case_add_coverage(session->file, wanted->key, &row));
}

static void set_times(const char *texts[4], const struct macb *times,
                      char room[4][INSTANT_TEXT_SIZE])
{
    texts[0] = instant_format(times->modified, room[0]);
    texts[1] = instant_format(times->accessed, room[1]);
    texts[2] = instant_format(times->changed, room[2]);
    texts[3] = instant_format(times->created, room[3]);
}

static const char *attributes_text(uint32_t attributes)
{
    static const char *const texts[] = {
        "",       "readonly",        "hidden",        "readonly hidden",
        "system", "readonly system", "hidden system", "readonly hidden system",
    };
    return texts[attributes & 7];
}

/* A line for the log: which file was opened, or copied, and where it lies in the evidence. */
static void tell_trail(struct session *session, const char *what, const struct wanted *wanted,
                       const char *more)
{
    const struct artifact *artifact = artifact_number(wanted->artifact);
    char entry[48];

    if (!session->options.trail)
        return;
    buffer_clear(&session->text);
    buffer_format(&session->text,
                  "%s %s (%s, volume %u, snapshot %u, entry %s, %" PRIu64 " bytes)%s%s%s", what,
                  wanted->windows_path, name_of_evidence(session, wanted->file.evidence),
                  wanted->file.volume, wanted->file.snapshot, mft_entry_text(&wanted->file, entry),
                  wanted->file.size, artifact ? " for " : "", artifact ? artifact->name : "", more);
    session->options.trail(session->options.context, buffer_text(&session->text));
}

static void tell_copied(struct session *session, const struct wanted *wanted,
                        const struct case_stored *row)
{
    const char *more = arena_format(session->frame_arena, "; to %s%s%s", row->stored,
                                    *row->sha256 ? ", SHA-256 " : "", row->sha256);

    tell_trail(session, "copied", wanted, more ? more : "");
}

/* A row of files.csv; digests and owner come next in the frame. */
static int add_stored(struct session *session, const struct wanted *wanted, struct cursor *in,
                      const char *path, bool damaged)
{
    char si[4][INSTANT_TEXT_SIZE], fn[4][INSTANT_TEXT_SIZE], entry[48];
    const struct artifact *artifact = artifact_number(wanted->artifact);
    struct case_stored row = {
        .path = wanted->windows_path,
        .evidence = name_of_evidence(session, wanted->file.evidence),
        .volume = wanted->file.volume,
        .snapshot = wanted->file.snapshot,
        .mft_entry = mft_entry_text(&wanted->file, entry),
        .size = (int64_t)wanted->file.size,
        .attributes = attributes_text(wanted->file.attributes),
        .stored = path,
        .why = artifact ? artifact->name : "",
        .damaged = damaged,
        .deleted = wanted->file.flags & FILE_DELETED,
    };

    row.md5 = wire_get_text(in, session->frame_arena);
    row.sha1 = wire_get_text(in, session->frame_arena);
    row.sha256 = wire_get_text(in, session->frame_arena);
    row.owner = wire_get_text(in, session->frame_arena);
    if (cursor_failed(in))
        return error_set("malformed digests");
    if (session->options.digested)
        session->options.digested(session->options.context, wanted->windows_path, row.deleted,
                                  row.sha256);
    set_times(row.si, &wanted->file.si, si);
    set_times(row.fn, &wanted->file.fn, fn);
    if (*path)
        tell_copied(session, wanted, &row);
    return session->file
               ? stored(session, case_add_stored(session->file, task_key(session, wanted), &row))
               : 0;
}

static int frame_rejected(struct session *session, const struct wanted *wanted, struct cursor *in)
{
    struct case_rejected row = {
        .path = wanted->windows_path,
        .artifact = artifact_number(wanted->artifact)->name,
        .evidence = name_of_evidence(session, wanted->file.evidence),
        .volume = wanted->file.volume,
        .snapshot = wanted->file.snapshot,
    };

    row.offset = (int64_t)wire_get_u64(in);
    row.record = (int64_t)wire_get_u64(in);
    row.raw_cut = wire_get_u8(in) != 0;
    row.raw = wire_get_slice(in);
    if (cursor_failed(in))
        return error_set("a malformed rejected record");
    return stored(session, case_add_rejected(session->file, wanted->key, &row));
}

static int frame_notice(struct session *session, const struct wanted *wanted, struct cursor *in)
{
    const uint64_t offset = wire_get_u64(in);
    const char *text = wire_get_text(in, session->frame_arena);

    return text ? add_note(session, false, wanted->file.evidence, wanted, "", offset, text) : -1;
}

static int parse_frame(void *context, size_t task, uint8_t type, struct slice body)
{
    struct session *session = context;
    struct wanted *wanted = &session->wanted[session->order[task]];
    struct cursor in = cursor_over(body, 0);

    arena_reset(session->frame_arena);
    switch (type) {
    case RESULT_INDICATOR:
        return frame_indicator(session, wanted, &in);
    case RESULT_FACT:
        return frame_fact(session, wanted, &in);
    case RESULT_CORRELATED:
        return frame_correlated(session, wanted, &in);
    case RESULT_TALLY:
        return frame_tally(session, wanted, &in);
    case RESULT_REJECTED:
        return frame_rejected(session, wanted, &in);
    case RESULT_DIGESTS:
        return add_stored(session, wanted, &in, "", false);
    case RESULT_NOTICE:
        return frame_notice(session, wanted, &in);
    case RESULT_UNREAD:
        return frame_unread(session, wanted->file.evidence, wanted, &in);
    case RESULT_DAMAGE:
        return frame_damage(session, wanted->file.evidence, &in);
    default:
        return error_set("a result of unknown kind %u", type);
    }
}

static void parse_ended(void *context, size_t task, const char *problem)
{
    struct session *session = context;
    const struct wanted *wanted = &session->wanted[session->order[task]];

    session->progress.tasks_done++;
    session->progress.current = wanted->windows_path;
    tell_trail(session, is_mailbox_store(wanted->file.path) ? "listed, not opened:" : "opened",
               wanted, "");
    if (problem) {
        add_note(session, true, wanted->file.evidence, wanted, "", 0, problem);
        buffer_clear(&session->text);
        buffer_format(&session->text, "%s was not read in full: %s", wanted->windows_path, problem);
        tell(session, buffer_text(&session->text));
    }
    stored(session, case_task_done(session->file, wanted->key));
}

static int mark_matched(void *context, const char *key)
{
    struct session *session = context;

    for (size_t i = 0; i < session->wanted_count; i++)
        if (strcmp(session->wanted[i].key, key) == 0)
            session->wanted[i].matched = true;
    return 0;
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

/* Makes the tasks of a stage from session->order. */
static int run_tasks(struct session *session, struct pool *pool, size_t count, enum task_kind kind)
{
    struct pool_task *tasks = calloc(count + 1, sizeof *tasks);
    struct buffer bodies = BUFFER_EMPTY;
    size_t *starts = calloc(count + 1, sizeof *starts);
    int result = tasks && starts ? 0 : error_set("out of memory");

    name_artifacts(session, kind == TASK_COPY ? 0 : count);
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
    return result == 0 ? session->failure : result;
}

/* What a run that is resumed has found already counts, too. */
static int add_earlier_counts(struct session *session)
{
    struct session_counts *counts = &session->counts;
    struct case_counts earlier;

    if (case_count(session->file, &earlier) < 0)
        return -1;
    for (size_t i = 0; i <= LEVEL_CRITICAL; i++) {
        counts->indicators[i] += earlier.indicators[i];
        session->progress.indicators += earlier.indicators[i];
    }
    counts->undated += earlier.undated;
    counts->notices += earlier.notices;
    counts->files_read += earlier.files;
    counts->bytes += earlier.bytes;
    counts->records += earlier.records;
    counts->used += earlier.used;
    counts->repaired += earlier.repaired;
    counts->rejected += earlier.rejected;
    return 0;
}

int session_parse(struct session *session, struct case_file *file)
{
    size_t count = 0;

    session->file = file;
    if (add_earlier_counts(session) < 0)
        return -1;
    free(session->order);
    session->order = calloc(session->wanted_count + 1, sizeof *session->order);
    if (!session->order)
        return error_set("out of memory");
    if (case_each_matched_task(file, mark_matched, session) < 0)
        return -1;
    for (size_t i = 0; i < session->wanted_count; i++)
        if (!case_task_is_done(file, session->wanted[i].key))
            session->order[count++] = i;
    struct pool pool = pool_for(session, STAGE_PARSE, count);
    pool.frame = parse_frame;
    pool.ended = parse_ended;
    const int result = run_tasks(session, &pool, count, TASK_PARSE);
    return result == 0 ? evaluate_correlations(session) : result;
}

/* --- context --- */

static int context_frame(void *context, size_t task, uint8_t type, struct slice body)
{
    struct session *session = context;
    struct wanted *wanted = &session->wanted[session->order[task]];
    struct cursor in = cursor_over(body, 0);

    arena_reset(session->frame_arena);
    switch (type) {
    case RESULT_CONTEXT:
        return frame_context(session, wanted, &in);
    case RESULT_NOTICE:
        return frame_notice(session, wanted, &in);
    case RESULT_DAMAGE:
        return frame_damage(session, wanted->file.evidence, &in);
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
    if (problem)
        add_note(session, true, wanted->file.evidence, wanted, "", 0, problem);
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
    if (case_each_time(file, add_window, session) < 0)
        return -1;
    free(session->order);
    session->order = calloc(session->wanted_count + 1, sizeof *session->order);
    if (!session->order)
        return error_set("out of memory");
    for (size_t i = 0; i < session->wanted_count && session->windows.count; i++)
        if (artifact_number(session->wanted[i].artifact)->context)
            session->order[count++] = i;
    session->setup.windows = &session->windows;
    struct pool pool = pool_for(session, STAGE_CONTEXT, count);
    pool.frame = context_frame;
    pool.ended = context_ended;
    return run_tasks(session, &pool, count, TASK_CONTEXT);
}

/* --- copying --- */

static int copy_frame(void *context, size_t task, uint8_t type, struct slice body)
{
    struct session *session = context;
    const struct wanted *wanted = &session->wanted[session->order[task]];
    struct cursor in = cursor_over(body, 0);

    arena_reset(session->frame_arena);
    if (type == RESULT_UNREAD)
        return frame_unread(session, wanted->file.evidence, wanted, &in);
    if (type == RESULT_DAMAGE)
        return frame_damage(session, wanted->file.evidence, &in);
    if (type == RESULT_NOTICE)
        return frame_notice(session, wanted, &in);
    if (type != RESULT_COPIED)
        return error_set("a result of unknown kind %u", type);
    session->counts.bytes += wire_get_u64(&in);
    const bool damaged = wire_get_u8(&in) != 0;
    session->counts.files_copied++;
    return add_stored(session, wanted, &in, session->outputs[task] + session->case_prefix, damaged);
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
    add_note(session, true, wanted->file.evidence, wanted, "", 0, problem);
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
    const struct artifact *artifact = artifact_number(wanted->artifact);

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
    struct pool pool = pool_for(session, STAGE_COPY, count);
    for (size_t i = 0; i < count; i++) {
        const struct wanted *wanted = &session->wanted[session->order[i]];
        session->outputs[i] = name_set_add(names, &session->hosts[wanted->file.evidence],
                                           session->options.evidence_count, &wanted->file);
        if (!session->outputs[i])
            return -1;
    }
    pool.frame = copy_frame;
    pool.ended = copy_ended;
    return run_tasks(session, &pool, count, TASK_COPY);
}

/* --- verification --- */

static int frame_verified(struct session *session, size_t evidence, struct cursor *in)
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
    session->failure = -1;
    return error_set("'%s' cannot be verified: %s", session->options.evidence[evidence], why);
}

static int verify_frame(void *context, size_t task, uint8_t type, struct slice body)
{
    struct session *session = context;
    const size_t evidence = session->order[task];
    struct cursor in = cursor_over(body, 0);

    arena_reset(session->frame_arena);
    switch (type) {
    case RESULT_VERIFY_PROGRESS:
        wire_get_u64(&in);
        session->progress.bytes_all = wire_get_u64(&in);
        return 0;
    case RESULT_DAMAGE:
        return frame_damage(session, evidence, &in);
    case RESULT_VERIFIED:
        return frame_verified(session, evidence, &in);
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

    session->progress.tasks_done++;
    if (problem)
        verify_failed(session, session->order[task], problem);
}

/* A folder has no container: there is nothing to compare. Before a survey nothing is known, so all
 * are tried. */
static size_t choose_images(struct session *session)
{
    size_t count = 0;

    for (size_t i = 0; i < session->options.evidence_count; i++) {
        const struct inventory *inventory = &session->items[i].inventory;
        if (!inventory->path || inventory->shape == EVIDENCE_IMAGE)
            session->order[count++] = i;
        else
            tell(session, "a folder or a single file stores no hash: there is nothing to verify");
    }
    return count;
}

int session_verify(struct session *session)
{
    const size_t most = session->options.evidence_count;
    struct pool_task *tasks = calloc(most + 1, sizeof *tasks);
    struct buffer body = BUFFER_EMPTY;

    free(session->order);
    session->order = calloc(most + 1, sizeof *session->order);
    if (!tasks || !session->order) {
        free(tasks);
        return error_set("out of memory");
    }
    const size_t count = choose_images(session);
    struct pool pool = pool_for(session, STAGE_VERIFY, count);
    pool.jobs = pool.jobs ? 1 : 0;
    pool.timeout_seconds = VERIFY_TIMEOUT;
    pool.start = start_verifier;
    pool.frame = verify_frame;
    pool.ended = verify_ended;
    for (size_t i = 0; i < count; i++)
        task_put_verify(&body, (uint32_t)session->order[i]);
    for (size_t i = 0; i < count; i++)
        tasks[i].body = slice_part(buffer_slice(&body), i * (body.size / count), body.size / count);
    const int result = pool_run(&pool, tasks, count, session->options.interrupted);
    buffer_release(&body);
    free(tasks);
    return result == 0 ? session->failure : result;
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
