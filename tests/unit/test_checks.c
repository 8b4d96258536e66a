/* What needs more than one record: the checks of the findings. */
#include "tests/unit/findings_scene.h"

static const struct check *check_of(const struct findings *findings, const char *id)
{
    for (size_t i = 0; i < findings->checks.count; i++)
        if (strcmp(findings->checks.list[i].id, id) == 0)
            return &findings->checks.list[i];
    return NULL;
}

static void assert_check(const struct findings *findings, const char *id, int level,
                         const char *words)
{
    const struct check *check = check_of(findings, id);

    if (!check)
        fail_msg("%s found nothing", id);
    assert_int_equal(check->level, level);
    if (!strstr(check->what, words) && !strstr(check->why, words))
        fail_msg("%s: %s; %s", id, check->what, check->why);
}

static const char *const installed =
    "\"Product\":\"Microsoft Exchange Server 2016 Cumulative Update 18\","
    "\"ProductVersion\":\"15.1.2106.2\",\"InstallDate\":\"20210101\"";

static void vu_01_names_what_the_build_is_open_to(void **state)
{
    struct scene *scene = *state;
    const struct findings *findings = verdict_of(scene);

    assert_check(findings, "VU-01", 0, "15.1.2106.2");
    assert_null(check_of(findings, "VU-10"));
    assert_null(check_of(findings, "VU-11"));
}

static void vu_01_weighs_more_when_one_of_them_was_used(void **state)
{
    struct scene *scene = *state;

    saw(scene, "PL-07", 4, NOON, "exchange_httpproxy", "\"ClientIpAddress\":\"203.0.113.7\"");
    assert_check(verdict_of(scene), "VU-01", 3, "15.1.2106.2");
}

static void vu_02_knows_the_updates_that_fixed_four_of_seven(void **state)
{
    struct scene *scene = *state;

    set_version(scene, "15.1.1591.18"); /* 2016 CU11 with its update of March 2021 */
    assert_check(verdict_of(scene), "VU-02", 2, "four of seven");
}

static void vu_02_says_nothing_of_a_whole_update(void **state)
{
    struct scene *scene = *state;

    set_version(scene, "15.1.2106.13");
    assert_null(check_of(verdict_of(scene), "VU-02"));
}

static void vu_03_names_a_file_that_was_left(void **state)
{
    struct scene *scene = *state;

    set_version(scene, "15.1.2106.13");
    knew(scene, "program.file", "D:\\Exchange\\FrontEnd\\HttpProxy\\bin\\AirFilter.dll", 0,
         "\"FileVersion\":\"15.1.2106.2\"");
    assert_check(verdict_of(scene), "VU-03", 3, "AirFilter.dll is 15.1.2106.2");
}

static void vu_03_says_nothing_when_the_files_have_the_build(void **state)
{
    struct scene *scene = *state;

    set_version(scene, "15.1.2106.13");
    knew(scene, "program.file", "D:\\Exchange\\FrontEnd\\HttpProxy\\bin\\AirFilter.dll", 0,
         "\"FileVersion\":\"15.1.2106.13\"");
    assert_null(check_of(verdict_of(scene), "VU-03"));
}

static void vu_04_is_an_update_that_only_the_registry_has(void **state)
{
    struct scene *scene = *state;

    knew(scene, "registry.product", "C:\\SOFTWARE", NOON,
         "\"Product\":\"Security Update for Exchange Server 2016 Cumulative Update 18 "
         "(KB5000871)\"");
    assert_check(verdict_of(scene), "VU-04", 3, "15.1.2106.13");
}

static void vu_05_needs_a_broken_run_and_an_update_that_did_not_take(void **state)
{
    struct scene *scene = *state;

    saw(scene, "VU-05", 2, NOON, "exchange_setup", "");
    knew(scene, "registry.product", "C:\\SOFTWARE", NOON,
         "\"Product\":\"Security Update for Exchange Server 2016 Cumulative Update 18 "
         "(KB5000871)\"");
    assert_check(verdict_of(scene), "VU-05", 3, "not repeated");
}

static void vu_05_says_nothing_when_setup_went_well_after_all(void **state)
{
    struct scene *scene = *state;

    set_version(scene, "15.1.2106.13");
    saw(scene, "VU-05", 2, NOON, "exchange_setup", "");
    assert_null(check_of(verdict_of(scene), "VU-05"));
}

static void vu_07_is_a_mitigation_that_went_before_the_fix(void **state)
{
    struct scene *scene = *state;

    knew(scene, "registry.product", "C:\\SOFTWARE", 0, installed);
    saw(scene, "VU-07", 2, NOON, "iis_config_history", "");
    assert_check(verdict_of(scene), "VU-07", 3, "still vulnerable");
}

static void vu_07_says_nothing_on_a_fixed_server(void **state)
{
    struct scene *scene = *state;

    set_version(scene, "15.2.1748.10");
    saw(scene, "VU-07", 2, NOON, "iis_config_history", "");
    assert_null(check_of(verdict_of(scene), "VU-07"));
}

static void vu_10_knows_products_without_updates(void **state)
{
    struct scene *scene = *state;

    set_version(scene, "15.0.1497.48");
    assert_check(verdict_of(scene), "VU-10", 2, "2023-04-11");
}

