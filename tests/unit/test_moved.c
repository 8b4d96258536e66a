/* How much was moved by whom, and what was destroyed. */
#include "tests/unit/findings_scene.h"

#define DAY (24 * HOUR)

/* A log file that ends at `time` and began an hour before. */
static void had_volume(struct scene *scene, const char *path, int64_t time, const char *numbers,
                       const char *clients)
{
    char fields[600], iso[INSTANT_TEXT_SIZE];

    instant_format(instant_from_unix((time - HOUR) / 1000000, 0), iso);
    snprintf(fields, sizeof fields, "%s,\"FirstSeen\":\"%s\",\"Clients\":\"%s\",\"Users\":\"\"",
             numbers, iso, clients);
    knew(scene, "log.volume", path, time, fields);
}

#define SENT(bytes) "\"BytesSent\":\"" bytes "\",\"BytesReceived\":\"0\",\"Lines\":\"1\""

static const struct moved_row *client(const struct findings *findings, size_t at)
{
    assert_int_equal(findings->volumes.count, 1);
    assert_true(at < findings->volumes.list[0].clients.count);
    return &findings->volumes.list[0].clients.rows[at];
}

static void files_are_added_up_by_client(void **state)
{
    struct scene *scene = *state;

    had_volume(scene, "a", NOON, SENT("300"), "200 0 1 192.0.2.1\\n100 0 1 192.0.2.2");
    had_volume(scene, "b", NOON + DAY, SENT("500"), "500 0 1 192.0.2.2");
    const struct findings *findings = verdict_of(scene);

    assert_string_equal(client(findings, 0)->name, "192.0.2.2");
    assert_int_equal(client(findings, 0)->sent, 600);
    assert_int_equal(findings->volumes.list[0].all.sent, 800);
    assert_int_equal(findings->volumes.list[0].clients.rest.sent, 0);
}

static void an_intruders_volume_is_told_before_all_others(void **state)
{
    struct scene *scene = *state;

    saw(scene, "PL-02", 4, NOON, "exchange_httpproxy", FROM_PROXY("203.0.113.7"));
    had_volume(scene, "a", NOON + HOUR / 2, SENT("9000000"),
               "3000000 0 1 192.0.2.1\\n6000000 0 1 203.0.113.7");
    had_volume(scene, "b", NOON + DAY, SENT("70000000"), "70000000 0 1 192.0.2.1");
    const struct findings *findings = verdict_of(scene);

    assert_string_equal(client(findings, 0)->name, "203.0.113.7");
    assert_true(client(findings, 0)->actor);
    assert_int_equal(client(findings, 0)->sent_during, 6000000);
    assert_int_equal(client(findings, 1)->sent_during, 3000000);
}

static void what_an_intruder_was_sent_is_no_mail(void **state)
{
    static const char fields[] =
        "{\"BytesSent\":\"90000000\",\"BytesReceived\":\"0\",\"Lines\":\"1\","
        "\"Clients\":\"90000000 0 1 203.0.113.7\"}";
    struct scene *scene = *state;
    const struct case_fact fact = {.kind = "log.volume",
                                   .artifact = "exchange_httpproxy",
                                   .dated = true,
                                   .timestamp = NOON,
                                   .message = "",
                                   .path = "a",
                                   .fields = fields,
                                   .marks = ""};

    saw(scene, "PL-02", 4, NOON, "exchange_httpproxy", FROM_PROXY("203.0.113.7"));
    assert_int_equal(case_add_fact(scene->file, "task", &fact), 0);
    const struct findings *findings = verdict_of(scene);

    assert_int_equal(findings->taken_count, 1);
    assert_null(strstr(findings->verdict.summary, "Mail"));
    assert_non_null(strstr(findings->verdict.summary, "count 85 MiB of answers to 1 of these"));
}

static void many_times_the_usual_is_told(void **state)
{
    struct scene *scene = *state;

    saw(scene, "PL-02", 4, NOON, "exchange_httpproxy", FROM_PROXY("203.0.113.7"));
    for (int day = 1; day <= 4; day++)
        had_volume(scene, "a", NOON - day * DAY, SENT("1000000"), "1000000 0 1 192.0.2.1");
    had_volume(scene, "b", NOON + HOUR / 2, SENT("90000000"), "90000000 0 1 192.0.2.1");
    const struct findings *findings = verdict_of(scene);

    assert_int_equal(client(findings, 0)->times_usual, 90);
}

static void numbers_beyond_any_number_do_not_wrap(void **state)
{
    struct scene *scene = *state;

    had_volume(scene, "a", NOON, SENT("18446744073709551615"),
               "18446744073709551615 0 1 192.0.2.1\\n9 9 9 192.0.2.1");
    assert_true(client(verdict_of(scene), 0)->sent == UINT64_MAX);
}

static void lists_that_make_no_sense_are_passed_over(void **state)
{
    struct scene *scene = *state;

    had_volume(scene, "a", NOON, SENT("5"), "\\n \\nx\\n1 2\\n1 2 3 \\n7 0 1 192.0.2.1");
    const struct findings *findings = verdict_of(scene);

    assert_int_equal(findings->volumes.list[0].clients.count, 1);
    assert_int_equal(client(findings, 0)->sent, 7);
}

/* --- destroyed --- */

static void a_flood_of_encrypted_files_is_one_entry(void **state)
{
    struct scene *scene = *state;

    for (int i = 0; i < 80; i++)
        saw(scene, "RW-01", 4, NOON + i, "web_root", "\"TargetFilename\":\"D:\\\\a.CRYPT\"");
    const struct findings *findings = verdict_of(scene);

    assert_true(findings->destroyed_count >= 1);
    assert_string_equal(findings->destroyed[0].rule, "RW-01");
    assert_int_equal(findings->destroyed[0].first, NOON);
}

static void an_intrusion_without_encryption_destroyed_nothing(void **state)
{
    struct scene *scene = *state;

    saw(scene, "PL-02", 4, NOON, "exchange_httpproxy", FROM_PROXY("203.0.113.7"));
    saw(scene, "RW-07", 1, NOON, "eventlog", "");
    assert_int_equal(verdict_of(scene)->destroyed_count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(files_are_added_up_by_client),
        TEST(an_intruders_volume_is_told_before_all_others),
        TEST(what_an_intruder_was_sent_is_no_mail),
        TEST(many_times_the_usual_is_told),
        TEST(numbers_beyond_any_number_do_not_wrap),
        TEST(lists_that_make_no_sense_are_passed_over),
        TEST(a_flood_of_encrypted_files_is_one_entry),
        TEST(an_intrusion_without_encryption_destroyed_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
