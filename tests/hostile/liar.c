/*
 * The program with workers that lie: linked as extriage is, but what the pool calls in a worker
 * goes through here first. A file whose path holds "liar" gets the lie that $LIE names; all else is
 * done honestly. See hostile_workers.py.
 */
#include "triage/base/arena.h"
#include "triage/engine/worker.h"
#include "triage/record/event.h"
#include "triage/record/wire.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

void *__real_worker_start(const struct worker_setup *setup);
void *__wrap_worker_start(const struct worker_setup *setup);
void __real_worker_run(void *state, struct slice body, struct outbox *outbox);
void __wrap_worker_run(void *state, struct slice body, struct outbox *outbox);

static const char *lie = "";
static int parent = -1; /* the socket to it */

/* ---- what is said past the outbox ---- */

static void say(const void *bytes, size_t size)
{
    const uint8_t *at = bytes;

    while (size) {
        const ssize_t sent = send(parent, at, size, MSG_NOSIGNAL);
        if (sent <= 0)
            _exit(0);
        at += sent;
        size -= (size_t)sent;
    }
}

static void say_frame(uint32_t size, uint8_t type, uint32_t task, struct slice body)
{
    struct buffer out = BUFFER_EMPTY;

    wire_put_u32(&out, size);
    wire_put_u8(&out, type);
    wire_put_u32(&out, task);
    buffer_add(&out, body);
    say(out.data, out.size);
    buffer_release(&out);
}

static void bad_length(struct outbox *outbox)
{
    (void)outbox;
    say_frame(UINT32_MAX, RESULT_NOTICE, 0, SLICE_LITERAL("much"));
    pause();
}

static void unterminated(struct outbox *outbox)
{
    (void)outbox;
    say_frame(1000, RESULT_NOTICE, 0, SLICE_LITERAL("and then"));
    for (;;)
        pause();
}

/* Two of these numbers are other files' at least. */
static void foreign_task(struct outbox *outbox)
{
    struct buffer body = BUFFER_EMPTY;
    (void)outbox;

    wire_put_u64(&body, 0);
    wire_put_text(&body, "all is well with this file");
    for (uint32_t task = 0; task < 3; task++)
        say_frame((uint32_t)body.size, RESULT_NOTICE, task, buffer_slice(&body));
    pause();
}

static void no_such_task(struct outbox *outbox)
{
    (void)outbox;
    say_frame(0, 0, 4000000000u, slice_of(NULL, 0));
    pause();
}

/* What only a worker that never began may say. */
static void cannot_start(struct outbox *outbox)
{
    (void)outbox;
    say_frame(13, 0, UINT32_MAX, SLICE_LITERAL("all is \x1b[1mwell"));
    pause();
}

static void noise(struct outbox *outbox)
{
    uint8_t bytes[1000];
    (void)outbox;

    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(i * 167 + 13);
    for (int i = 0; i < 1000; i++)
        say(bytes, sizeof bytes);
    pause();
}

/* ---- what is said through it ---- */

static void unknown_kind(struct outbox *outbox)
{
    outbox_send(outbox, 77, SLICE_LITERAL("?"));
}

static void cut_short(struct outbox *outbox)
{
    outbox_send(outbox, RESULT_TALLY, SLICE_LITERAL("\1\2\3"));
}

static void send_notice(struct outbox *outbox, struct slice text)
{
    struct buffer body = BUFFER_EMPTY;

    wire_put_u64(&body, 0);
    wire_put_slice(&body, text);
    outbox_send(outbox, RESULT_NOTICE, buffer_slice(&body));
    buffer_release(&body);
}

/* Nothing is wrong with the frame: what it holds must come out harmless. */
static void no_text(struct outbox *outbox)
{
    send_notice(outbox, SLICE_LITERAL("\xFF\xFE not text \x1b[31m\0red\nline \xE2\x80\xAE"));
}

/* Another file is not read, it says; and then no end of such. */
static void foreign_path(struct outbox *outbox)
{
    struct buffer body = BUFFER_EMPTY;

    wire_put_text(&body, "another.log");
    wire_put_text(&body, "it is not read");
    outbox_send(outbox, RESULT_UNREAD, buffer_slice(&body));
    buffer_release(&body);
}

static void endless_notices(struct outbox *outbox)
{
    for (;;)
        send_notice(outbox, SLICE_LITERAL("and another one"));
}

static void send_event(struct outbox *outbox, uint8_t type, uint32_t rule,
                       const struct event *event)
{
    struct buffer body = BUFFER_EMPTY;

    if (type == RESULT_INDICATOR) {
        wire_put_u32(&body, rule);
        wire_put_text(&body, "");
        wire_put_text(&body, "");
        wire_put_text(&body, "");
        wire_put_u8(&body, 0);
    }
    wire_put_event(&body, event, RAW_CEILING);
    outbox_send(outbox, type, buffer_slice(&body));
    buffer_release(&body);
}

