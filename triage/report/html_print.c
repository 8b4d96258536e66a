/* report-print.html: the report for the file, without a script. Everything is in order on numbered
 * pages; indicators from medium on are listed in full. */
#include "triage/base/instant.h"
#include "triage/match/rules.h"
#include "triage/report/html_frame.h"
#include "triage/report/writer.h"

static void put_indicator(struct page *page, const struct case_indicator *row,
                          const struct case_rule *rule, int64_t number)
{
    char iso[INSTANT_TEXT_SIZE] = "";

    if (row->dated)
        instant_format(instant_from_unix_us(row->timestamp), iso);
    const struct json_value time = {.type = JSON_STRING, .text = slice_of_text(iso)};
    page_put(page,
             "<tr><td class=\"number\">%n</td><td>%w</td><td class=\"level %t\">%t</td><td>%t</td>"
             "<td><p>%t</p><p class=\"how path\">%t, byte %n, record %n</p></td></tr>\n",
             number, &time, level_name((enum level)row->level), level_name((enum level)row->level),
             rule->name, row->message, row->path, row->offset, row->record);
}

struct listing {
    struct page *page;
    int64_t number;
};

static int list_indicator(void *context, const struct case_indicator *row,
                          const struct case_rule *rule)
{
    struct listing *listing = context;

    listing->number++;
    if (row->level >= LEVEL_MEDIUM && row->level <= LEVEL_CRITICAL)
        put_indicator(listing->page, row, rule, listing->number);
    return listing->page->failure;
}

static int put_indicators(struct page *page)
{
    struct listing listing = {.page = page};
    const size_t *levels = page->rows.levels;

    page_markup(page, "<section id=\"indicators\" aria-labelledby=\"indicators-title\">\n"
                      "<h2 id=\"indicators-title\">Indicators</h2>\n");
    page_put(page,
             "<p>%n critical, %n high and %n medium indicators are listed, those without a time "
             "last. %n low and %n informational ones are left out; they are in timeline.csv and "
             "undated.jsonl.</p>\n",
             (int64_t)levels[LEVEL_CRITICAL], (int64_t)levels[LEVEL_HIGH],
             (int64_t)levels[LEVEL_MEDIUM], (int64_t)levels[LEVEL_LOW],
             (int64_t)levels[LEVEL_INFORMATIONAL]);
    page_markup(page,
                "<table class=\"listed\">\n<thead><tr><th scope=\"col\" class=\"number\">No.</th>"
                "<th scope=\"col\">Time (UTC)</th><th scope=\"col\">Level</th><th scope=\"col\">"
                "Rule</th><th scope=\"col\">What, and where it stands</th></tr></thead>\n"
                "<tbody>\n");
    if (case_each_indicator(page->source, true, list_indicator, &listing) < 0 ||
        case_each_indicator(page->source, false, list_indicator, &listing) < 0)
        return -1;
    page_markup(page, "</tbody></table>\n</section>\n");
    return 0;
}

static void put_signature(struct page *page)
{
    page_markup(page,
                "<section id=\"signature\" aria-labelledby=\"signature-title\">\n"
                "<h2 id=\"signature-title\">Signature</h2>\n<p>The SHA-256 of this file stands "
                "in SHA256SUMS of the case folder.</p>\n<dl class=\"signature\">\n"
                "<div><dt>Examiner</dt><dd>");
    if (value_text(page->run, "examiner"))
        page_put(page, "%v", json_member(page->run, "examiner"));
    page_markup(page, "</dd></div>\n<div><dt>Place and date</dt><dd></dd></div>\n"
                      "<div><dt>Signature</dt><dd></dd></div>\n"
                      "<div><dt>Reviewed by</dt><dd></dd></div>\n</dl>\n</section>\n");
}

static int put_page(struct page *page)
{
    html_begin(page, "extriage report for the file", HTML_PRINTED);
    html_verdict(page);
    html_leads(page);
    html_incidents(page);
    html_taken(page);
    html_exposure(page);
    html_coverage(page);
    if (put_indicators(page) < 0)
        return -1;
    html_evidence(page);
    html_host(page);
    html_method(page);
    put_signature(page);
    page_markup(page, "</main>\n");
    html_end(page, HTML_PRINTED);
    return page->failure;
}

static int write_all(struct case_file *file, FILE *out)
{
    return page_write(file, out, put_page);
}

const struct writer writer_html_print = {
    .name = "print",
    .file = "report-print.html",
    .title = "the report for the file, static, ready to be printed to PDF",
    .optional = true,
    .write = write_all,
};
