/* Correlation rules: what is understood, what is refused, and which windows of events they find. */
#include "tests/unit/rule_fixture.h"
#include "triage/base/error.h"
#include "triage/match/correlation_window.h"
#include "triage/match/ranked.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define BASES                                                                                      \
    "title: A\nname: a\nlogsource: {category: webserver}\ndetection: {s: {f: a}, condition: s}\n"  \
    "---\ntitle: B\nname: b\nlogsource: {category: webserver}\n"                                   \
    "detection: {s: {f: b}, condition: s}\n---\n"                                                  \
    "title: C\nname: c\nlogsource: {category: webserver}\n"                                        \
    "detection: {s: {f: c}, condition: s}\n---\n"

static struct buffer told = BUFFER_EMPTY;

static struct rule_set *rules_with(const char *correlation)
{
    char text[4096];

    snprintf(text, sizeof text, BASES "title: T\nname: T\ncorrelation: %s\n", correlation);
    return fixture_rules(text);
}

/* "FIRST-LAST events/value;" with rows of the first and last event. */
static int tell(void *context, const struct correlation_result *result)
{
    (void)context;
    buffer_format(&told, "%d-%d %d/%d%s;", (int)result->rows[0], (int)result->last_row,
                  (int)result->events, (int)result->value, result->cut ? " cut" : "");
    return 0;
}

static void run_events(struct correlation_window *window, const char *events)
{
    int64_t row = 0;

    for (const char *at = events; *at; at++) {
        int seconds = 0, value = 0, size = 0;
        char rule;
        if (*at == '|') {
            assert_int_equal(correlation_window_end(window), 0);
            continue;
        }
        if (*at == ' ')
            continue;
        if (sscanf(at, "%c%d=%d%n", &rule, &seconds, &value, &size) < 3)
            assert_int_equal(sscanf(at, "%c%d%n", &rule, &seconds, &size), 2);
        const struct correlation_event event = {
            .ticks = seconds * TICKS_PER_SECOND,
            .positions = UINT64_C(1) << (rule - 'a'),
            .value = (uint64_t)value,
            .number = value,
            .row = ++row,
        };
        assert_int_equal(correlation_window_add(window, &event), 0);
        at += size - 1;
    }
    assert_int_equal(correlation_window_end(window), 0);
}

/* Events are "RULE SECONDS[=VALUE]" with blanks between, groups with '|'. */
static const char *results(const char *correlation, const char *events)
{
    struct rule_set *set = rules_with(correlation);
    struct correlation_window *window = NULL;

    buffer_clear(&told);
    if (fixture_reason(set))
        fail_msg("%s: %s", correlation, fixture_reason(set));
    const struct correlation *c = rule_set_correlation(set, 3);
    assert_non_null(c);
    assert_int_equal(correlation_window_new(c, tell, NULL, &window), 0);
    run_events(window, events);
    correlation_window_free(window);
    rule_set_free(set);
    return buffer_text(&told);
}

static void a_burst_is_one_result(void **context)
{
    const char *rule =
        "{type: event_count, rules: a, group-by: [u], timespan: 10s, condition: {gte: 3}}";

    (void)context;
    assert_string_equal(results(rule, "a0 a1 a2 a3 a13"), "1-4 4/4;");
    assert_string_equal(results(rule, "a0 a1 a2 a3 a12"), "1-5 5/4;");
    assert_string_equal(results(rule, "a0 a8 a16 a24"), "");
    assert_string_equal(results(rule, "a0 a1 a2 a50 a51 a52"), "1-3 3/3;4-6 3/3;");
    assert_string_equal(results(rule, "a0 a5 a10"), "1-3 3/3;");
    assert_string_equal(results(rule, "a0 a1 | a2"), "");
}

static void ranges_and_upper_limits_hold_for_whole_windows(void **context)
{
    (void)context;
    assert_string_equal(results("{type: event_count, rules: a, group-by: [u], timespan: 10s, "
                                "condition: {gt: 1, lte: 2}}",
                                "a0 a1 | a0 a1 a2"),
                        "1-2 2/2;");
    assert_string_equal(results("{type: event_count, rules: a, group-by: [u], timespan: 10s, "
                                "condition: {eq: 1}}",
                                "a0 | a0 a1"),
                        "1-1 1/1;");
}

