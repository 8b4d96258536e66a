/* What the parts of a worker share; for triage/engine/worker*.c only. */
#ifndef TRIAGE_ENGINE_WORKER_PARTS_H
#define TRIAGE_ENGINE_WORKER_PARTS_H

#include "artifacts/artifact.h"
#include "triage/base/hash.h"
#include "triage/engine/helper_programs.h"
#include "triage/engine/line_hits.h"
#include "triage/engine/log_pieces.h"
#include "triage/engine/worker.h"
#include "triage/evidence/evidence.h"
#include "triage/evidence/mft.h"
#include "triage/match/matcher.h"

enum {
    CONTENT_CEILING = 64 << 20, /* files up to this size are held in memory and scanned whole */
    COPY_WINDOW = 1 << 20,
    HOLE_LEAST = 1 << 20, /* a smaller one is read like all else */
    MOST_CONTEXT = 1000,  /* events of a file in a stretch of time */
    MOST_NEIGHBOURS = 4,  /* files beside the one at work that are held at a time */
};

/* Whether Microsoft's lists of pages describe the server. */
enum list_fit { FIT_UNKNOWN, FIT_YES, FIT_NO };

struct worker {
    const struct worker_setup *setup;
    struct evidence **evidence;
    struct matcher *matcher; /* NULL without rules */
    struct helper_programs *helpers;
    struct arena *arena; /* of the task at hand */
    struct buffer frame, content, window, copied;
    struct buffer windows_path, stream_path;
    enum list_fit *fits; /* per item */
    /* Per item: damaged bytes already sent; ranges may grow together. */
    uint64_t *damage_told;
};

/* What the content rules are looking at. */
struct scanned {
    struct slice bytes;
    const char *windows_path;
    struct digests digests;
    uint64_t offset; /* in the file */
    bool recovered;  /* no file of its own any more */
};

/* A parse or copy task at work. */
struct running {
    struct job job;
    struct worker *worker;
    struct outbox *outbox;
    struct evidence *evidence;
    struct stream *stream;
    const struct prefilter *prefilter;
    struct tally tally;
    bool loaded;               /* content holds the whole file */
    const struct event *event; /* being matched */
    const char *owner;
    struct digests digests;
    bool digested;
    bool matched; /* an indicator was sent */
    struct early {
        bool begun, over;
        uint64_t at;     /* bytes that the copy has */
        uint64_t passed; /* that the artifact has read from the start on */
        struct hasher *hasher;
    } early; /* the copy that is made while the file is parsed */
    struct scanned scanned;
    struct line_hits *lines;   /* NULL: content matches are told as they come */
    struct log_pieces *pieces; /* NULL: the content is not searched while it is read */
    uint32_t *rooms;           /* of context: events in each stretch of time */
    uint64_t context_left;     /* events that found no room */
    bool loss_told;            /* that the file is deleted and not whole any more */
    size_t notices, rejected, facts;
    struct buffer neighbours[MOST_NEIGHBOURS];
    size_t neighbour_count;
    struct stream *mft;    /* of the file's volume, opened on first use */
    struct stream *peeked; /* the other file that the artifact looks into, and its address */
    uint64_t peeked_address;
    struct mft_input mft_input;
    bool mft_sought;
};

/* --- worker_results.c --- */

/* The one buffer for results, emptied; worker_send sends what was put there. */
struct buffer *worker_frame(struct worker *worker);
void worker_send(struct worker *worker, struct outbox *outbox, enum result_kind kind);
/* `path` is "" for the file of the task. */
void worker_send_unread(struct worker *worker, struct outbox *outbox, const char *path,
                        const char *why);
void worker_send_notice(struct worker *worker, struct outbox *outbox, uint64_t offset,
                        const char *text);
/* Damage of the medium that came up since this worker last told. */
void worker_send_damage(struct worker *worker, struct outbox *outbox, uint32_t index);
void worker_put_tally(struct buffer *out, const struct tally *tally, uint64_t bytes, bool damaged);
void worker_put_indicator(struct buffer *out, const struct hit *hit, const struct event *event,
                          const char *sha256);

/* --- worker_events.c --- */

