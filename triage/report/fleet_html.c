/*
 * fleet.html: what many servers say together, for people. The gravest first: how many were broken
 * into, in which order, by whom, with what. Without a script, so that it can be sent and printed.
 */
#include "triage/report/fleet_html.h"

#include "triage/base/instant.h"
#include "triage/report/html_frame.h"
#include "triage/report/sharing.h"

#include <string.h>

enum { COLUMNS_MOST = 10, NAMES_SHOWN = 4 };

/* How a cell is told. AS_CASES, AS_LIST: names with commas between; AS_GAPS: "unread damaged". */
enum form { AS_TEXT, AS_CODE, AS_NUMBER, AS_TIME, AS_CASES, AS_LIST, AS_SERVER, AS_GAPS };

struct column {
    const char *title;
    enum form form;
};

struct section {
    const char *id, *title, *what; /* markup: what the list means */
    const char *none;              /* said instead of an empty list */
    const char *query;
    size_t shown; /* rows that are not folded away */
    bool is_charted;
    struct column columns[COLUMNS_MOST];
};

#define MOST_ROWS " LIMIT 5000"
#define FIRST_ON(table, key)                                                                       \
    "(SELECT x.\"case\" FROM " table " x WHERE x." key " = v." key                                 \
    " ORDER BY x.first IS NULL OR x.first = '', x.first, x.\"case\" LIMIT 1)"

static const struct section sections[] = {
    {"order",
     "Order of infection",
     "Each line begins with the first trace of an intruder on that server and ends with the last.",
     "No server was broken into, as far as could be read.",
     "SELECT host || char(10) || \"case\", infected, rung || ' ' || verdict, confidence, (SELECT "
     "group_concat(DISTINCT a.address) FROM incident i JOIN actor a ON a.\"case\" = i.\"case\" AND "
     "a.incident = i.id WHERE i.\"case\" = v.\"case\" AND i.kind = 'intrusion' AND i.first = "
     "v.infected AND NOT a.private) FROM v_order v",
     30,
     true,
     {{"Server, case", AS_SERVER},
      {"First trace (UTC)", AS_TIME},
      {"How far (0 to 8)", AS_TEXT},
      {"How sure", AS_TEXT},
      {"From", AS_LIST}}},
    {"servers",
     "Servers",
     "All servers, those that intruders came furthest on first.",
     "No servers.",
     "SELECT host || char(10) || \"case\", exchange, rung || ' ' || verdict, confidence, first, "
     "last, indicators, unread || ' ' || damaged FROM server ORDER BY rung DESC, "
     "coalesce(infected, "
     "first), \"case\"",
     100,
     false,
     {{"Server, case", AS_SERVER},
      {"Exchange", AS_TEXT},
      {"How far (0 to 8)", AS_TEXT},
      {"How sure", AS_TEXT},
      {"First trace (UTC)", AS_TIME},
      {"Last trace", AS_TIME},
      {"Indicators", AS_NUMBER},
      {"Evidence", AS_GAPS}}},
    {"attackers",
     "Addresses on more than one server",
     "Public addresses that took part in intrusions or attacks on several servers. The same "
     "address "
     "on many servers points to one intruder; it can also be a scanner that comes by everywhere.",
     "No address took part on more than one server.",
     "SELECT address, CASE WHEN intruder THEN 'broke in' ELSE 'attacked' END, servers, "
     "first, " FIRST_ON("actor", "address") ", last, indicator_count, cases FROM v_shared_address "
                                            "v WHERE servers > 1 ORDER BY intruder DESC, servers "
                                            "DESC, first, address" MOST_ROWS,
     50,
     false,
     {{"Address", AS_CODE},
      {"What", AS_TEXT},
      {"Servers", AS_NUMBER},
      {"First seen (UTC)", AS_TIME},
      {"There", AS_TEXT},
      {"Last seen", AS_TIME},
      {"Indicators", AS_NUMBER},
      {"Cases", AS_CASES}}},
    {"lone",
     "Addresses of intruders on one server",
     "Addresses that broke in, each seen on one server alone.",
     "None: each address that broke in was seen on several servers.",
     "SELECT address, cases, first, last, indicator_count FROM v_shared_address WHERE intruder AND "
     "servers = 1 ORDER BY first, address" MOST_ROWS,
     20,
     false,
     {{"Address", AS_CODE},
      {"Case", AS_TEXT},
      {"First seen (UTC)", AS_TIME},
      {"Last seen", AS_TIME},
      {"Indicators", AS_NUMBER}}},
    {"files",
     "Files of intruders, by content",
     "Web shells and other files that intruders left, by SHA-256. One content on several servers "
     "is "
     "one tool, whatever its name.",
     "No file of an intruder has a known hash.",
     "SELECT sha256, path, servers, first, " FIRST_ON(
         "incident_file", "sha256") ", cases FROM v_shared_file v ORDER BY servers DESC, first, "
                                    "sha256" MOST_ROWS,
     50,
     false,
     {{"SHA-256", AS_CODE},
      {"Path, for example", AS_CODE},
      {"Servers", AS_NUMBER},
      {"First there (UTC)", AS_TIME},
      {"There", AS_TEXT},
      {"Cases", AS_CASES}}},
    {"agents",
     "User agents of intruders",
     "What intruders' programs called themselves. A rare one on several servers ties them "
     "together; "
     "browsers do not.",
     "None.",
     "SELECT agent, servers, indicator_count, cases FROM v_shared_agent" MOST_ROWS,
     30,
     false,
     {{"User agent", AS_CODE},
      {"Servers", AS_NUMBER},
      {"Indicators", AS_NUMBER},
      {"Cases", AS_CASES}}},
    {"cves",
     "Vulnerabilities",
     "On how many servers each vulnerability was open at some time, and used.",
     "None was open or used, as far as could be read.",
     "SELECT cve, sum(outcome = 'succeeded') AS used, sum(outcome = 'attempted'), sum(exposure = "
     "'vulnerable') AS open, min(nullif(first, '')) FROM cve GROUP BY cve HAVING sum(outcome IN "
     "('succeeded', 'attempted')) OR sum(exposure = 'vulnerable') ORDER BY used DESC, open DESC, "
     "cve",
     20,
     false,
     {{"Vulnerability", AS_TEXT},
      {"Used on", AS_NUMBER},
      {"Tried on", AS_NUMBER},
      {"Open on", AS_NUMBER},
      {"First trace (UTC)", AS_TIME}}},
    {"left",
     "Left out",
     "Cases that could not be joined. What happened on these servers is not in this report.",
     NULL,
     "SELECT folder, why FROM left_out ORDER BY folder",
     1000,
     false,
     {{"Folder", AS_CODE}, {"Why", AS_TEXT}}},
};

