#include "triage/findings/findings_json.h"

#include "triage/base/instant.h"

#include <string.h>

void findings_json_time(struct json *json, const char *key, bool known, int64_t time)
{
    char text[INSTANT_TEXT_SIZE];

    json_pair(json, key,
              known ? instant_format(instant_from_unix(time / 1000000, time % 1000000 * 1000), text)
                    : NULL);
}

void findings_json_texts(struct json *json, const char *key, const char *const *list, size_t count)
{
    json_key(json, key);
    json_array(json);
    for (size_t i = 0; i < count; i++)
        json_text(json, list[i]);
    json_array_end(json);
}

void findings_json_exchange(const struct exposure *exposure, struct json *json)
{
    json_key(json, "exchange");
    json_object(json);
    json_pair(json, "family", exposure->family);
    json_pair(json, "cu", exposure->update);
    json_pair(json, "build", exposure->build);
    json_pair(json, "name", exposure->name);
    findings_json_texts(json, "roles", exposure->roles, exposure->role_count);
    json_pair(json, "install_path", exposure->install_path);
    json_key(json, "history");
    json_array(json);
    for (size_t i = 0; i < exposure->history_count; i++) {
        const struct build_event *event = &exposure->history[i];
        json_object(json);
        findings_json_time(json, "time", event->dated, event->time);
        json_pair(json, "build", event->text);
        json_pair(json, "what", event->what);
        json_pair(json, "source", event->source);
        json_object_end(json);
    }
    json_array_end(json);
    json_object_end(json);
}

void findings_json_update(const struct exposure *exposure, struct json *json)
{
    json_key(json, "update");
    json_object(json);
    json_pair(json, "state", update_name(exposure->update_state));
    json_pair(json, "claimed", exposure->claimed);
    json_pair(json, "found", exposure->found);
    json_pair(json, "why", exposure->update_why);
    json_pair_unsigned(json, "files_compared", exposure->files_compared);
    json_key(json, "files");
    json_array(json);
    for (size_t i = 0; i < exposure->left_behind_count; i++) {
        json_object(json);
        json_pair(json, "path", exposure->left_behind[i].path);
        json_pair(json, "found", exposure->left_behind[i].version);
        json_pair(json, "expected", exposure->found);
        json_object_end(json);
    }
    json_array_end(json);
    json_object_end(json);
}

/* --- mitigations --- */

/* "CVE-1,CVE-2" as a list. */
static void put_cves(struct json *json, const char *list)
{
    json_key(json, "cves");
    json_array(json);
    while (*list) {
        const size_t size = strcspn(list, ",");
        json_slice(json, slice_of(list, size));
        list += size + (list[size] == ',');
    }
    json_array_end(json);
}

static void put_span(const struct mitigation_span *span, struct json *json)
{
    json_object(json);
    findings_json_time(json, "from", span->from_bound != BOUND_UNKNOWN, span->from);
    json_pair(json, "from_bound", bound_name(span->from_bound));
    json_pair(json, "from_how", span->from_how);
    findings_json_time(json, "until", span->until_bound != BOUND_UNKNOWN, span->until);
    json_pair(json, "until_bound", bound_name(span->until_bound));
    json_pair(json, "until_how", span->until_how);
    json_pair_bool(json, "in_place", span->open);
    json_object_end(json);
}

static void put_gaps(const struct mitigations *mitigations, struct json *json)
{
    json_key(json, "mitigation_gaps");
    json_array(json);
    for (size_t i = 0; i < mitigations->gap_count; i++) {
        const struct mitigation_gap *gap = &mitigations->gaps[i];
        json_object(json);
        json_pair(json, "cve", gap->cve);
        json_pair(json, "name", gap->name);
        findings_json_time(json, "from", true, gap->from);
        findings_json_time(json, "until", gap->until_known, gap->until);
        json_pair(json, "why", gap->why);
        json_object_end(json);
    }
    json_array_end(json);
}

void findings_json_mitigations(const struct mitigations *mitigations, struct json *json)
{
    json_key(json, "mitigations");
    json_array(json);
    for (size_t i = 0; i < mitigations->count; i++) {
        const struct mitigation *mitigation = &mitigations->list[i];
        json_object(json);
        json_pair(json, "name", mitigation->name);
        json_pair(json, "kind", mitigation->kind);
        put_cves(json, mitigation->cves);
        json_pair(json, "state", mitigation_state_name(mitigation->state));
        json_pair(json, "source", mitigation->source);
        json_key(json, "spans");
        json_array(json);
        for (size_t j = 0; j < mitigation->span_count; j++)
            put_span(&mitigation->spans[j], json);
        json_array_end(json);
        json_object_end(json);
    }
    json_array_end(json);
    put_gaps(mitigations, json);
}

/* --- settings that vulnerabilities depend on --- */

static void put_dependent(const struct exposure *exposure, struct json *json)
{
    json_key(json, "cves");
    json_array(json);
    for (size_t i = 0; i < exposure->cve_count; i++)
        if (strcmp(exposure->cves[i].fix, "CONFIG_ONLY") == 0)
            json_text(json, exposure->cves[i].cve);
    json_array_end(json);
}

void findings_json_configuration(const struct exposure *exposure, struct json *json)
{
    const struct protection *protection = &exposure->extended_protection;

    json_key(json, "configuration");
    json_array(json);
    json_object(json);
    json_pair(json, "setting", "Extended Protection");
    json_pair(json, "state", protection_name(protection->state));
    put_dependent(exposure, json);
    json_pair_unsigned(json, "required", protection->required);
    json_pair_unsigned(json, "allowed", protection->allowed);
    json_pair_unsigned(json, "off", protection->off);
    json_pair(json, "open", protection->open);
    json_pair(json, "source", protection->source);
    json_pair(json, "why", protection->why);
    json_object_end(json);
    json_array_end(json);
}

/* --- logs --- */

static void put_reach(const struct reach *reach, struct json *json)
{
    json_object(json);
    json_pair(json, "artifact", reach->span->artifact);
    json_pair(json, "first", reach->span->first);
    json_pair(json, "last", reach->span->last);
    json_key(json, "begins_after_first_trace");
    if (reach->traced)
        json_bool(json, reach->begins_after_first_trace);
    else
        json_null(json);
    json_pair_integer(json, "days_before_first_trace", reach->days_before_trace);
    json_key(json, "days_after_installation");
    if (reach->days_of_server >= 0)
        json_integer(json, reach->days_of_server);
    else
        json_null(json);
    json_pair_unsigned(json, "deleted_files", reach->deleted);
    json_pair_unsigned(json, "deleted_young", reach->deleted_young);
    findings_json_time(json, "deleted_first", reach->deleted_dated, reach->deleted_first);
    findings_json_time(json, "deleted_last", reach->deleted_dated, reach->deleted_last);
    json_pair(json, "why", reach->why);
    json_object_end(json);
}

static void put_reaches(const struct retention *retention, struct json *json)
{
    json_array(json);
    for (size_t i = 0; i < retention->count; i++)
        put_reach(&retention->list[i], json);
    json_array_end(json);
}

void findings_retention(const struct findings *findings, struct buffer *out)
{
    struct json json = json_over(out, false);

    put_reaches(&findings->retention, &json);
}

void findings_json_retention(const struct retention *retention, struct json *json)
{
    json_key(json, "retention");
    put_reaches(retention, json);
    json_pair_unsigned(json, "deleted_files_of_other_logs", retention->deleted_others);
}
