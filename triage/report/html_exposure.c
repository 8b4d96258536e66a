/* What was open when: a bar per vulnerability over a common axis, with its indicators as ticks. */
#include "triage/base/instant.h"
#include "triage/report/html_page.h"

#include <inttypes.h>
#include <string.h>

struct axis {
    int64_t first, last; /* microseconds since 1970 UTC; first < last */
    int64_t logs_first, logs_last;
    bool has_logs;
};

static void widen(struct axis *axis, int64_t time)
{
    axis->first = time < axis->first ? time : axis->first;
    axis->last = time > axis->last ? time : axis->last;
}

/* From the first day of exposure that is known to the last trace or line of a log. */
static struct axis find_axis(const struct page *page)
{
    struct axis axis = {INT64_MAX, INT64_MIN, INT64_MAX, INT64_MIN, false};
    int64_t time;

    for (const struct json_value *cve = value_list(page->findings, "cves"); cve; cve = cve->next) {
        static const char *const names[] = {"from", "until", "first", "last"};
        for (size_t i = 0; i < sizeof names / sizeof *names; i++)
            if (value_time(cve, names[i], &time))
                widen(&axis, time);
    }
    for (const struct json_value *sum = page->artifacts ? page->artifacts->first : NULL; sum;
         sum = sum->next) {
        if (!value_true(sum, "continuous"))
            continue;
        if (value_time(sum, "first", &time) && time < axis.logs_first)
            axis.logs_first = time;
        if (value_time(sum, "last", &time) && time > axis.logs_last)
            axis.logs_last = time;
    }
    axis.has_logs = axis.logs_first < axis.logs_last;
    if (axis.has_logs) {
        widen(&axis, axis.logs_first);
        widen(&axis, axis.logs_last);
    }
    if (axis.first >= axis.last)
        axis = (struct axis){0, 1, 0, 1, false};
    return axis;
}

/* In hundredths of a percent. */
static int64_t place(const struct axis *axis, int64_t time)
{
    const double first = (double)axis->first, last = (double)axis->last;
    const double part = ((double)time - first) / (last - first);

    return part < 0 ? 0 : part > 1 ? 10000 : (int64_t)(part * 10000);
}

static void put_percent(struct page *page, const char *attribute, int64_t hundredths)
{
    buffer_format(&page->out, " %s=\"%" PRId64 ".%02" PRId64 "%%\"", attribute, hundredths / 100,
                  hundredths % 100);
}

static void put_span(struct page *page, const char *class, int64_t from, int64_t until)
{
    page_put(page, "<rect class=\"%t\" y=\"%r\" height=\"%r\"", class,
             (int64_t)(strcmp(class, "logs") ? 7 : 0), (int64_t)(strcmp(class, "logs") ? 10 : 24));
    put_percent(page, "x", from);
    put_percent(page, "width", until > from ? until - from : 1);
    page_markup(page, "/>");
}

/* Ticks that would fall on one another are drawn once. */
static void put_ticks(struct page *page, const struct axis *axis, const struct json_value *cve)
{
    const struct json_value *number = value_list(cve, "indicators");

    for (int64_t previous = -100; number; number = number->next) {
        uint64_t value;
        const struct row *row =
            slice_to_u64(number->text, &value) ? rows_at(&page->rows, (int64_t)value) : NULL;
        if (!row || !row->dated || place(axis, row->time) < previous + 10)
            continue;
        previous = place(axis, row->time);
        page_markup(page, "<line class=\"tick\" y1=\"2\" y2=\"22\"");
        put_percent(page, "x1", previous);
        put_percent(page, "x2", previous);
        page_markup(page, "/>");
    }
}

static void put_bar(struct page *page, const struct axis *axis, const struct json_value *cve)
{
    const bool vulnerable = value_is(cve, "exposure", "vulnerable");
    const bool doubtful = value_is(cve, "exposure", "indeterminate");
    int64_t from = axis->first, until = axis->last;

    value_time(cve, "from", &from);
    value_time(cve, "until", &until);
    page_markup(page, "<svg class=\"bar\" width=\"100%\" height=\"24\" aria-hidden=\"true\">");
    if (axis->has_logs)
        put_span(page, "logs", place(axis, axis->logs_first), place(axis, axis->logs_last));
    page_markup(page, "<line class=\"base\" x1=\"0\" x2=\"100%\" y1=\"12\" y2=\"12\"/>");
    if (vulnerable || doubtful || value_text(cve, "until"))
        put_span(page, doubtful ? "doubtful" : "open", place(axis, from), place(axis, until));
    put_ticks(page, axis, cve);
    page_markup(page, "</svg>");
}

static const char *outcome_label(const struct json_value *cve)
{
    static const struct {
        const char *name, *label;
    } labels[] = {
        {"succeeded", "Succeeded"},
        {"attempted", "Attempted"},
        {"failed", "Failed"},
        {"none_seen", "None seen"},
        {"not_determinable", "Cannot be determined"},
    };

    for (size_t i = 0; i < sizeof labels / sizeof *labels; i++)
        if (value_is(cve, "outcome", labels[i].name))
            return labels[i].label;
    return "Not judged";
}

