/*
 * The time zone: Control\TimeZoneInformation names it and holds the rules of the moment; the hive
 * SOFTWARE has the rules of each zone, per year under "Dynamic DST". Source:
 * DYNAMIC_TIME_ZONE_INFORMATION in the Windows API documentation.
 */
#include "triage/engine/survey_parts.h"

#include <stdio.h>
#include <string.h>

enum { FIRST_YEAR = 1601, LAST_YEAR = 30827, RULES_SIZE_MOST = 1024 };

static const char zones_key[] = "Microsoft\\Windows NT\\CurrentVersion\\Time Zones";

static bool read_bias(struct survey *survey, const char *key, const char *name, int32_t *minutes)
{
    uint64_t number = 0;
    struct fact fact;

    if (!survey_registry_number(survey, &survey->system, key, name, &number, &fact))
        return false;
    *minutes = (int32_t)(uint32_t)number;
    return true;
}

static struct slice read_bytes(struct survey *survey, struct hive *hive, const struct hive_key *key,
                               const char *name)
{
    struct hive_value value;

    if (!hive_find_value(hive, key, name, &value) || value.data_size > RULES_SIZE_MOST)
        return slice_of(NULL, 0);
    return hive_data(hive, &value, survey->arena);
}

/* The rules of the moment, as Windows copied them to Control\TimeZoneInformation. */
static bool read_current_rules(struct survey *survey, const char *path, struct zone_year *rules)
{
    struct hive_key key;

    if (!survey->system.hive || !hive_find(survey->system.hive, NULL, path, &key) ||
        !read_bias(survey, path, "Bias", &rules->bias))
        return false;
    read_bias(survey, path, "StandardBias", &rules->standard_bias);
    read_bias(survey, path, "DaylightBias", &rules->daylight_bias);
    rules->to_standard = zone_change_from_time_fields(
        read_bytes(survey, survey->system.hive, &key, "StandardStart"));
    rules->to_daylight = zone_change_from_time_fields(
        read_bytes(survey, survey->system.hive, &key, "DaylightStart"));
    rules->year = FIRST_YEAR;
    return true;
}

/* Values named after their year, "2021". */
static void read_years(struct survey *survey, struct hive *hive, const struct hive_key *key,
                       struct zone *zone)
{
    struct hive_values values = hive_values(hive, key);
    struct hive_value value;

    for (size_t i = 0; i < SURVEY_VALUES && hive_next_value(&values, &value); i++) {
        const char *name = survey_name(survey, value.name);
        struct zone_year rules;
        uint64_t year;
        if (name && slice_to_u64(slice_of_text(name), &year) && year >= FIRST_YEAR &&
            year <= LAST_YEAR && value.data_size <= RULES_SIZE_MOST &&
            zone_year_from_tzi(hive_data(hive, &value, survey->arena), (int)year, &rules))
            zone_add_year(zone, &rules);
    }
}

/* The rules of the named zone; false when the hive SOFTWARE does not have it. */
static bool read_zone_rules(struct survey *survey, const char *name, struct zone *zone)
{
    const char *path = survey_text(survey, "%s\\%s", zones_key, name);
    struct hive *hive = survey->software.hive;
    struct hive_key key, years;
    struct zone_year rules;

    if (!hive || strchr(name, '\\') || !hive_find(hive, NULL, path, &key))
        return false;
    if (hive_find(hive, &key, "Dynamic DST", &years))
        read_years(survey, hive, &years, zone);
    if (zone->year_count == 0 &&
        zone_year_from_tzi(read_bytes(survey, hive, &key, "TZI"), FIRST_YEAR, &rules))
        zone_add_year(zone, &rules);
    return zone->year_count > 0;
}

void survey_zone(struct survey *survey)
{
    const char *path = survey_control_key(survey, "Control\\TimeZoneInformation");
    struct host *host = survey->host;
    struct fact *name = &host->zone_name, disabled;
    struct zone_year current = {0};
    uint64_t off = 0;

    /* Before Windows Vista only StandardName tells the zone. */
    if (!survey_registry_text(survey, &survey->system, path, "TimeZoneKeyName", name))
        survey_registry_text(survey, &survey->system, path, "StandardName", name);
    if (name->value)
        snprintf(host->zone.name, sizeof host->zone.name, "%s", name->value);
    survey_registry_number(survey, &survey->system, path, "DynamicDaylightTimeDisabled", &off,
                           &disabled);
    if (name->value && !off && read_zone_rules(survey, name->value, &host->zone))
        return;
    if (read_current_rules(survey, path, &current)) {
        zone_add_year(&host->zone, &current);
        survey_notice(survey, off ? "the clock of the server was not set forward and back for "
                                    "daylight saving time"
                                  : "the rules of the time zone are those of the moment only: "
                                    "older local times may be off by an hour");
    } else {
        survey_notice(survey, "the time zone is unknown: local times stay as they are");
    }
}
