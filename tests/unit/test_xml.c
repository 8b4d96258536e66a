#include "triage/base/buffer.h"
#include "triage/base/error.h"
#include "triage/formats/xml.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct arena *arena;
static struct xml_document document;

static int set_up(void **state)
{
    (void)state;
    arena = arena_new(16 << 20);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    arena_free(arena);
    return 0;
}

static int parse(const char *text)
{
    return xml_parse(slice_of_text(text), arena, &document);
}

static void elements_attributes_and_text_are_read(void **state)
{
    (void)state;
    assert_int_equal(parse("<?xml version=\"1.0\"?>\n<a x=\"1\" y=\"&lt;&#65;\">\n"
                           "<b>one</b><c/><b>t<![CDATA[w]]>o</b></a>"),
                     0);
    assert_null(document.problem);
    assert_string_equal(document.root->name, "a");
    assert_string_equal(xml_attribute(document.root, "x"), "1");
    assert_string_equal(xml_attribute(document.root, "y"), "<A");
    assert_null(xml_attribute(document.root, "X"));
    const struct xml_element *b = xml_child(document.root, "b");
    assert_string_equal(b->text, "one");
    assert_string_equal(xml_again(b)->text, "two");
    assert_null(xml_again(xml_again(b)));
    assert_int_equal(b->line, 3);
}

static void paths_and_descendants_are_found(void **state)
{
    (void)state;
    assert_int_equal(parse("<a><x/><b><c><d k='v'/></c></b></a>"), 0);
    assert_string_equal(xml_attribute(xml_find(document.root, "b/c/d"), "k"), "v");
    assert_null(xml_find(document.root, "b/d"));
    assert_string_equal(xml_descendant(document.root, "d")->name, "d");
    assert_null(xml_descendant(document.root, "a"));
    assert_null(xml_find(NULL, "b"));
    assert_null(xml_attribute(NULL, "k"));
}

static void name_spaces_are_left_out(void **state)
{
    (void)state;
    assert_int_equal(parse("<t:Task xmlns:t='http://x' xmlns='http://y'><Exec t:id='1'/></t:Task>"),
                     0);
    assert_string_equal(document.root->name, "Task");
    assert_string_equal(xml_attribute(xml_child(document.root, "Exec"), "id"), "1");
}

static void utf16_is_read(void **state)
{
    static const char text[] = "\xFF\xFE<\0a\0 \0k\0=\0'\0\xE4\0'\0/\0>\0";

    (void)state;
    assert_int_equal(xml_parse(slice_of(text, sizeof text - 1), arena, &document), 0);
    assert_string_equal(xml_attribute(document.root, "k"), "\xC3\xA4");
}

static void damage_is_told_and_the_rest_is_read(void **state)
{
    (void)state;
    assert_int_equal(parse("<a>\n<b></c>\n<d k='v'/></a>"), 0);
    assert_non_null(document.problem);
    assert_int_equal(document.problem_line, 2);
    assert_string_equal(xml_attribute(xml_descendant(document.root, "d"), "k"), "v");
}

static void a_cut_document_keeps_what_was_there(void **state)
{
    (void)state;
    assert_int_equal(parse("<a><b k='v'>text"), 0);
    assert_non_null(document.problem);
    assert_string_equal(xml_child(document.root, "b")->text, "text");
}

static void document_types_and_entities_are_not_read(void **state)
{
    (void)state;
    assert_int_equal(parse("<!DOCTYPE a [<!ENTITY e SYSTEM 'file:///etc/passwd'>]><a>&e;</a>"), -1);
    assert_non_null(strstr(error_text(), "document type"));
    assert_int_equal(parse("<a>&e;</a>"), 0);
    assert_string_equal(document.root->text, "");
    assert_non_null(document.problem);
}

static void depth_is_limited(void **state)
{
    enum { DEPTH = 5000 };
    char *text = malloc(DEPTH * 3 + 1);

    (void)state;
    for (size_t i = 0; i < DEPTH; i++)
        memcpy(text + 3 * i, "<a>", 3);
    text[DEPTH * 3] = 0;
    assert_int_equal(parse(text), 0);
    assert_string_equal(document.problem, "elements are nested too deeply");
    free(text);
}

static void memory_is_limited(void **state)
{
    struct arena *small = arena_new(10000);
    struct buffer text = BUFFER_EMPTY;

    (void)state;
    buffer_add_text(&text, "<a>");
    for (size_t i = 0; i < 1000; i++)
        buffer_add_text(&text, "<b k='value'/>");
    buffer_add_text(&text, "</a>");
    assert_int_equal(xml_parse(buffer_slice(&text), small, &document), 0);
    assert_non_null(document.root);
    buffer_release(&text);
    arena_free(small);
}

static void what_is_not_xml_is_refused(void **state)
{
    (void)state;
    assert_int_equal(parse(""), -1);
    assert_int_equal(parse("hello"), -1);
    assert_int_equal(xml_parse(SLICE_LITERAL("\0\0\0\0"), arena, &document), -1);
}

static void swollen_elements_are_refused(void **state)
{
    struct buffer text = BUFFER_EMPTY;

    (void)state;
    buffer_add_text(&text, "<a><!-- 1=1 --><b ");
    for (unsigned i = 0; i < 200000; i++)
        buffer_format(&text, "a%u='=' ", i);
    buffer_add_text(&text, "/></a>");
    assert_int_equal(xml_parse(buffer_slice(&text), arena, &document), -1);
    buffer_release(&text);
    assert_string_equal(error_text(), "an element has more than 4096 attributes");
}

static void changed_bytes_do_no_harm(void **state)
{
    static const char sample[] = "<?xml version=\"1.0\" encoding=\"UTF-8\"?><a x=\"1\"><b>one</b>"
                                 "<!-- c --><c><![CDATA[d]]></c><e f='&amp;'/></a>";
    uint64_t random = 88172645463325252u;
    char text[sizeof sample];

    (void)state;
    for (unsigned round = 0; round < 5000; round++) {
        memcpy(text, sample, sizeof text);
        for (size_t i = 0; i < 3; i++) {
            random ^= random << 13, random ^= random >> 7, random ^= random << 17;
            text[random % (sizeof text - 1)] = (char)(random >> 32);
        }
        xml_parse(slice_of(text, sizeof text - 1), arena, &document);
        arena_reset(arena);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(elements_attributes_and_text_are_read),
        TEST(paths_and_descendants_are_found),
        TEST(name_spaces_are_left_out),
        TEST(utf16_is_read),
        TEST(damage_is_told_and_the_rest_is_read),
        TEST(a_cut_document_keeps_what_was_there),
        TEST(document_types_and_entities_are_not_read),
        TEST(depth_is_limited),
        TEST(memory_is_limited),
        TEST(what_is_not_xml_is_refused),
        TEST(swollen_elements_are_refused),
        TEST(changed_bytes_do_no_harm),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
