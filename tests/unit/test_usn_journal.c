/* The change journal becomes events, with the paths of their time. */
#include "tests/unit/usn_case.h"

#include "artifacts/log_names.h"

static void init(void)
{
    start("usn_journal", "$Extend/$UsnJrnl");
}

static int parse(void)
{
    init();
    return fake.job.artifact->parse(&fake.job);
}

static void a_creation_is_told_once_as_such(void **context)
{
    (void)context;
    add(reference(30, 1), root, USN_FILE_CREATE, "x.aspx");
    add(reference(30, 1), root, USN_FILE_CREATE | 2, "x.aspx");
    add(reference(30, 1), root, USN_FILE_CREATE | 2 | USN_CLOSE, "x.aspx");
    assert_int_equal(parse(), 0);
    assert_int_equal(fake.event_count, 3);
    assert_null(fake.last.sources[0].category);
    assert_told("TargetFilename=C:\\x.aspx|FileName=x.aspx|Extension=.aspx|"
                "Reason=DATA_EXTEND|FILE_CREATE|CLOSE");
}

static void reasons_start_anew_behind_a_close(void **context)
{
    (void)context;
    add(reference(30, 1), root, USN_FILE_CREATE | USN_CLOSE, "x.aspx");
    add(reference(30, 1), root, USN_FILE_DELETE | USN_CLOSE, "x.aspx");
    assert_int_equal(parse(), 0);
    assert_string_equal(fake.last.sources[0].category, "file_delete");
    assert_string_equal(fake.last.sources[0].service, "usnjournal");
}

static void a_rename_tells_the_old_path(void **context)
{
    (void)context;
    add_folder(reference(40, 2), root, USN_FILE_CREATE | USN_CLOSE, "dir");
    add(reference(30, 1), reference(40, 2), USN_RENAME_OLD_NAME, "x.txt");
    add(reference(30, 1), root, USN_RENAME_NEW_NAME, "x.aspx");
    assert_int_equal(parse(), 0);
    assert_string_equal(fake.last.sources[0].category, "file_rename");
    assert_told("TargetFilename=C:\\x.aspx");
    assert_told("SourceFilename=C:\\dir\\x.txt");
}

static void a_renamed_folder_has_its_old_name_before(void **context)
{
    (void)context;
    add(reference(30, 1), reference(40, 2), USN_FILE_CREATE | USN_CLOSE, "first");
    add_folder(reference(40, 2), root, USN_RENAME_OLD_NAME, "before");
    add_folder(reference(40, 2), root, USN_RENAME_NEW_NAME, "after");
    add(reference(31, 1), reference(40, 2), USN_FILE_CREATE | USN_CLOSE, "second");
    assert_int_equal(parse(), 0);
    assert_told("TargetFilename=C:\\before\\first|");
    assert_told("TargetFilename=C:\\after\\second|");
}

static bool mft(uint64_t wanted, struct buffer *name, uint64_t *parent)
{
    if (wanted != reference(50, 3))
        return false;
    buffer_add_text(name, "inetpub");
    *parent = root;
    return true;
}

static void folders_that_the_journal_does_not_name_come_from_the_mft(void **context)
{
    (void)context;
    add_folder(reference(40, 2), reference(50, 3), USN_FILE_CREATE | USN_CLOSE, "wwwroot");
    add(reference(30, 1), reference(40, 2), USN_FILE_CREATE | USN_CLOSE, "a");
    add(reference(31, 1), reference(50, 4), USN_FILE_CREATE | USN_CLOSE, "b");
    init();
    fake.name_of = mft;
    assert_int_equal(fake.job.artifact->parse(&fake.job), 0);
    assert_told("TargetFilename=C:\\inetpub\\wwwroot\\a|");
    assert_told("TargetFilename=C:\\$Orphan\\entry-50-4\\b|");
}

