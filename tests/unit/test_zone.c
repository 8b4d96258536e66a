#include "triage/base/zone.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* REG_TZI_FORMAT as the registry of Windows Server has it. */
#define W_EUROPE                                                                                   \
    "\xc4\xff\xff\xff\0\0\0\0\xc4\xff\xff\xff\0\0\x0a\0\0\0\x05\0\x03\0\0\0\0\0\0\0\0\0\x03\0\0\0" \
    "\x05\0\x02\0\0\0\0\0\0\0"
#define PACIFIC                                                                                    \
    "\xe0\x01\0\0\0\0\0\0\xc4\xff\xff\xff\0\0\x0b\0\0\0\x01\0\x02\0\0\0\0\0\0\0\0\0\x03\0\0\0\x02" \
    "\0\x02\0\0\0\0\0\0\0"
#define PACIFIC_2006 /* first Sunday in April to last Sunday in October */                         \
    "\xe0\x01\0\0\0\0\0\0\xc4\xff\xff\xff\0\0\x0a\0\0\0\x05\0\x02\0\0\0\0\0\0\0\0\0\x04\0\0\0\x01" \
    "\0\x02\0\0\0\0\0\0\0"
#define INDIA                                                                                      \
    "\xb6\xfe\xff\xff\0\0\0\0\xc4\xff\xff\xff\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0" \
    "\0\0\0\0\0\0"
#define AUS_EASTERN /* first Sunday in October to first Sunday in April */                         \
    "\xa8\xfd\xff\xff\0\0\0\0\xc4\xff\xff\xff\0\0\x04\0\0\0\x01\0\x03\0\0\0\0\0\0\0\0\0\x0a\0\0\0" \
    "\x01\0\x02\0\0\0\0\0\0\0"

static void add(struct zone *zone, struct slice tzi, int year)
{
    struct zone_year rules;

    assert_true(zone_year_from_tzi(tzi, year, &rules));
    zone_add_year(zone, &rules);
}

static void assert_utc(const struct zone *zone, const char *local, const char *utc)
{
    struct instant instant;
    char text[INSTANT_TEXT_SIZE];

    assert_true(instant_parse(slice_of_text(local), &instant, NULL));
    instant_format(zone_to_utc(zone, instant), text);
    text[strlen("YYYY-MM-DDTHH:MM")] = 0;
    assert_string_equal(text, utc);
}

static void western_europe_has_summer_time(void **state)
{
    struct zone zone = {0};

    (void)state;
    add(&zone, SLICE_LITERAL(W_EUROPE), 1601);
    assert_utc(&zone, "2021-03-03 11:00:00", "2021-03-03T10:00");
    assert_utc(&zone, "2021-07-01 11:00:00", "2021-07-01T09:00");
    assert_utc(&zone, "2021-03-28 01:59:59", "2021-03-28T00:59");
    assert_utc(&zone, "2021-03-28 03:00:00", "2021-03-28T01:00");
    assert_utc(&zone, "2021-12-31 23:30:00", "2021-12-31T22:30");
}

static void the_hour_that_occurs_twice_is_standard_time(void **state)
{
    struct zone zone = {0};

    (void)state;
    add(&zone, SLICE_LITERAL(W_EUROPE), 1601);
    assert_utc(&zone, "2021-10-31 01:59:59", "2021-10-30T23:59");
    assert_utc(&zone, "2021-10-31 02:00:00", "2021-10-31T01:00");
    assert_utc(&zone, "2021-10-31 02:59:00", "2021-10-31T01:59");
    assert_utc(&zone, "2021-10-31 03:00:00", "2021-10-31T02:00");
}

static void the_rules_of_the_year_are_taken(void **state)
{
    struct zone zone = {0};

    (void)state;
    add(&zone, SLICE_LITERAL(PACIFIC), 2007);
    add(&zone, SLICE_LITERAL(PACIFIC_2006), 2006);
    assert_int_equal(zone.year_count, 2);
    assert_utc(&zone, "2006-03-20 12:00:00", "2006-03-20T20:00");
    assert_utc(&zone, "2021-03-20 12:00:00", "2021-03-20T19:00");
    assert_utc(&zone, "1999-03-20 12:00:00",
               "1999-03-20T20:00"); /* the first rules hold before, too */
    assert_utc(&zone, "2021-11-07 00:59:00", "2021-11-07T07:59");
    assert_utc(&zone, "2021-11-07 01:30:00", "2021-11-07T09:30");
}

static void india_has_no_summer_time(void **state)
{
    struct zone zone = {0};

    (void)state;
    add(&zone, SLICE_LITERAL(INDIA), 1601);
    assert_utc(&zone, "2021-01-01 12:00:00", "2021-01-01T06:30");
    assert_utc(&zone, "2021-07-01 12:00:00", "2021-07-01T06:30");
}

