/*
 * The case: one SQLite file (its only home), from which every output is written. While a run goes
 * on rows are collected in case.db.partial in the order in which they arrive; case_finish() sorts
 * them into case.db, so that the same evidence and rules give the same bytes whatever the workers
 * did first. Texts in rows are borrowed.
 */
#ifndef TRIAGE_CASE_CASE_H
#define TRIAGE_CASE_CASE_H

#include "triage/base/buffer.h"

struct case_file;

/* PRAGMA application_id ("extr") and user_version of case.db. */
enum { CASE_APPLICATION_ID = 0x65787472, CASE_SCHEMA_VERSION = 4 };

struct case_rule {
    int64_t index; /* as indicators name it */
    const char *name, *id, *title, *language, *level, *confidence, *author, *tags /* JSON list */,
        *path, *sha256, *state, *reason;
    int64_t line;
};

struct case_indicator {
    bool dated;
    int64_t timestamp; /* microseconds since 1970 UTC */
    const char *timestamp_desc, *time_text, *time_basis, *message;
    int64_t level, rule;
    const char *host, *artifact, *path, *evidence;
    int64_t volume, snapshot;
    const char *mft_entry;
    int64_t offset, record;
    struct slice raw;
    bool raw_cut;
    const char *raw_sha256, *fields /* JSON object */, *how, *marks;
    const char *from_case; /* only of a fleet: which case it is of */
};

struct case_coverage {
    const char *path, *artifact, *evidence;
    int64_t volume, snapshot, bytes, records, used, repaired, rejected, backward;
    bool continuous;       /* a log that is written all the time */
    int64_t gaps, missing; /* jumps of the record numbers, and numbers that they skip */
    int64_t notices_left, facts_left, rejected_left; /* that were too many to be kept */
    const char *first, *last, *days /* JSON list of YYYY-MM-DD */,
        *hours /* of each of the days, six hexadecimal digits: bit h for records of that hour */,
        *damage /* JSON list of texts */;
};

struct case_rejected { /* a record that could not be split, as it is */
    const char *path, *artifact, *evidence;
    int64_t volume, snapshot, offset, record;
    struct slice raw;
    bool raw_cut;
};

struct case_fact { /* an event that is kept though no rule need match it */
    const char *kind;
    bool dated;
    int64_t timestamp; /* microseconds since 1970 UTC */
    const char *timestamp_desc, *time_text, *time_basis, *message;
    const char *artifact, *path, *evidence;
    int64_t volume, snapshot;
    const char *mft_entry;
    int64_t offset, record;
    const char *fields /* JSON object */, *marks;
};

struct case_note { /* something not read, or a notice */
    const char *evidence;
    int64_t volume, snapshot;
    const char *path, *artifact;
    int64_t offset;
    const char *text;
};

struct case_stored { /* a line of files.csv */
    const char *path, *evidence;
    int64_t volume, snapshot;
    const char *mft_entry;
    int64_t size;
    const char *attributes, *owner;
    const char *si[4], *fn[4]; /* modified, accessed, changed, created; "" when unknown */
    const char *md5, *sha1, *sha256;
    const char *stored; /* path below the case folder, "" when it is only listed */
    const char *why;    /* artifacts that wanted it, comma separated */
    bool damaged, deleted;
};

/* An event that a correlation rests on; only while collecting. */
struct case_correlated {
    int64_t correlation, rule; /* numbers of rules */
    int64_t skipped;           /* not 0: it has no time (1) or no value to group by (2) */
    const char *grp;           /* the values it is grouped by, in lower case */
    int64_t ticks;
    const char *value;  /* what is counted or added up */
    const char *shown;  /* the values it is grouped by, as they are */
    const char *source; /* key of the task that read it */
    int64_t offset, record, basis, marks;
    const char *time_text;
    struct slice raw;
    bool raw_cut;
    const char *raw_sha256;
};

/* An event of the file system from around an indicator; no rule matched it. */
struct case_context {
    struct case_indicator event; /* dated; level and rule mean nothing */
    int64_t near; /* row of the indicator that it is nearest to; set by case_finish() */
};

/* A range of the medium that cannot be trusted; only while collecting. */
struct case_damage {
    int64_t item; /* of the evidence */
    int64_t offset, size;
    const char *why;
};

/* A task that is done, and what the caller wants to know of it when the case is resumed. */
struct case_task {
    const char *key;
    struct slice note;
};

/* How many rows of each table were there. */
struct case_mark {
    int64_t rows[16];
};

enum case_mode { CASE_NEW, CASE_CLOBBER, CASE_RESUME };

/* Makes the folder and the partial database; refuses a folder that holds anything unless told to
 * clobber (only what a case is made of is removed then) or to resume. */
int case_create(const char *folder, enum case_mode mode, struct case_file **out);
/* Takes back a new case that holds nothing, and closes it: its files go, and its folder when it was
 * made for it. */
void case_discard(struct case_file *file);
/* A finished case, read-only. */
int case_open(const char *folder, struct case_file **out);
/* Another handle on a finished case that is open, for another thread: it is not checked again. */
int case_open_again(const struct case_file *open, struct case_file **out);
/* The joined cases in a folder (fleet.h), read-only: what reads rows of a case reads theirs. */
int case_open_fleet(const char *folder, struct case_file **out);
bool case_is_fleet(const struct case_file *file);
void case_close(struct case_file *file);
const char *case_folder(const struct case_file *file);

/* Collecting. Rows belong to the task (a key of the caller's) that found them, "" for none; rows of
 * a task that was not done are dropped when a case is resumed. */
bool case_task_is_done(struct case_file *file, const char *key);
int case_task_done(struct case_file *file, const struct case_task *task);
/* Calls `visit` with each task that is done. */
int case_each_task(struct case_file *file,
                   int (*visit)(void *context, const struct case_task *task), void *context);
