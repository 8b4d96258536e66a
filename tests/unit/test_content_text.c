/* The text of YARA rule files: where rules stand, and the text without some of them. */
#include "triage/base/buffer.h"
#include "triage/match/content_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* "NAME LINE-LAST " for each part, imports with their quotes. */
static void check(const char *text, const char *expected)
{
    struct arena *arena = arena_new(0);
    struct buffer found = BUFFER_EMPTY;
    size_t count;
    const struct content_part *parts = content_text_parts(arena, slice_of_text(text), &count);

    for (size_t i = 0; i < count; i++) {
        buffer_add(&found, parts[i].name);
        buffer_format(&found, " %u-%u ", parts[i].line, parts[i].last_line);
    }
    assert_string_equal(buffer_text(&found), expected);
    buffer_release(&found);
    arena_free(arena);
}

static void rules_and_imports_are_parts(void **context)
{
    (void)context;
    check("import \"pe\"\nrule a { condition: true }\nglobal private rule b : tag\n{\n"
          "condition: true\n}\n",
          "\"pe\" 1-1 a 2-2 b 3-6 ");
    check("", "");
}

static void braces_in_strings_do_not_end_a_rule(void **context)
{
    (void)context;
    check("rule a { strings: $a = \"}\" $b = { 4D ( 5A | 00 ) } $c = /a{2}\\/}/ nocase "
          "condition: $a or filename matches /}/ }\nrule b { condition: true }",
          "a 1-1 b 2-2 ");
}

static void comments_are_no_rules(void **context)
{
    (void)context;
    check(
        "// rule x { condition: true }\n/* rule y { */\nrule a { /* } */ condition: true\n// }\n}",
        "a 3-5 ");
}

static void an_open_rule_reaches_to_the_end(void **context)
{
    (void)context;
    check("rule a { strings: $a = \"x", "a 1-1 ");
    check("rule a {\n condition: true\n", "a 1-3 ");
    check("rule", " 1-1 ");
    check("import", " 1-1 ");
}

static void lines_keep_their_numbers_when_a_part_is_dropped(void **context)
{
    char text[] = "rule a {\n condition: true }\nrule b { condition: true }\n";
    struct arena *arena = arena_new(0);
    size_t count, at = 0;
    struct content_part *parts = content_text_parts(arena, slice_of_text(text), &count);
    unsigned line = 1;

    (void)context;
    assert_int_equal(count, 2);
    content_text_drop(text, &parts[0]);
    assert_true(parts[0].dropped);
    assert_string_equal(text, "        \n                  \nrule b { condition: true }\n");
    assert_int_equal(content_text_find_rule(slice_of_text(text), "b", &at, &line), 3);
    assert_int_equal(content_text_find_rule(slice_of_text(text), "a", &at, &line), 0);
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rules_and_imports_are_parts),
        cmocka_unit_test(braces_in_strings_do_not_end_a_rule),
        cmocka_unit_test(comments_are_no_rules),
        cmocka_unit_test(an_open_rule_reaches_to_the_end),
        cmocka_unit_test(lines_keep_their_numbers_when_a_part_is_dropped),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
