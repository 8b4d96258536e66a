/* How much was moved, by whom, by the logs that count bytes; what was destroyed. */
#include "triage/report/html_page.h"

#include <string.h>

static const char *title_of(const struct json_value *volume)
{
    static const struct {
        const char *artifact, *title;
    } titles[] = {
        {"exchange_httpproxy", "HttpProxy logs (every request of a client)"},
        {"iis_log", "IIS logs (front end and back end: each answer counts twice)"},
        {"exchange_ews", "Exchange Web Services logs"},
        {"exchange_message_tracking", "Message tracking (mail that was sent to other servers)"},
        {"exchange_mail_access", "IMAP and POP logs"},
        {"srum", "Resource monitor (programs)"},
    };

    for (size_t i = 0; i < sizeof titles / sizeof *titles; i++)
        if (value_is(volume, "artifact", titles[i].artifact))
            return titles[i].title;
    return value_text(volume, "artifact");
}

static void put_row(struct page *page, const struct json_value *row)
{
    page_put(page, "<tr><th scope=\"row\" class=\"path\">%t",
             value_text(row, "name") ? value_text(row, "name") : "all others");
    if (value_true(row, "intruder"))
        page_markup(page, " <span class=\"level critical\">intruder</span>");
    page_put(page, "</th><td class=\"number\">%n</td><td class=\"number\">%n</td>",
             value_number(row, "sent", 0), value_number(row, "sent_during_intrusion", 0));
    page_put(page, "<td class=\"number\">%n</td><td class=\"number\">%n</td><td>",
             value_number(row, "received", 0), value_number(row, "lines", 0));
    if (value_number(row, "times_usual", 0))
        page_put(page, "<b>%n times</b> as much a day as on other days",
                 value_number(row, "times_usual", 0));
    page_markup(page, "</td></tr>\n");
}

static void put_list(struct page *page, const struct json_value *volume, const char *key,
                     const char *title)
{
    const struct json_value *row = value_list(volume, key);

    if (!row)
        return;
    page_put(page,
             "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"%t, %t\"><table>\n"
             "<thead><tr><th scope=\"col\">%t</th><th scope=\"col\" class=\"number\">Bytes sent"
             "</th><th scope=\"col\" class=\"number\">during the intrusion</th><th scope=\"col\" "
             "class=\"number\">Bytes received</th><th scope=\"col\" class=\"number\">Records</th>"
             "<th scope=\"col\">Against other days</th></tr></thead>\n<tbody>\n",
             title_of(volume), title, title);
    for (; row; row = row->next)
        put_row(page, row);
    page_markup(page, "</tbody></table></div>\n");
}

static void put_volume(struct page *page, const struct json_value *volume)
{
    page_fold(page, false);
    page_put(page, "<summary>%t: %n bytes sent</summary>\n", title_of(volume),
             value_number(json_member(volume, "all"), "sent", 0));
    if (value_number(volume, "days_during_intrusion", 0))
        page_put(page,
                 "<p class=\"quiet\">Files of %n days tell of the time of the intrusion, files of "
                 "%n days of other times.</p>\n",
                 value_number(volume, "days_during_intrusion", 0),
                 value_number(volume, "days_other", 0));
    put_list(page, volume, "clients", "Client");
    put_list(page, volume, "users", "User");
    put_list(page, volume, "programs", "Program");
    page_markup(page, "</details>\n");
}

void html_moved(struct page *page)
{
    const struct json_value *volume = value_list(page->findings, "volumes");

    page_markup(page, "<h3>How much was moved</h3>\n");
    if (!volume) {
        page_markup(page, "<p>No log that could be read counts bytes.</p>\n");
        return;
    }
    page_markup(page, "<p class=\"quiet\">Sums over every record of the logs that count bytes, as "
                      "sent by the server. They tell how much at the most can have left by that "
                      "way, not what it was.</p>\n");
    for (; volume; volume = volume->next)
        put_volume(page, volume);
}

void html_destroyed(struct page *page)
{
    const struct json_value *entry = value_list(page->findings, "destroyed");

    if (!entry)
        return;
    page_markup(page,
                "<h3>What was encrypted or destroyed</h3>\n<div class=\"scroll\" tabindex=\"0\" "
                "role=\"region\" aria-label=\"What was encrypted or destroyed\"><table>\n<thead>"
                "<tr><th scope=\"col\">First object</th><th scope=\"col\">How it is known</th>"
                "<th scope=\"col\">Rule</th><th scope=\"col\">First (UTC)</th><th scope=\"col\">"
                "Last</th><th scope=\"col\" class=\"number\">Indicators</th></tr></thead>\n"
                "<tbody>\n");
    for (int64_t i = 0; entry; entry = entry->next, i++)
        page_put(page,
                 "<tr data-show=\"destroyed/%r\" data-count=\"%r\"><th scope=\"row\" "
                 "class=\"path\">%v</th><td>%v</td><td>%v</td><td>%w</td><td>%w</td>"
                 "<td class=\"number\">%n</td></tr>\n",
                 i, value_number(entry, "indicator_count", 0), json_member(entry, "what"),
                 json_member(entry, "how"), json_member(entry, "rule"), json_member(entry, "first"),
                 json_member(entry, "last"), value_number(entry, "indicator_count", 0));
    page_markup(page, "</tbody></table></div>\n");
}