void case_mark(const struct case_file *file, struct case_mark *mark);
/* Drops what the task has stored since the mark (NULL: since ever), and that it was done. */
int case_forget(struct case_file *file, const char *key, const struct case_mark *since);
/* Likewise of all tasks whose keys begin with `kind`, which ends in a colon. */
int case_forget_kind(struct case_file *file, const char *kind);
/* Calls `visit` with each row of a copy, and the task that made it. */
int case_each_copy(struct case_file *file,
                   int (*visit)(void *context, const char *task, const struct case_stored *row),
                   void *context);
int case_add_rule(struct case_file *file, const struct case_rule *row);
int case_add_indicator(struct case_file *file, const char *task, const struct case_indicator *row);
int case_add_coverage(struct case_file *file, const char *task, const struct case_coverage *row);
int case_add_rejected(struct case_file *file, const char *task, const struct case_rejected *row);
int case_add_fact(struct case_file *file, const char *task, const struct case_fact *row);
int case_add_context(struct case_file *file, const char *task, const struct case_context *row);
int case_add_unread(struct case_file *file, const char *task, const struct case_note *row);
int case_add_notice(struct case_file *file, const char *task, const struct case_note *row);
int case_add_stored(struct case_file *file, const char *task, const struct case_stored *row);
int case_add_correlated(struct case_file *file, const char *task,
                        const struct case_correlated *row);
int case_add_damage(struct case_file *file, const char *task, const struct case_damage *row);
int case_each_damage(struct case_file *file,
                     int (*visit)(void *context, const struct case_damage *row), void *context);
/* Sorted on disk; to be called once all tasks are done, before the three below. */
int case_index_correlated(struct case_file *file);
/* Whether case_each_correlated would show a row. */
bool case_has_correlated(struct case_file *file, int64_t correlation);
/* The rows of one correlation, group by group, each group in the order of time. */
int case_each_correlated(struct case_file *file, int64_t correlation,
                         int (*visit)(void *context, int64_t id, const struct case_correlated *row),
                         void *context);
int case_correlated_at(struct case_file *file, int64_t id,
                       int (*visit)(void *context, int64_t id, const struct case_correlated *row),
                       void *context);
/* How many rows were skipped, by correlation, rule and why. */
int case_count_skipped(struct case_file *file,
                       int (*visit)(void *context, const struct case_correlated *row,
                                    uint64_t count),
                       void *context);
/* How the names of documents begin that only serve the run at work: they do not become part of the
 * finished case. */
#define CASE_RUN_DOCUMENT "run at work"
/* Only in a case that was written when its run was interrupted: {"stage", "files_read",
 * "files_wanted", "sentence"}. */
#define CASE_INTERRUPTED_DOCUMENT "interrupted"
int case_set_document(struct case_file *file, const char *name, struct slice body);
/* Calls `visit` with the time of each dated indicator so far, in order, each once. */
int case_each_time(struct case_file *file, int (*visit)(void *context, int64_t timestamp),
                   void *context);
/* Writes what was collected to disk, so that an interrupted run can be resumed. */
int case_flush(struct case_file *file);
/* Sorts all rows into case.db; the handle then reads it. Before the new database takes its place
 * `complete` (may be NULL) is called: it may read all rows in their order and set documents; what
 * it gives back is the result. case.db.partial stays: until case_conclude() the run can be resumed.
 */
int case_finish(struct case_file *file, int (*complete)(void *context, struct case_file *file),
                void *context);
/* Waits until all that was written to the case folder is on the disk, then removes
 * case.db.partial. */
int case_conclude(struct case_file *file);

/* Reading a finished case, in order. A callback's non-zero ends the walk and is given back. */
int case_each_indicator(struct case_file *file, bool dated,
                        int (*visit)(void *context, const struct case_indicator *row,
                                     const struct case_rule *rule),
                        void *context);
int case_each_rule(struct case_file *file, int (*visit)(void *context, const struct case_rule *row),
                   void *context);
int case_each_coverage(struct case_file *file,
                       int (*visit)(void *context, const struct case_coverage *row), void *context);
/* In the order of time, each with the indicator that it is nearest to. */
int case_each_context(struct case_file *file,
                      int (*visit)(void *context, const struct case_context *row,
                                   const struct case_indicator *near, const struct case_rule *rule),
                      void *context);
int case_each_fact(struct case_file *file, int (*visit)(void *context, const struct case_fact *row),
                   void *context);
int case_each_unread(struct case_file *file,
                     int (*visit)(void *context, const struct case_note *row), void *context);
int case_each_notice(struct case_file *file,
                     int (*visit)(void *context, const struct case_note *row), void *context);
int case_each_stored(struct case_file *file,
                     int (*visit)(void *context, const struct case_stored *row), void *context);
/* The document's text in `body` (cleared first); false when there is none. */
bool case_document(struct case_file *file, const char *name, struct buffer *body);
/* Calls `change` with each text of the rows and documents, but for those of the rules; it appends
 * what shall stand there instead and gives 1, or 0 when it stays, or -1 with error_text. Only from
 * within case_finish. case_compact then leaves nothing of what was changed in the file. */
int case_rewrite(struct case_file *file,
                 int (*change)(void *context, const char *table, const char *column,
                               struct slice text, struct buffer *out),
                 void *context);
int case_compact(struct case_file *file);
/* Rows of a SELECT over the tables and views of a finished case (schema.sql) as texts, NULL for
 * NULL; at most CASE_CELLS_MOST columns. */
enum { CASE_CELLS_MOST = 32 };
int case_query(struct case_file *file, const char *sql,
               int (*visit)(void *context, const char *const *cells), void *context);

#endif
