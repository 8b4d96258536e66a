/*
 * What the parts of a session share; for triage/engine/session*.c only. Functions named take_ read
 * one result of a worker, which may be hostile, and keep what it says.
 */
#ifndef TRIAGE_ENGINE_SESSION_PARTS_H
#define TRIAGE_ENGINE_SESSION_PARTS_H

#include "artifacts/artifact.h"
#include "triage/engine/exchange_builds.h"
#include "triage/engine/session.h"

/* A copy that was made while the file was parsed. */
struct early_copy {
    const char *path;
    struct slice told; /* what the worker says of it, as RESULT_COPIED */
};

/* A file that an artifact (or the user) wants. */
struct wanted {
    struct file file;
    uint32_t artifact; /* NO_ARTIFACT for the user's own globs */
    const char *windows_path, *key;
    bool matched;       /* an indicator came of it */
    bool copied;        /* before the run was resumed */
    const char *output; /* path of its copy; NULL while none is planned */
    const struct early_copy *early;
    uint32_t notices, facts, rejected, unread, tallies; /* results of its task so far */
};

struct item {                   /* one evidence item */
    struct inventory inventory; /* until a survey has told: only the path */
    bool surveyed;
    struct host host;
    struct damage *damage;
    size_t damage_count, damage_room;
    struct verified verified;
};

/* What a task at work has given so far. It counts when the task has ended; when it is run again it
 * is forgotten. */
struct attempt {
    bool open, matched;
    size_t task;
    const struct early_copy *early;
    struct buffer key; /* of its rows */
    struct case_mark mark;
    struct session_counts counts;
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
    const char *early_folder; /* NULL: no copies are made early */
    size_t case_prefix;       /* bytes of an output's path up to the case folder's content */
    struct session_counts counts;
    struct attempt *attempts; /* as many as there are workers, with the one that verifies */
    size_t attempt_count;
    struct attempt *attempt; /* of the task whose result is at hand; NULL outside of tasks */
    struct verifying {       /* beside the other stages */
        struct pool_beside *beside;
        struct pool_task *tasks;
        struct buffer *bodies; /* of the tasks */
        struct buffer *points; /* likewise: from where to go on */
        size_t *items;         /* of evidence, by task */
        size_t count;
    } verifying;
    struct progress progress;
    struct buffer message, fields, text;
    struct exchange_builds builds;
    struct wanted **by_key;      /* sorted by key */
    struct time_windows windows; /* of context */
    int failure;                 /* the case could not be written: `failure_text` tells why */
    char *failure_text;
};

/* --- session.c --- */

/* For a person, at once. */
void session_tell(struct session *session, const char *text);
/* NULL for a number that no artifact has. */
const struct artifact *session_artifact(uint32_t number);
/* The file's name, or the whole path where another item has the same name. */
const char *session_evidence_name(const struct session *session, size_t index);
/* Gives `result` back; the case could not be written when it is negative, and the stage fails. */
int session_stored(struct session *session, int result);
/* The task that a row belongs to: "" outside of tasks, which is done again when a case is resumed.
 */
const char *session_task_key(const struct session *session);
/* Where something is counted. */
struct session_counts *session_counting(struct session *session);
/* A row of what was not read, or a notice. `wanted` may be NULL: then `path` tells where. */
int session_add_note(struct session *session, bool unread, size_t evidence,
                     const struct wanted *wanted, const char *path, uint64_t offset,
                     const char *text);
int session_take_unread(struct session *session, size_t evidence, const struct wanted *wanted,
                        struct cursor *in);
/* A pool for a stage, without its callbacks for results. */
struct pool session_pool(struct session *session, enum stage stage, size_t tasks);
/* Makes the tasks of a stage from session->order and runs them. */
int session_run_tasks(struct session *session, struct pool *pool, size_t count,
                      enum task_kind kind);

/* --- session_tasks.c --- */

