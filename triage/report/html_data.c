/*
 * What html/report.js reads: every indicator in packed chunks, so that a page with a hundred
 * thousand of them opens fast. A chunk has two packed parts: the columns that filters and the table
 * need, which are unpacked at once, and the records, which are unpacked when one is looked at.
 */
#include "triage/base/address.h"
#include "triage/base/base64.h"
#include "triage/base/error.h"
#include "triage/base/json.h"
#include "triage/base/utf16.h"
#include "triage/match/rules.h"
#include "triage/report/html_pack.h"
#include "triage/report/html_page.h"
#include "triage/report/timeline.h"

#include <stdlib.h>

enum { CHUNK_ROWS = 256, SCRATCH = 4 << 20 };

/* Texts of one column; each once per chunk. */
struct column {
    struct buffer texts; /* NUL behind each */
    size_t starts[CHUNK_ROWS], count;
    uint16_t rows[CHUNK_ROWS];
};

enum { ARTIFACT, PATH, ACTOR, COLUMN_COUNT };

struct chunk {
    size_t count;
    int64_t times[CHUNK_ROWS];
    bool dated[CHUNK_ROWS];
    uint8_t levels[CHUNK_ROWS];
    uint32_t rules[CHUNK_ROWS];
    struct column columns[COLUMN_COUNT];
    struct buffer messages, records; /* members of JSON arrays */
    struct json message_json, record_json;
};

struct packing {
    struct page *page;
    struct chunk chunk;
    struct arena *scratch;
    struct buffer text, packed;
    uint32_t *rule_places; /* by the case's number: place in our list plus one */
    size_t rule_room, rule_count, chunk_count;
    struct buffer rules;
    struct json rule_json;
};

/* JSON inside of <script>: nothing in it may look like markup, end a line of a script, or lead
 * astray who reads the source. Such characters stand within texts only. */
static void add_safe(struct buffer *out, struct slice json)
{
    for (size_t i = 0, size; i < json.size; i += size) {
        const uint8_t byte = json.data[i];
        const struct slice rest = slice_from(json, i);
        size = byte < 0x80 ? 1 : utf8_sequence(rest);
        size = size ? size : 1;
        const uint32_t unseen = size > 1 ? html_unseen(slice_part(rest, 0, size)) : 0;
        if (byte == '<' || byte == '>' || byte == '&')
            buffer_format(out, "\\u%04x", byte);
        else if (unseen && unseen <= 0xFFFF)
            buffer_format(out, "\\u%04x", unseen);
        else
            buffer_add(out, slice_part(rest, 0, size));
    }
}

/* --- one chunk --- */

static void column_add(struct column *column, size_t row, struct slice text)
{
    size_t at = row && column->rows[row - 1] < column->count ? column->rows[row - 1] : 0;

    if (!column->count || !slice_is(text, (const char *)column->texts.data + column->starts[at]))
        for (at = 0; at < column->count; at++)
            if (slice_is(text, (const char *)column->texts.data + column->starts[at]))
                break;
    if (at == column->count) {
        column->starts[column->count++] = column->texts.size;
        buffer_add(&column->texts, text);
        buffer_add_byte(&column->texts, 0);
    }
    column->rows[row] = (uint16_t)at;
}

static void column_json(struct column *column, size_t rows, const char *texts, const char *places,
                        struct json *json)
{
    json_key(json, texts);
    json_array(json);
    for (size_t i = 0; i < column->count; i++)
        json_text(json, (const char *)column->texts.data + column->starts[i]);
    json_array_end(json);
    json_key(json, places);
    json_array(json);
    for (size_t i = 0; i < rows; i++)
        json_unsigned(json, column->rows[i]);
    json_array_end(json);
    buffer_clear(&column->texts);
    column->count = 0;
}

/* Differences are short, and those of one chunk are alike. */
static void times_json(const struct chunk *chunk, struct json *json)
{
    int64_t previous = 0;

    json_key(json, "t");
    json_array(json);
    for (size_t i = 0; i < chunk->count; i++) {
        if (!chunk->dated[i]) {
            json_null(json);
            continue;
        }
        json_integer(json, chunk->times[i] - previous);
        previous = chunk->times[i];
    }
    json_array_end(json);
}

static void columns_json(struct chunk *chunk, struct json *json)
{
    static const char *const texts[] = {"A", "P", "C"}, *const places[] = {"a", "p", "c"};

    json_object(json);
    times_json(chunk, json);
    json_key(json, "l");
    json_array(json);
    for (size_t i = 0; i < chunk->count; i++)
        json_unsigned(json, chunk->levels[i]);
    json_array_end(json);
    json_key(json, "r");
    json_array(json);
    for (size_t i = 0; i < chunk->count; i++)
        json_unsigned(json, chunk->rules[i]);
    json_array_end(json);
    for (size_t i = 0; i < COLUMN_COUNT; i++)
        column_json(&chunk->columns[i], chunk->count, texts[i], places[i], json);
    json_key(json, "m");
    json_raw(json, buffer_slice(&chunk->messages));
    json_object_end(json);
}

