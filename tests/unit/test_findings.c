/* The verdict: what belongs together, how far it went, what the server was open to. */
#include "tests/unit/findings_scene.h"
#include "triage/findings/joining.h"

/* --- what belongs together --- */

static void requests_join_the_file_that_they_ask_for(void **state)
{
    struct scene *scene = *state;

    saw(scene, "WS-01", 4, NOON, "web_root",
        "\"TargetFilename\":\"D:\\\\Exchange\\\\owa\\\\Auth\\\\x.aspx\"");
    saw(scene, "WS-26", 3, NOON + HOUR, "iis_log",
        FROM("203.0.113.7") "," PAGE("/owa/auth/X.aspx"));
    const struct findings *findings = verdict_of(scene);

    assert_int_equal(findings->incidents.count, 1);
    assert_int_equal(findings->verdict.rung, RUNG_USED);
    assert_int_equal(findings->verdict.confidence, CONFIDENCE_CONFIRMED);
    assert_int_equal(findings->incidents.list[0].file_count, 1);
    assert_int_equal(findings->incidents.list[0].files[0].requests, 1);
}

/* All that is left are event logs: no address, no request. */
static void a_chain_in_event_logs_is_one_incident(void **state)
{
    struct scene *scene = *state;
    const int64_t second = 1000000;

    saw(scene, "PL-30", 4, NOON, "eventlog", "");
    saw(scene, "PL-13", 4, NOON + second, "eventlog", "");
    saw(scene, "PL-31", 4, NOON + 2 * second, "eventlog", "");
    saw(scene, "PL-31", 4, NOON + 2 * second, "eventlog", "");
    saw(scene, "PL-33", 1, NOON + 3 * second, "eventlog", "");
    saw(scene, "WS-37", 4, NOON + 4 * second, "eventlog", "");
    saw(scene, "WS-31", 4, NOON + 5 * second, "eventlog", "");
    const struct findings *findings = verdict_of(scene);

    assert_int_equal(findings->incidents.count, 1);
    assert_int_equal(findings->incidents.list[0].member_count, 7);
    assert_int_equal(findings->incidents.list[0].rung, RUNG_USED);
}

static void a_command_hours_later_is_another_matter(void **state)
{
    struct scene *scene = *state;

    saw(scene, "PL-13", 4, NOON, "eventlog", "");
    saw(scene, "WS-31", 4, NOON + HOUR, "eventlog", "");
    assert_int_equal(verdict_of(scene)->incidents.count, 2);
}

static void attackers_that_share_nothing_stay_apart(void **state)
{
    struct scene *scene = *state;

    saw(scene, "PL-02", 4, NOON, "exchange_httpproxy", "\"ClientIpAddress\":\"203.0.113.7\"");
    saw(scene, "PS-03", 4, NOON + 1, "exchange_httpproxy", "\"ClientIpAddress\":\"203.0.113.8\"");
    const struct findings *findings = verdict_of(scene);

    assert_int_equal(findings->incidents.count, 2);
    assert_string_equal(findings->incidents.list[0].actors[0].address, "203.0.113.7");
    assert_string_equal(findings->incidents.list[1].actors[0].address, "203.0.113.8");
}

static void a_proxys_address_joins_nobody(void **state)
{
    struct scene *scene = *state;

    saw(scene, "PL-04", 3, NOON, "iis_log", FROM("10.0.0.5") ",\"cs-uri-stem\":\"/ecp/a.js\"");
    saw(scene, "PL-04", 3, NOON + HOUR, "iis_log",
        FROM("10.0.0.5") ",\"cs-uri-stem\":\"/ecp/b.js\"");
    assert_int_equal(verdict_of(scene)->incidents.count, 2);
}

static void the_client_behind_a_proxy_counts(void **state)
{
    struct scene *scene = *state;

    saw(scene, "PL-04", 3, NOON, "iis_log",
        FROM("10.0.0.5") ",\"X-Forwarded-For\":\"203.0.113.9:4711, 10.0.0.5\"");
    assert_string_equal(verdict_of(scene)->incidents.list[0].actors[0].address, "203.0.113.9");
}

