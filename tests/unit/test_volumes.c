/* Partition tables and signatures of volumes, on a small medium in memory. */
#include "triage/evidence/image_methods.h"
#include "triage/evidence/partitions.h"
#include "triage/evidence/probe.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum { SECTOR = 512, SECTORS = 4096, MEDIUM = SECTORS * SECTOR };

static uint8_t medium[MEDIUM];
static struct image image;
static struct arena *arena;
static struct partition_table table;

static ssize_t medium_read(struct image *self, uint64_t offset, void *buffer, size_t size)
{
    const uint64_t left = offset < self->container.size ? self->container.size - offset : 0;

    if (size > left)
        size = (size_t)left;
    memcpy(buffer, medium + (left ? offset : 0), size);
    return (ssize_t)size;
}

static void medium_close(struct image *self)
{
    (void)self;
}

static const struct image_methods methods = {.read = medium_read, .close = medium_close};

static int setup(void **context)
{
    (void)context;
    memset(medium, 0, sizeof medium);
    image = (struct image){.methods = &methods,
                           .container = {.format = "raw", .size = MEDIUM, .sector_size = SECTOR}};
    arena = arena_new(1 << 22);
    return arena ? 0 : -1;
}

static int teardown(void **context)
{
    (void)context;
    arena_free(arena);
    return 0;
}

static void put(size_t at, uint64_t value, size_t size)
{
    for (size_t i = 0; i < size; i++)
        medium[at + i] = (uint8_t)(value >> 8 * i);
}

static uint32_t crc32_of(const uint8_t *bytes, size_t size)
{
    uint32_t crc = UINT32_MAX;

    for (size_t i = 0; i < size * 8; i++) {
        const uint32_t bit = (crc ^ (uint32_t)(bytes[i / 8] >> i % 8)) & 1;
        crc = crc >> 1 ^ bit * UINT32_C(0xEDB88320);
    }
    return ~crc;
}

static void add_mbr_entry(size_t sector, size_t index, uint8_t type, uint32_t first, uint32_t count)
{
    const size_t at = sector * SECTOR + 446 + index * 16;

    medium[at + 4] = type;
    put(at + 8, first, 4);
    put(at + 12, count, 4);
    medium[sector * SECTOR + 510] = 0x55;
    medium[sector * SECTOR + 511] = 0xAA;
}

/* A GPT with its header at `header` and its entries at `entries`, counted in sectors of this size.
 */
static void add_gpt(size_t header, size_t entries, size_t sector_size)
{
    static const uint8_t basic_data[] = {0xA2, 0xA0, 0xD0, 0xEB, 0xE5, 0xB9, 0x33, 0x44,
                                         0x87, 0xC0, 0x68, 0xB6, 0xB7, 0x26, 0x99, 0xC7};
    const size_t at = header * sector_size, entry = entries * sector_size;

    memcpy(medium + entry, basic_data, 16);
    for (size_t i = 0; i < 16; i++)
        medium[entry + 16 + i] = (uint8_t)i;
    put(entry + 32, 64, 8);
    put(entry + 40, 127, 8);
    put(entry + 56, 'C', 2);
    memcpy(medium + at, "EFI PART", 8);
    put(at + 12, 92, 4);
    put(at + 72, entries, 8);
    put(at + 80, 4, 4);
    put(at + 84, 128, 4);
    put(at + 88, crc32_of(medium + entry, 4 * 128), 4);
    put(at + 16, crc32_of(medium + at, 92), 4);
}

static void read_table(void)
{
    assert_int_equal(partitions_read(&image, arena, &table), 0);
}

static void a_gpt_names_its_partitions(void **context)
{
    (void)context;
    add_gpt(1, 2, SECTOR);
    read_table();
    assert_int_equal(table.count, 1);
    assert_int_equal(table.partitions[0].offset, 64 * SECTOR);
    assert_int_equal(table.partitions[0].size, 64 * SECTOR);
    assert_string_equal(table.partitions[0].guid, "03020100-0504-0706-0809-0a0b0c0d0e0f");
    assert_string_equal(table.partitions[0].text, "GPT 1: basic data, C");
    assert_null(table.notice);
    assert_int_equal(table.disk_signature, 0);
}

static void the_copy_of_a_gpt_serves(void **context)
{
    (void)context;
    add_gpt(SECTORS - 1, SECTORS - 33, SECTOR);
    read_table();
    assert_int_equal(table.count, 1);
    assert_non_null(strstr(table.notice, "copy"));
}

static void the_right_one_of_two_gpts_is_used(void **context)
{
    (void)context;
    add_gpt(1, 2, SECTOR);
    add_gpt(SECTORS - 1, SECTORS - 33, SECTOR);
    put(2 * SECTOR + 32, 9, 8);
    read_table();
    assert_int_equal(table.partitions[0].offset, 64 * SECTOR);
    assert_non_null(strstr(table.notice, "copy"));
}

