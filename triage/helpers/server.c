#include "triage/helpers/server.h"

#include "triage/base/error.h"
#include "triage/base/sandbox.h"
#include "triage/helpers/channel.h"
#include "triage/record/wire.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    BLOCK_SIZE = 64 << 10,
    BLOCKS = 256,
    READ_AHEAD = 8, /* blocks asked for at once when the source is read on */
    NO_SANDBOX = 3, /* exit code */
    EARLY_ENDS = 3, /* processes in a row that end before they have read a request */
};

struct block {
    bool valid;
    uint64_t number;
    uint32_t size; /* short at the end of the source */
};

struct server {
    struct channel channel;
    volatile uint32_t *serial; /* shared with the first process: the request at work, or 0 */
    uint64_t source_id, source_size;
    struct buffer reply;
    struct block blocks[BLOCKS];
    uint8_t *bytes;      /* BLOCKS times BLOCK_SIZE */
    uint64_t next_block; /* behind the last ones asked for */
};

/* ---- the process that reads evidence ---- */

uint64_t server_source_id(const struct server *server)
{
    return server->source_id;
}

uint64_t server_source_size(const struct server *server)
{
    return server->source_size;
}

struct buffer *server_reply(struct server *server)
{
    return &server->reply;
}

/* Asks for blocks and waits for them; *got is borrowed from the channel. */
static int ask_for(struct server *server, uint64_t offset, uint32_t size, struct slice *got)
{
    struct buffer need = BUFFER_EMPTY;
    struct message message;
    int result;

    wire_put_u64(&need, offset);
    wire_put_u32(&need, size);
    result = channel_send(&server->channel, CHANNEL_NEED, *server->serial, buffer_slice(&need));
    buffer_release(&need);
    if (result < 0)
        return -1;
    do
        result = channel_receive(&server->channel, CHANNEL_NO_DEADLINE, &message);
    while (result > 0 && message.serial != *server->serial);
    if (result <= 0)
        _exit(0); /* nobody is there to be answered */
    if (message.kind != CHANNEL_BYTES || message.body.size > size)
        return error_set("the evidence cannot be read at byte %llu: %.*s",
                         (unsigned long long)offset, (int)slice_part(message.body, 0, 200).size,
                         (const char *)message.body.data);
    *got = message.body;
    return 0;
}

static void keep_block(struct server *server, uint64_t number, struct slice bytes)
{
    struct block *block = &server->blocks[number % BLOCKS];

    *block = (struct block){.valid = true, .number = number, .size = (uint32_t)bytes.size};
    if (bytes.size)
        memcpy(server->bytes + (number % BLOCKS) * BLOCK_SIZE, bytes.data, bytes.size);
}

static int fetch(struct server *server, uint64_t number)
{
    const uint32_t count = number == server->next_block ? READ_AHEAD : 1;
    struct slice got = {NULL, 0};

    if (ask_for(server, number * BLOCK_SIZE, count * BLOCK_SIZE, &got) < 0)
        return -1;
    for (uint32_t i = 0; i < count; i++)
        keep_block(server, number + i, slice_part(got, (size_t)i * BLOCK_SIZE, BLOCK_SIZE));
    server->next_block = number + count;
    return 0;
}

static const struct block *block_at(struct server *server, uint64_t number)
{
    const struct block *block = &server->blocks[number % BLOCKS];

    if ((!block->valid || block->number != number) && fetch(server, number) < 0)
        return NULL;
    return block;
}

ssize_t server_read(struct server *server, uint64_t offset, void *buffer, size_t size)
{
    size_t done = 0;

    if (offset >= server->source_size)
        return 0;
    if (size > server->source_size - offset)
        size = (size_t)(server->source_size - offset);
    while (done < size) {
        const uint64_t number = (offset + done) / BLOCK_SIZE;
        const size_t within = (size_t)((offset + done) % BLOCK_SIZE);
        const struct block *block = block_at(server, number);
        if (!block)
            return -1;
        const struct slice all =
            slice_of(server->bytes + (number % BLOCKS) * BLOCK_SIZE, block->size);
        const struct slice part = slice_part(all, within, size - done);
        if (part.size == 0)
            break;
        memcpy((uint8_t *)buffer + done, part.data, part.size);
        done += part.size;
    }
    return (ssize_t)done;
}

int server_row(struct server *server, struct slice row)
{
    return channel_send(&server->channel, CHANNEL_ROW, *server->serial, row);
}

/* Another source: what was read of the last one is forgotten. */
static void take_source(struct server *server, uint64_t id, uint64_t size)
{
    if (id != server->source_id || size != server->source_size) {
        memset(server->blocks, 0, sizeof server->blocks);
        server->next_block = 0;
    }
    server->source_id = id;
    server->source_size = size;
}

static int handle(struct server *server, const struct server_program *program, struct slice body)
{
    struct cursor in = cursor_over(body, 0);
    const uint64_t id = cursor_u64le(&in), size = cursor_u64le(&in);

    if (cursor_failed(&in))
        return error_set("the request is cut short");
    take_source(server, id, size);
    buffer_clear(&server->reply);
    if (program->answer(server, slice_from(body, in.at)) < 0)
        return -1;
    return buffer_failed(&server->reply) ? error_set("out of memory") : 0;
}

