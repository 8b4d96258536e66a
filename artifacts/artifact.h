/*
 * An artifact says which files it wants and what their records mean: one const struct in one file,
 * listed in artifacts/local.mk, from which make generates the registry. To add one, see
 * artifacts/README.md.
 */
#ifndef ARTIFACTS_ARTIFACT_H
#define ARTIFACTS_ARTIFACT_H

#include "triage/base/arena.h"
#include "triage/base/buffer.h"
#include "triage/base/error.h"
#include "triage/record/event.h"
#include "triage/record/host.h"
#include "triage/record/source_map.h"

#include <sys/types.h>

struct job;

enum { TALLY_DAYS = 4096 };

/* The accounts of one file: each record ends in exactly one of used, repaired and rejected. */
struct tally {
    uint64_t records, used, repaired, rejected;
    struct instant first, last; /* UTC where the basis is known, else local */
    uint64_t backward;       /* records whose time lies before that of the record in front of it */
    struct instant previous; /* time of the record in front, for tally_time() */
    uint32_t days[TALLY_DAYS];  /* days with records: ticks / TICKS_PER_DAY, ascending, each once */
    uint32_t hours[TALLY_DAYS]; /* of the same days: bit h for records from h:00 to h:59 */
    size_t day_count;
    int64_t hour;           /* of the record in front, for tally_time() */
    bool continuous;        /* a log that is written all the time: a day without records is a gap */
    uint64_t gaps, missing; /* places where record numbers jump, and how many numbers they skip */
    uint64_t notices_left, facts_left,
        rejected_left; /* told of the file, and too many to be kept */
};

struct artifact {
    const char *name, *title;
    const char *const
        *paths; /* NULL-ended globs over '/' paths of any volume, any letter case; "{place}/..." is
                   below a folder that the survey found, "file:stream" is a named stream. NULL: only
                   recognised by content */
    const struct log_source *sources; /* log sources of its events, ended by an empty one */
    bool keep;                        /* always copy the file into the case */
    bool
        scan; /* run YARA over the content; of the artifacts that want a file only the first does */
    bool deleted; /* deleted entries are wanted too */
    bool context; /* asked a second time for what happened around indicators: job_wants() */
    bool folders; /* its globs name folders: it gets their indexes ("$I30") */
    bool carve;  /* takes long: only wanted when asked for. "$Unallocated" in `paths` stands for the
                    space of a volume that no file owns (evidence_open_unallocated) */
    bool spare;  /* only deleted files, and only those that no other artifact scans */
    bool yields; /* only files that no other artifact scans or knows by their content */
    bool rest;   /* only what no other artifact wants, and only when asked for (--yara-all) */
    size_t most; /* files of an evidence item that are wanted, 0: all; how many more there are is
                    told in a notice */
    bool stay;   /* do not copy the file into the case because something in it matched: it can be
                    far larger than what it says ($J) */
    const char *helper; /* the program that it asks (job_ask); NULL: none. It runs beside each
                           worker that may come upon such a file */
    /* For single files and folders without a Windows tree: does a file that starts with `head` (up
     * to 64 KiB) belong here? May be NULL. `name` is the last part of its path. */
    bool (*recognise)(struct slice head, const char *name);
    /* Turns bytes into events in file order. Damage is a notice: skip the record, go on. -1 with
     * error_text only when nothing of the file could be used. */
    int (*parse)(struct job *job);
};

