/* What stood between the server and attacks beside updates: mitigations over time, settings. */
#include "triage/report/html_page.h"

static const char *label_of(const struct json_value *value, const char *name)
{
    static const struct {
        const char *name, *label;
    } labels[] = {
        {"in_place", "in place"},
        {"removed", "gone"},
        {"disabled", "switched off"},
        {"failed", "could not be applied"},
        {"rewrite_rule", "rewrite rule of IIS"},
        {"emergency_service", "emergency mitigation service"},
        {"tool", "Microsoft's mitigation tool"},
        {"on", "on"},
        {"off", "off"},
        {"partly", "on in part"},
    };

    for (size_t i = 0; i < sizeof labels / sizeof *labels; i++)
        if (value_is(value, name, labels[i].name))
            return labels[i].label;
    return "not known";
}

static void put_end(struct page *page, const struct json_value *span, const char *time,
                    const char *bound, const char *how)
{
    const bool known = value_text(span, time) != NULL;

    page_markup(page, "<td>");
    if (known)
        page_put(page, "%w%t", json_member(span, time),
                 value_is(span, bound, "at_the_latest") ? " at the latest" : "");
    else if (strcmp(time, "until") == 0 && value_true(span, "in_place"))
        page_markup(page, "still in place");
    else
        page_markup(page, "not known");
    if (value_text(span, how))
        page_put(page, "<br><span class=\"how\">%v</span>", json_member(span, how));
    page_markup(page, "</td>");
}

static void put_cves(struct page *page, const struct json_value *mitigation)
{
    const struct json_value *cve = value_list(mitigation, "cves");

    page_markup(page, cve ? "<td>" : "<td>not known");
    for (const char *front = ""; cve; cve = cve->next, front = ", ")
        page_put(page, "%t%v", front, cve);
    page_markup(page, "</td>");
}

static void put_mitigation(struct page *page, const struct json_value *mitigation)
{
    const struct json_value *span = value_list(mitigation, "spans");
    bool first = true;

    do {
        page_put(page, "<tr><th scope=\"row\">%v<br><span class=\"how\">%t, %t</span></th>",
                 json_member(mitigation, "name"), label_of(mitigation, "kind"),
                 label_of(mitigation, "state"));
        put_cves(page, mitigation);
        if (span) {
            put_end(page, span, "from", "from_bound", "from_how");
            put_end(page, span, "until", "until_bound", "until_how");
        } else {
            page_markup(page, "<td>never</td><td></td>");
        }
        page_put(page, "<td class=\"path\">%t</td></tr>\n",
                 first ? value_text(mitigation, "source") : "as above");
        span = span ? span->next : NULL;
        first = false;
    } while (span);
}

static void put_gaps(struct page *page)
{
    const struct json_value *gap = value_list(page->findings, "mitigation_gaps");

    if (!gap)
        return;
    page_markup(page, "<p><b>The server was open again when a mitigation went before the fix "
                      "came:</b></p>\n<ul>\n");
    for (; gap; gap = gap->next) {
        page_put(page, "<li>%v, from %w ", json_member(gap, "cve"), json_member(gap, "from"));
        if (value_text(gap, "until"))
            page_put(page, "until %w: ", json_member(gap, "until"));
        else
            page_markup(page, "to the end: ");
        page_put(page, "%v.</li>\n", json_member(gap, "why"));
    }
    page_markup(page, "</ul>\n");
}

static void put_mitigations(struct page *page)
{
    const struct json_value *mitigation = value_list(page->findings, "mitigations");

    page_markup(page, "<h3>Mitigations</h3>\n");
    if (!mitigation) {
        page_markup(page, "<p>No rewrite rule or other mitigation of Microsoft's was found in what "
                          "could be read.</p>\n");
        return;
    }
    page_markup(page,
                "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Mitigations\">"
                "<table>\n<thead><tr><th scope=\"col\">Mitigation</th><th scope=\"col\">Against"
                "</th><th scope=\"col\">From (UTC)</th><th scope=\"col\">Until (UTC)</th>"
                "<th scope=\"col\">Source</th></tr></thead>\n<tbody>\n");
    for (; mitigation; mitigation = mitigation->next)
        put_mitigation(page, mitigation);
    page_markup(page, "</tbody></table></div>\n");
    put_gaps(page);
}

static void put_settings(struct page *page)
{
    const struct json_value *setting = value_list(page->findings, "configuration");

    while (setting && !value_list(setting, "cves")) /* nothing depends on it in this version */
        setting = setting->next;
    if (!setting)
        return;
    page_markup(page, "<h3>Settings that vulnerabilities depend on</h3>\n<dl class=\"pairs\">");
    for (; setting; setting = setting->next)
        page_put(page, "<dt>%v</dt><dd><b>%t</b>: %v.</dd>", json_member(setting, "setting"),
                 label_of(setting, "state"), json_member(setting, "why"));
    page_markup(page, "</dl>\n");
}

/* That the server is tied to Exchange Online explains requests that would look odd without it. */
static void put_hybrid(struct page *page)
{
    const struct json_value *hybrid = json_member(page->findings, "hybrid");
    const struct json_value *trace = value_list(hybrid, "traces"),
                            *client = value_list(hybrid, "clients");

    if (!trace && !client)
        return;
    page_markup(page,
                "<h3>Exchange Online</h3>\n<p>The server is tied to Exchange Online: what "
                "comes from there reads and moves mailboxes as a matter of course.</p>\n<ul>\n");
    for (; trace; trace = trace->next)
        page_put(page, "<li>%w: %v <span class=\"path\">%v</span></li>\n",
                 json_member(trace, "time"), json_member(trace, "what"),
                 json_member(trace, "object"));
    for (; client; client = client->next)
        page_put(page, "<li><span class=\"path\">%v</span> (%v): %n records in %v</li>\n",
                 json_member(client, "address"), json_member(client, "network"),
                 value_number(client, "lines", 0), json_member(client, "artifact"));
    page_markup(page, "</ul>\n");
}

void html_mitigations(struct page *page)
{
    put_mitigations(page);
    put_hybrid(page);
    put_settings(page);
}
