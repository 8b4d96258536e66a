#include "triage/base/zone.h"

#include <string.h>

enum { TZI_SIZE = 44, TIME_SIZE = 16, BIAS_MOST = 24 * 60, LAST_WEEK = 5, MONDAY = 1 };

static const int64_t TICKS_PER_MINUTE = 60 * TICKS_PER_SECOND;

/* A change that cannot be is none. */
static struct zone_change checked(struct zone_change change)
{
    const uint16_t last_day = change.year ? 31 : LAST_WEEK;

    if (change.month < 1 || change.month > 12 || change.day < 1 || change.day > last_day ||
        change.weekday > 6 || change.hour > 23 || change.minute > 59)
        return (struct zone_change){0};
    return change;
}

struct zone_change zone_change_from_system_time(struct slice bytes)
{
    struct cursor c = cursor_over(bytes, 0);
    struct zone_change change = {0};

    change.year = cursor_u16le(&c);
    change.month = cursor_u16le(&c);
    change.weekday = cursor_u16le(&c);
    change.day = cursor_u16le(&c);
    change.hour = cursor_u16le(&c);
    change.minute = cursor_u16le(&c);
    return cursor_failed(&c) ? (struct zone_change){0} : checked(change);
}

struct zone_change zone_change_from_time_fields(struct slice bytes)
{
    struct cursor c = cursor_over(bytes, 0);
    struct zone_change change = {0};

    change.year = cursor_u16le(&c);
    change.month = cursor_u16le(&c);
    change.day = cursor_u16le(&c);
    change.hour = cursor_u16le(&c);
    change.minute = cursor_u16le(&c);
    cursor_skip(&c, 4); /* seconds, milliseconds */
    change.weekday = cursor_u16le(&c);
    return cursor_failed(&c) ? (struct zone_change){0} : checked(change);
}

static bool is_bias(int32_t minutes)
{
    return minutes >= -BIAS_MOST && minutes <= BIAS_MOST;
}

bool zone_year_from_tzi(struct slice tzi, int year, struct zone_year *rules)
{
    struct cursor c = cursor_over(tzi, 0);
    struct zone_year read = {.year = year};

    read.bias = (int32_t)cursor_u32le(&c);
    read.standard_bias = (int32_t)cursor_u32le(&c);
    read.daylight_bias = (int32_t)cursor_u32le(&c);
    read.to_standard = zone_change_from_system_time(cursor_take(&c, TIME_SIZE));
    read.to_daylight = zone_change_from_system_time(cursor_take(&c, TIME_SIZE));
    if (cursor_failed(&c) || !is_bias(read.bias) || !is_bias(read.standard_bias) ||
        !is_bias(read.daylight_bias))
        return false;
    *rules = read;
    return true;
}

void zone_add_year(struct zone *zone, const struct zone_year *rules)
{
    size_t at = 0;

    while (at < zone->year_count && zone->years[at].year < rules->year)
        at++;
    if (at < zone->year_count && zone->years[at].year == rules->year) {
        zone->years[at] = *rules;
        return;
    }
    if (zone->year_count == ZONE_YEARS) {
        if (at == 0)
            return;
        memmove(&zone->years[0], &zone->years[1], --at * sizeof zone->years[0]);
    } else {
        memmove(&zone->years[at + 1], &zone->years[at],
                (zone->year_count++ - at) * sizeof zone->years[0]);
    }
    zone->years[at] = *rules;
}

static const struct zone_year *rules_for(const struct zone *zone, int year)
{
    size_t at = 0;

    while (at + 1 < zone->year_count && zone->years[at + 1].year <= year)
        at++;
    return &zone->years[at];
}

/* 1601-01-01 was a Monday. */
static unsigned weekday_of(struct instant day)
{
    return (unsigned)((day.ticks / TICKS_PER_DAY + MONDAY) % 7);
}

/* Day of the month of the n-th weekday, the last one when the month has fewer. */
static int day_of_change(const struct zone_change *change, int year)
{
    const struct civil first = {.year = year, .month = change->month, .day = 1};
    const unsigned ahead = (change->weekday + 7 - weekday_of(instant_from_civil(first))) % 7;
    struct civil day = first;

    day.day = (int)(1 + ahead + 7u * (change->day - 1u));
    while (day.day > 7 && !instant_known(instant_from_civil(day)))
        day.day -= 7;
    return day.day;
}

/* Local time of the change in that year; false when there is none. */
static bool change_in_year(const struct zone_change *change, int year, int64_t *ticks)
{
    if (change->month == 0 || (change->year && change->year != year))
        return false;
    const struct civil civil = {
        .year = year,
        .month = change->month,
        .day = change->year ? change->day : day_of_change(change, year),
        .hour = change->hour,
        .minute = change->minute,
    };
    const struct instant instant = instant_from_civil(civil);
    *ticks = instant.ticks;
    return instant_known(instant);
}

/* Whether daylight saving holds; the start of standard time is told in daylight time and is put in
 * standard time first, so that the hour that occurs twice counts as standard time. */
static bool is_daylight(const struct zone_year *rules, int year, int64_t local)
{
    const int64_t gain = (int64_t)rules->standard_bias - rules->daylight_bias;
    int64_t start, end;

    if (!change_in_year(&rules->to_daylight, year, &start) ||
        !change_in_year(&rules->to_standard, year, &end))
        return false;
    end -= gain * TICKS_PER_MINUTE;
    if (start < end)
        return local >= start && local < end;
    return local >= start || local < end; /* south of the equator */
}

bool zone_bias_at_local(const struct zone *zone, struct instant local, int32_t *minutes)
{
    if (zone->year_count == 0 || local.ticks <= 0)
        return false;
    const int year = instant_to_civil(local).year;
    const struct zone_year *rules = rules_for(zone, year);
    const bool daylight = is_daylight(rules, year, local.ticks);
    *minutes = rules->bias + (daylight ? rules->daylight_bias : rules->standard_bias);
    return true;
}

struct instant zone_to_utc(const struct zone *zone, struct instant local)
{
    int32_t minutes;

    if (!zone_bias_at_local(zone, local, &minutes))
        return INSTANT_NONE;
    const int64_t ticks = local.ticks + minutes * TICKS_PER_MINUTE;
    return ticks > 0 ? (struct instant){ticks} : INSTANT_NONE;
}