static void endless_facts(struct outbox *outbox)
{
    const struct event event = {.kind = KIND_web_request};

    for (;;)
        send_event(outbox, RESULT_FACT, 0, &event);
}

static void unknown_rule(struct outbox *outbox)
{
    const struct event event = {.kind = KIND_web_request};

    send_event(outbox, RESULT_INDICATOR, 1000000, &event);
}

static void unknown_event(struct outbox *outbox)
{
    const struct event event = {.kind = (enum kind)60000};

    send_event(outbox, RESULT_INDICATOR, 0, &event);
}

static void beyond_the_file(struct outbox *outbox)
{
    const struct event event = {.kind = KIND_web_request, .offset = UINT64_C(1) << 50};

    send_event(outbox, RESULT_INDICATOR, 0, &event);
}

static void endless_damage(struct outbox *outbox)
{
    for (uint64_t at = 0;; at += 100) {
        struct buffer body = BUFFER_EMPTY;
        wire_put_u64(&body, at);
        wire_put_u64(&body, 10);
        wire_put_text(&body, "a lie");
        outbox_send(outbox, RESULT_DAMAGE, buffer_slice(&body));
        buffer_release(&body);
    }
}

/* A blank that the parent has not given. */
static void no_such_blank(struct outbox *outbox)
{
    enum { FRAME_FILLED = 254 };
    (void)outbox;

    for (uint32_t task = 0; task < 3; task++)
        say_frame(1, FRAME_FILLED, task, SLICE_LITERAL("\xC8"));
    pause();
}

/* No copy of the file: what it holds must not be taken for one. */
static void false_copy(struct outbox *outbox)
{
    if (outbox_blank(outbox) >= 0 && write(outbox_blank(outbox), "a lie", 5) == 5)
        outbox_filled(outbox, SLICE_LITERAL("a lie"));
}

/* Said of the list of files, instead of it. */
static void foreign_volume(struct outbox *outbox)
{
    const struct file file = {.path = "x.log", .volume = 7};
    struct buffer body = BUFFER_EMPTY;

    wire_put_u32(&body, 0);
    wire_put_file(&body, &file);
    outbox_send(outbox, RESULT_WANTED, buffer_slice(&body));
    buffer_release(&body);
}

static const struct {
    const char *name;
    void (*tell)(struct outbox *outbox);
} lies[] = {
    {"bad length", bad_length},
    {"unterminated", unterminated},
    {"foreign task", foreign_task},
    {"no such task", no_such_task},
    {"cannot start", cannot_start},
    {"noise", noise},
    {"unknown kind", unknown_kind},
    {"cut short", cut_short},
    {"no text", no_text},
    {"foreign path", foreign_path},
    {"endless notices", endless_notices},
    {"endless facts", endless_facts},
    {"unknown rule", unknown_rule},
    {"unknown event", unknown_event},
    {"beyond the file", beyond_the_file},
    {"endless damage", endless_damage},
    {"no such blank", no_such_blank},
    {"false copy", false_copy},
    {"foreign volume", foreign_volume},
};

/* Is this the task that is lied about? */
static bool is_chosen(struct slice body)
{
    struct cursor in = cursor_over(body, 0);
    const uint8_t kind = wire_get_u8(&in);
    struct file file;

    wire_get_u32(&in);
    if (strcmp(lie, "foreign volume") == 0)
        return kind == TASK_SURVEY;
    if (kind != TASK_PARSE)
        return false;
    struct arena *arena = arena_new(1 << 20);
    const bool chosen = arena && wire_get_file(&in, arena, &file) == 0 && strstr(file.path, "liar");
    arena_free(arena);
    return chosen;
}

/* At the start of a worker its only socket is that to the parent. */
void *__wrap_worker_start(const struct worker_setup *setup)
{
    struct stat status;

    for (int i = STDERR_FILENO + 1; i < 100 && parent < 0; i++)
        if (fstat(i, &status) == 0 && S_ISSOCK(status.st_mode))
            parent = i;
    lie = getenv("LIE") ? getenv("LIE") : "";
    return __real_worker_start(setup);
}

void __wrap_worker_run(void *state, struct slice body, struct outbox *outbox)
{
    const bool chosen = is_chosen(body);

    for (size_t i = 0; chosen && i < sizeof lies / sizeof *lies; i++)
        if (strcmp(lies[i].name, lie) == 0)
            lies[i].tell(outbox);
    __real_worker_run(state, body, outbox);
}
