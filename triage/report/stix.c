/*
 * A STIX 2.1 bundle: who was seen doing what, for a threat intelligence platform. Ids of
 * observables are those that the standard prescribes (section 2.9), the others are made the same
 * way, so that the same case gives the same bundle. Source: OASIS, "STIX Version 2.1".
 */
#include "triage/base/error.h"
#include "triage/report/sharing.h"
#include "triage/report/writer.h"

#include <string.h>

#define OBSERVABLES "00abedb4-aa42-466c-9c01-fed23315a9b7"
enum { ID_SIZE = 80 };

struct bundle {
    struct sharing s;
    struct buffer refs; /* JSON list items: the ids of all objects, for the report */
    size_t count, cut;  /* objects written, and rows left out */
    char identity[ID_SIZE], victim[ID_SIZE];
};

static const char *id_of(struct bundle *bundle, const char *type, const char *name,
                         char id[ID_SIZE])
{
    char uuid[UUID_TEXT_SIZE];

    snprintf(id, ID_SIZE, "%s--%s", type, sharing_uuid(&bundle->s, type, name, uuid));
    return id;
}

static bool is_there(const struct bundle *bundle, const char *id)
{
    return bundle->refs.size && memmem(bundle->refs.data, bundle->refs.size, id, strlen(id));
}

/* Opens an object and writes what all have; false when the bundle holds it already. */
static bool begin(struct bundle *bundle, const char *type, const char *id)
{
    struct json *json = &bundle->s.json;
    struct json refs = json_over(&bundle->refs, false);

    if (is_there(bundle, id))
        return false;
    bundle->count++;
    if (strcmp(type, "report") != 0) {
        if (bundle->refs.size)
            buffer_add_byte(&bundle->refs, ',');
        json_text(&refs, id);
    }
    json_object(json);
    json_pair(json, "type", type);
    json_pair(json, "spec_version", "2.1");
    json_pair(json, "id", id);
    return true;
}

/* For a domain object or a relationship: who made it, and when: the last trace of the case, for the
 * bundle must not depend on the day on which it is written. */
static void made(struct bundle *bundle)
{
    struct json *json = &bundle->s.json;

    json_pair(json, "created_by_ref", bundle->identity);
    json_pair(json, "created", bundle->s.moment);
    json_pair(json, "modified", bundle->s.moment);
}

static int end(struct bundle *bundle)
{
    json_object_end(&bundle->s.json);
    return sharing_flush(&bundle->s);
}

static void list_of_one(struct json *json, const char *key, const char *text)
{
    json_key(json, key);
    json_array(json);
    json_text(json, text);
    json_array_end(json);
}

static int put_identity(struct bundle *bundle, const char *id, const char *name,
                        const char *description)
{
    if (!begin(bundle, "identity", id))
        return 0;
    made(bundle);
    json_pair(&bundle->s.json, "name", name);
    json_pair(&bundle->s.json, "description", description);
    json_pair(&bundle->s.json, "identity_class", "system");
    return end(bundle);
}

/* --- observables --- */

static const char *address_type(const char *address)
{
    return strchr(address, ':') ? "ipv6-addr" : "ipv4-addr";
}

/* The id that the contributing properties give, as canonical JSON (RFC 8785). */
static void observable_id(const char *type, struct buffer *properties, char id[ID_SIZE])
{
    char uuid[UUID_TEXT_SIZE];

    snprintf(id, ID_SIZE, "%s--%s", type,
             uuid_of_name(OBSERVABLES, buffer_slice(properties), uuid));
    buffer_release(properties);
}

static void value_id(const char *type, const char *key, const char *value, char id[ID_SIZE])
{
    struct buffer properties = BUFFER_EMPTY;
    struct json json = json_over(&properties, false);

    json_object(&json);
    json_pair(&json, key, value);
    json_object_end(&json);
    observable_id(type, &properties, id);
}

static int put_address(struct bundle *bundle, const char *address, char id[ID_SIZE])
{
    value_id(address_type(address), "value", address, id);
    if (!begin(bundle, address_type(address), id))
        return 0;
    json_pair(&bundle->s.json, "value", address);
    return end(bundle);
}

static int put_folder(struct bundle *bundle, const char *path, char id[ID_SIZE])
{
    struct buffer folder = BUFFER_EMPTY;
    const char *name = sharing_file_name(path);
    int result = 0;

    *id = 0;
    if (name > path + 1) {
        buffer_add(&folder, slice_of((const uint8_t *)path, (size_t)(name - 1 - path)));
        value_id("directory", "path", buffer_text(&folder), id);
        if (begin(bundle, "directory", id)) {
            json_pair(&bundle->s.json, "path", buffer_text(&folder));
            result = end(bundle);
        }
    }
    buffer_release(&folder);
    return result;
}

