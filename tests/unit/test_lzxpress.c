/* LZXPRESS Huffman: the examples of MS-XCA, and bytes that make no sense. */
#include "triage/formats/lzxpress.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { TABLE = 256 };

static struct arena *arena;
static uint8_t bytes[TABLE + 64];
static struct slice out;
static const char *problem;

static int setup(void **context)
{
    (void)context;
    arena = arena_new(1 << 20);
    memset(bytes, 0, sizeof bytes);
    return 0;
}

static int teardown(void **context)
{
    (void)context;
    arena_free(arena);
    return 0;
}

static void set_length(unsigned symbol, unsigned length)
{
    bytes[symbol / 2] |= (uint8_t)(length << (symbol % 2 ? 4 : 0));
}

/* MS-XCA 3.1, the alphabet: codes of four and five bits, no repetition. */
static size_t make_alphabet(void)
{
    static const uint8_t content[] = {0xd8, 0x52, 0x3e, 0xd7, 0x94, 0x11, 0x5b, 0xe9, 0x19, 0x5f,
                                      0xf9, 0xd6, 0x7c, 0xdf, 0x8d, 0x04, 0,    0,    0,    0};

    for (unsigned symbol = 'a'; symbol <= 'z'; symbol++)
        set_length(symbol, symbol <= 'v' ? 5 : 4);
    set_length(256, 4);
    memcpy(bytes + TABLE, content, sizeof content);
    return TABLE + sizeof content;
}

/* MS-XCA 3.1, "abc" a hundred times: one repetition of 297 bytes, its length in three bytes more.
 */
static size_t make_repetition(void)
{
    static const uint8_t content[] = {0xa8, 0xdc, 0, 0, 0xff, 0x26, 0x01};

    set_length('a', 3);
    set_length('b', 3);
    set_length('c', 2);
    set_length(256, 2);
    set_length(256 + 31, 2);
    memcpy(bytes + TABLE, content, sizeof content);
    return TABLE + sizeof content;
}

static void decompress(size_t have, size_t size)
{
    assert_int_equal(lzxpress_huffman(slice_of(bytes, have), size, arena, &out, &problem), 0);
}

static void the_alphabet_of_the_specification_comes_out(void **context)
{
    (void)context;
    decompress(make_alphabet(), 26);
    assert_null(problem);
    assert_true(slice_is(out, "abcdefghijklmnopqrstuvwxyz"));
}

static void the_repetition_of_the_specification_comes_out(void **context)
{
    (void)context;
    decompress(make_repetition(), 300);
    assert_null(problem);
    assert_int_equal(out.size, 300);
    for (size_t i = 0; i < out.size; i++)
        assert_int_equal(out.data[i], "abc"[i % 3]);
}

static void a_repetition_beyond_the_end_is_told(void **context)
{
    (void)context;
    decompress(make_repetition(), 299);
    assert_string_equal(problem, "a repetition goes beyond the end of the content");
    assert_true(slice_is(out, "abc"));
}

static void what_came_out_before_a_cut_is_kept(void **context)
{
    (void)context;
    make_alphabet();
    decompress(TABLE + 8, 1000);
    assert_string_equal(problem, "the compressed content is cut short");
    assert_true(slice_starts(out, "abcdefghij"));
}

static void a_table_that_is_cut_gives_nothing(void **context)
{
    (void)context;
    make_alphabet();
    decompress(TABLE - 1, 26);
    assert_string_equal(problem, "the table of code lengths is cut short");
    assert_int_equal(out.size, 0);
}

static void code_lengths_must_make_a_code(void **context)
{
    (void)context;
    make_alphabet();
    set_length('A', 1); /* too many codes */
    decompress(TABLE + 20, 26);
    assert_string_equal(problem, "the code lengths do not make a code");
    memset(bytes, 0, sizeof bytes);
    set_length('A', 1); /* too few */
    decompress(TABLE + 20, 26);
    assert_string_equal(problem, "the code lengths do not make a code");
}

static void a_repetition_needs_something_in_front(void **context)
{
    (void)context;
    set_length('a', 1);
    set_length(256, 1);
    bytes[TABLE + 1] = 0x80; /* the first bit: the repetition */
    decompress(TABLE + 8, 26);
    assert_string_equal(problem, "a repetition begins in front of the content");
}

static void a_size_beyond_the_ceiling_is_an_error(void **context)
{
    (void)context;
    assert_int_equal(
        lzxpress_huffman(slice_of(bytes, sizeof bytes), 1 << 30, arena, &out, &problem), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_alphabet_of_the_specification_comes_out, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(the_repetition_of_the_specification_comes_out, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_repetition_beyond_the_end_is_told, setup, teardown),
        cmocka_unit_test_setup_teardown(what_came_out_before_a_cut_is_kept, setup, teardown),
        cmocka_unit_test_setup_teardown(a_table_that_is_cut_gives_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(code_lengths_must_make_a_code, setup, teardown),
        cmocka_unit_test_setup_teardown(a_repetition_needs_something_in_front, setup, teardown),
        cmocka_unit_test_setup_teardown(a_size_beyond_the_ceiling_is_an_error, setup, teardown),
    };

    return cmocka_run_group_tests_name("lzxpress", tests, NULL, NULL);
}
