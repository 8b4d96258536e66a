/* The $MFT parser and the table of files behind it, on records made here byte by byte. */
#include "triage/base/error.h"
#include "triage/evidence/mft.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { RECORD = 1024, RECORDS = 64, LIVE = 1, FOLDER = 2, WIN32 = 1, DOS = 2, CLUSTER = 4096 };

static uint8_t table[RECORDS * RECORD];
static size_t record_at, attribute_at; /* of the record at hand */
static uint32_t record_number;
static struct listing *listing;
static struct arena *arena;

static void put(size_t at, uint64_t value, size_t size)
{
    for (size_t i = 0; i < size; i++)
        table[at + i] = (uint8_t)(value >> 8 * i);
}

static void put_utf16(size_t at, const char *text)
{
    for (; *text; text++, at += 2)
        put(at, (uint8_t)*text, 2);
}

static uint64_t reference(uint32_t number, uint16_t sequence)
{
    return number | (uint64_t)sequence << 48;
}

static void start_record(uint32_t number, uint16_t sequence, uint16_t flags, uint64_t base)
{
    record_number = number;
    record_at = (size_t)number * RECORD;
    attribute_at = record_at + 56;
    memset(table + record_at, 0, RECORD);
    memcpy(table + record_at, "FILE", 4);
    put(record_at + 4, 48, 2);
    put(record_at + 6, 3, 2);
    put(record_at + 16, sequence, 2);
    put(record_at + 20, 56, 2);
    put(record_at + 22, flags, 2);
    put(record_at + 28, RECORD, 4);
    put(record_at + 32, base, 8);
    put(record_at + 44, number, 4);
}

/* A resident attribute; gives where its content starts. */
static size_t add_resident(uint32_t type, const char *name, size_t size)
{
    const size_t at = attribute_at, name_size = strlen(name);
    const size_t content = (24 + name_size * 2 + 7) & ~(size_t)7;
    const size_t whole = (content + size + 7) & ~(size_t)7;

    put(at, type, 4);
    put(at + 4, whole, 4);
    table[at + 9] = (uint8_t)name_size;
    put(at + 10, 24, 2);
    put_utf16(at + 24, name);
    put(at + 14, (at - record_at) / 8, 2);
    put(at + 16, size, 4);
    put(at + 20, content, 2);
    attribute_at += whole;
    return at + content;
}

static void add_nonresident(const char *name, uint64_t first_vcn, uint64_t size, uint32_t cluster)
{
    const size_t at = attribute_at, name_size = strlen(name);
    const size_t runs = (64 + name_size * 2 + 7) & ~(size_t)7;

    put(at, 0x80, 4);
    put(at + 4, runs + 8, 4);
    table[at + 8] = 1;
    table[at + 9] = (uint8_t)name_size;
    put(at + 10, 64, 2);
    put_utf16(at + 64, name);
    put(at + 16, first_vcn, 8);
    put(at + 32, runs, 2);
    put(at + 48, size, 8);
    table[at + runs] = 0x31; /* one byte of length, three of offset */
    table[at + runs + 1] = 5;
    put(at + runs + 2, cluster, 3);
    attribute_at += runs + 8;
}

static void add_times(uint64_t time, uint32_t attributes)
{
    const size_t at = add_resident(0x10, "", 72);

    for (size_t i = 0; i < 4; i++)
        put(at + 8 * i, time + i, 8);
    put(at + 32, attributes, 4);
    put(at + 52, 0x105, 4);
}

static void add_name(uint64_t parent, uint8_t space, const char *name, uint64_t time)
{
    const size_t at = add_resident(0x30, "", 66 + strlen(name) * 2);

    put(at, parent, 8);
    for (size_t i = 0; i < 4; i++)
        put(at + 8 + 8 * i, time, 8);
    table[at + 64] = (uint8_t)strlen(name);
    table[at + 65] = space;
    put_utf16(at + 66, name);
}

