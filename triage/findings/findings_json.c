#include "triage/findings/findings_json.h"

#include "triage/base/json.h"
#include "triage/findings/known_networks.h"

static const char *const level_names[] = {"informational", "low", "medium", "high", "critical"};

enum { MOST_LISTED = 200, MOST_STEPS = 1000, MOST_ACTORS = 500, MOST_FILES = 2000 };

void findings_json_sightings(const struct findings *findings, struct json *json, const size_t *list,
                             size_t count, size_t all)
{
    json_key(json, "indicators");
    json_array(json);
    for (size_t i = 0; i < count && i < MOST_LISTED; i++)
        json_unsigned(json, findings->sightings.list[list[i]].number);
    json_array_end(json);
    json_pair_unsigned(json, "indicator_count", all);
}

static void put_sightings(const struct findings *findings, struct json *json, const size_t *list,
                          size_t count)
{
    findings_json_sightings(findings, json, list, count, count);
}

static void put_verdict(const struct findings *findings, struct json *json)
{
    const struct verdict *verdict = &findings->verdict;

    json_key(json, "verdict");
    json_object(json);
    json_pair_integer(json, "rung", verdict->rung);
    json_pair(json, "name", verdict_name(verdict));
    json_pair_bool(json, "determinable", !verdict->is_blind);
    json_pair(json, "confidence",
              verdict->not_determinable ? "not_determinable"
                                        : confidence_name(verdict->confidence));
    findings_json_time(json, "first", verdict->dated, verdict->first);
    findings_json_time(json, "last", verdict->dated, verdict->last);
    json_key(json, "dwell_seconds");
    if (verdict->dated)
        json_integer(json, (verdict->last - verdict->first) / 1000000);
    else
        json_null(json);
    json_pair(json, "summary", verdict->summary);
    findings_json_texts(json, "limits", verdict->limits, verdict->limit_count);
    json_object_end(json);
}

static void put_cves(const struct findings *findings, struct json *json)
{
    json_key(json, "cves");
    json_array(json);
    for (size_t i = 0; i < findings->outcomes.count; i++) {
        const struct cve_outcome *outcome = &findings->outcomes.list[i];
        const struct cve_exposure *exposure = outcome->exposure;
        json_object(json);
        json_pair(json, "cve", exposure->cve);
        json_pair(json, "exposure", exposure_name(exposure->state));
        findings_json_time(json, "from", exposure->from_known, exposure->from);
        findings_json_time(json, "until", exposure->until_known, exposure->until);
        json_pair(json, "exposure_why", exposure->why);
        json_pair(json, "outcome", outcome_name(outcome->outcome));
        json_pair(json, "why", outcome->why);
        findings_json_time(json, "first", outcome->dated, outcome->first);
        findings_json_time(json, "last", outcome->dated, outcome->last);
        json_pair(json, "timing", timing_name(outcome->timing));
        json_pair(json, "timing_why", outcome->timing_why);
        put_sightings(findings, json, outcome->sightings, outcome->count);
        json_object_end(json);
    }
    json_array_end(json);
}

static void put_checks(const struct findings *findings, struct json *json)
{
    json_key(json, "checks");
    json_array(json);
    for (size_t i = 0; i < findings->checks.count; i++) {
        const struct check *check = &findings->checks.list[i];
        json_object(json);
        json_pair(json, "id", check->id);
        json_pair(json, "level", level_names[check->level]);
        json_pair(json, "what", check->what);
        json_pair(json, "why", check->why);
        put_sightings(findings, json, check->sightings, check->count);
        json_object_end(json);
    }
    json_array_end(json);
}

/* --- incidents --- */

static void put_actors(const struct incident *incident, struct json *json)
{
    json_key(json, "actors");
    json_array(json);
    for (size_t i = 0; i < incident->actor_count && i < MOST_ACTORS; i++) {
        const struct actor *actor = &incident->actors[i];
        json_object(json);
        json_pair(json, "address", actor->address);
        json_pair_bool(json, "private", actor->is_private);
        json_pair(json, "network", known_network_of(actor->address));
        findings_json_time(json, "first", actor->first != 0, actor->first);
        findings_json_time(json, "last", actor->last != 0, actor->last);
        json_pair_unsigned(json, "indicator_count", actor->count);
        json_pair_integer(json, "rung", actor->rung);
        json_object_end(json);
    }
    json_array_end(json);
    json_pair_unsigned(json, "actor_count", incident->actor_count);
}

static void put_passages(const struct incident *incident, struct json *json)
{
    json_key(json, "through");
    json_array(json);
    for (size_t i = 0; i < incident->passage_count; i++) {
        json_object(json);
        json_pair(json, "address", incident->passages[i].address);
        json_pair_unsigned(json, "indicator_count", incident->passages[i].count);
        json_object_end(json);
    }
    json_array_end(json);
}

