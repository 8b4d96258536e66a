/* Each incident: its chain as a picture (one lane per actor, one line per step), who took part, and
 * the files. */
#include "triage/report/html_page.h"

enum { MOST_LANES = 6, LANE_WIDTH = 14, NODE_Y = 20, MOST_SOURCES = 4 };

/* Lane 0 is what the server itself did; then the actors in their order; the last is for all
 * others when there are more than fit. */
struct lanes {
    const char *actors[MOST_LANES];
    size_t count;                                       /* with lane 0 */
    size_t first[MOST_LANES + 1], last[MOST_LANES + 1]; /* steps where it is seen */
};

static size_t lane_of(const struct lanes *lanes, const char *actor)
{
    if (!actor)
        return 0;
    for (size_t i = 1; i < lanes->count; i++)
        if (strcmp(lanes->actors[i - 1], actor) == 0)
            return i;
    return lanes->count;
}

static struct lanes find_lanes(const struct json_value *steps)
{
    struct lanes lanes = {.count = 1};
    size_t at = 0;

    for (size_t i = 0; i <= MOST_LANES; i++)
        lanes.first[i] = SIZE_MAX;
    for (const struct json_value *step = steps; step; step = step->next, at++) {
        const char *actor = value_text(step, "actor");
        size_t lane = lane_of(&lanes, actor);
        if (actor && lane == lanes.count && lanes.count < MOST_LANES)
            lanes.actors[lanes.count++ - 1] = actor;
        lane = lane_of(&lanes, actor);
        if (lanes.first[lane] == SIZE_MAX)
            lanes.first[lane] = at;
        lanes.last[lane] = at;
    }
    return lanes;
}

static int64_t lane_x(size_t lane)
{
    return (int64_t)lane * LANE_WIDTH + LANE_WIDTH / 2;
}

/* The lines that pass by, or begin or end here. */
static void put_lines(struct page *page, const struct lanes *lanes, size_t at)
{
    for (size_t lane = 0; lane <= lanes->count && lane <= MOST_LANES; lane++) {
        if (lanes->first[lane] == SIZE_MAX || at < lanes->first[lane] || at > lanes->last[lane] ||
            lanes->first[lane] == lanes->last[lane])
            continue;
        page_put(page, "<line class=\"lane-%r\" x1=\"%r\" x2=\"%r\" y1=\"%r\" y2=\"", (int64_t)lane,
                 lane_x(lane), lane_x(lane), (int64_t)(at == lanes->first[lane] ? NODE_Y : 0));
        if (at == lanes->last[lane])
            page_put(page, "%r\"/>", (int64_t)NODE_Y);
        else
            page_markup(page, "100%\"/>");
    }
}

static void put_node(struct page *page, size_t lane, const char *level)
{
    const bool grave = level && (strcmp(level, "critical") == 0 || strcmp(level, "high") == 0);

    page_put(page, "<circle class=\"lane-%r%t\" cx=\"%r\" cy=\"%r\" r=\"%r\"/>", (int64_t)lane,
             grave ? " grave" : "", lane_x(lane), (int64_t)NODE_Y, (int64_t)(grave ? 6 : 4));
}

/* Artifacts that show a step, each once. */
static void put_sources(struct page *page, const struct json_value *step)
{
    const struct json_value *number = value_list(step, "indicators");
    const char *seen[MOST_SOURCES];
    size_t count = 0;

    for (; number && count < MOST_SOURCES; number = number->next) {
        uint64_t value;
        const struct row *row =
            slice_to_u64(number->text, &value) ? rows_at(&page->rows, (int64_t)value) : NULL;
        bool known = !row;
        for (size_t i = 0; i < count && !known; i++)
            known = strcmp(seen[i], row->artifact) == 0;
        if (!known) {
            page_put(page, count ? ", %t" : " \xC2\xB7 seen in %t", row->artifact);
            seen[count++] = row->artifact;
        }
    }
}

static bool is_same_day(const char *a, const char *b)
{
    enum { DATE = 10 };

    return strncmp(a, b, DATE) == 0;
}

