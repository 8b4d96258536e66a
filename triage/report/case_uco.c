/*
 * CASE/UCO 1.x as JSON-LD: the evidence, the tool, the action that examined it, the files that were
 * taken out, the addresses of the incidents. Times of the run are left out, for they differ from
 * run to run (run.json has them). Source: caseontology.org, ontology.unifiedcyberontology.org.
 */
#include "triage/base/error.h"
#include "triage/report/sharing.h"
#include "triage/report/writer.h"

#include <string.h>

enum { KEY_SIZE = 80 };

struct graph {
    struct sharing s;
    struct buffer results; /* JSON list items: ids of what the action gave */
    size_t count, cut;
};

static const char *key_of(struct graph *graph, const char *kind, const char *name,
                          char key[KEY_SIZE])
{
    char uuid[UUID_TEXT_SIZE];

    snprintf(key, KEY_SIZE, "kb:%s-%s", kind, sharing_uuid(&graph->s, kind, name, uuid));
    return key;
}

static void begin(struct json *json, const char *key, const char *type)
{
    json_object(json);
    if (key)
        json_pair(json, "@id", key);
    json_pair(json, "@type", type);
}

static void reference(struct json *json, const char *property, const char *key)
{
    json_key(json, property);
    json_object(json);
    json_pair(json, "@id", key);
    json_object_end(json);
}

static void typed(struct json *json, const char *property, const char *type, const char *value)
{
    json_key(json, property);
    json_object(json);
    json_pair(json, "@type", type);
    json_pair(json, "@value", value);
    json_object_end(json);
}

static void put_hash(struct json *json, const char *method, const char *hex)
{
    if (!hex || !*hex)
        return;
    begin(json, NULL, "uco-types:Hash");
    typed(json, "uco-types:hashMethod", "uco-vocabulary:HashNameVocab", method);
    typed(json, "uco-types:hashValue", "xsd:hexBinary", hex);
    json_object_end(json);
}

static void put_content(struct json *json, const char *size, const char *md5, const char *sha1,
                        const char *sha256)
{
    begin(json, NULL, "uco-observable:ContentDataFacet");
    if (size)
        json_pair_integer(json, "uco-observable:sizeInBytes", sharing_number(size));
    json_key(json, "uco-observable:hash");
    json_array(json);
    put_hash(json, "MD5", md5);
    put_hash(json, "SHA1", sha1);
    put_hash(json, "SHA256", sha256);
    json_array_end(json);
    json_object_end(json);
}

static void put_time(struct json *json, const char *property, const char *time)
{
    if (time && *time)
        typed(json, property, "xsd:dateTime", time);
}

/* Counts it as a result of the action; false when there are enough. */
static bool is_result(struct graph *graph, const char *key)
{
    struct json json = json_over(&graph->results, false);

    if (graph->count++ >= SHARED_MOST) {
        graph->cut++;
        return false;
    }
    if (graph->results.size)
        buffer_add_byte(&graph->results, ',');
    json_object(&json);
    json_pair(&json, "@id", key);
    json_object_end(&json);
    return true;
}

static int end(struct graph *graph)
{
    json_object_end(&graph->s.json);
    return sharing_flush(&graph->s);
}

static int add_evidence(void *context, const char *const *cells)
{
    struct graph *graph = context;
    struct json *json = &graph->s.json;
    char key[KEY_SIZE], record[KEY_SIZE];
    const char *name = cells[0] ? cells[0] : "";

    begin(json, key_of(graph, "image", name, key), "uco-observable:Image");
    json_key(json, "uco-core:hasFacet");
    json_array(json);
    begin(json, NULL, "uco-observable:FileFacet");
    json_pair(json, "uco-observable:fileName", name);
    json_object_end(json);
    begin(json, NULL, "uco-observable:ImageFacet");
    json_pair(json, "uco-observable:imageType", cells[1] ? cells[1] : "folder");
    json_object_end(json);
    put_content(json, cells[2], cells[3], cells[4], "");
    json_array_end(json);
    if (end(graph) < 0)
        return -1;
    begin(json, key_of(graph, "provenance-record", name, record),
          "case-investigation:ProvenanceRecord");
    json_pair(json, "uco-core:description", "the evidence as it was examined");
    json_pair(json, "case-investigation:exhibitNumber", cells[5] ? cells[5] : name);
    reference(json, "uco-core:object", key);
    return end(graph);
}