static void pack(struct packing *packing, struct slice bytes)
{
    buffer_clear(&packing->packed);
    lz4_add(&packing->packed, bytes);
    buffer_format(&packing->page->out, "%zu,\"", bytes.size);
    base64_add(&packing->page->out, buffer_slice(&packing->packed));
    buffer_add_text(&packing->page->out, "\"");
}

static void chunk_begin(struct chunk *chunk)
{
    chunk->count = 0;
    buffer_clear(&chunk->messages);
    buffer_clear(&chunk->records);
    chunk->message_json = json_over(&chunk->messages, false);
    chunk->record_json = json_over(&chunk->records, false);
    json_array(&chunk->message_json);
    json_array(&chunk->record_json);
}

static int chunk_end(struct packing *packing)
{
    struct chunk *chunk = &packing->chunk;
    struct json json = json_over(&packing->text, false);

    if (chunk->count == 0)
        return 0;
    json_array_end(&chunk->message_json);
    json_array_end(&chunk->record_json);
    buffer_clear(&packing->text);
    columns_json(chunk, &json);
    page_put(packing->page, packing->chunk_count++ ? ",\n[%r," : "[%r,", (int64_t)chunk->count);
    pack(packing, buffer_slice(&packing->text));
    page_markup(packing->page, ",");
    pack(packing, buffer_slice(&chunk->records));
    page_markup(packing->page, "]");
    page_flush(packing->page);
    if (buffer_failed(&packing->text) || buffer_failed(&chunk->records) ||
        buffer_failed(&packing->packed))
        return error_set("out of memory");
    chunk_begin(chunk);
    return packing->page->failure;
}

/* --- one indicator --- */

/* Who sent it, as the verdict takes it: what a proxy reported comes first. */
static bool find_actor(struct packing *packing, const char *fields, char out[ADDRESS_TEXT_SIZE])
{
    static const char *const names[] = {"X-Forwarded-For", "ClientIpAddress", "c-ip",
                                        "IpAddress",       "SourceIp",        "client-ip"};
    struct json_value *root;
    bool is_private;

    arena_reset(packing->scratch);
    if (json_read(slice_of_text(fields), packing->scratch, &root) < 0)
        return false;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const struct slice value = slice_of_text(value_text(root, names[i]));
        if (address_read(slice_part(value, 0, slice_find(value, 0, ',')), out, &is_private))
            return true;
    }
    return false;
}

static void record_json(const struct case_indicator *row, struct json *json)
{
    json_object(json);
    json_pair(json, "timestamp_desc", row->timestamp_desc);
    json_pair(json, "time_text", row->time_text);
    json_pair(json, "time_basis", row->time_basis);
    json_pair(json, "host", row->host);
    timeline_record_json(row, json);
    json_object_end(json);
}

static void rule_json(const struct case_rule *rule, struct json *json)
{
    json_object(json);
    json_pair(json, "name", rule->name);
    json_pair(json, "id", rule->id);
    json_pair(json, "title", rule->title);
    json_pair(json, "language", rule->language);
    json_pair(json, "level", rule->level);
    json_pair(json, "confidence", rule->confidence);
    json_pair(json, "author", rule->author);
    json_key(json, "tags");
    json_line(json, slice_of_text(rule->tags));
    json_pair(json, "path", rule->path);
    json_pair_integer(json, "line", rule->line);
    json_pair(json, "sha256", rule->sha256);
    json_object_end(json);
}

/* The rule's place in the list of those that indicators name; -1 when memory is out. */
static int64_t place_rule(struct packing *packing, const struct case_rule *rule)
{
    const size_t index = rule->index < 0 ? 0 : (size_t)rule->index;

    if (index >= packing->rule_room) {
        const size_t room = index + 256;
        uint32_t *grown = realloc(packing->rule_places, room * sizeof *grown);
        if (!grown)
            return error_set("out of memory");
        memset(grown + packing->rule_room, 0, (room - packing->rule_room) * sizeof *grown);
        packing->rule_places = grown;
        packing->rule_room = room;
    }
    if (!packing->rule_places[index]) {
        packing->rule_places[index] = (uint32_t)++packing->rule_count;
        rule_json(rule, &packing->rule_json);
    }
    return packing->rule_places[index] - 1;
}