static void values_are_counted_once(void **context)
{
    const char *rule = "{type: value_count, rules: [a, b], group-by: [u], timespan: 10s, "
                       "condition: {field: v, gte: 3}}";

    (void)context;
    assert_string_equal(results(rule, "a0=1 a1=2 a2=1 a3=2"), "");
    assert_string_equal(results(rule, "a0=1 b1=2 a2=1 b3=3"), "1-4 4/3;");
    assert_string_equal(results(rule, "a0=1 a9=2 a18=3"), "");
}

static void sums_averages_and_percentiles_are_of_numbers(void **context)
{
    (void)context;
    assert_string_equal(results("{type: value_sum, rules: a, group-by: [u], timespan: 10s, "
                                "condition: {field: v, gt: 100}}",
                                "a0=60 a1=50 a30=90"),
                        "1-2 2/110;");
    assert_string_equal(results("{type: value_avg, rules: a, group-by: [u], timespan: 10s, "
                                "condition: {field: v, lt: 5}}",
                                "a0=9 a1=1 a30=1 a31=3"),
                        "3-4 2/2;");
    assert_string_equal(results("{type: value_percentile, rules: a, group-by: [u], timespan: 10s, "
                                "condition: {field: v, percentile: 50, gte: 5}}",
                                "a0=1 a1=5 a2=9 a30=1 a31=1 a32=9"),
                        "1-3 3/5;");
}

/* 10^60 and then three fives: when the huge one has left the window, the fives are still there. */
static void a_huge_number_leaves_no_trace(void **context)
{
    struct rule_set *set = rules_with("{type: value_sum, rules: a, group-by: [u], timespan: 10s, "
                                      "condition: {field: v, gte: 15, lt: 1000}}");
    static const struct {
        int seconds;
        long double number;
    } events[] = {{0, 1e60L}, {5, 5}, {6, 5}, {7, 5}, {11, 1e-3L}, {30, 1}};
    struct correlation_window *window = NULL;
    (void)context;

    buffer_clear(&told);
    assert_int_equal(correlation_window_new(rule_set_correlation(set, 3), tell, NULL, &window), 0);
    for (size_t i = 0; i < sizeof events / sizeof *events; i++) {
        const struct correlation_event event = {.ticks = events[i].seconds * TICKS_PER_SECOND,
                                                .positions = 1,
                                                .number = events[i].number,
                                                .row = (int64_t)i};
        assert_int_equal(correlation_window_add(window, &event), 0);
    }
    assert_int_equal(correlation_window_end(window), 0);
    assert_string_equal(buffer_text(&told), "1-4 4/15;");
    correlation_window_free(window);
    rule_set_free(set);
}

static int compare_numbers(const void *a, const void *b)
{
    const long double x = *(const long double *)a, y = *(const long double *)b;

    return (x > y) - (x < y);
}

static void numbers_keep_their_rank(void **context)
{
    enum { HELD = 3000, STEPS = 40000 };
    static long double window[HELD], sorted[HELD];
    struct ranked *ranked = ranked_new(HELD);
    uint32_t state = 7;
    (void)context;

    assert_non_null(ranked);
    for (size_t i = 0; i < STEPS; i++) {
        if (i >= HELD)
            ranked_drop(ranked, window[i % HELD]);
        state = state * 1664525u + 1013904223u;
        /* rising, falling and random stretches, with equal ones among them */
        window[i % HELD] = i / 5000 % 3 == 0   ? (long double)(i / 3)
                           : i / 5000 % 3 == 1 ? -(long double)i
                                               : (long double)(state >> 20);
        ranked_add(ranked, window[i % HELD]);
        if (i % 997 != 0)
            continue;
        const size_t count = ranked_count(ranked);
        memcpy(sorted, window, count * sizeof *sorted);
        qsort(sorted, count, sizeof *sorted, compare_numbers);
        for (size_t rank = 0; rank < count; rank += 61)
            assert_true(ranked_at(ranked, rank) == sorted[rank]);
    }
    ranked_free(ranked);
}

static void temporal_takes_any_order(void **context)
{
    const char *rule = "{type: temporal, rules: [a, b, c], group-by: [u], timespan: 10s}";

    (void)context;
    assert_string_equal(results(rule, "c0 a1 b2"), "1-3 3/3;");
    assert_string_equal(results(rule, "c0 a1 b12"), "");
    assert_string_equal(results(rule, "c0 a1 | b2"), "");
}

