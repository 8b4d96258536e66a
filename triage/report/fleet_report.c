#include "triage/report/fleet_report.h"

#include "triage/base/error.h"
#include "triage/base/utf16.h"
#include "triage/case/hashed_file.h"
#include "triage/report/fleet_html.h"
#include "triage/report/sharing.h"
#include "triage/report/writer.h"

#include <string.h>

enum { LISTED = 100, COLUMNS_MOST = 14 };

struct list {
    FILE *out;
    struct buffer text;
    struct json json;
    const struct part *part;
    size_t rows;
};

/* One list of the report: a key of fleet.json, a section of fleet.md. */
struct part {
    const char *key, *heading, *query;
    struct {
        const char *key, *title; /* NULL: only in the JSON */
        enum { AS_TEXT, AS_NUMBER, AS_LIST, AS_BOOL, AS_TIME } form;
    } columns[COLUMNS_MOST];
};

#define SHARED_LIMIT " LIMIT 5000"

static const struct part parts[] = {
    {"order",
     "Order of infection",
     "SELECT \"case\", host, infected, rung, verdict, confidence FROM v_order",
     {{"case", "Case", AS_TEXT},
      {"host", "Server", AS_TEXT},
      {"infected", "First trace (UTC)", AS_TIME},
      {"rung", NULL, AS_NUMBER},
      {"verdict", "How far", AS_TEXT},
      {"confidence", "Confidence", AS_TEXT}}},
    {"servers",
     "Servers",
     "SELECT \"case\", host, exchange, build, rung, verdict, confidence, first, last, indicators, "
     "unread, damaged, summary, sha256 FROM server ORDER BY rung DESC, \"case\"",
     {{"case", "Case", AS_TEXT},
      {"host", "Server", AS_TEXT},
      {"exchange", "Exchange", AS_TEXT},
      {"build", NULL, AS_TEXT},
      {"rung", NULL, AS_NUMBER},
      {"verdict", "Verdict", AS_TEXT},
      {"confidence", "Confidence", AS_TEXT},
      {"first", "First (UTC)", AS_TIME},
      {"last", "Last", AS_TIME},
      {"indicators", "Indicators", AS_NUMBER},
      {"unread", "Not read", AS_NUMBER},
      {"damaged", "Damaged files", AS_NUMBER},
      {"summary", NULL, AS_TEXT},
      {"sha256", NULL, AS_TEXT}}},
    {"addresses",
     "Addresses, those seen on most servers first",
     "SELECT address, servers, cases, first, last, indicator_count, intruder FROM v_shared_address "
     "WHERE intruder OR servers > 1" SHARED_LIMIT,
     {{"address", "Address", AS_TEXT},
      {"servers", "Servers", AS_NUMBER},
      {"cases", "Cases", AS_LIST},
      {"first", "First (UTC)", AS_TIME},
      {"last", "Last", AS_TIME},
      {"indicator_count", "Indicators", AS_NUMBER},
      {"intruder", NULL, AS_BOOL}}},
    {"agents",
     "User agents of intruders",
     "SELECT agent, servers, cases, indicator_count FROM v_shared_agent" SHARED_LIMIT,
     {{"agent", "User agent", AS_TEXT},
      {"servers", "Servers", AS_NUMBER},
      {"cases", "Cases", AS_LIST},
      {"indicator_count", "Indicators", AS_NUMBER}}},
    {"files",
     "Files of intruders, by SHA-256",
     "SELECT sha256, servers, cases, first, path FROM v_shared_file" SHARED_LIMIT,
     {{"sha256", "SHA-256", AS_TEXT},
      {"servers", "Servers", AS_NUMBER},
      {"cases", "Cases", AS_LIST},
      {"first", "First (UTC)", AS_TIME},
      {"path", "Path, for example", AS_TEXT}}},
    {"left_out",
     "Left out: cases that could not be joined",
     "SELECT folder, why FROM left_out ORDER BY folder",
     {{"folder", "Folder", AS_TEXT}, {"why", "Why", AS_TEXT}}},
};

static int flush(struct list *list)
{
    if (buffer_failed(&list->text))
        return error_set("out of memory");
    if (fwrite(list->text.data, 1, list->text.size, list->out) != list->text.size)
        return error_set_errno("the fleet's report cannot be written");
    buffer_clear(&list->text);
    return 0;
}

/* --- JSON --- */

static void put_list(struct json *json, const char *cell)
{
    json_array(json);
    for (struct slice rest = slice_of_text(cell); rest.size;) {
        const size_t comma = slice_find(rest, 0, ',');
        json_slice(json, slice_part(rest, 0, comma));
        rest = comma == SIZE_MAX ? slice_of(NULL, 0) : slice_from(rest, comma + 1);
    }
    json_array_end(json);
}

static int add_object(void *context, const char *const *cells)
{
    struct list *list = context;
    struct json *json = &list->json;

    json_object(json);
    for (size_t i = 0; i < COLUMNS_MOST && list->part->columns[i].key; i++) {
        json_key(json, list->part->columns[i].key);
        if (!cells[i])
            json_null(json);
        else if (list->part->columns[i].form == AS_NUMBER)
            json_integer(json, sharing_number(cells[i]));
        else if (list->part->columns[i].form == AS_BOOL)
            json_bool(json, sharing_number(cells[i]) != 0);
        else if (list->part->columns[i].form == AS_LIST)
            put_list(json, cells[i]);
        else
            json_text(json, cells[i]);
    }
    json_object_end(json);
    return flush(list);
}