static int add_indicator(void *context, const struct case_indicator *row,
                         const struct case_rule *rule)
{
    struct packing *packing = context;
    struct chunk *chunk = &packing->chunk;
    const int64_t place = place_rule(packing, rule);
    const size_t at = chunk->count++;
    char actor[ADDRESS_TEXT_SIZE];

    if (place < 0)
        return -1;
    chunk->times[at] = row->timestamp;
    chunk->dated[at] = row->dated;
    chunk->levels[at] = (uint8_t)(row->level < 0 || row->level > 4 ? 0 : row->level);
    chunk->rules[at] = (uint32_t)place;
    column_add(&chunk->columns[ARTIFACT], at, slice_of_text(row->artifact));
    column_add(&chunk->columns[PATH], at, slice_of_text(row->path));
    column_add(&chunk->columns[ACTOR], at,
               slice_of_text(find_actor(packing, row->fields, actor) ? actor : ""));
    json_text(&chunk->message_json, row->message);
    record_json(row, &chunk->record_json);
    return chunk->count == CHUNK_ROWS ? chunk_end(packing) : 0;
}

/* --- which indicators a part of the report rests on --- */

static void put_list(const struct json_value *item, struct json *json)
{
    json_array(json);
    for (const struct json_value *number = value_list(item, "indicators"); number;
         number = number->next)
        json_integer(json, value_integer(number, 0));
    json_array_end(json);
}

static void put_lists(const struct json_value *first, const char *name, struct json *json)
{
    json_key(json, name);
    json_array(json);
    for (; first; first = first->next)
        put_list(first, json);
    json_array_end(json);
}

static void put_incident(const struct json_value *incident, struct json *json)
{
    json_object(json);
    json_pair_integer(json, "id", value_number(incident, "id", 0));
    json_pair(json, "kind", value_text(incident, "kind"));
    json_pair(json, "first", value_text(incident, "first"));
    json_pair(json, "last", value_text(incident, "last"));
    json_key(json, "actors");
    json_array(json);
    for (const struct json_value *actor = value_list(incident, "actors"); actor;
         actor = actor->next)
        json_text(json, value_text(actor, "address"));
    json_array_end(json);
    put_lists(value_list(incident, "steps"), "steps", json);
    json_object_end(json);
}

static void put_findings(const struct page *page, struct json *json)
{
    static const char *const names[] = {"leads",       "taken", "destroyed", "accounts",
                                        "persistence", "cves",  "checks"};

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        put_lists(value_list(page->findings, names[i]), names[i], json);
    json_key(json, "incidents");
    json_array(json);
    for (const struct json_value *incident = value_list(page->findings, "incidents"); incident;
         incident = incident->next)
        put_incident(incident, json);
    json_array_end(json);
}

/* The members behind the chunks. */
static void put_rest(struct packing *packing)
{
    struct json json = json_over(&packing->text, false);

    buffer_clear(&packing->text);
    json_object(&json);
    json_pair_unsigned(&json, "count", packing->page->rows.count);
    json_pair_unsigned(&json, "dated", packing->page->rows.dated);
    json_key(&json, "rules");
    json_raw(&json, buffer_slice(&packing->rules));
    put_findings(packing->page, &json);
    json_object_end(&json);
    add_safe(&packing->page->out, slice_from(buffer_slice(&packing->text), 1));
}

static void packing_release(struct packing *packing)
{
    for (size_t i = 0; i < COLUMN_COUNT; i++)
        buffer_release(&packing->chunk.columns[i].texts);
    buffer_release(&packing->chunk.messages);
    buffer_release(&packing->chunk.records);
    buffer_release(&packing->text);
    buffer_release(&packing->packed);
    buffer_release(&packing->rules);
    free(packing->rule_places);
    arena_free(packing->scratch);
    free(packing);
}

int html_data(struct page *page)
{
    struct packing *packing = calloc(1, sizeof *packing);
    int result = -1;

    if (!packing || !(packing->scratch = arena_new(SCRATCH))) {
        free(packing);
        return error_set("out of memory");
    }
    packing->page = page;
    chunk_begin(&packing->chunk);
    packing->rule_json = json_over(&packing->rules, false);
    json_array(&packing->rule_json);
    page_markup(page, "<script type=\"application/json\" id=\"data\">{\"chunks\":[");
    if (case_each_indicator(page->source, true, add_indicator, packing) == 0 &&
        case_each_indicator(page->source, false, add_indicator, packing) == 0 &&
        chunk_end(packing) == 0) {
        json_array_end(&packing->rule_json);
        page_markup(page, "],");
        put_rest(packing);
        page_markup(page, "</script>\n");
        result = page->failure;
    }
    packing_release(packing);
    return result;
}
