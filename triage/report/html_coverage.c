/* What could be known: a map of hours or days by log, sums per artifact, what was not read. */
#include "triage/base/instant.h"
#include "triage/report/html_page.h"

#include <inttypes.h>
#include <stdlib.h>

enum { HOUR_CELLS_DAYS = 16, MOST_CELLS = 400, ROW_HEIGHT = 18 };

/* The map: cells of so many hours over the days that continuous logs tell of. */
struct map {
    int64_t first, days, cell_hours, cells;
};

static int64_t day_number(const struct json_value *day)
{
    struct instant instant;

    return day && instant_parse(day->text, &instant, NULL) ? instant.ticks / TICKS_PER_DAY : -1;
}

static struct map find_map(const struct page *page)
{
    int64_t first = INT64_MAX, last = INT64_MIN;

    for (const struct json_value *sum = page->artifacts ? page->artifacts->first : NULL; sum;
         sum = sum->next) {
        if (!value_true(sum, "continuous"))
            continue;
        for (const struct json_value *day = value_list(sum, "days"); day; day = day->next) {
            const int64_t number = day_number(day->first);
            first = number >= 0 && number < first ? number : first;
            last = number > last ? number : last;
        }
    }
    if (first > last)
        return (struct map){0};
    const int64_t days = last - first + 1;
    const int64_t hours = days <= HOUR_CELLS_DAYS ? 1 : 24 * ((days + MOST_CELLS - 1) / MOST_CELLS);
    return (struct map){first, days, hours, (days * 24 + hours - 1) / hours};
}

/* Hours with records, and hours that are missing against the log's own rhythm, per cell. */
struct cell {
    uint32_t seen, missing;
};

static void count_hours(const struct map *map, const struct json_value *sum, struct cell *cells)
{
    for (const struct json_value *day = value_list(sum, "days"); day; day = day->next) {
        const int64_t start = (day_number(day->first) - map->first) * 24;
        uint64_t hours = 0;
        if (day->first && day->first->next)
            slice_to_u64(day->first->next->text, &hours);
        for (int64_t hour = 0; hour < 24; hour++)
            if (hours >> hour & 1 && start >= 0 && (start + hour) / map->cell_hours < map->cells)
                cells[(start + hour) / map->cell_hours].seen++;
    }
}

static int64_t hour_of(const struct json_value *gap, const char *name)
{
    struct instant instant;

    return instant_parse(slice_of_text(value_text(gap, name)), &instant, NULL)
               ? instant.ticks / (TICKS_PER_DAY / 24)
               : 0;
}

static void count_gaps(const struct map *map, const struct json_value *sum, struct cell *cells)
{
    for (const struct json_value *gap = value_list(sum, "gaps"); gap; gap = gap->next) {
        int64_t hour = hour_of(gap, "from") - map->first * 24;
        const int64_t until = hour_of(gap, "until") - map->first * 24;
        for (hour = hour < 0 ? 0 : hour; hour < until && hour / map->cell_hours < map->cells;
             hour++)
            cells[hour / map->cell_hours].missing++;
    }
    for (const struct json_value *day = value_list(sum, "missing_days"); day; day = day->next) {
        const int64_t hour = (day_number(day) - map->first) * 24;
        if (hour < 0)
            continue;
        for (int64_t i = hour; i < hour + 24 && i / map->cell_hours < map->cells; i++)
            if (cells[i / map->cell_hours].missing < map->cell_hours)
                cells[i / map->cell_hours].missing++;
    }
}

static const char *cell_class(const struct map *map, const struct cell *cell)
{
    if (cell->missing)
        return 2 * cell->missing >= map->cell_hours ? "gone" : "thin";
    if (!cell->seen)
        return NULL;
    return 3 * cell->seen >= 2 * map->cell_hours ? "full"
           : 3 * cell->seen >= map->cell_hours   ? "half"
                                                 : "some";
}

/* Cells of one kind beside each other are one rectangle. */
static void put_cells(struct page *page, const struct map *map, const struct cell *cells)
{
    page_put(page,
             "<svg class=\"map\" width=\"100%%\" height=\"%r\" viewBox=\"0 0 %r 10\" "
             "preserveAspectRatio=\"none\" aria-hidden=\"true\">",
             (int64_t)ROW_HEIGHT, map->cells * 10);
    for (int64_t at = 0, end; at < map->cells; at = end) {
        const char *class = cell_class(map, &cells[at]);
        for (end = at + 1; end < map->cells && cell_class(map, &cells[end]) == class; end++)
            ;
        if (class)
            page_put(page, "<rect class=\"%t\" x=\"%r\" width=\"%r\" y=\"0\" height=\"10\"/>",
                     class, at * 10, (end - at) * 10);
    }
    page_markup(page, "</svg>");
}