/* "2021-03-03 04:37:12 - 04:37:36". */
static void put_step_time(struct page *page, const struct json_value *step)
{
    const char *from = value_text(step, "time"), *until = value_text(step, "until");

    page_put(page, "<p class=\"when\">%w", json_member(step, "time"));
    if (from && until && strcmp(from, until) != 0)
        page_put(page, is_same_day(from, until) ? " \xE2\x80\x93 %h" : " \xE2\x80\x93 %w",
                 json_member(step, "until"));
    page_markup(page, "</p>\n");
}

static void put_objects(struct page *page, const struct json_value *step)
{
    const struct json_value *object = value_list(step, "objects");
    const int64_t listed = (int64_t)value_count(object),
                  all = value_number(step, "object_count", listed);

    for (; object; object = object->next)
        page_put(page, "<p class=\"object path\">%v</p>\n", object);
    if (all > listed)
        page_put(page, "<p class=\"object\">and %n more</p>\n", all - listed);
}

/* What weaker indicators say of the same request or file. */
static void put_others(struct page *page, const struct json_value *step)
{
    const struct json_value *other = value_list(step, "also");

    if (!other)
        return;
    page_markup(page, "<p class=\"also\">Also: ");
    for (const char *front = ""; other; other = other->next, front = "; ")
        page_put(page, "%t%v", front, other);
    page_markup(page, "</p>\n");
}

static void put_step_text(struct page *page, const struct json_value *step)
{
    const int64_t count = value_number(step, "indicator_count", 0);

    put_step_time(page, step);
    page_put(page, "<p class=\"what\">%t%v <span class=\"level %v\">%v</span></p>\n",
             value_true(step, "tried") ? "Tried, not seen to succeed: " : "",
             json_member(step, "what"), json_member(step, "level"), json_member(step, "level"));
    put_objects(page, step);
    put_others(page, step);
    page_markup(page, "<p class=\"how\">");
    if (value_text(step, "actor"))
        page_put(page, "by %v \xC2\xB7 ", json_member(step, "actor"));
    page_put(page, "<span class=\"count\">%n indicator%t</span>", count, count == 1 ? "" : "s");
    put_sources(page, step);
    page_markup(page, "</p>");
}

static void put_chain(struct page *page, const struct json_value *incident, int64_t index)
{
    const struct json_value *step = value_list(incident, "steps");
    const struct lanes lanes = find_lanes(step);
    const size_t width = lanes.count + (lanes.first[lanes.count] != SIZE_MAX);
    const int64_t listed = (int64_t)value_count(step);

    page_put(page, "<h4>Chain</h4>\n<ol class=\"chain lanes-%r\">\n", (int64_t)width);
    for (size_t at = 0; step; step = step->next, at++) {
        page_put(page,
                 "<li data-show=\"incidents/%r/steps/%r\" data-count=\"%r\">"
                 "<svg class=\"lanes\" width=\"%r\" aria-hidden=\"true\">",
                 index, (int64_t)at, value_number(step, "indicator_count", 0),
                 (int64_t)width * LANE_WIDTH);
        put_lines(page, &lanes, at);
        put_node(page, lane_of(&lanes, value_text(step, "actor")), value_text(step, "level"));
        page_markup(page, "</svg><div class=\"step\">");
        put_step_text(page, step);
        page_markup(page, "</div></li>\n");
    }
    page_markup(page, "</ol>\n");
    if (listed < value_number(incident, "step_count", 0))
        page_put(page, "<p class=\"quiet\">%n of %n steps are listed.</p>\n", listed,
                 value_number(incident, "step_count", 0));
}

