/* Transaction logs applied to a hive: the logs are written here, with no code of the reader but its
 * hash. */
#include "tests/unit/hive_builder.h"
#include "triage/formats/hive.h"
#include "triage/formats/hive_log.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { ROOM = 256 * 1024, LOG_ROOM = 64 * 1024, BASE = 4096 };

struct fixture {
    struct hive_builder *builder;
    uint8_t *bytes;
    struct hive_image image;
    uint8_t logs[2][LOG_ROOM];
    size_t log_sizes[2];
    struct hive_replay replay;
};

static void put32(uint8_t *at, uint32_t number)
{
    for (unsigned i = 0; i < 4; i++)
        at[i] = (uint8_t)(number >> 8 * i);
}

static void put64(uint8_t *at, uint64_t number)
{
    put32(at, (uint32_t)number);
    put32(at + 4, (uint32_t)(number >> 32));
}

static uint32_t get32(const uint8_t *at)
{
    return at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

static void seal(uint8_t *base_block)
{
    uint32_t sum = 0;

    for (size_t at = 0; at < 508; at += 4)
        sum ^= get32(base_block + at);
    put32(base_block + 508, sum);
}

/* A hive with one value, dirty: its primary sequence number is one ahead of 10. */
static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    size_t size;

    f->builder = hive_builder_new();
    hive_builder_number(f->builder, "Key", "Number", 0x11111111);
    const uint8_t *built = hive_builder_bytes(f->builder, &size);
    f->bytes = calloc(ROOM, 1);
    memcpy(f->bytes, built, size);
    put32(f->bytes + 4, 11);
    put32(f->bytes + 8, 10);
    seal(f->bytes);
    f->image = (struct hive_image){f->bytes, size, ROOM};
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    hive_builder_free(f->builder);
    free(f->bytes);
    free(f);
    return 0;
}

static void start_log(struct fixture *f, int log, uint32_t type, uint32_t sequence)
{
    uint8_t *base_block = f->logs[log];

    memcpy(base_block, f->bytes, 512);
    put32(base_block + 4, sequence);
    put32(base_block + 8, sequence);
    put32(base_block + 28, type);
    seal(base_block);
    f->log_sizes[log] = 512;
}

/* Adds an entry with one page of `size` bytes that hold `fill`, for `offset` in the bins. */
static uint8_t *add_entry(struct fixture *f, int log, uint32_t sequence, uint32_t bins_size,
                          uint32_t offset, uint32_t size, uint8_t fill)
{
    uint8_t *entry = f->logs[log] + f->log_sizes[log];
    const uint32_t whole = (48 + size + 511) / 512 * 512;

    memcpy(entry, "HvLE", 4);
    put32(entry + 4, whole);
    put32(entry + 12, sequence);
    put32(entry + 16, bins_size);
    put32(entry + 20, 1);
    put32(entry + 40, offset);
    put32(entry + 44, size);
    memset(entry + 48, fill, size);
    put64(entry + 24, hive_log_hash(slice_of(entry + 40, whole - 40)));
    put64(entry + 32, hive_log_hash(slice_of(entry, 32)));
    f->log_sizes[log] += whole;
    return entry;
}

static void replay(struct fixture *f)
{
    const struct slice logs[2] = {slice_of(f->logs[0], f->log_sizes[0]),
                                  slice_of(f->logs[1], f->log_sizes[1])};

    hive_log_replay(&f->image, logs, &f->replay);
}

static uint32_t bins_of(const struct fixture *f)
{
    return get32(f->bytes + 40);
}

static void the_hash_is_that_of_a_known_text(void **state)
{
    (void)state;
    /* Computed with a program of its own that gives the hashes in real logs. */
    assert_true(hive_log_hash(SLICE_LITERAL("Registry")) == UINT64_C(0xa5fe74b0e806f43b));
    assert_true(hive_log_hash(SLICE_LITERAL("Registry!")) == UINT64_C(0x1f19444a7e04da83));
}

static void entries_are_applied_in_their_order(void **state)
{
    struct fixture *f = *state;

    start_log(f, 0, 6, 10);
    add_entry(f, 0, 10, bins_of(f), 2048, 512, 0xAA);
    add_entry(f, 0, 11, bins_of(f), 2048, 256, 0xBB);
    replay(f);
    assert_int_equal(f->replay.entries, 2);
    assert_int_equal(f->replay.last, 11);
    assert_false(f->replay.gap);
    assert_null(f->replay.problem);
    assert_int_equal(f->bytes[BASE + 2048], 0xBB);
    assert_int_equal(f->bytes[BASE + 2048 + 256], 0xAA);
    assert_false(hive_log_is_needed(slice_of(f->bytes, f->image.size)));
}