static void put_day(struct page *page, int64_t number)
{
    char iso[INSTANT_TEXT_SIZE];

    instant_format((struct instant){number * TICKS_PER_DAY + 1}, iso);
    iso[10] = 0;
    page_put(page, "%t", iso);
}

static void put_map_row(struct page *page, const struct map *map, const struct json_value *sum)
{
    struct cell *cells = calloc((size_t)map->cells, sizeof *cells);
    const int64_t missing_hours = value_number(sum, "missing_hour_count", 0);
    const int64_t missing_days = value_number(sum, "missing_day_count", 0);

    if (!cells)
        return;
    count_hours(map, sum, cells);
    count_gaps(map, sum, cells);
    page_put(page, "<tr><th scope=\"row\" class=\"name\">%v</th><td class=\"mapcell\">",
             json_member(sum, "artifact"));
    put_cells(page, map, cells);
    page_put(page,
             "</td><td class=\"number\" data-label=\"days\">%n of %n</td><td class=\"number\" "
             "data-label=\"days missing\">%n</td>"
             "<td class=\"number\" data-label=\"hours missing\">%n</td></tr>\n",
             (int64_t)value_count(value_list(sum, "days")), map->days, missing_days, missing_hours);
    free(cells);
}

static void put_map(struct page *page)
{
    const struct map map = find_map(page);

    if (!map.days) {
        page_markup(page, "<p>No log that is written all the time was read: about the time of an "
                          "attack only files and settings can tell.</p>\n");
        return;
    }
    page_put(page,
             "<p>Each column is %n hour%t. Missing is measured against the log's own rhythm: "
             "hours of the day in which it usually has records.</p>\n",
             map.cell_hours, map.cell_hours == 1 ? "" : "s");
    page_markup(page,
                "<p class=\"legend\" aria-hidden=\"true\">"
                "<svg class=\"map\" width=\"16\" height=\"12\"><rect class=\"full\" width=\"16\" "
                "height=\"12\"/></svg> records "
                "<svg class=\"map\" width=\"16\" height=\"12\"><rect class=\"some\" width=\"16\" "
                "height=\"12\"/></svg> few "
                "<svg class=\"map\" width=\"16\" height=\"12\"><rect class=\"gone\" width=\"16\" "
                "height=\"12\"/></svg> missing "
                "<svg class=\"map\" width=\"16\" height=\"12\"><rect class=\"none\" width=\"16\" "
                "height=\"12\"/></svg> none, and none expected</p>\n"
                "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Map of logs by "
                "day\"><table class=\"maps\">\n<thead><tr><th scope=\"col\">Log</th>"
                "<th scope=\"col\"><span class=\"ends\"><span>");
    put_day(page, map.first);
    page_markup(page, "</span><span>");
    put_day(page, map.first + map.days - 1);
    page_markup(page,
                "</span></span></th><th scope=\"col\" class=\"number\">Days</th><th scope=\"col\" "
                "class=\"number\">Days missing</th><th scope=\"col\" class=\"number\">Hours "
                "missing</th></tr></thead>\n<tbody>\n");
    for (const struct json_value *sum = page->artifacts->first; sum; sum = sum->next)
        if (value_true(sum, "continuous"))
            put_map_row(page, &map, sum);
    page_markup(page, "</tbody></table></div>\n");
}

/* How far back each log reaches, against the first trace and the age of the server. */
static void put_reach(struct page *page)
{
    const struct json_value *reach = value_list(page->findings, "retention");

    if (!reach)
        return;
    page_markup(page, "<h3>How far back the logs reach</h3>\n<div class=\"scroll\" "
                      "tabindex=\"0\" role=\"region\" aria-label=\"How far back the logs "
                      "reach\"><table>\n<thead><tr><th scope=\"col\">Log</th><th scope=\"col\">"
                      "First record (UTC)</th><th scope=\"col\" class=\"number\">Files deleted"
                      "</th><th scope=\"col\">What that means</th></tr></thead>\n<tbody>\n");
    for (; reach; reach = reach->next)
        page_put(page,
                 "<tr><th scope=\"row\" class=\"name\">%v</th><td>%w</td>"
                 "<td class=\"number\">%n</td><td%t>%v.</td></tr>\n",
                 json_member(reach, "artifact"), json_member(reach, "first"),
                 value_number(reach, "deleted_files", 0),
                 value_true(reach, "begins_after_first_trace") ? " class=\"watch\"" : "",
                 json_member(reach, "why"));
    page_markup(page, "</tbody></table></div>\n");
    if (value_number(page->findings, "deleted_files_of_other_logs", 0))
        page_put(page, "<p>%n deleted files belong to logs of which nothing is left.</p>\n",
                 value_number(page->findings, "deleted_files_of_other_logs", 0));
}

