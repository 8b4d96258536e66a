/* Sigma's strings: wildcards, escapes, letter case, the literals they promise. */
#include "triage/match/pattern.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static struct arena *arena;

static int setup(void **context)
{
    (void)context;
    arena = arena_new(0);
    return arena ? 0 : -1;
}

static int teardown(void **context)
{
    (void)context;
    arena_free(arena);
    return 0;
}

static const struct pattern *parse(const char *text, bool cased)
{
    struct tokens tokens;

    assert_int_equal(tokens_parse(arena, slice_of_text(text), &tokens), 0);
    return pattern_new(arena, tokens, cased);
}

static bool matches(const char *pattern, const char *text)
{
    return pattern_matches(parse(pattern, false), slice_of_text(text));
}

static void a_plain_text_is_the_whole_value(void **context)
{
    (void)context;
    assert_true(matches("cmd.exe", "cmd.exe"));
    assert_false(matches("cmd.exe", "cmd.exe "));
    assert_false(matches("cmd.exe", "xcmd.exe"));
    assert_false(matches("cmd.exe", "cmd.ex"));
}

static void letters_compare_without_case(void **context)
{
    (void)context;
    assert_true(matches("CMD.exe", "cmd.EXE"));
    assert_false(matches("[", "{"));
    assert_false(matches("@", "`"));
}

static void cased_patterns_compare_as_they_are(void **context)
{
    (void)context;
    assert_true(pattern_matches(parse("Cmd*", true), SLICE_LITERAL("Cmd.exe")));
    assert_false(pattern_matches(parse("Cmd*", true), SLICE_LITERAL("cmd.exe")));
}

static void a_star_is_any_text(void **context)
{
    (void)context;
    assert_true(matches("*", ""));
    assert_true(matches("a*b", "ab"));
    assert_true(matches("a*b*c", "a123b456c"));
    assert_false(matches("a*b*c", "a123c456b"));
    assert_true(matches("*ab*", "xxabab"));
    assert_true(matches("*ab", "xxabab"));
    assert_false(matches("a*a", "a"));
    assert_false(matches("ab*ba", "aba"));
}

static void a_question_mark_is_one_character(void **context)
{
    (void)context;
    assert_true(matches("prog?.exe", "progA.exe"));
    assert_false(matches("prog?.exe", "prog.exe"));
    assert_true(matches("a?", "a\xC3\xA4"));
    assert_true(matches("*?b", "a\xE2\x82\xAC"
                               "b"));
    assert_false(matches("a??", "a\xC3\xA4"));
    assert_true(matches("a?", "a\xFF"));
}

static void backslashes_make_wildcards_plain(void **context)
{
    (void)context;
    assert_true(matches("a\\*b", "a*b"));
    assert_false(matches("a\\*b", "axb"));
    assert_true(matches("a\\?b", "a?b"));
    assert_true(matches("C:\\Windows", "c:\\windows"));
    assert_true(matches("\\\\\\\\host", "\\\\host"));
    assert_true(matches("\\\\*", "\\anything"));
    assert_true(matches("\\\\\\*", "\\*"));
    assert_false(matches("\\\\\\*", "\\x"));
    assert_true(matches("end\\", "end\\"));
}

static void within_ignores_the_ends(void **context)
{
    (void)context;
    assert_true(pattern_within(parse("b*d", false), SLICE_LITERAL("abcde")));
    assert_false(pattern_within(parse("d*b", false), SLICE_LITERAL("abcde")));
}

static void windash_takes_all_dashes(void **context)
{
    struct tokens tokens;

    (void)context;
    assert_int_equal(tokens_parse(arena, SLICE_LITERAL("cmd -enc x-y"), &tokens), 0);
    assert_int_equal(tokens_windash(arena, tokens, &tokens), 0);
    const struct pattern *pattern = pattern_new(arena, tokens, false);
    assert_true(pattern_matches(pattern, SLICE_LITERAL("cmd -enc x-y")));
    assert_true(pattern_matches(pattern, SLICE_LITERAL("cmd /enc x-y")));
    assert_true(pattern_matches(pattern, SLICE_LITERAL("cmd \xE2\x80\x95"
                                                       "enc x-y")));
    assert_false(pattern_matches(pattern, SLICE_LITERAL("cmd /enc x/y")));
    assert_false(pattern_matches(pattern, SLICE_LITERAL("cmd +enc x-y")));
}

static void the_literal_stands_in_every_match(void **context)
{
    (void)context;
    const struct slice literal =
        pattern_literal(parse("*ab*/owa/mastermailbox\"x*", false), "\"", 3);
    assert_true(slice_is(literal, "/owa/mastermailbox"));
    assert_int_equal(pattern_literal(parse("a?b?c*", false), "", 3).size, 0);
    assert_int_equal(pattern_literal(parse("*\xC3\xA4\xC3\xB6*", false), "", 3).size, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_plain_text_is_the_whole_value),
        cmocka_unit_test(letters_compare_without_case),
        cmocka_unit_test(cased_patterns_compare_as_they_are),
        cmocka_unit_test(a_star_is_any_text),
        cmocka_unit_test(a_question_mark_is_one_character),
        cmocka_unit_test(backslashes_make_wildcards_plain),
        cmocka_unit_test(within_ignores_the_ends),
        cmocka_unit_test(windash_takes_all_dashes),
        cmocka_unit_test(the_literal_stands_in_every_match),
    };

    return cmocka_run_group_tests_name("pattern", tests, setup, teardown);
}
