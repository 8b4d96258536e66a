/* Names and contents in the slack of folder indexes and $MFT entries. */
#include "tests/unit/artifact_case.h"
#include "triage/formats/index_record.h"

#include <stdio.h>
#include <string.h>

enum { BLOCK = 4096, RECORD = 1024, FIRST = 64 };

static const uint64_t day = UINT64_C(132592032000000000); /* 2021-03-03 */
static const uint64_t folder_reference = UINT64_C(70) | UINT64_C(2) << 48;
static uint8_t bytes[2 * BLOCK];
static struct host host;

static void put(size_t at, uint64_t value, size_t size)
{
    for (size_t i = 0; i < size; i++)
        bytes[at + i] = (uint8_t)(value >> 8 * i);
}

/* An index entry at `at`; gives the place behind it. */
static size_t put_entry(size_t at, uint64_t reference, const char *name)
{
    const size_t units = strlen(name), key = 66 + 2 * units, size = (16 + key + 7) & ~(size_t)7;

    put(at, reference, 8);
    put(at + 8, size, 2);
    put(at + 10, key, 2);
    put(at + 16, folder_reference, 8);
    for (size_t i = 0; i < 4; i++)
        put(at + 24 + 8 * i, day + 10000000 * i, 8);
    put(at + 56, 4096, 8);
    put(at + 64, 600, 8);
    put(at + 72, 0x22, 4);
    put(at + 80, units, 1);
    put(at + 81, 1, 1);
    for (size_t i = 0; i < units; i++)
        put(at + 82 + 2 * i, (uint8_t)name[i], 2);
    return at + size;
}

/* The header of a block whose entries in use end at `used`, and the check values at its sectors'
 * ends. */
static void close_block(size_t start, size_t used)
{
    memcpy(bytes + start, "INDX", 4);
    put(start + 4, 40, 2);
    put(start + 6, 9, 2);
    put(start + 24, FIRST - 24, 4);
    put(start + 28, used - start - 24, 4);
    put(start + 32, BLOCK - 24, 4);
    put(start + 40, 0x1234, 2);
    for (size_t i = 1; i <= BLOCK / 512; i++) {
        uint8_t *end = bytes + start + i * 512 - 2;
        memcpy(bytes + start + 40 + 2 * i, end, 2);
        put(start + i * 512 - 2, 0x1234, 2);
    }
}

/* One file in use and two in the slack, the second of which lost its header. */
static void make_index(void)
{
    size_t at = put_entry(FIRST, 71 | UINT64_C(3) << 48, "web.config");
    const size_t used = at + 16;

    put(at + 8, 16, 2);
    put(at + 12, 2, 4);
    at = put_entry(used, 80 | UINT64_C(9) << 48, "shell.aspx");
    const size_t second = at;
    put_entry(second, 81 | UINT64_C(4) << 48, "help.aspx");
    put(second, UINT64_MAX, 8);
    close_block(0, used);
}

static int set_up(void **context)
{
    (void)context;
    memset(bytes, 0, sizeof bytes);
    return 0;
}

static int tear_down(void **context)
{
    (void)context;
    fake_job_release(&fake);
    return 0;
}

static void init(const char *artifact, const char *path, size_t size)
{
    fake_job_init(&fake, artifact, path, slice_of(bytes, size), "");
    fake.job.host = &host;
}

static void parse_folder(size_t size)
{
    init("i30_slack", "inetpub/wwwroot", size);
    fake.file.flags = FILE_FOLDER;
    fake.file.address = 70;
    fake.job.windows_path = "C:\\inetpub\\wwwroot:$I30";
    fake.others[0] = (struct fake_other){"inetpub/wwwroot/web.config", ""};
    fake.other_count = 1;
    assert_int_equal(fake.job.artifact->parse(&fake.job), 0);
}