static void serve_request(struct server *server, const struct server_program *program,
                          uint32_t serial, struct slice body)
{
    int sent;

    *server->serial = serial;
    if (handle(server, program, body) == 0)
        sent = channel_send(&server->channel, CHANNEL_DONE, serial, buffer_slice(&server->reply));
    else
        sent = channel_send(&server->channel, CHANNEL_FAILED, serial, slice_of_text(error_text()));
    *server->serial = 0;
    if (sent < 0)
        _exit(0);
}

/* The next request, copied, as answering it receives other messages. */
static uint32_t next_request(struct server *server, struct buffer *body)
{
    struct message message;

    do
        if (channel_receive(&server->channel, CHANNEL_NO_DEADLINE, &message) <= 0)
            _exit(0);
    while (message.kind != CHANNEL_REQUEST); /* an answer to a process that died */
    buffer_clear(body);
    buffer_add(body, message.body);
    return message.serial;
}

static _Noreturn void work(const struct server_program *program, int socket, int control,
                           volatile uint32_t *serial)
{
    const struct sandbox sandbox = {.memory = program->memory ? program->memory : (size_t)1 << 30};
    struct server *server = calloc(1, sizeof *server);
    struct buffer request = BUFFER_EMPTY;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    close(control); /* or it could swallow the order to kill it */
    if (!server || !(server->bytes = malloc((size_t)BLOCKS * BLOCK_SIZE)) ||
        channel_init(&server->channel, socket) < 0 || sandbox_enter(&sandbox) < 0)
        _exit(NO_SANDBOX);
    server->serial = serial;
    for (;;) {
        const uint32_t number = next_request(server, &request);
        serve_request(server, program, number, buffer_slice(&request));
    }
}

/* ---- the first process ---- */

/* The worker's order to stop: true, or it is gone. */
static bool take_order(int control)
{
    char stop;

    return read(control, &stop, 1) == 1;
}

/* Waits for the process's end; kills it when the worker asks for that or is gone. *stopped tells
 * that the worker has to hear of it. */
static int await(pid_t process, int socket, int control, bool *stopped)
{
    struct pollfd ready[] = {
        {.fd = (int)syscall(SYS_pidfd_open, process, 0), .events = POLLIN},
        {.fd = control, .events = POLLIN},
        {.fd = socket}, /* its end only */
    };
    int status = 0;

    while (ready[0].fd >= 0 && (poll(ready, 3, -1) >= 0 || errno == EINTR) && !ready[0].revents)
        if (ready[1].revents || ready[2].revents) {
            kill(process, SIGKILL);
            break;
        }
    if (ready[0].fd >= 0)
        close(ready[0].fd);
    while (waitpid(process, &status, 0) < 0 && errno == EINTR)
        ;
    if (ready[1].revents && !(*stopped = take_order(control)))
        _exit(0);
    return status;
}

static void tell_stopped(int control)
{
    const char stopped = 's';
    const ssize_t sent = send(control, &stopped, 1, MSG_NOSIGNAL | MSG_DONTWAIT);

    (void)sent; /* without it the worker is gone */
}

/* Tells the worker what became of its request, when one was at work. */
static void tell_end(int socket, uint32_t serial, int status)
{
    struct channel channel = {.socket = socket};
    char text[100];

    if (WIFSIGNALED(status))
        snprintf(text, sizeof text, "it crashed or was stopped (signal %d)", WTERMSIG(status));
    else
        snprintf(text, sizeof text, "it ended with code %d", WEXITSTATUS(status));
    if (serial)
        channel_send(&channel, CHANNEL_ENDED, serial, slice_of_text(text));
}

/* A request is there: 1; the worker is gone: 0. An order to stop may come when all is done. */
static int await_request(int socket, int control)
{
    struct pollfd ready[] = {{.fd = socket, .events = POLLIN}, {.fd = control, .events = POLLIN}};

    for (;;) {
        if (poll(ready, 2, -1) < 0 && errno != EINTR)
            return 0;
        if (ready[1].revents && !take_order(control))
            return 0;
        if (ready[1].revents)
            tell_stopped(control);
        else if (ready[0].revents & POLLIN)
            return 1;
        else if (ready[0].revents)
            return 0;
    }
}

/* One process that reads evidence, from its first request to its end. False: no other is to follow;
 * *early counts those in a row that end before they have read a request. */
static bool serve_one(const struct server_program *program, int socket, int control,
                      volatile uint32_t *serial, int *early)
{
    bool stopped = false;

    *serial = 0;
    const pid_t process = fork();
    if (process == 0)
        work(program, socket, control, serial);
    if (process < 0)
        return false;
    const int status = await(process, socket, control, &stopped);
    const int code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    if (stopped) {
        *early = 0;
        tell_stopped(control);
        return true;
    }
    *early = *serial ? 0 : *early + 1;
    if (code == 0 || code == NO_SANDBOX || *early == EARLY_ENDS)
        return false; /* the worker closed, or the next will do no better: it sees the end */
    tell_end(socket, *serial, status);
    return true;
}

int server_run(const struct server_program *program, int socket, int control)
{
    volatile uint32_t *serial =
        mmap(NULL, sizeof *serial, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    int early = 0;

    if (serial == MAP_FAILED)
        return 1;
    while (await_request(socket, control) && serve_one(program, socket, control, serial, &early))
        ;
    return 0;
}

int server_main(const struct server_program *program)
{
    return server_run(program, SERVER_SOCKET, SERVER_CONTROL);
}
