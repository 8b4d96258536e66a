/* What programs and users leave: prefetch files, shell links, jump lists, the recycle bin, remote
 * desktop. Whole files with damage in them are in tests/golden. */
#include "tests/unit/artifact_case.h"

#include <stdio.h>

#include "triage/formats/prefetch.h"
#include "triage/formats/shell_link.h"

#define TICKS UINT64_C(132592198528812043) /* 2021-03-03T04:37:32.8812043 */

static struct buffer bytes;

static void put(const void *data, size_t size)
{
    buffer_add(&bytes, slice_of(data, size));
}

static void put_number(uint64_t value, size_t size)
{
    for (size_t i = 0; i < size; i++)
        buffer_add_byte(&bytes, (uint8_t)(value >> 8 * i));
}

static void put_zeroes(size_t until)
{
    while (bytes.size < until)
        buffer_add_byte(&bytes, 0);
}

static void put_wide(const char *text)
{
    for (; *text; text++)
        put_number((uint8_t)*text, 2);
}

static void run(const char *artifact, const char *path)
{
    start_job(artifact, path, buffer_slice(&bytes), "");
    finish();
}

static int end(void **context)
{
    buffer_release(&bytes);
    return release(context);
}

/* --- prefetch --- */

static const char name_list[] = "\\DEVICE\\D1\\WINDOWS\\SYSTEM32\\NTDLL.DLL";

/* Version 26 with `runs` run times, one volume and two loaded files. */
static void make_prefetch(size_t runs)
{
    const size_t names_at = 308, names_size = 2 * (sizeof name_list + sizeof "\\DEVICE\\D1\\A.EXE");
    const size_t volumes_at = names_at + names_size;

    put_number(26, 4);
    put("SCCA", 4);
    put_number(0x11, 4);
    put_number(volumes_at + 104 + 20, 4);
    put_wide("A.EXE");
    put_zeroes(76);
    put_number(0xABCD, 4);
    put_zeroes(84);
    put_number(308, 4);
    put_number(2, 4);
    put_zeroes(100);
    put_number(names_at, 4);
    put_number(names_size, 4);
    put_number(volumes_at, 4);
    put_number(1, 4);
    put_number(104 + 20, 4);
    put_zeroes(128);
    for (size_t i = 0; i < runs; i++)
        put_number(TICKS - i * 10000000, 8);
    put_zeroes(208);
    put_number(7, 4);
    put_zeroes(names_at);
    put_wide(name_list);
    put_number(0, 2);
    put_wide("\\DEVICE\\D1\\A.EXE");
    put_zeroes(volumes_at);
    put_number(104, 4);
    put_number(10, 4);
    put_number(TICKS, 8);
    put_number(0x1234ABCD, 4);
    put_zeroes(volumes_at + 104);
    put_wide("\\DEVICE\\D1");
}

static void each_run_time_is_an_event(void **context)
{
    (void)context;
    make_prefetch(3);
    run("prefetch", "C:\\Windows\\Prefetch\\A.EXE-0000ABCD.pf");
    assert_int_equal(fake.tally.used, 3);
    assert_int_equal(fake.tally.backward, 0);
    assert_told("1|144|program.run|0|1|2021-03-03T04:37:30.881204+00:00|");
    assert_told("3|128|program.run|0|1|2021-03-03T04:37:32.881204+00:00|");
    assert_told("|RunCount=7|RunIndex=3 of 3|FileCount=2|");
    assert_told("|Volumes=\\DEVICE\\D1 1234-ABCD created 2021-03-03T04:37:32.881204+00:00|");
}

static void the_volume_of_windows_has_the_letter_of_its_path(void **context)
{
    (void)context;
    make_prefetch(1);
    run("prefetch", "C:\\Windows\\Prefetch\\A.EXE-0000ABCD.pf");
    assert_told("|Image=C:\\A.EXE|");
    assert_told("|LoadedFiles=C:\\WINDOWS\\SYSTEM32\\NTDLL.DLL; C:\\A.EXE|");
}

static void a_program_without_run_time_is_one_event_without_time(void **context)
{
    (void)context;
    make_prefetch(0);
    run("prefetch", "A.EXE-0000ABCD.pf");
    assert_int_equal(fake.tally.used, 1);
    assert_int_equal(fake.last.basis, BASIS_UNKNOWN);
    assert_told("|Image=\\DEVICE\\D1\\A.EXE|");
}

static void run_times_in_front_of_a_cut_count(void **context)
{
    (void)context;
    make_prefetch(8);
    bytes.size = 150;
    run("prefetch", "A.EXE-0000ABCD.pf");
    assert_int_equal(fake.tally.repaired, 2);
    assert_noticed("it is cut short within the run times");
}

static void a_wild_count_of_volumes_ends_at_the_file(void **context)
{
    (void)context;
    make_prefetch(1);
    memset(bytes.data + 112, 0xff, 4);
    run("prefetch", "A.EXE-0000ABCD.pf");
    assert_int_equal(fake.tally.repaired, 1);
    assert_noticed("the list of volumes is damaged");
}

