/* The gate in front of YARA: what it lets pass, and that it never holds back a file that matches.
 */
#include "triage/base/buffer.h"
#include "triage/base/error.h"
#include "triage/match/content.h"
#include "triage/match/content_gate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Whether the gate lets the content pass for the one rule with that body. */
static bool passes_named(const char *body, struct slice content, const struct content_file *file)
{
    struct arena *arena = arena_new(0);
    const char *text = arena_format(arena, "rule r { %s }", body);
    struct content_gate *gate = content_gate_new(arena);
    struct content_gate_scratch *scratch = NULL;

    assert_int_equal(content_gate_add(gate, slice_of_text(text)), 0);
    assert_int_equal(content_gate_finish(gate), 0);
    assert_int_equal(content_gate_rule_count(gate), 1);
    assert_int_equal(content_gate_scratch_new(gate, &scratch), 0);
    const bool passes = content_gate_ask(scratch, content, file);
    assert_int_equal(content_gate_possible(scratch, 0), passes);
    content_gate_scratch_free(scratch);
    content_gate_free(gate);
    arena_free(arena);
    return passes;
}

static bool passes(const char *body, const char *content)
{
    static const struct content_file file = {.filename = "page.aspx", .extension = ".aspx"};

    return passes_named(body, slice_of_text(content), &file);
}

static void a_file_without_the_string_is_held_back(void **context)
{
    (void)context;
    assert_true(passes("strings: $a = \"evil\" nocase condition: $a", "some EVIL page"));
    assert_false(passes("strings: $a = \"evil\" condition: $a", "some good page"));
    assert_false(passes("strings: $a = { 65 76 69 6C } condition: $a", "some good page"));
    assert_true(passes("strings: $a = { (41|42) 65 76 69 6C [2] 63 } condition: $a", "evil"));
}

static void all_that_a_condition_needs_must_be_there(void **context)
{
    static const char both[] = "strings: $a = \"first\" $b = \"second\" condition: $a and $b";
    static const char two[] = "strings: $a1 = \"one\" $a2 = \"two\" $a3 = \"three\" condition: "
                              "2 of ($a*)";

    (void)context;
    assert_false(passes(both, "the first alone"));
    assert_true(passes(both, "the first and the second"));
    assert_false(passes(two, "one"));
    assert_true(passes(two, "three and two"));
}

static void a_string_that_must_be_absent_may_be_there(void **context)
{
    static const char body[] = "strings: $a = \"evil\" $b = \"good\" condition: $a and not $b";

    (void)context;
    assert_true(passes(body, "evil"));
    assert_true(passes(body, "evil and good: perhaps its place is another one"));
    assert_false(passes(body, "good"));
    assert_true(passes("strings: $b = \"good\" condition: not $b", "nothing"));
}

static void size_first_bytes_and_name_are_looked_at(void **context)
{
    (void)context;
    assert_false(passes("condition: filesize > 1KB", "short"));
    assert_true(passes("condition: uint16be(0) == 0x4D5A", "MZ"));
    assert_false(passes("condition: uint16(0) == 0x4D5A", "MZ"));
    assert_true(passes("condition: (uint32be(0) & 0xFFFFFF00) == 0x41424300", "ABCD"));
    assert_true(passes("condition: uint32be(100) == 1", "nobody knows"));
    assert_true(passes("condition: extension matches /^\\.ASPX?$/i", ""));
    assert_false(passes("condition: extension matches /^\\.(log|txt)$/", ""));
    assert_false(passes("condition: filename == \"\"", ""));
}

static void what_is_not_understood_passes(void **context)
{
    (void)context;
    assert_true(passes("strings: $a = \"evil\" condition: for any of ($a) : ($ at 0)", ""));
    assert_true(passes("strings: $a = \"evil\" condition: #a < 3", ""));
    assert_true(passes("strings: $a = \"evil\" xor condition: $a", ""));
    assert_true(passes("strings: $a = /(?i)evil/ condition: $a", ""));
    assert_true(passes("strings: $a = \"ab\" condition: $a", ""));
    assert_true(passes("condition: other_rule or pe.number_of_sections == 3", ""));
    assert_false(passes("strings: $a = \"evil\" condition: other_rule and $a", ""));
}

static void encoded_strings_are_looked_for_encoded(void **context)
{
    static const struct content_file file = {.filename = "", .extension = ""};
    static const char wide[] = "strings: $a = \"evil\" wide condition: $a";

    (void)context;
    assert_true(passes_named(wide, slice_of("e\0v\0i\0l\0", 8), &file));
    assert_false(passes(wide, "evil"));
    assert_true(passes("strings: $a = \"evil plan\" base64 condition: $a", "xxZXZpbCBwbGFuxx"));
    assert_true(passes("strings: $a = \"evil plan\" base64 condition: $a", "YW4gZXZpbCBwbGFu"));
    assert_true(passes("strings: $a = \"evil plan\" base64 condition: $a", "YV2aWwgcGxhb"));
    assert_false(passes("strings: $a = \"evil plan\" base64 condition: $a", "evil plan"));
}