static void one_request_in_two_logs_is_one_witness(void **state)
{
    struct scene *scene = *state;

    saw(scene, "PL-02", 4, NOON, "exchange_httpproxy",
        "\"RequestId\":\"e20ec187-c154-4c6b-bfb0-712893f695aa\",\"ClientIpAddress\":\"203.0.113."
        "7\"");
    saw(scene, "PL-04", 3, NOON, "iis_log",
        FROM("10.0.0.5") ",\"cs-uri-query\":\"&cafeReqId=e20ec187-c154-4c6b-bfb0-712893f695aa;\"");
    const struct findings *findings = verdict_of(scene);

    assert_int_equal(findings->incidents.count, 1);
    assert_int_equal(findings->verdict.confidence, CONFIDENCE_PROBABLE);
}

static void the_control_panels_record_joins_the_forged_request(void **state)
{
    struct scene *scene = *state;

    saw(scene, "PL-08", 4, NOON, "exchange_httpproxy", "\"ClientIpAddress\":\"203.0.113.7\"");
    saw(scene, "PL-10", 4, NOON + 800000, "exchange_ecp_server", "\"EventId\":\"ECP.Request\"");
    const struct findings *findings = verdict_of(scene);

    assert_int_equal(findings->incidents.count, 1);
    assert_int_equal(findings->verdict.rung, RUNG_PLACED);
}

static void what_happens_on_the_host_goes_to_the_intrusion_before_it(void **state)
{
    struct scene *scene = *state;

    saw(scene, "WS-01", 4, NOON, "web_root",
        "\"TargetFilename\":\"C:\\\\inetpub\\\\wwwroot\\\\x.aspx\"");
    saw(scene, "PE-01", 4, NOON + HOUR, "eventlog", "\"CommandLine\":\"rundll32 comsvcs\"");
    const struct findings *findings = verdict_of(scene);

    assert_int_equal(findings->incidents.count, 1);
    assert_int_equal(findings->verdict.rung, RUNG_HANDS_ON);
}

static void an_administrators_trace_is_no_intrusion(void **state)
{
    struct scene *scene = *state;

    had_log(scene, "iis_log", "[\"2021-03-03\"]");
    saw(scene, "PR-04", 3, NOON, "registry_hive", "\"TargetObject\":\"HKLM\\\\Run\\\\Tool\"");
    const struct findings *findings = verdict_of(scene);

    assert_int_equal(findings->verdict.rung, RUNG_NOTHING);
    assert_int_equal(findings->verdict.confidence, CONFIDENCE_SUSPICIOUS);
    assert_int_equal(findings->remnant_count, 1);
}

/* --- how far it went --- */

static void refused_requests_are_scanning(void **state)
{
    struct scene *scene = *state;

    set_version(scene, "15.1.2106.13");
    saw(scene, "PL-02", 0, NOON, "exchange_httpproxy",
        "\"ClientIpAddress\":\"203.0.113.7\",\"HttpStatus\":\"404\"");
    const struct findings *findings = verdict_of(scene);

    assert_int_equal(findings->verdict.rung, RUNG_PROBED);
    assert_true(findings->incidents.list[0].scanning);
    assert_int_equal(outcome_of(findings, "CVE-2021-26855")->outcome, OUTCOME_FAILED);
}

static void attempts_on_an_open_server_are_targeted(void **state)
{
    struct scene *scene = *state;

    saw(scene, "PL-02", 2, NOON, "exchange_httpproxy",
        "\"ClientIpAddress\":\"203.0.113.7\",\"HttpStatus\":\"500\"");
    const struct findings *findings = verdict_of(scene);

    assert_int_equal(findings->verdict.rung, RUNG_TARGETED);
    assert_int_equal(outcome_of(findings, "CVE-2021-26855")->outcome, OUTCOME_ATTEMPTED);
}

