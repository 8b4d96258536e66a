/* Long values by the pages of an ESE database, put together here: pages of 4 KiB, the catalog with
 * one entry, and a tree of a branch and two leaves. */
#include "triage/helpers/ese_pages.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "triage/base/error.h"

enum { PAGE = 4096, PAGES = 16, HEAD = 40 };

static uint8_t file[(PAGES + 2) * PAGE];
static struct ese_pages pages;
static struct buffer value;

static ssize_t read_file(void *context, uint64_t offset, void *out, size_t size)
{
    const struct slice part = offset < sizeof file
                                  ? slice_part(slice_of(file, sizeof file), (size_t)offset, size)
                                  : slice_of(NULL, 0);

    (void)context;
    if (part.size)
        memcpy(out, part.data, part.size);
    return (ssize_t)part.size;
}

static void put(uint8_t *at, uint64_t number, size_t size)
{
    for (size_t i = 0; i < size; i++)
        at[i] = (uint8_t)(number >> 8 * i);
}

static uint8_t *page_at(uint32_t number)
{
    return file + (size_t)(number + 1) * PAGE;
}

static void start_page(uint32_t number, uint32_t flags, uint32_t next)
{
    uint8_t *page = page_at(number);

    memset(page, 0, PAGE);
    put(page + 20, next, 4);
    put(page + 36, flags, 4);
}

/* The next value of the page; the first one is what all share. */
static void add_value(uint32_t number, unsigned flags, struct slice bytes)
{
    uint8_t *page = page_at(number);
    const unsigned used = page[32] | page[33] << 8, count = page[34];

    memcpy(page + HEAD + used, bytes.data, bytes.size);
    put(page + PAGE - (count + 1) * 4, bytes.size, 2);
    put(page + PAGE - (count + 1) * 4 + 2, used | flags << 13, 2);
    put(page + 32, used + bytes.size, 2);
    page[34]++;
}

static void add_cell(uint32_t number, struct slice key, struct slice data)
{
    uint8_t bytes[600];

    put(bytes, key.size, 2);
    memcpy(bytes + 2, key.data, key.size);
    memcpy(bytes + 2 + key.size, data.data, data.size);
    add_value(number, 0, slice_of(bytes, 2 + key.size + data.size));
}

#define KEY(text)  SLICE_LITERAL(text)
#define DATA(text) SLICE_LITERAL(text)

static int start(void **context)
{
    (void)context;
    memset(file, 0, sizeof file);
    put(file + 4, 0x89ABCDEF, 4);
    put(file + 232, 0x0C, 4);
    put(file + 236, PAGE, 4);
    pages.read = read_file;
    start_page(4, 3, 0);
    add_value(4, 0, DATA("root page header"));
    /* record head, table 10, type 4, id 11, page 6 */
    add_cell(4, KEY("k"), DATA("\0\0\0\0\x0A\0\0\0\4\0\x0B\0\0\0\6\0\0\0"));
    start_page(6, 5, 0);
    add_value(6, 0, DATA("root page header"));
    add_cell(6, KEY("\0\0\0\1\0\0\0\0"), DATA("\7\0\0\0"));
    add_cell(6, KEY(""), DATA("\x08\0\0\0"));
    start_page(7, 2, 8);
    add_value(7, 0, DATA("\0"));
    add_cell(7, KEY("\0\0\0\1"), DATA("\1\0\0\0\6\0\0\0"));
    add_cell(7, KEY("\0\0\0\1\0\0\0\0"), DATA("abcd"));
    start_page(8, 2, 0);
    add_value(8, 0, DATA("\0\0\0\1"));
    /* the key is what all share and four bytes of its own */
    add_value(8, 4, DATA("\4\0\4\0\0\0\0\4ef"));
    add_cell(8, KEY("\0\0\0\2"), DATA("\1\0\0\0\3\0\0\0"));
    add_cell(8, KEY("\0\0\0\2\0\0\0\0"), DATA("ghi"));
    return ese_pages_open(&pages);
}