static void put_hashes(struct json *json, const char *sha256)
{
    json_key(json, "hashes");
    json_object(json);
    json_pair(json, "SHA-256", sha256);
    json_object_end(json);
}

static void file_id(const char *name, const char *sha256, const char *folder, char id[ID_SIZE])
{
    struct buffer properties = BUFFER_EMPTY;
    struct json json = json_over(&properties, false);

    json_object(&json);
    if (*sha256)
        put_hashes(&json, sha256);
    json_pair(&json, "name", name);
    if (*folder)
        json_pair(&json, "parent_directory_ref", folder);
    json_object_end(&json);
    observable_id("file", &properties, id);
}

static int put_file(struct bundle *bundle, const char *path, const char *sha256, const char *size,
                    char id[ID_SIZE])
{
    const char *name = sharing_file_name(path);
    struct json *json = &bundle->s.json;
    char folder[ID_SIZE];

    if (put_folder(bundle, path, folder) < 0)
        return -1;
    file_id(name, sha256, folder, id);
    if (!begin(bundle, "file", id))
        return 0;
    if (*sha256)
        put_hashes(json, sha256);
    if (size)
        json_pair_integer(json, "size", sharing_number(size));
    json_pair(json, "name", name);
    if (*folder)
        json_pair(json, "parent_directory_ref", folder);
    return end(bundle);
}

/* --- what was seen --- */

struct seen { /* one thing that the intruder used or left */
    const char *name, *description, *object, *pattern;
    const char *first, *last;
    long long count;
    bool is_bad; /* an indicator of compromise, not only of scanning */
};

static int put_observed(struct bundle *bundle, const struct seen *seen, char id[ID_SIZE])
{
    struct json *json = &bundle->s.json;
    char time[SHARED_TIME_SIZE];

    id_of(bundle, "observed-data", seen->object, id);
    if (!begin(bundle, "observed-data", id))
        return 0;
    made(bundle);
    json_pair(json, "first_observed", sharing_time(&bundle->s, seen->first, time));
    json_pair(json, "last_observed", sharing_time(&bundle->s, seen->last, time));
    json_pair_integer(json, "number_observed",
                      seen->count < 1            ? 1
                      : seen->count > 1000000000 ? 1000000000
                                                 : seen->count);
    list_of_one(json, "object_refs", seen->object);
    return end(bundle);
}

static int put_indicator(struct bundle *bundle, const struct seen *seen, char id[ID_SIZE])
{
    struct json *json = &bundle->s.json;
    char time[SHARED_TIME_SIZE];

    id_of(bundle, "indicator", seen->pattern, id);
    if (!begin(bundle, "indicator", id))
        return 0;
    made(bundle);
    json_pair(json, "name", seen->name);
    json_pair(json, "description", seen->description);
    list_of_one(json, "indicator_types",
                seen->is_bad ? "malicious-activity" : "anomalous-activity");
    json_pair(json, "pattern", seen->pattern);
    json_pair(json, "pattern_type", "stix");
    json_pair(json, "valid_from", sharing_time(&bundle->s, seen->first, time));
    return end(bundle);
}

static int put_sighting(struct bundle *bundle, const struct seen *seen, const char *indicator,
                        const char *observed)
{
    struct json *json = &bundle->s.json;
    char time[SHARED_TIME_SIZE], id[ID_SIZE];

    if (!begin(bundle, "sighting", id_of(bundle, "sighting", indicator, id)))
        return 0;
    made(bundle);
    json_pair(json, "first_seen", sharing_time(&bundle->s, seen->first, time));
    json_pair(json, "last_seen", sharing_time(&bundle->s, seen->last, time));
    json_pair_integer(json, "count", seen->count < 1 ? 1 : seen->count);
    json_pair(json, "sighting_of_ref", indicator);
    list_of_one(json, "observed_data_refs", observed);
    list_of_one(json, "where_sighted_refs", bundle->victim);
    return end(bundle);
}

static int put_seen(struct bundle *bundle, const struct seen *seen, char indicator[ID_SIZE])
{
    char observed[ID_SIZE];

    return put_observed(bundle, seen, observed) < 0 || put_indicator(bundle, seen, indicator) < 0
               ? -1
               : put_sighting(bundle, seen, indicator, observed);
}

/* Whether there is no room for an observable with its folder and all that stands on it: no
 * reference leads nowhere. */
static bool is_full(struct bundle *bundle)
{
    if (bundle->count + 8 < SHARED_MOST)
        return false;
    bundle->cut++;
    return true;
}