static void names_in_the_slack_come_with_their_times(void **context)
{
    (void)context;
    make_index();
    init("i30_slack", "$I30", BLOCK);
    assert_int_equal(fake.job.artifact->parse(&fake.job), 0);
    assert_int_equal(fake.event_count, 2);
    assert_true(
        is_told("FileName=shell.aspx|Extension=.aspx|FileAttributes=hidden archive|Size=600"));
    assert_true(
        is_told("CreatedIndex=2021-03-03T00:00:00.000000+00:00|ModifiedIndex=2021-03-03T00:00:01"));
    assert_true(is_told("ChangedIndex=2021-03-03T00:00:02"));
    assert_true(is_told("FileReferenceNumber=80-9|ParentFileReferenceNumber=70-2"));
}

static void a_lost_header_loses_only_the_reference(void **context)
{
    (void)context;
    make_index();
    init("i30_slack", "$I30", BLOCK);
    fake.job.artifact->parse(&fake.job);
    assert_true(is_told("FileName=help.aspx"));
    assert_true(is_told("|FileReferenceNumber=|"));
}

static void what_the_folder_still_holds_is_not_told(void **context)
{
    (void)context;
    make_index();
    put(FIRST, 0, 8); /* the fake file system has no references */
    parse_folder(BLOCK);
    assert_false(is_told("web.config"));
    assert_true(is_told("TargetFilename=C:\\inetpub\\wwwroot\\shell.aspx"));
    assert_int_equal(fake.tally.used, 3);
}

/* The $MFT's entry is damaged: nobody can say that the file is deleted. */
static void a_file_whose_entry_is_lost_is_not_called_deleted(void **context)
{
    (void)context;
    make_index();
    init("i30_slack", "inetpub/wwwroot", BLOCK);
    fake.file.flags = FILE_FOLDER;
    fake.file.address = 70;
    fake.lost = 80 | UINT64_C(9) << 48;
    assert_int_equal(fake.job.artifact->parse(&fake.job), 0);
    assert_true(is_told("|file.unread|12|"));
    assert_true(is_told("FileName=shell.aspx|Extension=.aspx|FileAttributes=hidden "
                        "archive|Size=600|Deleted=unknown"));
    assert_true(is_told("FileName=web.config|Extension=.config|FileAttributes=hidden "
                        "archive|Size=600|Deleted=true"));
}

static void entries_of_a_block_given_up_are_told(void **context)
{
    (void)context;
    put_entry(FIRST, 90 | UINT64_C(1) << 48, "gone.ashx");
    close_block(0, FIRST + 200);
    parse_folder(BLOCK);
    assert_true(is_told("gone.ashx"));
}

static void a_copy_of_an_entry_is_told_once(void **context)
{
    (void)context;
    const size_t at = put_entry(FIRST + 16, 80 | UINT64_C(9) << 48, "shell.aspx");
    put_entry(at + 8, 80 | UINT64_C(9) << 48, "shell.aspx");
    close_block(0, FIRST + 16);
    parse_folder(BLOCK);
    assert_int_equal(fake.event_count, 1);
    assert_int_equal(fake.tally.records, 2);
}

static void a_torn_block_is_told_and_used_up_to_the_tear(void **context)
{
    (void)context;
    make_index();
    put(1024 - 2, 0x4321, 2);
    parse_folder(BLOCK);
    assert_true(is_told("shell.aspx"));
    assert_int_equal(fake.tally.rejected, 1);
    assert_int_equal(fake.notice_count, 1);
}

static void what_is_no_block_is_rejected(void **context)
{
    (void)context;
    make_index();
    memset(bytes + BLOCK, 0x55, BLOCK);
    parse_folder(2 * BLOCK);
    assert_int_equal(fake.tally.rejected, 1);
    assert_int_equal(fake.tally.used, 3);
}

static void impossible_times_and_names_are_no_entries(void **context)
{
    struct index_entry entry;
    size_t at = 0;

    (void)context;
    put_entry(0, 80 | UINT64_C(9) << 48, "a?b.aspx");
    put_entry(256, 80 | UINT64_C(9) << 48, "b.aspx");
    put(256 + 32, 5, 8);
    assert_false(index_find_entry(slice_of(bytes, BLOCK), &at, &entry));
    assert_int_equal(at, BLOCK);
    init("i30_slack", "$I30", 0);
}

/* ---- $MFT ---- */

