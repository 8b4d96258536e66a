/*
 * An event for MISP: attributes with type, category and to_ids, so that what is worth blocking is
 * told from what is only context. Source: "MISP core format" (draft-00, misp-standard.org).
 */
#include "triage/base/instant.h"
#include "triage/report/sharing.h"
#include "triage/report/writer.h"

#include <string.h>

struct event {
    struct sharing s;
    size_t count, cut;
};

struct attribute {
    const char *type, *category, *value, *comment, *first, *last;
    bool to_ids;
};

static long long seconds_of(const char *time)
{
    struct instant instant;

    return instant_parse(slice_of_text(time), &instant, NULL)
               ? (long long)(instant_to_unix_us(instant) / 1000000)
               : 0;
}

static void pair_number(struct json *json, const char *key, long long number)
{
    char text[24];

    snprintf(text, sizeof text, "%lld", number);
    json_pair(json, key, text); /* the format writes numbers as texts */
}

static int put(struct event *event, const struct attribute *attribute)
{
    struct json *json = &event->s.json;
    char uuid[UUID_TEXT_SIZE], time[SHARED_TIME_SIZE];

    if (!attribute->value || !*attribute->value)
        return 0;
    if (event->count++ >= SHARED_MOST) {
        event->cut++;
        return 0;
    }
    json_object(json);
    json_pair(json, "uuid", sharing_uuid(&event->s, attribute->type, attribute->value, uuid));
    json_pair(json, "type", attribute->type);
    json_pair(json, "category", attribute->category);
    json_pair_bool(json, "to_ids", attribute->to_ids);
    json_pair(json, "value", attribute->value);
    json_pair(json, "comment", attribute->comment ? attribute->comment : "");
    pair_number(json, "timestamp", seconds_of(event->s.moment));
    json_pair_bool(json, "disable_correlation", false);
    if (attribute->first)
        json_pair(json, "first_seen", sharing_time(&event->s, attribute->first, time));
    if (attribute->last)
        json_pair(json, "last_seen", sharing_time(&event->s, attribute->last, time));
    json_object_end(json);
    return sharing_flush(&event->s);
}

static int add_address(void *context, const char *const *cells)
{
    const bool blocked = sharing_number(cells[4]) && !sharing_number(cells[5]);
    const struct attribute attribute = {
        .type = "ip-src",
        .category = "Network activity",
        .value = sharing_is_address(cells[0]) ? cells[0] : NULL,
        .comment = cells[1],
        .first = cells[2],
        .last = cells[3],
        .to_ids = blocked,
    };

    return put(context, &attribute);
}

static int add_agent(void *context, const char *const *cells)
{
    const struct attribute attribute = {
        .type = "user-agent",
        .category = "Network activity",
        .value = cells[0],
        .comment = "of an intruder's requests; many are those of ordinary programs",
    };

    return put(context, &attribute);
}

static int add_file(void *context, const char *const *cells)
{
    struct buffer named = BUFFER_EMPTY;
    const bool hashed = cells[1] && *cells[1];

    if (!cells[0])
        return 0;
    buffer_format(&named, "%s%s%s", sharing_file_name(cells[0]), hashed ? "|" : "",
                  hashed ? cells[1] : "");
    const struct attribute attribute = {
        .type = hashed ? "filename|sha256" : "filename",
        .category = "Payload installation",
        .value = buffer_text(&named),
        .comment = cells[0],
        .first = cells[2],
        .last = cells[3],
        .to_ids = hashed,
    };
    const int result = put(context, &attribute);
    buffer_release(&named);
    return result;
}

static int add_cve(void *context, const char *const *cells)
{
    const struct attribute attribute = {
        .type = "vulnerability",
        .category = "External analysis",
        .value = cells[0],
        .comment = cells[1],
    };

    return put(context, &attribute);
}

