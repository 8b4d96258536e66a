/* The pool must outlive its workers, whatever they do. */
#include "triage/base/error.h"
#include "triage/engine/pool.h"
#include "triage/record/wire.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

enum { TASKS = 200, FRAME_ECHO = 1 };

struct result {
    unsigned frames, ends;
    char problem[200];
    uint32_t echoed;
};

struct test {
    struct result results[TASKS];
    size_t order_of_ends[TASKS], ended;
    bool refuse_start, twice; /* twice: with second runs */
    unsigned taken_back, filled;
    const char *blanks;
    size_t fails_after; /* ends after which nothing more can be stored; 0: never */
};

static unsigned *runs; /* of tasks that are killed, in memory that workers share */

static const volatile int never;

static void *start(void *context)
{
    static int state;

    if (((struct test *)context)->refuse_start) {
        error_set("no evidence here");
        return NULL;
    }
    return &state;
}

static void stop(void *state)
{
    (void)state;
}

/* Fills a blank when there is one ('B'), or as if the disk were full ('s'). */
static void fill_blank(uint8_t what, struct outbox *outbox, struct slice number)
{
    const int blank = outbox_blank(outbox);

    if (blank < 0 || (what != 'B' && what != 's'))
        return;
    assert_int_equal(write(blank, number.data, number.size), number.size);
    if (what == 'B')
        outbox_filled(outbox, number);
    else
        outbox_spoilt(outbox);
}

/* The body is one letter, what to do, and a number to send back. */
static void run(void *state, struct slice body, struct outbox *outbox)
{
    struct cursor in = cursor_over(body, 0);
    const uint8_t what = wire_get_u8(&in);
    struct buffer out = BUFFER_EMPTY;

    (void)state;
    wire_put_u32(&out, wire_get_u32(&in));
    if (what == 'c') {
        signal(SIGSEGV, SIG_DFL); /* a sanitizer would report at length */
        raise(SIGSEGV);
    }
    if (what == 'h')
        for (;;)
            pause();
    if (what == 'k' && (*runs)++ == 0)
        raise(SIGKILL);
    if (what == 'x')
        _exit(7);
    if (what == 'w' && outbox_output(outbox) >= 0)
        assert_int_equal(write(outbox_output(outbox), "copied", 6), 6);
    fill_blank(what, outbox, buffer_slice(&out));
    while (what == 'p') { /* a circle that reads */
        outbox_progress(outbox, 10);
        usleep(1000);
    }
    while (what == 'f')
        outbox_send(outbox, FRAME_ECHO, buffer_slice(&out));
    outbox_send(outbox, what == 'b' ? 9 : FRAME_ECHO, buffer_slice(&out));
    outbox_progress(outbox, 10);
    buffer_release(&out);
}

static int frame(void *context, size_t task, uint8_t type, struct slice body)
{
    struct test *test = context;
    struct cursor in = cursor_over(body, 0);

    if (type != FRAME_ECHO)
        return error_set("a frame of unknown kind");
    test->results[task].frames++;
    test->results[task].echoed = wire_get_u32(&in);
    return 0;
}

/* What the task wrote is in the file. */
static int filled(void *context, size_t task, const char *path, struct slice body)
{
    struct test *test = context;
    uint8_t bytes[8];
    FILE *file = fopen(path, "re");

    assert_non_null(file);
    const struct slice found = slice_of(bytes, fread(bytes, 1, sizeof bytes, file));
    fclose(file);
    unlink(path);
    struct cursor in = cursor_over(found, 0);
    assert_true(slice_equal(found, body));
    assert_int_equal(wire_get_u32(&in), 1000 + task);
    test->filled++;
    return 0;
}

static void ended(void *context, size_t task, const char *problem)
{
    struct test *test = context;

    test->results[task].ends++;
    test->order_of_ends[test->ended++] = task;
    if (problem)
        snprintf(test->results[task].problem, sizeof test->results[task].problem, "%s", problem);
}

static void again(void *context, size_t task, const char *problem)
{
    struct test *test = context;

    (void)problem;
    test->taken_back++;
    test->results[task].frames = 0;
}

static int failed(void *context)
{
    const struct test *test = context;

    return test->fails_after && test->ended >= test->fails_after ? error_set("it is full") : 0;
}

