/* What patterns demand of a text: known answers, and PCRE2 asked whether anything that matches
 * lacks it. */
#include "triage/base/arena.h"
#include "triage/base/buffer.h"
#include "triage/match/regex.h"
#include "triage/match/regex_literals.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { ROUNDS = 30000, SHORTEST = 3, DEPTH_MOST = 4 };

static struct arena *arena;

static int setup(void **context)
{
    (void)context;
    return (arena = arena_new(0)) ? 0 : -1;
}

static int teardown(void **context)
{
    (void)context;
    arena_free(arena);
    return 0;
}

/* The literals as "a|b", in the order they are given. */
static const char *literals_of(const char *pattern, const char *breaks)
{
    static struct buffer text;
    struct literal *list = NULL;
    const size_t count = regex_literals(slice_of_text(pattern), 0, breaks, SHORTEST, arena, &list);

    buffer_clear(&text);
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            buffer_add_byte(&text, '|');
        buffer_add(&text, list[i].text);
    }
    return buffer_text(&text);
}

static void check(const char *pattern, const char *expected)
{
    assert_string_equal(literals_of(pattern, NULL), expected);
}

static void plain_text_is_demanded_whole(void **context)
{
    (void)context;
    check("Reset", "reset");
    check("(?i)ysoserial\\.exe", "ysoserial.exe");
    check("\\x41\\x{42}C\\/", "abc/");
    check("\\Qa.b*c\\Ed", "a.b*cd");
    check("^abc$", "abc");
    check("foo\\bbar", "foobar");
}

static void gaps_end_a_run(void **context)
{
    (void)context;
    check("needle.in\\dhay", "needle");
    check("ab.cd", "");
    check("abc[^x]yz", "abc");
    check("ne\\wedle\\d+stack", "stack");
}

static void every_alternative_must_give_one(void **context)
{
    (void)context;
    check("(ysoserial|whoami)", "ysoserial|whoami");
    check("(?:ysoserial|\\d+)", "");
    check("cmd=(whoami|ipconfig)", "cmd=whoami|cmd=ipconfig");
    check("x(abc|def|)y", "");
    check("colou?r", "colour|color");
}

static void repetition_counts_once_at_least(void **context)
{
    (void)context;
    check("(abc)+", "abc");
    check("(abc)*", "");
    check("(abc)?", "");
    check("(abc){2}", "abcabc");
    check("(abc){2,}x", "abcabc");
    check("(abc){0,5}", "");
    check("(xyz){,5}", "");
    check("abc?d{2}", "abcdd|abdd");
    check("zz{b", "zz{b");
    check("(?>abc)++def", "abc");
}

static void small_classes_are_written_out(void **context)
{
    (void)context;
    check("[sS]cript", "script");
    check("(foo)[.%]aspx", "foo.aspx|foo%aspx");
    check("ab[]c", "");
    check("zzz[a-z]q", "zzz");
    check("zzz[[:alpha:]]q", "");
}

static void looking_ahead_demands_too(void **context)
{
    (void)context;
    check("^(?=.*ysoserial).*$", "ysoserial");
    check("^(?!.*ysoserial).*$", "");
    check("(?<=ysoserial)x", "");
    check("(?<!ysoserial)exe", "exe");
}

static void what_is_not_understood_promises_nothing(void **context)
{
    (void)context;
    check("(?x) ysoserial", "");
    check("(?xi: ysoserial )", "");
    check("ysoserial(?R)?", "");
    check("(?(1)ysoserial)", "");
    check("(*UTF)ysoserial", "");
    check("ysoserial(?#comment)*", "");
    check("ysoserial\\E*", "");
    check("ysoserial)", "");
    check("(ysoserial", "");
    check("[ysoserial", "");
    check("ysoserial\\", "");
}

static void breaks_cut_a_run(void **context)
{
    (void)context;
    assert_string_equal(literals_of("cmd\"whoami\"x", "\"?"), "whoami");
    assert_string_equal(literals_of("ab\"cd", "\""), "");
    assert_string_equal(literals_of("\\x{e9}tude", NULL), "tude");
}

static void the_rarer_promise_is_taken(void **context)
{
    (void)context;
    check("Mozilla/5\\.0.*ysoserial", "ysoserial");
    check("ysoserial.*Mozilla/5\\.0", "ysoserial");
    check("/owa/auth/.*(a|b|c)zqxj", "azqxj|bzqxj|czqxj");
}

