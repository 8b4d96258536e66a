/* The evidence, what the host says of itself, and how the report was made. */
#include "triage/report/html_page.h"

static void put_pair(struct page *page, const char *name, const struct json_value *value)
{
    if (value && value->type != JSON_NULL && value->text.size)
        page_put(page, "<dt>%t</dt><dd>%v</dd>\n", name, value);
}

/* "acquiry_software_version" as "acquiry software version". */
static void put_named(struct page *page, const struct json_value *member)
{
    page_markup(page, "<dt>");
    for (size_t i = 0; i < member->name.size; i++) {
        const char c = (char)member->name.data[i];
        html_escape(&page->out, slice_of(c == '_' ? " " : &c, 1));
    }
    page_put(page, "</dt><dd>%v</dd>\n", member);
}

static void put_bytes(struct page *page, const char *name, int64_t size)
{
    if (size >= 0)
        page_put(page, "<dt>%t</dt><dd>%n bytes</dd>\n", name, size);
}

static void put_volumes(struct page *page, const struct json_value *item)
{
    const struct json_value *volume = value_list(item, "volumes");

    if (!volume)
        return;
    page_markup(page, "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Volumes\">"
                      "<table>\n<thead><tr><th scope=\"col\" class=\"number\">Volume</th>"
                      "<th scope=\"col\">Partition</th><th scope=\"col\">File system</th>"
                      "<th scope=\"col\">Label</th><th scope=\"col\">Serial</th><th scope=\"col\" "
                      "class=\"number\">Offset</th><th scope=\"col\" class=\"number\">Bytes</th>"
                      "<th scope=\"col\">Notes</th></tr></thead>\n<tbody>\n");
    for (; volume; volume = volume->next) {
        const char *problem = value_text(volume, "problem"), *notice = value_text(volume, "notice");
        page_put(page,
                 "<tr><td class=\"number\">%n</td><td>%v</td><td>%v</td><td>%v</td>"
                 "<td class=\"hash\">%v</td><td class=\"number\">%n</td>"
                 "<td class=\"number\">%n</td><td>%t</td></tr>\n",
                 value_number(volume, "index", 0), json_member(volume, "partition"),
                 json_member(volume, "file_system"), json_member(volume, "label"),
                 json_member(volume, "serial"), value_number(volume, "offset", 0),
                 value_number(volume, "size", 0),
                 problem  ? problem
                 : notice ? notice
                          : "");
    }
    page_markup(page, "</tbody></table></div>\n");
}

/* Byte ranges that could not be read, of the evidence of that name. */
static void put_damage(struct page *page, const char *name)
{
    const struct json_value *entry = page->damage ? page->damage->first : NULL;

    while (entry && !(name && value_is(entry, "evidence", name)))
        entry = entry->next;
    const struct json_value *range = value_list(entry, "ranges");
    page_put(page, "<dt>Damaged ranges</dt><dd>%n</dd>\n</dl>\n", (int64_t)value_count(range));
    if (!range)
        return;
    page_markup(page,
                "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Damaged "
                "ranges\"><table>\n<thead><tr><th scope=\"col\" class=\"number\">From byte</th>"
                "<th scope=\"col\" class=\"number\">Bytes</th><th scope=\"col\">Why</th></tr>"
                "</thead>\n<tbody>\n");
    for (; range; range = range->next)
        page_put(page,
                 "<tr><td class=\"number\">%n</td><td class=\"number\">%n</td><td>%v</td></tr>\n",
                 value_number(range, "offset", 0), value_number(range, "size", 0),
                 json_member(range, "why"));
    page_markup(page, "</tbody></table></div>\n");
}

/* What --verify computed, from the document "run". */
static void put_verified(struct page *page, const char *name)
{
    const struct json_value *entry = value_list(page->run, "evidence");

    while (entry && !(name && value_is(entry, "name", name)))
        entry = entry->next;
    const struct json_value *verified = json_member(entry, "verification");
    if (!verified || verified->type != JSON_OBJECT) {
        page_markup(page, "<dt>Computed hashes</dt><dd>not computed: the run was made without "
                          "--verify</dd>\n");
        return;
    }
    page_put(page,
             "<dt>Computed MD5</dt><dd class=\"hash\">%v</dd>\n<dt>Computed SHA-1</dt>"
             "<dd class=\"hash\">%v</dd>\n<dt>Computed SHA-256</dt><dd class=\"hash\">%v</dd>\n"
             "<dt>Stored and computed</dt><dd><b>%t</b></dd>\n",
             json_member(verified, "md5"), json_member(verified, "sha1"),
             json_member(verified, "sha256"),
             value_true(verified, "hash_differs") ? "DIFFER: the evidence is not what was acquired"
             : value_text(verified, "stored_md5") || value_text(verified, "stored_sha1")
                 ? "agree"
                 : "nothing is stored to compare with");
}