static int run_letters(struct test *test, unsigned jobs, const char *letters, const char *output)
{
    const struct pool pool = {.jobs = jobs,
                              .timeout_seconds = 1,
                              .context = test,
                              .start = start,
                              .run = run,
                              .stop = stop,
                              .frame = frame,
                              .again = test->twice ? again : NULL,
                              .failed = failed,
                              .ended = ended,
                              .blanks = test->blanks,
                              .blank_most = 1000,
                              .filled = filled};
    const size_t count = strlen(letters);
    struct pool_task tasks[TASKS];
    struct buffer bodies[TASKS] = {BUFFER_EMPTY};

    memset(tasks, 0, sizeof tasks);
    for (size_t i = 0; i < count; i++) {
        wire_put_u8(&bodies[i], (uint8_t)letters[i]);
        wire_put_u32(&bodies[i], (uint32_t)(1000 + i));
        tasks[i].body = buffer_slice(&bodies[i]);
        tasks[i].output = letters[i] == 'w' ? output : NULL;
        tasks[i].most_bytes = letters[i] == 'f' ? 1000 : 0;
        tasks[i].most_seconds = letters[i] == 'p' ? 2 : 0;
    }
    const int result = pool_run(&pool, tasks, count, &never);
    for (size_t i = 0; i < count; i++)
        buffer_release(&bodies[i]);
    return result;
}

static void check_good(const struct test *test, size_t task)
{
    assert_int_equal(test->results[task].ends, 1);
    assert_int_equal(test->results[task].frames, 1);
    assert_int_equal(test->results[task].echoed, 1000 + task);
    assert_string_equal(test->results[task].problem, "");
}

static void all_tasks_end_once(void **state)
{
    char letters[TASKS];

    (void)state;
    memset(letters, 'e', sizeof letters - 1);
    letters[sizeof letters - 1] = 0;
    for (unsigned jobs = 0; jobs < 4; jobs++) {
        struct test test = {0};
        assert_int_equal(run_letters(&test, jobs, letters, NULL), 0);
        for (size_t i = 0; i < sizeof letters - 1; i++)
            check_good(&test, i);
    }
}

static void check_only_one_suffers(const char *letters, size_t bad, const char *words)
{
    struct test test = {0};

    assert_int_equal(run_letters(&test, 2, letters, NULL), 0);
    for (size_t i = 0; letters[i]; i++)
        if (i != bad)
            check_good(&test, i);
    assert_int_equal(test.results[bad].ends, 1);
    assert_non_null(strstr(test.results[bad].problem, words));
}

static void a_crash_costs_one_task(void **state)
{
    (void)state;
    check_only_one_suffers("eeeceeeeee", 3, "signal 11");
}

static void a_hang_costs_one_task(void **state)
{
    (void)state;
    check_only_one_suffers("eehee", 2, "nothing was heard");
}

static void an_early_end_costs_one_task(void **state)
{
    (void)state;
    check_only_one_suffers("xeeee", 0, "exit code 7");
}

static void a_broken_frame_costs_one_task(void **state)
{
    (void)state;
    check_only_one_suffers("eeeeb", 4, "broken result");
}

static void a_worker_that_reads_for_ever_comes_to_an_end(void **state)
{
    (void)state;
    check_only_one_suffers("eepee", 2, "came to no end within 2 seconds");
}

static void a_flood_costs_one_task(void **state)
{
    (void)state;
    check_only_one_suffers("efeee", 1, "more than can come of this file");
}

static void a_killed_task_runs_once_more_when_all_others_are_done(void **state)
{
    struct test test = {.twice = true};

    (void)state;
    *runs = 0;
    assert_int_equal(run_letters(&test, 2, "ekeeeeee", NULL), 0);
    for (size_t i = 0; i < 8; i++)
        check_good(&test, i);
    assert_int_equal(test.taken_back, 1);
    assert_int_equal(test.order_of_ends[7], 1);
}

static void a_crash_is_tried_twice_and_no_more(void **state)
{
    struct test test = {.twice = true};

    (void)state;
    assert_int_equal(run_letters(&test, 2, "ceex", NULL), 0);
    assert_int_equal(test.taken_back, 2);
    assert_int_equal(test.ended, 4);
    assert_non_null(strstr(test.results[0].problem, "signal 11"));
    assert_non_null(strstr(test.results[3].problem, "exit code 7"));
}

static void a_hang_is_not_tried_again(void **state)
{
    struct test test = {.twice = true};

    (void)state;
    assert_int_equal(run_letters(&test, 2, "he", NULL), 0);
    assert_int_equal(test.taken_back, 0);
}

