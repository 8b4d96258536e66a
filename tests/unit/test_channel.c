/* Helper programs: a worker gets its answers from one that behaves, and outlives one that does not.
 */
#include "triage/base/error.h"
#include "triage/helpers/channel.h"
#include "triage/helpers/helper.h"
#include "triage/helpers/server.h"
#include "triage/record/wire.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { SOURCE_SIZE = 3 * 1000 * 1000 + 7 };

/* ---- a peer in a process of its own ---- */

struct peer {
    pid_t process;
    struct helper *helper;
};

static struct peer peer_start(void (*run)(int socket, int control))
{
    struct peer peer;
    int data[2], control[2];

    assert_int_equal(channel_pair(data), 0);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, control), 0);
    peer.process = fork();
    if (peer.process == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        close(data[0]);
        close(control[0]);
        run(data[1], control[1]);
        _exit(0);
    }
    close(data[1]);
    close(control[1]);
    assert_int_equal(helper_over("test", data[0], control[0], &peer.helper), 0);
    return peer;
}

static void peer_stop(struct peer *peer)
{
    helper_stop(peer->helper);
    kill(peer->process, SIGKILL);
    waitpid(peer->process, NULL, 0);
}

static uint8_t byte_at(uint64_t offset)
{
    return (uint8_t)(offset * 7 + offset / 251);
}

static ssize_t read_source(void *context, uint64_t offset, void *buffer, size_t size)
{
    unsigned *reads = context;

    if (reads)
        ++*reads;
    for (size_t i = 0; i < size; i++)
        ((uint8_t *)buffer)[i] = byte_at(offset + i);
    return (ssize_t)size;
}

static ssize_t refuse_read(void *context, uint64_t offset, void *buffer, size_t size)
{
    (void)context, (void)offset, (void)buffer, (void)size;
    return error_set("the segment is missing");
}

static int keep_row(void *context, struct slice row)
{
    struct buffer *rows = context;

    buffer_add(rows, row);
    buffer_add_byte(rows, ';');
    return 0;
}

static int stop_at_row(void *context, struct slice row)
{
    (void)context, (void)row;
    return 5;
}

static int ask(struct peer *peer, const char *text, struct buffer *rows, struct buffer *answer)
{
    static const struct helper_source source = {.id = 1, .size = SOURCE_SIZE, .read = read_source};
    const struct helper_request request = {
        .body = slice_of_text(text),
        .source = &source,
        .row = rows ? keep_row : NULL,
        .context = rows,
        .answer = answer,
        .seconds = 5,
    };

    return helper_ask(peer->helper, &request);
}

/* ---- one that behaves ---- */

/* "sum" adds the source up; "echo ..." gives itself back; "rows" sends three; "flood" sends rows
 * until nobody wants them, "pour" without looking; "die" and "hang" do that. */
static int answer(struct server *server, struct slice request)
{
    static uint8_t bytes[10000];
    static const volatile int never;
    uint64_t sum = 0, at = 0;
    ssize_t got;

    if (slice_is(request, "die"))
        abort();
    while (slice_is(request, "hang") && !never)
        ;
    if (slice_starts(request, "echo"))
        buffer_add(server_reply(server), request);
    for (int i = 0; slice_is(request, "rows") && i < 3; i++)
        if (server_row(server, slice_of_text("row")) < 0)
            return -1;
    while (slice_is(request, "flood"))
        if (server_row(server, slice_of(bytes, sizeof bytes)) < 0 ||
            server_read(server, at += 1000 * 1000, bytes, 1) <= 0)
            return error_set("flood is over");
    while (slice_is(request, "pour") && server_row(server, SLICE_LITERAL("row")) == 0)
        ;
    while (slice_is(request, "sum")) {
        if ((got = server_read(server, at, bytes, sizeof bytes)) < 0)
            return -1;
        for (ssize_t i = 0; i < got; i++)
            sum += bytes[i];
        at += (uint64_t)got;
        if (got == 0)
            break;
    }
    if (slice_is(request, "sum"))
        buffer_add_number(server_reply(server), sum);
    return slice_is(request, "fail") ? error_set("there is\nno table") : 0;
}