static void folders_in_a_circle_end(void **context)
{
    (void)context;
    add_folder(reference(40, 2), reference(41, 2), USN_CLOSE, "a");
    add_folder(reference(41, 2), reference(40, 2), USN_CLOSE, "b");
    add(reference(30, 1), reference(40, 2), USN_CLOSE, "file");
    assert_int_equal(parse(), 0);
    assert_int_equal(fake.event_count, 3);
    assert_told("C:\\$Orphan\\");
}

static void an_entry_used_again_is_another_folder(void **context)
{
    (void)context;
    add_folder(reference(40, 2), root, USN_FILE_DELETE | USN_CLOSE, "old");
    add_folder(reference(40, 3), root, USN_FILE_CREATE | USN_CLOSE, "new");
    add(reference(30, 1), reference(40, 2), USN_CLOSE, "a");
    add(reference(31, 1), reference(40, 3), USN_CLOSE, "b");
    assert_int_equal(parse(), 0);
    assert_told("C:\\old\\a|");
    assert_told("C:\\new\\b|");
}

static void separators_in_a_name_do_not_make_folders(void **context)
{
    (void)context;
    add(reference(30, 1), root, USN_CLOSE, "a\\b/c\nd");
    assert_int_equal(parse(), 0);
    assert_told("TargetFilename=C:\\a\xEF\xBF\xBD"
                "b\xEF\xBF\xBD"
                "c\xEF\xBF\xBD"
                "d|");
}

static void damage_is_passed_over_and_counted_once(void **context)
{
    (void)context;
    add(reference(30, 1), root, USN_CLOSE, "first");
    const size_t at = add(reference(31, 1), root, USN_CLOSE, "second");
    add(reference(32, 1), root, USN_CLOSE, "third");
    memset(bytes + at, 0xA5, 40);
    assert_int_equal(parse(), 0);
    assert_int_equal(fake.event_count, 2);
    assert_told("C:\\third|");
    assert_int_equal(fake.tally.records, 3);
    assert_int_equal(fake.tally.used, 2);
    assert_int_equal(fake.tally.rejected, 1);
    assert_int_equal(fake.notice_count, 1);
}

static void a_record_cut_at_the_end_is_rejected(void **context)
{
    (void)context;
    add(reference(30, 1), root, USN_CLOSE, "first");
    add(reference(31, 1), root, USN_CLOSE, "second");
    used -= 16;
    assert_int_equal(parse(), 0);
    assert_int_equal(fake.tally.used, 1);
    assert_int_equal(fake.tally.rejected, 1);
}

static void the_sparse_head_is_not_read(void **context)
{
    (void)context;
    used = 3 << 20;
    add(reference(30, 1), root, USN_CLOSE, "behind");
    init();
    fake.hole_to = 3 << 20;
    fake.damage_to = 3 << 20; /* reading there fails */
    assert_int_equal(fake.job.artifact->parse(&fake.job), 0);
    assert_int_equal(fake.event_count, 1);
    assert_int_equal(fake.last.offset, 3 << 20);
    assert_int_equal(fake.notice_count, 0);
}

static void records_on_both_sides_of_a_window_are_all_there(void **context)
{
    size_t count = 0;

    (void)context;
    while (used < (2 << 20) + 500) {
        add(reference(30 + count, 1), root, USN_FILE_CREATE, "some name");
        count++;
    }
    assert_int_equal(parse(), 0);
    assert_int_equal(fake.event_count, count);
    assert_int_equal(fake.tally.used, count);
    assert_int_equal(fake.tally.rejected, 0);
}

static void bytes_that_cannot_be_read_cost_only_themselves(void **context)
{
    (void)context;
    add(reference(30, 1), root, USN_CLOSE, "first");
    used = 1 << 20;
    add(reference(31, 1), root, USN_CLOSE, "last");
    init();
    fake.damage_from = 100000;
    fake.damage_to = 110000;
    assert_int_equal(fake.job.artifact->parse(&fake.job), 0);
    assert_told("C:\\first|");
    assert_told("C:\\last|");
    assert_int_equal(fake.tally.rejected, 1);
}