static void a_fetched_archive_was_taken(void **state)
{
    struct scene *scene = *state;

    saw(scene, "WS-01", 4, NOON, "web_root",
        "\"TargetFilename\":\"C:\\\\inetpub\\\\wwwroot\\\\x.aspx\"");
    saw(scene, "PE-11", 3, NOON + 1, "web_root",
        "\"TargetFilename\":\"C:\\\\inetpub\\\\wwwroot\\\\a.zip\",\"Size\":\"77\"");
    saw(scene, "PE-14", 4, NOON + 2, "iis_log", FROM("203.0.113.7") "," PAGE("/a.zip"));
    const struct findings *findings = verdict_of(scene);

    assert_int_equal(findings->taken_count, 1);
    assert_int_equal(findings->taken[0].status, TAKEN_CONFIRMED);
    assert_int_equal(findings->taken[0].size, 77);
    assert_string_equal(findings->taken[0].by, "203.0.113.7");
    assert_int_equal(findings->verdict.rung, RUNG_STOLEN);
}

static void an_archive_that_nobody_fetched_is_prepared(void **state)
{
    struct scene *scene = *state;

    saw(scene, "WS-01", 4, NOON, "web_root",
        "\"TargetFilename\":\"C:\\\\inetpub\\\\wwwroot\\\\x.aspx\"");
    saw(scene, "PE-11", 3, NOON + 1, "web_root",
        "\"TargetFilename\":\"C:\\\\inetpub\\\\wwwroot\\\\a.zip\"");
    const struct findings *findings = verdict_of(scene);

    assert_int_equal(findings->taken[0].status, TAKEN_PREPARED);
    assert_int_equal(findings->verdict.rung, RUNG_HANDS_ON);
}

/* Two reasons for the same bytes are one loss. */
static void what_the_medium_lost_is_a_limit(void **state)
{
    static const char document[] =
        "[{\"evidence\":\"a\",\"ranges\":[{\"offset\":1000,\"size\":500,\"why\":\"x\"},"
        "{\"offset\":1400,\"size\":200,\"why\":\"y\"}]},"
        "{\"evidence\":\"b\",\"ranges\":[{\"offset\":1000,\"size\":7,\"why\":\"x\"}]}]";
    struct scene *scene = *state;
    bool found = false;

    assert_int_equal(case_set_document(scene->file, "damage", slice_of_text(document)), 0);
    const struct findings *findings = verdict_of(scene);

    assert_int_equal(findings->damaged, 607);
    for (size_t i = 0; i < findings->verdict.limit_count; i++)
        found |= strstr(findings->verdict.limits[i], "607 bytes of the evidence") != NULL;
    assert_true(found);
}

static void nothing_without_logs_cannot_be_told(void **state)
{
    struct scene *scene = *state;
    const struct findings *findings = verdict_of(scene);

    assert_true(findings->verdict.not_determinable);
    assert_int_equal(outcome_of(findings, "CVE-2021-26855")->outcome, OUTCOME_NOT_DETERMINABLE);
    assert_non_null(strstr(findings->verdict.summary, "cannot be told"));
    assert_string_equal(verdict_name(&findings->verdict), "cannot be told");
}

static void traces_without_an_intrusion_are_no_all_clear(void **state)
{
    struct scene *scene = *state;

    had_log(scene, "iis_log", "[\"2021-03-01\",\"2021-03-03\"]");
    saw(scene, "PE-01", 3, NOON, "eventlog", "\"Image\":\"C:\\\\a.exe\"");
    const struct findings *findings = verdict_of(scene);

    assert_int_equal(findings->verdict.rung, RUNG_NOTHING);
    assert_string_equal(verdict_name(&findings->verdict), "traces that somebody must explain");
    assert_string_equal(incident_name(&findings->incidents.list[0]),
                        "traces that somebody must explain");
    assert_false(findings->verdict.is_blind);
}

static void attempts_without_the_logs_that_would_show_success_are_not_all(void **state)
{
    struct scene *scene = *state;

    saw(scene, "PL-01", 2, NOON, "httperr", FROM("203.0.113.7") ",\"sc-status\":\"404\"");
    const struct findings *findings = verdict_of(scene);

    assert_true(findings->verdict.rung < RUNG_EXPLOITED);
    assert_true(findings->verdict.is_blind);
    assert_non_null(strstr(findings->verdict.summary, "Whether anybody got in cannot be told"));
}