static void temporal_conditions_join_rules(void **context)
{
    const char *rule = "{type: temporal, rules: [a, b, c], group-by: [u], timespan: 10s, "
                       "condition: a and (b or not c)}";

    (void)context;
    assert_string_equal(results(rule, "a0 b1 c2"), "1-3 3/3;");
    assert_string_equal(results(rule, "a0 c1"), "");
    assert_string_equal(results(rule, "a0"), "1-1 1/1;");
    assert_string_equal(results("{type: temporal, rules: [a, b, c], group-by: [u], timespan: 10s, "
                                "condition: {gte: 2}}",
                                "a0 c1"),
                        "1-2 2/2;");
}

static void order_matters_where_it_is_asked_for(void **context)
{
    const char *rule = "{type: temporal_ordered, rules: [a, b, c], group-by: [u], timespan: 10s}";

    (void)context;
    assert_string_equal(results(rule, "a0 b1 c2"), "1-3 3/3;");
    assert_string_equal(results(rule, "a0 c1 b2"), "");
    assert_string_equal(results(rule, "a0 a5 b6 c12"), "2-4 3/3;");
    assert_string_equal(results(rule, "a0 b5 c11"), "");
    assert_string_equal(results(rule, "a0 b1 | c2"), "");
}

static void a_rule_may_be_a_step_twice(void **context)
{
    struct rule_set *set =
        rules_with("{type: temporal_ordered, rules: [a, b, a], group-by: [u], timespan: 10s}");

    (void)context;
    assert_null(fixture_reason(set));
    rule_set_free(set);
}

static void a_window_that_is_too_full_says_so(void **context)
{
    struct rule_set *set = rules_with("{type: event_count, rules: a, group-by: [u], timespan: 1d, "
                                      "condition: {gte: 100000}}");
    struct correlation_window *window = NULL;

    (void)context;
    buffer_clear(&told);
    assert_int_equal(correlation_window_new(rule_set_correlation(set, 3), tell, NULL, &window), 0);
    for (int i = 0; i < CORRELATION_WINDOW_MOST + 5; i++) {
        const struct correlation_event event = {.ticks = i, .positions = 1, .row = i + 1};
        correlation_window_add(window, &event);
    }
    correlation_window_end(window);
    assert_string_equal(buffer_text(&told), "1-100005 100005/100000 cut;");
    correlation_window_free(window);
    rule_set_free(set);
}

static void base_rules_are_silent_unless_told_otherwise(void **context)
{
    struct rule_set *set = rules_with(
        "{type: event_count, rules: a, group-by: [u], timespan: 1m, condition: {gte: 2}}");

    (void)context;
    assert_true(rule_set_rule(set, 0)->silent);
    assert_false(rule_set_rule(set, 1)->silent);
    assert_false(rule_set_rule(set, 3)->silent);
    rule_set_free(set);
    set = rules_with("{type: event_count, rules: a, group-by: [u], timespan: 1m, generate: true, "
                     "condition: {gte: 2}}");
    assert_false(rule_set_rule(set, 0)->silent);
    rule_set_free(set);
}

static void fields_have_aliases_by_rule(void **context)
{
    struct rule_set *set =
        rules_with("{type: temporal, rules: [a, b], group-by: [ip, u], timespan: 1m, "
                   "aliases: {ip: {a: src, b: dst}}}");

    (void)context;
    assert_string_equal(rule_set_correlated_field(set, 3, 0, "ip"), "src");
    assert_string_equal(rule_set_correlated_field(set, 3, 1, "ip"), "dst");
    assert_string_equal(rule_set_correlated_field(set, 3, 1, "u"), "u");
    rule_set_free(set);
}