static void a_version_that_is_not_known_is_rejected(void **context)
{
    (void)context;
    make_prefetch(1);
    bytes.data[0] = 40;
    run("prefetch", "A.EXE-0000ABCD.pf");
    assert_int_equal(fake.tally.rejected, 1);
    assert_noticed("prefetch version 40 is not known");
}

/* --- shell links --- */

static void make_link_header(uint32_t flags)
{
    put_number(76, 4);
    put("\x01\x14\x02\0\0\0\0\0\xc0\0\0\0\0\0\0\x46", 16);
    put_number(flags, 4);
    put_number(0x20, 4);
    put_number(TICKS, 8);
    put_number(0, 8);
    put_number(TICKS, 8);
    put_number(4711, 4);
    put_zeroes(bytes.size + 20);
}

static void put_text(const char *text)
{
    put_number(strlen(text), 2);
    put_wide(text);
}

static void put_tracker(void)
{
    static const uint8_t file_id[] = {0xa4, 0xd3, 0x7a, 0x0c, 0x21, 0x7c, 0xeb, 0x11,
                                      0x9a, 0x1b, 0x00, 0x15, 0x5d, 0x01, 0x02, 0x03};

    put_number(0x60, 4);
    put_number(0xA0000003, 4);
    put_number(0x58, 4);
    put_number(0, 4);
    put("exch01\0\0\0\0\0\0\0\0\0\0", 16);
    for (size_t i = 0; i < 2; i++) {
        put_number(1, 8);
        put_number(2, 8);
        put(file_id, sizeof file_id);
    }
}

static void a_link_tells_target_arguments_and_computer(void **context)
{
    (void)context;
    make_link_header(0x80 | 0x8 | 0x20);
    put_text("..\\a.exe");
    put_text("-x y");
    put_tracker();
    put_number(0, 4);
    run("shell_link", "Users/anna/AppData/Roaming/Microsoft/Windows/Recent/a.lnk");
    assert_int_equal(fake.tally.used, 1);
    assert_told("|Place=recent|Profile=anna|LinkTarget=..\\a.exe|Arguments=-x y|");
    assert_told("|CommandLine=..\\a.exe -x y|");
    assert_told("|TargetCreated=2021-03-03T04:37:32.881204+00:00|");
    assert_told("|TargetSize=4711|");
    assert_told("|MachineId=exch01|MacAddress=00:15:5d:01:02:03|");
    assert_told("|DroidFile=0c7ad3a4-7c21-11eb-9a1b-00155d010203|");
}

static void offsets_within_the_target_cannot_lead_out(void **context)
{
    (void)context;
    make_link_header(0x80 | 0x2);
    put_number(0x24, 4);
    put_number(0x24, 4);
    put_number(3, 4);
    for (size_t i = 0; i < 6; i++)
        put_number(0xfffffff0, 4);
    put_number(0, 4);
    run("shell_link", "a.lnk");
    assert_int_equal(fake.tally.used, 1);
}

static void a_link_that_is_cut_is_repaired(void **context)
{
    (void)context;
    make_link_header(0x80 | 0x20);
    put_number(1000, 2);
    put_wide("-x");
    run("shell_link", "a.lnk");
    assert_int_equal(fake.tally.repaired, 1);
    assert_noticed("it is cut short");
}

static void what_is_no_link_is_rejected(void **context)
{
    (void)context;
    put_zeroes(100);
    run("shell_link", "a.lnk");
    assert_int_equal(fake.tally.rejected, 1);
}

/* --- jump lists --- */

static void a_custom_list_is_a_row_of_links(void **context)
{
    (void)context;
    put_number(2, 4);
    put_zeroes(36);
    for (size_t i = 0; i < 2; i++) {
        make_link_header(0x80 | 0x8);
        put_text(i ? "b.exe" : "a.exe");
        put_number(0, 4);
        put_zeroes(bytes.size + 16);
    }
    run("jump_list", "Users/a/AppData/Recent/CustomDestinations/1.customDestinations-ms");
    assert_int_equal(fake.tally.used, 2);
    assert_told("1|36|shell.jump|");
    assert_told("|ListType=custom|AppId=1|Profile=a|LinkTarget=a.exe|");
    assert_told("|LinkTarget=b.exe|");
}

static void a_list_that_is_no_compound_file_is_rejected(void **context)
{
    (void)context;
    put_zeroes(600);
    run("jump_list", "1.automaticDestinations-ms");
    assert_int_equal(fake.tally.rejected, 1);
    assert_noticed("it does not begin as a compound file");
}

/* --- recycle bin --- */

static void make_recycled(uint64_t version, const char *path)
{
    put_number(version, 8);
    put_number(1342, 8);
    put_number(TICKS, 8);
    if (version == 2)
        put_number(strlen(path) + 1, 4);
    put_wide(path);
    put_number(0, 2);
    if (version == 1)
        put_zeroes(24 + 520);
}

