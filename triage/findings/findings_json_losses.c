/* What was taken, destroyed and left behind, and how much was moved. */
#include "triage/findings/findings_json.h"

#include "triage/findings/known_networks.h"

static void put_taken(const struct findings *findings, struct json *json)
{
    static const char *const statuses[] = {"prepared", "likely", "confirmed"};

    json_key(json, "taken");
    json_array(json);
    for (size_t i = 0; i < findings->taken_count; i++) {
        const struct taken *taken = &findings->taken[i];
        json_object(json);
        json_pair(json, "what", taken->what);
        json_pair(json, "status", statuses[taken->status]);
        json_pair(json, "how", taken->how);
        json_pair(json, "by", taken->by);
        findings_json_time(json, "time", taken->dated, taken->time);
        json_key(json, "size");
        if (taken->size >= 0)
            json_integer(json, taken->size);
        else
            json_null(json);
        json_pair_unsigned(json, "incident", taken->incident);
        findings_json_sightings(findings, json, &taken->sighting, 1, 1);
        json_object_end(json);
    }
    json_array_end(json);
}

static void put_remnants(const struct findings *findings, bool accounts, struct json *json)
{
    json_key(json, accounts ? "accounts" : "persistence");
    json_array(json);
    for (size_t i = 0; i < findings->remnant_count; i++) {
        const struct remnant *remnant = &findings->remnants[i];
        if (remnant->account != accounts)
            continue;
        json_object(json);
        json_pair(json, "what", remnant->what);
        json_pair(json, "how", remnant->how);
        json_pair(json, "rule", remnant->rule);
        findings_json_time(json, "time", remnant->dated, remnant->time);
        findings_json_sightings(findings, json, &remnant->sighting, 1, 1);
        json_object_end(json);
    }
    json_array_end(json);
}

static void put_destroyed(const struct findings *findings, struct json *json)
{
    json_key(json, "destroyed");
    json_array(json);
    for (size_t i = 0; i < findings->destroyed_count; i++) {
        const struct destroyed *entry = &findings->destroyed[i];
        const size_t listed =
            entry->count < DESTROYED_LISTED_MOST ? entry->count : DESTROYED_LISTED_MOST;
        json_object(json);
        json_pair(json, "what", entry->what);
        json_pair(json, "how", entry->how);
        json_pair(json, "rule", entry->rule);
        findings_json_time(json, "first", entry->dated, entry->first);
        findings_json_time(json, "last", entry->dated, entry->last);
        findings_json_sightings(findings, json, entry->sightings, listed, entry->count);
        json_object_end(json);
    }
    json_array_end(json);
}

/* --- volumes --- */

static void put_row(const char *name, const struct moved_row *row, struct json *json)
{
    json_object(json);
    json_pair(json, "name", name);
    json_pair_unsigned(json, "sent", row->sent);
    json_pair_unsigned(json, "received", row->received);
    json_pair_unsigned(json, "lines", row->lines);
    json_pair_unsigned(json, "sent_during_intrusion", row->sent_during);
    json_key(json, "times_usual");
    if (row->times_usual)
        json_unsigned(json, row->times_usual);
    else
        json_null(json);
    json_pair_bool(json, "intruder", row->actor);
    json_pair(json, "network", name ? known_network_of(name) : NULL);
    json_object_end(json);
}

/* The last row is that of all others; a list that is empty has none. */
static void put_list(const char *key, const struct moved_list *list, struct json *json)
{
    json_key(json, key);
    json_array(json);
    for (size_t i = 0; i < list->count; i++)
        put_row(list->rows[i].name, &list->rows[i], json);
    if (list->count)
        put_row(NULL, &list->rest, json);
    json_array_end(json);
}

static void put_volumes(const struct moved *volumes, struct json *json)
{
    json_key(json, "volumes");
    json_array(json);
    for (size_t i = 0; i < volumes->count; i++) {
        const struct log_bytes *volume = &volumes->list[i];
        json_object(json);
        json_pair(json, "artifact", volume->artifact);
        json_pair_integer(json, "days_during_intrusion", volume->days_during);
        json_pair_integer(json, "days_other", volume->days_other);
        json_key(json, "all");
        put_row(NULL, &volume->all, json);
        put_list("clients", &volume->clients, json);
        put_list("users", &volume->users, json);
        put_list("programs", &volume->programs, json);
        json_object_end(json);
    }
    json_array_end(json);
}

void findings_json_losses(const struct findings *findings, struct json *json)
{
    put_taken(findings, json);
    put_destroyed(findings, json);
    put_volumes(&findings->volumes, json);
    put_remnants(findings, true, json);
    put_remnants(findings, false, json);
}