static int put_attributes(struct event *event)
{
    struct case_file *file = event->s.file;
    const struct attribute verdict = {
        .type = "text",
        .category = "Internal reference",
        .value = event->s.summary,
        .comment = "the verdict",
    };

    if (put(event, &verdict) < 0 ||
        case_query(file,
                   "SELECT address, group_concat(DISTINCT kind), min(a.first), max(a.last), "
                   "max(kind = 'intrusion'), max(private) FROM actor a JOIN incident i ON i.id = "
                   "a.incident "
                   "GROUP BY address ORDER BY max(a.rung) DESC, min(a.first), address",
                   add_address, event) < 0 ||
        case_query(file,
                   "SELECT DISTINCT CASE WHEN json_valid(i.fields) THEN "
                   "coalesce(json_extract(i.fields, '$.\"cs-user-agent\"'), "
                   "json_extract(i.fields, '$.UserAgent')) END AS agent FROM incident n JOIN "
                   "incident_indicator x ON x.incident = n.id JOIN indicator i ON i.rowid = "
                   "x.indicator WHERE n.kind = 'intrusion' AND agent IS NOT NULL AND agent NOT IN "
                   "('', '-') ORDER BY 1",
                   add_agent, event) < 0)
        return -1;
    return case_query(file,
                      "SELECT path, sha256, min(first), max(last_request) FROM incident_file WHERE "
                      "incident IN (SELECT id FROM incident WHERE kind = 'intrusion') GROUP BY "
                      "path, sha256 ORDER BY min(first), path",
                      add_file, event) < 0
               ? -1
               : case_query(file,
                            "SELECT cve, why FROM cve WHERE outcome IN ('attempted', 'failed', "
                            "'succeeded') ORDER BY cve",
                            add_cve, event);
}

static void put_tag(struct json *json, const char *name)
{
    json_object(json);
    json_pair(json, "name", name);
    json_object_end(json);
}

static int add_technique(void *context, const char *const *cells)
{
    struct event *event = context;
    char id[16], text[160];

    if (!sharing_technique(cells[0], id))
        return 0;
    const char *name = sharing_technique_name(id);
    if (name)
        snprintf(text, sizeof text, "misp-galaxy:mitre-attack-pattern=\"%s - %s\"", name, id);
    else
        snprintf(text, sizeof text, "mitre-attack:%s", id);
    put_tag(&event->s.json, text);
    return 0;
}

static int put_tags(struct event *event)
{
    struct json *json = &event->s.json;
    char text[80];

    json_key(json, "Tag");
    json_array(json);
    put_tag(json, "tlp:amber");
    if (event->cut) {
        snprintf(text, sizeof text, "extriage:cut=\"%zu attributes are left out\"", event->cut);
        put_tag(json, text);
    }
    const int result = case_query(
        event->s.file,
        "SELECT DISTINCT t.value FROM incident_indicator x JOIN indicator i ON i.rowid = "
        "x.indicator JOIN rule r ON r.rowid = i.rule + 1, json_each(r.tags) t ORDER BY 1",
        add_technique, event);
    json_array_end(json);
    return result;
}

static void put_head(struct event *event)
{
    struct json *json = &event->s.json;
    char uuid[UUID_TEXT_SIZE], info[200];

    snprintf(info, sizeof info, "Exchange server %.100s: %s",
             *event->s.host ? event->s.host : "of unknown name",
             event->s.is_intrusion ? "intrusion" : "no intrusion seen");
    json_pair(json, "uuid", sharing_uuid(&event->s, "event", "case", uuid));
    json_pair(json, "info", info);
    json_pair_slice(json, "date", slice_part(slice_of_text(event->s.moment), 0, 10));
    pair_number(json, "timestamp", seconds_of(event->s.moment));
    json_pair(json, "threat_level_id", event->s.is_intrusion ? "1" : "3");
    json_pair(json, "analysis", "2");     /* complete */
    json_pair(json, "distribution", "0"); /* this organisation only: who shares it decides */
    json_pair_bool(json, "published", false);
}

static int write_all(struct case_file *file, FILE *out)
{
    struct event event = {0};
    int result = sharing_begin(&event.s, file, out);

    if (result == 0) {
        struct json *json = &event.s.json;
        json_object(json);
        json_key(json, "Event");
        json_object(json);
        put_head(&event);
        json_key(json, "Attribute");
        json_array(json);
        result = put_attributes(&event);
        json_array_end(json);
        if (result == 0)
            result = put_tags(&event);
        json_object_end(json);
        json_object_end(json);
        buffer_add_byte(&event.s.text, '\n');
    }
    if (result == 0)
        result = sharing_flush(&event.s);
    sharing_release(&event.s);
    return result;
}

const struct writer writer_misp = {
    .name = "misp",
    .file = "misp.json",
    .title = "MISP event: attributes of the incidents",
    .optional = true,
    .write = write_all,
};