static void what_has_no_meaning_is_refused(void **context)
{
    static const char *const samples[][2] = {
        {"{type: event_count, rules: a, timespan: 1m}", "condition is missing"},
        {"{type: event_count, rules: a, timespan: 1x, condition: {gte: 1}}", "unit"},
        {"{type: event_count, rules: nobody, timespan: 1m, condition: {gte: 1}}", "not there"},
        {"{type: event_count, rules: T, timespan: 1m, condition: {gte: 1}}", "circle"},
        {"{type: value_count, rules: a, timespan: 1m, condition: {gte: 1}}", "needs a field"},
        {"{type: event_count, timespan: 1m, condition: {gte: 1}}", "list of rules"},
        {"{type: what, rules: a, timespan: 1m, condition: {gte: 1}}", "not known"},
        {"{type: temporal_ordered, rules: [a, b], timespan: 1m, condition: a or b}", "no order"},
        {"{type: event_count, rules: a, timespan: 1m, condition: {gte: x}}", "needs a number"},
        {"[1]", "a map is expected"},
    };

    (void)context;
    for (size_t i = 0; i < sizeof samples / sizeof *samples; i++) {
        struct rule_set *set = rules_with(samples[i][0]);
        const char *reason = fixture_reason(set);
        if (!reason || !strstr(reason, samples[i][1]))
            fail_msg("%s: %s", samples[i][0], reason ? reason : "understood");
        rule_set_free(set);
    }
}

static void a_deprecated_count_is_understood(void **context)
{
    struct rule_set *set =
        fixture_detection("  s: {f: a}\n  timeframe: 5m\n  condition: s | count(v) by u, w > 10\n");
    const struct correlation *c = rule_set_correlation(set, 0);

    (void)context;
    assert_null(fixture_reason(set));
    assert_int_equal(c->type, CORRELATION_VALUE_COUNT);
    assert_int_equal(c->group_count, 2);
    assert_string_equal(c->group_by[1], "w");
    assert_true(c->timespan == 300 * TICKS_PER_SECOND);
    assert_false(correlation_holds(c, 10));
    assert_true(correlation_holds(c, 11));
    assert_true(rule_set_rule(set, 0)->silent);
    rule_set_free(set);
}

static void near_is_refused(void **context)
{
    struct rule_set *set = fixture_detection("  s: {f: a}\n  t: {f: b}\n  condition: s | near t\n");

    (void)context;
    assert_non_null(strstr(fixture_reason(set), "'near' has no defined meaning"));
    rule_set_free(set);
}

#define FILTER                                                                                     \
    "title: F\nlogsource: {category: webserver}\nfilter:\n  rules: [%s]\n"                         \
    "  mine: {u: me}\n  condition: not mine\n"

static struct rule_set *filtered(const char *name)
{
    char text[4096];

    snprintf(text, sizeof text, BASES FILTER, name);
    return fixture_rules(text);
}

static void a_filter_takes_events_from_the_rules_it_names(void **context)
{
    struct rule_set *set = filtered("a");

    (void)context;
    assert_string_equal(fixture_match(set, "f=a\nu=you"), "a;");
    assert_string_equal(fixture_match(set, "f=a\nu=me"), "");
    assert_string_equal(fixture_match(set, "f=b\nu=me"), "b;");
    rule_set_free(set);
    set = filtered("any");
    assert_string_equal(fixture_match(set, "f=b\nu=me"), "");
    rule_set_free(set);
}

static void a_filter_for_nobody_says_so(void **context)
{
    struct rule_set *set = filtered("nobody");

    (void)context;
    assert_non_null(strstr(fixture_reason(set), "none of the rules"));
    rule_set_free(set);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_burst_is_one_result),
        cmocka_unit_test(ranges_and_upper_limits_hold_for_whole_windows),
        cmocka_unit_test(values_are_counted_once),
        cmocka_unit_test(sums_averages_and_percentiles_are_of_numbers),
        cmocka_unit_test(a_huge_number_leaves_no_trace),
        cmocka_unit_test(numbers_keep_their_rank),
        cmocka_unit_test(temporal_takes_any_order),
        cmocka_unit_test(temporal_conditions_join_rules),
        cmocka_unit_test(order_matters_where_it_is_asked_for),
        cmocka_unit_test(a_rule_may_be_a_step_twice),
        cmocka_unit_test(a_window_that_is_too_full_says_so),
        cmocka_unit_test(base_rules_are_silent_unless_told_otherwise),
        cmocka_unit_test(fields_have_aliases_by_rule),
        cmocka_unit_test(what_has_no_meaning_is_refused),
        cmocka_unit_test(a_deprecated_count_is_understood),
        cmocka_unit_test(near_is_refused),
        cmocka_unit_test(a_filter_takes_events_from_the_rules_it_names),
        cmocka_unit_test(a_filter_for_nobody_says_so),
    };

    return cmocka_run_group_tests_name("correlation", tests, NULL, NULL);
}