static void behave(int socket, int control)
{
    static const struct server_program program = {.answer = answer};

    _exit(server_run(&program, socket, control));
}

static void an_answer_of_any_size_comes_back(void **state)
{
    struct peer peer = peer_start(behave);
    struct buffer text = BUFFER_EMPTY, reply = BUFFER_EMPTY;
    (void)state;

    buffer_add_text(&text, "echo");
    for (size_t i = 0; i < 1000 * 1000; i++)
        buffer_add_byte(&text, (uint8_t)('a' + i % 25));
    assert_int_equal(ask(&peer, buffer_text(&text), NULL, &reply), 0);
    assert_true(slice_equal(buffer_slice(&reply), buffer_slice(&text)));
    buffer_release(&text);
    buffer_release(&reply);
    peer_stop(&peer);
}

static void the_program_reads_the_whole_source(void **state)
{
    struct peer peer = peer_start(behave);
    struct buffer reply = BUFFER_EMPTY;
    uint64_t sum = 0, told;
    (void)state;

    for (uint64_t i = 0; i < SOURCE_SIZE; i++)
        sum += byte_at(i);
    assert_int_equal(ask(&peer, "sum", NULL, &reply), 0);
    assert_true(slice_to_u64(buffer_slice(&reply), &told));
    assert_int_equal(told, sum);
    buffer_release(&reply);
    peer_stop(&peer);
}

static void reading_on_is_read_ahead_and_kept(void **state)
{
    struct peer peer = peer_start(behave);
    unsigned reads = 0;
    const struct helper_source source = {3, SOURCE_SIZE, read_source, &reads};
    const struct helper_request request = {.body = SLICE_LITERAL("sum"), .source = &source};
    (void)state;

    assert_int_equal(helper_ask(peer.helper, &request), 0);
    assert_in_range(reads, 1, 10); /* 46 blocks */
    reads = 0;
    assert_int_equal(helper_ask(peer.helper, &request), 0);
    assert_int_equal(reads, 0);
    peer_stop(&peer);
}

static void another_source_is_read_anew(void **state)
{
    struct peer peer = peer_start(behave);
    unsigned reads = 0;
    struct helper_source source = {3, SOURCE_SIZE, read_source, &reads};
    const struct helper_request request = {.body = SLICE_LITERAL("sum"), .source = &source};
    (void)state;

    assert_int_equal(helper_ask(peer.helper, &request), 0);
    reads = 0;
    source.id = 4;
    assert_int_equal(helper_ask(peer.helper, &request), 0);
    assert_true(reads > 0);
    peer_stop(&peer);
}

static void rows_come_in_order(void **state)
{
    struct peer peer = peer_start(behave);
    struct buffer rows = BUFFER_EMPTY;
    (void)state;

    assert_int_equal(ask(&peer, "rows", &rows, NULL), 0);
    assert_true(slice_is(buffer_slice(&rows), "row;row;row;"));
    buffer_release(&rows);
    peer_stop(&peer);
}

static void a_reason_loses_its_control_bytes(void **state)
{
    struct peer peer = peer_start(behave);
    (void)state;

    assert_int_equal(ask(&peer, "fail", NULL, NULL), -1);
    assert_string_equal(error_text(), "helper program 'test': there is no table");
    peer_stop(&peer);
}

static void bytes_that_cannot_be_read_are_told(void **state)
{
    struct peer peer = peer_start(behave);
    const struct helper_source source = {.id = 1, .size = 100, .read = refuse_read};
    const struct helper_request request = {.body = SLICE_LITERAL("sum"), .source = &source};
    (void)state;

    assert_int_equal(helper_ask(peer.helper, &request), -1);
    assert_non_null(strstr(error_text(), "the segment is missing"));
    peer_stop(&peer);
}