static int add_actor(void *context, const char *const *cells)
{
    struct bundle *bundle = context;
    char object[ID_SIZE], indicator[ID_SIZE], pattern[160];
    const char *address = cells[0] ? cells[0] : "";
    struct seen seen = {
        .name = address,
        .description = cells[1],
        .object = object,
        .pattern = pattern,
        .first = cells[2],
        .last = cells[3],
        .count = sharing_number(cells[4]),
        .is_bad = sharing_number(cells[5]) != 0,
    };

    if (sharing_number(cells[6]) || !sharing_is_address(address) || is_full(bundle))
        return 0; /* a private address says nothing elsewhere */
    snprintf(pattern, sizeof pattern, "[%s:value = '%s']", address_type(address), address);
    return put_address(bundle, address, object) < 0 ? -1 : put_seen(bundle, &seen, indicator);
}

static int add_file(void *context, const char *const *cells)
{
    struct bundle *bundle = context;
    char object[ID_SIZE], indicator[ID_SIZE], observed[ID_SIZE], pattern[160];
    const char *path = cells[0] ? cells[0] : "", *sha256 = cells[1] ? cells[1] : "";
    struct seen seen = {
        .name = sharing_file_name(path),
        .description = cells[3],
        .object = object,
        .pattern = pattern,
        .first = cells[4],
        .last = cells[5] ? cells[5] : cells[4],
        .count = sharing_number(cells[6]),
        .is_bad = true,
    };

    if (is_full(bundle))
        return 0;
    if (put_file(bundle, path, sha256, cells[2], object) < 0)
        return -1;
    if (!*sha256)
        return put_observed(bundle, &seen, observed);
    snprintf(pattern, sizeof pattern, "[file:hashes.'SHA-256' = '%.64s']", sha256);
    return put_seen(bundle, &seen, indicator);
}

/* --- techniques and vulnerabilities --- */

static void put_reference(struct json *json, const char *source, const char *id)
{
    json_key(json, "external_references");
    json_array(json);
    json_object(json);
    json_pair(json, "source_name", source);
    json_pair(json, "external_id", id);
    json_object_end(json);
    json_array_end(json);
}

static int add_technique(void *context, const char *const *cells)
{
    struct bundle *bundle = context;
    char technique[16], id[ID_SIZE];

    if (!sharing_technique(cells[0], technique) || is_full(bundle) ||
        !begin(bundle, "attack-pattern", id_of(bundle, "attack-pattern", technique, id)))
        return 0;
    const char *name = sharing_technique_name(technique);
    made(bundle);
    json_pair(&bundle->s.json, "name", name ? name : technique);
    put_reference(&bundle->s.json, "mitre-attack", technique);
    return end(bundle);
}

static int add_cve(void *context, const char *const *cells)
{
    struct bundle *bundle = context;
    char id[ID_SIZE];

    if (is_full(bundle) ||
        !begin(bundle, "vulnerability", id_of(bundle, "vulnerability", cells[0], id)))
        return 0;
    made(bundle);
    json_pair(&bundle->s.json, "name", cells[0]);
    json_pair(&bundle->s.json, "description", cells[1]);
    put_reference(&bundle->s.json, "cve", cells[0]);
    return end(bundle);
}

static int put_relationship(struct bundle *bundle, const char *kind, const char *source,
                            const char *target)
{
    char name[3 * ID_SIZE], id[ID_SIZE];

    snprintf(name, sizeof name, "%s %s %s", source, kind, target);
    if (is_full(bundle) || !begin(bundle, "relationship", id_of(bundle, "relationship", name, id)))
        return 0;
    made(bundle);
    json_pair(&bundle->s.json, "relationship_type", kind);
    json_pair(&bundle->s.json, "source_ref", source);
    json_pair(&bundle->s.json, "target_ref", target);
    return end(bundle);
}

/* "This address stands for that technique." */
static int add_use(void *context, const char *const *cells)
{
    struct bundle *bundle = context;
    char technique[16], pattern[160], source[ID_SIZE], target[ID_SIZE];

    if (!sharing_technique(cells[1], technique) || !sharing_is_address(cells[0]))
        return 0;
    snprintf(pattern, sizeof pattern, "[%s:value = '%s']", address_type(cells[0]), cells[0]);
    return put_relationship(bundle, "indicates", id_of(bundle, "indicator", pattern, source),
                            id_of(bundle, "attack-pattern", technique, target));
}

