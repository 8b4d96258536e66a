/*
 * The worker's side of a helper program: start it before the sandbox, then ask. The program's
 * process that reads evidence is disposable: when it crashes, lies or takes too long, that one
 * request fails with a sentence, and the next request is served by a fresh process.
 */
#ifndef TRIAGE_HELPERS_HELPER_H
#define TRIAGE_HELPERS_HELPER_H

#include "triage/base/buffer.h"

#include <sys/types.h>

struct helper;

/* The bytes that a request is about: a file's stream, a volume. */
struct helper_source {
    uint64_t id; /* the program may keep what it read as long as id and size stay the same */
    uint64_t size;
    /* As stream_read: short only at the end, -1 with error_text. */
    ssize_t (*read)(void *context, uint64_t offset, void *buffer, size_t size);
    void *context;
};

struct helper_request {
    struct slice body;
    const struct helper_source *source; /* NULL: the request is about no bytes */
    /* Takes one row, borrowed for the call; non-zero stops, and helper_ask gives it back. NULL: a
     * row is an error. */
    int (*row)(void *context, struct slice row);
    void *context;
    struct buffer *answer; /* is cleared and gets what came with the end; may be NULL */
    unsigned seconds;      /* for the whole request; 0: HELPER_SECONDS */
};

enum { HELPER_SECONDS = 120 };

/*
 * Starts the program `name` of the helpers' folder: $EXTRIAGE_HELPERS, "helpers" beside this
 * program (a build folder), or where it was installed. -1 with error_text, which is "built without
 * LIBRARY" when the program is not there. Fork and exec: to be called before sandbox_enter.
 */
int helper_start(const char *name, const char *library, struct helper **out);
/* Over the sockets of a peer that runs already; they are closed by helper_stop. For tests. */
int helper_over(const char *name, int socket, int control, struct helper **out);
/* Ends the program. NULL is fine. */
void helper_stop(struct helper *helper);

/* 0 when the request was answered, what `row` gave when it stopped, -1 with error_text. */
int helper_ask(struct helper *helper, const struct helper_request *request);

#endif
