/* The sandbox is proven by processes that try to get out of it: workers of the real pool, and the
 * process of a helper program. Each attempt fails, and whoever waits for the process hears of it.
 */
#include "tests/unit/sandbox_attempts.h"
#include "triage/base/error.h"
#include "triage/base/sandbox.h"
#include "triage/engine/pool.h"
#include "triage/helpers/channel.h"
#include "triage/helpers/helper.h"
#include "triage/helpers/server.h"
#include "triage/record/wire.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { OUTPUT = 1 << 20, FRAME_ERRNO = 1 };

/* ---- workers ---- */

struct test {
    const struct sandbox *sandbox;
    bool framed[ATTEMPTS_MOST], ended[ATTEMPTS_MOST];
    int reason[ATTEMPTS_MOST];
    char problem[ATTEMPTS_MOST][200];
};

static void *start(void *context)
{
    return sandbox_enter(((struct test *)context)->sandbox) < 0 ? NULL : context;
}

static void run(void *state, struct slice body, struct outbox *outbox)
{
    struct cursor in = cursor_over(body, 0);
    struct buffer out = BUFFER_EMPTY;
    (void)state;

    places.output = outbox_output(outbox);
    wire_put_u32(&out, (uint32_t)attempts[wire_get_u32(&in)].run());
    outbox_send(outbox, FRAME_ERRNO, buffer_slice(&out));
    buffer_release(&out);
}

static void stop(void *state)
{
    (void)state;
}

static int frame(void *context, size_t task, uint8_t type, struct slice body)
{
    struct test *test = context;
    struct cursor in = cursor_over(body, 0);

    if (type != FRAME_ERRNO)
        return error_set("a frame of unknown kind");
    test->framed[task] = true;
    test->reason[task] = (int)wire_get_u32(&in);
    return 0;
}

static void ended(void *context, size_t task, const char *problem)
{
    struct test *test = context;

    test->ended[task] = true;
    snprintf(test->problem[task], sizeof test->problem[task], "%s", problem ? problem : "");
}

static void run_all(struct test *test)
{
    static const volatile int never;
    const struct pool pool = {.jobs = 2,
                              .timeout_seconds = 1,
                              .context = test,
                              .start = start,
                              .run = run,
                              .stop = stop,
                              .frame = frame,
                              .ended = ended};
    struct pool_task tasks[ATTEMPTS_MOST];
    struct buffer bodies[ATTEMPTS_MOST] = {BUFFER_EMPTY};
    char output[120];

    memset(tasks, 0, sizeof tasks);
    snprintf(output, sizeof output, "%s/output", places.root);
    unlink(output);
    for (size_t i = 0; i < attempt_count; i++) {
        wire_put_u32(&bodies[i], (uint32_t)i);
        tasks[i].body = buffer_slice(&bodies[i]);
        tasks[i].weight = 1 << 20; /* a batch of its own */
        tasks[i].output = writes_output(&attempts[i]) ? output : NULL;
    }
    assert_int_equal(pool_run(&pool, tasks, attempt_count, &never), 0);
    unlink(output);
    for (size_t i = 0; i < attempt_count; i++)
        buffer_release(&bodies[i]);
}

static const char *fault_of(const struct test *test, size_t i, enum end wanted)
{
    const char *problem = test->problem[i];

    if (!test->ended[i])
        return "it never ended";
    switch (wanted) {
    case WORKS:
        return test->framed[i] && test->reason[i] == DONE ? NULL : "it does not work";
    case REFUSED:
        return test->framed[i] && test->reason[i] != DONE ? NULL : "it is not refused";
    case FATAL:
        return strstr(problem, "what its sandbox forbids") ? NULL : "it does not end the worker";
    case SILENT:
        return strstr(problem, "nothing was heard") ? NULL : "the worker may go on";
    default:
        return strstr(problem, "signal 25") ? NULL : "the worker may go on";
    }
}

static bool has_landlock(void)
{
    return strstr(sandbox_description(), "landlock") != NULL;
}

static void check_all(const struct sandbox *sandbox, enum end (*wanted)(const struct attempt *a))
{
    struct test test = {.sandbox = sandbox};

    if (strncmp(sandbox_description(), "seccomp", 7) != 0)
        skip();
    run_all(&test);
    for (size_t i = 0; i < attempt_count; i++) {
        const char *fault = fault_of(&test, i, wanted(&attempts[i]));
        if (is_about_names(&attempts[i]) && sandbox->open_read_only && !has_landlock())
            continue;
        if (fault)
            fail_msg("%s: %s (errno %d, '%s')", attempts[i].name, fault, test.reason[i],
                     test.problem[i]);
    }
}

static enum end for_parser(const struct attempt *attempt)
{
    return attempt->parser;
}

static enum end for_folder(const struct attempt *attempt)
{
    return attempt->folder;
}