/* Ends the attributes and swaps the last bytes of both sectors for the check value. */
static void end_record(void)
{
    put(attribute_at, UINT32_MAX, 4);
    put(record_at + 24, attribute_at + 8 - record_at, 4);
    put(record_at + 48, 7, 2);
    for (size_t i = 1; i <= 2; i++) {
        memcpy(table + record_at + 48 + 2 * i, table + record_at + 512 * i - 2, 2);
        put(record_at + 512 * i - 2, 7, 2);
    }
}

static void add_file(uint32_t number, uint16_t sequence, uint16_t flags, uint64_t parent,
                     const char *name)
{
    start_record(number, sequence, flags, 0);
    add_times(1000, 0x20);
    add_name(parent, WIN32, name, 2000);
    if (!(flags & FOLDER))
        memcpy(table + add_resident(0x80, "", 5), "hello", 5);
    end_record();
}

static ssize_t read_table(void *context, uint64_t offset, void *buffer, size_t size)
{
    const size_t *limit = context;
    const size_t left = offset < *limit ? *limit - (size_t)offset : 0;

    if (size > left)
        size = left;
    memcpy(buffer, table + offset, size);
    return (ssize_t)size;
}

static int parse_size(size_t size)
{
    const struct mft_input input = {.read = read_table,
                                    .context = &size,
                                    .size = size,
                                    .record_size = RECORD,
                                    .cluster_size = CLUSTER,
                                    .volume_offset = 1000000};
    return mft_read(&input, &listing);
}

static int setup(void **context)
{
    (void)context;
    memset(table, 0, sizeof table);
    listing = NULL;
    arena = arena_new(1 << 20);
    add_file(5, 5, LIVE | FOLDER, reference(5, 5), ".");
    return arena ? 0 : -1;
}

static int teardown(void **context)
{
    (void)context;
    listing_free(listing);
    arena_free(arena);
    return 0;
}

static void parse(void)
{
    assert_int_equal(parse_size(sizeof table), 0);
}

static struct file find(const char *path)
{
    struct file file = {0};

    assert_true(listing_find(listing, path, arena, &file));
    return file;
}

static bool is_there(const char *path)
{
    struct file file;

    return listing_find(listing, path, arena, &file);
}

struct wanted {
    uint64_t address;
    const char *stream;
    char path[256];
    uint32_t flags;
    unsigned count;
};

static int note_wanted(void *context, const struct file *file)
{
    struct wanted *wanted = context;
    const bool same =
        wanted->stream ? file->stream && strcmp(file->stream, wanted->stream) == 0 : !file->stream;

    if (file->address != wanted->address || !same)
        return 0;
    strncpy(wanted->path, file->path, sizeof wanted->path - 1);
    wanted->flags = file->flags;
    wanted->count++;
    return 0;
}

/* What the walk says of the default stream of an entry; the last one where it has several names. */
static struct wanted walked(uint64_t address)
{
    struct wanted wanted = {.address = address};

    assert_int_equal(listing_walk(listing, note_wanted, &wanted), 0);
    return wanted;
}

static void a_file_has_its_path_size_and_times(void **context)
{
    (void)context;
    add_file(30, 1, LIVE | FOLDER, reference(5, 5), "inetpub");
    add_file(31, 3, LIVE, reference(30, 1), "a.aspx");
    parse();
    const struct file file = find("inetpub/a.aspx");
    assert_int_equal(file.address, 31);
    assert_int_equal(file.sequence, 3);
    assert_int_equal(file.size, 5);
    assert_int_equal(file.si.created.ticks, 1000);
    assert_int_equal(file.si.modified.ticks, 1001);
    assert_int_equal(file.si.changed.ticks, 1002);
    assert_int_equal(file.si.accessed.ticks, 1003);
    assert_int_equal(file.fn.changed.ticks, 2000);
    assert_int_equal(file.attributes, 0x20);
    assert_int_equal(file.flags, FILE_RESIDENT);
}

static void names_are_found_in_any_case(void **context)
{
    (void)context;
    add_file(30, 1, LIVE | FOLDER, reference(5, 5), "InetPub");
    add_file(31, 1, LIVE, reference(30, 1), "A.aspx");
    parse();
    assert_string_equal(find("/INETPUB//a.ASPX").path, "InetPub/A.aspx");
    assert_false(is_there("inetpub/b.aspx"));
    assert_false(is_there("inetpub/a.aspx/c"));
}

