#include "triage/report/html_page.h"

/* The ladder of DETECTIONS.md part E, for people who do not know it. */
static const struct {
    const char *name, *meaning;
} rungs[] = {
    {"Nothing seen", "No trace of an attack in what could be read."},
    {"Scanned", "Requests of an attack were seen; none of them is seen to have succeeded."},
    {"Targeted", "It was attacked while it was vulnerable; no success is seen."},
    {"Exploited", "An attack succeeded."},
    {"Files placed", "The intruder put code or files on the server."},
    {"Web shell used", "The intruder ran commands through a page put on the server."},
    {"Hands on", "The intruder worked on the server: passwords, accounts, programs."},
    {"Data taken", "Data left the server, or was made ready and fetched."},
    {"Destroyed", "Data was encrypted or destroyed."},
};
enum { EXPLOITED = 3, RUNG_COUNT = sizeof rungs / sizeof *rungs };

static const struct {
    const char *name, *label, *meaning;
} confidences[] = {
    {"confirmed", "Confirmed", "shown by at least two independent sources"},
    {"probable", "Probable", "strong traces, but from one source or short of proof"},
    {"suspicious", "Suspicious", "traces that can also have a harmless cause"},
    {"none", "No finding", "nothing points to an intrusion in what could be read"},
    {"not_determinable", "Cannot be determined", "what would show it is not there"},
};

static bool is_told(const struct json_value *verdict)
{
    return !value_is(verdict, "confidence", "not_determinable");
}

/* Where nothing can be told no rung is reached, the lowest no more than others. */
static void put_ladder(struct page *page, int64_t reached)
{
    page_markup(page,
                "<ol class=\"ladder\" aria-label=\"How far the intruder got, from 0 to 8\">\n");
    for (int64_t i = 0; i < RUNG_COUNT; i++)
        page_put(page, "<li class=\"%t\"%t><span class=\"rung\">%r</span> %t</li>\n",
                 i == reached  ? "here"
                 : i < reached ? "below"
                               : "above",
                 i == reached ? " aria-current=\"step\"" : "", i, rungs[i].name);
    page_markup(page, "</ol>\n");
}

/* That somebody tried needs no second source: the requests are there. */
static void put_confidence(struct page *page, const struct json_value *verdict, int64_t rung)
{
    const bool tried = rung && rung < EXPLOITED && value_is(verdict, "confidence", "confirmed");

    for (size_t i = 0; i < sizeof confidences / sizeof *confidences; i++)
        if (value_is(verdict, "confidence", confidences[i].name))
            page_put(page, "<div><dt>How sure</dt><dd><b>%t</b> <span>%t</span></dd></div>\n",
                     confidences[i].label,
                     tried ? "the requests stand in the logs" : confidences[i].meaning);
}

/* An intruder dwells; scanners only come by. */
static void put_dwell(struct page *page, const struct json_value *verdict, int64_t rung)
{
    const int64_t seconds = value_number(verdict, "dwell_seconds", -1);

    if (seconds < 0)
        return;
    page_markup(page, rung >= EXPLOITED ? "<div><dt>Dwell time</dt><dd><b>"
                                        : "<div><dt>Span of the attempts</dt><dd><b>");
    html_duration(&page->out, seconds);
    page_markup(page, "</b> <span>from first to last trace</span></dd></div>\n");
}

/* "none" of findings.json, in words. */
static const char *update_label(const struct json_value *update)
{
    static const struct {
        const char *state, *label;
    } labels[] = {
        {"complete", "Complete"}, {"partial", "Partial: files were left behind"},
        {"failed", "Failed"},     {"none", "No security update"},
        {"unknown", "Not known"},
    };

    for (size_t i = 0; i < sizeof labels / sizeof *labels; i++)
        if (value_is(update, "state", labels[i].state))
            return labels[i].label;
    return "Not known";
}

static void put_facts(struct page *page, const struct json_value *verdict, int64_t rung)
{
    const struct json_value *exchange = json_member(page->findings, "exchange");
    const struct json_value *update = json_member(page->findings, "update");
    const char *name = value_text(exchange, "name"), *build = value_text(exchange, "build");

    page_put(page,
             "<dl class=\"facts\">\n<div><dt>How far</dt><dd><b>%t</b> <span>rung %r of 8: "
             "%t</span></dd></div>\n",
             is_told(verdict) ? rungs[rung].name : "Cannot be told", rung,
             is_told(verdict) ? rungs[rung].meaning : "this is no all-clear.");
    put_confidence(page, verdict, rung);
    if (value_text(verdict, "first"))
        page_put(page,
                 "<div><dt>First trace</dt><dd><b>%w</b> <span>UTC</span></dd></div>\n"
                 "<div><dt>Last trace</dt><dd><b>%w</b> <span>UTC</span></dd></div>\n",
                 json_member(verdict, "first"), json_member(verdict, "last"));
    put_dwell(page, verdict, rung);
    page_put(page, "<div><dt>Installed</dt><dd><b>%t</b> <span>%t</span></dd></div>\n",
             name ? name : "Not known", build ? build : "");
    page_put(page,
             "<div><dt>Security updates</dt><dd><b>%t</b> <span>%v</span></dd></div>\n</dl>\n",
             update_label(update), json_member(update, "why"));
}