static enum end for_verifier(const struct attempt *attempt)
{
    return attempt->verifier;
}

static void a_worker_over_an_image_cannot_get_out(void **state)
{
    static const char *const none[] = {NULL};
    const struct sandbox sandbox = {.memory = MEMORY, .output = OUTPUT, .roots = none};
    (void)state;

    check_all(&sandbox, for_parser);
}

static void a_worker_over_a_folder_reads_that_folder_only(void **state)
{
    const char *const roots[] = {places.root, NULL};
    const struct sandbox sandbox = {
        .memory = MEMORY, .output = OUTPUT, .open_read_only = true, .roots = roots};
    (void)state;

    check_all(&sandbox, for_folder);
}

static void a_verifier_starts_threads_but_no_process(void **state)
{
    const char *const roots[] = {places.root, NULL};
    const struct sandbox sandbox = {.memory = MEMORY,
                                    .output = OUTPUT,
                                    .open_read_only = true,
                                    .threads = true,
                                    .roots = roots};
    (void)state;

    check_all(&sandbox, for_verifier);
}

static void what_it_inherited_is_untouched(void **state)
{
    struct stat status;
    (void)state;

    assert_int_equal(fstat(places.precious, &status), 0);
    assert_int_equal(status.st_size, 0);
    assert_int_equal(access(places.new_file, F_OK), -1);
    assert_int_equal(access(places.inside, F_OK), 0);
}

/* ---- the process of a helper program ---- */

/* The request names the attempt; what came of it is the answer. */
static int try(struct server *server, struct slice request)
{
    struct cursor in = cursor_over(request, 0);

    buffer_add_number(server_reply(server), (uint64_t)attempts[wire_get_u32(&in)].run());
    return 0;
}

static pid_t start_program(struct helper **helper)
{
    static const struct server_program program = {.answer = try, .memory = MEMORY};
    int data[2], control[2];

    assert_int_equal(channel_pair(data), 0);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, control), 0);
    const pid_t process = fork();
    if (process == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        close(data[0]);
        close(control[0]);
        _exit(server_run(&program, data[1], control[1]));
    }
    close(data[1]);
    close(control[1]);
    assert_int_equal(helper_over("test", data[0], control[0], helper), 0);
    return process;
}

static const char *helper_fault(struct helper *helper, const struct attempt *attempt)
{
    struct buffer body = BUFFER_EMPTY, answer = BUFFER_EMPTY;
    const char *fault = NULL;

    wire_put_u32(&body, (uint32_t)(attempt - attempts));
    const struct helper_request request = {
        .body = buffer_slice(&body), .answer = &answer, .seconds = 1};
    const int result = helper_ask(helper, &request);
    if (attempt->parser == REFUSED)
        fault = result == 0 && !slice_is(buffer_slice(&answer), "0") ? NULL : "it is not refused";
    else if (attempt->parser == FATAL)
        fault = result < 0 && strstr(error_text(), "signal 31") ? NULL : "it does not end it";
    else if (attempt->parser == SILENT)
        fault = result < 0 && strstr(error_text(), "in time") ? NULL : "it may go on";
    buffer_release(&body);
    buffer_release(&answer);
    return fault;
}

static void a_helper_program_cannot_get_out(void **state)
{
    struct helper *helper;
    (void)state;

    if (strncmp(sandbox_description(), "seccomp", 7) != 0)
        skip();
    const pid_t process = start_program(&helper);
    for (size_t i = 0; i < attempt_count; i++) {
        const char *fault = needs_inheritance(&attempts[i])
                                ? NULL /* helper_start leaves it its two sockets only */
                                : helper_fault(helper, &attempts[i]);
        if (fault)
            fail_msg("%s: %s: %s", attempts[i].name, fault, error_text());
    }
    helper_stop(helper);
    kill(process, SIGKILL);
    waitpid(process, NULL, 0);
}

/* ---- limits that need no kernel support ---- */

static void the_limit_of_memory_holds_alone(void **state)
{
    int status;
    (void)state;

    if (strncmp(sandbox_description(), "none", 4) == 0)
        skip();
    const pid_t process = fork();
    if (process == 0) {
        const struct sandbox sandbox = {.memory = MEMORY};
        _exit(sandbox_enter(&sandbox) == 0 && take_memory() == ENOMEM ? 0 : 1);
    }
    assert_int_equal(waitpid(process, &status, 0), process);
    assert_int_equal(status, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_worker_over_an_image_cannot_get_out),
        cmocka_unit_test(a_worker_over_a_folder_reads_that_folder_only),
        cmocka_unit_test(a_verifier_starts_threads_but_no_process),
        cmocka_unit_test(what_it_inherited_is_untouched),
        cmocka_unit_test(a_helper_program_cannot_get_out),
        cmocka_unit_test(the_limit_of_memory_holds_alone),
    };

    return cmocka_run_group_tests(tests, make_places, remove_places);
}
