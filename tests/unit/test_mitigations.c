/* Mitigations over time, their gaps, what updates and intruders were first, and settings that no
 * update replaces. */
#include "tests/unit/findings_scene.h"

#define DAY  (24 * HOUR)
#define RULE "\"RuleName\":\"X-BEResource Abort - inbound\""

static const char live[] = "C:\\Windows\\System32\\inetsrv\\config\\applicationHost.config";
static const char copy[] = "C:\\inetpub\\history\\CFGHISTORY_0000000002\\applicationHost.config";

static void was_installed(struct scene *scene, int64_t time, const char *version)
{
    char fields[200];

    snprintf(fields, sizeof fields,
             "\"Step\":\"run\",\"Outcome\":\"completed\",\"ProductVersion\":\"%s\"", version);
    knew(scene, "exchange.setup", "C:\\ExchangeSetupLogs\\ExchangeSetup.log", time, fields);
}

static void a_rule_that_came_and_went_has_a_span(void **state)
{
    struct scene *scene = *state;

    knew(scene, "iis.change", copy, NOON, "\"Change\":\"added\"," RULE);
    knew(scene, "iis.change", copy, NOON + DAY, "\"Change\":\"removed\"," RULE);
    const struct mitigations *found = &verdict_of(scene)->mitigations;

    assert_int_equal(found->count, 1);
    assert_int_equal(found->list[0].state, MITIGATION_REMOVED);
    assert_int_equal(found->list[0].span_count, 1);
    assert_int_equal(found->list[0].spans[0].from, NOON);
    assert_int_equal(found->list[0].spans[0].until, NOON + DAY);
    assert_int_equal(found->list[0].spans[0].until_bound, BOUND_AT_THE_LATEST);
}

static void a_rule_that_is_in_force_has_an_open_span(void **state)
{
    struct scene *scene = *state;

    knew(scene, "iis.change", copy, NOON, "\"Change\":\"added\"," RULE);
    knew(scene, "iis.rewrite", live, NOON + DAY, RULE ",\"Enabled\":\"true\"");
    const struct mitigations *found = &verdict_of(scene)->mitigations;

    assert_int_equal(found->list[0].span_count, 1);
    assert_true(found->list[0].spans[0].open);
    assert_int_equal(found->list[0].spans[0].from, NOON);
    assert_int_equal(found->gap_count, 0);
}

static void a_rule_that_nobody_saw_come_was_there_before_it_went(void **state)
{
    struct scene *scene = *state;

    knew(scene, "iis.change", copy, NOON, "\"Change\":\"removed\"," RULE);
    const struct mitigations *found = &verdict_of(scene)->mitigations;

    assert_int_equal(found->list[0].spans[0].from_bound, BOUND_UNKNOWN);
    assert_non_null(mitigation_at(found, "CVE-2021-26855", NOON - DAY));
    assert_null(mitigation_at(found, "CVE-2021-26855", NOON + 1));
}

static void a_rule_that_is_switched_off_protects_no_more(void **state)
{
    struct scene *scene = *state;

    knew(scene, "iis.rewrite", live, NOON, RULE ",\"Enabled\":\"false\"");
    const struct mitigations *found = &verdict_of(scene)->mitigations;

    assert_int_equal(found->list[0].state, MITIGATION_DISABLED);
    assert_int_equal(found->list[0].span_count, 0);
}

static void the_services_event_names_its_mitigation(void **state)
{
    struct scene *scene = *state;

    knew(scene, "eventlog.mitigation", "C:\\Application.evtx", NOON,
         "\"EventID\":\"1005\",\"Data\":\"Mitigation M1.1 has been applied.\"");
    knew(scene, "eventlog.mitigation", "C:\\Application.evtx", NOON,
         "\"EventID\":\"1008\",\"Data\":\"An unexpected exception occurred.\"");
    const struct mitigations *found = &verdict_of(scene)->mitigations;

    assert_int_equal(found->count, 1);
    assert_string_equal(found->list[0].name, "M1.1");
    assert_string_equal(found->list[0].kind, "emergency_service");
    assert_int_equal(found->list[0].spans[0].from_bound, BOUND_EXACT);
}

static void rules_of_others_are_no_mitigations(void **state)
{
    struct scene *scene = *state;

    knew(scene, "iis.rewrite", live, NOON, "\"RuleName\":\"Redirect to https\"");
    assert_int_equal(verdict_of(scene)->mitigations.count, 0);
}

static void what_went_before_the_fix_leaves_a_gap_until_it_comes(void **state)
{
    struct scene *scene = *state;

    set_version(scene, "15.1.2106.13");
    was_installed(scene, NOON - 30 * DAY, "15.1.2106.2");
    knew(scene, "iis.change", copy, NOON, "\"Change\":\"removed\"," RULE);
    was_installed(scene, NOON + 3 * DAY, "15.1.2106.13");
    const struct mitigations *found = &verdict_of(scene)->mitigations;

    assert_int_equal(found->gap_count, 1);
    assert_int_equal(found->gaps[0].from, NOON);
    assert_true(found->gaps[0].until_known);
    assert_int_equal(found->gaps[0].until, NOON + 3 * DAY);
}

static void what_went_after_the_fix_leaves_none(void **state)
{
    struct scene *scene = *state;

    set_version(scene, "15.1.2106.13");
    was_installed(scene, NOON - 30 * DAY, "15.1.2106.2");
    was_installed(scene, NOON - 3 * DAY, "15.1.2106.13");
    knew(scene, "iis.change", copy, NOON, "\"Change\":\"removed\"," RULE);
    assert_int_equal(verdict_of(scene)->mitigations.gap_count, 0);
}