/* "C:\x.aspx lies in EXCH01.E01". */
static int put_contained(struct graph *graph, const char *file, const char *evidence,
                         const char *path)
{
    struct json *json = &graph->s.json;
    char key[KEY_SIZE], image[KEY_SIZE];

    begin(json, key_of(graph, "relationship", file, key), "uco-observable:ObservableRelationship");
    reference(json, "uco-core:source", file);
    reference(json, "uco-core:target", key_of(graph, "image", evidence, image));
    json_pair(json, "uco-core:kindOfRelationship", "Contained_Within");
    json_pair_bool(json, "uco-core:isDirectional", true);
    json_key(json, "uco-core:hasFacet");
    json_array(json);
    begin(json, NULL, "uco-observable:PathRelationFacet");
    json_pair(json, "uco-observable:path", path);
    json_object_end(json);
    json_array_end(json);
    return end(graph);
}

static int add_file(void *context, const char *const *cells)
{
    enum { PATH, EVIDENCE, WHERE, SIZE, MD5, SHA1, SHA256, CREATED, MODIFIED, ACCESSED, CHANGED };
    struct graph *graph = context;
    struct json *json = &graph->s.json;
    struct buffer name = BUFFER_EMPTY;
    char key[KEY_SIZE];

    buffer_format(&name, "%s|%s|%s", cells[EVIDENCE], cells[WHERE], cells[PATH]);
    key_of(graph, "file", buffer_text(&name), key);
    buffer_release(&name);
    if (!is_result(graph, key))
        return 0;
    begin(json, key, "uco-observable:File");
    json_key(json, "uco-core:hasFacet");
    json_array(json);
    begin(json, NULL, "uco-observable:FileFacet");
    json_pair(json, "uco-observable:fileName", sharing_file_name(cells[PATH]));
    json_pair(json, "uco-observable:filePath", cells[PATH]);
    json_pair_integer(json, "uco-observable:sizeInBytes", sharing_number(cells[SIZE]));
    put_time(json, "uco-observable:observableCreatedTime", cells[CREATED]);
    put_time(json, "uco-observable:modifiedTime", cells[MODIFIED]);
    put_time(json, "uco-observable:accessedTime", cells[ACCESSED]);
    put_time(json, "uco-observable:metadataChangeTime", cells[CHANGED]);
    json_object_end(json);
    put_content(json, cells[SIZE], cells[MD5], cells[SHA1], cells[SHA256]);
    json_array_end(json);
    return end(graph) < 0 ? -1 : put_contained(graph, key, cells[EVIDENCE], cells[PATH]);
}

static int add_address(void *context, const char *const *cells)
{
    struct graph *graph = context;
    struct json *json = &graph->s.json;
    const bool is_new = cells[0] && strchr(cells[0], ':');
    char key[KEY_SIZE];

    if (!sharing_is_address(cells[0]) || !is_result(graph, key_of(graph, "address", cells[0], key)))
        return 0;
    begin(json, key, is_new ? "uco-observable:IPv6Address" : "uco-observable:IPv4Address");
    json_key(json, "uco-core:hasFacet");
    json_array(json);
    begin(json, NULL,
          is_new ? "uco-observable:IPv6AddressFacet" : "uco-observable:IPv4AddressFacet");
    json_pair(json, "uco-observable:addressValue", cells[0]);
    json_object_end(json);
    json_array_end(json);
    json_pair(json, "uco-core:description", cells[1] ? cells[1] : "");
    return end(graph);
}

static int add_object(void *context, const char *const *cells)
{
    struct graph *graph = context;
    char key[KEY_SIZE];

    json_object(&graph->s.json);
    json_pair(&graph->s.json, "@id", key_of(graph, "image", cells[0] ? cells[0] : "", key));
    json_object_end(&graph->s.json);
    return 0;
}

static const char evidence_query[] =
    "SELECT json_extract(e.value, '$.name'), json_extract(e.value, '$.format'), "
    "json_extract(e.value, '$.size'), json_extract(e.value, '$.stored_md5'), "
    "json_extract(e.value, '$.stored_sha1'), json_extract(e.value, '$.metadata.evidence_number') "
    "FROM document d, json_each(d.body, '$.evidence') e WHERE d.name = 'host' ORDER BY e.id";

