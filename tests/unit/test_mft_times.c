/* What the two sets of times of an $MFT entry say about each other, on tables made here. */
#include "fake_job.h"
#include "triage/evidence/mft.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { RECORD = 1024, RECORDS = 64, LIVE = 1, FOLDER = 2, WEB = 30, SYSTEM32 = 31 };

/* Volume made on 2020-01-01; an odd number of ticks, so that no second is whole. */
static const uint64_t made = UINT64_C(132223104001234567);
static const uint64_t day = UINT64_C(864000000000);

static uint8_t table[RECORDS * RECORD];
static size_t record_at, attribute_at;
static struct fake_job fake;
static struct host host;
static struct drive drive = {.letter = 'C'};

static void put(size_t at, uint64_t value, size_t size)
{
    for (size_t i = 0; i < size; i++)
        table[at + i] = (uint8_t)(value >> 8 * i);
}

static void start_record(size_t number, unsigned flags)
{
    record_at = number * RECORD;
    attribute_at = record_at + 56;
    memset(table + record_at, 0, RECORD);
    memcpy(table + record_at, "FILE", 4);
    put(record_at + 4, 48, 2);
    put(record_at + 6, 3, 2);
    put(record_at + 16, number < 16 ? number : 1, 2);
    put(record_at + 20, 56, 2);
    put(record_at + 22, flags, 2);
    put(record_at + 28, RECORD, 4);
}

static size_t add_resident(uint32_t type, const char *name, size_t size)
{
    const size_t at = attribute_at, content = 24 + ((2 * strlen(name) + 7) & ~(size_t)7);
    const size_t whole = (content + size + 7) & ~(size_t)7;

    put(at, type, 4);
    put(at + 4, whole, 4);
    table[at + 9] = (uint8_t)strlen(name);
    put(at + 10, 24, 2);
    for (size_t i = 0; name[i]; i++)
        put(at + 24 + 2 * i, (uint8_t)name[i], 2);
    put(at + 16, size, 4);
    put(at + 20, content, 2);
    attribute_at += whole;
    return at + content;
}

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

struct times {
    uint64_t created, modified, changed, named; /* three of $SI, created of $FN */
};

/* An entry with its times; `stream` names a further stream, "" for none. */
static void add_entry(size_t number, unsigned flags, uint64_t parent, const char *name,
                      struct times times, const char *stream)
{
    start_record(number, flags);
    size_t at = add_resident(0x10, "", 72);
    put(at, times.created, 8);
    put(at + 8, times.modified, 8);
    put(at + 16, times.changed, 8);
    put(at + 24, times.modified, 8);
    put(at + 32, ATTRIBUTE_ARCHIVE, 4);
    at = add_resident(0x30, "", 66 + 2 * strlen(name));
    put(at, parent, 8);
    for (size_t i = 0; i < 4; i++)
        put(at + 8 + 8 * i, times.named, 8);
    table[at + 64] = (uint8_t)strlen(name);
    table[at + 65] = 1;
    for (size_t i = 0; name[i]; i++)
        put(at + 66 + 2 * i, (uint8_t)name[i], 2);
    if (!(flags & FOLDER))
        add_resident(0x80, "", 5);
    if (*stream)
        add_resident(0x80, stream, 9);
    end_record();
}

static struct times same(uint64_t time)
{
    return (struct times){time, time, time, time};
}

static uint64_t in(size_t parent)
{
    return parent | (parent < 16 ? (uint64_t)parent : 1) << 48;
}

static void add_file(size_t number, size_t parent, const char *name, struct times times)
{
    add_entry(number, LIVE, in(parent), name, times, "");
}

static int set_up(void **context)
{
    (void)context;
    memset(table, 0, sizeof table);
    for (size_t i = 0; i < 5; i++)
        add_file(i, 5, i ? "$System" : "$MFT", same(made));
    add_entry(5, LIVE | FOLDER, in(5), ".", same(made), "");
    add_entry(28, LIVE | FOLDER, in(5), "inetpub", same(made + day), "");
    add_entry(29, LIVE | FOLDER, in(28), "wwwroot", same(made + day), "");
    add_entry(WEB, LIVE | FOLDER, in(29), "aspnet_client", same(made + 10 * day), "");
    add_entry(SYSTEM32, LIVE | FOLDER, in(5), "System32", same(made + day), "");
    return 0;
}

