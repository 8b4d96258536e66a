/* The condition language: precedence, quantities, mistakes. Selections a, b, c hold or do not as a
 * letter of the text says. */
#include "triage/base/error.h"
#include "triage/match/condition.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
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

static const struct expression *keyword(const char *text)
{
    struct clause *clause = arena_take(arena, sizeof *clause);
    struct tokens tokens;

    tokens_parse(arena, slice_of_text(text), &tokens);
    tokens_open(arena, tokens, true, true, &tokens);
    clause->kind = CLAUSE_PATTERN;
    clause->keyword = true;
    clause->pattern = pattern_new(arena, tokens, false);
    return expression_clause(arena, clause);
}

static const struct expression *parse(const char *condition)
{
    const struct selection selections[] = {
        {SLICE_LITERAL("a"), keyword("a")},
        {SLICE_LITERAL("sel_b"), keyword("b")},
        {SLICE_LITERAL("sel_c"), keyword("c")},
        {SLICE_LITERAL("_hidden"), keyword("h")},
    };
    const struct expression *expression = NULL;

    return condition_parse(arena, slice_of_text(condition), selections, 4, &expression) < 0
               ? NULL
               : expression;
}

/* Whether the condition holds when the selections whose letters stand in `text` do. */
static bool holds(const char *condition, const char *text)
{
    const struct expression *expression = parse(condition);
    const struct event event = {.kind = KIND_text_line, .raw = slice_of_text(text)};
    struct buffer how = BUFFER_EMPTY;
    struct view *view = NULL;

    if (!expression)
        fail_msg("%s", error_text());
    assert_int_equal(view_new(field_list_new(arena), &view), 0);
    struct evaluation evaluation = {.view = view, .how = &how};
    view_set(view, &event);
    const enum answer answer = expression_test(expression, &evaluation);
    view_free(view);
    buffer_release(&how);
    return answer == ANSWER_YES;
}

static void and_binds_more_than_or(void **context)
{
    (void)context;
    assert_true(holds("a or sel_b and sel_c", "a"));
    assert_false(holds("a or sel_b and sel_c", "b"));
    assert_true(holds("a or sel_b and sel_c", "bc"));
    assert_false(holds("(a or sel_b) and sel_c", "a"));
}

static void not_binds_most(void **context)
{
    (void)context;
    assert_true(holds("not a and sel_b", "b"));
    assert_false(holds("not a and sel_b", "ab"));
    assert_false(holds("not (a or sel_b)", "b"));
    assert_true(holds("not not a", "a"));
}

static void operators_may_be_capitals(void **context)
{
    (void)context;
    assert_true(holds("a AND NOT sel_b OR sel_c", "c"));
}

static void one_of_takes_any(void **context)
{
    (void)context;
    assert_true(holds("1 of sel_*", "c"));
    assert_false(holds("1 of sel_*", "a"));
    assert_true(holds("any of *_b", "b"));
    assert_true(holds("not 1 of sel_*", "a"));
}

static void all_of_takes_all(void **context)
{
    (void)context;
    assert_false(holds("all of sel_*", "b"));
    assert_true(holds("all of sel_*", "bc"));
    assert_true(holds("2 of them", "ac"));
    assert_false(holds("2 of them", "a"));
}

static void them_leaves_out_underscores(void **context)
{
    (void)context;
    assert_true(holds("all of them", "abc"));
    assert_false(holds("1 of them", "h"));
    assert_true(holds("1 of _*", "h"));
}

static void brackets_need_no_blanks(void **context)
{
    (void)context;
    assert_true(holds("(a)and(not(sel_b))", "a"));
}

static void mistakes_are_told(void **context)
{
    static const struct {
        const char *condition, *reason;
    } cases[] = {
        {"a and", "a selection is missing"},
        {"", "a selection is missing"},
        {"a sel_b", "'sel_b' is not understood"},
        {"(a", "closing bracket"},
        {"a)", "')' is not understood"},
        {"nothing", "no selection 'nothing'"},
        {"1 of none*", "no selection is meant by 'none*'"},
        {"5 of them", "more selections"},
        {"some of them", "'some of' is not understood"},
        {"1 of", "a name is missing"},
        {"a | count() by b > 5", "needs correlation"},
    };

    (void)context;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_null(parse(cases[i].condition));
        assert_non_null(strstr(error_text(), cases[i].reason));
    }
}

static void deep_nesting_is_a_mistake(void **context)
{
    char text[20001];

    (void)context;
    memset(text, '(', sizeof text - 1);
    text[sizeof text - 1] = 0;
    assert_null(parse(text));
    assert_non_null(strstr(error_text(), "nested too deeply"));
}

/* Each "of" goes through all selections: thousands of both would take gigabytes. */
static void many_selections_many_times_are_a_mistake(void **context)
{
    enum { GROUPS = 6, TIMES = 4000 };
    struct buffer text = BUFFER_EMPTY;

    (void)context;
    for (size_t group = 0; group < GROUPS; group++) {
        for (size_t i = 0; i < TIMES; i++)
            buffer_add_text(&text, i       ? " or 1 of sel_*"
                                   : group ? " and (1 of sel_*"
                                           : "(1 of sel_*");
        buffer_add_text(&text, ")");
        if (group == 0)
            assert_non_null(parse(buffer_text(&text)));
    }
    assert_null(parse(buffer_text(&text)));
    assert_non_null(strstr(error_text(), "too many selections"));
    buffer_release(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(and_binds_more_than_or),
        cmocka_unit_test(not_binds_most),
        cmocka_unit_test(operators_may_be_capitals),
        cmocka_unit_test(one_of_takes_any),
        cmocka_unit_test(all_of_takes_all),
        cmocka_unit_test(them_leaves_out_underscores),
        cmocka_unit_test(brackets_need_no_blanks),
        cmocka_unit_test(mistakes_are_told),
        cmocka_unit_test(deep_nesting_is_a_mistake),
        cmocka_unit_test(many_selections_many_times_are_a_mistake),
    };

    return cmocka_run_group_tests_name("condition", tests, setup, teardown);
}