static void nothing_in_logs_that_are_there_is_said_with_their_days(void **state)
{
    struct scene *scene = *state;

    had_log(scene, "iis_log", "[\"2021-03-01\",\"2021-03-03\"]");
    const struct findings *findings = verdict_of(scene);
    const struct cve_outcome *outcome = outcome_of(findings, "CVE-2021-26855");

    assert_false(findings->verdict.not_determinable);
    assert_int_equal(outcome->outcome, OUTCOME_NONE_SEEN);
    assert_non_null(strstr(outcome->why, "2 of 3 days"));
}

/* --- what it was open to --- */

static void builds_are_compared_within_one_cumulative_update(void **state)
{
    struct scene *scene = *state;

    set_version(scene, "15.1.2176.2"); /* higher than the fixed 15.1.2106.13, but of CU19 */
    assert_int_equal(outcome_of(verdict_of(scene), "CVE-2021-26855")->exposure->state,
                     EXPOSURE_VULNERABLE);
}

static void sources_that_disagree_leave_it_open(void **state)
{
    struct scene *scene = *state;

    set_version(scene, "15.1.1415.8");
    assert_int_equal(outcome_of(verdict_of(scene), "CVE-2021-26855")->exposure->state,
                     EXPOSURE_INDETERMINATE);
}

static void an_update_ends_the_open_time(void **state)
{
    struct scene *scene = *state;
    const struct cve_exposure *exposure;

    set_version(scene, "15.1.2106.13");
    knew(scene, "registry.product", "C:\\SOFTWARE", 0,
         "\"Product\":\"Microsoft Exchange Server 2016 Cumulative Update 18\","
         "\"ProductVersion\":\"15.1.2106.2\",\"InstallDate\":\"20210101\"");
    knew(
        scene, "registry.product", "C:\\SOFTWARE", 0,
        "\"Product\":\"Security Update for Exchange Server 2016 Cumulative Update 18 (KB5000871)\","
        "\"InstallDate\":\"20210303\"");
    saw(scene, "PL-02", 4, NOON - 48 * HOUR, "exchange_httpproxy",
        "\"ClientIpAddress\":\"203.0.113.7\"");
    const struct findings *findings = verdict_of(scene);

    exposure = exposure_of(&findings->exposure, "CVE-2021-26855");
    assert_int_equal(exposure->state, EXPOSURE_FIXED);
    assert_true(exposure->from_known && exposure->until_known);
    assert_int_equal(exposure_at(exposure, NOON - 48 * HOUR), EXPOSURE_VULNERABLE);
    assert_int_equal(exposure_at(exposure, NOON), EXPOSURE_FIXED);
    assert_non_null(
        strstr(outcome_of(findings, "CVE-2021-26855")->why, "while the server was vulnerable"));
    assert_int_equal(findings->exposure.update_state, UPDATE_COMPLETE);
}

static void a_registered_update_that_is_not_there_has_failed(void **state)
{
    struct scene *scene = *state;

    knew(scene, "registry.product", "C:\\SOFTWARE", NOON,
         "\"Product\":\"Security Update for Exchange Server 2016 Cumulative Update 18 "
         "(KB5000871)\"");
    const struct findings *findings = verdict_of(scene);

    assert_int_equal(findings->exposure.update_state, UPDATE_FAILED);
    assert_string_equal(findings->exposure.claimed, "15.1.2106.13");
    assert_string_equal(findings->exposure.found, "15.1.2106.2");
    assert_int_equal(exposure_of(&findings->exposure, "CVE-2021-26855")->state,
                     EXPOSURE_VULNERABLE);
}

