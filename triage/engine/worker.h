/*
 * What a worker does: survey an evidence item and say which files are wanted, parse a file, copy a
 * file out, verify an image. Tasks and results are plain bytes; this header is the whole protocol
 * between the parent and its workers.
 */
#ifndef TRIAGE_ENGINE_WORKER_H
#define TRIAGE_ENGINE_WORKER_H

#include "triage/engine/pool.h"
#include "triage/engine/time_windows.h"
#include "triage/evidence/bitlocker.h"
#include "triage/evidence/snapshot.h"
#include "triage/match/known_good.h"
#include "triage/match/rules.h"
#include "triage/record/file.h"
#include "triage/record/host.h"

enum task_kind { TASK_SURVEY, TASK_PARSE, TASK_COPY, TASK_VERIFY, TASK_CONTEXT };

/* Results; each body begins at once with what is named here, written with triage/record/wire.h. */
enum result_kind {
    RESULT_INVENTORY = 1, /* inventory */
    RESULT_HOST,          /* host */
    RESULT_WANTED,        /* u32 artifact (or NO_ARTIFACT), file */
    RESULT_LISTED_COUNT,  /* u64 entries listed, u64 unreadable ones, u64 not recognised */
    RESULT_INDICATOR, /* u32 rule, text how, text detail, text SHA-256 of the record, u8 whether raw
                         is cut, event */
    RESULT_CONTEXT,   /* as RESULT_INDICATOR, without a rule */
    RESULT_CORRELATED, /* u32 rule, text SHA-256 of the record, u8 whether raw is cut, event: one
                          that correlations rest on, with the values they want */
    RESULT_TALLY,      /* tally: see worker_put_tally */
    RESULT_NOTICE,     /* u64 offset, text; from a survey also text path */
    RESULT_UNREAD,     /* text path (of a survey; else it is the task's file), text why */
    RESULT_DIGESTS,    /* text md5, sha1, sha256, owner: of the task's file */
    RESULT_COPIED,   /* u64 bytes, u8 damaged, text md5, sha1, sha256, owner; likewise what is told
                        of a blank (pool.h) that a parse task has filled */
    RESULT_DAMAGE,   /* u64 offset, u64 size, text why: of the medium */
    RESULT_REJECTED, /* u64 offset, u64 record, u8 whether cut, slice raw */
    RESULT_VERIFIED, /* verification: see put_verification */
    RESULT_VERIFY_PROGRESS, /* u64 done, u64 all */
    RESULT_VERIFY_POINT,    /* slice: see struct verify_options */
    RESULT_UNWRITTEN,       /* text why: the copy cannot be written */
    RESULT_FACT,            /* event, without its raw bytes */
};

enum { NO_ARTIFACT = UINT32_MAX, RAW_CEILING = 4096 };
enum { COPIED_EARLY_MOST = 1 << 30 }; /* bytes of a file that is copied while it is parsed */
/* Kept of one file; how many more there were is a notice. */
enum { MOST_NOTICES = 1000, MOST_REJECTED = 10000, MOST_FACTS = 20000 };

/* Everything a worker needs, set up by the parent before it forks. */
struct worker_setup {
    const char *const *evidence; /* paths from the command line */
    size_t evidence_count;
    struct rule_set *rules;   /* NULL: nothing is matched */
    const struct host *hosts; /* per evidence item; zero before the survey */
    const char *const
        *globs; /* NULL, or NULL-ended: the survey wants these paths instead of the artifacts' */
    bool all_streams;                   /* copy: deleted entries too */
    bool no_hash;                       /* copy without hashes */
    const struct bitlocker_keys *keys;  /* may be NULL */
    struct snapshot_choice snapshots;   /* shadow copies that are read beside the live volumes */
    const struct time_windows *windows; /* for context tasks */
    bool carve;                         /* want what takes long, too */
    uint64_t artifacts; /* bits of those whose files are going to be parsed; 0 before and after */
    bool survey_only;   /* say nothing of wanted files */
    size_t memory;      /* bytes a worker may add; 0 for the default */
    const struct known_good *known; /* may be NULL */
    bool scan_all;                  /* content rules over all files */
    uint64_t output;                /* size that a copied file may reach; 0: nothing is copied */
    const char *only;               /* name of the one artifact that is wanted; NULL: all */
};

/* For struct pool: context is the worker_setup's owner; these take the setup itself. */
void *worker_start(const struct worker_setup *setup);
/* Drops all rights that reading the evidence does not need; not with --jobs 0. -1 with error_text.
 */
int worker_lock_down(void *state);
/* As worker_start for the one task that opens evidence itself, on many threads. */
void *worker_start_verifier(const struct worker_setup *setup);
/* As worker_lock_down, but it may still read files beside the evidence and start threads. */
int worker_lock_down_verifier(void *state);
void worker_run(void *state, struct slice body, struct outbox *outbox);
void worker_stop(void *state);

/* Task bodies. */
void task_put_survey(struct buffer *out, uint32_t evidence);
/* `from` is a point to go on from, empty for the start. */
void task_put_verify(struct buffer *out, uint32_t evidence, struct slice from);
void task_put_parse(struct buffer *out, uint32_t artifact, const struct file *file);
void task_put_context(struct buffer *out, uint32_t artifact, const struct file *file);
void task_put_copy(struct buffer *out, const struct file *file);

#endif
