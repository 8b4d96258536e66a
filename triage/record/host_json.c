/* host.json */
#include "triage/record/host.h"

static const char *const weekdays[] = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                       "Thursday", "Friday", "Saturday"};

static void fact_members(struct json *json, const struct fact *fact)
{
    json_pair(json, "value", fact->value);
    json_pair(json, "source", fact->source);
    json_pair_bool(json, "assumed", fact->assumed);
}

static void pair_fact(struct json *json, const char *key, const struct fact *fact)
{
    json_key(json, key);
    json_object(json);
    fact_members(json, fact);
    json_object_end(json);
}

/* A list of objects; `members` writes those of one element. */
static void pair_list(struct json *json, const char *key, const void *list, size_t count,
                      size_t size, void (*members)(struct json *json, const void *element))
{
    json_key(json, key);
    json_array(json);
    for (size_t i = 0; i < count; i++) {
        json_object(json);
        members(json, (const char *)list + i * size);
        json_object_end(json);
    }
    json_array_end(json);
}

static void pair_texts(struct json *json, const char *key, const char *const *texts, size_t count)
{
    json_key(json, key);
    json_array(json);
    for (size_t i = 0; i < count; i++)
        json_text(json, texts[i]);
    json_array_end(json);
}

static void named_fact_members(struct json *json, const void *element)
{
    const struct named_fact *named = element;

    json_pair(json, "name", named->name);
    fact_members(json, &named->fact);
}

/* "month 3, last Sunday, 02:00"; null when there is no change. */
static void pair_change(struct json *json, const char *key, const struct zone_change *change)
{
    static const char *const ordinals[] = {"", "first", "second", "third", "fourth", "last"};
    struct buffer text = BUFFER_EMPTY;

    if (change->month == 0 || change->weekday > 6) {
        json_pair(json, key, NULL);
        return;
    }
    if (change->year)
        buffer_format(&text, "%04u-%02u-%02u", change->year, change->month, change->day);
    else
        buffer_format(&text, "month %u, %s %s", change->month,
                      ordinals[change->day < 5 ? change->day : 5], weekdays[change->weekday]);
    buffer_format(&text, ", %02u:%02u", change->hour, change->minute);
    json_pair(json, key, buffer_text(&text));
    buffer_release(&text);
}

static void year_members(struct json *json, const void *element)
{
    const struct zone_year *year = element;

    json_pair_integer(json, "from_year", year->year);
    json_pair_integer(json, "bias_minutes", year->bias);
    json_pair_integer(json, "standard_bias_minutes", year->standard_bias);
    json_pair_integer(json, "daylight_bias_minutes", year->daylight_bias);
    pair_change(json, "to_daylight", &year->to_daylight);
    pair_change(json, "to_standard", &year->to_standard);
}

static void pair_zone(struct json *json, const char *key, const struct host *host)
{
    json_key(json, key);
    json_object(json);
    fact_members(json, &host->zone_name);
    pair_list(json, "rules", host->zone.years, host->zone.year_count, sizeof *host->zone.years,
              year_members);
    json_object_end(json);
}

static void drive_members(struct json *json, const void *element)
{
    const struct drive *drive = element;
    const char letter[] = {drive->letter, ':', 0};

    json_pair(json, "letter", letter);
    json_pair_unsigned(json, "volume", drive->volume);
    fact_members(json, &drive->why);
}

static void place_members(struct json *json, const void *element)
{
    const struct place *place = element;

    json_pair(json, "name", place->name);
    json_pair_unsigned(json, "volume", place->volume);
    json_pair(json, "path", place->path);
    fact_members(json, &place->why);
}

static void pair_exchange(struct json *json, const char *key, const struct host *host)
{
    json_key(json, key);
    json_object(json);
    pair_fact(json, "path", &host->exchange_path);
    pair_fact(json, "family", &host->exchange_family);
    pair_fact(json, "version", &host->exchange_version);
    pair_fact(json, "build", &host->exchange_build);
    pair_list(json, "roles", host->roles, host->role_count, sizeof *host->roles,
              named_fact_members);
    json_object_end(json);
}

static void binding_members(struct json *json, const void *element)
{
    const struct binding *binding = element;

    json_pair(json, "protocol", binding->protocol);
    json_pair(json, "information", binding->information);
}

static void directory_members(struct json *json, const void *element)
{
    const struct virtual_directory *directory = element;

    json_pair(json, "application", directory->application);
    json_pair(json, "path", directory->path);
    json_pair(json, "physical_path", directory->physical_path);
    fact_members(json, &directory->why);
}

static void site_members(struct json *json, const void *element)
{
    const struct site *site = element;

    json_pair_unsigned(json, "id", site->id);
    json_pair(json, "name", site->name);
    pair_list(json, "bindings", site->bindings, site->binding_count, sizeof *site->bindings,
              binding_members);
    pair_list(json, "virtual_directories", site->directories, site->directory_count,
              sizeof *site->directories, directory_members);
    pair_fact(json, "log_folder", &site->log_folder);
    pair_fact(json, "log_format", &site->log_format);
    pair_fact(json, "log_fields", &site->log_fields);
    pair_fact(json, "log_period", &site->log_period);
    pair_fact(json, "log_enabled", &site->log_enabled);
    json_pair_bool(json, "local_time_rollover", site->local_time_rollover);
    pair_texts(json, "custom_fields", site->custom_fields, site->custom_field_count);
}

static void pair_iis(struct json *json, const char *key, const struct host *host)
{
    json_key(json, key);
    json_object(json);
    pair_fact(json, "central_log", &host->central_log);
    pair_list(json, "sites", host->sites, host->site_count, sizeof *host->sites, site_members);
    json_object_end(json);
}

static void pair_windows(struct json *json, const char *key, const struct host *host)
{
    json_key(json, key);
    json_object(json);
    pair_fact(json, "version", &host->windows_version);
    pair_fact(json, "build", &host->windows_build);
    pair_fact(json, "root", &host->windows_root);
    json_object_end(json);
}

void host_json(const struct host *host, struct json *json)
{
    pair_fact(json, "computer", &host->computer);
    pair_fact(json, "domain", &host->domain);
    pair_windows(json, "windows", host);
    pair_zone(json, "time_zone", host);
    pair_fact(json, "control_set", &host->control_set);
    pair_list(json, "drives", host->drives, host->drive_count, sizeof *host->drives, drive_members);
    pair_exchange(json, "exchange", host);
    pair_iis(json, "iis", host);
    pair_list(json, "places", host->places, host->place_count, sizeof *host->places, place_members);
    pair_list(json, "more", host->more, host->more_count, sizeof *host->more, named_fact_members);
    pair_texts(json, "notices", host->notices, host->notice_count);
}