static void a_crash_costs_one_request(void **state)
{
    struct peer peer = peer_start(behave);
    struct buffer reply = BUFFER_EMPTY;
    (void)state;

    for (int i = 0; i < 5; i++) {
        assert_int_equal(ask(&peer, "die", NULL, NULL), -1);
        assert_non_null(strstr(error_text(), "crashed"));
        assert_int_equal(ask(&peer, "echo", NULL, &reply), 0);
        assert_true(slice_is(buffer_slice(&reply), "echo"));
    }
    buffer_release(&reply);
    peer_stop(&peer);
}

static void silence_costs_one_request(void **state)
{
    struct peer peer = peer_start(behave);
    struct helper_request request = {.body = SLICE_LITERAL("hang"), .seconds = 1};
    (void)state;

    assert_int_equal(helper_ask(peer.helper, &request), -1);
    assert_non_null(strstr(error_text(), "no answer in time"));
    request.body = SLICE_LITERAL("echo");
    assert_int_equal(helper_ask(peer.helper, &request), 0);
    peer_stop(&peer);
}

static void rows_can_be_stopped(void **state)
{
    struct peer peer = peer_start(behave);
    struct helper_source source = {.id = 1, .size = UINT64_MAX, .read = read_source};
    struct helper_request request = {
        .body = SLICE_LITERAL("flood"), .source = &source, .row = stop_at_row, .seconds = 5};
    struct buffer reply = BUFFER_EMPTY;
    (void)state;

    assert_int_equal(helper_ask(peer.helper, &request), 5);
    assert_int_equal(ask(&peer, "echo", NULL, &reply), 0);
    assert_true(slice_is(buffer_slice(&reply), "echo"));
    buffer_release(&reply);
    peer_stop(&peer);
}

/* The process that is stopped must be gone before the next request is sent, or it takes that one
 * along. */
static void what_follows_a_stop_is_answered(void **state)
{
    struct peer peer = peer_start(behave);
    const struct helper_request pour = {
        .body = SLICE_LITERAL("pour"), .row = stop_at_row, .seconds = 5};
    const struct helper_request unasked = {.body = SLICE_LITERAL("rows"), .seconds = 5};
    struct buffer reply = BUFFER_EMPTY;
    (void)state;

    for (int i = 0; i < 100; i++) {
        assert_int_equal(helper_ask(peer.helper, &pour), 5);
        assert_int_equal(ask(&peer, "echo", NULL, &reply), 0);
        assert_int_equal(helper_ask(peer.helper, &unasked), -1); /* a row that nobody asked for */
        assert_int_equal(ask(&peer, "echo", NULL, &reply), 0);
        assert_true(slice_is(buffer_slice(&reply), "echo"));
    }
    buffer_release(&reply);
    peer_stop(&peer);
}

/* ---- those that do not ---- */

/* Waits for a request and gives its serial. */
static uint32_t hear(struct channel *channel, int socket)
{
    struct message message = {0};

    channel_init(channel, socket);
    channel_receive(channel, CHANNEL_NO_DEADLINE, &message);
    return message.serial;
}

static void say(int socket, uint8_t kind, struct slice body)
{
    struct channel channel;
    const uint32_t serial = hear(&channel, socket);

    channel_send(&channel, kind, serial, body);
    pause();
}

static void need_too_much(int socket, int control)
{
    close(control);
    say(socket, CHANNEL_NEED, SLICE_LITERAL("\0\0\0\0\0\0\0\0\xFF\xFF\xFF\xFF"));
}

static void need_cut_short(int socket, int control)
{
    close(control);
    say(socket, CHANNEL_NEED, SLICE_LITERAL("\0\0\0\0"));
}

static void need_with_more_behind(int socket, int control)
{
    close(control);
    say(socket, CHANNEL_NEED, SLICE_LITERAL("\0\0\0\0\0\0\0\0\1\0\0\0!"));
}

static void unknown_kind(int socket, int control)
{
    close(control);
    say(socket, 200, SLICE_LITERAL("?"));
}

static void row_unasked(int socket, int control)
{
    close(control);
    say(socket, CHANNEL_ROW, SLICE_LITERAL("?"));
}

