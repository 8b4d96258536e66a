/* Records of change journals in free space and in $LogFile. */
#include "tests/unit/usn_case.h"

static void carve(const char *path, unsigned flags)
{
    start("usn_carve", path);
    fake.file.flags = flags;
    assert_int_equal(fake.job.artifact->parse(&fake.job), 0);
}

static void records_are_found_in_free_space(void **context)
{
    (void)context;
    memset(bytes, 0xA5, 3 * PAGE);
    used = PAGE + 256;
    add(reference(30, 1), root, USN_FILE_CREATE, "shell.aspx");
    add_version(3, reference(31, 1), root, USN_FILE_DELETE | USN_CLOSE, 32, "Security.evtx");
    used = 3 * PAGE;
    carve("$Unallocated", FILE_UNALLOCATED);
    assert_int_equal(fake.tally.used, 2);
    assert_told("FileName=shell.aspx");
    assert_told("FileName=Security.evtx");
    assert_int_equal(fake.last.marks, EVENT_RECOVERED);
    assert_int_equal(fake.job.size, 3 * PAGE);
}

static void what_only_looks_like_a_record_is_not_carved(void **context)
{
    (void)context;
    add(reference(30, 1), root, USN_FILE_CREATE, "a.txt");
    put_at(32, 5, 8); /* a time of 1601 */
    const size_t second = add(reference(30, 0), root, USN_FILE_CREATE, "b.txt");
    const size_t third = add(reference(30, 1), root, 0x08, "c.txt");
    add(reference(30, 1), root, USN_FILE_CREATE, "d?.txt");
    carve("$Unallocated", FILE_UNALLOCATED);
    assert_true(second < third);
    assert_int_equal(fake.tally.records, 0);
}

static void what_the_journal_still_holds_is_not_told_again(void **context)
{
    static uint8_t journal[PAGE];

    (void)context;
    const size_t first = add(reference(30, 1), root, USN_FILE_CREATE, "live.txt");
    const size_t second = add(reference(31, 1), root, USN_FILE_CREATE, "gone.txt");
    memcpy(journal + first, bytes + first, second - first);
    start("usn_carve", "$Unallocated");
    fake.file.flags = FILE_UNALLOCATED;
    fake.others[0] = (struct fake_other){"$Extend/$UsnJrnl:$J", ""};
    fake.other_count = 1;
    fake.peeked = slice_of(journal, sizeof journal);
    assert_int_equal(fake.job.artifact->parse(&fake.job), 0);
    assert_int_equal(fake.tally.records, 1);
    assert_told("FileName=gone.txt");
    assert_int_equal(fake.notice_count, 1);
}

/* Makes pages of $LogFile of what was added: 64 bytes of header, then 4,032 of content. */
static void make_log(void)
{
    static uint8_t content[4 * PAGE];
    const size_t pages = (used + PAGE - 64 - 1) / (PAGE - 64);

    memcpy(content, bytes, used);
    memset(content + used, 0, sizeof content - used);
    for (size_t page = 0; page < pages; page++) {
        uint8_t *start = bytes + page * PAGE;
        memset(start, 0, 64);
        memcpy(start, "RCRD", 4);
        start[4] = 40;
        start[6] = 9;
        memcpy(start + 64, content + page * (PAGE - 64), PAGE - 64);
        memset(start + 40, 0x5A, 2);
        for (size_t i = 1; i <= 8; i++) {
            memcpy(start + 40 + 2 * i, start + 512 * i - 2, 2);
            memset(start + 512 * i - 2, 0x5A, 2);
        }
    }
    used = pages * PAGE;
}

static void records_in_the_log_cross_sectors_and_pages(void **context)
{
    char name[32];

    (void)context;
    for (unsigned i = 0; i < 100; i++) {
        snprintf(name, sizeof name, "file%u.aspx", i);
        add(reference(30 + i, 1), root, USN_FILE_CREATE, name);
    }
    make_log();
    assert_true(used > 2 * PAGE);
    carve("$LogFile", 0);
    assert_int_equal(fake.tally.used, 100);
    assert_told("FileName=file99.aspx");
    assert_int_equal(fake.job.size, used);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(records_are_found_in_free_space),
        TEST(what_only_looks_like_a_record_is_not_carved),
        TEST(what_the_journal_still_holds_is_not_told_again),
        TEST(records_in_the_log_cross_sectors_and_pages),
    };

    return cmocka_run_group_tests_name("usn_carve", tests, NULL, NULL);
}