/* What was told of files and was too much to be kept. */
static void put_left_out(struct page *page)
{
    static const char *const names[] = {"notices_left_out", "facts_left_out", "rejected_left_out"};
    int64_t sums[3] = {0};

    for (const struct json_value *sum = page->artifacts ? page->artifacts->first : NULL; sum;
         sum = sum->next)
        for (size_t i = 0; i < 3; i++)
            sums[i] += value_number(sum, names[i], 0);
    if (sums[0] + sums[1] + sums[2])
        page_put(page,
                 "<p>Too many to be kept: %n notices, %n facts and the text of %n rejected records "
                 "(coverage.json names the files).</p>\n",
                 sums[0], sums[1], sums[2]);
}

static void put_sums(struct page *page)
{
    page_markup(page,
                "<h3>Records</h3>\n<p>Each record ends in exactly one of used, mended and "
                "rejected; rejected lines are still searched as text.</p>\n"
                "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Records per "
                "artifact\"><table>\n<thead><tr><th scope=\"col\">Artifact</th><th scope=\"col\" "
                "class=\"number\">Files</th><th scope=\"col\" class=\"number\">Records</th>"
                "<th scope=\"col\" class=\"number\">Used</th><th scope=\"col\" class=\"number\">"
                "Mended</th><th scope=\"col\" class=\"number\">Rejected</th><th scope=\"col\" "
                "class=\"number\">Numbers missing</th><th scope=\"col\">First (UTC)</th>"
                "<th scope=\"col\">Last (UTC)</th></tr></thead>\n<tbody>\n");
    for (const struct json_value *sum = page->artifacts ? page->artifacts->first : NULL; sum;
         sum = sum->next) {
        static const char *const names[] = {"files",    "records",  "used",
                                            "repaired", "rejected", "records_missing"};
        page_put(page, "<tr><th scope=\"row\" class=\"name\">%v</th>",
                 json_member(sum, "artifact"));
        for (size_t i = 0; i < sizeof names / sizeof *names; i++)
            page_put(page, "<td class=\"number\">%n</td>", value_number(sum, names[i], 0));
        page_put(page, "<td>%w</td><td>%w</td></tr>\n", json_member(sum, "first"),
                 json_member(sum, "last"));
    }
    page_markup(page, "</tbody></table></div>\n");
}

/* --- unread, notices --- */

struct notes {
    struct page *page;
    int64_t count;
};

static int put_note(void *context, const struct case_note *row)
{
    struct notes *notes = context;

    if (notes->count++ == 0)
        page_markup(notes->page,
                    "<div class=\"scroll\" tabindex=\"0\" role=\"region\" "
                    "aria-label=\"Notes\"><table>\n<thead><tr><th scope=\"col\">Where"
                    "</th><th scope=\"col\" class=\"number\">Byte</th><th scope=\"col\">"
                    "What</th></tr></thead>\n<tbody>\n");
    page_put(notes->page,
             "<tr><td class=\"path\">%t</td><td class=\"number\">%n</td><td>%t</td></tr>\n",
             *row->path ? row->path : row->evidence, row->offset, row->text);
    return notes->page->failure;
}

static int count_note(void *context, const struct case_note *row)
{
    (void)row;
    ++*(int64_t *)context;
    return 0;
}

/* Long lists are folded away. */
static void put_notes(struct page *page, const char *title,
                      int (*each)(struct case_file *, int (*)(void *, const struct case_note *),
                                  void *),
                      const char *none)
{
    struct notes notes = {.page = page};
    int64_t count = 0;

    if (each(page->source, count_note, &count) < 0)
        page->failure = -1;
    page_put(page, "<h3>%t</h3>\n", title);
    if (!count) {
        page_put(page, "<p>%t</p>\n", none);
        return;
    }
    page_fold(page, count <= 20);
    page_put(page, "<summary>%n</summary>\n", count);
    if (each(page->source, put_note, &notes) < 0)
        page->failure = -1;
    page_markup(page, "</tbody></table></div>\n</details>\n");
}

void html_coverage(struct page *page)
{
    page_markup(page, "<section id=\"coverage\" aria-labelledby=\"coverage-title\">\n"
                      "<h2 id=\"coverage-title\">Coverage: what could be known</h2>\n");
    put_map(page);
    put_reach(page);
    put_sums(page);
    put_left_out(page);
    page_put(page,
             "<p class=\"quiet\">%n entries were listed in the file systems, %n files of them "
             "wanted; %n entries could not be read; %n files of the evidence were not "
             "recognised.</p>\n",
             value_number(page->totals, "files_listed", 0),
             value_number(page->totals, "files_wanted", 0),
             value_number(page->totals, "entries_unreadable", 0),
             value_number(page->totals, "files_not_recognised", 0));
    put_notes(page, "Not read", case_each_unread, "Everything that was wanted was read.");
    put_notes(page, "Notices", case_each_notice, "Nothing was damaged or unusual.");
    page_markup(page, "</section>\n");
}