static void the_second_log_may_come_first(void **state)
{
    struct fixture *f = *state;

    start_log(f, 0, 6, 11);
    add_entry(f, 0, 11, bins_of(f), 2048, 512, 0xBB);
    start_log(f, 1, 6, 10);
    add_entry(f, 1, 10, bins_of(f), 2048, 512, 0xAA);
    replay(f);
    assert_int_equal(f->replay.entries, 2);
    assert_int_equal(f->bytes[BASE + 2048], 0xBB);
}

static void what_the_hive_has_already_is_passed_over(void **state)
{
    struct fixture *f = *state;

    start_log(f, 0, 6, 9);
    add_entry(f, 0, 9, bins_of(f), 2048, 512, 0x99);
    add_entry(f, 0, 10, bins_of(f), 3072, 512, 0xAA);
    replay(f);
    assert_int_equal(f->replay.entries, 1);
    assert_int_not_equal(f->bytes[BASE + 2048], 0x99);
    assert_int_equal(f->bytes[BASE + 3072], 0xAA);
}

static void lost_entries_in_front_are_told(void **state)
{
    struct fixture *f = *state;

    start_log(f, 0, 6, 15);
    add_entry(f, 0, 15, bins_of(f), 2048, 512, 0xAA);
    replay(f);
    assert_int_equal(f->replay.entries, 1);
    assert_true(f->replay.gap);
}

static void a_wrong_hash_ends_the_replay(void **state)
{
    struct fixture *f = *state;

    start_log(f, 0, 6, 10);
    add_entry(f, 0, 10, bins_of(f), 2048, 512, 0xAA);
    add_entry(f, 0, 11, bins_of(f), 3072, 512, 0xBB)[48] ^= 1;
    add_entry(f, 0, 12, bins_of(f), 2048, 512, 0xCC);
    replay(f);
    assert_int_equal(f->replay.entries, 1);
    assert_int_equal(f->bytes[BASE + 2048], 0xAA);
}

static void the_hive_may_grow(void **state)
{
    struct fixture *f = *state;
    const uint32_t bins = bins_of(f);

    start_log(f, 0, 6, 10);
    add_entry(f, 0, 10, bins + 8192, bins + 4096, 512, 0xAA);
    replay(f);
    assert_int_equal(f->replay.entries, 1);
    assert_true(f->image.size >= BASE + (size_t)bins + 8192);
    assert_int_equal(f->bytes[BASE + bins + 4096], 0xAA);
    assert_int_equal(f->bytes[BASE + bins], 0);
}

static void a_hive_never_grows_beyond_its_room(void **state)
{
    struct fixture *f = *state;

    start_log(f, 0, 6, 10);
    add_entry(f, 0, 10, 0xFFFFF000, 0, 512, 0xAA);
    replay(f);
    assert_int_equal(f->replay.entries, 0);
    assert_non_null(f->replay.problem);
}

static void a_page_outside_of_the_bins_spoils_its_entry(void **state)
{
    struct fixture *f = *state;

    start_log(f, 0, 6, 10);
    add_entry(f, 0, 10, bins_of(f), bins_of(f) - 256, 512, 0xAA);
    replay(f);
    assert_int_equal(f->replay.entries, 0);
}

static void a_damaged_base_block_comes_from_the_log(void **state)
{
    struct fixture *f = *state;

    start_log(f, 0, 6, 10);
    add_entry(f, 0, 10, bins_of(f), 2048, 512, 0xAA);
    memset(f->bytes + 20, 0xFF, 64);
    replay(f);
    assert_true(f->replay.base_block);
    assert_int_equal(f->replay.entries, 1);
    assert_memory_equal(f->bytes, "regf", 4);
    assert_int_equal(get32(f->bytes + 28), 0);
}

static void a_clean_hive_is_left_alone(void **state)
{
    struct fixture *f = *state;

    put32(f->bytes + 4, 10);
    seal(f->bytes);
    start_log(f, 0, 6, 10);
    add_entry(f, 0, 10, bins_of(f), 2048, 512, 0xAA);
    replay(f);
    assert_int_equal(f->replay.entries, 0);
    assert_int_not_equal(f->bytes[BASE + 2048], 0xAA);
}

