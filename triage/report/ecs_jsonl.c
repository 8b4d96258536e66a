/* Elastic Common Schema (version 8): one event a line, for a SIEM. Values of the evidence stand
 * below "extriage.fields", so that they cannot meet the mapping of anybody's index. */
#include "triage/base/json.h"
#include "triage/formats/json_reader.h"
#include "triage/match/rules.h"
#include "triage/report/lines.h"
#include "triage/report/writer.h"

#include <string.h>

enum { MEMORY = 8 << 20, MOST_TECHNIQUES = 16 };

static void put_event(struct json *json, const struct case_indicator *row)
{
    static const int severities[] = {10, 25, 50, 75, 100};

    json_key(json, "event");
    json_object(json);
    json_pair(json, "kind", "alert");
    json_pair(json, "module", "extriage");
    json_pair(json, "dataset", row->artifact);
    json_pair_integer(json, "severity", severities[row->level]);
    json_pair_slice(json, "original", row->raw);
    json_pair(json, "timezone", row->time_basis);
    json_object_end(json);
}

static void put_rule(struct json *json, const struct case_indicator *row,
                     const struct case_rule *rule)
{
    json_key(json, "rule");
    json_object(json);
    json_pair(json, "id", rule->id);
    json_pair(json, "name", rule->name);
    json_pair(json, "description", rule->title);
    json_pair(json, "author", rule->author);
    json_pair(json, "ruleset", rule->language);
    json_pair(json, "category", level_name((enum level)row->level));
    json_object_end(json);
}

/* "attack.t1505.003" as "T1505.003". */
static void put_techniques(struct json *json, const char *tags)
{
    size_t count = 0;

    json_key(json, "threat");
    json_object(json);
    json_pair(json, "framework", "MITRE ATT&CK");
    json_key(json, "technique");
    json_object(json);
    json_key(json, "id");
    json_array(json);
    for (const char *at = tags; (at = strstr(at, "\"attack.t")) && count < MOST_TECHNIQUES;) {
        char id[24] = "T";
        const size_t size = strcspn(at += 9, "\"");
        strncat(id, at, size < 20 ? size : 20);
        if (strspn(id + 1, "0123456789.") == strlen(id) - 1 && id[1]) {
            json_text(json, id);
            count++;
        }
    }
    json_array_end(json);
    json_object_end(json);
    json_object_end(json);
}

/* The first of the names that has a value. */
static struct slice value_of(const struct json_value *fields, const char *const *names)
{
    for (; *names; names++) {
        const struct json_value *value = json_member(fields, *names);
        if (value && value->text.size && !slice_is(value->text, "-"))
            return value->text;
    }
    return slice_of(NULL, 0);
}

static void put_value(struct json *json, const char *object, const char *key, struct slice value)
{
    if (!value.size)
        return;
    json_key(json, object);
    json_object(json);
    json_pair_slice(json, key, value);
    json_object_end(json);
}

static void put_known(struct json *json, const struct json_value *fields)
{
    static const char *const addresses[] = {"ClientIpAddress", "c-ip", "IpAddress", "SourceIp",
                                            NULL};
    static const char *const paths[] = {"UrlStem", "cs-uri-stem", NULL};
    static const char *const agents[] = {"UserAgent", "cs-user-agent", NULL};
    static const char *const users[] = {"AuthenticatedUser", "cs-username", "TargetUserName",
                                        "User", NULL};

    put_value(json, "source", "address", value_of(fields, addresses));
    put_value(json, "url", "path", value_of(fields, paths));
    put_value(json, "user_agent", "original", value_of(fields, agents));
    put_value(json, "user", "name", value_of(fields, users));
}

static void add_line(struct buffer *out, const struct case_indicator *row,
                     const struct case_rule *rule)
{
    struct json json = json_over(out, false);
    struct arena *arena = arena_new(MEMORY);
    struct json_value *fields = NULL;

    if (arena && json_read(slice_of_text(row->fields), arena, &fields) < 0)
        fields = NULL;
    json_object(&json);
    json_key(&json, "@timestamp");
    struct buffer time = BUFFER_EMPTY;
    lines_add_time(&time, row->timestamp);
    json_slice(&json, buffer_slice(&time));
    buffer_release(&time);
    json_pair(&json, "message", row->message);
    json_key(&json, "ecs");
    json_object(&json);
    json_pair(&json, "version", "8.11.0");
    json_object_end(&json);
    put_event(&json, row);
    put_rule(&json, row, rule);
    put_techniques(&json, rule->tags);
    json_key(&json, "host");
    json_object(&json);
    json_pair(&json, "name", row->host);
    json_object_end(&json);
    put_known(&json, fields);
    json_key(&json, "file");
    json_object(&json);
    json_pair(&json, "path", row->path);
    json_pair(&json, "inode", row->mft_entry);
    json_object_end(&json);
    json_key(&json, "extriage");
    json_object(&json);
    json_pair(&json, "evidence", row->evidence);
    json_pair_integer(&json, "volume", row->volume);
    json_pair_integer(&json, "snapshot", row->snapshot);
    json_pair_integer(&json, "offset", row->offset);
    json_pair_integer(&json, "record", row->record);
    json_pair(&json, "raw_sha256", row->raw_sha256);
    json_key(&json, "fields");
    json_line(&json, slice_of_text(row->fields));
    json_object_end(&json);
    json_object_end(&json);
    buffer_add_byte(out, '\n');
    arena_free(arena);
}

static int write_all(struct case_file *file, FILE *out)
{
    return lines_write_indicators(file, NULL, add_line, out);
}

const struct writer writer_ecs_jsonl = {
    .name = "ecs",
    .file = "timeline.ecs.jsonl",
    .title = "the timeline in the Elastic Common Schema",
    .optional = true,
    .write = write_all,
};
