/* VHD, fixed and dynamic, whole and broken. */
#include "triage/base/error.h"
#include "triage/evidence/image.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { BLOCK = 4096, BLOCKS = 5, MEDIUM = BLOCKS * BLOCK - 1024, FIRST_BLOCK = 2048 };

static char path[] = "/tmp/test_vhd.XXXXXX";
static uint8_t medium[MEDIUM], got[MEDIUM];
static uint8_t disk[64 << 10]; /* the file */
static size_t disk_size;
static struct image *image;

static int setup(void **context)
{
    int file;
    (void)context;
    strcpy(path, "/tmp/test_vhd.XXXXXX");
    file = mkstemp(path);
    image = NULL;
    for (size_t i = 0; i < MEDIUM; i++)
        medium[i] = (uint8_t)(i / 512 * 3 + i + 1);
    memset(medium + 2 * BLOCK, 0, BLOCK); /* block 2 is not stored */
    memset(disk, 0, sizeof disk);
    return file < 0 ? -1 : close(file);
}

static int teardown(void **context)
{
    (void)context;
    image_close(image);
    return remove(path);
}

static void put(uint8_t *bytes, uint64_t value, size_t size)
{
    while (size--) {
        bytes[size] = (uint8_t)value;
        value >>= 8;
    }
}

static void put_sum(uint8_t *bytes, size_t size, size_t at)
{
    uint32_t sum = 0;

    put(bytes + at, 0, 4);
    for (size_t i = 0; i < size; i++)
        sum += bytes[i];
    put(bytes + at, ~sum, 4);
}

static void make_footer(uint8_t *footer, uint32_t kind)
{
    memcpy(footer, "conectix", 8);
    put(footer + 16, 512, 8);
    put(footer + 40, MEDIUM, 8);
    put(footer + 48, MEDIUM, 8);
    put(footer + 60, kind, 4);
    put_sum(footer, 512, 64);
}

/* Footer copy, header, table at 1536, then the blocks in reverse order, the footer. */
static void make_dynamic(uint32_t kind)
{
    uint8_t *header = disk + 512;
    size_t at = FIRST_BLOCK;

    make_footer(disk, kind);
    memcpy(header, "cxsparse", 8);
    put(header + 16, 1536, 8);
    put(header + 28, BLOCKS, 4);
    put(header + 32, BLOCK, 4);
    memcpy(header + 64, "\0b\0a\0s\0e\0.\0v\0h\0d", 16);
    put_sum(header, 1024, 36);
    memset(disk + 1536, 0xFF, 512);
    for (size_t i = BLOCKS; i-- > 0;) {
        if (i == 2)
            continue;
        put(disk + 1536 + 4 * i, at / 512, 4);
        disk[at] = 0xFF; /* 8 sectors */
        memcpy(disk + at + 512, medium + i * BLOCK, i + 1 < BLOCKS ? BLOCK : MEDIUM % BLOCK);
        at += 512 + BLOCK;
    }
    memcpy(disk + at, disk, 512);
    disk_size = at + 512;
}

static void save(void)
{
    FILE *file = fopen(path, "wb");

    assert_non_null(file);
    fwrite(disk, 1, disk_size, file);
    fclose(file);
}

static void open_it(void)
{
    save();
    if (image_open(path, &image) < 0)
        fail_msg("%s", error_text());
    assert_int_equal(image_container(image)->size, MEDIUM);
}

static const struct damage *damage_of(size_t expected)
{
    size_t count;
    const struct damage *damage = image_damage(image, &count);

    assert_int_equal(count, expected);
    return damage;
}

static void assert_whole(void)
{
    open_it();
    assert_int_equal(image_read(image, 0, got, sizeof got), MEDIUM);
    assert_memory_equal(got, medium, MEDIUM);
    assert_int_equal(image_read(image, BLOCK - 7, got, 20), 20);
    assert_memory_equal(got, medium + BLOCK - 7, 20);
    damage_of(0);
}

static void assert_refused(const char *word)
{
    save();
    assert_int_equal(image_open(path, &image), -1);
    if (!strstr(error_text(), word))
        fail_msg("'%s' is not in: %s", word, error_text());
}

static void a_dynamic_disk_reads_as_the_medium(void **context)
{
    (void)context;
    make_dynamic(3);
    assert_whole();
    assert_string_equal(image_container(image)->format, "VHD (dynamic)");
}

static void a_fixed_disk_reads_as_the_medium(void **context)
{
    (void)context;
    memcpy(disk, medium, MEDIUM);
    make_footer(disk + MEDIUM, 2);
    disk_size = MEDIUM + 512;
    assert_whole();
}

static void a_part_cut_out_of_a_fixed_disk_is_whole(void **context)
{
    (void)context;
    memcpy(disk, medium, BLOCK);
    make_footer(disk + BLOCK, 2);
    disk_size = BLOCK + 512;
    save();
    assert_int_equal(image_open(path, &image), 0);
    assert_int_equal(image_container(image)->size, BLOCK);
    assert_int_equal(image_read(image, 0, got, sizeof got), BLOCK);
    assert_memory_equal(got, medium, BLOCK);
    damage_of(0);
}

