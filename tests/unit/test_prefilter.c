/* The prefilter against the plain way of doing it: every literal at every place of every line, raw
 * and decoded. */
#include "triage/match/ascii.h"
#include "triage/match/escape_filter.h"
#include "triage/match/gram_filter.h"
#include "triage/match/percent.h"
#include "triage/match/prefilter.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { ROUNDS = 600, TEXT_MOST = 6000, LITERALS_MOST = 120 };

/* A fixed sequence of numbers (xorshift64). */
static uint64_t state = 88172645463325252u;

static size_t pick(size_t below)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (size_t)(state >> 20) % below;
}

static struct prefilter *filter_for(const struct literal *list, size_t count)
{
    struct prefilter *prefilter = NULL;

    assert_int_equal(prefilter_new(list, count, false, &prefilter), 0);
    return prefilter;
}

static size_t first(const char *const *words, size_t count, const char *text)
{
    struct literal list[8];
    struct prefilter *prefilter;
    size_t at;

    for (size_t i = 0; i < count; i++)
        list[i].text = slice_of_text(words[i]);
    prefilter = filter_for(list, count);
    at = prefilter_next(prefilter, slice_of_text(text), 0);
    prefilter_free(prefilter);
    return at;
}

static size_t first_of_one(const char *word, const char *text)
{
    return first(&word, 1, text);
}

static void a_literal_is_found_in_any_case(void **context)
{
    (void)context;
    assert_int_equal(first_of_one("/ecp/Default.flt", "GET /ECP/dEFAULT.FLT 200"), 4);
    assert_int_equal(first_of_one("cmd", "a\nb\nCMD"), 4);
    assert_int_equal(first_of_one("abc", "abd"), SIZE_MAX);
}

static void bytes_that_only_fold_alike_are_told_apart(void **context)
{
    (void)context;
    assert_int_equal(first_of_one("user@[host]", "user`{host}"), SIZE_MAX);
    assert_int_equal(first_of_one("a@b", "a`b"), SIZE_MAX);
    assert_int_equal(first_of_one("r\xc3\xa9sum\xc3\xa9", "R\xc3\xa9SUM\xc3\xa9"), 0);
    assert_int_equal(first_of_one("r\xc3\xa9sum\xc3\xa9", "R\xc3\x89SUM\xc3\x89"), SIZE_MAX);
}

static void the_first_of_several_is_given(void **context)
{
    static const char *const words[] = {"zzzzzzzzzzzzzzzzzzzzzzzzz", "later", "autodiscover.json"};

    (void)context;
    assert_int_equal(first(words, 3, "x autodiscover.json later"), 2);
    assert_int_equal(first(words, 3, "later autodiscover.json"), 0);
    assert_int_equal(first(words, 3, "1\n2\nlater\nautodiscover.json"), 4);
}

/* The first literal has its rare parts at its end, so that the second is met before it. */
static void the_first_start_is_given_though_met_last(void **context)
{
    const struct literal list[] = {{.text = SLICE_LITERAL("mozilla/5.0+(windows+zqxjkvwpqz")},
                                   {.text = SLICE_LITERAL("zilla/5.0+")}};
    struct gram_filter *filter = NULL;

    (void)context;
    assert_int_equal(gram_filter_new(list, 2, 3, false, &filter), 0);
    assert_int_equal(gram_filter_find(filter, list[0].text, 0, list[0].text.size), 0);
    gram_filter_portable(filter);
    assert_int_equal(gram_filter_find(filter, list[0].text, 0, list[0].text.size), 0);
    gram_filter_free(filter);
}

static void no_literal_nominates_nothing(void **context)
{
    struct prefilter *prefilter = filter_for(NULL, 0);

    (void)context;
    assert_false(prefilter_nominates_all(prefilter));
    assert_int_equal(prefilter_next(prefilter, slice_of_text("anything %41"), 0), SIZE_MAX);
    prefilter_free(prefilter);
}

static void a_tiny_literal_nominates_all(void **context)
{
    const struct literal tiny = {.text = SLICE_LITERAL("ab")};
    struct prefilter *prefilter = filter_for(&tiny, 1);

    (void)context;
    assert_true(prefilter_nominates_all(prefilter));
    assert_int_equal(prefilter_next(prefilter, slice_of_text("xyz"), 2), 2);
    assert_int_equal(prefilter_next(prefilter, slice_of_text("xyz"), 3), SIZE_MAX);
    prefilter_free(prefilter);
}