/* What the engine does for a running job. */
struct job_services {
    ssize_t (*read)(struct job *job, uint64_t offset, void *buffer, size_t size);
    size_t (*next_candidate)(struct job *job, struct slice window, size_t from);
    bool (*could_match)(struct job *job, struct slice record);
    void (*emit)(struct job *job, const struct event *event);
    void (*notice)(struct job *job, uint64_t offset, const char *text);
    bool (*owner)(struct job *job, char *text, size_t size);
    int (*digests)(struct job *job, char md5[33], char sha1[41], char sha256[65]);
    void (*reject)(struct job *job, uint64_t offset, uint64_t number, struct slice raw);
    int (*neighbour)(struct job *job, const char *suffix, struct slice *content);
    bool (*find)(struct job *job, uint32_t volume, const char *path, struct file *file);
    int (*load)(struct job *job, const struct file *file, size_t most, struct slice *content);
    bool (*data)(struct job *job, uint64_t offset, uint64_t *start, uint64_t *size);
    bool (*name_of)(struct job *job, uint64_t reference, struct buffer *name, uint64_t *parent);
    bool (*is_lost)(struct job *job, uint64_t reference);
    ssize_t (*peek)(struct job *job, const struct file *file, uint64_t offset, void *buffer,
                    size_t size);
    void (*scan)(struct job *job, const char *windows_path, uint64_t offset, struct slice content,
                 char md5[33], char sha1[41], char sha256[65]);
    /* May be NULL: there are no helper programs. */
    int (*ask)(struct job *job, const char *helper, struct slice request,
               int (*take)(void *context, struct slice frame), void *context);
    bool (*wants)(struct job *job, struct instant when);
};

struct job {
    const struct artifact *artifact;
    const struct file *file;
    const struct host *host;
    const char *windows_path; /* of the file, with its drive letter where known */
    uint64_t
        size; /* bytes that can be read; what was looked at, when parse() says that it was less */
    bool context;        /* events of certain times are wanted, whatever rules say: job_wants() */
    struct arena *arena; /* ends with the job; do not allocate per record from it: use arena scratch
                            of your own */
    struct tally *tally;
    const struct source_map *source_map; /* of event logs; NULL: no channel is known */
    const struct job_services *services;
    void *engine;
};

/* Bytes of the file; short only at its end; -1 with error_text. */
static inline ssize_t job_read(struct job *job, uint64_t offset, void *buffer, size_t size)
{
    return job->services->read(job, offset, buffer, size);
}

/*
 * The prefilter: offset, at or after `from`, of the next place in `window` that a rule could match,
 * SIZE_MAX when there is none. `window` must hold whole records, '\n' ended. A record that holds no
 * such place need not be split into fields or emitted; it is only counted.
 */
static inline size_t job_next_candidate(struct job *job, struct slice window, size_t from)
{
    return job->services->next_candidate(job, window, from);
}

/* For a job with `context`: whether events of that time are wanted. All of those are then
 * nominated.
 */
static inline bool job_wants(struct job *job, struct instant when)
{
    return job->services->wants && job->services->wants(job, when);
}

/* Whether a record with a nominated place is worth splitting into fields: false when its text,
 * which must be whole, lacks what every rule demands besides. A service that is not there says yes.
 */
static inline bool job_could_match(struct job *job, struct slice record)
{
    return !job->services->could_match || job->services->could_match(job, record);
}

/* Matches the event against the rules; what matches becomes an indicator. The event is borrowed. A
 * record that could not be split is emitted too, with EVENT_REJECTED and only its raw bytes: rules
 * then search its text. */
static inline void job_emit(struct job *job, const struct event *event)
{
    job->services->emit(job, event);
}

/* Something an examiner must know about the file: damage, a limit that was reached, an assumption.
 */
