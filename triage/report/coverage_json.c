#include "triage/base/error.h"
#include "triage/base/json.h"
#include "triage/report/coverage_sums.h"
#include "triage/report/writer.h"

struct coverage {
    struct json json;
    struct buffer text;
    FILE *out;
    int failure;
};

static void flush(struct coverage *coverage)
{
    if (fwrite(coverage->text.data, 1, coverage->text.size, coverage->out) != coverage->text.size)
        coverage->failure = error_set_errno("cannot write coverage.json");
    buffer_clear(&coverage->text);
}

static void optional(struct json *json, const char *key, const char *text)
{
    json_pair(json, key, *text ? text : NULL);
}

static int file_entry(void *context, const struct case_coverage *row)
{
    struct coverage *coverage = context;
    struct json *json = &coverage->json;

    json_object(json);
    json_pair(json, "path", row->path);
    json_pair(json, "artifact", row->artifact);
    json_pair(json, "evidence", row->evidence);
    json_pair_integer(json, "volume", row->volume);
    json_pair_integer(json, "snapshot", row->snapshot);
    json_pair_integer(json, "bytes", row->bytes);
    json_pair_integer(json, "records", row->records);
    json_pair_integer(json, "used", row->used);
    json_pair_integer(json, "repaired", row->repaired);
    json_pair_integer(json, "rejected", row->rejected);
    json_pair_integer(json, "backward", row->backward);
    json_pair_integer(json, "record_gaps", row->gaps);
    json_pair_integer(json, "records_missing", row->missing);
    json_pair_integer(json, "notices_left_out", row->notices_left);
    json_pair_integer(json, "facts_left_out", row->facts_left);
    json_pair_integer(json, "rejected_left_out", row->rejected_left);
    optional(json, "first", row->first);
    optional(json, "last", row->last);
    json_key(json, "damage");
    json_line(json, slice_of_text(row->damage));
    json_object_end(json);
    flush(coverage);
    return coverage->failure;
}

static int note_entry(void *context, const struct case_note *row)
{
    struct coverage *coverage = context;
    struct json *json = &coverage->json;

    json_object(json);
    json_pair(json, "path", row->path);
    json_pair(json, "artifact", row->artifact);
    json_pair(json, "evidence", row->evidence);
    json_pair_integer(json, "volume", row->volume);
    json_pair_integer(json, "snapshot", row->snapshot);
    json_pair_integer(json, "offset", row->offset);
    json_pair(json, "why", row->text);
    json_object_end(json);
    flush(coverage);
    return coverage->failure;
}

static int write_members(struct case_file *file, struct coverage *coverage)
{
    struct json *json = &coverage->json;

    json_key(json, "files");
    json_array(json);
    if (case_each_coverage(file, file_entry, coverage) < 0)
        return -1;
    json_array_end(json);
    json_key(json, "artifacts");
    if (coverage_sums_json(file, json) < 0)
        return -1;
    json_key(json, "unread");
    json_array(json);
    if (case_each_unread(file, note_entry, coverage) < 0)
        return -1;
    json_array_end(json);
    json_key(json, "notices");
    json_array(json);
    if (case_each_notice(file, note_entry, coverage) < 0)
        return -1;
    json_array_end(json);
    return 0;
}

static void put_document(struct case_file *file, struct json *json, const char *name)
{
    struct buffer body = BUFFER_EMPTY;

    if (case_document(file, name, &body)) {
        json_key(json, name);
        json_raw(json, buffer_slice(&body));
    }
    buffer_release(&body);
}

static int write_all(struct case_file *file, FILE *out)
{
    struct coverage coverage = {.out = out};

    coverage.json = json_over(&coverage.text, true);
    json_object(&coverage.json);
    int result = write_members(file, &coverage);
    put_document(file, &coverage.json, "retention"); /* of findings.json */
    put_document(file, &coverage.json, "totals");
    put_document(file, &coverage.json, "damage");
    put_document(file, &coverage.json, CASE_INTERRUPTED_DOCUMENT);
    json_object_end(&coverage.json);
    buffer_add_byte(&coverage.text, '\n');
    flush(&coverage);
    buffer_release(&coverage.text);
    return result < 0 ? result : coverage.failure;
}

const struct writer writer_coverage_json = {
    .name = "coverage",
    .file = "coverage.json",
    .title = "what was read, line for line, and what was not",
    .write = write_all,
};
