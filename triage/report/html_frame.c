/* The content security policy, the head and the foot of a report. */
#include "triage/report/html_frame.h"

#include "triage/base/base64.h"
#include "triage/base/hash.h"

static const uint8_t style[] = {
#include "triage/report/html/report_css.inc"
};
static const uint8_t script[] = {
#include "triage/report/html/report_js.inc"
};

/* 'sha256-BASE64', as a policy names what may run. */
static void source_hash(struct buffer *out, struct slice source)
{
    char hex[SHA256_TEXT_SIZE];
    uint8_t digest[32];

    hash_sha256(source, hex);
    for (size_t i = 0; i < sizeof digest; i++)
        digest[i] =
            (uint8_t)(hex_digit((uint8_t)hex[2 * i]) << 4 | hex_digit((uint8_t)hex[2 * i + 1]));
    buffer_add_text(out, "'sha256-");
    base64_add(out, slice_of(digest, sizeof digest));
    buffer_add_text(out, "'");
}

/* Our own style sheet and script by their hashes, and nothing else. */
static void put_policy(struct page *page, enum html_kind kind)
{
    page_markup(page, "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
                      "style-src ");
    source_hash(&page->out, slice_of(style, sizeof style));
    if (kind == HTML_INTERACTIVE) {
        page_markup(page, "; script-src ");
        source_hash(&page->out, slice_of(script, sizeof script));
    }
    page_markup(page, "; base-uri 'none'; form-action 'none'\">\n");
}

static const char *host_name(const struct page *page)
{
    const char *name = value_text(json_member(page->host, "computer"), "value");

    return name ? name : "Host not known";
}

/* Up to the title, which the caller puts. */
static void put_head_start(struct page *page, enum html_kind kind)
{
    page_markup(page, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n");
    put_policy(page, kind);
    page_markup(page, "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
                      "<meta name=\"color-scheme\" content=\"light dark\">\n"
                      "<meta name=\"referrer\" content=\"no-referrer\">\n");
}

static void put_style(struct page *page)
{
    page_markup(page, "<style>");
    buffer_add(&page->out, slice_of(style, sizeof style));
    page_markup(page, "</style>\n</head>\n");
}

static void put_head(struct page *page, enum html_kind kind)
{
    const struct json_value *verdict = json_member(page->findings, "verdict");

    put_head_start(page, kind);
    page_put(page, "<title>%t: %v \xE2\x80\x93 extriage report</title>\n", host_name(page),
             json_member(verdict, "name"));
    put_style(page);
}

static void put_banner(struct page *page, const char *title)
{
    const struct json_value *domain = json_member(page->host, "domain");
    const struct json_value *item = value_list(page->host, "evidence");

    page_put(page, "<header class=\"banner\">\n<p class=\"brand\">%t</p>\n", title);
    page_put(page, "<p class=\"subject\"><b>%t</b>", host_name(page));
    if (value_text(domain, "value"))
        page_put(page, " <span>%v</span>", json_member(domain, "value"));
    for (; item; item = item->next)
        page_put(page, " <span>%v</span>", json_member(item, "name"));
    if (value_text(page->run, "case_number"))
        page_put(page, " <span>Case %v</span>", json_member(page->run, "case_number"));
    page_markup(page, "</p>\n<div id=\"tools\"></div>\n</header>\n");
}

static void put_contents(struct page *page)
{
    page_markup(page, "<nav class=\"contents\" aria-label=\"Sections of this report\">\n<ul>\n"
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
                      "</ul>\n</nav>\n");
}

void html_begin(struct page *page, const char *title, enum html_kind kind)
{
    page->unfolded = kind == HTML_PRINTED;
    put_head(page, kind);
    page_markup(page, "<body>\n");
    if (kind == HTML_INTERACTIVE)
        page_markup(page, "<a class=\"skip\" href=\"#verdict\">Skip to the verdict</a>\n");
    put_banner(page, title);
    if (kind == HTML_INTERACTIVE)
        put_contents(page);
    page_markup(page, "<main>\n");
}

void html_end(struct page *page, enum html_kind kind)
{
    if (kind == HTML_INTERACTIVE) {
        page_markup(page, "<script>");
        buffer_add(&page->out, slice_of(script, sizeof script));
        page_markup(page, "</script>\n");
    }
    page_markup(page, "</body>\n</html>\n");
    page_flush(page);
}

void html_begin_plain(struct page *page, const char *title, const char *subject,
                      const char *sections)
{
    put_head_start(page, HTML_PRINTED);
    page_put(page, "<title>%t \xE2\x80\x93 %t</title>\n", subject, title);
    put_style(page);
    page_put(page,
             "<body>\n<header class=\"banner\">\n<p class=\"brand\">%t</p>\n<p "
             "class=\"subject\"><b>%t</b></p>\n</header>\n<nav class=\"contents\" "
             "aria-label=\"Sections of this report\">\n<ul>\n",
             title, subject);
    page_markup(page, sections);
    page_markup(page, "</ul>\n</nav>\n<main>\n");
}