static void put_files(const struct incident *incident, struct json *json)
{
    json_key(json, "files");
    json_array(json);
    for (size_t i = 0; i < incident->file_count && i < MOST_FILES; i++) {
        const struct incident_file *file = &incident->files[i];
        json_object(json);
        json_pair(json, "path", file->path ? file->path : file->page);
        json_pair(json, "sha256", file->sha256);
        json_key(json, "size");
        if (file->size >= 0)
            json_integer(json, file->size);
        else
            json_null(json);
        findings_json_time(json, "first", file->first != 0, file->first);
        json_pair_integer(json, "rung", file->rung);
        json_pair_bool(json, "found", file->seen);
        json_pair_bool(json, "deleted", file->deleted);
        json_pair_unsigned(json, "requests", file->requests);
        findings_json_time(json, "first_request", file->first_request != 0, file->first_request);
        findings_json_time(json, "last_request", file->last_request != 0, file->last_request);
        json_pair(json, "requested_by", file->requested_by);
        json_object_end(json);
    }
    json_array_end(json);
    json_pair_unsigned(json, "file_count", incident->file_count);
}

static void put_steps(const struct findings *findings, const struct incident *incident,
                      struct json *json)
{
    json_key(json, "steps");
    json_array(json);
    for (size_t i = 0; i < incident->step_count && i < MOST_STEPS; i++) {
        const struct step *step = &incident->steps[i];
        json_object(json);
        findings_json_time(json, "time", true, step->time);
        findings_json_time(json, "until", true, step->until);
        json_pair(json, "what", step->what);
        json_pair_bool(json, "tried", step->tried);
        json_pair(json, "level", level_names[step->level]);
        json_pair(json, "actor", step->actor);
        json_pair(json, "object", step->object_count ? step->objects[0] : NULL);
        findings_json_texts(json, "objects", step->objects,
                            step->object_count < STEP_OBJECTS_MOST ? step->object_count
                                                                   : STEP_OBJECTS_MOST);
        json_pair_unsigned(json, "object_count", step->object_count);
        findings_json_texts(json, "also", step->others, step->other_count);
        put_sightings(findings, json, step->sightings, step->count);
        json_object_end(json);
    }
    json_array_end(json);
    json_pair_unsigned(json, "step_count", incident->step_count);
}

static void put_witnesses(unsigned witnesses, struct json *json)
{
    static const char *const names[WITNESS_COUNT] = {
        "web logs", "Exchange logs", "event logs", "file system",
        "registry", "virus scanner", "other",
    };

    json_key(json, "sources");
    json_array(json);
    for (size_t i = 0; i < WITNESS_COUNT; i++)
        if (witnesses & 1u << i)
            json_text(json, names[i]);
    json_array_end(json);
}

static void put_incident(const struct findings *findings, const struct incident *incident,
                         struct json *json)
{
    json_object(json);
    json_pair_unsigned(json, "id", incident->number);
    json_pair(json, "kind",
              incident->scanning                 ? "scanning"
              : incident->rung >= RUNG_EXPLOITED ? "intrusion"
                                                 : "unexplained");
    json_pair_integer(json, "rung", incident->rung);
    json_pair(json, "name", incident_name(incident));
    json_pair(json, "confidence", confidence_name(incident->confidence));
    json_pair_integer(json, "score", (int64_t)incident->score);
    put_witnesses(incident->witnesses, json);
    findings_json_time(json, "first", incident->dated, incident->first);
    findings_json_time(json, "last", incident->dated, incident->last);
    put_actors(incident, json);
    put_passages(incident, json);
    put_files(incident, json);
    put_steps(findings, incident, json);
    json_pair_unsigned(json, "indicator_count", incident->member_count);
    json_object_end(json);
}

static void put_incidents(const struct findings *findings, struct json *json)
{
    json_key(json, "incidents");
    json_array(json);
    for (size_t i = 0; i < findings->incidents.count; i++)
        put_incident(findings, &findings->incidents.list[i], json);
    json_array_end(json);
}

static void put_leads(const struct findings *findings, struct json *json)
{
    json_key(json, "leads");
    json_array(json);
    for (size_t i = 0; i < findings->lead_count; i++) {
        json_object(json);
        json_pair(json, "what", findings->leads[i].what);
        json_pair(json, "why", findings->leads[i].why);
        put_sightings(findings, json, findings->leads[i].sightings, findings->leads[i].count);
        json_object_end(json);
    }
    json_array_end(json);
}

void findings_json(const struct findings *findings, struct buffer *out)
{
    struct json json = json_over(out, true);

    json_object(&json);
    if (findings->interruption) {
        json_key(&json, "interrupted");
        json_raw(&json, findings->interrupted);
    }
    put_verdict(findings, &json);
    findings_json_exchange(&findings->exposure, &json);
    findings_json_update(&findings->exposure, &json);
    findings_json_mitigations(&findings->mitigations, &json);
    findings_json_configuration(&findings->exposure, &json);
    put_cves(findings, &json);
    put_checks(findings, &json);
    put_incidents(findings, &json);
    findings_json_losses(findings, &json);
    put_leads(findings, &json);
    findings_json_retention(&findings->retention, &json);
    findings_json_hybrid(findings, &json);
    json_object_end(&json);
    buffer_add_byte(out, '\n');
}
