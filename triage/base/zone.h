/*
 * Windows time zones: a bias and the rules of daylight saving, per year where the registry has them
 * ("Dynamic DST"). Source: TIME_ZONE_INFORMATION, REG_TZI_FORMAT and SYSTEMTIME in the Windows API
 * documentation.
 */
#ifndef TRIAGE_BASE_ZONE_H
#define TRIAGE_BASE_ZONE_H

#include "triage/base/instant.h"

enum { ZONE_NAME_SIZE = 128, ZONE_YEARS = 64 };

struct zone_change { /* month 0: there is no daylight saving; year 0: "day" is the n-th weekday (5:
                        the last) */
    uint16_t year, month, weekday, day, hour, minute;
};

struct zone_year {
    int year;                                    /* the first year it holds for */
    int32_t bias, standard_bias, daylight_bias;  /* minutes to add to local time to get UTC */
    struct zone_change to_standard, to_daylight; /* in local time before the change */
};

struct zone {
    char name[ZONE_NAME_SIZE]; /* registry key name, "W. Europe Standard Time"; "" when unknown */
    struct zone_year years[ZONE_YEARS]; /* ascending; the first also holds for what lies before */
    size_t year_count;                  /* 0: unknown, local times stay unconverted */
};

/* SYSTEMTIME, as REG_TZI_FORMAT has it: year, month, weekday, day, hour, minute, second,
 * milliseconds; 16 bytes. */
struct zone_change zone_change_from_system_time(struct slice bytes);
/* TIME_FIELDS, as Control\TimeZoneInformation has it: year, month, day, hour, minute, second,
 * milliseconds, weekday. */
struct zone_change zone_change_from_time_fields(struct slice bytes);
/* REG_TZI_FORMAT (44 bytes) as the rules from `year` on; false when it is too short or a bias is
 * more than a day. */
bool zone_year_from_tzi(struct slice tzi, int year, struct zone_year *rules);
/* Puts the rules in their place, over those of the same year; when all places are taken the oldest
 * year is dropped. */
void zone_add_year(struct zone *zone, const struct zone_year *rules);

/* Minutes to add to local time to get UTC at that local time; false when the zone is unknown. */
bool zone_bias_at_local(const struct zone *zone, struct instant local, int32_t *minutes);
/* Local to UTC. In the hour that occurs twice standard time is taken. INSTANT_NONE when the zone is
 * unknown. */
struct instant zone_to_utc(const struct zone *zone, struct instant local);

#endif