static void an_unreadable_journal_is_an_error(void **context)
{
    (void)context;
    used = PAGE;
    init();
    fake.damage_to = PAGE;
    assert_int_equal(fake.job.artifact->parse(&fake.job), -1);
}

static void only_what_the_prefilter_nominates_is_told(void **context)
{
    (void)context;
    add(reference(30, 1), root, USN_CLOSE, "plain.log");
    add(reference(31, 1), root, USN_CLOSE, "shell.aspx");
    add(reference(32, 1), root, USN_CLOSE, "plain.txt");
    init();
    fake.needle = "shell.aspx";
    assert_int_equal(fake.job.artifact->parse(&fake.job), 0);
    assert_int_equal(fake.event_count, 1);
    assert_told("C:\\shell.aspx");
    assert_false(is_told("plain"));
    assert_int_equal(fake.tally.used, 3);
}

static void version_4_is_told_by_the_name_of_its_file(void **context)
{
    (void)context;
    add_version_4(reference(50, 3), root);
    init();
    fake.name_of = mft;
    assert_int_equal(fake.job.artifact->parse(&fake.job), 0);
    assert_told("TargetFilename=C:\\inetpub|FileName=inetpub|");
    assert_int_equal(fake.last.basis, BASIS_UNKNOWN);
}

static void a_journal_is_recognised_by_its_content(void **context)
{
    const struct artifact *artifact = artifact_by_name("usn_journal");

    (void)context;
    add(reference(30, 1), root, USN_CLOSE, "first");
    assert_true(artifact->recognise(slice_of(bytes, used), "whatever"));
    assert_false(artifact->recognise(SLICE_LITERAL("#Software: Microsoft IIS\r\n"), "$J"));
    assert_true(artifact->recognise(slice_of(bytes + used, 8192), "$J"));
    assert_false(artifact->recognise(slice_of(bytes + used, 8192), "zeroes"));
}

/* No crash, an end, and sums that fit, whatever the bytes are. */
static void broken_journals_do_no_harm(void **context)
{
    uint32_t seed = 12345;

    (void)context;
    for (unsigned round = 0; round < 3000; round++) {
        used = 0;
        add_folder(reference(40, 2), root, USN_CLOSE, "dir");
        add(reference(30, 1), reference(40, 2), USN_RENAME_OLD_NAME, "x.txt");
        add_version(3, reference(30, 1), root, USN_RENAME_NEW_NAME, 0x20, "x.aspx");
        add_version_4(reference(30, 1), root);
        add(reference(31, 1), reference(40, 2), USN_FILE_DELETE | USN_CLOSE, "y.txt");
        for (unsigned i = 0; i < 1 + round % 6; i++) {
            seed = seed * 1664525 + 1013904223;
            bytes[(seed >> 8) % used] = (uint8_t)(seed >> 24);
        }
        used -= round % 9;
        init();
        fake.job.artifact->parse(&fake.job);
        assert_int_equal(fake.tally.records, fake.tally.used + fake.tally.rejected);
        assert_int_equal(fake.event_count, fake.tally.used);
        fake_job_release(&fake);
    }
    init();
}

/* The numbers are those of the journals themselves, counted by hand. */
static void samples_are_read_whole(void **context)
{
    static const struct {
        const char *path;
        size_t records;
    } samples[] = {{"ntfs-meta/plaso/UsnJrnl.raw", 19}, {"ntfs-meta/ez-mft/Usn/record.usn", 1}};
    const char *folder = getenv("EXTRIAGE_DATA");
    char path[4096];

    (void)context;
    init();
    for (size_t i = 0; i < sizeof samples / sizeof *samples; i++) {
        snprintf(path, sizeof path, "%s/%s", folder ? folder : "", samples[i].path);
        FILE *file = fopen(path, "rb");
        if (!file)
            skip();
        used = fread(bytes, 1, ROOM, file);
        fclose(file);
        fake_job_release(&fake);
        assert_int_equal(parse(), 0);
        assert_int_equal(fake.tally.used, samples[i].records);
        assert_int_equal(fake.tally.rejected, 0);
    }
}