static void put_item(struct page *page, const struct json_value *item)
{
    const struct json_value *segment = value_list(item, "segments");
    const struct json_value *metadata = json_member(item, "metadata");

    page_put(page, "<article>\n<h3>%v</h3>\n<dl class=\"pairs\">\n", json_member(item, "name"));
    put_pair(page, "Kind", json_member(item, "shape"));
    put_pair(page, "Format", json_member(item, "format"));
    put_bytes(page, "Size", value_number(item, "size", -1));
    if (segment)
        page_put(page, "<dt>Segments</dt><dd>%n", (int64_t)value_count(segment));
    for (const char *front = ": "; segment; segment = segment->next, front = ", ") {
        page_put(page, "%t%v", front, segment);
        if (!segment->next)
            page_markup(page, "</dd>\n");
    }
    for (const struct json_value *member = metadata ? metadata->first : NULL; member;
         member = member->next)
        put_named(page, member);
    put_pair(page, "Stored MD5", json_member(item, "stored_md5"));
    put_pair(page, "Stored SHA-1", json_member(item, "stored_sha1"));
    put_verified(page, value_text(item, "name"));
    put_damage(page, value_text(item, "name"));
    put_volumes(page, item);
    page_markup(page, "</article>\n");
}

void html_evidence(struct page *page)
{
    const struct json_value *item = value_list(page->host, "evidence");

    page_markup(page, "<section id=\"evidence\" aria-labelledby=\"evidence-title\">\n"
                      "<h2 id=\"evidence-title\">Evidence</h2>\n");
    if (!item)
        page_markup(page, "<p>The case names no evidence.</p>\n");
    for (; item; item = item->next)
        put_item(page, item);
    page_markup(page, "</section>\n");
}

/* --- host --- */

enum { DEPTH = 12, MOST_NAMES = 3 };

/* The names on the way to a fact: "exchange, roles, MailboxRole". */
struct way {
    const struct json_value *steps[DEPTH];
    size_t count;
};

static void put_way(struct page *page, const struct way *way)
{
    bool first = true;

    for (size_t i = 0; i < way->count; i++) {
        const struct json_value *step = way->steps[i];
        const struct json_value *name = json_member(step, "name");
        name = name ? name : json_member(step, "letter");
        if (step->name.size) {
            page_put(page, first ? "%t" : ", %t", (const char *)step->name.data);
            first = false;
        }
        if (name) {
            page_put(page, first ? "%v" : ", %v", name);
            first = false;
        }
    }
}

/* Every object with a value and its source, however deep. */
static void put_facts(struct page *page, struct way *way, const struct json_value *value)
{
    if (way->count >= DEPTH || value->type < JSON_ARRAY || slice_is(value->name, "evidence"))
        return;
    way->steps[way->count++] = value;
    if (value_text(value, "value") && value_text(value, "source")) {
        page_markup(page, "<tr><th scope=\"row\">");
        put_way(page, way);
        if (value_text(value, "application"))
            page_put(page, " %v", json_member(value, "application"));
        page_put(page, "</th><td class=\"path\">%v</td><td class=\"path\">%v</td></tr>\n",
                 json_member(value, "value"), json_member(value, "source"));
    }
    for (const struct json_value *member = value->first; member; member = member->next)
        put_facts(page, way, member);
    way->count--;
}

void html_host(struct page *page)
{
    page_markup(page, "<section id=\"host\" aria-labelledby=\"host-title\">\n"
                      "<h2 id=\"host-title\">Host</h2>\n");
    if (page->host) {
        const struct json_value *notice = value_list(page->host, "notices");
        struct way way = {.count = 0};
        for (; notice; notice = notice->next)
            page_put(page, "<p>%v</p>\n", notice);
        page_fold(page, false);
        page_markup(page,
                    "<summary>What the host says of itself, each value with where "
                    "it was read</summary>\n<div class=\"scroll\" tabindex=\"0\" role=\"region\" "
                    "aria-label=\"Host\"><table>\n<thead><tr><th scope=\"col\">Fact</th>"
                    "<th scope=\"col\">Value</th><th scope=\"col\">Source</th></tr></thead>\n"
                    "<tbody>\n");
        for (const struct json_value *member = page->host->first; member; member = member->next)
            put_facts(page, &way, member);
        page_markup(page, "</tbody></table></div>\n</details>\n");
    }
    page_markup(page, "</section>\n");
}