static int release(void **context)
{
    (void)context;
    buffer_release(&value);
    return 0;
}

static void assert_value(struct slice key, const char *text)
{
    assert_int_equal(ese_pages_long_value(&pages, 6, key, 100, &value), 0);
    assert_true(slice_is(buffer_slice(&value), text));
}

static void assert_no_value(struct slice key, const char *why)
{
    assert_int_equal(ese_pages_long_value(&pages, 6, key, 100, &value), -1);
    assert_string_equal(error_text(), why);
}

static void the_catalog_tells_where_long_values_are(void **context)
{
    (void)context;
    assert_int_equal(ese_pages_long_root(&pages, 10), 6);
    assert_int_equal(ese_pages_long_root(&pages, 12), 0);
}

static void rows_lie_where_their_cells_do(void **context)
{
    (void)context;
    put(page_at(4) + HEAD + 16 + 3 + 8, 1, 2); /* page 6 is the table itself */
    assert_int_equal(ese_pages_places(&pages, 10, &value), 0);
    assert_int_equal(value.size, 5 * 8);
    const uint8_t *first = value.data;
    const size_t place = first[0] | first[1] << 8 | first[2] << 16;
    assert_memory_equal(file + place, "\1\0\0\0\6\0\0\0", 8);
    assert_int_equal(ese_pages_places(&pages, 99, &value), -1);
}

static void a_value_goes_on_in_the_next_page(void **context)
{
    (void)context;
    assert_value(KEY("\1\0\0\0"), "abcdef");
    assert_value(KEY("\2\0\0\0"), "ghi");
}

static void a_value_that_is_not_there_is_an_error(void **context)
{
    (void)context;
    assert_no_value(KEY("\3\0\0\0"), "the long value is not there");
    assert_no_value(KEY("\3\0"), "the key of a long value has 2 bytes");
}

static void a_missing_part_is_an_error(void **context)
{
    (void)context;
    page_at(8)[34] = 1;
    assert_no_value(KEY("\1\0\0\0"), "4 of its 6 bytes are there");
    assert_true(slice_is(buffer_slice(&value), "abcd"));
}

static void a_ring_of_pages_has_an_end(void **context)
{
    (void)context;
    put(page_at(8) + 20, 8, 4);
    put(page_at(8) + 34, 1, 2);
    assert_no_value(KEY("\1\0\0\0"), "the tree of pages has no end");
}

static void a_branch_that_is_its_own_child_has_an_end(void **context)
{
    (void)context;
    start_page(6, 5, 0);
    add_value(6, 0, DATA("root page header"));
    add_cell(6, KEY(""), DATA("\6\0\0\0"));
    assert_no_value(KEY("\1\0\0\0"), "the tree of pages is too deep");
}

static void any_byte_may_be_wrong(void **context)
{
    (void)context;
    for (size_t i = 0; i < 3 * PAGE; i += 3) {
        start(NULL);
        page_at(6)[i] ^= 0xFF;
        buffer_clear(&value);
        ese_pages_long_value(&pages, 6, KEY("\1\0\0\0"), 100, &value);
        assert_in_range(value.size, 0, 100);
    }
}

static void pages_of_an_odd_size_are_refused(void **context)
{
    (void)context;
    put(file + 236, 5000, 4);
    assert_int_equal(ese_pages_open(&pages), -1);
    put(file + 236, 65536, 4);
    assert_int_equal(ese_pages_open(&pages), -1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, release)
    const struct CMUnitTest tests[] = {
        TEST(the_catalog_tells_where_long_values_are),
        TEST(rows_lie_where_their_cells_do),
        TEST(a_value_goes_on_in_the_next_page),
        TEST(a_value_that_is_not_there_is_an_error),
        TEST(a_missing_part_is_an_error),
        TEST(a_ring_of_pages_has_an_end),
        TEST(a_branch_that_is_its_own_child_has_an_end),
        TEST(any_byte_may_be_wrong),
        TEST(pages_of_an_odd_size_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