static void close_record(size_t start, size_t used)
{
    memcpy(bytes + start, "FILE", 4);
    put(start + 4, 48, 2);
    put(start + 6, 3, 2);
    put(start + 16, 5, 2);
    put(start + 20, 56, 2);
    put(start + 22, 1, 2);
    put(start + 24, used, 4);
    put(start + 28, RECORD, 4);
    put(start + 48, 0x77, 2);
    for (size_t i = 1; i <= 2; i++) {
        memcpy(bytes + start + 48 + 2 * i, bytes + start + i * 512 - 2, 2);
        put(start + i * 512 - 2, 0x77, 2);
    }
}

static void put_content(size_t at, const char *text)
{
    const size_t size = strlen(text);

    put(at, 0x80, 4);
    put(at + 4, (24 + size + 7) & ~(size_t)7, 4);
    put(at + 10, 24, 2);
    put(at + 16, size, 4);
    put(at + 20, 24, 2);
    memcpy(bytes + at + 24, text, size);
}

static void parse_table(void)
{
    close_record(0, 64);
    init("mft_slack", "$MFT", 2 * RECORD);
    assert_int_equal(fake.job.artifact->parse(&fake.job), 0);
}

static void content_behind_an_entry_is_scanned(void **context)
{
    (void)context;
    put_content(RECORD + 400, "<%@ Page Language=\"Jscript\" %> <%-- inert --%>");
    close_record(RECORD, 200);
    parse_table();
    assert_true(is_told("scanned|$MFT\\slack of entry 1|1448|<%@ Page Language=\"Jscript\" %> <%-- "
                        "inert --%>\n"));
    assert_true(is_told("SHA256=s256"));
}

static void content_that_crosses_a_sector_is_whole(void **context)
{
    char text[400];

    (void)context;
    memset(text, 'q', sizeof text);
    text[sizeof text - 1] = 0;
    put_content(RECORD + 400, text);
    close_record(RECORD, 200);
    parse_table();
    assert_true(is_told(text));
}

static void names_behind_an_entry_are_told(void **context)
{
    (void)context;
    put_entry(RECORD + 600, 80 | UINT64_C(9) << 48, "old.aspx");
    close_record(RECORD, 300);
    parse_table();
    assert_true(is_told("entry-70-2\\old.aspx"));
    assert_int_equal(fake.last.marks, EVENT_RECOVERED);
    assert_int_equal(fake.last.offset, RECORD + 600);
}

static void what_is_in_use_is_no_slack(void **context)
{
    (void)context;
    put_entry(RECORD + 100, 80 | UINT64_C(9) << 48, "there.aspx");
    put_content(RECORD + 300, "content of sixteen bytes and more");
    close_record(RECORD, 900);
    parse_table();
    assert_int_equal(fake.event_count, 0);
}

static void an_impossible_length_is_no_content(void **context)
{
    (void)context;
    put_content(RECORD + 400, "content of sixteen bytes and more");
    put(RECORD + 416, 0xFFFFFFF0, 4);
    put_content(RECORD + 600, "content of sixteen bytes and more");
    put(RECORD + 604, 0x7FFFFFF8, 4);
    close_record(RECORD, 200);
    parse_table();
    assert_int_equal(fake.event_count, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(names_in_the_slack_come_with_their_times),
        TEST(a_lost_header_loses_only_the_reference),
        TEST(what_the_folder_still_holds_is_not_told),
        TEST(a_file_whose_entry_is_lost_is_not_called_deleted),
        TEST(entries_of_a_block_given_up_are_told),
        TEST(a_copy_of_an_entry_is_told_once),
        TEST(a_torn_block_is_told_and_used_up_to_the_tear),
        TEST(what_is_no_block_is_rejected),
        TEST(impossible_times_and_names_are_no_entries),
        TEST(content_behind_an_entry_is_scanned),
        TEST(content_that_crosses_a_sector_is_whole),
        TEST(names_behind_an_entry_are_told),
        TEST(what_is_in_use_is_no_slack),
        TEST(an_impossible_length_is_no_content),
    };

    return cmocka_run_group_tests_name("slack", tests, NULL, NULL);
}