static const char contents[] = "<li><a href=\"#verdict\">Verdict</a></li>\n"
                               "<li><a href=\"#order\">Order of infection</a></li>\n"
                               "<li><a href=\"#servers\">Servers</a></li>\n"
                               "<li><a href=\"#attackers\">Attackers</a></li>\n"
                               "<li><a href=\"#files\">Files</a></li>\n"
                               "<li><a href=\"#agents\">User agents</a></li>\n"
                               "<li><a href=\"#cves\">Vulnerabilities</a></li>\n"
                               "<li><a href=\"#method\">Method</a></li>\n";

/* --- cells --- */

static void put_time(struct page *page, const char *text)
{
    const struct json_value value = {.type = JSON_STRING, .text = slice_of_text(text)};

    if (text && *text)
        page_put(page, "%w", &value);
    else
        page_markup(page, "\xE2\x80\x93");
}

/* Few names as they are; of many the number, with the names behind it. */
static void put_names(struct page *page, const char *cell, const char *what)
{
    struct buffer names = BUFFER_EMPTY;
    size_t count = 1;

    for (const char *c = cell; *c; c++) {
        count += *c == ',';
        buffer_add_byte(&names, (uint8_t)*c);
        if (*c == ',')
            buffer_add_byte(&names, ' ');
    }
    if (count > NAMES_SHOWN)
        page_put(page, "<details><summary>%n %t</summary>%t</details>", (int64_t)count, what,
                 buffer_text(&names));
    else
        page_put(page, "%t", buffer_text(&names));
    buffer_release(&names);
}

/* "EXCH01\ncase": the host's name, and below it that of the case. */
static void put_server(struct page *page, const char *cell)
{
    const char *line = strchr(cell, '\n');
    char host[256];

    snprintf(host, sizeof host, "%.*s", (int)(line ? line - cell : 0), cell);
    page_put(page, "<p><b>%t</b></p><p class=\"how\">%t</p>", *host ? host : "Host not known",
             line ? line + 1 : cell);
}