static void the_long_name_is_shown_and_the_short_one_is_found(void **context)
{
    (void)context;
    start_record(30, 1, LIVE | FOLDER, 0);
    add_name(reference(5, 5), DOS, "PROGRA~1", 1);
    add_name(reference(5, 5), WIN32, "Program Files", 1);
    end_record();
    add_file(31, 1, LIVE, reference(30, 1), "x");
    parse();
    assert_string_equal(find("progra~1/x").path, "Program Files/x");
    assert_string_equal(find("PROGRA~1").path, "Program Files");
    assert_int_equal(walked(30).count, 1);
}

static void a_short_name_alone_is_shown(void **context)
{
    (void)context;
    start_record(30, 1, LIVE, 0);
    add_name(reference(5, 5), DOS, "ONLY~1", 1);
    end_record();
    parse();
    assert_string_equal(walked(30).path, "ONLY~1");
}

static void hard_links_are_shown_each(void **context)
{
    (void)context;
    add_file(30, 1, LIVE | FOLDER, reference(5, 5), "sub");
    start_record(31, 1, LIVE, 0);
    add_name(reference(5, 5), WIN32, "first", 1);
    add_name(reference(30, 1), WIN32, "second", 1);
    add_resident(0x80, "", 1);
    end_record();
    parse();
    assert_int_equal(walked(31).count, 2);
    assert_int_equal(find("sub/second").address, find("first").address);
}

static void named_streams_are_files_of_their_own(void **context)
{
    (void)context;
    start_record(31, 1, LIVE, 0);
    add_name(reference(5, 5), WIN32, "a.txt", 1);
    add_resident(0x80, "", 3);
    add_nonresident("evil", 0, 70000, 1234);
    end_record();
    parse();
    const struct file file = find("a.txt:EVIL");
    assert_string_equal(file.stream, "evil");
    assert_int_equal(file.size, 70000);
    assert_int_equal(file.place, 1000000 + 1234 * CLUSTER);
    assert_int_equal(find("a.txt").size, 3);
    assert_false(is_there("a.txt:other"));
}

static void a_stream_of_a_folder_is_no_folder(void **context)
{
    struct wanted wanted = {.address = 30, .stream = "ads"};

    (void)context;
    start_record(30, 1, LIVE | FOLDER, 0);
    add_name(reference(5, 5), WIN32, "dir", 1);
    add_resident(0x80, "ads", 3);
    end_record();
    parse();
    listing_walk(listing, note_wanted, &wanted);
    assert_int_equal(wanted.count, 1);
    assert_false(wanted.flags & FILE_FOLDER);
    assert_true(walked(30).flags & FILE_FOLDER);
}

static void a_deleted_file_in_a_deleted_folder_keeps_its_path(void **context)
{
    (void)context;
    add_file(30, 4, FOLDER, reference(5, 5), "gone"); /* was 3 while it lived */
    add_file(31, 2, 0, reference(30, 3), "shell.aspx");
    parse();
    assert_string_equal(walked(31).path, "gone/shell.aspx");
    assert_true(walked(31).flags & FILE_DELETED);
    assert_false(walked(31).flags & FILE_ORPHAN);
    assert_false(is_there("gone/shell.aspx"));
}

static void a_file_whose_folder_was_reused_is_an_orphan(void **context)
{
    (void)context;
    add_file(30, 9, LIVE | FOLDER, reference(5, 5), "new folder");
    add_file(31, 2, 0, reference(30, 3), "shell.aspx");
    parse();
    assert_string_equal(walked(31).path, "$Orphan/shell.aspx");
    assert_true(walked(31).flags & FILE_ORPHAN);
}

static void a_sequence_number_wraps_around_zero(void **context)
{
    (void)context;
    add_file(30, 1, FOLDER, reference(5, 5), "gone");
    add_file(31, 2, 0, reference(30, 0xFFFF), "a");
    parse();
    assert_string_equal(walked(31).path, "gone/a");
}