static void the_installers_events_tell_when_an_update_came(void **state)
{
    struct scene *scene = *state;

    set_version(scene, "15.1.2106.13");
    knew(scene, "eventlog.msi", "C:\\Application.evtx", NOON,
         "\"EventID\":\"1036\",\"Data0\":\"Microsoft Exchange Server\",\"Data1\":\"15.1.2106.2\"");
    knew(scene, "eventlog.msi", "C:\\Application.evtx", NOON + HOUR,
         "\"EventID\":\"1022\",\"Data0\":\"Product: Microsoft Exchange Server - Update 'Security "
         "Update for "
         "Exchange Server 2016 Cumulative Update 18 (KB5000871)' installed successfully.\"");
    const struct findings *findings = verdict_of(scene);

    assert_int_equal(findings->exposure.history_count, 2);
    assert_string_equal(findings->exposure.history[1].text, "15.1.2106.13");
    assert_int_equal(findings->exposure.history[1].time, NOON + HOUR);
}

static void files_left_behind_make_an_update_partial(void **state)
{
    struct scene *scene = *state;

    set_version(scene, "15.1.2106.13");
    knew(scene, "program.file",
         "D:\\Exchange\\FrontEnd\\HttpProxy\\bin\\Microsoft.Exchange.FrontEndHttpProxy.dll", NOON,
         "\"FileVersion\":\"15.1.2106.2\"");
    knew(scene, "program.file",
         "D:\\Exchange\\FrontEnd\\HttpProxy\\bin\\Microsoft.Exchange.HttpUtilities.dll", NOON,
         "\"FileVersion\":\"15.1.2106.13\"");
    const struct findings *findings = verdict_of(scene);

    assert_int_equal(findings->exposure.update_state, UPDATE_PARTIAL);
    assert_int_equal(findings->exposure.files_compared, 2);
    assert_int_equal(findings->exposure.left_behind_count, 1);
    assert_int_equal(exposure_of(&findings->exposure, "CVE-2021-26855")->state,
                     EXPOSURE_INDETERMINATE);
}

static void a_rule_that_is_not_listed_is_judged_by_its_tags(void **state)
{
    struct judgements judgements;
    struct arena *arena = arena_new(0);
    char path[512];

    (void)state;
    snprintf(path, sizeof path, "%s/judgement.tsv", getenv("EXTRIAGE_RULES"));
    assert_int_equal(judgements_load(path, arena, &judgements), 0);
    const struct judgement *own = judgement_of(&judgements, "PL-02", "[]");
    const struct judgement *other =
        judgement_of(&judgements, "proc_x", "[\"attack.t1505.003\",\"cve.2021-26855\"]");
    assert_string_equal(own->proves, "CVE-2021-26855");
    assert_int_equal(other->rung, RUNG_PLACED);
    assert_string_equal(other->suggests, "CVE-2021-26855");
    assert_ptr_equal(judgement_of(&judgements, "proc_x", "[]"), other);
    arena_free(arena);
}

/* Two hundred thousand dropped files within one second, as whoever is on the disk can make them. */
static void a_flood_of_one_second_is_joined_in_one_walk(void **state)
{
    enum { FLOOD = 200000 };
    static const struct judgement placed = {.rung = RUNG_PLACED},
                                  exploited = {.rung = RUNG_EXPLOITED};
    struct sightings sightings = {.list = calloc(FLOOD, sizeof(struct sighting)), .count = FLOOD};
    uint32_t *groups = calloc(FLOOD, sizeof *groups);

    (void)state;
    for (size_t i = 0; i < FLOOD; i++)
        sightings.list[i] = (struct sighting){.dated = true,
                                              .time = NOON,
                                              .level = 3,
                                              .judgement = &placed,
                                              .rule = "WS-01",
                                              .witness = WITNESS_FILE_SYSTEM};
    assert_int_equal(joining_groups(&sightings, groups), 0);
    assert_int_equal(groups[FLOOD - 1], FLOOD - 1);
    sightings.list[FLOOD / 2].rule = "PL-08";
    sightings.list[FLOOD / 2].witness = WITNESS_WEB_LOG;
    sightings.list[FLOOD / 2].judgement = &exploited;
    assert_int_equal(joining_groups(&sightings, groups), 0);
    for (size_t i = 0; i < FLOOD; i++)
        assert_int_equal(groups[i], groups[0]);
    free(sightings.list);
    free(groups);
}