static inline void job_notice(struct job *job, uint64_t offset, const char *text)
{
    job->services->notice(job, offset, text);
}
void job_notice_format(struct job *job, uint64_t offset, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* SID of the file's owner; false when unknown. */
static inline bool job_owner(struct job *job, char *text, size_t size)
{
    return job->services->owner(job, text, size);
}

/* Another live file of the same evidence, by volume and '/' path in any letter case; its texts go
 * to the job's arena. */
static inline bool job_find(struct job *job, uint32_t volume, const char *path, struct file *file)
{
    return job->services->find(job, volume, path, file);
}

/* The whole content of a file that job_find gave, in the job's arena; -1 with error_text when it
 * has more than `most` bytes or cannot be read. */
static inline int job_load(struct job *job, const struct file *file, size_t most,
                           struct slice *content)
{
    return job->services->load(job, file, most, content);
}

/* Bytes of a file that job_find gave, of any size; one such file is kept open at a time. Short at
 * its end, -1 with error_text. */
static inline ssize_t job_peek(struct job *job, const struct file *file, uint64_t offset,
                               void *buffer, size_t size)
{
    return job->services->peek(job, file, offset, buffer, size);
}

/* Runs the content rules over bytes of the file at work that were a file of their own once, named
 * `windows_path`, and gives their hashes. `offset`: of the bytes in the file at work. */
static inline void job_scan(struct job *job, const char *windows_path, uint64_t offset,
                            struct slice content, char md5[33], char sha1[41], char sha256[65])
{
    job->services->scan(job, windows_path, offset, content, md5, sha1, sha256);
}

/* Next stretch of the file that is not sparse at or after `offset`: its start and size; false when
 * there is none. */
static inline bool job_data(struct job *job, uint64_t offset, uint64_t *start, uint64_t *size)
{
    return job->services->data(job, offset, start, size);
}

/* Looks up the $MFT of the file's volume: appends the name of the entry that an NTFS file reference
 * names, and gives the reference of its folder. False when there is no $MFT or the entry holds
 * another file by now. */
static inline bool job_name_of(struct job *job, uint64_t reference, struct buffer *name,
                               uint64_t *parent)
{
    return job->services->name_of(job, reference, name, parent);
}

/* Whether nothing can be read of the $MFT entry that a file reference names, so that a file that
 * job_find did not give may be there all the same. */
static inline bool job_is_lost(struct job *job, uint64_t reference)
{
    return job->services->is_lost && job->services->is_lost(job, reference);
}

/*
 * Has the file read by a helper program ("ese", "evt"), which links the library that this process
 * must not: each frame of its answer goes to `take`, which stops it by anything but 0. What it
 * sends is not to be trusted: record/helper_rows.h reads it. -1 with error_text when there is no
 * such helper, when it ended, hung or sent what cannot be, and when `take` gave -1.
 */
static inline int job_ask(struct job *job, const char *helper, struct slice request,
                          int (*take)(void *context, struct slice frame), void *context)
{
    if (!job->services->ask)
        return error_set("there are no helper programs");
    return job->services->ask(job, helper, request, take, context);
}

/* MD5, SHA-1 and SHA-256 of the whole content; -1 when it cannot be read. */
static inline int job_digests(struct job *job, char md5[33], char sha1[41], char sha256[65])
{
    return job->services->digests(job, md5, sha1, sha256);
}

/*
 * Content of the file beside this one whose name is longer by `suffix` ("SYSTEM" and ".LOG1"): at
 * most its first 64 MiB, valid until the job ends; empty when there is none. -1 with error_text
 * when it cannot be read.
 */
static inline int job_neighbour(struct job *job, const char *suffix, struct slice *content)
{
    return job->services->neighbour(job, suffix, content);
}

/* Keeps a record that was counted as rejected: its bytes go into the case as they are (the first 4
 * KiB of each, up to 10,000 of a file), so that a person can read what the parser could not. */
static inline void job_reject(struct job *job, uint64_t offset, uint64_t number, struct slice raw)
{
    if (job->services->reject)
        job->services->reject(job, offset, number, raw);
}

/* Counts a record's time: first, last, days, jumps back. Does nothing for INSTANT_NONE. */
void tally_time(struct tally *tally, struct instant when);

/* All artifacts, in the order of their names (generated from artifacts/local.mk). */
const struct artifact *const *artifact_all(size_t *count);
/* NULL when there is none of that name. */
const struct artifact *artifact_by_name(const char *name);

#endif
