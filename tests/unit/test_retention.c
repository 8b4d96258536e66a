/* How far back the logs reach, and whose networks are known. */
#include "tests/unit/findings_scene.h"
#include "triage/findings/known_networks.h"

#define DAY (24 * HOUR)

static void had_running_log(struct scene *scene, const char *artifact, const char *first,
                            const char *days)
{
    const struct case_coverage row = {.path = artifact,
                                      .artifact = artifact,
                                      .records = 10,
                                      .used = 10,
                                      .continuous = true,
                                      .first = first,
                                      .last = "2021-03-05T00:00:00.000000+00:00",
                                      .days = days,
                                      .damage = "[]"};

    assert_int_equal(case_add_coverage(scene->file, "task", &row), 0);
}

static const struct reach *reach(const struct findings *findings, const char *artifact)
{
    const struct reach *found = reach_of(&findings->retention, artifact);

    assert_non_null(found);
    return found;
}

static void a_log_that_begins_before_the_trace_says_how_long(void **state)
{
    struct scene *scene = *state;

    had_running_log(scene, "iis_log", "2021-02-27T00:00:01.000000+00:00",
                    "[\"2021-02-27\",\"2021-03-05\"]");
    saw(scene, "PL-02", 4, NOON, "exchange_httpproxy", FROM_PROXY("203.0.113.7"));
    const struct reach *found = reach(verdict_of(scene), "iis_log");

    assert_int_equal(found->days_before_trace, 4);
    assert_false(found->begins_after_first_trace);
}

static void logs_that_begin_after_the_trace_are_told_with_the_verdict(void **state)
{
    struct scene *scene = *state;

    had_running_log(scene, "iis_log", "2021-03-04T00:00:01.000000+00:00",
                    "[\"2021-03-04\",\"2021-03-05\"]");
    saw(scene, "PL-02", 4, NOON, "exchange_ews", FROM_PROXY("203.0.113.7"));
    const struct findings *findings = verdict_of(scene);
    bool told = false;

    assert_true(reach(findings, "iis_log")->begins_after_first_trace);
    assert_non_null(strstr(findings->verdict.summary, "No web log begins before that day"));
    for (size_t i = 0; i < findings->verdict.limit_count; i++)
        told |= strstr(findings->verdict.limits[i], "after the first trace") != NULL;
    assert_true(told);
}

static void a_deleted_file_counts_once_in_journal_and_mft(void **state)
{
    struct scene *scene = *state;

    had_running_log(scene, "iis_log", "2021-03-01T00:00:01.000000+00:00", "[\"2021-03-01\"]");
    knew(scene, "file.deleted_log", "$J", NOON,
         "\"TargetFilename\":\"C:\\\\inetpub\\\\logs\\\\W3SVC1\\\\u_ex210228.log\",\"LogAge\":"
         "\"3\"");
    knew(scene, "file.log_gone", "$MFT", NOON - 3 * DAY,
         "\"TargetFilename\":\"C:\\\\inetpub\\\\logs\\\\W3SVC1\\\\u_ex210228.log\"");
    const struct reach *found = reach(verdict_of(scene), "iis_log");

    assert_int_equal(found->deleted, 1);
    assert_int_equal(found->deleted_young, 1);
    assert_int_equal(found->deleted_first, NOON - 3 * DAY);
}

static void files_of_a_log_that_is_all_gone_are_counted(void **state)
{
    struct scene *scene = *state;

    knew(scene, "file.log_gone", "$MFT", NOON,
         "\"TargetFilename\":\"D:\\\\Logging\\\\HttpProxy\\\\Ecp\\\\HttpProxy_2021030304-1.LOG\"");
    assert_int_equal(verdict_of(scene)->retention.deleted_others, 1);
}

static void addresses_of_exchange_online_are_known(void **state)
{
    (void)state;
    assert_string_equal(known_network_of("52.97.12.3"), "Exchange Online");
    assert_string_equal(known_network_of("2603:1026:3::1"), "Exchange Online");
    assert_null(known_network_of("52.95.255.255"));
    assert_null(known_network_of("203.0.113.7"));
    assert_null(known_network_of("a name"));
}

static void nobody_is_sent_to_look_for_exchange_online(void **state)
{
    struct scene *scene = *state;

    saw(scene, "PL-02", 4, NOON, "exchange_httpproxy", FROM_PROXY("52.97.12.3"));
    const struct findings *findings = verdict_of(scene);

    for (size_t i = 0; i < findings->lead_count; i++)
        assert_null(strstr(findings->leads[i].what, "52.97.12.3"));
}

static void what_ties_the_server_to_exchange_online_is_told(void **state)
{
    struct scene *scene = *state;
    struct buffer text = BUFFER_EMPTY;

    saw(scene, "HY-01", 0, NOON, "exchange_rps_cmdlet",
        "\"Cmdlet\":\"New-HybridConfiguration\",\"Parameters\":\"-Domains x\"");
    knew(scene, "log.volume", "a", NOON,
         "\"BytesSent\":\"9\",\"BytesReceived\":\"0\",\"Lines\":\"3\",\"Clients\":\"9 0 3 "
         "52.97.12.3\"");
    const struct findings *findings = verdict_of(scene);
    findings_json(findings, &text);
    const char *hybrid = strstr(buffer_text(&text), "\"hybrid\"");

    assert_int_equal(findings->incidents.count, 0);
    assert_non_null(hybrid);
    assert_non_null(strstr(hybrid, "-Domains x"));
    assert_non_null(strstr(hybrid, "\"network\": \"Exchange Online\""));
    buffer_release(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_log_that_begins_before_the_trace_says_how_long),
        TEST(logs_that_begin_after_the_trace_are_told_with_the_verdict),
        TEST(a_deleted_file_counts_once_in_journal_and_mft),
        TEST(files_of_a_log_that_is_all_gone_are_counted),
        cmocka_unit_test(addresses_of_exchange_online_are_known),
        TEST(nobody_is_sent_to_look_for_exchange_online),
        TEST(what_ties_the_server_to_exchange_online_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