static void a_small_thing_in_front_of_its_cause_belongs_to_it(void **state)
{
    static const struct judgement exploited = {.rung = RUNG_EXPLOITED};
    struct sighting list[] = {
        {.dated = true, .time = NOON, .level = 1, .rule = "PL-10", .witness = WITNESS_EXCHANGE_LOG},
        {.dated = true, .time = NOON + 10000000, .level = 3, .rule = "PL-08"},
    };
    const struct sightings sightings = {.list = list, .count = 2};
    uint32_t groups[2];

    (void)state;
    list[0].judgement = list[1].judgement = &exploited;
    assert_int_equal(joining_groups(&sightings, groups), 0);
    assert_int_equal(groups[0], 0);
    assert_int_equal(groups[1], 0);
}

static void what_was_not_read_is_told_with_the_verdict(void **state)
{
    struct scene *scene = *state;
    const struct case_note row = {.evidence = "a.E01", .path = "C:\\logs\\x.log", .text = "lost"};

    had_log(scene, "iis_log", "[\"2021-03-01\",\"2021-03-02\",\"2021-03-03\"]");
    assert_int_equal(case_add_unread(scene->file, "task", &row), 0);
    const struct findings *findings = verdict_of(scene);
    assert_int_equal(findings->verdict.rung, RUNG_NOTHING);
    assert_non_null(strstr(findings->verdict.summary, "could not be read"));
    assert_non_null(strstr(findings->verdict.limits[0], "1 files or parts"));
}

static void a_broken_date_does_not_move_the_days_of_a_log(void **state)
{
    struct scene *scene = *state;

    had_log(scene, "iis_log", "[\"2195-01-01\",\"1971-01-01\"]");
    had_log(scene, "iis_log", "[\"2021-03-01\",\"2021-03-02\",\"2021-03-03\"]");
    const struct log_span *span = log_span_of(&verdict_of(scene)->spans, "iis_log");
    assert_int_equal(span->days, 3);
    assert_int_equal(log_span_missing(span), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_flood_of_one_second_is_joined_in_one_walk),
        TEST(a_small_thing_in_front_of_its_cause_belongs_to_it),
        TEST(what_was_not_read_is_told_with_the_verdict),
        TEST(a_broken_date_does_not_move_the_days_of_a_log),
        TEST(requests_join_the_file_that_they_ask_for),
        TEST(a_chain_in_event_logs_is_one_incident),
        TEST(a_command_hours_later_is_another_matter),
        TEST(attackers_that_share_nothing_stay_apart),
        TEST(a_proxys_address_joins_nobody),
        TEST(the_client_behind_a_proxy_counts),
        TEST(one_request_in_two_logs_is_one_witness),
        TEST(the_control_panels_record_joins_the_forged_request),
        TEST(what_happens_on_the_host_goes_to_the_intrusion_before_it),
        TEST(an_administrators_trace_is_no_intrusion),
        TEST(refused_requests_are_scanning),
        TEST(traces_without_an_intrusion_are_no_all_clear),
        TEST(attempts_without_the_logs_that_would_show_success_are_not_all),
        TEST(attempts_on_an_open_server_are_targeted),
        TEST(a_fetched_archive_was_taken),
        TEST(an_archive_that_nobody_fetched_is_prepared),
        TEST(what_the_medium_lost_is_a_limit),
        TEST(nothing_without_logs_cannot_be_told),
        TEST(nothing_in_logs_that_are_there_is_said_with_their_days),
        TEST(builds_are_compared_within_one_cumulative_update),
        TEST(sources_that_disagree_leave_it_open),
        TEST(an_update_ends_the_open_time),
        TEST(a_registered_update_that_is_not_there_has_failed),
        TEST(the_installers_events_tell_when_an_update_came),
        TEST(files_left_behind_make_an_update_partial),
        cmocka_unit_test(a_rule_that_is_not_listed_is_judged_by_its_tags),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