static void the_copy_of_the_footer_serves(void **context)
{
    (void)context;
    make_dynamic(3);
    disk[disk_size - 300] ^= 1;
    assert_whole();
}

static void without_any_footer_it_is_refused(void **context)
{
    (void)context;
    make_dynamic(3);
    disk[disk_size - 300] ^= 1;
    disk[100] ^= 1;
    assert_refused("footer is damaged");
}

static void sectors_never_written_are_zeroes(void **context)
{
    (void)context;
    make_dynamic(3);
    disk[FIRST_BLOCK] = 0xBF; /* block 4: its second sector */
    memset(medium + 4 * BLOCK + 512, 0, 512);
    assert_whole();
}

static void a_cut_file_is_damage(void **context)
{
    const struct damage *damage;
    (void)context;
    make_dynamic(3);
    disk_size -= 512 + 1000; /* block 0 is the last in the file */
    open_it();
    damage = damage_of(1);
    assert_int_equal(damage[0].offset, BLOCK - 1000);
    assert_int_equal(damage[0].size, 1000);
    assert_int_equal(image_read(image, 0, got, sizeof got), MEDIUM);
    memset(medium + BLOCK - 1000, 0, 1000);
    assert_memory_equal(got, medium, MEDIUM);
    assert_int_equal(image_damage_hits(image), 1);
}

static void a_block_outside_of_the_file_is_damage(void **context)
{
    const struct damage *damage;
    (void)context;
    make_dynamic(3);
    put(disk + 1536 + 4, 0x7FFFFFFF, 4);
    open_it();
    damage = damage_of(1);
    assert_int_equal(damage[0].offset, BLOCK);
    assert_int_equal(damage[0].size, BLOCK);
    assert_int_equal(image_read(image, 0, got, sizeof got), MEDIUM);
}

/* Entry 3 becomes that of block 1, entry 4 points at the footer's copy. */
static void blocks_over_one_another_are_damage(void **context)
{
    const struct damage *damage;
    size_t count;

    (void)context;
    make_dynamic(3);
    memcpy(disk + 1536 + 12, disk + 1536 + 4, 4);
    put(disk + 1536 + 16, 0, 4);
    open_it();
    damage = image_damage(image, &count);
    assert_int_equal(count, 2);
    assert_int_equal(damage[0].offset, BLOCK);
    assert_int_equal(damage[0].size, BLOCK);
    assert_int_equal(damage[1].offset, 3 * BLOCK);
    assert_int_equal(damage[1].size, MEDIUM - 3 * BLOCK);
    assert_int_equal(image_read(image, 3 * BLOCK, got, BLOCK), BLOCK);
    assert_int_equal(got[100], 0);
    assert_int_equal(image_read(image, 0, got, BLOCK), BLOCK);
    assert_memory_equal(got, medium, BLOCK);
}

static void a_short_table_is_damage(void **context)
{
    (void)context;
    make_dynamic(3);
    put(disk + 512 + 28, 3, 4);
    put_sum(disk + 512, 1024, 36);
    open_it();
    assert_int_equal(damage_of(1)[0].offset, 3 * BLOCK);
    assert_int_equal(image_read(image, 0, got, sizeof got), MEDIUM);
    assert_true(image_damage_hits(image) > 0);
}

static void a_damaged_header_is_refused(void **context)
{
    (void)context;
    make_dynamic(3);
    disk[512 + 33] ^= 1;
    assert_refused("checksum");
}

static void a_differencing_disk_names_its_parent(void **context)
{
    (void)context;
    make_dynamic(4);
    assert_refused("base.vhd");
}

static void verify_reads_all_blocks(void **context)
{
    struct verification result;
    struct hasher *hasher = hasher_new(HASH_MD5);
    (void)context;
    make_dynamic(3);
    save();
    hasher_add(hasher, slice_of(medium, MEDIUM));
    assert_int_equal(image_verify(path, 0, NULL, NULL, &result), 0);
    assert_string_equal(result.computed.md5, hasher_finish(hasher).md5);
    verification_release(&result);
    hasher_free(hasher);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_dynamic_disk_reads_as_the_medium),
        TEST(a_fixed_disk_reads_as_the_medium),
        TEST(a_part_cut_out_of_a_fixed_disk_is_whole),
        TEST(the_copy_of_the_footer_serves),
        TEST(without_any_footer_it_is_refused),
        TEST(sectors_never_written_are_zeroes),
        TEST(a_cut_file_is_damage),
        TEST(a_block_outside_of_the_file_is_damage),
        TEST(blocks_over_one_another_are_damage),
        TEST(a_short_table_is_damage),
        TEST(a_damaged_header_is_refused),
        TEST(a_differencing_disk_names_its_parent),
        TEST(verify_reads_all_blocks),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