/* --- method --- */

struct rule_counts {
    struct page *page;
    int64_t active, idle;
};

static int count_rule(void *context, const struct case_rule *row)
{
    struct rule_counts *counts = context;

    counts->active += strcmp(row->state, "active") == 0;
    counts->idle += strcmp(row->state, "active") != 0;
    return 0;
}

static int put_idle_rule(void *context, const struct case_rule *row)
{
    struct rule_counts *counts = context;

    if (strcmp(row->state, "active") != 0)
        page_put(counts->page,
                 "<tr><th scope=\"row\">%t</th><td>%t</td><td>%t</td><td class=\"path\">%t"
                 "</td></tr>\n",
                 row->name, row->state, row->reason, row->path);
    return 0;
}

static void put_rules(struct page *page)
{
    struct rule_counts counts = {.page = page};

    if (case_each_rule(page->source, count_rule, &counts) < 0)
        page->failure = -1;
    page_put(page,
             "<h3>Rules</h3>\n<p>%n rules were active, %n were not. The rule of each indicator, "
             "with its author, file and SHA-256, stands with the indicator; all of them are in "
             "<code>run.json</code>.</p>\n",
             counts.active, counts.idle);
    if (!counts.idle)
        return;
    page_fold(page, false);
    page_markup(page,
                "<summary>Rules that were not active</summary>\n<div class=\"scroll\" "
                "tabindex=\"0\" role=\"region\" aria-label=\"Rules that were not active\"><table>\n"
                "<thead><tr><th scope=\"col\">Rule</th><th scope=\"col\">State</th>"
                "<th scope=\"col\">Why</th><th scope=\"col\">File</th></tr></thead>\n<tbody>\n");
    if (case_each_rule(page->source, put_idle_rule, &counts) < 0)
        page->failure = -1;
    page_markup(page, "</tbody></table></div>\n</details>\n");
}

static void put_run(struct page *page)
{
    page_put(page, "<dl class=\"pairs\">\n<dt>Program</dt><dd>extriage %t</dd>\n",
             value_text(page->run, "version") ? value_text(page->run, "version") : PACKAGE_VERSION);
    put_pair(page, "Case number", json_member(page->run, "case_number"));
    put_pair(page, "Evidence number", json_member(page->run, "evidence_number"));
    put_pair(page, "Examiner", json_member(page->run, "examiner"));
    if (value_number(page->run, "clock_skew_seconds", 0))
        page_put(page, "<dt>Clock skew corrected</dt><dd>%n s</dd>\n",
                 value_number(page->run, "clock_skew_seconds", 0));
    page_markup(page, "</dl>\n");
}

void html_method(struct page *page)
{
    page_markup(
        page,
        "<section id=\"method\" aria-labelledby=\"method-title\">\n"
        "<h2 id=\"method-title\">Method and limits</h2>\n"
        "<p>The evidence was opened read-only. A survey read what the image says of itself; from "
        "that the files to read were chosen. Each file was parsed record by record in processes "
        "without network and without access to other files. Rules (Sigma and YARA) turned records "
        "and contents into indicators. Indicators that belong to one attack, by request, address, "
        "file and time, were joined into incidents, and each incident was judged by how far it "
        "got and by how many independent sources show it.</p>\n"
        "<ul>\n<li>An indicator is a trace, no proof by itself. The verdict says \"confirmed\" "
        "only "
        "where at least two independent sources agree.</li>\n"
        "<li>Logs have gaps and are kept for a limited time. \"None seen\" speaks only of the days "
        "that the coverage map shows.</li>\n"
        "<li>Mailbox databases (.edb) and the contents of PST files are never opened.</li>\n"
        "<li>Times come from the records themselves; a clock that was wrong makes them wrong. The "
        "basis of each time stands with its indicator. Records without a time are kept "
        "apart.</li>\n"
        "<li>Characters of the evidence that cannot be seen, or turn the direction of reading, "
        "are shown as escapes such as <code>\\u{202e}</code>.</li>\n"
        "<li>When and with which arguments the run was made is in <code>run.json</code>; the "
        "hashes "
        "of all outputs are in <code>SHA256SUMS</code>.</li>\n</ul>\n");
    put_run(page);
    put_rules(page);
    page_markup(page, "</section>\n");
}