static void vu_10_counts_2016_and_2019_from_their_last_update_on(void **state)
{
    struct scene *scene = *state;

    set_version(scene, "15.1.2507.61");
    had_log(scene, "iis_log", "[\"2025-10-01\",\"2025-12-24\"]");
    assert_check(verdict_of(scene), "VU-10", 2, "2025-10-14");
}

static void vu_10_says_nothing_of_updates_by_subscription(void **state)
{
    struct scene *scene = *state;

    set_version(scene, "15.1.2507.63");
    had_log(scene, "iis_log", "[\"2025-10-01\",\"2025-12-24\"]");
    assert_null(check_of(verdict_of(scene), "VU-10"));
}

static void vu_10_says_nothing_of_logs_from_before_the_end(void **state)
{
    struct scene *scene = *state;

    set_version(scene, "15.2.1748.39");
    had_log(scene, "exchange_httpproxy", "[\"2025-10-01\",\"2025-10-10\"]");
    assert_null(check_of(verdict_of(scene), "VU-10"));
}

static void vu_11_is_a_server_without_client_access(void **state)
{
    struct scene *scene = *state;

    assert_int_equal(case_set_document(scene->file, "host",
                                       SLICE_LITERAL("{\"exchange\":{\"roles\":[{\"name\":"
                                                     "\"GatewayRole\"}]}}")),
                     0);
    assert_check(verdict_of(scene), "VU-11", 0, "GatewayRole");
}

static void af_03_counts_numbers_that_event_logs_lack(void **state)
{
    struct scene *scene = *state;
    const struct case_coverage row = {.path = "C:\\Security.evtx",
                                      .artifact = "eventlog",
                                      .records = 10,
                                      .used = 10,
                                      .gaps = 2,
                                      .missing = 77,
                                      .first = "",
                                      .last = "",
                                      .days = "[]",
                                      .damage = "[]"};

    assert_int_equal(case_add_coverage(scene->file, "task", &row), 0);
    assert_check(verdict_of(scene), "AF-03", 2, "77 record numbers are skipped in 2 places");
}

static void af_04_is_a_day_that_only_iis_does_not_know(void **state)
{
    struct scene *scene = *state;

    had_log(scene, "iis_log", "[\"2021-03-01\",\"2021-03-04\"]");
    had_log(scene, "exchange_httpproxy", "[\"2021-03-01\",\"2021-03-02\",\"2021-03-04\"]");
    assert_check(verdict_of(scene), "AF-04", 3, "the first 2021-03-02, the last 2021-03-02");
}

static void af_04_says_nothing_of_a_day_without_requests(void **state)
{
    struct scene *scene = *state;

    had_log(scene, "iis_log", "[\"2021-03-01\",\"2021-03-03\"]");
    had_log(scene, "exchange_httpproxy", "[\"2021-03-01\",\"2021-03-03\"]");
    assert_null(check_of(verdict_of(scene), "AF-04"));
}

static void ws_19_is_a_page_that_came_when_nothing_was_installed(void **state)
{
    struct scene *scene = *state;

    knew(scene, "registry.product", "C:\\SOFTWARE", 0, installed);
    saw(scene, "WS-12", 3, NOON, "web_root",
        "\"TargetFilename\":\"D:\\\\Exchange\\\\FrontEnd\\\\HttpProxy\\\\owa\\\\auth\\\\x.aspx\"");
    const struct findings *findings = verdict_of(scene);

    assert_check(findings, "WS-19", 3, "1 page in");
    assert_int_equal(check_of(findings, "WS-19")->count, 1);
}

static void ws_19_says_nothing_without_a_known_installation(void **state)
{
    struct scene *scene = *state;

    saw(scene, "WS-12", 3, NOON, "web_root",
        "\"TargetFilename\":\"D:\\\\Exchange\\\\FrontEnd\\\\HttpProxy\\\\owa\\\\auth\\\\x.aspx\"");
    assert_null(check_of(verdict_of(scene), "WS-19"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(vu_01_names_what_the_build_is_open_to),
        TEST(vu_01_weighs_more_when_one_of_them_was_used),
        TEST(vu_02_knows_the_updates_that_fixed_four_of_seven),
        TEST(vu_02_says_nothing_of_a_whole_update),
        TEST(vu_03_names_a_file_that_was_left),
        TEST(vu_03_says_nothing_when_the_files_have_the_build),
        TEST(vu_04_is_an_update_that_only_the_registry_has),
        TEST(vu_05_needs_a_broken_run_and_an_update_that_did_not_take),
        TEST(vu_05_says_nothing_when_setup_went_well_after_all),
        TEST(vu_07_is_a_mitigation_that_went_before_the_fix),
        TEST(vu_07_says_nothing_on_a_fixed_server),
        TEST(vu_10_knows_products_without_updates),
        TEST(vu_10_counts_2016_and_2019_from_their_last_update_on),
        TEST(vu_10_says_nothing_of_updates_by_subscription),
        TEST(vu_10_says_nothing_of_logs_from_before_the_end),
        TEST(vu_11_is_a_server_without_client_access),
        TEST(af_03_counts_numbers_that_event_logs_lack),
        TEST(af_04_is_a_day_that_only_iis_does_not_know),
        TEST(af_04_says_nothing_of_a_day_without_requests),
        TEST(ws_19_is_a_page_that_came_when_nothing_was_installed),
        TEST(ws_19_says_nothing_without_a_known_installation),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