static void put_gaps(struct page *page, const char *cell)
{
    const char *blank = strchr(cell, ' ');
    const int64_t unread = sharing_number(cell), damaged = blank ? sharing_number(blank) : 0;

    if (!unread && !damaged)
        page_markup(page, "read in full");
    if (unread)
        page_put(page, "%n not read", unread);
    if (damaged)
        page_put(page, "%t%n damaged", unread ? ", " : "", damaged);
}

static void put_cell(struct page *page, enum form form, const char *cell)
{
    page_markup(page, form == AS_NUMBER ? "<td class=\"number\">"
                      : form == AS_CODE ? "<td class=\"path\">"
                                        : "<td>");
    if (form == AS_TIME)
        put_time(page, cell);
    else if (!cell || !*cell)
        page_markup(page, "\xE2\x80\x93");
    else if (form == AS_NUMBER)
        page_put(page, "%n", (int64_t)sharing_number(cell));
    else if (form == AS_CASES)
        put_names(page, cell, "cases");
    else if (form == AS_LIST)
        put_names(page, cell, "addresses");
    else if (form == AS_SERVER)
        put_server(page, cell);
    else if (form == AS_GAPS)
        put_gaps(page, cell);
    else
        page_put(page, "%t", cell);
    page_markup(page, "</td>");
}

/* --- the order of infection --- */

enum { CHART_WIDTH = 1000, LABEL_WIDTH = 220, BAR_ROOM = 20 };

struct chart {
    struct page *page;
    int64_t first, last; /* microseconds */
    char first_text[40], last_text[40];
    size_t rows;
};

static bool time_of(const char *text, int64_t *us)
{
    struct instant instant;

    if (!text || !instant_parse(slice_of_text(text), &instant, NULL))
        return false;
    *us = instant_to_unix_us(instant);
    return true;
}

static int64_t place_of(const struct chart *chart, int64_t us)
{
    const double whole = (double)(chart->last - chart->first);

    return LABEL_WIDTH + (int64_t)(whole > 0 ? (double)(us - chart->first) / whole *
                                                   (CHART_WIDTH - LABEL_WIDTH - 8)
                                             : 0);
}

static int put_bar(void *context, const char *const *cells)
{
    struct chart *chart = context;
    const int64_t y = (int64_t)chart->rows * BAR_ROOM;
    int64_t from, until;

    if (!time_of(cells[1], &from))
        return 0;
    if (!time_of(cells[2], &until) || until < from)
        until = from;
    const int64_t x = place_of(chart, from);
    page_put(chart->page,
             "<g><title>%t, %t to %t</title><text x=\"0\" y=\"%r\">%t</text><rect class=\"span\" "
             "x=\"%r\" y=\"%r\" width=\"%r\" height=\"%r\"/></g>\n",
             cells[0], cells[1], cells[2] ? cells[2] : "", y + 14, cells[0], x, y + 4,
             place_of(chart, until) - x + 4, (int64_t)BAR_ROOM - 8);
    chart->rows++;
    return chart->page->failure;
}

static int take_span(void *context, const char *const *cells)
{
    struct chart *chart = context;

    chart->rows = (size_t)sharing_number(cells[2]);
    if (!time_of(cells[0], &chart->first) || !time_of(cells[1], &chart->last)) {
        chart->rows = 0;
        return 0;
    }
    snprintf(chart->first_text, sizeof chart->first_text, "%.10s %.5s", cells[0], cells[0] + 11);
    snprintf(chart->last_text, sizeof chart->last_text, "%.10s %.5s", cells[1], cells[1] + 11);
    return 0;
}

static void put_axis(const struct chart *chart)
{
    const int64_t y = (int64_t)chart->rows * BAR_ROOM;

    page_put(chart->page,
             "<line class=\"grid\" x1=\"%r\" x2=\"%r\" y1=\"%r\" y2=\"%r\"/><text x=\"%r\" "
             "y=\"%r\">%t</text><text x=\"%r\" y=\"%r\" text-anchor=\"end\">%t UTC</text>\n",
             (int64_t)LABEL_WIDTH, (int64_t)CHART_WIDTH, y + 2, y + 2, (int64_t)LABEL_WIDTH, y + 15,
             chart->first_text, (int64_t)CHART_WIDTH, y + 15, chart->last_text);
}

/* A line a server, from its first trace to its last, in the order in which they were broken into.
 */