static int tear_down(void **context)
{
    (void)context;
    fake_job_release(&fake);
    return 0;
}

static void init(size_t size, const char *needle)
{
    host.drives = &drive;
    host.drive_count = 1;
    fake_job_init(&fake, "mft_times", "$MFT", slice_of(table, size), needle);
    fake.job.host = &host;
}

static void parse(void)
{
    init(sizeof table, "");
    assert_int_equal(fake.job.artifact->parse(&fake.job), 0);
}

static bool is_told(const char *text)
{
    return slice_find_nocase(buffer_slice(&fake.text), 0, slice_of_text(text)) != SIZE_MAX;
}

/* The event of the file of that name has this reason. */
static bool has_reason(const char *name, const char *reason)
{
    const struct slice all = buffer_slice(&fake.text);
    char target[128];

    snprintf(target, sizeof target, "%s|Extension=", name);
    const size_t at = slice_find_nocase(all, 0, slice_of_text(target));
    assert_int_not_equal(at, SIZE_MAX);
    const size_t start = slice_find_nocase(all, at, SLICE_LITERAL("TimestompReason="));
    const size_t end = slice_find(all, start, '|');
    return slice_find_nocase(slice_part(all, start, end - start), 0, slice_of_text(reason)) !=
           SIZE_MAX;
}

static void an_ordinary_file_has_no_reason(void **context)
{
    (void)context;
    add_file(40, WEB, "a.aspx", same(made + 20 * day));
    parse();
    assert_true(is_told("TargetFilename=C:\\inetpub\\wwwroot\\aspnet_client\\a.aspx|"));
    assert_true(is_told("|TimestompReason=|BirthReason=10 days after what is beside it|Place=web "
                        "root|FileReferenceNumber=40-1|"));
}

static void older_than_its_name_is_a_reason(void **context)
{
    (void)context;
    add_file(40, WEB, "a.aspx",
             (struct times){made + 12 * day, made + 20 * day, made + 20 * day, made + 20 * day});
    parse();
    assert_true(has_reason("a.aspx", "$SI created more than a day before $FN"));
    assert_false(has_reason("a.aspx", "whole seconds"));
    assert_false(has_reason("a.aspx", "folder"));
    assert_int_equal(fake.last.kind, KIND_file_timestomp);
}

static void a_creation_in_whole_seconds_is_a_reason(void **context)
{
    const uint64_t now = made + 20 * day;

    (void)context;
    add_file(40, WEB, "a.aspx", (struct times){now - now % 10000000, now, now, now});
    parse();
    assert_true(has_reason("a.aspx", "$SI created in whole seconds"));
}

static void older_than_the_volume_is_a_reason(void **context)
{
    (void)context;
    add_file(40, SYSTEM32, "a.exe",
             (struct times){made - day, made + 2 * day, made + 2 * day, made + 2 * day});
    parse();
    assert_true(has_reason("a.exe", "before the volume"));
    assert_false(is_told("Place=web root|FileReferenceNumber=40-1"));
}

static void older_than_its_folder_is_a_reason(void **context)
{
    (void)context;
    add_file(40, WEB, "a.aspx",
             (struct times){made + 5 * day, made + 20 * day, made + 20 * day, made + 20 * day});
    parse();
    assert_true(has_reason("a.aspx", "$SI created before its folder"));
}

static void a_change_before_the_name_is_a_reason(void **context)
{
    const uint64_t now = made + 20 * day;

    (void)context;
    add_file(40, WEB, "a.aspx", (struct times){now, now, now - 5 * 10000000, now});
    parse();
    assert_true(has_reason("a.aspx", "$SI changed before $FN created"));
}

static void times_of_a_page_that_was_there_long_before_are_a_reason(void **context)
{
    const uint64_t old = made + 20 * day;
    struct times copied = same(old);

    (void)context;
    copied.named = old + 300 * day;
    add_file(40, WEB, "shipped.aspx", same(old));
    add_file(41, WEB, "also.aspx", same(old));
    add_file(42, WEB, "shell.aspx", copied);
    parse();
    assert_true(has_reason("shell.aspx", "times of a file beside it"));
    assert_false(has_reason("shipped.aspx", "beside it"));
    assert_false(has_reason("also.aspx", "beside it"));
}