/* --- who was first --- */

static const struct cve_outcome *of_the_front_end(const struct findings *findings)
{
    return outcome_of(findings, "CVE-2021-26855");
}

static void an_update_after_the_break_in_is_told_so(void **state)
{
    struct scene *scene = *state;

    set_version(scene, "15.1.2106.13");
    was_installed(scene, NOON - 30 * DAY, "15.1.2106.2");
    saw(scene, "PL-02", 4, NOON, "exchange_httpproxy", FROM_PROXY("203.0.113.7"));
    was_installed(scene, NOON + 2 * DAY + HOUR, "15.1.2106.13");
    const struct findings *findings = verdict_of(scene);
    const struct cve_outcome *outcome = of_the_front_end(findings);

    assert_int_equal(outcome->timing, TIMING_PATCHED_AFTER);
    assert_non_null(strstr(outcome->timing_why, "2 days and 1 hour after"));
    assert_non_null(strstr(findings->verdict.summary, "atched after the compromise"));
}

static void a_break_in_amid_a_gap_is_told_so(void **state)
{
    struct scene *scene = *state;

    was_installed(scene, NOON - 30 * DAY, "15.1.2106.2");
    knew(scene, "iis.change", copy, NOON - DAY, "\"Change\":\"removed\"," RULE);
    saw(scene, "PL-02", 4, NOON, "exchange_httpproxy", FROM_PROXY("203.0.113.7"));
    assert_int_equal(of_the_front_end(verdict_of(scene))->timing, TIMING_IN_MITIGATION_GAP);
}

static void a_break_in_despite_a_mitigation_is_told_so(void **state)
{
    struct scene *scene = *state;

    was_installed(scene, NOON - 30 * DAY, "15.1.2106.2");
    knew(scene, "iis.change", copy, NOON - DAY, "\"Change\":\"added\"," RULE);
    knew(scene, "iis.rewrite", live, NOON - DAY, RULE);
    saw(scene, "PL-02", 4, NOON, "exchange_httpproxy", FROM_PROXY("203.0.113.7"));
    assert_int_equal(of_the_front_end(verdict_of(scene))->timing, TIMING_DESPITE_MITIGATION);
}

static void a_server_that_never_got_the_fix_is_told_so(void **state)
{
    struct scene *scene = *state;

    saw(scene, "PL-02", 4, NOON, "exchange_httpproxy", FROM_PROXY("203.0.113.7"));
    assert_int_equal(of_the_front_end(verdict_of(scene))->timing, TIMING_NEVER_PATCHED);
}

/* --- settings --- */

#define PROTECTS(place, checking)                                                                  \
    "\"Location\":\"" place "\",\"Enabled\":\"true\",\"TokenChecking\":\"" checking "\""

static void extended_protection_closes_what_no_update_does(void **state)
{
    struct scene *scene = *state;

    set_version(scene, "15.1.2507.35");
    knew(scene, "iis.protection", live, NOON, PROTECTS("Default Web Site/owa", "Require"));
    knew(scene, "iis.protection", live, NOON, PROTECTS("Default Web Site/EWS", "Allow"));
    knew(scene, "iis.protection", live, NOON, PROTECTS("Default Web Site/Autodiscover", "None"));
    const struct exposure *exposure = &verdict_of(scene)->exposure;

    assert_int_equal(exposure->extended_protection.state, PROTECTION_ON);
    assert_int_equal(exposure_of(exposure, "CVE-2024-21410")->state, EXPOSURE_FIXED);
}

static void one_open_directory_is_enough_for_relaying(void **state)
{
    struct scene *scene = *state;

    set_version(scene, "15.1.2507.35");
    knew(scene, "iis.protection", live, NOON, PROTECTS("Default Web Site/owa", "Require"));
    knew(scene, "iis.protection", live, NOON, PROTECTS("Exchange Back End/MAPI", "None"));
    const struct exposure *exposure = &verdict_of(scene)->exposure;

    assert_int_equal(exposure->extended_protection.state, PROTECTION_PARTLY);
    assert_string_equal(exposure->extended_protection.open, "Exchange Back End/MAPI");
    assert_int_equal(exposure_of(exposure, "CVE-2024-21410")->state, EXPOSURE_VULNERABLE);
}

static void without_a_configuration_it_stays_open(void **state)
{
    struct scene *scene = *state;

    set_version(scene, "15.1.2507.35");
    const struct exposure *exposure = &verdict_of(scene)->exposure;

    assert_int_equal(exposure->extended_protection.state, PROTECTION_UNKNOWN);
    assert_int_equal(exposure_of(exposure, "CVE-2024-21410")->state, EXPOSURE_INDETERMINATE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_rule_that_came_and_went_has_a_span),
        TEST(a_rule_that_is_in_force_has_an_open_span),
        TEST(a_rule_that_nobody_saw_come_was_there_before_it_went),
        TEST(a_rule_that_is_switched_off_protects_no_more),
        TEST(the_services_event_names_its_mitigation),
        TEST(rules_of_others_are_no_mitigations),
        TEST(what_went_before_the_fix_leaves_a_gap_until_it_comes),
        TEST(what_went_after_the_fix_leaves_none),
        TEST(an_update_after_the_break_in_is_told_so),
        TEST(a_break_in_amid_a_gap_is_told_so),
        TEST(a_break_in_despite_a_mitigation_is_told_so),
        TEST(a_server_that_never_got_the_fix_is_told_so),
        TEST(extended_protection_closes_what_no_update_does),
        TEST(one_open_directory_is_enough_for_relaying),
        TEST(without_a_configuration_it_stays_open),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