static const char *exposure_label(const struct json_value *cve)
{
    static const struct {
        const char *name, *label;
    } labels[] = {
        {"vulnerable", "Vulnerable"},     {"fixed", "Fixed"},
        {"not_affected", "Not affected"}, {"indeterminate", "Sources disagree"},
        {"unknown", "Not known"},
    };

    for (size_t i = 0; i < sizeof labels / sizeof *labels; i++)
        if (value_is(cve, "exposure", labels[i].name))
            return labels[i].label;
    return "Not known";
}

/* "Vulnerable from 2020-11-07, no end known". */
static void put_exposure(struct page *page, const struct json_value *cve)
{
    page_put(page, "%t", exposure_label(cve));
    if (value_text(cve, "from"))
        page_put(page, " from %w", json_member(cve, "from"));
    if (value_text(cve, "until"))
        page_put(page, " until %w", json_member(cve, "until"));
    else if (value_is(cve, "exposure", "vulnerable"))
        page_markup(page, ", no end known");
}

static void put_cve(struct page *page, const struct axis *axis, const struct json_value *cve,
                    int64_t index)
{
    page_put(page,
             "<tr data-show=\"cves/%r\" data-count=\"%r\"><th scope=\"row\" class=\"name\">%v</th>"
             "<td class=\"outcome %v\"><b>%t</b></td><td class=\"bars\">",
             index, value_number(cve, "indicator_count", 0), json_member(cve, "cve"),
             json_member(cve, "outcome"), outcome_label(cve));
    put_bar(page, axis, cve);
    page_markup(page, "<p class=\"how\">");
    put_exposure(page, cve);
    page_put(page, "</p></td><td class=\"reason\"><p>%v.</p>", json_member(cve, "why"));
    if (value_text(cve, "timing_why"))
        page_put(page, "<p><b>%v.</b></p>", json_member(cve, "timing_why"));
    page_put(page, "<p class=\"how\">%v.</p></td></tr>\n", json_member(cve, "exposure_why"));
}

static void put_day(struct page *page, int64_t time)
{
    enum { DATE = 10 };
    char iso[INSTANT_TEXT_SIZE];

    instant_format(instant_from_unix(time / 1000000, 0), iso);
    iso[DATE] = 0;
    page_put(page, "%t", iso);
}

static bool is_telling(const struct json_value *cve)
{
    return !value_is(cve, "outcome", "none_seen") && !value_is(cve, "outcome", "not_determinable");
}

static bool has_telling(const struct page *page)
{
    const struct json_value *cve = value_list(page->findings, "cves");

    while (cve && !is_telling(cve))
        cve = cve->next;
    return cve;
}

/* Those of whose use something was seen, with their bars. */
static void put_telling(struct page *page, const struct axis *axis)
{
    const struct json_value *cve = value_list(page->findings, "cves");

    page_markup(page, "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\""
                      "Vulnerabilities\"><table class=\"cves\">\n<thead><tr><th scope=\"col\">"
                      "Vulnerability</th><th scope=\"col\">Attack</th><th scope=\"col\">"
                      "<span class=\"ends\"><span>");
    put_day(page, axis->first);
    page_markup(page, "</span><span>exposure</span><span>");
    put_day(page, axis->last);
    page_markup(page, "</span></span></th><th scope=\"col\">Why</th></tr></thead>\n<tbody>\n");
    for (int64_t index = 0; cve; cve = cve->next, index++)
        if (is_telling(cve))
            put_cve(page, axis, cve, index);
    page_markup(page,
                "</tbody></table></div>\n<p class=\"quiet\">Red: the time in which the server "
                "was vulnerable. Ticks: indicators.");
    if (axis->has_logs)
        page_markup(page, " Grey band: the time that logs tell of; outside of it nothing can be "
                          "seen of an attack.");
    page_markup(page, "</p>\n");
}

static void put_others(struct page *page)
{
    const struct json_value *cve = value_list(page->findings, "cves");
    int64_t count = 0;

    for (; cve; cve = cve->next)
        count += !is_telling(cve);
    if (!count)
        return;
    page_fold(page, false);
    page_put(page,
             "<summary>%n more, of whose use nothing was seen, or nothing can be "
             "told</summary>\n<div class=\"scroll\" tabindex=\"0\" role=\"region\" "
             "aria-label=\"Vulnerabilities without traces\"><table class=\"others\">\n<thead><tr>"
             "<th scope=\"col\">Vulnerability</th><th scope=\"col\">Attack</th><th scope=\"col\">"
             "Exposure</th><th scope=\"col\">Why</th></tr></thead>\n<tbody>\n",
             count);
    for (cve = value_list(page->findings, "cves"); cve; cve = cve->next) {
        if (is_telling(cve))
            continue;
        page_put(page, "<tr><th scope=\"row\" class=\"name\">%v</th><td>%t</td><td>",
                 json_member(cve, "cve"), outcome_label(cve));
        put_exposure(page, cve);
        page_put(page, "<br><span class=\"how\">%v</span></td><td>%v</td></tr>\n",
                 json_member(cve, "exposure_why"), json_member(cve, "why"));
    }
    page_markup(page, "</tbody></table></div>\n</details>\n");
}