static void options_are_heeded(void **context)
{
    struct literal *list = NULL;

    (void)context;
    assert_int_equal(regex_literals(SLICE_LITERAL("yso serial"), REGEX_LITERAL_EXTENDED, NULL,
                                    SHORTEST, arena, &list),
                     0);
    assert_int_equal(regex_literals(SLICE_LITERAL("YsoSerial"), REGEX_LITERAL_CASELESS, NULL,
                                    SHORTEST, arena, &list),
                     1);
    assert_true(slice_is(list[0].text, "ysoserial"));
}

static void hostile_nesting_ends(void **context)
{
    static char pattern[20000];

    (void)context;
    memset(pattern, '(', 9000);
    memset(pattern + 9000, ')', 9000);
    check(pattern, "");
    for (size_t i = 0; i < 1500; i++)
        memcpy(pattern + i * 10, "abcdefgh1|", 10);
    pattern[14999] = '\0';
    check(pattern, "abcdefgh1");
    for (size_t i = 0; i < 1500; i++)
        pattern[i * 10 + i % 9] = (char)('a' + i % 26);
    check(pattern, "");
}

/* ---- random patterns with texts that they match ---- */

static uint64_t state = 88172645463325252u;

static size_t pick(size_t below)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (size_t)(state >> 20) % below;
}

/* A part of a pattern, and a text that it matches. */
struct part {
    struct buffer pattern, text;
};

static void make_alternatives(struct part *part, unsigned depth);

static void part_release(struct part *part)
{
    buffer_release(&part->pattern);
    buffer_release(&part->text);
}

static void part_add(struct part *part, const char *pattern, const char *text)
{
    buffer_add_text(&part->pattern, pattern);
    buffer_add_text(&part->text, text);
}

static void make_letters(struct part *part)
{
    for (size_t i = pick(4) ? 1 : 1 + pick(6); i > 0; i--) {
        const uint8_t letter = (uint8_t) "abcABC12/x"[pick(10)];

        buffer_add_byte(&part->pattern, letter);
        buffer_add_byte(&part->text, letter);
    }
}

/* Elements with a text for each. */
static void make_special(struct part *part)
{
    static const char *const elements[][2] = {
        {".", "q"},
        {"\\d", "7"},
        {"\\w", "b"},
        {"[abc]", "c"},
        {"[^abc]", "x"},
        {"[a-c]", "b"},
        {"[]a]", "]"},
        {"[sS]", "S"},
        {"[\\d.]", "."},
        {"\\.", "."},
        {"\\x61", "a"},
        {"\\x{62}", "b"},
        {"\\t", "\t"},
        {"\\b", ""},
        {"\\B", ""},
        {"\\Qa+b\\E", "a+b"},
        {"\\Q\\E", ""},
        {"\\E", ""},
        {"(?i)", ""},
        {"(?-i)", ""},
        {"(?=a)", ""},
        {"(?!zzz)", ""},
        {"(?<=b)", ""},
        {"\\R", "\n"},
        {"\\s", " "},
        {"\\1", "a"},
        {"\\K", ""},
        {"[a\\-c]", "-"},
        {"[\\x41-\\x43]", "B"},
        {"[b-]", "-"},
        {"\\pL", "b"},
        {"\\p{Lu}", "B"},
        {"{", "{"},
        {"x{2", "x{2"},
        {"]", "]"},
        {"}", "}"},
        {"\\cA", "\001"},
        {"\\101", "A"},
        {"\\o{102}", "B"},
        {"\\N", "x"},
        {"\\ ", " "},
        {"(?#x)", ""},
        {"(?|ab|c)", "c"},
        {"[\\Qa\\E]", "a"},
        {"[[:digit:]]", "5"},
        {"\\e", "\033"},
        {"\\x", ""},
        {"\\g1", "a"},
    };
    const size_t i = pick(sizeof elements / sizeof *elements);

    part_add(part, elements[i][0], elements[i][1]);
}

static void make_group(struct part *part, unsigned depth)
{
    static const char *const openings[] = {"(",     "(?:", "(?>",   "(?i:",   "(?|",
                                           "(?<n>", "(?=", "(?'m'", "(?s-i:", "(?!"};
    const size_t opening = pick(sizeof openings / sizeof *openings);
    struct part inside = {BUFFER_EMPTY, BUFFER_EMPTY};

    make_alternatives(&inside, depth + 1);
    buffer_add_text(&part->pattern, openings[opening]);
    buffer_add(&part->pattern, buffer_slice(&inside.pattern));
    buffer_add_byte(&part->pattern, ')');
    if (opening != 6 && opening != 9)
        buffer_add(&part->text, buffer_slice(&inside.text));
    part_release(&inside);
}

static void make_element(struct part *part, unsigned depth)
{
    const size_t kind = pick(10);

    if (kind < 5)
        make_letters(part);
    else if (kind < 8 || depth >= DEPTH_MOST)
        make_special(part);
    else
        make_group(part, depth);
}

