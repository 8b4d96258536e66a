/* Artifacts by their names, the account of what they read, and which one takes which file. */
#include "tests/unit/artifact_case.h"

#include <stdio.h>

static void artifacts_are_in_the_order_of_their_names(void **context)
{
    size_t count;
    const struct artifact *const *all = artifact_all(&count);

    (void)context;
    assert_true(count >= 11);
    for (size_t i = 0; i < count; i++) {
        assert_ptr_equal(artifact_by_name(all[i]->name), all[i]);
        assert_true(all[i]->sources[0].service || all[i]->sources[0].category);
        assert_true(i == 0 || strcmp(all[i - 1]->name, all[i]->name) < 0);
    }
    assert_null(artifact_by_name("none"));
}

static void a_tally_keeps_first_last_days_and_jumps_back(void **context)
{
    static struct tally tally;
    const int64_t day = TICKS_PER_DAY;

    (void)context;
    tally_time(&tally, (struct instant){5 * day + 7});
    tally_time(&tally, INSTANT_NONE);
    tally_time(&tally, (struct instant){9 * day});
    tally_time(&tally, (struct instant){3 * day});
    tally_time(&tally, (struct instant){5 * day + 8});
    assert_int_equal(tally.first.ticks, 3 * day);
    assert_int_equal(tally.last.ticks, 9 * day);
    assert_int_equal(tally.backward, 1);
    assert_int_equal(tally.day_count, 3);
    assert_int_equal(tally.days[0], 3);
    assert_int_equal(tally.days[1], 5);
    assert_int_equal(tally.days[2], 9);
    assert_int_equal(tally.hours[2], 1);
}

static void a_file_is_listed_with_what_is_known_of_it(void **context)
{
    (void)context;
    fake_job_init(&fake, "web_root", "inetpub/wwwroot/aspnet_client/Help.ASPX", SLICE_LITERAL("x"),
                  "");
    fake.job.windows_path = "C:\\inetpub\\wwwroot\\aspnet_client\\Help.ASPX";
    fake.file.attributes = ATTRIBUTE_HIDDEN | ATTRIBUTE_SYSTEM;
    fake.file.flags = FILE_DELETED;
    fake.file.stream = "evil";
    fake.file.si.created = (struct instant){TICKS_PER_DAY};
    fake.file.fn.created = (struct instant){2 * TICKS_PER_DAY};
    assert_int_equal(fake.job.artifact->parse(&fake.job), 0);
    buffer_text(&fake.text);
    assert_told("|file.listed|0|1|1601-01-03T");
    assert_told("|TargetFilename=C:\\inetpub\\wwwroot\\aspnet_client\\Help.ASPX:evil|FileName=Help."
                "ASPX|Extension=.aspx|"
                "FileAttributes=hidden "
                "system|Owner=S-1-5-18|Size=1|Deleted=true|Stream=evil|MD5=m|SHA1=s1|SHA256=s256|");
    assert_accounts(1, 0, 0);
}

/* --- real files --- */

static const struct {
    const char *path, *artifact;
    uint64_t records, rejected;
} real[] = {
    {"iis/brianary/ex010320.log", "iis_log", 2, 0},
    {"iis/brianary/ex031118.log", "iis_log", 4, 0},
    {"iis/brianary/ex960101.log", "iis_log", 5, 0},
    {"iis/brianary/pf040903.log", NULL, 0, 0},
    {"iis/brianary/u_ex100815.log", "iis_log", 16, 0},
    {"iis/brianary/u_ex160110.log", "iis_log", 28, 0},
    {"iis/elastic-beats/access-full.log", "iis_log", 1, 0},
    {"iis/elastic-beats/httperr_error.log", "httperr", 4, 0},
    {"iis/iisgeolocate/SampleIISLog.log", "iis_log", 1, 0},
    {"iis/lnav/logfile_w3c.0", "iis_log", 1, 0},
    {"iis/lnav/logfile_w3c.2", "iis_log", 14, 0},
    {"iis/lnav/logfile_w3c.3", "iis_log", 3, 0},
    {"iis/lnav/logfile_w3c.5", "iis_log", 1, 0},
    {"iis/lnav/logfile_w3c.6", "iis_log", 1, 0},
    {"iis/lnav/logfile_w3c_big.0", "iis_log", 210, 0},
    {"iis/plaso/iis10.log", "iis_log", 1, 0},
    {"iis/plaso/iis10_cookies.log", "iis_log", 3, 0},
    {"iis/plaso/iis10_edge_cases.log", "iis_log", 15, 0},
    {"iis/plaso/iis6.log", "iis_log", 12, 0},
    {"iis/plaso/iis7_owa.log", "iis_log", 3, 0},
    {"iis/plaso/iis7_sqli.log", "iis_log", 2, 0},
    {"iis/plaso/iis_without_date.log", "iis_log", 11, 0},
    {"iis/querycat/u_ex220826.log", "iis_log", 2, 0},
    {"exchange/artefacts.help/logs/AgentLog20220913-1.LOG", "exchange_agent_log", 2, 0},
    {"exchange/artefacts.help/logs/Autodiscover__HttpProxy_2023010919-1.LOG", "exchange_httpproxy",
     1, 0},
    {"exchange/artefacts.help/logs/ECPActivity_11500_20230111-1.LOG", "exchange_ecp_activity", 2,
     0},
    {"exchange/artefacts.help/logs/ECPServer20230111-1.LOG", "exchange_ecp_server", 1, 0},
    {"exchange/artefacts.help/logs/Eas__HttpProxy_2023011116-1.LOG", "exchange_httpproxy", 1, 0},
    {"exchange/artefacts.help/logs/audit20230111-1.LOG", "exchange_audit", 1, 0},
    {"exchange/artefacts.help/logs/Ews_2023010616-1.LOG", "exchange_ews", 1, 0},
    {"exchange/artefacts.help/logs/MSGTRKMS2022091915-1.LOG", "exchange_message_tracking", 2, 0},
    {"exchange/artefacts.help/logs/PowerShell__HttpProxy_2023011116-1.LOG", "exchange_httpproxy", 2,
     0},
    {"exchange/artefacts.help/logs/RECV2023011116-1.LOG", "exchange_smtp", 16, 0},
    {"exchange/artefacts.help/logs/Rps_Cmdlet_2023011116-1.LOG", "exchange_rps_cmdlet", 1, 0},
    {"exchange/elastic-beats/msgtrk_utf8bom.log", "exchange_message_tracking", 2, 0},
};

