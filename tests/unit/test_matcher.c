/* Events against rule sets: the forms of a URI, lines that could not be split, patterns that give
 * up, and the prefilter, which must not change any answer. */
#include "tests/unit/rule_fixture.h"
#include "triage/match/prefilter.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { MANY_RULES = 60, MANY_LINES = 4000 };

static const struct log_source sources[] = {
    {"webserver", "windows", "iis"}, {NULL, "exchange", "ecp-server"}, {NULL, NULL, NULL}};

static void expect(const char *detection, const char *fields, const char *how)
{
    char text[4096];

    snprintf(text, sizeof text, "%s\n  condition: s\n", detection);
    struct rule_set *set = fixture_detection(text);
    if (fixture_reason(set))
        fail_msg("%s", fixture_reason(set));
    const char *got = fixture_match(set, fields);
    if (strcmp(got, how ? "T;" : "") != 0)
        fail_msg("'%s' on '%s' gave '%s'", detection, fields, got);
    if (how)
        assert_string_equal(fixture_how(), how);
    rule_set_free(set);
}

static void a_query_rule_is_tried_on_all_forms(void **context)
{
    const char *rule = "  s: {cs-uri-query|contains: '/a b?c<d'}";

    (void)context;
    expect(rule, "cs-uri-stem=/x\ncs-uri-query=/a b?c<d", "");
    expect(rule, "cs-uri-stem=/x\ncs-uri-query=/a%20b%3fc%3Cd",
           "cs-uri-query rule matched the percent-decoded query");
    expect(rule, "cs-uri-stem=/x\ncs-uri-query=/a%2520b%3fc%253Cd",
           "cs-uri-query rule matched the twice percent-decoded query");
    expect(rule, "cs-uri-stem=/a b?c<d\ncs-uri-query=-", "cs-uri-query rule matched the stem");
    expect(rule, "cs-uri-stem=/a%20b?c<d\ncs-uri-query=-",
           "cs-uri-query rule matched the percent-decoded stem");
    expect(rule, "cs-uri-stem=/a b\ncs-uri-query=c<d", "cs-uri-query rule matched the stem?query");
    expect(rule, "cs-uri-stem=/a%20b\ncs-uri-query=c<d",
           "cs-uri-query rule matched the percent-decoded stem?query");
    expect(rule, "cs-uri-stem=/a b\ncs-uri-query=c%253cd",
           "cs-uri-query rule matched the twice percent-decoded stem?query");
    expect(rule, "cs-uri-stem=/a b\ncs-uri-query=?c<d", "cs-uri-query rule matched the stem?query");
    expect(rule, "cs-uri-stem=/a b\ncs-uri-query=-", NULL);
    expect(rule, "cs-uri-stem=/a b\ncs-uri-query=c%25253cd", NULL);
}

static void a_stem_rule_is_tried_raw_and_decoded(void **context)
{
    (void)context;
    expect("  s: {cs-uri-stem|startswith: /owa/}", "cs-uri-stem=/%6fwa/x",
           "cs-uri-stem rule matched the percent-decoded value");
    expect("  s: {cs-uri-stem|startswith: /owa/}", "cs-uri-stem=/x\ncs-uri-query=/owa/", NULL);
    expect("  s: {cs-uri-stem|re: '%6f'}", "cs-uri-stem=/%6fwa/x", "");
}

static void older_names_of_the_uri_are_known(void **context)
{
    (void)context;
    expect("  s: {c-uri|endswith: '/x?a=1'}", "cs-uri-stem=/x\ncs-uri-query=a=1",
           "c-uri rule matched the stem?query");
    expect("  s: {c-uri: '/x'}", "cs-uri-stem=/x\ncs-uri-query=-", "c-uri rule matched the stem");
    expect("  s: {c-uri|contains: 'a<'}", "cs-uri=/x?a%3c",
           "c-uri rule matched the percent-decoded value");
    expect("  s: {c-uri-query: a=1}", "cs-uri-stem=/x\ncs-uri-query=a=1", "");
}

static void blanks_of_headers_may_be_plus_signs(void **context)
{
    (void)context;
    expect("  s: {cs-user-agent: 'a b'}", "cs-user-agent=a+b",
           "cs-user-agent rule matched the value with '+' as a blank");
    expect("  s: {cs-user-agent: 'a+b'}", "cs-user-agent=a b",
           "cs-user-agent rule matched the value with blanks as '+'");
    expect("  s: {cs-username: 'a b'}", "cs-username=a+b", NULL);
}