static void an_encoded_literal_nominates_its_line(void **context)
{
    (void)context;
    assert_int_equal(first_of_one("powershell", "one\ntwo %70owershell\n"), 4);
    assert_int_equal(first_of_one("powershell", "one\ntwo p%4Fwe%52shell\n"), 4);
    assert_int_equal(first_of_one("powershell", "one\ntwo powershel%6c"), 4);
    assert_int_equal(first_of_one("powershell", "one\n%70owers\nhell"), SIZE_MAX);
    assert_int_equal(first_of_one("../", "GET /%2e%2e%2f"), 0);
    assert_int_equal(first_of_one("a%b", "x a%25b"), 0);
}

static void a_literal_encoded_twice_nominates_its_line(void **context)
{
    (void)context;
    assert_int_equal(first_of_one("powershell", "one\ntwo %2570owershell\n"), 4);
    assert_int_equal(first_of_one("powershell", "one\n%25%37%30owershell"), 4);
    assert_int_equal(first_of_one("powershell", "one\n%%370owershell"), 4);
    assert_int_equal(first_of_one("powershell", "one\n%7%30owershell"), 4);
    assert_int_equal(first_of_one("powershell", "%252570owershell"), SIZE_MAX);
}

static void broken_escapes_are_text(void **context)
{
    (void)context;
    assert_int_equal(first_of_one("100%", "at 100%"), 3);
    assert_int_equal(first_of_one("%zz%", "%zz%"), 0);
    assert_int_equal(first_of_one("abc%4", "abc%4"), 0);
}

static void a_literal_longer_than_the_limit_is_found_by_its_start(void **context)
{
    static char text[1000];
    const struct literal literal = {.text = slice_of(text, 900)};
    struct prefilter *prefilter;

    (void)context;
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = (char)('a' + pick(26));
    prefilter = filter_for(&literal, 1);
    assert_int_equal(prefilter_next(prefilter, slice_of(text, sizeof text), 0), 0);
    assert_int_equal(prefilter_next(prefilter, slice_of(text, LITERAL_MAX - 1), 0), SIZE_MAX);
    prefilter_free(prefilter);
}

/* A line much longer than the room for decoding, with the literal at many places. */
static void a_literal_deep_in_an_encoded_line_is_found(void **context)
{
    static char line[100000];
    const char encoded[] = "%2570%256f%2577ershell";
    const struct literal literal = {.text = SLICE_LITERAL("powershell")};
    struct prefilter *prefilter = filter_for(&literal, 1);

    (void)context;
    for (size_t at = 0; at + sizeof encoded < sizeof line; at += 97) {
        memset(line, 'x', sizeof line);
        memcpy(line + at, encoded, sizeof encoded - 1);
        assert_int_equal(prefilter_next(prefilter, slice_of(line, sizeof line), 0), 0);
    }
    prefilter_free(prefilter);
}

static void the_search_goes_on_behind_a_find(void **context)
{
    const struct literal literal = {.text = SLICE_LITERAL("needle")};
    struct prefilter *prefilter = filter_for(&literal, 1);
    const struct slice text = slice_of_text("needle\nneedl%65\nx\nneedle");

    (void)context;
    assert_int_equal(prefilter_next(prefilter, text, 0), 0);
    assert_int_equal(prefilter_next(prefilter, text, 7), 7);
    assert_int_equal(prefilter_next(prefilter, text, 16), 18);
    assert_int_equal(prefilter_next(prefilter, text, 19), SIZE_MAX);
    assert_int_equal(prefilter_next(prefilter, text, text.size), SIZE_MAX);
    assert_int_equal(prefilter_next(prefilter, text, SIZE_MAX), SIZE_MAX);
    prefilter_free(prefilter);
}

/* ---- the plain way ---- */

static size_t plain_find(const struct literal *list, size_t count, struct slice text, size_t from)
{
    size_t best = SIZE_MAX;

    for (size_t i = 0; i < count; i++) {
        const size_t at = slice_find_nocase(text, from, list[i].text);

        best = at < best ? at : best;
    }
    return best;
}