static int write_json(struct case_file *fleet, FILE *out)
{
    struct list list = {.out = out};
    int result = 0;

    list.json = json_over(&list.text, true);
    json_object(&list.json);
    for (size_t i = 0; i < sizeof parts / sizeof *parts && result == 0; i++) {
        list.part = &parts[i];
        json_key(&list.json, parts[i].key);
        json_array(&list.json);
        result = case_query(fleet, parts[i].query, add_object, &list);
        json_array_end(&list.json);
    }
    json_object_end(&list.json);
    buffer_add_byte(&list.text, '\n');
    if (result == 0)
        result = flush(&list);
    buffer_release(&list.text);
    return result;
}

/* --- Markdown --- */

/* A code span: text of the evidence stays text. */
static void add_cell(struct buffer *out, const char *cell)
{
    struct buffer valid = BUFFER_EMPTY;

    utf8_append_tame(&valid, slice_of_text(cell));
    buffer_add_byte(out, '`');
    for (size_t i = 0; i < valid.size && i < 300; i++) {
        const uint8_t c = valid.data[i];
        buffer_add_byte(out, c == '`' || c == '|' ? ' ' : c);
    }
    buffer_add_byte(out, '`');
    buffer_release(&valid);
}

static void add_heading(struct list *list)
{
    struct buffer rule = BUFFER_EMPTY;

    buffer_format(&list->text, "\n## %s\n\n|", list->part->heading);
    for (size_t i = 0; i < COLUMNS_MOST && list->part->columns[i].key; i++)
        if (list->part->columns[i].title) {
            buffer_format(&list->text, " %s |", list->part->columns[i].title);
            buffer_add_text(&rule, " --- |");
        }
    buffer_format(&list->text, "\n|%s\n", buffer_text(&rule));
    buffer_release(&rule);
}

static int add_row(void *context, const char *const *cells)
{
    struct list *list = context;

    if (list->rows++ == 0)
        add_heading(list);
    if (list->rows > LISTED)
        return 0;
    buffer_add_byte(&list->text, '|');
    for (size_t i = 0; i < COLUMNS_MOST && list->part->columns[i].key; i++) {
        if (!list->part->columns[i].title)
            continue;
        buffer_add_byte(&list->text, ' ');
        if (!cells[i] || !*cells[i])
            buffer_add_byte(&list->text, '-');
        else if (list->part->columns[i].form == AS_TIME && strlen(cells[i]) > 19)
            buffer_format(&list->text, "%.10s %.8s", cells[i], cells[i] + 11);
        else if (list->part->columns[i].form == AS_NUMBER)
            buffer_add_text(&list->text, cells[i]);
        else
            add_cell(&list->text, cells[i]);
        buffer_add_text(&list->text, " |");
    }
    buffer_add_byte(&list->text, '\n');
    return flush(list);
}

static void add_none(struct list *list)
{
    if (strcmp(list->part->key, "left_out") != 0)
        buffer_format(&list->text, "\n## %s\n\nNone.\n", list->part->heading);
}

static int count_servers(void *context, const char *const *cells)
{
    struct list *list = context;

    buffer_format(&list->text, "%s server%s, %s of them broken into.\n", cells[0],
                  strcmp(cells[0], "1") == 0 ? "" : "s", cells[1]);
    if (strcmp(cells[2], "0") != 0)
        buffer_format(&list->text,
                      "\nOf %s it cannot be told: what would show it is not there. That is no "
                      "all-clear.\n",
                      cells[2]);
    return 0;
}

static int write_markdown(struct case_file *fleet, FILE *out)
{
    struct list list = {.out = out};

    buffer_add_text(&list.text, "# Exchange servers\n\n");
    int result = case_query(fleet,
                            "SELECT count(*), count(infected), count(CASE WHEN confidence = "
                            "'not_determinable' THEN 1 END) FROM server",
                            count_servers, &list);
    for (size_t i = 0; i < sizeof parts / sizeof *parts && result == 0; i++) {
        list.part = &parts[i];
        list.rows = 0;
        result = case_query(fleet, parts[i].query, add_row, &list);
        if (list.rows == 0 && result == 0)
            add_none(&list);
        if (list.rows > LISTED)
            buffer_format(&list.text, "\n%zu more stand in fleet.json and fleet.db.\n",
                          list.rows - LISTED);
    }
    if (result == 0)
        result = flush(&list);
    buffer_release(&list.text);
    return result;
}

static const struct writer json_writer = {
    .name = "fleet", .file = "fleet.json", .title = "", .write = write_json};
static const struct writer markdown_writer = {
    .name = "markdown", .file = "fleet.md", .title = "", .write = write_markdown};

int fleet_report(struct case_file *fleet)
{
    const struct writer *const writers[] = {&json_writer, &markdown_writer, &fleet_html_writer};

    for (size_t i = 0; i < sizeof writers / sizeof *writers; i++)
        if (writer_run(writers[i], fleet) < 0)
            return -1;
    return 0;
}

int fleet_timeline(struct case_file *fleet, const char *name, struct custody_known *written)
{
    const struct writer *writer = writer_by_name(name);
    struct buffer path = BUFFER_EMPTY;
    struct hashed_file *file = NULL;
    FILE *out = NULL;

    buffer_format(&path, "%s/%s", case_folder(fleet), writer->file);
    int result = hashed_file_create(buffer_text(&path), &file, &out);
    if (result == 0) {
        const int walked = writer->write(fleet, out);
        written->name = writer->file;
        result = hashed_file_close(file, out, written->sha256);
        if (walked < 0)
            result = error_prefix("'%s'", buffer_text(&path));
    }
    buffer_release(&path);
    return result;
}