static void how_tells_only_what_helped(void **context)
{
    (void)context;
    expect("  s:\n  - {cs-uri-query|contains: zz, a: 1}\n  - {b: 2}",
           "cs-uri-stem=/zz\ncs-uri-query=-\na=0\nb=2", "");
    expect("  s: {cs-uri-query|contains: [yy, zz], cs-uri-stem|contains: z}",
           "cs-uri-stem=/%7az\ncs-uri-query=-",
           "cs-uri-query rule matched the percent-decoded stem");
}

static void any_value_of_a_field_will_do(void **context)
{
    (void)context;
    expect("  s: {a: 2}", "a=1\nb=0\na=2", "");
    expect("  s: {a: 3}", "a=1\nb=0\na=2", NULL);
}

static void a_line_that_could_not_be_split_is_searched_as_text(void **context)
{
    struct rule_set *set = fixture_detection("  s:\n    cs-method: POST\n    sc-status: 200\n"
                                             "    cs-uri-query|endswith: '/x y'\n"
                                             "    cs-uri-stem|re: 'aspx?'\n"
                                             "  f: {c-ip|cidr: 10.0.0.0/8}\n"
                                             "  condition: s and not f\n");

    (void)context;
    assert_string_equal(fixture_match_rejected(set, "10.0.0.1 post /x%20y.asp 200"), "T;");
    assert_string_equal(fixture_how(), "text of a line that could not be split");
    assert_string_equal(fixture_match_rejected(set, "post /x%20y.asp 2001"), "");
    assert_string_equal(fixture_match_rejected(set, "get /x%20y.asp 200"), "");
    rule_set_free(set);
}

static void rules_ask_only_events_of_their_source(void **context)
{
    struct rule_set *set =
        fixture_rules("title: A\nname: A\nlogsource: {product: Exchange}\n"
                      "detection: {s: {a: 1}, condition: s}\n---\n"
                      "title: B\nname: B\nlogsource: {product: linux}\n"
                      "detection: {s: {a: 1}, condition: s}\n---\n"
                      "title: C\nname: C\nlogsource: {category: webserver, service: IIS}\n"
                      "detection: {s: {a: 1}, condition: s}\n---\n"
                      "title: D\nname: D\nlogsource: {category: webserver, product: exchange}\n"
                      "detection: {s: {a: 1}, condition: s}\n");

    (void)context;
    assert_string_equal(fixture_match(set, "a=1"), "A;C;");
    assert_int_equal(rule_set_rule(set, 1)->state, RULE_NOT_APPLICABLE);
    assert_string_equal(rule_set_rule(set, 1)->reason, "logs of Linux are not on a Windows server");
    assert_int_equal(rule_set_rule(set, 3)->state, RULE_NOT_APPLICABLE);
    rule_set_free(set);
}

static void a_pattern_that_gives_up_leaves_the_rule_undecided(void **context)
{
    const char *fields = "a=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!\nb=1";
    struct rule_set *set =
        fixture_detection("  s: {a|re: '^(a+)+$'}\n  t: {b: 1}\n  condition: s and t\n");

    (void)context;
    assert_string_equal(fixture_match(set, fields), "?T;");
    rule_set_free(set);
    set = fixture_detection("  s: {a|re: '^(a+)+$'}\n  t: {b: 2}\n  condition: s and t\n");
    assert_string_equal(fixture_match(set, fields), "");
    rule_set_free(set);
    set = fixture_detection("  s: {a|re: '^(a+)+$'}\n  t: {b: 1}\n  condition: s or t\n");
    assert_string_equal(fixture_match(set, fields), "T;");
    rule_set_free(set);
    set = fixture_detection("  s: {a|re: '^(a+)+$'}\n  t: {b: 1}\n  condition: t and not s\n");
    assert_string_equal(fixture_match(set, fields), "?T;");
    rule_set_free(set);
}

/* Pieces that rules and lines are made of, so that they meet often. */
static const char *const pieces[] = {
    "/owa/auth/", "/ecp/",        ".aspx",      "cmd=",     "whoami",
    "%2fowa%2f",  "<script>",     "%3Cscr",     "ipt>",     "a+b",
    "a b",        "union select", "eval(",      "\xC3\x84", "\xC3\xA4",
    "kKs",        "POST",         "\"quoted\"", "?x=1",     "autodiscover.json"};

static uint32_t random_state;

static uint32_t random_below(uint32_t limit)
{
    random_state = random_state * 1664525 + 1013904223;
    return (random_state >> 8) % limit;
}

static const char *piece(void)
{
    return pieces[random_below(sizeof pieces / sizeof *pieces)];
}

