#include "triage/report/timeline.h"

#include "triage/base/instant.h"
#include "triage/base/utf16.h"
#include "triage/match/rules.h"

#include <string.h>

static const char *const columns[] = {
    "datetime", "timestamp",  "timestamp_desc", "time_text", "time_basis", "message",  "level",
    "rule",     "rule_id",    "rule_title",     "tag",       "host",       "artifact", "path",
    "evidence", "volume",     "snapshot",       "mft_entry", "offset",     "record",   "raw",
    "raw_cut",  "raw_sha256", "fields",         "how",       "marks",
};
enum { COLUMN_COUNT = sizeof columns / sizeof *columns };

static const char *datetime_text(const struct case_indicator *row, char text[INSTANT_TEXT_SIZE])
{
    return instant_format(instant_from_unix_us(row->timestamp), text);
}

void timeline_record_json(const struct case_indicator *row, struct json *json)
{
    json_pair(json, "evidence", row->evidence);
    json_pair_integer(json, "volume", row->volume);
    json_pair_integer(json, "snapshot", row->snapshot);
    json_pair(json, "mft_entry", row->mft_entry);
    json_pair_integer(json, "offset", row->offset);
    json_pair_integer(json, "record", row->record);
    json_pair_slice(json, "raw", row->raw);
    json_pair_bool(json, "raw_cut", row->raw_cut);
    json_pair(json, "raw_sha256", row->raw_sha256);
    json_key(json, "fields");
    json_line(json, slice_of_text(row->fields));
    json_pair(json, "how", row->how);
    json_pair(json, "marks", row->marks);
}

static void add_members(struct json *json, const struct case_indicator *row,
                        const struct case_rule *rule)
{
    char datetime[INSTANT_TEXT_SIZE];

    if (row->dated) {
        json_pair(json, "datetime", datetime_text(row, datetime));
        json_pair_integer(json, "timestamp", row->timestamp);
    }
    json_pair(json, "timestamp_desc", row->timestamp_desc);
    json_pair(json, "time_text", row->time_text);
    json_pair(json, "time_basis", row->time_basis);
    json_pair(json, "message", row->message);
    json_pair(json, "level", level_name((enum level)row->level));
    json_pair(json, "rule", rule->name);
    json_pair(json, "rule_id", rule->id);
    json_pair(json, "rule_title", rule->title);
    json_key(json, "tag");
    json_line(json, slice_of_text(rule->tags));
    json_pair(json, "host", row->host);
    json_pair(json, "artifact", row->artifact);
    json_pair(json, "path", row->path);
    timeline_record_json(row, json);
}

void timeline_json(const struct case_indicator *row, const struct case_rule *rule,
                   struct buffer *out)
{
    struct json json = json_over(out, false);

    json_object(&json);
    if (row->from_case)
        json_pair(&json, "case", row->from_case);
    add_members(&json, row, rule);
    json_object_end(&json);
    buffer_add_byte(out, '\n');
}

/* No rule matched: what a rule would say is empty. */
static const struct case_rule no_rule = {.name = "", .id = "", .title = "", .tags = "[]"};

void timeline_context_json(const struct case_context *row, const struct case_indicator *near,
                           const struct case_rule *rule, struct buffer *out)
{
    char datetime[INSTANT_TEXT_SIZE];
    struct json json = json_over(out, false);

    json_object(&json);
    add_members(&json, &row->event, &no_rule);
    json_key(&json, "near");
    json_object(&json);
    json_pair(&json, "datetime", datetime_text(near, datetime));
    json_pair(&json, "rule", rule->name);
    json_pair(&json, "evidence", near->evidence);
    json_pair(&json, "path", near->path);
    json_pair_integer(&json, "offset", near->offset);
    json_pair_integer(&json, "record", near->record);
    json_object_end(&json);
    json_object_end(&json);
    buffer_add_byte(out, '\n');
}

static bool looks_like_formula(struct slice text)
{
    return text.size > 1 && strchr("=+-@\t\r", text.data[0]) && text.data[0];
}

/* What stands first and is not plain: a quote, a control character, a sequence of UTF-8, or bytes
 * that are none. Gives the bytes taken. */
static size_t add_special(struct buffer *out, struct slice text)
{
    const uint8_t byte = text.data[0];
    const size_t size = utf8_sequence(text);

    if (size == 0)
        buffer_add_text(out, "\xEF\xBF\xBD");
    else if (byte == '"')
        buffer_add_text(out, "\"\"");
    else
        utf8_append_tame(out, slice_part(text, 0, size));
    return size ? size : 1;
}

void csv_cell(struct buffer *out, struct slice text)
{
    const bool guard = looks_like_formula(text);

    buffer_add_byte(out, '"');
    if (guard)
        buffer_add_byte(out, '\'');
    while (text.size) {
        const size_t plain = utf8_plain_run(text, '"', '"');
        buffer_add(out, slice_part(text, 0, plain));
        text = slice_from(text, plain);
        if (text.size)
            text = slice_from(text, add_special(out, text));
    }
    buffer_add_byte(out, '"');
}

void timeline_csv_header(bool with_case, struct buffer *out)
{
    if (with_case)
        buffer_add_text(out, "case,");
    for (size_t i = 0; i < COLUMN_COUNT; i++)
        buffer_format(out, "%s%s", i ? "," : "", columns[i]);
    buffer_add_text(out, "\r\n");
}

static void text_cell(struct buffer *out, const char *text)
{
    buffer_add_byte(out, ',');
    csv_cell(out, slice_of_text(text));
}

static void number_cell(struct buffer *out, int64_t number)
{
    buffer_add_text(out, number < 0 ? ",-" : ",");
    buffer_add_number(out, number < 0 ? -(uint64_t)number : (uint64_t)number);
}

void timeline_csv(const struct case_indicator *row, const struct case_rule *rule,
                  struct buffer *out)
{
    char datetime[INSTANT_TEXT_SIZE];

    if (row->from_case) {
        csv_cell(out, slice_of_text(row->from_case));
        buffer_add_byte(out, ',');
    }
    buffer_add_text(out, datetime_text(row, datetime));
    number_cell(out, row->timestamp);
    text_cell(out, row->timestamp_desc);
    text_cell(out, row->time_text);
    text_cell(out, row->time_basis);
    text_cell(out, row->message);
    text_cell(out, level_name((enum level)row->level));
    text_cell(out, rule->name);
    text_cell(out, rule->id);
    text_cell(out, rule->title);
    text_cell(out, rule->tags);
    text_cell(out, row->host);
    text_cell(out, row->artifact);
    text_cell(out, row->path);
    text_cell(out, row->evidence);
    number_cell(out, row->volume);
    number_cell(out, row->snapshot);
    text_cell(out, row->mft_entry);
    number_cell(out, row->offset);
    number_cell(out, row->record);
    buffer_add_byte(out, ',');
    csv_cell(out, row->raw);
    text_cell(out, row->raw_cut ? "true" : "false");
    text_cell(out, row->raw_sha256);
    text_cell(out, row->fields);
    text_cell(out, row->how);
    text_cell(out, row->marks);
    buffer_add_text(out, "\r\n");
}