static void streams_and_deleted_entries_are_told(void **context)
{
    (void)context;
    add_entry(40, 0, in(WEB), "a.aspx", same(made + 20 * day), "Zone.Identifier");
    parse();
    assert_true(is_told("a.aspx:Zone.Identifier|Extension=.aspx|FileAttributes=archive|Size=9|"
                        "Deleted=true|Stream=Zone.Identifier|"));
    assert_true(is_told("|FileName=a.aspx|"));
}

static void a_script_that_came_later_than_those_beside_it_is_told(void **context)
{
    (void)context;
    add_file(40, WEB, "logon.aspx", same(made));
    add_file(41, WEB, "logoff.aspx", same(made + 1));
    add_file(42, WEB, "error.aspx", same(made + 2));
    add_file(43, WEB, "help.aspx", same(made + 30 * day + 3));
    parse();
    assert_true(is_told("BirthReason=30 days after what is beside it"));
    assert_true(is_told("FileName=help.aspx"));
}

static void many_programs_at_once_are_a_burst(void **context)
{
    char name[16];

    (void)context;
    for (unsigned i = 0; i < 6; i++) {
        snprintf(name, sizeof name, "tool%u.exe", i);
        add_file(44 + i, WEB, name, same(made + 30 * day + i * 10000000));
    }
    parse();
    assert_true(is_told("|file.burst|"));
    assert_true(is_told("Count=6|Seconds=5|FileNames=tool0.exe, tool1.exe"));
}

static void a_deleted_log_is_a_fact(void **context)
{
    (void)context;
    add_entry(31, 0, in(SYSTEM32), "Security.evtx", same(made + 2 * day), "");
    parse();
    assert_true(is_told("|file.log_gone|16|"));
}

static void each_record_is_counted_once(void **context)
{
    (void)context;
    add_file(40, WEB, "a.aspx", same(made + 20 * day));
    add_file(41, WEB, "b.aspx", same(made + 20 * day));
    table[40 * RECORD + 1023] ^= 0xFF; /* torn in its second sector */
    table[41 * RECORD + 510] ^= 0xFF;  /* and in its first */
    parse();
    assert_int_equal(fake.tally.repaired, 1);
    assert_int_equal(fake.tally.rejected, 1);
    assert_int_equal(fake.tally.used, 10);
    assert_int_equal(fake.tally.records, 12);
}

static void only_what_the_prefilter_nominates_is_told(void **context)
{
    (void)context;
    add_file(40, WEB, "a.aspx", same(made + 20 * day));
    add_file(41, WEB, "b.aspx", same(made + 20 * day));
    init(sizeof table, "b.aspx");
    assert_int_equal(fake.job.artifact->parse(&fake.job), 0);
    assert_int_equal(fake.event_count, 1);
    assert_int_equal(fake.last.number, 41);
    assert_int_equal(fake.last.offset, 41 * RECORD);
}

static void a_part_that_cannot_be_read_is_told(void **context)
{
    (void)context;
    add_file(40, WEB, "a.aspx", same(made + 20 * day));
    init(sizeof table, "");
    fake.damage_from = sizeof table - 10;
    fake.damage_to = sizeof table;
    fake.job.artifact->parse(&fake.job);
    assert_int_not_equal(fake.notice_count, 0);
}

static void a_table_is_recognised_by_its_first_entry(void **context)
{
    const struct artifact *artifact = artifact_by_name("mft_times");

    (void)context;
    assert_true(artifact->recognise(slice_of(table, sizeof table), "MFT.copy"));
    assert_false(artifact->recognise(SLICE_LITERAL("FILE of an analyst"), "notes"));
    init(1, "");
}

static ssize_t read_bytes(void *context, uint64_t offset, void *out, size_t size)
{
    return fake_read(context, offset, out, size);
}