static void add_item(struct buffer *yaml)
{
    static const char *const fields[] = {"cs-uri-query", "cs-uri-stem", "cs-user-agent",
                                         "cs-method",    "c-uri",       "a"};
    static const char *const modifiers[] = {"|contains", "|startswith", "|endswith",
                                            "|contains|cased", "|contains|windash"};

    buffer_format(yaml, "    - {'%s%s': ['%s%s', '%s']}\n", fields[random_below(6)],
                  modifiers[random_below(5)], piece(), piece(), piece());
}

static void add_rule(struct buffer *yaml, unsigned number)
{
    buffer_format(yaml,
                  "---\ntitle: R\nname: R%u\nlogsource: {category: webserver}\ndetection:\n"
                  "  a:\n",
                  number);
    add_item(yaml);
    add_item(yaml);
    buffer_add_text(yaml, "  b:\n");
    add_item(yaml);
    buffer_format(yaml, "  k: ['%s', '%s%s']\n", piece(), piece(), piece());
    buffer_format(yaml, "  r: {cs-uri-query|re: '(?i)(%s|%s)x?[a-z/]'}\n",
                  random_below(2) ? "owa/auth" : "whoami", random_below(2) ? "%3cscr" : "script");
    static const char *const conditions[] = {"a and b", "a and not b", "k",      "r and k",
                                             "a or r",  "2 of them",   "b and k"};
    buffer_format(yaml, "  condition: %s\n", conditions[random_below(7)]);
}

static struct rule_set *random_rules(unsigned count)
{
    struct buffer yaml = BUFFER_EMPTY;

    for (unsigned i = 0; i < count; i++)
        add_rule(&yaml, i);
    struct rule_set *set = fixture_rules(buffer_text(&yaml));
    buffer_release(&yaml);
    return set;
}

/* A line as its parser would give it: values are parts of the record. */
struct line {
    char raw[1024];
    struct value values[5];
    struct event event;
};

static void add_value(struct line *line, const char *name, bool plain)
{
    char *start = line->raw + strlen(line->raw);
    struct value *value = &line->values[line->event.value_count++];

    if (start != line->raw)
        *start++ = ' ';
    *start = 0;
    for (uint32_t i = random_below(4); i-- > 0;)
        for (const char *from = plain ? "GETPOST" : piece(); *from; from++) {
            char *end = start + strlen(start);
            /* a W3C log has no blanks inside of values */
            end[0] = (char)(*from == ' ' ? '+' : *from);
            end[1] = 0;
        }
    if (!*start)
        strcpy(start, "-");
    *value = (struct value){
        .name = name, .field = field_from_name(slice_of_text(name)), .text = slice_of_text(start)};
}

static void make_line(struct line *line)
{
    *line = (struct line){0};
    line->event = (struct event){
        .kind = KIND_web_request, .artifact = "test", .sources = sources, .values = line->values};
    add_value(line, "cs-method", random_below(2));
    add_value(line, "cs-uri-stem", false);
    add_value(line, "cs-uri-query", false);
    add_value(line, "cs-user-agent", false);
    add_value(line, "a", false);
    line->event.raw = slice_of_text(line->raw);
    if (random_below(8) == 0) {
        line->event.value_count = 0;
        line->event.marks = EVENT_REJECTED;
    }
}

static void tell_hit(void *context, const struct hit *hit)
{
    buffer_format(context, "%zu(%s);", hit->rule, hit->how);
}

static void tell_undecided(void *context, size_t rule, const char *why)
{
    buffer_format(context, "?%zu(%s);", rule, why);
}

/* One of two ways to match the same lines with the same rules. */
struct side {
    struct rule_set *set;
    struct matcher *matcher;
    struct buffer told;
    size_t turned_away; /* lines that were nominated in vain */
};

static void side_init(struct side *side, uint32_t seed, unsigned rules, bool prefilter)
{
    *side = (struct side){0};
    random_state = seed;
    side->set = random_rules(rules);
    assert_null(fixture_reason(side->set));
    if (!prefilter)
        rule_set_disable_prefilter(side->set);
    assert_int_equal(matcher_new(side->set, &side->matcher), 0);
}

static void side_release(struct side *side)
{
    matcher_free(side->matcher);
    rule_set_free(side->set);
    buffer_release(&side->told);
}

/* What the side tells about the line, as the engine would ask it. */
static const char *side_match(struct side *side, const struct line *line)
{
    const struct match_sink sink = {&side->told, tell_hit, tell_undecided, NULL};
    const struct prefilter *prefilter = rule_set_prefilter(side->set, sources);

    buffer_clear(&side->told);
    if (prefilter_next(prefilter, line->event.raw, 0) == SIZE_MAX)
        return buffer_text(&side->told);
    if (line->event.marks & EVENT_REJECTED ||
        matcher_could_match(side->matcher, sources, line->event.raw))
        matcher_event(side->matcher, &line->event, &sink);
    else
        side->turned_away++;
    return buffer_text(&side->told);
}