static void put_limits(struct page *page, const struct json_value *verdict)
{
    const struct json_value *limit = value_list(verdict, "limits");

    page_markup(page, "<div class=\"limits\">\n<h3>What cannot be known</h3>\n<ul>\n");
    for (; limit; limit = limit->next)
        page_put(page, "<li>%v</li>\n", limit);
    page_markup(page, "<li>Mailbox databases (.edb) and the contents of PST files are never "
                      "opened: who read which message there cannot be known from this report.</li>"
                      "\n</ul>\n</div>\n");
}

/* Up to the first full stop that ends a sentence: version numbers have some within. */
static size_t first_sentence(struct slice text)
{
    for (size_t at = 0; (at = slice_find(text, at, '.')) != SIZE_MAX; at++)
        if (at + 1 == text.size || text.data[at + 1] == ' ')
            return at + 1;
    return text.size;
}

/* The first sentence of the summary is the heading; what follows stands below. */
static void put_summary(struct page *page, const struct json_value *verdict)
{
    const struct slice summary = slice_of_text(value_text(verdict, "summary"));
    const size_t head = first_sentence(summary);

    page_markup(page, "<h1 id=\"verdict-title\">");
    if (summary.size)
        html_escape(&page->out, slice_part(summary, 0, head));
    else
        page_markup(page, "The case holds no verdict.");
    page_markup(page, "</h1>\n<p class=\"lead\">");
    html_escape(&page->out, slice_trim(slice_from(summary, head)));
    page_markup(page, "</p>\n");
}

/* Only what was looked for, could have been seen, and was not. */
static bool is_calm(const struct page *page, int64_t rung)
{
    return rung == 0 && value_is(json_member(page->findings, "verdict"), "confidence", "none") &&
           !json_member(page->findings, "interrupted");
}

void html_verdict(struct page *page)
{
    const struct json_value *verdict = json_member(page->findings, "verdict");
    const struct json_value *zone = json_member(page->host, "time_zone");
    int64_t rung = value_number(verdict, "rung", 0);

    rung = rung < 0 || rung >= RUNG_COUNT ? 0 : rung;
    page_put(page,
             "<section id=\"verdict\" class=\"verdict %t\" aria-labelledby=\"verdict-title\" "
             "tabindex=\"-1\">\n<p class=\"eyebrow\">Verdict</p>\n",
             rung >= EXPLOITED     ? "bad"
             : is_calm(page, rung) ? "calm"
                                   : "watch");
    put_summary(page, verdict);
    if (!is_told(verdict))
        page_markup(page, "<p class=\"lead\">Nothing was seen, but the records that would show it "
                          "are missing: this is no all-clear.</p>\n");
    put_ladder(page, is_told(verdict) ? rung : -1);
    if (page->findings)
        put_facts(page, verdict, rung);
    put_limits(page, verdict);
    page_markup(page, "<p class=\"quiet\">All times are UTC.");
    if (value_text(zone, "value"))
        page_put(page, " The clock of the server shows %v.", json_member(zone, "value"));
    page_markup(page, "</p>\n</section>\n");
}

void html_leads(struct page *page)
{
    const struct json_value *lead = value_list(page->findings, "leads");

    page_markup(page, "<section id=\"next\" aria-labelledby=\"next-title\">\n"
                      "<h2 id=\"next-title\">What to do next</h2>\n");
    if (!lead)
        page_markup(page, "<p>No lead follows from what was found.</p>\n");
    else
        page_markup(page, "<ol class=\"leads\">\n");
    for (int64_t i = 0; lead; lead = lead->next, i++)
        page_put(page,
                 "<li data-show=\"leads/%r\" data-count=\"%r\"><b>%v</b> <span class=\"why\">"
                 "%v.</span></li>\n",
                 i, value_number(lead, "indicator_count", 0), json_member(lead, "what"),
                 json_member(lead, "why"));
    page_markup(page, value_list(page->findings, "leads") ? "</ol>\n</section>\n" : "</section>\n");
}