static bool plain_line_holds(const struct literal *list, size_t count, struct slice line)
{
    static uint8_t text[TEXT_MOST];
    struct slice decoded = slice_of(text, percent_decode(line, text));

    if (plain_find(list, count, decoded, 0) != SIZE_MAX)
        return true;
    decoded.size = percent_decode(decoded, text);
    return plain_find(list, count, decoded, 0) != SIZE_MAX;
}

static size_t plain_next(const struct literal *list, size_t count, struct slice text, size_t from)
{
    const size_t raw = plain_find(list, count, text, from);

    for (size_t at = from; at < text.size;) {
        const size_t newline = slice_find(text, at, '\n');
        const size_t end = newline == SIZE_MAX ? text.size : newline;

        if (at < raw && plain_line_holds(list, count, slice_part(text, at, end - at)))
            return at;
        at = end + 1;
    }
    return raw;
}

/* ---- random texts ---- */

static const char *const alphabets[] = {
    "ab%25\n6162", "abcdefghijklmnopqrstuvwxyz/.%&=?\n0123456789ABCDEF", "aA@`[{%24016\n"};

static size_t random_text(uint8_t *text, size_t most)
{
    const char *alphabet = alphabets[pick(3)];
    const size_t size = pick(most + 1);

    for (size_t i = 0; i < size; i++)
        text[i] = pick(500) ? (uint8_t)alphabet[pick(strlen(alphabet))] : (uint8_t)pick(256);
    return size;
}

/* Writes the literal into the text, each byte raw, encoded or encoded twice. */
static void plant(uint8_t *text, size_t size, struct slice literal)
{
    const size_t style = pick(4);
    size_t at = pick(size + 1);

    for (size_t i = 0; i < literal.size; i++) {
        char piece[16];
        const uint8_t byte = pick(2) ? literal.data[i] : ascii_lower(literal.data[i]);
        const size_t how = style == 3 ? pick(3) : pick(10) ? 0 : style;

        snprintf(piece, sizeof piece, how == 0 ? "%c" : how == 1 ? "%%%02x" : "%%25%02X", byte);
        if (at + strlen(piece) > size)
            return;
        memcpy(text + at, piece, strlen(piece));
        at += strlen(piece);
    }
}

/* Literals cut from the text or made up, some of them planted. */
static size_t random_literals(uint8_t *text, size_t size, uint8_t *room, struct literal *list)
{
    const size_t count = 1 + pick(LITERALS_MOST), shortest = 3 + pick(6);
    size_t used = 0;

    for (size_t i = 0; i < count; i++) {
        const size_t wanted = shortest + pick(pick(8) ? 8 : 30);
        const size_t at = size > wanted ? pick(size - wanted) : 0;
        size_t literal_size = random_text(room + used, wanted);

        if (pick(40) == 0 && size > wanted)
            memcpy(room + used, text + at, literal_size = wanted);
        while (literal_size < shortest)
            room[used + literal_size++] = (uint8_t)('a' + pick(26));
        list[i].text = slice_of(room + used, literal_size);
        used += literal_size;
        if (pick(30) == 0)
            plant(text, size, list[i].text);
    }
    return count;
}

/* Start of the line that `at` is in, so that any place of a line is as good as another. */
static size_t line_of(struct slice text, size_t from, size_t at)
{
    while (at != SIZE_MAX && at > from && text.data[at - 1] != '\n')
        at--;
    return at;
}

static void same_as_the_plain_way(const struct prefilter *prefilter, const struct literal *list,
                                  size_t count, struct slice text)
{
    size_t from = 0;

    while (from < text.size) {
        const size_t at = prefilter_next(prefilter, text, from);
        const size_t expected = plain_next(list, count, text, from);

        assert_int_equal(line_of(text, from, at), line_of(text, from, expected));
        if (at == SIZE_MAX)
            return;
        const size_t newline = slice_find(text, at, '\n');

        from = pick(3) && newline != SIZE_MAX ? newline + 1 : at + 1;
    }
}

