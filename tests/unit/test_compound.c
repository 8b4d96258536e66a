/* OLE compound files: streams of both sizes, and chains that lead astray. */
#include "triage/formats/compound.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/*
 * Sector 0 the table, 1 the directory, 2 the small table, 3 the small content, 4 to 12 a stream of
 * 4500 bytes.
 */
enum { SECTOR = 512, SECTORS = 13, BIG = 4500, SMALL = 100, END = -2, FREE = -1, TABLE_MARK = -3 };

static uint8_t file[SECTOR * (SECTORS + 1)];
static struct arena *arena;
static struct compound compound;
static struct slice content;
static bool whole;

static void put32(size_t at, uint32_t value)
{
    for (size_t i = 0; i < 4; i++)
        file[at + i] = (uint8_t)(value >> 8 * i);
}

static void put_next(size_t sector, int32_t next)
{
    put32(SECTOR + 4 * sector, (uint32_t)next);
}

static void put_entry(size_t index, const char *name, uint8_t kind, uint32_t start, uint32_t size)
{
    const size_t at = SECTOR * 2 + 128 * index;

    for (size_t i = 0; name[i]; i++)
        file[at + 2 * i] = (uint8_t)name[i];
    file[at + 64] = (uint8_t)(2 * strlen(name) + 2);
    file[at + 66] = kind;
    put32(at + 116, start);
    put32(at + 120, size);
}

static void make(void)
{
    memset(file, 0, sizeof file);
    memcpy(file, "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", 8);
    file[26] = 3;
    file[30] = 9;
    file[32] = 6;
    put32(44, 1); /* one sector of the table */
    put32(48, 1); /* directory */
    put32(56, 4096);
    put32(60, 2); /* small table */
    put32(64, 1);
    put32(68, (uint32_t)END);
    for (size_t i = 0; i < 109; i++)
        put32(76 + 4 * i, i ? (uint32_t)FREE : 0);
    for (size_t i = 0; i < SECTOR / 4; i++)
        put_next(i, FREE);
    put_next(0, TABLE_MARK);
    put_next(1, END);
    put_next(2, END);
    put_next(3, END);
    for (size_t i = 4; i < SECTORS; i++)
        put_next(i, i + 1 < SECTORS ? (int32_t)i + 1 : END);
    put_entry(0, "Root Entry", 5, 3, 128);
    put_entry(1, "1", 2, 0, SMALL);
    put_entry(2, "DestList", 2, 4, BIG);
    memset(file + 3 * SECTOR, 0xff, SECTOR);
    put32(3 * SECTOR, 1);
    put32(3 * SECTOR + 4, (uint32_t)END);
    memset(file + 4 * SECTOR, 's', SMALL);
    memset(file + 5 * SECTOR, 'b', BIG);
}

static int setup(void **context)
{
    (void)context;
    arena = arena_new(1 << 20);
    make();
    return 0;
}

static int teardown(void **context)
{
    (void)context;
    arena_free(arena);
    return 0;
}

static void open_it(void)
{
    assert_int_equal(compound_open(slice_of(file, sizeof file), arena, &compound), 0);
}

static void read_it(size_t index, size_t *first)
{
    assert_int_equal(compound_stream(&compound, &compound.entries[index], &content, &whole, first),
                     0);
}

static void streams_of_both_sizes_are_read(void **context)
{
    size_t first;

    (void)context;
    open_it();
    assert_null(compound.problem);
    assert_int_equal(compound.entry_count, 2);
    read_it(0, &first);
    assert_true(whole);
    assert_int_equal(content.size, SMALL);
    assert_int_equal(content.data[SMALL - 1], 's');
    assert_int_equal(first, 4 * SECTOR);
    read_it(1, &first);
    assert_true(whole);
    assert_int_equal(content.size, BIG);
    assert_int_equal(content.data[BIG - 1], 'b');
    assert_int_equal(first, 5 * SECTOR);
}

static void a_stream_in_a_circle_is_not_whole(void **context)
{
    (void)context;
    put_next(12, 4);
    open_it();
    read_it(1, NULL);
    assert_int_equal(content.size, BIG);
    assert_false(whole);
}

static void a_chain_that_ends_early_gives_what_is_there(void **context)
{
    (void)context;
    put_next(5, END);
    open_it();
    read_it(1, NULL);
    assert_int_equal(content.size, 2 * SECTOR);
    assert_false(whole);
}

static void a_directory_in_a_circle_is_told(void **context)
{
    (void)context;
    put_next(1, 1);
    open_it();
    assert_string_equal(compound.problem, "a chain of sectors goes in a circle");
    assert_int_equal(compound.entry_count, 2);
}

static void lists_of_tables_in_a_circle_end(void **context)
{
    (void)context;
    put32(44, 0xffff);
    put32(68, 6);
    for (size_t i = 0; i < 109; i++)
        put32(76 + 4 * i, 0);
    put32(7 * SECTOR + SECTOR - 4, 6);
    open_it();
    assert_string_equal(compound.problem, "its table of sectors is not whole");
}

static void sectors_outside_of_the_file_give_nothing(void **context)
{
    (void)context;
    put_entry(2, "DestList", 2, 100, BIG);
    put_next(100, END);
    open_it();
    read_it(1, NULL);
    assert_int_equal(content.size, 0);
    assert_false(whole);
}

static void streams_together_are_not_larger_than_the_file(void **context)
{
    (void)context;
    open_it();
    read_it(1, NULL);
    assert_int_equal(compound_stream(&compound, &compound.entries[1], &content, &whole, NULL), -1);
}

static void odd_sizes_in_the_header_are_an_error(void **context)
{
    (void)context;
    file[30] = 31;
    assert_int_equal(compound_open(slice_of(file, sizeof file), arena, &compound), -1);
    file[30] = 9;
    assert_int_equal(compound_open(slice_of(file, 100), arena, &compound), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(streams_of_both_sizes_are_read, setup, teardown),
        cmocka_unit_test_setup_teardown(a_stream_in_a_circle_is_not_whole, setup, teardown),
        cmocka_unit_test_setup_teardown(a_chain_that_ends_early_gives_what_is_there, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_directory_in_a_circle_is_told, setup, teardown),
        cmocka_unit_test_setup_teardown(lists_of_tables_in_a_circle_end, setup, teardown),
        cmocka_unit_test_setup_teardown(sectors_outside_of_the_file_give_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(streams_together_are_not_larger_than_the_file, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(odd_sizes_in_the_header_are_an_error, setup, teardown),
    };

    return cmocka_run_group_tests_name("compound", tests, NULL, NULL);
}
