/* A large log in pieces of whole lines. */
#include "triage/engine/log_pieces.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct log_pieces pieces;

static int set_up(void **state)
{
    (void)state;
    pieces = (struct log_pieces){.bytes = BUFFER_EMPTY};
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    log_pieces_release(&pieces);
    return 0;
}

static void what_follows_is_taken_once(void **state)
{
    (void)state;
    log_pieces_add(&pieces, 0, SLICE_LITERAL("one\ntw"));
    log_pieces_add(&pieces, 2, SLICE_LITERAL("e\ntwo\n")); /* was read twice in part */
    log_pieces_add(&pieces, 0, SLICE_LITERAL("one"));
    log_pieces_add(&pieces, 100, SLICE_LITERAL("far away"));
    assert_int_equal(log_pieces_next(&pieces), 8);
    assert_int_equal(log_pieces_take(&pieces, false).size, 0);
    assert_true(slice_is(log_pieces_take(&pieces, true), "one\ntwo\n"));
    log_pieces_drop(&pieces, 8);
    assert_int_equal(pieces.base, 8);
    assert_int_equal(log_pieces_take(&pieces, true).size, 0);
}

static void fill(uint8_t *bytes, const char *line, size_t line_size)
{
    for (size_t at = 0; at < LOG_PIECE_SIZE; at += line_size)
        memcpy(bytes + at, line, line_size);
}

static size_t piece_of(const char *mark, size_t mark_size, const char *line, size_t line_size)
{
    uint8_t *bytes = malloc(LOG_PIECE_SIZE);

    fill(bytes, line, line_size);
    memcpy(bytes, mark, mark_size);
    log_pieces_add(&pieces, 0, slice_of(bytes, LOG_PIECE_SIZE));
    log_pieces_add(&pieces, LOG_PIECE_SIZE, SLICE_LITERAL("the rest"));
    free(bytes);
    return log_pieces_take(&pieces, false).size;
}

static void a_piece_ends_behind_a_line(void **state)
{
    (void)state;
    assert_int_equal(piece_of("", 0, "0123456789abcd\n#", 16), LOG_PIECE_SIZE - 1);
    log_pieces_drop(&pieces, LOG_PIECE_SIZE - 1);
    assert_true(slice_is(log_pieces_take(&pieces, true), "#the rest"));
}

static void a_line_without_end_is_cut(void **state)
{
    (void)state;
    assert_int_equal(piece_of("", 0, "0123456789abcdef", 16), LOG_PIECE_SIZE + 8);
}

static void utf16_is_cut_between_characters(void **state)
{
    (void)state;
    assert_int_equal(piece_of("\xFF\xFE", 2, "a\0b\0c\0d\0e\0f\0\n\0g\0", 16), LOG_PIECE_SIZE - 2);
}

static void half_a_character_ends_no_line(void **state)
{
    (void)state;
    /* U+0A15 behind the line end, high byte first; U+0A0A behind it, low byte first. */
    assert_int_equal(piece_of("\xFE\xFF", 2, "\0a\0b\0c\0d\0\n\x0A\x15\0e\0f", 16),
                     LOG_PIECE_SIZE - 6);
    tear_down(NULL);
    set_up(NULL);
    assert_int_equal(piece_of("\xFF\xFE", 2,
                              "a\0b\0c\0d\0\n\0\x0A\x0A"
                              "e\0f\0",
                              16),
                     LOG_PIECE_SIZE - 6);
}

static void what_is_no_text_is_left_alone(void **state)
{
    (void)state;
    log_pieces_add(&pieces, 0, SLICE_LITERAL("MZ\0\0"));
    assert_true(pieces.binary);
    assert_int_equal(log_pieces_take(&pieces, true).size, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_follows_is_taken_once),    TEST(a_piece_ends_behind_a_line),
        TEST(a_line_without_end_is_cut),     TEST(utf16_is_cut_between_characters),
        TEST(half_a_character_ends_no_line), TEST(what_is_no_text_is_left_alone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
