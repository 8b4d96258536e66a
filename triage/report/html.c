/*
 * report.html: one file without a network, for people. What matters is plain HTML made by html_*.c;
 * html/report.js adds the table of all indicators, the timeline chart and filters.
 */
#include "triage/report/html_frame.h"
#include "triage/report/writer.h"

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
    html_begin(page, "extriage report", HTML_INTERACTIVE);
    put_sections(page);
    page_flush(page);
    if (html_data(page) < 0)
        return -1;
    html_end(page, HTML_INTERACTIVE);
    return page->failure;
}

static int write_all(struct case_file *file, FILE *out)
{
    return page_write(file, out, put_page);
}

const struct writer writer_html = {
    .name = "html",
    .file = "report.html",
    .title = "for people: verdict, incidents, exposure, coverage, every indicator",
    .write = write_all,
};
