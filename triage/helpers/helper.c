#include "triage/helpers/helper.h"

#include "triage/base/error.h"
#include "triage/base/sandbox.h"
#include "triage/base/utf16.h"
#include "triage/helpers/channel.h"
#include "triage/helpers/server.h"
#include "triage/record/wire.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { REASON_MAX = 300, STOP_MS = 10 * 1000 };

struct helper {
    char name[40];
    struct channel channel;
    int socket, control;
    pid_t process; /* 0 for a peer of a test */
    bool lost;     /* it does not even stop any more */
    uint32_t serial;
    struct buffer out;
    uint8_t *bytes; /* CHANNEL_NEED_MAX bytes of the source */
};

/* ---- start ---- */

/* The folder of the running program, without its name; false when it cannot be told. */
static bool own_folder(char *path, size_t size)
{
    const ssize_t length = readlink("/proc/self/exe", path, size - 1);
    char *slash;

    if (length <= 0)
        return false;
    path[length] = 0;
    slash = strrchr(path, '/');
    if (slash)
        *slash = 0;
    return slash != NULL;
}

static bool is_program(char *path, size_t size, const char *folder, const char *below,
                       const char *name)
{
    const int length = snprintf(path, size, "%s%s/%s", folder, below, name);

    return length > 0 && (size_t)length < size && access(path, X_OK) == 0;
}

static bool find_program(const char *name, char *path, size_t size)
{
    const char *named = getenv("EXTRIAGE_HELPERS");
    char folder[PATH_MAX];

    if (named && *named)
        return is_program(path, size, named, "", name);
    return (own_folder(folder, sizeof folder) &&
            is_program(path, size, folder, "/helpers", name)) ||
           is_program(path, size, PKGLIBEXECDIR, "", name);
}

/* In the new process: its two sockets, no terminal, nothing else of the worker's. */
static _Noreturn void become(const char *path, int socket, int control)
{
    char *const arguments[] = {(char *)(uintptr_t)path, NULL}, *const environment[] = {NULL};

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    /* Out of the way of the numbers that they get first. */
    socket = fcntl(socket, F_DUPFD, SERVER_CONTROL + 1);
    control = fcntl(control, F_DUPFD, SERVER_CONTROL + 1);
    if (dup2(socket, SERVER_SOCKET) < 0 || dup2(control, SERVER_CONTROL) < 0)
        _exit(127);
    sandbox_drop_descriptors(SERVER_CONTROL + 1, -1);
    execve(path, arguments, environment);
    _exit(127);
}

int helper_over(const char *name, int socket, int control, struct helper **out)
{
    struct helper *helper = calloc(1, sizeof *helper);

    if (!helper || channel_init(&helper->channel, socket) < 0 ||
        !(helper->bytes = malloc(CHANNEL_NEED_MAX))) {
        if (helper)
            channel_release(&helper->channel);
        free(helper);
        return error_set("out of memory");
    }
    snprintf(helper->name, sizeof helper->name, "%s", name);
    helper->socket = socket;
    helper->control = control;
    *out = helper;
    return 0;
}

static void close_pair(const int ends[2])
{
    close(ends[0]);
    close(ends[1]);
}

static int start_program(const char *name, const char *path, const int data[2],
                         const int control[2], struct helper **out)
{
    struct helper *helper;

    if (helper_over(name, data[0], control[0], &helper) < 0)
        return -1;
    helper->process = fork();
    if (helper->process == 0)
        become(path, data[1], control[1]);
    if (helper->process < 0) {
        channel_release(&helper->channel);
        free(helper->bytes);
        free(helper);
        return error_set_errno("the helper program '%s' cannot be started", name);
    }
    *out = helper;
    return 0;
}

int helper_start(const char *name, const char *library, struct helper **out)
{
    char path[PATH_MAX];
    int data[2], control[2];

    if (!find_program(name, path, sizeof path))
        return error_set("built without %s", library);
    if (channel_pair(data) < 0)
        return -1;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, control) < 0) {
        close_pair(data);
        return error_set_errno("a pair of sockets cannot be made");
    }
    if (start_program(name, path, data, control, out) < 0) {
        close_pair(data);
        close_pair(control);
        return -1;
    }
    close(data[1]);
    close(control[1]);
    return 0;
}

void helper_stop(struct helper *helper)
{
    if (!helper)
        return;
    close(helper->socket);
    close(helper->control);
    /* In a sandbox neither call is allowed: the closed sockets end the program. */
    if (helper->process > 0 && !sandbox_is_entered() && kill(helper->process, SIGKILL) == 0)
        while (waitpid(helper->process, NULL, 0) < 0 && errno == EINTR)
            ;
    channel_release(&helper->channel);
    buffer_release(&helper->out);
    free(helper->bytes);
    free(helper);
}

/* ---- ask ---- */