static void put_left_behind(struct page *page, const struct json_value *update)
{
    const struct json_value *file = value_list(update, "files");

    if (!file)
        return;
    page_markup(page,
                "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Files that "
                "the update left behind\"><table>\n<caption>Files that the update left behind"
                "</caption>\n<thead><tr><th scope=\"col\">File</th><th scope=\"col\">Found"
                "</th><th scope=\"col\">Expected</th></tr></thead>\n<tbody>\n");
    for (; file; file = file->next)
        page_put(page, "<tr><th scope=\"row\" class=\"path\">%v</th><td>%v</td><td>%v</td></tr>\n",
                 json_member(file, "path"), json_member(file, "found"),
                 json_member(file, "expected"));
    page_markup(page, "</tbody></table></div>\n");
}

static void put_history(struct page *page)
{
    const struct json_value *event = value_list(json_member(page->findings, "exchange"), "history");

    if (!event)
        return;
    page_markup(page,
                "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"History of "
                "builds\"><table>\n<caption>History of builds</caption>\n<thead><tr>"
                "<th scope=\"col\">When (UTC)</th><th scope=\"col\">Build</th>"
                "<th scope=\"col\">What</th><th scope=\"col\">Source</th></tr></thead>\n"
                "<tbody>\n");
    for (; event; event = event->next)
        page_put(page, "<tr><td>%w</td><td>%v</td><td>%v</td><td class=\"path\">%v</td></tr>\n",
                 json_member(event, "time"), json_member(event, "build"),
                 json_member(event, "what"), json_member(event, "source"));
    page_markup(page, "</tbody></table></div>\n");
}

/* --- facts --- */

enum { FACTS_LISTED = 500 };

struct facts {
    struct page *page;
    int64_t count;
};

/* Volumes have a table of their own. */
static bool is_listed(const struct case_fact *row)
{
    return strcmp(row->kind, "log.volume") != 0;
}

static int count_fact(void *context, const struct case_fact *row)
{
    *(int64_t *)context += is_listed(row);
    return 0;
}

static int put_fact(void *context, const struct case_fact *row)
{
    struct facts *facts = context;
    char iso[INSTANT_TEXT_SIZE] = "";
    const int64_t seconds = row->timestamp / 1000000, rest = row->timestamp % 1000000;

    if (!is_listed(row) || facts->count++ >= FACTS_LISTED)
        return 0;
    if (row->dated)
        instant_format(instant_from_unix(seconds, rest * 1000), iso);
    const struct json_value time = {.type = JSON_STRING, .text = slice_of_text(iso)};
    page_put(facts->page,
             "<tr><td>%w</td><td>%t</td><td class=\"path\">%t</td><td class=\"number\">%n</td>"
             "</tr>\n",
             &time, row->message, row->path, row->offset);
    return facts->page->failure;
}

/* What was kept though no rule matches it: versions, settings, steps of setup. */
static void put_facts(struct page *page)
{
    struct facts facts = {.page = page};
    int64_t count = 0;

    if (case_each_fact(page->source, count_fact, &count) < 0)
        page->failure = -1;
    if (!count)
        return;
    page_fold(page, false);
    page_put(
        page,
        "<summary>%n facts of versions, updates and settings that the verdict could use"
        "</summary>\n<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Facts\">"
        "<table>\n<thead><tr><th scope=\"col\">When (UTC)</th><th scope=\"col\">What</th>"
        "<th scope=\"col\">Where</th><th scope=\"col\" class=\"number\">Byte</th></tr></thead>"
        "\n<tbody>\n",
        count);
    if (case_each_fact(page->source, put_fact, &facts) < 0)
        page->failure = -1;
    page_markup(page, "</tbody></table></div>\n");
    if (count > FACTS_LISTED)
        page_put(page, "<p class=\"quiet\">The first %n are listed; all are in case.db.</p>\n",
                 (int64_t)FACTS_LISTED);
    page_markup(page, "</details>\n");
}

void html_exposure(struct page *page)
{
    const struct axis axis = find_axis(page);
    const struct json_value *update = json_member(page->findings, "update");

    page_markup(page, "<section id=\"exposure\" aria-labelledby=\"exposure-title\">\n"
                      "<h2 id=\"exposure-title\">Vulnerabilities and updates</h2>\n");
    if (has_telling(page))
        put_telling(page, &axis);
    else
        page_markup(page, "<p>No attack on a known vulnerability was seen.</p>\n");
    put_others(page);
    page_put(page,
             "<h3>State of updates</h3>\n<p class=\"begins\">%v.</p>\n<dl "
             "class=\"pairs\"><dt>Installed by its "
             "binaries</dt><dd>%v</dd><dt>Claimed by registry and setup</dt><dd>%v</dd>"
             "<dt>Files compared</dt><dd>%n</dd></dl>\n",
             json_member(update, "why"), json_member(update, "found"),
             json_member(update, "claimed"), value_number(update, "files_compared", 0));
    put_left_behind(page, update);
    put_history(page);
    html_mitigations(page);
    put_facts(page);
    page_markup(page, "</section>\n");
}