/* The older format: a bitmap of sectors of 512 bytes. */
static void add_dirty_sector(struct fixture *f, uint32_t sector, uint8_t fill)
{
    uint8_t *log = f->logs[0];
    const size_t bitmap = (bins_of(f) / 512 + 7) / 8;
    const size_t first = (512 + 4 + bitmap + 511) / 512 * 512;

    memcpy(log + 512, "DIRT", 4);
    log[516 + sector / 8] |= (uint8_t)(1 << sector % 8);
    if (f->log_sizes[0] < first)
        f->log_sizes[0] = first;
    memset(log + f->log_sizes[0], fill, 512);
    f->log_sizes[0] += 512;
}

static void dirty_sectors_of_the_older_format_are_applied(void **state)
{
    struct fixture *f = *state;

    start_log(f, 0, 1, 11);
    add_dirty_sector(f, 3, 0xAA);
    add_dirty_sector(f, 6, 0xBB);
    replay(f);
    assert_int_equal(f->replay.entries, 1);
    assert_int_equal(f->replay.pages, 2);
    assert_int_equal(f->bytes[BASE + 3 * 512], 0xAA);
    assert_int_equal(f->bytes[BASE + 6 * 512 + 511], 0xBB);
    assert_false(hive_log_is_needed(slice_of(f->bytes, f->image.size)));
}

static void an_older_log_without_a_sector_changes_nothing(void **state)
{
    struct fixture *f = *state;

    start_log(f, 0, 1, 11);
    add_dirty_sector(f, 3, 0xAA);
    memset(f->logs[0] + 516, 0, (bins_of(f) / 512 + 7) / 8);
    replay(f);
    assert_int_equal(f->replay.entries, 0);
    assert_true(hive_log_is_needed(slice_of(f->bytes, f->image.size)));
}

static void an_older_log_of_another_time_does_not_fit(void **state)
{
    struct fixture *f = *state;

    start_log(f, 0, 1, 11);
    f->logs[0][12] ^= 1;
    seal(f->logs[0]);
    add_dirty_sector(f, 3, 0xAA);
    replay(f);
    assert_int_equal(f->replay.entries, 0);
}

static void a_cut_older_log_is_told(void **state)
{
    struct fixture *f = *state;

    start_log(f, 0, 1, 11);
    add_dirty_sector(f, 3, 0xAA);
    add_dirty_sector(f, 4, 0xBB);
    f->log_sizes[0] -= 100;
    replay(f);
    assert_int_equal(f->replay.pages, 1);
    assert_non_null(f->replay.problem);
}

static void any_changed_byte_of_a_log_is_survived(void **state)
{
    struct fixture *f = *state;

    start_log(f, 0, 6, 10);
    add_entry(f, 0, 10, bins_of(f), 0, 4096, 0xAA);
    start_log(f, 1, 1, 11);
    for (size_t at = 0; at < f->log_sizes[0]; at += 3) {
        const uint8_t before = f->logs[0][at];
        put32(f->bytes + 4, 11);
        put32(f->bytes + 8, 10);
        seal(f->bytes);
        f->logs[0][at] = (uint8_t)(before ^ (at * 31 | 1));
        replay(f);
        assert_true(f->image.size <= f->image.room);
        f->logs[0][at] = before;
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(the_hash_is_that_of_a_known_text),
        TEST(entries_are_applied_in_their_order),
        TEST(the_second_log_may_come_first),
        TEST(what_the_hive_has_already_is_passed_over),
        TEST(lost_entries_in_front_are_told),
        TEST(a_wrong_hash_ends_the_replay),
        TEST(the_hive_may_grow),
        TEST(a_hive_never_grows_beyond_its_room),
        TEST(a_page_outside_of_the_bins_spoils_its_entry),
        TEST(a_damaged_base_block_comes_from_the_log),
        TEST(a_clean_hive_is_left_alone),
        TEST(dirty_sectors_of_the_older_format_are_applied),
        TEST(an_older_log_without_a_sector_changes_nothing),
        TEST(an_older_log_of_another_time_does_not_fit),
        TEST(a_cut_older_log_is_told),
        TEST(any_changed_byte_of_a_log_is_survived),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