/* The helper's own words, made harmless. */
static int fail_with(const struct helper *helper, struct slice text)
{
    struct buffer clean = BUFFER_EMPTY;

    utf8_append_tame(&clean, slice_part(text, 0, REASON_MAX));
    error_set("%s", clean.size ? buffer_text(&clean) : "no reason is given");
    buffer_release(&clean);
    return error_prefix("helper program '%s'", helper->name);
}

/* Has the process that reads evidence killed, and waits until it is: one that still lived could
 * take the next request with it. The next one gets a fresh process. */
static void stop_work(struct helper *helper)
{
    struct pollfd ready = {.fd = helper->control, .events = POLLIN};
    const char stop = 'k';
    char stopped;

    helper->lost = send(helper->control, &stop, 1, MSG_NOSIGNAL | MSG_DONTWAIT) != 1 ||
                   poll(&ready, 1, STOP_MS) != 1 ||
                   recv(helper->control, &stopped, 1, MSG_DONTWAIT) != 1;
}

static int give_up(struct helper *helper)
{
    error_prefix("helper program '%s'", helper->name);
    stop_work(helper);
    return -1;
}

static int send_bytes(struct helper *helper, const struct helper_source *source,
                      struct slice wanted)
{
    struct cursor c = cursor_over(wanted, 0);
    const uint64_t offset = cursor_u64le(&c);
    const uint32_t size = cursor_u32le(&c);
    ssize_t got;

    if (cursor_failed(&c) || cursor_left(&c) || size > CHANNEL_NEED_MAX || !source) {
        error_set("it asks for bytes that cannot be");
        return -1;
    }
    if (offset >= source->size)
        return channel_send(&helper->channel, CHANNEL_BYTES, helper->serial, slice_of(NULL, 0));
    const uint64_t left = source->size - offset;
    got = source->read(source->context, offset, helper->bytes, left < size ? (size_t)left : size);
    if (got < 0)
        return channel_send(&helper->channel, CHANNEL_NO_BYTES, helper->serial,
                            slice_of_text(error_text()));
    return channel_send(&helper->channel, CHANNEL_BYTES, helper->serial,
                        slice_of(helper->bytes, (size_t)got));
}

static int send_request(struct helper *helper, const struct helper_request *request)
{
    struct buffer *out = &helper->out;

    buffer_clear(out);
    wire_put_u64(out, request->source ? request->source->id : 0);
    wire_put_u64(out, request->source ? request->source->size : 0);
    buffer_add(out, request->body);
    if (buffer_failed(out))
        return error_set("out of memory");
    helper->serial = helper->serial == UINT32_MAX ? 1 : helper->serial + 1;
    return channel_send(&helper->channel, CHANNEL_REQUEST, helper->serial, buffer_slice(out));
}

static int take_answer(const struct helper_request *request, struct slice body)
{
    if (!request->answer)
        return 0;
    buffer_add(request->answer, body);
    return buffer_failed(request->answer) ? error_set("out of memory") : 0;
}

/* Serves the program until its request ends. */
static int converse(struct helper *helper, const struct helper_request *request, int64_t deadline)
{
    for (;;) {
        struct message message;
        const int result = channel_receive(&helper->channel, deadline, &message);
        int stop = 0;
        if (result < 0)
            return give_up(helper);
        if (result == 0)
            return error_set("helper program '%s': it has ended", helper->name);
        if (message.serial != helper->serial)
            continue; /* of a request that was given up */
        switch (message.kind) {
        case CHANNEL_NEED:
            if (send_bytes(helper, request->source, message.body) < 0)
                return give_up(helper);
            break;
        case CHANNEL_ROW:
            if (!request->row) {
                error_set("it sent a row that was not asked for");
                return give_up(helper);
            }
            if ((stop = request->row(request->context, message.body)) != 0) {
                stop_work(helper);
                return stop;
            }
            break;
        case CHANNEL_DONE:
            return take_answer(request, message.body);
        case CHANNEL_FAILED:
        case CHANNEL_ENDED:
            return fail_with(helper, message.body);
        default:
            error_set("it sent a message of unknown kind");
            return give_up(helper);
        }
        if (channel_now() > deadline) { /* a busy peer never lets the wait run out */
            error_set("there is no answer in time");
            return give_up(helper);
        }
    }
}

int helper_ask(struct helper *helper, const struct helper_request *request)
{
    const unsigned seconds = request->seconds ? request->seconds : HELPER_SECONDS;
    const int64_t deadline = channel_now() + (int64_t)seconds * 1000;

    if (request->answer)
        buffer_clear(request->answer);
    if (helper->lost)
        return error_set("helper program '%s': it has ended", helper->name);
    if (send_request(helper, request) < 0)
        return error_prefix("helper program '%s'", helper->name);
    return converse(helper, request, deadline);
}