void running_notice(struct job *job, uint64_t offset, const char *text);
/* For struct match_sink; the context is a struct running. */
void running_found(void *context, const struct hit *hit);
void running_undecided(void *context, size_t rule, const char *why);
void running_send_fact(struct running *running, const struct event *event);
bool running_wants(struct job *job, struct instant when);
void running_send_context(struct running *running, const struct event *event);

/* --- worker_known.c --- */

/* What Microsoft's lists of pages cannot tell of this server; NULL: nothing. */
const char *worker_known_limits(struct worker *worker, uint32_t evidence, const struct host *host,
                                struct arena *arena);
/* The event itself, or `copy` with what is known of the file as one more field: of a file that is
 * listed, or of the page that a compiled one was made of. */
const struct event *running_judged(struct running *running, const struct event *event,
                                   struct event *copy);

/* --- worker_content.c --- */

/* What follows the last slash. */
const char *last_component(const char *path);
/* Reads the whole file into memory, so that it is read once however often it is looked at. */
int running_load(struct running *running);
/* Calls `take` with the file's bytes from start to end. */
/* Where the bytes at `offset` are, or those behind the large hole that begins there. */
uint64_t running_data_from(struct running *running, uint64_t offset);
/* Bytes of large holes; a file of which more than HOLES_HASHED are has no hash: reading zeroes for
 * hours would tell nobody anything. */
uint64_t running_holes(struct running *running);
#define HOLES_HASHED (UINT64_C(16) << 30)
int running_each_window(struct running *running, int (*take)(void *context, struct slice window),
                        void *context);
/* What is wrong with a deleted file of which other files have taken clusters. */
const char *running_loss_text(struct running *running);
int running_digests(struct job *job, char md5[33], char sha1[41], char sha256[65]);

/* --- worker_scan.c --- */

/* Bytes that were a file of their own once. Nothing is known of its times. */
void running_scan_part(struct job *job, const char *windows_path, uint64_t offset,
                       struct slice content, char md5[33], char sha1[41], char sha256[65]);
/* Before the file is parsed: what an artifact reads that does not scan its files itself is read
 * once for both. */
void running_scan_prepare(struct running *running);
/* Bytes of the file that the artifact has read, when running->pieces is there. */
void running_scan_follow(struct running *running, uint64_t offset, struct slice bytes);
/* After the file was parsed. */
void running_scan(struct running *running);

/* --- worker_parse.c --- */

/* Everything a parse or copy task needs; -1 with error_text when the file cannot be opened. */
int running_init(struct running *running, struct worker *worker, struct outbox *outbox,
                 const struct file *file);
void running_release(struct running *running);

/* --- worker_copy.c --- */

int copy_write(int output, struct slice bytes);
/* Each close tells of bytes that could not be stored, on a network share only then; this one leaves
 * the file open. */
int copy_check(int output);
/* What RESULT_COPIED tells, in the worker's frame. */
void running_put_copied(struct running *running, uint64_t bytes, const struct digests *digests);

/* --- worker_early.c --- */

/* Bytes that the artifact has read. */
void running_early_follow(struct running *running, uint64_t offset, struct slice bytes);
/* After the file was parsed. */
void running_early_finish(struct running *running);

/* --- worker_services.c --- */

extern const struct job_services running_services;
extern const char mail_is_not_read[];
struct running *running_of(struct job *job);
ssize_t running_read(struct job *job, uint64_t offset, void *buffer, size_t size);
bool running_find(struct job *job, uint32_t volume, const char *path, struct file *file);
int running_load_file(struct job *job, const struct file *file, size_t most, struct slice *content);

/* --- tasks --- */

void worker_survey(struct worker *worker, struct outbox *outbox, uint32_t index);
/* Says which files are wanted. `arena` holds the plan. */
void worker_list_wanted(struct worker *worker, struct outbox *outbox, uint32_t index,
                        const struct host *host, struct arena *arena);
void worker_verify(struct worker *worker, struct outbox *outbox, uint32_t index, struct slice from);
void worker_parse(struct worker *worker, struct outbox *outbox, const struct artifact *artifact,
                  const struct file *file);
/* Reads a file again for the events of certain times. What else there is to tell of it was told. */
void worker_add_context(struct worker *worker, struct outbox *outbox,
                        const struct artifact *artifact, const struct file *file);
void worker_copy(struct worker *worker, struct outbox *outbox, const struct file *file);

#endif