/* A result of the task is at hand: `kind` ("" or "copy:") and `name` are its key. */
int session_at_work(struct session *session, size_t task, const char *kind, const char *name);
/* The task is done: what it gave counts. session_keep: and it is not done again when the run is
 * resumed. */
void session_count(struct session *session);
int session_keep(struct session *session);
/* The task will be run again. */
int session_forget(struct session *session);
/* Back outside of tasks. */
void session_rest(struct session *session);
/* What tasks of that kind have given before the run was resumed. `visit` (may be NULL) is told the
 * name of each, and whether it matched. */
int session_recall(struct session *session, const char *kind,
                   int (*visit)(struct session *session, const char *name, bool matched));

/* --- session_copy.c --- */

/* Is the file copied into the case? */
bool session_is_copied(const struct session *session, const struct wanted *wanted);

/* --- session_early.c --- */

/* The pool's workers copy what they hold in memory while they parse it. */
void session_begin_early(struct session *session, struct pool *pool);
/* The task at hand is done: is its copy one to keep? */
void session_keep_early(struct session *session, struct wanted *wanted, bool good);
/* Gives the copy its place; false when there is none (any more). */
bool session_place_early(struct wanted *wanted);
/* Removes what found no place. */
void session_end_early(struct session *session);

/* --- session_damage.c --- */

/* Ranges that an earlier part of the run has met. */
int session_recall_damage(struct session *session);

/* Ranges are kept in their order and joined, so that it does not matter which worker met them
 * first. */
int session_add_damage(struct session *session, size_t evidence, uint64_t offset, uint64_t size,
                       const char *why);
int session_take_damage(struct session *session, size_t evidence, struct cursor *in);

/* --- session_limits.c: what a worker may say and cost; one that was taken over says anything ---
 */

void session_limit_survey(struct pool_task *task);
/* From its weight; a task with an output raises what copies may reach. */
void session_limit_task(struct session *session, struct pool_task *task);
/* Does the file lie on a volume of its own item, in a shadow copy that this volume has? */
bool session_is_known_volume(const struct inventory *inventory, const struct file *file);
/* -1 when it is one more than a file can have. */
int session_count_result(struct wanted *wanted, uint8_t type);
/* The event of a result, which lies in the task's file; -1 with error_text. */
int session_get_event(struct session *session, const struct wanted *wanted, struct cursor *in,
                      struct event *event);
/* --- session_survey.c --- */

/* No survey has told of the evidence (yet, or any more): its path stands in for the inventory. */
void session_describe_unsurveyed(struct session *session, size_t evidence);
/* NULL when no wanted file has that key. */
struct wanted *session_find_key(const struct session *session, const char *key);

/* --- session_verify.c --- */

/* Ends what verifies, wherever it is. */
void session_stop_verifying(struct session *session);

/* --- session_rows.c --- */

int session_add_indicator(struct session *session, struct wanted *wanted, const struct event *event,
                          uint32_t rule_index, const char *how, const char *sha256, bool raw_cut);
int session_take_indicator(struct session *session, struct wanted *wanted, struct cursor *in);
int session_take_context(struct session *session, struct wanted *wanted, struct cursor *in);
int session_take_fact(struct session *session, const struct wanted *wanted, struct cursor *in);
int session_take_tally(struct session *session, const struct wanted *wanted, struct cursor *in);
int session_take_rejected(struct session *session, const struct wanted *wanted, struct cursor *in);
int session_take_notice(struct session *session, const struct wanted *wanted, struct cursor *in);
/* A row of files.csv; digests and owner come next in the frame. `path` is below the case folder, ""
 * when the file is only listed. */
int session_take_stored(struct session *session, const struct wanted *wanted, struct cursor *in,
                        const char *path, bool damaged);
/* A line for the log: which file was opened, or copied, and where it lies in the evidence. */
void session_tell_trail(struct session *session, const char *what, const struct wanted *wanted,
                        const char *more);

#endif