static void summer_crosses_the_new_year_south_of_the_equator(void **state)
{
    struct zone zone = {0};

    (void)state;
    add(&zone, SLICE_LITERAL(AUS_EASTERN), 1601);
    assert_utc(&zone, "2021-01-15 12:00:00", "2021-01-15T01:00");
    assert_utc(&zone, "2021-12-31 12:00:00", "2021-12-31T01:00");
    assert_utc(&zone, "2021-06-15 12:00:00", "2021-06-15T02:00");
    assert_utc(&zone, "2021-04-04 02:30:00", "2021-04-03T16:30"); /* twice: standard */
    assert_utc(&zone, "2021-10-03 03:00:00", "2021-10-02T16:00");
}

static void an_unknown_zone_gives_no_time(void **state)
{
    const struct zone zone = {0};
    struct instant instant;
    int32_t minutes;

    (void)state;
    assert_true(instant_parse(SLICE_LITERAL("2021-03-03"), &instant, NULL));
    assert_false(zone_bias_at_local(&zone, instant, &minutes));
    assert_false(instant_known(zone_to_utc(&zone, instant)));
}

static void both_layouts_of_a_change_are_read(void **state)
{
    const struct zone_change a =
        zone_change_from_system_time(SLICE_LITERAL("\0\0\x0b\0\0\0\1\0\2\0\0\0\0\0\0\0"));
    const struct zone_change b =
        zone_change_from_time_fields(SLICE_LITERAL("\0\0\x0b\0\1\0\2\0\0\0\0\0\0\0\0\0"));

    (void)state;
    assert_int_equal(a.month, 11);
    assert_int_equal(a.day, 1);
    assert_int_equal(a.hour, 2);
    assert_memory_equal(&a, &b, sizeof a);
}

static void a_change_in_one_year_only_is_a_date(void **state)
{
    struct zone zone = {0};
    const struct zone_year rules = {.year = 1601,
                                    .daylight_bias = -60,
                                    .to_daylight = {.year = 2021, .month = 5, .day = 10},
                                    .to_standard = {.year = 2021, .month = 9, .day = 20}};

    (void)state;
    zone_add_year(&zone, &rules);
    assert_utc(&zone, "2021-05-09 12:00:00", "2021-05-09T12:00");
    assert_utc(&zone, "2021-05-11 12:00:00", "2021-05-11T11:00");
    assert_utc(&zone, "2022-05-11 12:00:00", "2022-05-11T12:00");
}

static void malformed_rules_are_refused(void **state)
{
    struct zone_year rules;

    (void)state;
    assert_false(zone_year_from_tzi(SLICE_LITERAL("\0\0\0\0"), 1601, &rules));
    assert_false(zone_year_from_tzi(SLICE_LITERAL("\xff\xff\xff\x7f" INDIA), 1601, &rules));
    const struct zone_change none =
        zone_change_from_system_time(SLICE_LITERAL("\0\0\x63\0\0\0\1\0\2\0\0\0\0\0\0\0"));
    assert_int_equal(none.month, 0);
}

static void too_many_years_drop_the_oldest(void **state)
{
    struct zone zone = {0};

    (void)state;
    for (int year = 2100; year > 2000; year -= 2)
        add(&zone, SLICE_LITERAL(INDIA), year);
    for (int year = 2001; year < 2100; year += 2)
        add(&zone, SLICE_LITERAL(INDIA), year);
    assert_int_equal(zone.year_count, ZONE_YEARS);
    for (size_t i = 1; i < zone.year_count; i++)
        assert_int_equal(zone.years[i].year, zone.years[i - 1].year + 1);
    assert_int_equal(zone.years[ZONE_YEARS - 1].year, 2100);
}

static void the_ends_of_time_do_no_harm(void **state)
{
    struct zone zone = {0};
    int32_t minutes;

    (void)state;
    add(&zone, SLICE_LITERAL(AUS_EASTERN), 1601);
    assert_true(zone_bias_at_local(&zone, (struct instant){1}, &minutes));
    assert_true(zone_bias_at_local(&zone, (struct instant){INT64_MAX / 2}, &minutes));
    assert_false(instant_known(zone_to_utc(&zone, (struct instant){1})));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(western_europe_has_summer_time),
        cmocka_unit_test(the_hour_that_occurs_twice_is_standard_time),
        cmocka_unit_test(the_rules_of_the_year_are_taken),
        cmocka_unit_test(india_has_no_summer_time),
        cmocka_unit_test(summer_crosses_the_new_year_south_of_the_equator),
        cmocka_unit_test(an_unknown_zone_gives_no_time),
        cmocka_unit_test(both_layouts_of_a_change_are_read),
        cmocka_unit_test(a_change_in_one_year_only_is_a_date),
        cmocka_unit_test(malformed_rules_are_refused),
        cmocka_unit_test(too_many_years_drop_the_oldest),
        cmocka_unit_test(the_ends_of_time_do_no_harm),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