static void folders_in_a_ring_end_as_orphans(void **context)
{
    (void)context;
    add_file(30, 1, LIVE | FOLDER, reference(31, 1), "a");
    add_file(31, 1, LIVE | FOLDER, reference(30, 1), "b");
    add_file(32, 1, LIVE, reference(31, 1), "c");
    parse();
    assert_true(walked(32).flags & FILE_ORPHAN);
    assert_int_equal(strncmp(walked(32).path, "$Orphan/", 8), 0);
}

static void a_file_cannot_be_a_folder(void **context)
{
    (void)context;
    add_file(30, 1, LIVE, reference(5, 5), "file");
    add_file(31, 1, LIVE, reference(30, 1), "below");
    parse();
    assert_string_equal(walked(31).path, "$Orphan/below");
}

static void extension_records_are_merged(void **context)
{
    (void)context;
    add_file(31, 2, LIVE, reference(5, 5), "big.log");
    start_record(40, 1, LIVE, reference(31, 2));
    add_nonresident("more", 0, 99, 8);
    add_nonresident("later part", 16, 12345, 8);
    end_record();
    parse();
    assert_int_equal(find("big.log:more").size, 99);
    assert_false(is_there("big.log:later part"));
    assert_int_equal(walked(40).count, 0);
}

static void an_extension_in_front_of_its_base_is_merged(void **context)
{
    (void)context;
    start_record(29, 1, LIVE, reference(31, 2));
    add_name(reference(5, 5), WIN32, "named here.txt", 1);
    end_record();
    start_record(31, 2, LIVE, 0);
    add_resident(0x80, "", 4);
    end_record();
    parse();
    assert_int_equal(find("named here.txt").address, 31);
}

static void a_stale_extension_is_left_out(void **context)
{
    (void)context;
    add_file(31, 2, LIVE, reference(5, 5), "a");
    start_record(40, 1, LIVE, reference(31, 1));
    add_resident(0x80, "old", 4);
    end_record();
    start_record(41, 1, 0, reference(31, 2));
    add_resident(0x80, "freed", 4);
    end_record();
    parse();
    assert_false(is_there("a:old"));
    assert_false(is_there("a:freed"));
}

static void a_torn_record_is_told_and_used_as_far_as_it_goes(void **context)
{
    (void)context;
    add_file(31, 2, LIVE, reference(5, 5), "torn");
    table[31 * RECORD + 1022] ^= 1;
    parse();
    assert_int_equal(listing_unreadable(listing), 1);
    assert_int_equal(find("torn").size, 5);
}

static void a_record_torn_in_its_first_sector_is_lost_and_told(void **context)
{
    (void)context;
    add_file(31, 2, LIVE, reference(5, 5), "torn");
    table[31 * RECORD + 510] ^= 1;
    parse();
    assert_int_equal(listing_unreadable(listing), 1);
    assert_false(is_there("torn"));
}

static void a_bad_record_is_told(void **context)
{
    (void)context;
    add_file(31, 2, LIVE, reference(5, 5), "bad");
    memcpy(table + 31 * RECORD, "BAAD", 4);
    parse();
    assert_int_equal(listing_unreadable(listing), 1);
}

static void an_attribute_longer_than_its_record_is_damage(void **context)
{
    (void)context;
    start_record(31, 1, LIVE, 0);
    add_name(reference(5, 5), WIN32, "long", 1);
    const size_t at = attribute_at;
    add_resident(0x80, "", 5);
    put(at + 4, 0xFFFFFFF0, 4);
    end_record();
    parse();
    assert_true(find("long").flags & FILE_DAMAGED);
}

static void content_longer_than_its_attribute_is_damage(void **context)
{
    (void)context;
    start_record(31, 1, LIVE, 0);
    add_name(reference(5, 5), WIN32, "long", 1);
    const size_t at = attribute_at;
    add_resident(0x80, "", 5);
    put(at + 16, 0x7FFFFFFF, 4);
    end_record();
    parse();
    assert_true(find("long").flags & FILE_DAMAGED);
}