static int put_report(struct bundle *bundle)
{
    struct json *json = &bundle->s.json;
    char id[ID_SIZE], name[160];

    begin(bundle, "report", id_of(bundle, "report", "case", id));
    made(bundle);
    snprintf(name, sizeof name, "Exchange server %.100s", *bundle->s.host ? bundle->s.host : "?");
    json_pair(json, "name", name);
    json_pair(json, "description", bundle->s.summary);
    list_of_one(json, "report_types", bundle->s.is_intrusion ? "threat-report" : "observed-data");
    json_pair(json, "published", bundle->s.moment);
    if (bundle->cut) {
        json_key(json, "labels");
        json_array(json);
        snprintf(name, sizeof name, "cut: %zu rows are left out; case.db holds all", bundle->cut);
        json_text(json, name);
        json_array_end(json);
    }
    json_key(json, "object_refs");
    json_array(json);
    json_raw(json, buffer_slice(&bundle->refs));
    json_array_end(json);
    return end(bundle);
}

/* --- the bundle --- */

static const char actors_query[] =
    "SELECT address, group_concat(DISTINCT kind), min(a.first), max(a.last), "
    "sum(a.indicator_count), max(kind = 'intrusion'), max(private) FROM actor a JOIN incident i ON "
    "i.id = "
    "a.incident WHERE address IS NOT NULL GROUP BY address ORDER BY max(a.rung) DESC, "
    "min(a.first), "
    "address";
static const char files_query[] =
    "SELECT path, sha256, max(size), CASE max(deleted) WHEN 1 THEN 'deleted since' ELSE 'still "
    "there' END, min(first), max(last_request), max(requests) FROM incident_file WHERE path IS NOT "
    "NULL AND incident IN (SELECT id FROM incident WHERE kind = 'intrusion') GROUP BY path, sha256 "
    "ORDER BY min(first), path";
/* Techniques of what intruders and scanners did. */
static const char techniques_query[] =
    "SELECT DISTINCT t.value FROM incident_indicator x JOIN indicator i ON i.rowid = x.indicator "
    "JOIN rule r ON r.rowid = i.rule + 1, json_each(r.tags) t WHERE t.value LIKE 'attack.t%' "
    "ORDER BY 1";
static const char uses_query[] =
    "SELECT DISTINCT s.actor, t.value FROM step s JOIN incident_indicator x ON x.incident = "
    "s.incident AND x.step = s.number JOIN indicator i ON i.rowid = x.indicator JOIN rule r ON "
    "r.rowid = i.rule + 1, json_each(r.tags) t WHERE t.value LIKE 'attack.t%' AND s.actor IN "
    "(SELECT address FROM actor GROUP BY address HAVING max(private) = 0) ORDER BY 1, 2";
static const char cves_query[] =
    "SELECT cve, why FROM cve WHERE outcome IN ('attempted', 'failed', 'succeeded') ORDER BY cve";

static int put_objects(struct bundle *bundle)
{
    struct case_file *file = bundle->s.file;

    id_of(bundle, "identity", "extriage", bundle->identity);
    id_of(bundle, "identity", "victim", bundle->victim);
    if (put_identity(bundle, bundle->identity, "extriage", "made this bundle") < 0 ||
        put_identity(bundle, bundle->victim, *bundle->s.host ? bundle->s.host : "unknown",
                     "the examined Exchange server") < 0 ||
        case_query(file, techniques_query, add_technique, bundle) < 0 ||
        case_query(file, cves_query, add_cve, bundle) < 0 ||
        case_query(file, files_query, add_file, bundle) < 0 ||
        case_query(file, actors_query, add_actor, bundle) < 0 ||
        case_query(file, uses_query, add_use, bundle) < 0)
        return -1;
    return put_report(bundle);
}

static int write_all(struct case_file *file, FILE *out)
{
    struct bundle bundle = {0};
    char id[ID_SIZE];
    int result = sharing_begin(&bundle.s, file, out);

    if (result == 0) {
        json_object(&bundle.s.json);
        json_pair(&bundle.s.json, "type", "bundle");
        json_pair(&bundle.s.json, "id", id_of(&bundle, "bundle", bundle.s.moment, id));
        json_key(&bundle.s.json, "objects");
        json_array(&bundle.s.json);
        result = put_objects(&bundle);
        json_array_end(&bundle.s.json);
        json_object_end(&bundle.s.json);
        buffer_add_byte(&bundle.s.text, '\n');
    }
    if (result == 0)
        result = sharing_flush(&bundle.s);
    buffer_release(&bundle.refs);
    sharing_release(&bundle.s);
    return result;
}

const struct writer writer_stix = {
    .name = "stix",
    .file = "stix.json",
    .title = "STIX 2.1 bundle: addresses, files, techniques and vulnerabilities of the incidents",
    .optional = true,
    .write = write_all,
};
