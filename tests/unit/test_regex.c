/* PCRE2 behind its small interface: options, mistakes, and patterns that give up. */
#include "triage/base/error.h"
#include "triage/match/regex.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct regex_scratch *scratch;
static const char *why;

static int setup(void **context)
{
    (void)context;
    return regex_scratch_new(&scratch);
}

static int teardown(void **context)
{
    (void)context;
    regex_scratch_free(scratch);
    return 0;
}

static enum regex_answer search(const char *pattern, unsigned options, struct slice subject)
{
    struct regex *regex = NULL;

    assert_int_equal(regex_new(slice_of_text(pattern), options, &regex), 0);
    const enum regex_answer answer = regex_search(regex, scratch, subject, &why);
    regex_free(regex);
    return answer;
}

static void a_pattern_is_searched_with_case(void **context)
{
    (void)context;
    assert_int_equal(search("b+c", 0, SLICE_LITERAL("abbcd")), REGEX_YES);
    assert_int_equal(search("B+c", 0, SLICE_LITERAL("abbcd")), REGEX_NO);
    assert_int_equal(search("B+c", REGEX_CASELESS, SLICE_LITERAL("abbcd")), REGEX_YES);
    assert_int_equal(search("(?i)B+c", 0, SLICE_LITERAL("abbcd")), REGEX_YES);
}

static void options_change_what_ends_a_line(void **context)
{
    (void)context;
    assert_int_equal(search("^b$", 0, SLICE_LITERAL("a\nb\nc")), REGEX_NO);
    assert_int_equal(search("^b$", REGEX_MULTILINE, SLICE_LITERAL("a\nb\nc")), REGEX_YES);
    assert_int_equal(search("a.b", 0, SLICE_LITERAL("a\nb")), REGEX_NO);
    assert_int_equal(search("a.b", REGEX_DOTALL, SLICE_LITERAL("a\nb")), REGEX_YES);
}

static void bytes_that_are_no_text_do_no_harm(void **context)
{
    (void)context;
    assert_int_equal(search("\xC3\xA4.", 0, SLICE_LITERAL("\xFF\xC3\xA4x\xFE")), REGEX_YES);
    assert_int_equal(search("\xC3\x84", REGEX_CASELESS, SLICE_LITERAL("\xC3\xA4")), REGEX_YES);
    assert_int_equal(search("b", 0, SLICE_LITERAL("a\0b")), REGEX_YES);
    assert_int_equal(search("^$", 0, slice_of(NULL, 0)), REGEX_YES);
}

static void a_mistake_tells_its_place(void **context)
{
    struct regex *regex = NULL;

    (void)context;
    assert_int_equal(regex_new(SLICE_LITERAL("ab(c"), 0, &regex), -1);
    assert_non_null(strstr(error_text(), "at byte 4"));
}

static void a_pattern_that_gives_up_says_so(void **context)
{
    char text[64];

    (void)context;
    memset(text, 'a', sizeof text);
    text[sizeof text - 1] = '!';
    assert_int_equal(search("^(a+)+$", 0, slice_of(text, sizeof text)), REGEX_GAVE_UP);
    assert_non_null(strstr(why, "limit"));
}

static void a_long_subject_fits_the_stack(void **context)
{
    const size_t size = 1024 * 1024;
    char *text = malloc(size);

    (void)context;
    assert_non_null(text);
    memset(text, 'a', size);
    assert_int_equal(search("^[a-z]*$", 0, slice_of(text, size)), REGEX_YES);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pattern_is_searched_with_case),
        cmocka_unit_test(options_change_what_ends_a_line),
        cmocka_unit_test(bytes_that_are_no_text_do_no_harm),
        cmocka_unit_test(a_mistake_tells_its_place),
        cmocka_unit_test(a_pattern_that_gives_up_says_so),
        cmocka_unit_test(a_long_subject_fits_the_stack),
    };

    return cmocka_run_group_tests_name("regex", tests, setup, teardown);
}