static void nothing_goes_on_once_results_cannot_be_stored(void **state)
{
    (void)state;
    for (unsigned jobs = 0; jobs < 3; jobs++) {
        struct test test = {.fails_after = 1};
        char letters[TASKS];
        memset(letters, 'e', sizeof letters - 1);
        letters[sizeof letters - 1] = 0;
        assert_int_equal(run_letters(&test, jobs, letters, NULL), -1);
        assert_string_equal(error_text(), "it is full");
        assert_true(test.ended < TASKS - 1);
    }
}

static void a_worker_that_cannot_start_is_an_error(void **state)
{
    (void)state;
    for (unsigned jobs = 0; jobs < 2; jobs++) {
        struct test test = {.refuse_start = true};
        assert_int_equal(run_letters(&test, jobs, "e", NULL), -1);
        assert_string_equal(error_text(), "no evidence here");
    }
}

static void a_task_writes_the_file_that_the_parent_made(void **state)
{
    char folder[] = "/tmp/extriage-pool-XXXXXX", path[100];
    struct stat status;

    (void)state;
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/out", folder);
    struct test test = {0}, again = {0};
    assert_int_equal(run_letters(&test, 1, "ewe", path), 0);
    check_good(&test, 1);
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_size, 6);
    assert_int_equal(run_letters(&again, 1, "w", path), 0);
    assert_non_null(strstr(again.results[0].problem, "cannot create"));
    unlink(path);
    rmdir(folder);
}

static void a_crash_leaves_the_output_of_its_neighbour_alone(void **state)
{
    char folder[] = "/tmp/extriage-pool-XXXXXX", path[100];
    struct test test = {0};

    (void)state;
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/out", folder);
    assert_int_equal(run_letters(&test, 1, "cwe", path), 0);
    check_good(&test, 1);
    unlink(path);
    rmdir(folder);
}

/* The folder is empty in the end, or rmdir would not remove it. */
static void check_blanks(unsigned jobs, const char *letters, unsigned wanted)
{
    char folder[] = "/tmp/extriage-pool-XXXXXX";
    struct test test = {.blanks = folder};

    assert_non_null(mkdtemp(folder));
    assert_int_equal(run_letters(&test, jobs, letters, NULL), 0);
    assert_int_equal(test.filled, wanted);
    assert_int_equal(rmdir(folder), 0);
}

static void what_a_task_fills_is_handed_over(void **state)
{
    char letters[TASKS];

    (void)state;
    memset(letters, 'B', sizeof letters - 1);
    letters[sizeof letters - 1] = 0;
    check_blanks(1, letters, TASKS - 1);
    check_blanks(3, letters, TASKS - 1);
    check_blanks(2, "BeeBe", 2);
}

static void what_is_spoilt_or_left_empty_goes(void **state)
{
    (void)state;
    check_blanks(1, "esBsse", 1);
    check_blanks(2, "BceB", 2);
}

static void nothing_is_filled_without_workers(void **state)
{
    (void)state;
    check_blanks(0, "BB", 0);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_tasks_end_once),
        cmocka_unit_test(a_crash_costs_one_task),
        cmocka_unit_test(a_hang_costs_one_task),
        cmocka_unit_test(an_early_end_costs_one_task),
        cmocka_unit_test(a_broken_frame_costs_one_task),
        cmocka_unit_test(a_worker_that_reads_for_ever_comes_to_an_end),
        cmocka_unit_test(a_flood_costs_one_task),
        cmocka_unit_test(a_killed_task_runs_once_more_when_all_others_are_done),
        cmocka_unit_test(a_crash_is_tried_twice_and_no_more),
        cmocka_unit_test(a_hang_is_not_tried_again),
        cmocka_unit_test(nothing_goes_on_once_results_cannot_be_stored),
        cmocka_unit_test(a_worker_that_cannot_start_is_an_error),
        cmocka_unit_test(a_task_writes_the_file_that_the_parent_made),
        cmocka_unit_test(a_crash_leaves_the_output_of_its_neighbour_alone),
        cmocka_unit_test(what_a_task_fills_is_handed_over),
        cmocka_unit_test(what_is_spoilt_or_left_empty_goes),
        cmocka_unit_test(nothing_is_filled_without_workers),
    };

    runs = mmap(NULL, sizeof *runs, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (runs == MAP_FAILED)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
