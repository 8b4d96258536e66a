/* Exchange Online, where the server is tied to it: what set it up, and who came from there. */
#include "triage/findings/findings_json.h"

#include "triage/findings/known_networks.h"

#include <string.h>

enum { TRACES_MOST = 100 };

static void put_traces(const struct findings *findings, struct json *json)
{
    size_t told = 0;

    json_key(json, "traces");
    json_array(json);
    for (size_t i = 0; i < findings->sightings.count && told < TRACES_MOST; i++) {
        const struct sighting *sighting = &findings->sightings.list[i];
        if (strncmp(sighting->rule, "HY-", 3) != 0)
            continue;
        told++;
        json_object(json);
        json_pair(json, "what", sighting->title);
        json_pair(json, "object", sighting->object);
        json_pair(json, "by", sighting->user);
        findings_json_time(json, "time", sighting->dated, sighting->time);
        findings_json_sightings(findings, json, &i, 1, 1);
        json_object_end(json);
    }
    json_array_end(json);
}

/* By the logs that count bytes, for those see every request. */
static void put_clients(const struct findings *findings, struct json *json)
{
    json_key(json, "clients");
    json_array(json);
    for (size_t i = 0; i < findings->volumes.count; i++) {
        const struct log_bytes *log = &findings->volumes.list[i];
        for (size_t j = 0; j < log->clients.count; j++) {
            const struct moved_row *row = &log->clients.rows[j];
            const char *network = known_network_of(row->name);
            if (!network)
                continue;
            json_object(json);
            json_pair(json, "address", row->name);
            json_pair(json, "network", network);
            json_pair(json, "artifact", log->artifact);
            json_pair_unsigned(json, "lines", row->lines);
            json_pair_unsigned(json, "sent", row->sent);
            json_object_end(json);
        }
    }
    json_array_end(json);
}

void findings_json_hybrid(const struct findings *findings, struct json *json)
{
    json_key(json, "hybrid");
    json_object(json);
    put_traces(findings, json);
    put_clients(findings, json);
    json_object_end(json);
}