static void odd_texts_are_survived(void **context)
{
    static const char *const bodies[] = {"",
                                         "condition:",
                                         "strings: $a = condition: $a",
                                         "strings: $a = { 41 42",
                                         "strings: $a = \"abc condition: $a",
                                         "strings: $a = /abc",
                                         "condition: ((((((((((((((((((((((((((((((((((((((((((((",
                                         "condition: not not not and or",
                                         "strings: $ = \"abc\" condition: 9999999 of them"};

    (void)context;
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++)
        passes(bodies[i], "abc");
}

/* --- agreement with YARA --- */

static const char rules_text[] =
    "private rule helper { strings: $h = \"delta\" condition: $h }\n"
    "rule r0 { strings: $a = \"alpha\" nocase fullword $b = \"beta\" condition: $a and not $b }\n"
    "rule r1 { strings: $a = /gamma\\s{0,3}\\(/ nocase $b = /<%@\\s{0,8}(page|service)/ condition: "
    "any of them }\n"
    "rule r2 { strings: $a = \"delta\" wide ascii $b = { 61 6C ?? 68 61 } condition: all of them "
    "}\n"
    "rule r3 { strings: $a = \"epsilon\" base64 condition: $a }\n"
    "rule r4 { strings: $a = \"beta\" condition: #a == 2 or (filesize < 20 and $a at 0) }\n"
    "rule r5 { condition: uint16be(0) == 0x4D5A and not helper }\n"
    "rule r6 { strings: $a = \"alpha\" $b = \"beta\" $c = /ga.{0,5}ma/s condition: 2 of them and "
    "filesize > 10 }\n"
    "rule r7 { strings: $a = \"gamma\" condition: none of them and extension matches /^\\.log$/ "
    "}\n";

static void note(void *context, size_t rule, const char *detail)
{
    buffer_format(context, "%zu(%s) ", rule, detail);
}

static void note_undecided(void *context, size_t rule, const char *why)
{
    buffer_format(context, "%zu?%s ", rule, why);
}

static uint32_t dice(uint32_t *state)
{
    *state = *state * 1664525 + 1013904223;
    return *state >> 16;
}

static void make_document(uint32_t *state, struct buffer *out)
{
    static const char *const pieces[] = {
        "alpha", "ALPHA", " ", "beta",  "MZ",        "ga\nmma",  "gamma (", "<%@ ",   "page",
        "delta", "xx",    "(", "d\xC3", "ZXBzaWxvb", "VwcGxhbg", "al?ha",   "Gamma(", "<%@Service"};

    buffer_clear(out);
    for (uint32_t left = dice(state) % 6; left; left--)
        buffer_add_text(out, pieces[dice(state) % (sizeof pieces / sizeof *pieces)]);
    if (dice(state) % 8 == 0)
        buffer_add(out, slice_of("d\0e\0l\0t\0a\0", 10));
}

static void count_refusal(void *context, unsigned line, const char *reason)
{
    (void)line, (void)reason;
    ++*(size_t *)context;
}

static void yara_says_the_same_without_it(void **context)
{
    struct content_rules *rules = NULL;
    struct content_scanner *scanner = NULL;
    struct buffer document = BUFFER_EMPTY, with = BUFFER_EMPTY, without = BUFFER_EMPTY;
    uint32_t state = 7;
    size_t hits = 0, refused = 0;
    const struct content_refusals refusals = {&refused, count_refusal};

    (void)context;
    if (!content_available())
        skip();
    assert_int_equal(content_new(&rules), 0);
    assert_int_equal(content_add_file(rules, "a.yar", slice_of_text(rules_text), &refusals), 0);
    assert_int_equal(refused, 0);
    assert_int_equal(content_compile(rules), 0);
    assert_int_equal(content_scanner_new(rules, &scanner), 0);
    for (int round = 0; round < 4000; round++) {
        const struct content_file file = {.filename = "x", .extension = round % 2 ? ".log" : ".x"};
        make_document(&state, &document);
        buffer_clear(&with);
        buffer_clear(&without);
        content_scanner_set_gate(scanner, true);
        assert_int_equal(content_scan(scanner, buffer_slice(&document), &file,
                                      &(struct content_sink){&with, note, note_undecided, NULL}),
                         0);
        content_scanner_set_gate(scanner, false);
        assert_int_equal(content_scan(scanner, buffer_slice(&document), &file,
                                      &(struct content_sink){&without, note, note_undecided, NULL}),
                         0);
        assert_string_equal(buffer_text(&with), buffer_text(&without));
        hits += with.size > 0;
    }
    assert_in_range(hits, 1000, 3999);
    buffer_release(&document);
    buffer_release(&with);
    buffer_release(&without);
    content_scanner_free(scanner);
    content_free(rules);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_without_the_string_is_held_back),
        cmocka_unit_test(all_that_a_condition_needs_must_be_there),
        cmocka_unit_test(a_string_that_must_be_absent_may_be_there),
        cmocka_unit_test(size_first_bytes_and_name_are_looked_at),
        cmocka_unit_test(what_is_not_understood_passes),
        cmocka_unit_test(encoded_strings_are_looked_for_encoded),
        cmocka_unit_test(odd_texts_are_survived),
        cmocka_unit_test(yara_says_the_same_without_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