#define INDEX "$Recycle.Bin/S-1-5-21-1-2-3-500/$IABCDEF.aspx"

static void both_versions_tell_path_size_time_and_user(void **context)
{
    (void)context;
    for (uint64_t version = 1; version <= 2; version++) {
        make_recycled(version, "C:\\inetpub\\x.aspx");
        run("recycle_bin", INDEX);
        assert_int_equal(fake.tally.used, 1);
        assert_told("|2021-03-03T04:37:32.881204+00:00|TargetFilename=C:\\inetpub\\x.aspx|");
        assert_told("|FileName=x.aspx|Extension=.aspx|Size=1342|User=S-1-5-21-1-2-3-500|");
        assert_told("|ContentFile=$RABCDEF.aspx|ContentOnDisk=false|");
        end(NULL);
    }
}

static void the_content_beside_it_is_looked_for(void **context)
{
    (void)context;
    make_recycled(2, "C:\\x.aspx");
    fake_job_init(&fake, "recycle_bin", INDEX, buffer_slice(&bytes), "");
    fake.others[fake.other_count++] =
        (struct fake_other){"$Recycle.Bin/S-1-5-21-1-2-3-500/$RABCDEF.aspx", "12345"};
    assert_int_equal(fake.job.artifact->parse(&fake.job), 0);
    buffer_text(&fake.text);
    assert_told("|ContentOnDisk=true|ContentSize=5|");
}

static void a_wild_length_of_the_path_ends_at_the_file(void **context)
{
    (void)context;
    make_recycled(2, "C:\\x.aspx");
    memset(bytes.data + 24, 0xff, 4);
    run("recycle_bin", INDEX);
    assert_int_equal(fake.tally.repaired, 1);
    assert_noticed("the path is cut short");
    assert_told("|TargetFilename=C:\\x.aspx|");
}

static void what_is_no_entry_of_the_bin_is_rejected(void **context)
{
    (void)context;
    make_recycled(3, "C:\\x");
    run("recycle_bin", INDEX);
    assert_int_equal(fake.tally.rejected, 1);
}

/* --- remote desktop --- */

static void a_cache_is_told_by_its_presence(void **context)
{
    (void)context;
    put("RDP8bmp\0abcdefgh", 16);
    run("rdp_cache", "Users/anna/AppData/Local/Microsoft/Terminal Server Client/Cache/Cache0.bin");
    assert_told("|Profile=anna|Size=16|CacheType=RDP8bmp|");
}

static void settings_in_utf16_tell_where_it_went(void **context)
{
    (void)context;
    put("\xff\xfe", 2);
    put_wide("screen mode id:i:2\r\nfull address:s:dc01.contoso.example\r\nusername:s:anna\r\n");
    run("rdp_cache", "Users/anna/Documents/Default.rdp");
    assert_told("|FullAddress=dc01.contoso.example|UserName=anna|");
}

static void text_without_settings_is_rejected(void **context)
{
    (void)context;
    put("nothing", 7);
    run("rdp_cache", "Users/anna/Documents/Default.rdp");
    assert_int_equal(fake.tally.rejected, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(each_run_time_is_an_event, end),
        cmocka_unit_test_teardown(the_volume_of_windows_has_the_letter_of_its_path, end),
        cmocka_unit_test_teardown(a_program_without_run_time_is_one_event_without_time, end),
        cmocka_unit_test_teardown(run_times_in_front_of_a_cut_count, end),
        cmocka_unit_test_teardown(a_wild_count_of_volumes_ends_at_the_file, end),
        cmocka_unit_test_teardown(a_version_that_is_not_known_is_rejected, end),
        cmocka_unit_test_teardown(a_link_tells_target_arguments_and_computer, end),
        cmocka_unit_test_teardown(offsets_within_the_target_cannot_lead_out, end),
        cmocka_unit_test_teardown(a_link_that_is_cut_is_repaired, end),
        cmocka_unit_test_teardown(what_is_no_link_is_rejected, end),
        cmocka_unit_test_teardown(a_custom_list_is_a_row_of_links, end),
        cmocka_unit_test_teardown(a_list_that_is_no_compound_file_is_rejected, end),
        cmocka_unit_test_teardown(both_versions_tell_path_size_time_and_user, end),
        cmocka_unit_test_teardown(the_content_beside_it_is_looked_for, end),
        cmocka_unit_test_teardown(a_wild_length_of_the_path_ends_at_the_file, end),
        cmocka_unit_test_teardown(what_is_no_entry_of_the_bin_is_rejected, end),
        cmocka_unit_test_teardown(a_cache_is_told_by_its_presence, end),
        cmocka_unit_test_teardown(settings_in_utf16_tell_where_it_went, end),
        cmocka_unit_test_teardown(text_without_settings_is_rejected, end),
    };

    return cmocka_run_group_tests_name("traces", tests, NULL, NULL);
}