static int put_chart(struct page *page)
{
    struct chart chart = {.page = page};

    if (case_query(page->source,
                   "SELECT min(infected), max(max(infected, coalesce(last, infected))), "
                   "min(count(*), 100) FROM server WHERE infected IS NOT NULL",
                   take_span, &chart) < 0)
        return -1;
    if (chart.rows == 0)
        return 0;
    page_put(
        page,
        "<div class=\"chart-box\"><svg viewBox=\"0 0 %r %r\" role=\"img\" aria-label=\"From the "
        "first trace to the last, a line a server\">\n",
        (int64_t)CHART_WIDTH, (int64_t)chart.rows * BAR_ROOM);
    chart.rows = 0;
    const int result =
        case_query(page->source,
                   "SELECT coalesce(nullif(host, ''), \"case\"), infected, last FROM "
                   "server WHERE infected IS NOT NULL ORDER BY infected, \"case\" "
                   "LIMIT 100",
                   put_bar, &chart);
    put_axis(&chart);
    page_markup(page, "</svg></div>\n");
    return result;
}

/* --- lists --- */

struct list {
    struct page *page;
    const struct section *section;
    size_t rows;
};

static void begin_table(const struct list *list)
{
    page_markup(list->page, "<div class=\"scroll\"><table>\n<thead><tr>");
    for (const struct column *c = list->section->columns; c->title; c++)
        page_put(list->page,
                 c->form == AS_NUMBER ? "<th scope=\"col\" class=\"number\">%t</th>"
                                      : "<th scope=\"col\">%t</th>",
                 c->title);
    page_markup(list->page, "</tr></thead>\n<tbody>\n");
}

static void end_table(const struct list *list)
{
    page_markup(list->page, "</tbody></table></div>\n");
}

static void begin_section(const struct list *list)
{
    page_put(list->page,
             "<section id=\"%t\" aria-labelledby=\"%t-title\">\n<h2 id=\"%t-title\">%t</h2>\n"
             "<p class=\"quiet\">%t</p>\n",
             list->section->id, list->section->id, list->section->id, list->section->title,
             list->section->what);
}

static int put_row(void *context, const char *const *cells)
{
    struct list *list = context;

    if (list->rows == 0) {
        begin_section(list);
        if (list->section->is_charted && put_chart(list->page) < 0)
            return -1;
        begin_table(list);
    } else if (list->rows == list->section->shown) {
        end_table(list);
        page_markup(list->page, "<details>\n<summary>The others</summary>\n");
        begin_table(list);
    }
    list->rows++;
    page_markup(list->page, "<tr>");
    for (size_t i = 0; list->section->columns[i].title; i++)
        put_cell(list->page, list->section->columns[i].form, cells[i]);
    page_markup(list->page, "</tr>\n");
    return list->page->failure;
}

static int put_section(struct page *page, const struct section *section)
{
    struct list list = {page, section, 0};
    const int result = case_query(page->source, section->query, put_row, &list);

    if (list.rows) {
        end_table(&list);
        page_markup(page, list.rows > section->shown ? "</details>\n</section>\n" : "</section>\n");
    } else if (section->none) {
        begin_section(&list);
        page_put(page, "<p>%t</p>\n</section>\n", section->none);
    }
    return result;
}

/* --- the verdict over all --- */

static int put_headline(void *context, const char *const *cells)
{
    struct page *page = context;
    const int64_t servers = sharing_number(cells[0]), broken = sharing_number(cells[1]);

    page_put(
        page,
        "<section class=\"verdict %t\" id=\"verdict\">\n<p class=\"eyebrow\">Verdict</p>\n<h1>",
        broken ? "bad" : "watch");
    if (broken)
        page_put(page, "%n of %n servers %t broken into", broken, servers,
                 broken == 1 ? "was" : "were");
    else
        page_put(page, "No intrusion is seen on %n servers", servers);
    page_markup(page, "</h1>\n");
    if (cells[5]) {
        page_put(page, "<p class=\"lead\">The first was <b>%t</b> (%t), ", cells[6] ? cells[6] : "",
                 cells[7]);
        put_time(page, cells[5]);
        page_markup(page, " UTC; the last trace is of ");
        put_time(page, cells[8]);
        page_markup(page, " UTC.</p>\n");
    }
    page_put(
        page,
        "<dl class=\"facts\">\n<div><dt>Broken into</dt><dd><b>%n</b> <span>intruders got in: "
        "rung 3 or more</span></dd></div>\n"
        "<div><dt>Attacked only</dt><dd><b>%n</b> <span>scanned or targeted; no success is "
        "seen</span></dd></div>\n"
        "<div><dt>No trace</dt><dd><b>%n</b> <span>in what could be read</span></dd></div>\n"
        "<div><dt>Cannot be told</dt><dd><b>%n</b> <span>logs are missing, or there are traces "
        "that somebody must explain: no all-clear</span></dd></div>\n"
        "<div><dt>Not read in full</dt><dd><b>%n</b> <span>of these servers more may have "
        "happened than is seen</span></dd></div>\n</dl>\n",
        broken, (int64_t)sharing_number(cells[2]), (int64_t)sharing_number(cells[3]),
        (int64_t)sharing_number(cells[9]), (int64_t)sharing_number(cells[4]));
    return page->failure;
}