static bool file_load(const char *path, struct buffer *content)
{
    const char *data = getenv("EXTRIAGE_DATA"), *source = getenv("srcdir");
    char whole[4096], block[4096];
    size_t got;

    if (data)
        snprintf(whole, sizeof whole, "%s/%s", data, path);
    else
        snprintf(whole, sizeof whole, "%s/../shared/data/%s", source ? source : ".", path);
    FILE *file = fopen(whole, "rb");
    if (!file)
        return false;
    while ((got = fread(block, 1, sizeof block, file)) > 0)
        buffer_add(content, slice_of(block, got));
    fclose(file);
    return true;
}

/* The one artifact that recognises the bytes; NULL when there is none; fails when there are two. */
static const char *recognised(struct slice bytes, const char *path)
{
    size_t count;
    const struct artifact *const *all = artifact_all(&count);
    const char *found = NULL, *slash = strrchr(path, '/');

    for (size_t i = 0; i < count; i++) {
        if (!all[i]->recognise || !all[i]->recognise(bytes, slash ? slash + 1 : path))
            continue;
        assert_null(found);
        found = all[i]->name;
    }
    return found;
}

static void public_samples_are_recognised_and_read_in_full(void **context)
{
    (void)context;
    for (size_t i = 0; i < sizeof real / sizeof *real; i++) {
        struct buffer content = BUFFER_EMPTY;
        assert_true(file_load(real[i].path, &content));
        const char *artifact = recognised(buffer_slice(&content), real[i].path);
        if (!real[i].artifact) {
            assert_null(artifact);
        } else {
            assert_non_null(artifact);
            assert_string_equal(artifact, real[i].artifact);
            run_bytes(artifact, real[i].path, buffer_slice(&content), "");
            assert_int_equal(fake.tally.records, real[i].records);
            assert_int_equal(fake.tally.rejected, real[i].rejected);
            const bool sums = fake.last.kind == KIND_log_volume; /* one more, at the end */
            assert_int_equal(fake.event_count - sums, real[i].records);
            release(NULL);
        }
        buffer_release(&content);
    }
}

#define TEST(name) cmocka_unit_test_teardown(name, release)

/* cmocka reports what skips itself as "not ok": without the samples their test, the last one, is
 * left out instead. */
static size_t tests_possible(size_t count)
{
    struct buffer content = BUFFER_EMPTY;
    const bool present = file_load(real[0].path, &content);

    buffer_release(&content);
    if (!present)
        printf("# SKIP public_samples_are_recognised_and_read_in_full: no samples\n");
    return present ? count : count - 1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(artifacts_are_in_the_order_of_their_names),
        cmocka_unit_test(a_tally_keeps_first_last_days_and_jumps_back),
        TEST(a_file_is_listed_with_what_is_known_of_it),
        TEST(public_samples_are_recognised_and_read_in_full),
    };

    return _cmocka_run_group_tests("tests", tests, tests_possible(sizeof tests / sizeof *tests),
                                   NULL, NULL);
}