static void a_gpt_with_a_wrong_checksum_is_used_and_told(void **context)
{
    (void)context;
    add_gpt(1, 2, SECTOR);
    put(2 * SECTOR + 32, 9, 8);
    read_table();
    assert_int_equal(table.partitions[0].offset, 9 * SECTOR);
    assert_non_null(strstr(table.notice, "checksum"));
}

static void a_gpt_may_count_in_sectors_of_4096_bytes(void **context)
{
    (void)context;
    add_gpt(1, 2, 4096);
    read_table();
    assert_int_equal(table.sector_size, 4096);
    assert_int_equal(table.partitions[0].offset, 64 * 4096);
}

static void a_gpt_of_a_crafted_size_is_none(void **context)
{
    (void)context;
    add_gpt(1, 2, SECTOR);
    put(SECTOR + 80, UINT32_MAX, 4);
    read_table();
    assert_int_equal(table.count, 0);
}

static void an_mbr_gives_its_signature(void **context)
{
    (void)context;
    add_mbr_entry(0, 0, 0x07, 100, 200);
    put(0x1B8, 0x12345678, 4);
    read_table();
    assert_int_equal(table.count, 1);
    assert_int_equal(table.disk_signature, 0x12345678);
    assert_int_equal(table.partitions[0].offset, 100 * SECTOR);
    assert_string_equal(table.partitions[0].text, "MBR 1: type 0x07, NTFS or exFAT");
}

static void logical_partitions_are_followed(void **context)
{
    (void)context;
    add_mbr_entry(0, 0, 0x07, 100, 200);
    add_mbr_entry(0, 1, 0x0F, 1000, 3000);
    add_mbr_entry(1000, 0, 0x07, 63, 100);
    add_mbr_entry(1000, 1, 0x05, 500, 1000);
    add_mbr_entry(1500, 0, 0x07, 63, 50);
    read_table();
    assert_int_equal(table.count, 3);
    assert_int_equal(table.partitions[1].offset, 1063 * SECTOR);
    assert_int_equal(table.partitions[2].offset, 1563 * SECTOR);
}

static void a_chain_that_runs_in_a_ring_ends(void **context)
{
    (void)context;
    add_mbr_entry(0, 1, 0x0F, 1000, 3000);
    add_mbr_entry(1000, 0, 0x07, 63, 100);
    add_mbr_entry(1000, 1, 0x05, 500, 1000);
    add_mbr_entry(1500, 0, 0x07, 63, 50);
    add_mbr_entry(1500, 1, 0x05, 500, 1000);
    read_table();
    assert_int_equal(table.count, 2);
}

static void an_mbr_may_count_in_sectors_of_4096_bytes(void **context)
{
    (void)context;
    add_mbr_entry(0, 0, 0x07, 64, 200);
    memcpy(medium + 64 * 4096 + 3, "EXFAT   ", 8);
    memcpy(medium + 64 * 4096 + 510, "\x55\xAA", 2);
    read_table();
    assert_int_equal(table.sector_size, 4096);
    assert_int_equal(table.partitions[0].offset, 64 * 4096);
}

static void a_boot_sector_is_no_table(void **context)
{
    (void)context;
    add_mbr_entry(0, 0, 0x07, 64, 200);
    memcpy(medium, "\xEB\x58\x90-FVE-FS-", 11);
    read_table();
    assert_int_equal(table.count, 0);
}

static void noise_is_no_table(void **context)
{
    (void)context;
    for (size_t i = 0; i < MEDIUM; i++)
        medium[i] = (uint8_t)(i * 2654435761U >> 13);
    medium[510] = 0x55;
    medium[511] = 0xAA;
    read_table();
    assert_int_equal(table.count, 0);
}

static struct probe probe_all(void)
{
    struct probe probe;

    assert_int_equal(probe_volume(&image, 0, MEDIUM, &probe), 0);
    return probe;
}

static void assert_problem(size_t at, const char *signature, size_t size, const char *word)
{
    memset(medium, 0, sizeof medium);
    memcpy(medium + at, signature, size);
    const struct probe probe = probe_all();
    assert_int_equal(probe.kind, PROBE_UNREADABLE);
    assert_non_null(strstr(probe.problem, word));
}

static void bitlocker_is_known_before_any_key(void **context)
{
    (void)context;
    memset(medium, 0, sizeof medium);
    memcpy(medium + 3, "-FVE-FS-", 8);
    const struct probe probe = probe_all();
    assert_int_equal(probe.kind, PROBE_BITLOCKER);
    assert_non_null(strstr(probe.problem, "BitLocker"));
}

static void what_cannot_be_read_is_named(void **context)
{
    (void)context;
    assert_problem(3, "ReFS\0\0\0\0", 8, "ReFS");
    assert_problem(0, "LUKS\xBA\xBE", 6, "LUKS");
    assert_problem(512, "LABELONE", 8, "LVM2");
    assert_problem(0, "SPACEDB ", 8, "Storage Spaces");
    assert_problem(32, "NXSB", 4, "APFS");
    assert_problem(4086, "SWAPSPACE2", 10, "swap");
}