static const char headline_sql[] =
    "SELECT count(*), count(infected), sum(infected IS NULL AND rung > 0), sum(infected IS NULL "
    "AND "
    "coalesce(rung, 0) = 0 AND confidence = 'none'), sum(unread > 0 OR damaged > 0), "
    "min(infected), (SELECT coalesce(host, "
    "\"case\") FROM "
    "v_order LIMIT 1), (SELECT \"case\" FROM v_order LIMIT 1), max(CASE WHEN infected IS NOT NULL "
    "THEN last END), sum(infected IS NULL AND coalesce(rung, 0) = 0 AND confidence IS NOT 'none') "
    "FROM server";

static int put_limit(void *context, const char *const *cells)
{
    struct page *page = context;

    page_put(page, "<li>%t</li>\n", cells[0]);
    return page->failure;
}

static const char limits_sql[] =
    "SELECT count(*) || CASE count(*) WHEN 1 THEN ' case was' ELSE ' cases were' END || ' left "
    "out: "
    "see the end of this report.' FROM left_out HAVING count(*) > 0 UNION ALL "
    "SELECT host || ' stands in ' || count(*) || ' cases: ' || group_concat(\"case\", ', ') || '. "
    "They are counted as servers of their own; they may be disks, or times, of one.' FROM (SELECT "
    "* FROM server ORDER BY \"case\") WHERE host IS NOT NULL GROUP BY host HAVING count(*) > 1 "
    "UNION ALL SELECT 'The host of ' || count(*) || ' cases is not known.' FROM server WHERE host "
    "IS NULL HAVING count(*) > 0 UNION ALL SELECT 'Of one server only what its own evidence tells "
    "is known: where its logs begin after the intruder came, it stands too late in the order of "
    "infection.'";

/* --- the page --- */

static int put_verdict(struct page *page)
{
    if (case_query(page->source, headline_sql, put_headline, page) < 0)
        return -1;
    page_markup(page, "<div class=\"limits\">\n<h3>What cannot be known</h3>\n<ul>\n");
    const int result = case_query(page->source, limits_sql, put_limit, page);
    page_markup(page, "</ul>\n</div>\n</section>\n");
    return result;
}

static void put_method(struct page *page)
{
    page_markup(
        page,
        "<section id=\"method\" aria-labelledby=\"method-title\">\n<h2 id=\"method-title\">"
        "Method</h2>\n<p>This report joins finished cases of extriage; each has its own report, "
        "with "
        "the records behind every finding. <code>fleet.json</code> has the same lists for "
        "programs, "
        "and the SHA-256 of each <code>case.db</code> that was joined; <code>fleet.db</code> has "
        "all "
        "rows of all cases (SQLite); <code>timeline.jsonl</code>, where it was asked for, all "
        "indicators in time order. The hashes of these files stand in "
        "<code>SHA256SUMS</code>.</p>\n"
        "</section>\n");
}

static int take_count(void *context, const char *const *cells)
{
    snprintf(context, 64, "%s server%s", cells[0], strcmp(cells[0], "1") == 0 ? "" : "s");
    return 0;
}

static int put_page(struct page *page)
{
    char subject[64] = "";

    if (case_query(page->source, "SELECT count(*) FROM server", take_count, subject) < 0)
        return -1;
    html_begin_plain(page, "extriage fleet report", subject, contents);
    if (put_verdict(page) < 0)
        return -1;
    for (size_t i = 0; i < sizeof sections / sizeof *sections; i++)
        if (put_section(page, &sections[i]) < 0)
            return -1;
    put_method(page);
    page_markup(page, "</main>\n");
    html_end(page, HTML_PRINTED);
    return page->failure;
}

static int write_all(struct case_file *fleet, FILE *out)
{
    struct page page = {.file = out, .source = fleet};
    const int result = put_page(&page);

    buffer_release(&page.out);
    return result;
}

const struct writer fleet_html_writer = {
    .name = "fleet-html", .file = "fleet.html", .title = "", .write = write_all};
