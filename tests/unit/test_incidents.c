/* How an incident is told: each thing once, proxies apart from actors, attempts as attempts. */
#include "tests/unit/findings_scene.h"

#define REQUEST_ID "e20ec187-c154-4c6b-bfb0-712893f695aa"

static const struct incident *first_incident(struct scene *scene)
{
    const struct findings *findings = verdict_of(scene);

    assert_true(findings->incidents.count > 0);
    return &findings->incidents.list[0];
}

static void a_page_is_told_by_what_says_most(void **state)
{
    struct scene *scene = *state;
    const char *page = "\"TargetFilename\":\"C:\\\\inetpub\\\\wwwroot\\\\x.aspx\"";

    saw(scene, "WS-12", 3, NOON, "web_root", page);
    saw(scene, "WS-13", 3, NOON, "web_root", page);
    saw(scene, "PL-15", 4, NOON + 1000000, "web_root", page);
    const struct incident *incident = first_incident(scene);

    assert_int_equal(incident->step_count, 1);
    assert_string_equal(incident->steps[0].what,
                        "A page with script was written from a virtual directory's properties");
    assert_int_equal(incident->steps[0].other_count, 2);
    assert_int_equal(incident->steps[0].count, 3);
    assert_int_equal(incident->steps[0].object_count, 1);
}

static void a_page_seen_again_much_later_is_another_thing(void **state)
{
    struct scene *scene = *state;
    const char *page = "\"TargetFilename\":\"C:\\\\inetpub\\\\wwwroot\\\\x.aspx\"";

    saw(scene, "PL-15", 4, NOON, "web_root", page);
    saw(scene, "WS-33", 3, NOON + HOUR, "usn_journal", page);
    assert_int_equal(first_incident(scene)->step_count, 2);
}

static void a_step_that_only_a_file_dates_says_so(void **state)
{
    struct scene *scene = *state;
    const char *page = "\"TargetFilename\":\"C:\\\\inetpub\\\\wwwroot\\\\x.aspx\"";

    saw_as(scene, "PL-15", 4, NOON - 100 * HOUR, "File modified", "web_root", page);
    saw(scene, "WS-33", 3, NOON, "usn_journal", page);
    const struct incident *incident = first_incident(scene);

    assert_int_equal(incident->step_count, 2);
    assert_string_equal(incident->steps[0].what,
                        "A page with script was written from a virtual directory's properties "
                        "(dated by the file itself)");
    assert_null(strstr(incident->steps[1].what, "dated by"));
}

static void a_request_is_told_by_its_rarer_rule(void **state)
{
    struct scene *scene = *state;
    const char *first = FROM_PROXY("203.0.113.7") ",\"RequestId\":\"" REQUEST_ID "\"";
    const char *other =
        FROM_PROXY("203.0.113.7") ",\"RequestId\":\"f20ec187-c154-4c6b-bfb0-712893f695aa\"";

    saw(scene, "PL-02", 4, NOON, "exchange_httpproxy", first);
    saw(scene, "PL-06", 4, NOON, "exchange_httpproxy", first);
    saw(scene, "PL-02", 4, NOON + HOUR, "exchange_httpproxy", other);
    const struct incident *incident = first_incident(scene);

    assert_int_equal(incident->step_count, 2);
    assert_string_equal(incident->steps[0].what,
                        "The security identifier of a mailbox was asked for through MAPI");
    assert_int_equal(incident->steps[0].count, 2);
}

static void the_proxy_of_a_known_client_is_no_actor(void **state)
{
    struct scene *scene = *state;

    saw(scene, "PL-02", 4, NOON, "exchange_httpproxy",
        FROM_PROXY("203.0.113.7") ",\"RequestId\":\"" REQUEST_ID "\"");
    saw(scene, "PL-04", 3, NOON, "iis_log",
        FROM("10.0.0.5") ",\"cs-uri-query\":\"&cafeReqId=" REQUEST_ID ";\"");
    const struct incident *incident = first_incident(scene);

    assert_int_equal(incident->actor_count, 1);
    assert_string_equal(incident->actors[0].address, "203.0.113.7");
    assert_int_equal(incident->passage_count, 1);
    assert_string_equal(incident->passages[0].address, "10.0.0.5");
}