static void a_deleted_log_is_a_fact_whatever_is_nominated(void **context)
{
    (void)context;
    add_folder(reference(30, 1), root, USN_FILE_CREATE, "LogFiles");
    put_at(add(reference(31, 1), reference(30, 1), USN_FILE_DELETE | USN_CLOSE, "u_ex210301.log") +
               32,
           day + 1, 8);
    add(reference(32, 1), reference(30, 1), USN_FILE_DELETE | USN_CLOSE, "a.txt");
    init();
    fake.needle = NULL;
    assert_int_equal(fake.job.artifact->parse(&fake.job), 0);
    assert_int_equal(fake.event_count, 1);
    assert_int_equal(fake.last.kind, KIND_file_deleted_log);
    assert_int_equal(fake.last.marks, EVENT_FACT);
    assert_told("LogAge=2");
}

static void ages_of_logs_are_counted_from_the_day_in_their_names(void **context)
{
    const struct instant when = {(int64_t)day + 1}; /* 2021-03-03 */

    (void)context;
    init();
    assert_int_equal(log_age_days(slice_of_text("u_ex210301.log"), when), 2);
    assert_int_equal(log_age_days(slice_of_text("u_ex21030123_x.log"), when), 2);
    assert_int_equal(log_age_days(slice_of_text("HttpProxy_2021020304-1.LOG"), when), 28);
    assert_int_equal(log_age_days(slice_of_text("MSGTRK2021030304-1.LOG"), when), 0);
    assert_int_equal(log_age_days(slice_of_text("u_ex210304.log"), when), -1);
    assert_int_equal(log_age_days(slice_of_text("u_ex219901.log"), when), -1);
    assert_int_equal(log_age_days(slice_of_text("httperr1.log"), when), -1);
}

static void the_state_of_the_journal_is_a_fact(void **context)
{
    (void)context;
    put(32 << 20, 8);
    put(8 << 20, 8);
    put(day, 8);
    put(4096, 8);
    start("usn_max", "$Extend/$UsnJrnl:$Max");
    assert_int_equal(fake.job.artifact->parse(&fake.job), 0);
    assert_told("MaximumSize=33554432|LowestValidUsn=4096");
    assert_int_equal(fake.last.when.ticks, day);
}

static void a_short_state_is_rejected(void **context)
{
    (void)context;
    put(32 << 20, 8);
    start("usn_max", "$Extend/$UsnJrnl:$Max");
    assert_int_equal(fake.job.artifact->parse(&fake.job), 0);
    assert_int_equal(fake.tally.rejected, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_creation_is_told_once_as_such),
        TEST(reasons_start_anew_behind_a_close),
        TEST(a_rename_tells_the_old_path),
        TEST(a_renamed_folder_has_its_old_name_before),
        TEST(folders_that_the_journal_does_not_name_come_from_the_mft),
        TEST(folders_in_a_circle_end),
        TEST(an_entry_used_again_is_another_folder),
        TEST(separators_in_a_name_do_not_make_folders),
        TEST(damage_is_passed_over_and_counted_once),
        TEST(a_record_cut_at_the_end_is_rejected),
        TEST(the_sparse_head_is_not_read),
        TEST(records_on_both_sides_of_a_window_are_all_there),
        TEST(bytes_that_cannot_be_read_cost_only_themselves),
        TEST(an_unreadable_journal_is_an_error),
        TEST(only_what_the_prefilter_nominates_is_told),
        TEST(version_4_is_told_by_the_name_of_its_file),
        TEST(a_journal_is_recognised_by_its_content),
        TEST(broken_journals_do_no_harm),
        TEST(a_deleted_log_is_a_fact_whatever_is_nominated),
        TEST(ages_of_logs_are_counted_from_the_day_in_their_names),
        TEST(the_state_of_the_journal_is_a_fact),
        TEST(a_short_state_is_rejected),
        TEST(samples_are_read_whole),
    };

    return cmocka_run_group_tests_name("usn_journal", tests, NULL, NULL);
}
