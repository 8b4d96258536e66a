/*
 * One run over evidence, as the parent sees it: survey, plan, parse, copy, verify. The parent never
 * looks at evidence bytes: it hands out tasks, checks what comes back and stores it in the case.
 */
#ifndef TRIAGE_ENGINE_SESSION_H
#define TRIAGE_ENGINE_SESSION_H

#include "triage/case/case.h"
#include "triage/engine/inventory.h"
#include "triage/engine/worker.h"

struct session;

enum stage { STAGE_SURVEY, STAGE_PARSE, STAGE_CONTEXT, STAGE_COPY, STAGE_VERIFY };

struct progress {
    enum stage stage;
    uint64_t bytes_done, bytes_all; /* of evidence content, in this stage */
    size_t tasks_done, tasks_all;
    const char *current; /* Windows path of what ended last; "" at first */
    uint64_t indicators;
};

struct session_options {
    const char *const *evidence;
    size_t evidence_count;
    struct rule_set *rules;   /* NULL: nothing is matched */
    const char *rules_folder; /* where exchange_builds.tsv lies; "" for none */
    unsigned jobs;            /* 0: everything in this process */
    unsigned timeout_seconds; /* of a worker that says nothing */
    struct instant from, to;  /* INSTANT_NONE: open; undated indicators are always kept */
    enum level least_level;
    int64_t clock_skew;         /* seconds to subtract from the host's times */
    const char *const *globs;   /* extract: these paths instead of the artifacts' */
    bool take_deleted, no_hash; /* extract */
    bool take_all;              /* extract: also what artifacts want but do not keep */
    bool no_copies;             /* session_copy is not going to be called */
    struct snapshot_choice snapshots;
    const struct bitlocker_keys *keys; /* may be NULL; has to outlive the session */
    unsigned context_minutes;          /* around each indicator; 0: none */
    bool carve;                        /* also artifacts that take long */
    bool survey_only;                  /* info */
    bool scan_all;                     /* content rules over all files */
    const struct known_good *known;    /* may be NULL */
    const char *only;                  /* name of the one artifact that is wanted; NULL: all */
    volatile int *interrupted;         /* set by a signal handler */
    void *context;
    void (*progress)(void *context, const struct progress *progress);
    /* May be NULL: the hashes of a file, as they come. */
    void (*digested)(void *context, const char *path, bool deleted, const char *sha256);
    void (*notice)(void *context, const char *text); /* what a person should know at once */
    void (*trail)(void *context, const char *text);  /* each file that was opened, each copy; may be
                                                        NULL */
};

struct verified {
    bool done;
    struct verification result; /* damage is in session_damage */
};

struct session_counts {
    uint64_t files_listed, entries_unreadable, unrecognised; /* of the listing */
    uint64_t files_wanted, files_read, files_unread, files_copied;
    uint64_t records, used, repaired, rejected;
    uint64_t indicators[LEVEL_CRITICAL + 1], undated, filtered, damaged_files, notices;
    uint64_t bytes;
};

int session_new(const struct session_options *options, struct session **out);
void session_free(struct session *session);

/* Each gives 0, 1 when it was interrupted, -1 with error_text. `file` may be NULL where nothing is
 * to be stored (info). */
int session_survey(struct session *session, struct case_file *file);
int session_parse(struct session *session, struct case_file *file);
/* Reads the file systems' tables and journals again for what happened around the indicators. */
int session_context(struct session *session, struct case_file *file);
/* Copies what artifacts keep and what gave indicators (or what the globs wanted) to "files" in the
 * case folder. */
int session_copy(struct session *session, struct case_file *file);
/* Begins to verify while the other stages go on, once the survey is done: the image is read about
 * once, and no core idles. session_verify then waits for the rest. Not needed. */
int session_verify_begin(struct session *session);
int session_verify(struct session *session);
/* When a stage was interrupted: `why` stands among what was not read, and what was not surveyed is
 * described as such. */
int session_note_rest(struct session *session, const char *why);

const struct inventory *session_inventory(const struct session *session, size_t evidence);
const struct host *session_host(const struct session *session, size_t evidence);
const struct damage *session_damage(const struct session *session, size_t evidence, size_t *count);
const struct verified *session_verified(const struct session *session, size_t evidence);
const struct session_counts *session_counts(const struct session *session);
/* True when evidence could not be read in full: damage, unread files, volumes that cannot be read.
 */
bool session_incomplete(const struct session *session);
/* True when a stored hash is not the computed one though every byte could be read. */
bool session_hash_differs(const struct session *session);

#endif
