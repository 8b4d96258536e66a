/* Content matches in a log and the records that they lie in. */
#include "triage/base/buffer.h"
#include "triage/engine/line_hits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* A log of lines; "-" begins one that is no record. */
static const char *log_text;

static int parse_lines(struct job *job)
{
    const struct slice text = slice_of_text(log_text);
    uint64_t number = 0;

    for (size_t at = 0; at < text.size;) {
        const size_t end = slice_find(text, at, '\n');
        const struct slice line = slice_part(text, at, (end == SIZE_MAX ? text.size : end) - at);
        const struct event event = {.offset = at, .number = ++number, .raw = line};

        if (line.size && line.data[0] != '-' && job->services->next_candidate(job, text, at) == at)
            job_emit(job, &event);
        at += line.size + 1;
    }
    job_notice(job, 0, "told before");
    job_reject(job, 0, 0, text);
    return 0;
}

static const struct artifact lines_artifact = {.name = "lines", .parse = parse_lines};

/* "RULE@LINE(PLACES) ", "RULE(PLACES) " for the file, "RULE>LINES " for what was left out. */
static void tell_line(void *context, size_t rule, const char *places, const struct event *event)
{
    buffer_format(context, "%zu@%d(%s) ", rule, (int)event->number, places);
}

static void tell_file(void *context, size_t rule, const char *places)
{
    buffer_format(context, "%zu(%s) ", rule, places);
}

static void tell_more(void *context, size_t rule, size_t lines)
{
    buffer_format(context, "%zu>%zu ", rule, lines);
}

static void fail_notice(struct job *job, uint64_t offset, const char *text)
{
    (void)job, (void)offset;
    fail_msg("%s", text);
}

struct told {
    struct arena *arena;
    struct line_hits *hits;
    struct buffer text;
};

static int set_up(void **state)
{
    struct told *told = calloc(1, sizeof *told);

    told->arena = arena_new(0);
    told->hits = line_hits_new(told->arena);
    *state = told;
    return 0;
}

static int tear_down(void **state)
{
    struct told *told = *state;

    buffer_release(&told->text);
    arena_free(told->arena);
    free(told);
    return 0;
}

static const char *tell(struct told *told, const char *text, bool wide)
{
    const struct job_services services = {.notice = fail_notice};
    const struct job job = {.artifact = &lines_artifact, .services = &services};
    const struct line_hits_sink sink = {&told->text, tell_line, tell_file, tell_more};

    log_text = text;
    line_hits_tell(told->hits, &job, wide, &sink);
    return buffer_text(&told->text);
}

static void a_match_is_told_with_its_line(void **state)
{
    struct told *told = *state;

    line_hits_place(told->hits, 7, 10, "$b");
    line_hits_place(told->hits, 7, 4, "$a");
    line_hits_place(told->hits, 7, 5, "$a");
    line_hits_place(told->hits, 3, 5, "$x");
    assert_true(line_hits_add(told->hits, 7, "$a at 0x4, $b at 0xa"));
    assert_true(line_hits_add(told->hits, 3, "$x at 0x5"));
    assert_string_equal(tell(told, "one\ntwo\nthree\n", false),
                        "7@2($a at 0x4, $a at 0x5) 3@2($x at 0x5) 7@3($b at 0xa) ");
}

static void what_lies_in_no_record_is_told_of_the_file(void **state)
{
    struct told *told = *state;

    line_hits_place(told->hits, 1, 1, "$a");
    line_hits_place(told->hits, 2, 100, "$a");
    line_hits_place(told->hits, 4, 7, "$a");
    line_hits_add(told->hits, 1, "$a at 0x1");
    line_hits_add(told->hits, 2, "$a at 0x64");
    line_hits_add(told->hits, 3, "");
    line_hits_add(told->hits, 4, "$a at 0x7");
    assert_string_equal(tell(told, "-one\ntwo\n", false),
                        "4@2($a at 0x7) 1($a at 0x1) 2($a at 0x64) 3() ");
}

static void without_a_match_the_file_is_not_parsed(void **state)
{
    struct told *told = *state;

    line_hits_place(told->hits, 1, 1, "$a");
    assert_string_equal(tell(told, NULL, false), "");
}

static void records_of_utf16_are_twice_as_long(void **state)
{
    struct told *told = *state;

    line_hits_place(told->hits, 1, 5, "$a");
    line_hits_add(told->hits, 1, "$a at 0x5");
    assert_string_equal(tell(told, "one", true), "1@1($a at 0x5) ");
}

static void many_lines_are_counted(void **state)
{
    struct told *told = *state;
    char text[401];

    for (size_t i = 0; i < 400; i += 2) {
        memcpy(text + i, "x\n", 2);
        line_hits_place(told->hits, 9, i, "$a");
    }
    text[400] = 0;
    line_hits_add(told->hits, 9, "$a at 0x0");
    const char *found = tell(told, text, false);
    assert_non_null(strstr(found, "9@64($a at 0x7e) 9>200 "));
    assert_null(strstr(found, "9@65("));
}

static void a_rule_without_room_is_the_callers(void **state)
{
    struct told *told = *state;

    for (size_t rule = 0; rule < LINE_RULES_MOST; rule++)
        assert_true(line_hits_add(told->hits, rule, ""));
    assert_true(line_hits_add(told->hits, 0, ""));
    assert_false(line_hits_add(told->hits, LINE_RULES_MOST, ""));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_match_is_told_with_its_line),
        TEST(what_lies_in_no_record_is_told_of_the_file),
        TEST(without_a_match_the_file_is_not_parsed),
        TEST(records_of_utf16_are_twice_as_long),
        TEST(many_lines_are_counted),
        TEST(a_rule_without_room_is_the_callers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