/* What was taken out of the evidence, and the files of the incidents that were not. */
static const char files_query[] =
    "SELECT path, evidence, volume || '-' || snapshot || '-' || mft_entry, size, md5, sha1, "
    "sha256, "
    "si_created, si_modified, si_accessed, si_changed FROM file WHERE stored <> '' OR path IN "
    "(SELECT path FROM incident_file) ORDER BY rowid";

static int put_action(struct graph *graph)
{
    struct json *json = &graph->s.json;
    char tool[KEY_SIZE], key[KEY_SIZE];

    begin(json, key_of(graph, "tool", "extriage", tool), "uco-tool:Tool");
    json_pair(json, "uco-core:name", "extriage");
    json_pair(json, "uco-tool:toolType", "triage");
    json_pair(json, "uco-tool:version", PACKAGE_VERSION);
    if (end(graph) < 0)
        return -1;
    begin(json, key_of(graph, "investigative-action", "run", key),
          "case-investigation:InvestigativeAction");
    json_pair(json, "uco-core:name", "triage");
    json_pair(json, "uco-core:description", graph->s.summary);
    reference(json, "uco-action:instrument", tool);
    json_key(json, "uco-action:object");
    json_array(json);
    if (case_query(graph->s.file, evidence_query, add_object, graph) < 0)
        return -1;
    json_array_end(json);
    json_key(json, "uco-action:result");
    json_array(json);
    json_raw(json, buffer_slice(&graph->results));
    json_array_end(json);
    return end(graph);
}

static void put_context(struct json *json)
{
    static const char *const names[][2] = {
        {"kb", "urn:extriage:kb:"},
        {"case-investigation", "https://ontology.caseontology.org/case/investigation/"},
        {"uco-action", "https://ontology.unifiedcyberontology.org/uco/action/"},
        {"uco-core", "https://ontology.unifiedcyberontology.org/uco/core/"},
        {"uco-observable", "https://ontology.unifiedcyberontology.org/uco/observable/"},
        {"uco-tool", "https://ontology.unifiedcyberontology.org/uco/tool/"},
        {"uco-types", "https://ontology.unifiedcyberontology.org/uco/types/"},
        {"uco-vocabulary", "https://ontology.unifiedcyberontology.org/uco/vocabulary/"},
        {"xsd", "http://www.w3.org/2001/XMLSchema#"},
    };

    json_key(json, "@context");
    json_object(json);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        json_pair(json, names[i][0], names[i][1]);
    json_object_end(json);
}

static int put_graph(struct graph *graph)
{
    struct case_file *file = graph->s.file;
    struct json *json = &graph->s.json;
    char text[100], key[KEY_SIZE];

    if (case_query(file, evidence_query, add_evidence, graph) < 0 ||
        case_query(file, files_query, add_file, graph) < 0 ||
        case_query(file,
                   "SELECT address, group_concat(DISTINCT kind) FROM actor a JOIN incident i ON "
                   "i.id = a.incident GROUP BY address ORDER BY min(a.first), address",
                   add_address, graph) < 0 ||
        put_action(graph) < 0)
        return -1;
    if (!graph->cut)
        return 0;
    begin(json, key_of(graph, "note", "cut", key), "uco-core:UcoObject");
    snprintf(text, sizeof text, "%zu objects are left out; case.db holds all", graph->cut);
    json_pair(json, "uco-core:description", text);
    return end(graph);
}

static int write_all(struct case_file *file, FILE *out)
{
    struct graph graph = {0};
    int result = sharing_begin(&graph.s, file, out);

    if (result == 0) {
        json_object(&graph.s.json);
        put_context(&graph.s.json);
        json_key(&graph.s.json, "@graph");
        json_array(&graph.s.json);
        result = put_graph(&graph);
        json_array_end(&graph.s.json);
        json_object_end(&graph.s.json);
        buffer_add_byte(&graph.s.text, '\n');
    }
    if (result == 0)
        result = sharing_flush(&graph.s);
    buffer_release(&graph.results);
    sharing_release(&graph.s);
    return result;
}

const struct writer writer_case_uco = {
    .name = "case",
    .file = "case-uco.jsonld",
    .title = "CASE/UCO JSON-LD: evidence, tool, files and addresses",
    .optional = true,
    .write = write_all,
};