static void a_slash_in_a_name_makes_no_folder(void **context)
{
    (void)context;
    add_file(31, 1, LIVE, reference(5, 5), "a/../b");
    parse();
    assert_null(strchr(walked(31).path, '/'));
}

static void a_reparse_point_is_marked(void **context)
{
    (void)context;
    start_record(31, 1, LIVE, 0);
    add_name(reference(5, 5), WIN32, "link", 1);
    put(add_resident(0xC0, "", 8), 0xA000000C, 4);
    end_record();
    parse();
    assert_true(find("link").flags & FILE_REPARSE);
}

static void an_entry_without_a_name_is_shown_as_orphan(void **context)
{
    (void)context;
    start_record(31, 1, LIVE, 0);
    add_resident(0x80, "", 8);
    end_record();
    parse();
    assert_string_equal(walked(31).path, "$Orphan/entry-31");
}

static void a_cut_table_gives_what_is_there(void **context)
{
    (void)context;
    add_file(31, 1, LIVE, reference(5, 5), "in");
    add_file(32, 1, LIVE, reference(5, 5), "out");
    assert_int_equal(parse_size(32 * RECORD + 700), 0);
    assert_true(is_there("in"));
    assert_false(is_there("out"));
}

static void without_the_root_folder_paths_stay_whole(void **context)
{
    (void)context;
    add_file(31, 1, LIVE, reference(5, 5), "a");
    memset(table + 5 * RECORD, 0xEE, RECORD);
    parse();
    assert_string_equal(find("a").path, "a");
    assert_int_equal(listing_unreadable(listing), 1);
}

static void without_any_record_it_is_no_table(void **context)
{
    (void)context;
    memset(table, 0, sizeof table);
    assert_int_equal(parse_size(sizeof table), -1);
    assert_non_null(strstr(error_text(), "no entry"));
}

static void five_million_entries_stay_below_a_gigabyte(void **context)
{
    const struct listing_name name = {.parent = 5,
                                      .fn.created.ticks = 1,
                                      .text = SLICE_LITERAL("a file with a name of 30 bytes")};

    (void)context;
    listing = listing_new(5);
    for (uint32_t i = 0; i < 100000; i++) {
        assert_int_equal(listing_add_name(listing, i, &name), 0);
        assert_int_equal(listing_add_stream(listing, i, &(struct listing_stream){.size = 1}), 0);
    }
    listing_finish(listing);
    assert_true(listing_memory(listing) / 100000 * 5 < 1000);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_file_has_its_path_size_and_times),
        TEST(names_are_found_in_any_case),
        TEST(the_long_name_is_shown_and_the_short_one_is_found),
        TEST(a_short_name_alone_is_shown),
        TEST(hard_links_are_shown_each),
        TEST(named_streams_are_files_of_their_own),
        TEST(a_stream_of_a_folder_is_no_folder),
        TEST(a_deleted_file_in_a_deleted_folder_keeps_its_path),
        TEST(a_file_whose_folder_was_reused_is_an_orphan),
        TEST(a_sequence_number_wraps_around_zero),
        TEST(folders_in_a_ring_end_as_orphans),
        TEST(a_file_cannot_be_a_folder),
        TEST(extension_records_are_merged),
        TEST(an_extension_in_front_of_its_base_is_merged),
        TEST(a_stale_extension_is_left_out),
        TEST(a_torn_record_is_told_and_used_as_far_as_it_goes),
        TEST(a_record_torn_in_its_first_sector_is_lost_and_told),
        TEST(a_bad_record_is_told),
        TEST(an_attribute_longer_than_its_record_is_damage),
        TEST(content_longer_than_its_attribute_is_damage),
        TEST(a_slash_in_a_name_makes_no_folder),
        TEST(a_reparse_point_is_marked),
        TEST(an_entry_without_a_name_is_shown_as_orphan),
        TEST(a_cut_table_gives_what_is_there),
        TEST(without_the_root_folder_paths_stay_whole),
        TEST(without_any_record_it_is_no_table),
        TEST(five_million_entries_stay_below_a_gigabyte),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