static void packet_cut_short(int socket, int control)
{
    struct channel channel;
    close(control);

    hear(&channel, socket);
    send(socket, "\1\2", 2, 0);
    pause();
}

static void packet_too_large(int socket, int control)
{
    static uint8_t bytes[CHANNEL_PACKET_MAX + 1000];
    struct channel channel;
    close(control);

    hear(&channel, socket);
    send(socket, bytes, sizeof bytes, 0);
    pause();
}

static void endless_message(int socket, int control)
{
    static uint8_t bytes[CHANNEL_PACKET_MAX];
    struct channel channel;
    const uint32_t serial = hear(&channel, socket);
    close(control);

    while (channel_send(&channel, CHANNEL_MORE, serial, slice_of(bytes, sizeof bytes)) == 0)
        ;
}

static void endless_need(int socket, int control)
{
    struct channel channel;
    struct message message;
    const uint32_t serial = hear(&channel, socket);
    close(control);

    while (channel_send(&channel, CHANNEL_NEED, serial,
                        SLICE_LITERAL("\0\0\0\0\0\0\0\0\1\0\0\0")) == 0)
        channel_receive(&channel, CHANNEL_NO_DEADLINE, &message);
}

static void old_serials(int socket, int control)
{
    struct channel channel;
    const uint32_t serial = hear(&channel, socket);
    close(control);

    while (channel_send(&channel, CHANNEL_DONE, serial + 1, SLICE_LITERAL("not yours")) == 0)
        ;
}

static void early_death(int socket, int control)
{
    (void)socket, (void)control;
    _exit(0);
}

static void hangs_up(int socket, int control)
{
    struct channel channel;
    close(control);

    hear(&channel, socket);
}

static const struct lie {
    void (*run)(int socket, int control);
    const char *reason;
} lies[] = {
    {need_too_much, "bytes that cannot be"},
    {need_cut_short, "bytes that cannot be"},
    {need_with_more_behind, "bytes that cannot be"},
    {unknown_kind, "unknown kind"},
    {row_unasked, "row that was not asked for"},
    {packet_cut_short, "cut short"},
    {packet_too_large, "too large"},
    {endless_message, "too large"},
    {endless_need, "in time"},
    {old_serials, "in time"},
    {early_death, "helper program 'test'"},
    {hangs_up, "it has ended"},
};

static void a_lying_peer_costs_its_request_only(void **state)
{
    static const struct helper_source source = {.id = 1, .size = 100, .read = read_source};
    const struct helper_request request = {
        .body = SLICE_LITERAL("?"), .source = &source, .seconds = 1};
    (void)state;

    for (size_t i = 0; i < sizeof lies / sizeof *lies; i++) {
        struct peer peer = peer_start(lies[i].run);
        assert_int_equal(helper_ask(peer.helper, &request), -1);
        if (!strstr(error_text(), lies[i].reason))
            fail_msg("lie %zu: %s", i, error_text());
        peer_stop(&peer);
    }
}

static void a_program_that_is_not_there_was_left_out(void **state)
{
    struct helper *helper = NULL;
    (void)state;

    assert_int_equal(helper_start("no_such_program", "libnothing", &helper), -1);
    assert_string_equal(error_text(), "built without libnothing");
    assert_null(helper);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_answer_of_any_size_comes_back),
        cmocka_unit_test(the_program_reads_the_whole_source),
        cmocka_unit_test(reading_on_is_read_ahead_and_kept),
        cmocka_unit_test(another_source_is_read_anew),
        cmocka_unit_test(rows_come_in_order),
        cmocka_unit_test(a_reason_loses_its_control_bytes),
        cmocka_unit_test(bytes_that_cannot_be_read_are_told),
        cmocka_unit_test(a_crash_costs_one_request),
        cmocka_unit_test(silence_costs_one_request),
        cmocka_unit_test(rows_can_be_stopped),
        cmocka_unit_test(what_follows_a_stop_is_answered),
        cmocka_unit_test(a_lying_peer_costs_its_request_only),
        cmocka_unit_test(a_program_that_is_not_there_was_left_out),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