static void a_known_proxy_is_no_actor_of_requests_that_nothing_else_tells_of(void **state)
{
    struct scene *scene = *state;

    saw(scene, "PL-04", 3, NOON, "iis_log",
        FROM("10.0.0.5") ",\"X-Forwarded-For\":\"203.0.113.9, 10.0.0.5\"");
    saw(scene, "PL-25", 0, NOON + HOUR, "iis_log", FROM("10.0.0.5"));
    const struct findings *findings = verdict_of(scene);

    assert_int_equal(findings->incidents.count, 2);
    assert_int_equal(findings->incidents.list[1].actor_count, 0);
    assert_int_equal(findings->incidents.list[1].passage_count, 1);
}

static void a_machine_of_the_own_network_may_be_the_actor(void **state)
{
    struct scene *scene = *state;

    saw(scene, "PL-04", 3, NOON, "iis_log", FROM("10.0.0.5") ",\"cs-uri-stem\":\"/ecp/a.js\"");
    const struct incident *incident = first_incident(scene);

    assert_int_equal(incident->actor_count, 1);
    assert_true(incident->actors[0].is_private);
}

static void a_stranger_cannot_be_made_a_proxy(void **state)
{
    struct scene *scene = *state;

    saw(scene, "PL-04", 3, NOON, "iis_log",
        FROM("198.51.100.5") ",\"X-Forwarded-For\":\"203.0.113.9\"");
    saw(scene, "PL-04", 3, NOON + HOUR, "iis_log", FROM("198.51.100.5"));
    const struct findings *findings = verdict_of(scene);

    assert_int_equal(findings->incidents.list[1].actor_count, 1);
    assert_string_equal(findings->incidents.list[1].actors[0].address, "198.51.100.5");
}

static void what_did_not_succeed_was_only_tried(void **state)
{
    struct scene *scene = *state;

    saw(scene, "PL-02", 0, NOON, "exchange_httpproxy", FROM_PROXY("203.0.113.7"));
    saw(scene, "PL-25", 0, NOON + HOUR, "exchange_httpproxy", FROM_PROXY("203.0.113.7"));
    const struct incident *incident = first_incident(scene);

    assert_int_equal(incident->step_count, 2);
    assert_true(incident->steps[0].tried);
    assert_false(incident->steps[1].tried); /* scanning is what was done */
}

static void rules_of_one_record_are_one_incident(void **state)
{
    struct scene *scene = *state;

    saw(scene, "PL-28", 4, NOON, "exchange_ecp_server", "\"EventId\":\"ECP.Request\"");
    saw(scene, "HAFNIUM", 2, NOON, "exchange_ecp_server", "\"EventId\":\"ECP.Request\"");
    const struct findings *findings = verdict_of(scene);

    assert_int_equal(findings->incidents.count, 1);
    assert_int_equal(findings->incidents.list[0].member_count, 2);
}

static void a_scanner_that_asks_for_the_page_stays_apart(void **state)
{
    struct scene *scene = *state;

    saw(scene, "WS-01", 4, NOON, "web_root",
        "\"TargetFilename\":\"C:\\\\inetpub\\\\wwwroot\\\\x.aspx\"");
    saw(scene, "PL-25", 0, NOON + HOUR, "iis_log",
        FROM("203.0.113.99") ",\"cs-uri-stem\":\"/x.aspx\",\"sc-status\":\"404\"");
    const struct findings *findings = verdict_of(scene);

    assert_int_equal(findings->incidents.count, 2);
    assert_int_equal(findings->incidents.list[0].actor_count, 0);
}

static void a_small_trace_on_disk_alone_is_no_attack(void **state)
{
    struct scene *scene = *state;

    saw(scene, "PL-21", 1, NOON, "web_root",
        "\"TargetFilename\":\"C:\\\\inetpub\\\\wwwroot\\\\y.aspx\"");
    assert_int_equal(verdict_of(scene)->incidents.count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_page_is_told_by_what_says_most),
        TEST(a_page_seen_again_much_later_is_another_thing),
        TEST(a_step_that_only_a_file_dates_says_so),
        TEST(a_request_is_told_by_its_rarer_rule),
        TEST(the_proxy_of_a_known_client_is_no_actor),
        TEST(a_known_proxy_is_no_actor_of_requests_that_nothing_else_tells_of),
        TEST(a_machine_of_the_own_network_may_be_the_actor),
        TEST(a_stranger_cannot_be_made_a_proxy),
        TEST(what_did_not_succeed_was_only_tried),
        TEST(rules_of_one_record_are_one_incident),
        TEST(a_scanner_that_asks_for_the_page_stays_apart),
        TEST(a_small_trace_on_disk_alone_is_no_attack),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