static void an_empty_volume_is_told_from_an_unknown_one(void **context)
{
    (void)context;
    assert_int_equal(probe_all().kind, PROBE_EMPTY);
    medium[700] = 1;
    assert_int_equal(probe_all().kind, PROBE_UNKNOWN);
}

/* A container that knows which bytes it has lost gives zeroes for them and counts the reading. */
static ssize_t damaged_read(struct image *self, uint64_t offset, void *buffer, size_t size)
{
    self->damage_hits += offset < SECTOR;
    return medium_read(self, offset, buffer, size);
}

static void a_start_that_is_lost_is_not_called_wiped(void **context)
{
    static const struct image_methods lossy = {.read = damaged_read, .close = medium_close};

    (void)context;
    image.methods = &lossy;
    const struct probe probe = probe_all();
    assert_int_equal(probe.kind, PROBE_UNKNOWN);
    assert_non_null(strstr(probe.problem, "damaged or missing part of the evidence"));
}

static void a_log_with_a_signature_by_chance_is_no_volume(void **context)
{
    (void)context;
    memset(medium, 'x', sizeof medium);
    memcpy(medium + 54, "FAT1", 4);
    memcpy(medium + 1080, "\x53\xEF", 2);
    memcpy(medium + 1024, "HX", 2);
    assert_int_equal(probe_all().kind, PROBE_UNKNOWN);
}

static void add_ntfs_boot(size_t sector)
{
    const size_t at = sector * SECTOR;

    memcpy(medium + at, "\xEB\x52\x90NTFS    ", 11);
    put(at + 11, SECTOR, 2);
    medium[at + 13] = 8;
    put(at + 40, SECTORS - 1, 8);
    put(at + 48, 4, 8);
    put(at + 56, 2, 8);
    medium[at + 64] = 0xF6; /* 2 to the power of 10 bytes */
    put(at + 72, 0xABCDEF, 8);
}

static void the_boot_sector_of_ntfs_gives_its_sizes(void **context)
{
    (void)context;
    add_ntfs_boot(0);
    const struct probe probe = probe_all();
    assert_int_equal(probe.kind, PROBE_NTFS);
    assert_int_equal(probe.cluster_size, 4096);
    assert_int_equal(probe.record_size, 1024);
    assert_int_equal(probe.mft_offset, 4 * 4096);
    assert_int_equal(probe.serial, 0xABCDEF);
    assert_false(probe.from_backup);
}

static void the_copy_of_the_boot_sector_serves(void **context)
{
    (void)context;
    add_ntfs_boot(SECTORS - 1);
    medium[0] = 0xFF;
    const struct probe probe = probe_all();
    assert_int_equal(probe.kind, PROBE_NTFS);
    assert_true(probe.from_backup);
}

static void a_boot_sector_with_impossible_sizes_is_not_used(void **context)
{
    (void)context;
    add_ntfs_boot(0);
    medium[13] = 3;
    assert_int_equal(probe_all().kind, PROBE_UNKNOWN);
    medium[13] = 8;
    put(48, UINT64_MAX, 8);
    assert_int_equal(probe_all().kind, PROBE_UNKNOWN);
}

static void a_volume_behind_the_medium_is_an_error(void **context)
{
    struct probe probe;

    (void)context;
    assert_int_equal(probe_volume(&image, MEDIUM, MEDIUM, &probe), -1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_gpt_names_its_partitions),
        TEST(the_copy_of_a_gpt_serves),
        TEST(the_right_one_of_two_gpts_is_used),
        TEST(a_gpt_with_a_wrong_checksum_is_used_and_told),
        TEST(a_gpt_may_count_in_sectors_of_4096_bytes),
        TEST(a_gpt_of_a_crafted_size_is_none),
        TEST(an_mbr_gives_its_signature),
        TEST(logical_partitions_are_followed),
        TEST(a_chain_that_runs_in_a_ring_ends),
        TEST(an_mbr_may_count_in_sectors_of_4096_bytes),
        TEST(a_boot_sector_is_no_table),
        TEST(noise_is_no_table),
        TEST(what_cannot_be_read_is_named),
        TEST(bitlocker_is_known_before_any_key),
        TEST(an_empty_volume_is_told_from_an_unknown_one),
        TEST(a_start_that_is_lost_is_not_called_wiped),
        TEST(a_log_with_a_signature_by_chance_is_no_volume),
        TEST(the_boot_sector_of_ntfs_gives_its_sizes),
        TEST(the_copy_of_the_boot_sector_serves),
        TEST(a_boot_sector_with_impossible_sizes_is_not_used),
        TEST(a_volume_behind_the_medium_is_an_error),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