/* Gives how many lines matched some rule, and how many were turned away before they were split. */
static size_t compare_sides(uint32_t seed, unsigned rules, size_t *turned_away)
{
    struct side with, without;
    size_t hits = 0;

    side_init(&with, seed, rules, true);
    side_init(&without, seed, rules, false);
    for (size_t i = 0; i < MANY_LINES; i++) {
        struct line line;
        make_line(&line);
        const char *expected = side_match(&without, &line);
        if (strcmp(side_match(&with, &line), expected) != 0)
            fail_msg("line '%s': '%s' with, '%s' without the prefilter", line.raw,
                     buffer_text(&with.told), expected);
        hits += *expected != 0;
    }
    assert_int_equal(without.turned_away, 0);
    *turned_away += with.turned_away;
    side_release(&with);
    side_release(&without);
    return hits;
}

static void the_prefilter_changes_no_answer(void **context)
{
    size_t turned_away = 0;

    (void)context;
    for (uint32_t seed = 1; seed <= 6; seed++)
        assert_true(compare_sides(seed, 2, &turned_away) < MANY_LINES);
    for (uint32_t seed = 7; seed <= 9; seed++)
        assert_true(compare_sides(seed, MANY_RULES, &turned_away) > MANY_LINES / 4);
    for (uint32_t seed = 10; seed <= 21; seed++)
        compare_sides(seed, 16, &turned_away);
    assert_true(turned_away > 0);
}

/* The record has a blank or a comma where the rule has a '?', '+' for a blank, and doubles quotes.
 */
static void literals_are_looked_for_as_the_record_has_them(void **context)
{
    static const struct {
        const char *item, *record;
    } cases[] = {
        {"{cs-uri-query|contains: 'mastermailbox?powershell'}", "/mastermailbox powershell"},
        {"{c-uri|contains: 'mastermailbox?powershell'}", "/mastermailbox,powershell"},
        {"['mastermailbox?powershell']", "/mastermailbox powershell"},
        {"{cs-user-agent: 'Some Strange Agent'}", "x Some+Strange+Agent"},
        {"{a|contains: 'say \"unusual\" words'}", "\"say \"\"unusual\"\" words\""},
        {"{cs-uri-stem|contains: '<jscript>'}", "/%253cjscript%253e"},
        {"{a|re: '(?i)unusual\"words'}", "unusual\"\"words"},
    };

    (void)context;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[256];
        snprintf(text, sizeof text, "  s: %s\n  condition: s\n", cases[i].item);
        struct rule_set *set = fixture_detection(text);
        const struct prefilter *prefilter = rule_set_prefilter(set, sources);
        assert_null(fixture_reason(set));
        if (prefilter_next(prefilter, slice_of_text(cases[i].record), 0) == SIZE_MAX)
            fail_msg("%s is not looked for in '%s'", cases[i].item, cases[i].record);
        assert_true(prefilter_next(prefilter, SLICE_LITERAL("an ordinary line"), 0) == SIZE_MAX);
        rule_set_free(set);
    }
}

static void a_rule_without_literal_nominates_every_line(void **context)
{
    struct rule_set *set = fixture_detection("  s: {sc-status|gt: 500}\n  condition: s\n");

    (void)context;
    assert_true(prefilter_nominates_all(rule_set_prefilter(set, sources)));
    rule_set_free(set);
    set = fixture_detection("  s: {cs-uri-stem|contains: /shell.aspx}\n  condition: s\n");
    assert_false(prefilter_nominates_all(rule_set_prefilter(set, sources)));
    rule_set_disable_prefilter(set);
    assert_true(prefilter_nominates_all(rule_set_prefilter(set, sources)));
    rule_set_free(set);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_query_rule_is_tried_on_all_forms),
        cmocka_unit_test(a_stem_rule_is_tried_raw_and_decoded),
        cmocka_unit_test(older_names_of_the_uri_are_known),
        cmocka_unit_test(blanks_of_headers_may_be_plus_signs),
        cmocka_unit_test(how_tells_only_what_helped),
        cmocka_unit_test(any_value_of_a_field_will_do),
        cmocka_unit_test(a_line_that_could_not_be_split_is_searched_as_text),
        cmocka_unit_test(rules_ask_only_events_of_their_source),
        cmocka_unit_test(a_pattern_that_gives_up_leaves_the_rule_undecided),
        cmocka_unit_test(the_prefilter_changes_no_answer),
        cmocka_unit_test(literals_are_looked_for_as_the_record_has_them),
        cmocka_unit_test(a_rule_without_literal_nominates_every_line),
    };

    return cmocka_run_group_tests_name("matcher", tests, NULL, NULL);
}