/* An element with a quantifier, and its text as often as that allows. */
static void make_repeated(struct part *part, unsigned depth)
{
    static const struct {
        const char *text;
        size_t least, most;
    } quantifiers[] = {{"*", 0, 3},     {"+", 1, 3},     {"?", 0, 1},    {"{2}", 2, 2},
                       {"{1,3}", 1, 3}, {"{0,2}", 0, 2}, {"{2,}", 2, 4}, {"*?", 0, 2},
                       {"+?", 1, 2},    {"??", 0, 1},    {"?+", 0, 1},   {"{2}{2}", 4, 4},
                       {"{12}", 12, 12}};
    const size_t i = pick(sizeof quantifiers / sizeof *quantifiers);
    struct part element = {BUFFER_EMPTY, BUFFER_EMPTY};

    make_element(&element, depth);
    if (pick(3)) {
        part_add(part, buffer_text(&element.pattern), buffer_text(&element.text));
    } else {
        part_add(part, buffer_text(&element.pattern), "");
        part_add(part, quantifiers[i].text, "");
        for (size_t n = quantifiers[i].least + pick(quantifiers[i].most - quantifiers[i].least + 1);
             n > 0; n--)
            part_add(part, "", buffer_text(&element.text));
    }
    part_release(&element);
}

static void make_sequence(struct part *part, unsigned depth)
{
    for (size_t i = pick(5) + (depth == 0); i > 0; i--)
        make_repeated(part, depth);
}

static void make_alternatives(struct part *part, unsigned depth)
{
    const size_t count = pick(3) ? 1 : 1 + pick(4), chosen = pick(count);

    for (size_t i = 0; i < count; i++) {
        struct part branch = {BUFFER_EMPTY, BUFFER_EMPTY};

        make_sequence(&branch, depth);
        part_add(part, i > 0 ? "|" : "", "");
        part_add(part, buffer_text(&branch.pattern), i == chosen ? buffer_text(&branch.text) : "");
        part_release(&branch);
    }
}

static bool holds_one(struct slice subject, const struct literal *list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (slice_find_nocase(subject, 0, list[i].text) != SIZE_MAX)
            return true;
    return false;
}

/* Whether the pattern was of use: it compiles, promises something, and matches the text. */
static bool keeps_its_promise(struct part *part, struct regex_scratch *scratch)
{
    const struct slice pattern = buffer_slice(&part->pattern), text = buffer_slice(&part->text);
    struct regex *regex = NULL;
    struct literal *list = NULL;
    const char *why;
    size_t count;
    bool matches;

    if (regex_new(pattern, 0, &regex) < 0)
        return false;
    count = regex_literals(pattern, 0, "2", SHORTEST, arena, &list);
    matches = regex_search(regex, scratch, text, &why) == REGEX_YES;
    regex_free(regex);
    if (matches && count > 0 && !holds_one(text, list, count))
        fail_msg("/%s/ matches '%s', which has none of '%s'", buffer_text(&part->pattern),
                 buffer_text(&part->text), literals_of(buffer_text(&part->pattern), "2"));
    return matches && count > 0;
}

static void nothing_matches_that_lacks_the_literals(void **context)
{
    struct regex_scratch *scratch = NULL;
    size_t useful = 0;

    (void)context;
    assert_int_equal(regex_scratch_new(&scratch), 0);
    for (size_t round = 0; round < ROUNDS; round++) {
        struct part part = {BUFFER_EMPTY, BUFFER_EMPTY};

        make_alternatives(&part, 0);
        for (size_t i = pick(3); i > 0 && part.text.size > 0; i--)
            part.text.data[pick(part.text.size)] = (uint8_t) "aAbB1x "[pick(7)];
        useful += keeps_its_promise(&part, scratch);
        part_release(&part);
        arena_reset(arena);
    }
    regex_scratch_free(scratch);
    assert_true(useful > ROUNDS / 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_text_is_demanded_whole),
        cmocka_unit_test(gaps_end_a_run),
        cmocka_unit_test(every_alternative_must_give_one),
        cmocka_unit_test(repetition_counts_once_at_least),
        cmocka_unit_test(small_classes_are_written_out),
        cmocka_unit_test(looking_ahead_demands_too),
        cmocka_unit_test(what_is_not_understood_promises_nothing),
        cmocka_unit_test(breaks_cut_a_run),
        cmocka_unit_test(the_rarer_promise_is_taken),
        cmocka_unit_test(options_are_heeded),
        cmocka_unit_test(hostile_nesting_ends),
        cmocka_unit_test(nothing_matches_that_lacks_the_literals),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