static void put_actors(struct page *page, const struct json_value *incident, int64_t index)
{
    const struct json_value *actor = value_list(incident, "actors");
    const struct lanes lanes = find_lanes(value_list(incident, "steps"));

    if (!actor)
        return;
    page_markup(page, "<h4>Actors</h4>\n<div class=\"scroll\" tabindex=\"0\" role=\"region\" "
                      "aria-label=\"Actors\"><table>\n<thead><tr><th scope=\"col\">Address</th>"
                      "<th scope=\"col\">First (UTC)</th><th scope=\"col\">Last (UTC)</th>"
                      "<th scope=\"col\" class=\"number\">Indicators</th><th scope=\"col\" "
                      "class=\"number\">Rung</th></tr></thead>\n<tbody>\n");
    for (; actor; actor = actor->next) {
        page_put(page,
                 "<tr data-actor=\"%v\" data-incident=\"%r\"><th scope=\"row\"><svg class=\"key\" "
                 "width=\"14\" height=\"14\" aria-hidden=\"true\"><circle class=\"lane-%r grave\" "
                 "cx=\"7\" cy=\"7\" r=\"5\"/></svg> <span class=\"name\">%v</span>%t</th>",
                 json_member(actor, "address"), index,
                 (int64_t)lane_of(&lanes, value_text(actor, "address")),
                 json_member(actor, "address"),
                 value_true(actor, "private")   ? " (private network)"
                 : value_text(actor, "network") ? " (Exchange Online)"
                                                : "");
        page_put(page,
                 "<td>%w</td><td>%w</td><td class=\"number\">%n</td><td class=\"number\">%n</td>"
                 "</tr>\n",
                 json_member(actor, "first"), json_member(actor, "last"),
                 value_number(actor, "indicator_count", 0), value_number(actor, "rung", 0));
    }
    page_markup(page, "</tbody></table></div>\n");
}

/* Proxies of the own network: they are told, for they are no actors. */
static void put_passages(struct page *page, const struct json_value *incident)
{
    const struct json_value *passage = value_list(incident, "through");

    if (!passage)
        return;
    page_markup(page, "<p class=\"quiet\">Requests came through ");
    for (const char *front = ""; passage; passage = passage->next, front = ", ")
        page_put(page, "%t<span class=\"path\">%v</span> (%n indicators)", front,
                 json_member(passage, "address"), value_number(passage, "indicator_count", 0));
    page_markup(page, ": a proxy or load balancer of the own network that passes on what others "
                      "ask, no attacker.</p>\n");
}

static void put_hashes(struct page *page, const struct json_value *file)
{
    const struct found_file *known = found_files_at(&page->files, value_text(file, "sha256"));

    if (!value_text(file, "sha256"))
        return;
    page_put(page, "<p class=\"hash\">SHA-256 %v", json_member(file, "sha256"));
    if (known && known->sha1 && *known->sha1)
        page_put(page, "<br>SHA-1 %t", known->sha1);
    if (known && known->md5 && *known->md5)
        page_put(page, "<br>MD5 %t", known->md5);
    page_markup(page, "</p>");
    if (known && known->stored && *known->stored)
        page_put(page, "<p class=\"how\">Copy in the case: <span class=\"path\">%t</span></p>",
                 known->stored);
}

static void put_file(struct page *page, const struct json_value *file)
{
    const int64_t requests = value_number(file, "requests", 0);

    page_put(page, "<tr><th scope=\"row\"><p class=\"path\">%v</p>", json_member(file, "path"));
    put_hashes(page, file);
    page_put(page, "</th><td>%t</td><td>%w</td>",
             value_true(file, "deleted") ? "deleted"
             : value_true(file, "found") ? "on the disk"
                                         : "requested, but not found on the disk",
             json_member(file, "first"));
    if (value_number(file, "size", -1) >= 0)
        page_put(page, "<td class=\"number\">%n</td>", value_number(file, "size", 0));
    else
        page_markup(page, "<td class=\"number\">not known</td>");
    page_put(page, "<td>%n", requests);
    if (requests)
        page_put(page, ": %w \xE2\x80\x93 %w, first by %v", json_member(file, "first_request"),
                 json_member(file, "last_request"), json_member(file, "requested_by"));
    page_markup(page, "</td></tr>\n");
}