static void it_finds_what_the_plain_way_finds(void **context)
{
    static uint8_t room[LITERALS_MOST * 64], bytes[TEXT_MOST];
    static struct literal list[LITERALS_MOST];

    (void)context;
    for (size_t round = 0; round < ROUNDS; round++) {
        const size_t size = random_text(bytes, pick(4) ? 300 : TEXT_MOST);
        const size_t count = random_literals(bytes, size, room, list);
        struct prefilter *prefilter = filter_for(list, count);
        /* A copy of just this size, so that a sanitizer sees every byte read too far. */
        uint8_t *copy = malloc(size + 1);

        assert_non_null(copy);
        memcpy(copy + 1, bytes, size);
        same_as_the_plain_way(prefilter, list, count, slice_of(copy + 1, size));
        free(copy);
        prefilter_free(prefilter);
    }
}

static size_t lower_copy(const struct literal *list, size_t count, uint8_t *room,
                         struct literal *lower)
{
    size_t shortest = SIZE_MAX, used = 0;

    for (size_t i = 0; i < count; i++) {
        const struct slice text = list[i].text;

        for (size_t k = 0; k < text.size; k++)
            room[used + k] = ascii_lower(text.data[k]);
        lower[i].text = slice_of(room + used, text.size);
        used += text.size;
        shortest = text.size < shortest ? text.size : shortest;
    }
    return shortest;
}

static void compare_ways(const struct literal *list, size_t count, size_t shortest, bool short_ones,
                         struct slice text)
{
    const unsigned stride =
        shortest - 3 < GRAM_STRIDE_MAX ? (unsigned)shortest - 3 : GRAM_STRIDE_MAX;
    struct gram_filter *filter = NULL;
    const size_t from = pick(text.size + 1), limit = from + pick(text.size + 1);
    size_t found;

    assert_int_equal(gram_filter_new(list, count, stride, short_ones, &filter), 0);
    found = gram_filter_find(filter, text, from, limit);
    gram_filter_portable(filter);
    assert_false(gram_filter_vector(filter));
    assert_int_equal(gram_filter_find(filter, text, from, limit), found);
    gram_filter_free(filter);
}

static void vector_instructions_make_no_difference(void **context)
{
    static uint8_t room[LITERALS_MOST * 64], lower_room[LITERALS_MOST * 64], bytes[TEXT_MOST];
    static struct literal list[LITERALS_MOST], lower[LITERALS_MOST];

    (void)context;
    for (size_t round = 0; round < ROUNDS; round++) {
        const size_t size = random_text(bytes, TEXT_MOST);
        const size_t count = random_literals(bytes, size, room, list);
        const size_t shortest = lower_copy(list, count, lower_room, lower);

        compare_ways(lower, count, shortest, true, slice_of(bytes, size));
        if (shortest > 3)
            compare_ways(lower, count, shortest, false, slice_of(bytes, size));
    }
}

static void a_rare_literal_costs_less_than_a_common_one(void **context)
{
    (void)context;
    assert_true(literal_cost(SLICE_LITERAL("ysoserial")) <
                literal_cost(SLICE_LITERAL("/owa/auth")));
    assert_true(literal_cost(SLICE_LITERAL("proxylogon.ecp")) <
                literal_cost(SLICE_LITERAL("mozilla/5.0")));
    assert_true(literal_cost(SLICE_LITERAL("zqxjkv")) < literal_cost(SLICE_LITERAL("zqx")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_literal_is_found_in_any_case),
        cmocka_unit_test(bytes_that_only_fold_alike_are_told_apart),
        cmocka_unit_test(the_first_of_several_is_given),
        cmocka_unit_test(the_first_start_is_given_though_met_last),
        cmocka_unit_test(no_literal_nominates_nothing),
        cmocka_unit_test(a_tiny_literal_nominates_all),
        cmocka_unit_test(an_encoded_literal_nominates_its_line),
        cmocka_unit_test(a_literal_encoded_twice_nominates_its_line),
        cmocka_unit_test(broken_escapes_are_text),
        cmocka_unit_test(a_literal_longer_than_the_limit_is_found_by_its_start),
        cmocka_unit_test(a_literal_deep_in_an_encoded_line_is_found),
        cmocka_unit_test(the_search_goes_on_behind_a_find),
        cmocka_unit_test(it_finds_what_the_plain_way_finds),
        cmocka_unit_test(vector_instructions_make_no_difference),
        cmocka_unit_test(a_rare_literal_costs_less_than_a_common_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