static void one_entry_is_found_by_its_reference(void **context)
{
    const struct mft_input input = {
        .read = read_bytes, .context = &fake.job, .size = sizeof table, .record_size = RECORD};
    struct buffer name = BUFFER_EMPTY;
    uint64_t parent = 0;

    (void)context;
    init(sizeof table, "");
    assert_true(mft_name_of(&input, in(WEB), &name, &parent));
    assert_string_equal(buffer_text(&name), "aspnet_client");
    assert_true(parent == in(29));
    assert_false(mft_name_of(&input, in(WEB) + (UINT64_C(1) << 48), &name, &parent));
    assert_false(mft_name_of(&input, UINT64_C(0xFFFFFFFFFFFF), &name, &parent));
    buffer_release(&name);
}

static void a_deleted_entry_is_found_under_the_number_it_had(void **context)
{
    const struct mft_input input = {
        .read = read_bytes, .context = &fake.job, .size = sizeof table, .record_size = RECORD};
    struct buffer name = BUFFER_EMPTY;
    uint64_t parent = 0;

    (void)context;
    add_entry(40, FOLDER, in(5), "gone", same(made), "");
    put(40 * RECORD + 16, 7, 2);
    init(sizeof table, "");
    assert_true(mft_name_of(&input, 40 | UINT64_C(6) << 48, &name, &parent));
    assert_false(mft_name_of(&input, 40 | UINT64_C(5) << 48, &name, &parent));
    buffer_release(&name);
}

static void an_entry_is_lost_when_nothing_of_it_can_be_read(void **context)
{
    const struct mft_input input = {
        .read = read_bytes, .context = &fake.job, .size = sizeof table, .record_size = RECORD};

    (void)context;
    init(sizeof table, "");
    assert_false(mft_is_lost(&input, in(WEB)));
    assert_false(mft_is_lost(&input, UINT64_C(0xFFFFFFFFFFFF)));
    memset(table + WEB * RECORD, 0, RECORD);
    assert_true(mft_is_lost(&input, in(WEB)));
    fake.damage_from = 5 * RECORD, fake.damage_to = 6 * RECORD;
    assert_true(mft_is_lost(&input, in(5)));
}

/* No crash and sums that fit, whatever the bytes are. */
static void broken_tables_do_no_harm(void **context)
{
    uint32_t seed = 4711;

    for (unsigned round = 0; round < 400; round++) {
        set_up(context);
        add_file(40, WEB, "a.aspx", same(made + 20 * day));
        add_entry(41, 0, in(WEB), "b.aspx", same(made + 30 * day), "hidden");
        for (unsigned i = 0; i < 1 + round % 9; i++) {
            seed = seed * 1664525 + 1013904223;
            table[(28 + (seed >> 4) % 14) * RECORD + (seed >> 12) % 400] = (uint8_t)(seed >> 24);
        }
        init(sizeof table - round % 3000, "");
        fake.job.artifact->parse(&fake.job);
        assert_int_equal(fake.tally.records,
                         fake.tally.used + fake.tally.repaired + fake.tally.rejected);
        fake_job_release(&fake);
    }
    init(1, "");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_ordinary_file_has_no_reason),
        TEST(older_than_its_name_is_a_reason),
        TEST(a_creation_in_whole_seconds_is_a_reason),
        TEST(older_than_the_volume_is_a_reason),
        TEST(older_than_its_folder_is_a_reason),
        TEST(a_change_before_the_name_is_a_reason),
        TEST(times_of_a_page_that_was_there_long_before_are_a_reason),
        TEST(streams_and_deleted_entries_are_told),
        TEST(a_deleted_log_is_a_fact),
        TEST(many_programs_at_once_are_a_burst),
        TEST(a_script_that_came_later_than_those_beside_it_is_told),
        TEST(each_record_is_counted_once),
        TEST(only_what_the_prefilter_nominates_is_told),
        TEST(a_part_that_cannot_be_read_is_told),
        TEST(a_table_is_recognised_by_its_first_entry),
        TEST(one_entry_is_found_by_its_reference),
        TEST(a_deleted_entry_is_found_under_the_number_it_had),
        TEST(an_entry_is_lost_when_nothing_of_it_can_be_read),
        TEST(broken_tables_do_no_harm),
    };

    return cmocka_run_group_tests_name("mft_times", tests, NULL, NULL);
}
