/* YAML as a tree: documents, anchors, mistakes, hostile texts. */
#include "triage/base/buffer.h"
#include "triage/match/yaml.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static struct arena *arena;
static struct yaml_file file;

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

static void read_text(const char *text)
{
    assert_int_equal(yaml_read(arena, slice_of_text(text), &file), 0);
}

static void maps_lists_and_texts_become_a_tree(void **context)
{
    (void)context;
    read_text("a: 1\nb:\n  - x\n  - 'y'\n");
    const struct yaml_node *list = yaml_get(file.documents[0], "b");
    assert_string_equal(yaml_get_text(file.documents[0], "a"), "1");
    assert_int_equal(list->count, 2);
    assert_int_equal(list->list[1]->line, 4);
    assert_true(list->list[0]->plain);
    assert_false(list->list[1]->plain);
    assert_null(yaml_get(file.documents[0], "c"));
}

static void a_text_holds_several_documents(void **context)
{
    (void)context;
    read_text("a: 1\n---\na: 2\n---\na: 3\n");
    assert_int_equal(file.count, 3);
    assert_string_equal(yaml_get_text(file.documents[2], "a"), "3");
    assert_null(file.problem);
}

static void only_unquoted_nothing_is_null(void **context)
{
    (void)context;
    read_text("- null\n- ~\n-\n- ''\n- 'null'\n");
    const bool expected[] = {true, true, true, false, false};
    for (size_t i = 0; i < 5; i++)
        assert_int_equal(yaml_is_null(file.documents[0]->list[i]), expected[i]);
}

static void an_alias_stands_for_its_anchor(void **context)
{
    (void)context;
    read_text("a: &one [1, 2]\nb: *one\n");
    assert_ptr_equal(yaml_get(file.documents[0], "a"), yaml_get(file.documents[0], "b"));
}

static void what_stands_before_a_mistake_is_kept(void **context)
{
    (void)context;
    read_text("a: 1\n---\nb: [1\nc: }\n");
    assert_int_equal(file.count, 1);
    assert_non_null(file.problem);
    assert_in_range(file.problem_line, 3, 5);
}

static void an_anchor_within_itself_is_a_mistake(void **context)
{
    (void)context;
    read_text("&a [*a]");
    assert_int_equal(file.count, 0);
    assert_non_null(file.problem);
}

static void deep_nesting_is_a_mistake(void **context)
{
    struct buffer text = BUFFER_EMPTY;

    (void)context;
    for (size_t i = 0; i < 10000; i++)
        buffer_add_byte(&text, '[');
    read_text(buffer_text(&text));
    buffer_release(&text);
    assert_string_equal(file.problem, "nested too deeply");
}

static void merged_maps_keep_both_sides(void **context)
{
    (void)context;
    read_text("x: {a: 1, b: 2}\ny: 1\n---\nx: {b: 3, c: 4}\n");
    const struct yaml_node *both = yaml_merge(arena, file.documents[0], file.documents[1]);
    assert_string_equal(yaml_get_text(yaml_get(both, "x"), "a"), "1");
    assert_string_equal(yaml_get_text(yaml_get(both, "x"), "b"), "3");
    assert_string_equal(yaml_get_text(yaml_get(both, "x"), "c"), "4");
    assert_string_equal(yaml_get_text(both, "y"), "1");
    assert_string_equal(yaml_get_text(yaml_get(file.documents[0], "x"), "b"), "2");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(maps_lists_and_texts_become_a_tree),
        cmocka_unit_test(a_text_holds_several_documents),
        cmocka_unit_test(only_unquoted_nothing_is_null),
        cmocka_unit_test(an_alias_stands_for_its_anchor),
        cmocka_unit_test(what_stands_before_a_mistake_is_kept),
        cmocka_unit_test(an_anchor_within_itself_is_a_mistake),
        cmocka_unit_test(deep_nesting_is_a_mistake),
        cmocka_unit_test(merged_maps_keep_both_sides),
    };

    return cmocka_run_group_tests_name("yaml", tests, setup, teardown);
}