static void put_files(struct page *page, const struct json_value *incident)
{
    const struct json_value *file = value_list(incident, "files");

    if (!file)
        return;
    page_markup(page, "<h4>Files</h4>\n<div class=\"scroll\" tabindex=\"0\" role=\"region\" "
                      "aria-label=\"Files\"><table class=\"files\">\n<thead><tr><th scope=\"col\">"
                      "File</th><th scope=\"col\">State</th><th scope=\"col\">First seen (UTC)</th>"
                      "<th scope=\"col\" class=\"number\">Bytes</th><th scope=\"col\">Answered "
                      "requests (UTC)</th></tr></thead>\n<tbody>\n");
    for (; file; file = file->next)
        put_file(page, file);
    page_markup(page, "</tbody></table></div>\n");
}

static const char *kind_label(const struct json_value *incident)
{
    return value_is(incident, "kind", "scanning")    ? "Scanning"
           : value_is(incident, "kind", "intrusion") ? "Intrusion"
                                                     : "Unexplained";
}

/* The ladder's name for its lowest rung would say of traces that there are none. */
static const char *name_of(const struct json_value *incident)
{
    return value_is(incident, "kind", "unexplained") && !value_number(incident, "rung", 0)
               ? "traces that somebody must explain"
               : value_text(incident, "name");
}

static void put_incident(struct page *page, const struct json_value *incident, int64_t index)
{
    const int64_t id = value_number(incident, "id", index + 1),
                  actors = value_number(incident, "actor_count", 0);
    const struct json_value *source = value_list(incident, "sources");

    page_put(
        page,
        "<article class=\"incident\" id=\"incident-%r\" aria-labelledby=\"incident-title-%r\">\n"
        "<h3 id=\"incident-title-%r\">Incident %r: %t <span class=\"sub\">%t, %v</span></h3>\n",
        id, id, id, id, kind_label(incident), name_of(incident),
        json_member(incident, "confidence"));
    page_put(page, "<p class=\"lead\">%w \xE2\x80\x93 %w \xC2\xB7 ", json_member(incident, "first"),
             json_member(incident, "last"));
    if (actors)
        page_put(page, "%n address%t \xC2\xB7 ", actors, actors == 1 ? "" : "es");
    page_put(page, "<span data-incident=\"%r\">%n indicators</span>", index,
             value_number(incident, "indicator_count", 0));
    for (const char *front = " \xC2\xB7 seen in "; source; source = source->next, front = ", ")
        page_put(page, "%t%v", front, source);
    page_markup(page, "</p>\n");
    put_passages(page, incident);
    put_actors(page, incident, index); /* also the key to the colours of the chain */
    put_chain(page, incident, index);
    put_files(page, incident);
    page_markup(page, "</article>\n");
}

/* What needs more than one record: it belongs to no incident. */
static void put_checks(struct page *page)
{
    const struct json_value *check = value_list(page->findings, "checks");

    if (!check)
        return;
    page_markup(page, "<h3>Checks of the server as a whole</h3>\n<ul class=\"leads\">\n");
    for (int64_t i = 0; check; check = check->next, i++)
        page_put(
            page,
            "<li data-show=\"checks/%r\" data-count=\"%r\"><b>%v</b> <span class=\"level "
            "%v\">%v</span> <span class=\"sub\">%v</span> <span class=\"why\">%v.</span></li>\n",
            i, value_number(check, "indicator_count", 0), json_member(check, "what"),
            json_member(check, "level"), json_member(check, "level"), json_member(check, "id"),
            json_member(check, "why"));
    page_markup(page, "</ul>\n");
}

/* Intrusions first: they are what the reader came for. */
void html_incidents(struct page *page)
{
    static const char *const kinds[] = {"intrusion", "unexplained", "scanning"};
    const struct json_value *list = value_list(page->findings, "incidents");

    page_markup(page, "<section id=\"incidents\" aria-labelledby=\"incidents-title\">\n"
                      "<h2 id=\"incidents-title\">Incidents</h2>\n");
    if (!list)
        page_markup(page, "<p>No indicators belong together as an incident.</p>\n");
    for (size_t kind = 0; kind < sizeof kinds / sizeof *kinds; kind++) {
        int64_t index = 0;
        for (const struct json_value *incident = list; incident; incident = incident->next, index++)
            if (value_is(incident, "kind", kinds[kind]))
                put_incident(page, incident, index);
    }
    put_checks(page);
    page_markup(page, "</section>\n");
}
