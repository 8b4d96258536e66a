/*
 * report.html: one file without a network, for people. What matters is plain HTML made here;
 * html/report.js adds the table of all indicators, the timeline chart and filters. The content
 * security policy allows our own style sheet and script by their hashes, and nothing else.
 */
#include "triage/base/error.h"
#include "triage/base/hash.h"
#include "triage/report/html_pack.h"
#include "triage/report/html_page.h"
#include "triage/report/writer.h"

static const uint8_t style[] = {
#include "triage/report/html/report_css.inc"
};
static const uint8_t script[] = {
#include "triage/report/html/report_js.inc"
};

static unsigned hex_digit(char digit)
{
    return (unsigned)(digit <= '9' ? digit - '0' : digit - 'a' + 10);
}

/* 'sha256-BASE64', as a policy names what may run. */
static void source_hash(struct buffer *out, struct slice source)
{
    char hex[SHA256_TEXT_SIZE];
    uint8_t digest[32];

    hash_sha256(source, hex);
    for (size_t i = 0; i < sizeof digest; i++)
        digest[i] = (uint8_t)(hex_digit(hex[2 * i]) << 4 | hex_digit(hex[2 * i + 1]));
    buffer_add_text(out, "'sha256-");
    base64_add(out, slice_of(digest, sizeof digest));
    buffer_add_text(out, "'");
}

static void put_policy(struct page *page)
{
    page_markup(page, "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
                      "style-src ");
    source_hash(&page->out, slice_of(style, sizeof style));
    page_markup(page, "; script-src ");
    source_hash(&page->out, slice_of(script, sizeof script));
    page_markup(page, "; base-uri 'none'; form-action 'none'\">\n");
}

static void put_head(struct page *page)
{
    const struct json_value *verdict = json_member(page->findings, "verdict");
    const struct json_value *computer = json_member(page->host, "computer");

    page_markup(page, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n");
    put_policy(page);
    page_markup(page, "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
                      "<meta name=\"color-scheme\" content=\"light dark\">\n"
                      "<meta name=\"referrer\" content=\"no-referrer\">\n");
    page_put(page, "<title>%v: %v \xE2\x80\x93 extriage report</title>\n",
             json_member(computer, "value"), json_member(verdict, "name"));
    page_markup(page, "<style>");
    buffer_add(&page->out, slice_of(style, sizeof style));
    page_markup(page, "</style>\n</head>\n");
}

static void put_banner(struct page *page)
{
    const struct json_value *computer = json_member(page->host, "computer");
    const struct json_value *domain = json_member(page->host, "domain");
    const struct json_value *item = value_list(page->host, "evidence");

    page_markup(page, "<body>\n<a class=\"skip\" href=\"#verdict\">Skip to the verdict</a>\n"
                      "<header class=\"banner\">\n<p class=\"brand\">extriage report</p>\n");
    page_put(page, "<p class=\"subject\"><b>%v</b>", json_member(computer, "value"));
    if (value_text(domain, "value"))
        page_put(page, " <span>%v</span>", json_member(domain, "value"));
    for (; item; item = item->next)
        page_put(page, " <span>%v</span>", json_member(item, "name"));
    if (value_text(page->run, "case_number"))
        page_put(page, " <span>Case %v</span>", json_member(page->run, "case_number"));
    page_markup(page, "</p>\n<div id=\"tools\"></div>\n</header>\n"
                      "<nav class=\"contents\" aria-label=\"Sections of this report\">\n<ul>\n"
                      "<li><a href=\"#verdict\">Verdict</a></li>\n"
                      "<li><a href=\"#next\">What to do</a></li>\n"
                      "<li><a href=\"#incidents\">Incidents</a></li>\n"
                      "<li><a href=\"#taken\">Taken, left behind</a></li>\n"
                      "<li><a href=\"#exposure\">Vulnerabilities</a></li>\n"
                      "<li><a href=\"#timeline\">Timeline</a></li>\n"
                      "<li><a href=\"#indicators\">Indicators</a></li>\n"
                      "<li><a href=\"#coverage\">Coverage</a></li>\n"
                      "<li><a href=\"#evidence\">Evidence</a></li>\n"
                      "<li><a href=\"#method\">Method</a></li>\n"
                      "</ul>\n</nav>\n<main>\n");
}

/* Filled by the script; without it the counts are told and where the rows are. */
static void put_indicators(struct page *page)
{
    static const char *const names[] = {"informational", "low", "medium", "high", "critical"};

    page_markup(page, "<section id=\"timeline\" aria-labelledby=\"timeline-title\">\n"
                      "<h2 id=\"timeline-title\">Timeline</h2>\n<div id=\"chart\">"
                      "<p class=\"quiet\">The chart is drawn by JavaScript, which is off. The "
                      "incidents above are complete without it.</p></div>\n</section>\n"
                      "<section id=\"indicators\" aria-labelledby=\"indicators-title\">\n"
                      "<h2 id=\"indicators-title\">Indicators</h2>\n");
    page_put(page, "<p>%n indicators, %n of them without a time: ", (int64_t)page->rows.count,
             (int64_t)(page->rows.count - page->rows.dated));
    for (size_t i = 5; i-- > 0;)
        page_put(page, "%n %t%t", (int64_t)page->rows.levels[i], names[i], i ? ", " : ".");
    page_markup(page,
                "</p>\n<div id=\"table\"><p class=\"quiet\">The table is made by JavaScript, which "
                "is off. The same rows are in <code>timeline.csv</code>, "
                "<code>timeline.jsonl</code> and <code>undated.jsonl</code> beside this "
                "file.</p></div>\n</section>\n");
}

static void put_sections(struct page *page)
{
    html_verdict(page);
    html_leads(page);
    html_incidents(page);
    html_taken(page);
    html_exposure(page);
    put_indicators(page);
    html_coverage(page);
    html_evidence(page);
    html_host(page);
    html_method(page);
    page_markup(page, "</main>\n");
}

static int put_page(struct page *page)
{
    put_head(page);
    put_banner(page);
    put_sections(page);
    page_flush(page);
    if (html_data(page) < 0)
        return -1;
    page_markup(page, "<script>");
    buffer_add(&page->out, slice_of(script, sizeof script));
    page_markup(page, "</script>\n</body>\n</html>\n");
    page_flush(page);
    return page->failure;
}

static int write_all(struct case_file *file, FILE *out)
{
    struct page page;
    int result = page_open(&page, file, out);

    if (result == 0)
        result = put_page(&page);
    page_close(&page);
    return result;
}

const struct writer writer_html = {
    .name = "html",
    .file = "report.html",
    .title = "for people: verdict, incidents, exposure, coverage, every indicator",
    .write = write_all,
};
