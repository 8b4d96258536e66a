#include "triage/report/html_page.h"

static const char *status_label(const struct json_value *taken)
{
    return value_is(taken, "status", "confirmed") ? "left the server"
           : value_is(taken, "status", "likely")  ? "probably left the server"
                                                  : "made ready";
}

static void put_taken(struct page *page)
{
    const struct json_value *taken = value_list(page->findings, "taken");

    page_markup(page, "<h3>What was taken</h3>\n");
    if (!taken) {
        page_markup(page, "<p>No trace of data that left the server was found in what could be "
                          "read.</p>\n");
        return;
    }
    page_markup(page, "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"What was "
                      "taken\"><table>\n<thead><tr><th scope=\"col\">What</th><th scope=\"col\">"
                      "Status</th><th scope=\"col\">How</th><th scope=\"col\">By</th>"
                      "<th scope=\"col\">When (UTC)</th><th scope=\"col\" class=\"number\">Bytes"
                      "</th></tr></thead>\n<tbody>\n");
    for (int64_t i = 0; taken; taken = taken->next, i++) {
        page_put(page,
                 "<tr data-show=\"taken/%r\" data-count=\"%r\"><th scope=\"row\" class=\"path\">"
                 "%v</th><td><b>%t</b></td><td>%v</td><td>%v</td><td>%w</td>",
                 i, value_number(taken, "indicator_count", 0), json_member(taken, "what"),
                 status_label(taken), json_member(taken, "how"), json_member(taken, "by"),
                 json_member(taken, "time"));
        if (value_number(taken, "size", -1) >= 0)
            page_put(page, "<td class=\"number\">%n</td></tr>\n", value_number(taken, "size", 0));
        else
            page_markup(page, "<td class=\"number\">not known</td></tr>\n");
    }
    page_markup(page, "</tbody></table></div>\n");
}

static void put_remnants(struct page *page, const char *name, const char *title, const char *none)
{
    const struct json_value *remnant = value_list(page->findings, name);

    page_put(page, "<h3>%t</h3>\n", title);
    if (!remnant) {
        page_put(page, "<p>%t</p>\n", none);
        return;
    }
    page_put(page,
             "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"%t\"><table>\n"
             "<thead><tr><th scope=\"col\">What</th><th scope=\"col\">How it is known</th>"
             "<th scope=\"col\">Rule</th><th scope=\"col\">When (UTC)</th></tr></thead>\n"
             "<tbody>\n",
             title);
    for (int64_t i = 0; remnant; remnant = remnant->next, i++)
        page_put(page,
                 "<tr data-show=\"%t/%r\" data-count=\"%r\"><th scope=\"row\" class=\"path\">%v"
                 "</th><td>%v</td><td>%v</td><td>%w</td></tr>\n",
                 name, i, value_number(remnant, "indicator_count", 0), json_member(remnant, "what"),
                 json_member(remnant, "how"), json_member(remnant, "rule"),
                 json_member(remnant, "time"));
    page_markup(page, "</tbody></table></div>\n");
}

void html_taken(struct page *page)
{
    page_markup(page, "<section id=\"taken\" aria-labelledby=\"taken-title\">\n"
                      "<h2 id=\"taken-title\">Taken, and left behind</h2>\n");
    put_taken(page);
    html_destroyed(page);
    html_moved(page);
    put_remnants(page, "accounts", "Accounts",
                 "No account that the intruder made or changed was found.");
    put_remnants(page, "persistence", "Ways back in",
                 "No service, task, module or other way back in was found beside the files of the "
                 "incidents above.");
    page_markup(page, "</section>\n");
}
