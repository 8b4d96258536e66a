/*
 * A helper program's side: main() calls server_main with one function that answers a request. The
 * first process reads no evidence; it starts the process that does, in a sandbox without files,
 * network or new processes, and a fresh one after a crash.
 */
#ifndef TRIAGE_HELPERS_SERVER_H
#define TRIAGE_HELPERS_SERVER_H

#include "triage/base/buffer.h"

#include <sys/types.h>

enum {
    SERVER_SOCKET = 3,  /* messages (channel.h) */
    SERVER_CONTROL = 4, /* any byte: kill the process at work; closed: end */
};

struct server;

struct server_program {
    size_t memory; /* bytes the process may add; 0: 1 GiB */
    /*
     * Answers one request (its own part, borrowed for the call): rows with server_row, the answer
     * itself into server_reply. 0, or -1 with error_text. What it keeps between requests it has to
     * be able to do without: after a crash another process goes on.
     */
    int (*answer)(struct server *server, struct slice request);
};

/* Serves until the worker is gone; the program's exit code. */
int server_main(const struct server_program *program);
/* As server_main, over these sockets; for tests. */
int server_run(const struct server_program *program, int socket, int control);

/* Of the request's source. The id changes when the bytes are others than before. */
uint64_t server_source_id(const struct server *server);
uint64_t server_source_size(const struct server *server);
/* Bytes of the source: short only at its end, -1 with error_text. Read ahead and kept in a cache.
 */
ssize_t server_read(struct server *server, uint64_t offset, void *buffer, size_t size);
/* Sends one row. -1 with error_text when the worker does not want more. */
int server_row(struct server *server, struct slice row);
/* The answer that goes with the end; empty at the start of each request. */
struct buffer *server_reply(struct server *server);

#endif
