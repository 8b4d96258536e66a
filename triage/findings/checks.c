#include "triage/findings/checks.h"

#include "triage/base/error.h"
#include "triage/base/instant.h"
#include "triage/engine/exchange_builds.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HOUR INT64_C(3600000000) /* microseconds */

enum { INFORMATIONAL, LOW, MEDIUM, HIGH, SHOWN_MOST = 50, NAMES_SIZE = 400 };

/* Each looks for one thing and fills `check` when it is there; -1 when memory is out. */
struct looking {
    const struct check_view *view;
    struct check *check;
    bool found;
};

static int find(struct looking *looking, int level, const char *what, const char *why)
{
    if (!what || !why)
        return -1;
    looking->check->level = level;
    looking->check->what = what;
    looking->check->why = why;
    looking->found = true;
    return 0;
}

static const char *day_text(int64_t day, char text[INSTANT_TEXT_SIZE])
{
    instant_format((struct instant){day * TICKS_PER_DAY}, text);
    text[10] = 0;
    return text;
}

/* Those of one rule that the test, which may be NULL, picks. */
static int pick(struct looking *looking, const char *rule,
                bool (*is_wanted)(const struct looking *looking, const struct sighting *sighting))
{
    const struct sightings *sightings = looking->view->sightings;
    size_t *list = arena_array(looking->view->arena, SHOWN_MOST, sizeof *list);
    size_t count = 0;

    if (!list)
        return -1;
    for (size_t i = 0; i < sightings->count && count < SHOWN_MOST; i++)
        if (strcmp(sightings->list[i].rule, rule) == 0 &&
            (!is_wanted || is_wanted(looking, &sightings->list[i])))
            list[count++] = i;
    looking->check->sightings = list;
    looking->check->count = count;
    return 0;
}

/* --- what was open --- */

/* Vulnerabilities of a state, by name, as many as there is room for. */
static size_t name_cves(const struct exposure *exposure,
                        bool (*is_wanted)(const struct cve_exposure *), char names[NAMES_SIZE])
{
    enum { MORE_SIZE = 40 };
    size_t count = 0, named = 0, used = 0;

    names[0] = 0;
    for (size_t i = 0; i < exposure->cve_count; i++) {
        const struct cve_exposure *cve = &exposure->cves[i];
        if (!is_wanted(cve))
            continue;
        count++;
        if (used + strlen(cve->cve) + MORE_SIZE >= NAMES_SIZE)
            continue;
        used +=
            (size_t)snprintf(names + used, NAMES_SIZE - used, "%s%s", used ? ", " : "", cve->cve);
        named++;
    }
    if (named < count)
        snprintf(names + used, NAMES_SIZE - used, " and %zu more", count - named);
    return count;
}

static bool is_open(const struct cve_exposure *cve)
{
    return cve->state == EXPOSURE_VULNERABLE;
}

static bool was_used(const struct outcomes *outcomes)
{
    for (size_t i = 0; i < outcomes->count; i++)
        if (outcomes->list[i].outcome == OUTCOME_SUCCEEDED &&
            outcomes->list[i].exposure->ever_vulnerable)
            return true;
    return false;
}

/* VU-01: the build lacks fixes that its own cumulative update could have. */
static int vulnerable_build(struct looking *looking)
{
    const struct check_view *view = looking->view;
    char names[NAMES_SIZE];
    const size_t count = name_cves(view->exposure, is_open, names);

    if (!view->exposure->build || !count)
        return 0;
    return find(looking, was_used(view->outcomes) ? HIGH : INFORMATIONAL,
                arena_format(view->arena, "The installed build %s is open to %zu vulnerabilities",
                             view->exposure->build, count),
                arena_format(view->arena, "by the table of fixes, within %s %s only: %s",
                             view->exposure->family, view->exposure->update, names));
}

static bool is_fixed_in(const struct exposure *exposure, const char *cve)
{
    const struct cve_exposure *found = exposure_of(exposure, cve);

    return found && found->state == EXPOSURE_FIXED;
}

/* VU-02: updates for cumulative updates out of support fixed four of the seven of March 2021. */
static int four_of_seven(struct looking *looking)
{
    static const char *const later[] = {"CVE-2021-26412", "CVE-2021-26854", "CVE-2021-27078"};
    const struct check_view *view = looking->view;
    size_t open = 0;

    for (size_t i = 0; i < sizeof later / sizeof *later; i++) {
        const struct cve_exposure *cve = exposure_of(view->exposure, later[i]);
        open += cve && cve->state == EXPOSURE_VULNERABLE;
    }
    if (!is_fixed_in(view->exposure, "CVE-2021-26855") || !open)
        return 0;
    return find(
        looking, MEDIUM,
        "The update of March 2021 that is installed fixed only four of seven vulnerabilities",
        "CVE-2021-26412, CVE-2021-26854 and CVE-2021-27078 need a cumulative update that was "
        "in support");
}

/* VU-10: no update will come. For 2016 and 2019 there are updates by subscription (ESU) behind the
 * last one for all; a server that has one of them is cared for. */
static bool is_beyond_support(const struct check_view *view)
{
    static const char *const last[] = {"15.1.2507.61", "15.2.1544.36", "15.2.1748.39"};
    static const struct civil end = {.year = 2025, .month = 10, .day = 14};
    const int64_t end_day = instant_from_civil(end).ticks / TICKS_PER_DAY;
    const struct log_span *const logs[] = {log_span_of(view->spans, "iis_log"),
                                           log_span_of(view->spans, "exchange_httpproxy")};
    bool is_later = false;
    uint16_t build[4], known[4];

    for (size_t i = 0; i < sizeof logs / sizeof *logs; i++)
        is_later |= logs[i] && logs[i]->last_day > end_day;
    if (!is_later || !exchange_build_parse(slice_of_text(view->exposure->build), build))
        return false;
    for (size_t i = 0; i < sizeof last / sizeof *last; i++)
        if (exchange_build_parse(slice_of_text(last[i]), known) && build[1] == known[1] &&
            build[2] == known[2])
            return build[3] <= known[3];
    return true;
}

static int unsupported_product(struct looking *looking)
{
    static const struct {
        const char *family, *why;
    } ended[] = {{"2010", "support ended on 2020-10-13"},
                 {"2013", "support ended on 2023-04-11"},
                 {"2016", "support ended on 2025-10-14, and the logs go on after that day"},
                 {"2019", "support ended on 2025-10-14, and the logs go on after that day"}};
    const char *family = looking->view->exposure->family;

    for (size_t i = 0; family && i < sizeof ended / sizeof *ended; i++)
        if (strcmp(family, ended[i].family) == 0 && (i < 2 || is_beyond_support(looking->view)))
            return find(looking, MEDIUM,
                        arena_format(looking->view->arena,
                                     "Exchange Server %s gets no updates any more", family),
                        ended[i].why);
    return 0;
}

/* VU-11: the web attacks need a role that serves clients. */
static int no_front_end(struct looking *looking)
{
    const struct exposure *exposure = looking->view->exposure;

    if (!exposure->role_count || exposure->front_end)
        return 0;
    return find(looking, INFORMATIONAL,
                "No role that serves clients is installed: the attacks over HTTP do not apply",
                arena_format(looking->view->arena, "%zu roles are installed, among them %s",
                             exposure->role_count, exposure->roles[0]));
}

/* --- did the update take --- */

/* VU-03: some files of the update were not replaced. */
static int partial_update(struct looking *looking)
{
    const struct exposure *exposure = looking->view->exposure;

    if (!exposure->left_behind_count)
        return 0;
    return find(looking, HIGH,
                arena_format(looking->view->arena,
                             "An update did not replace %zu of the %zu files that were compared",
                             exposure->left_behind_count, exposure->files_compared),
                arena_format(looking->view->arena, "ExSetup.exe is %s, but %s is %s",
                             exposure->found, exposure->left_behind[0].path,
                             exposure->left_behind[0].version));
}

/* VU-04: a key or a log names a build that the program itself does not have. */
static int claimed_only(struct looking *looking)
{
    const struct exposure *exposure = looking->view->exposure;
    uint16_t claimed[4], found[4];

    if (!exposure->claimed || !exposure->found ||
        !exchange_build_parse(slice_of_text(exposure->claimed), claimed) ||
        !exchange_build_parse(slice_of_text(exposure->found), found) ||
        exchange_build_compare(claimed, found) <= 0)
        return 0;
    return find(looking, HIGH, "An update is registered as installed, and its files are not there",
                exposure->update_why);
}

static bool is_weighty(const struct looking *looking, const struct sighting *sighting)
{
    (void)looking;
    return sighting->level >= MEDIUM;
}

/* VU-05: setup or an update failed or broke off, and nothing was installed after it. */
static int interrupted_setup(struct looking *looking)
{
    const struct exposure *exposure = looking->view->exposure;

    if (pick(looking, "VU-05", is_weighty) < 0)
        return -1;
    if (!looking->check->count ||
        (exposure->update_state != UPDATE_FAILED && exposure->update_state != UPDATE_PARTIAL))
        return 0;
    return find(looking, HIGH, "A run of setup did not end well and was not repeated with success",
                exposure->update_why);
}

static bool is_open_then(const struct looking *looking, const struct sighting *sighting)
{
    static const char *const mitigated[] = {"CVE-2021-26855", "CVE-2022-41040", "CVE-2022-41082"};

    for (size_t i = 0; i < sizeof mitigated / sizeof *mitigated && sighting->dated; i++) {
        const struct cve_exposure *cve = exposure_of(looking->view->exposure, mitigated[i]);
        if (cve && exposure_at(cve, sighting->time) == EXPOSURE_VULNERABLE)
            return true;
    }
    return false;
}

/* VU-07: a rewrite rule that mitigated disappeared before the fix came. */
static int mitigation_gone(struct looking *looking)
{
    if (pick(looking, "VU-07", is_open_then) < 0)
        return -1;
    if (!looking->check->count)
        return 0;
    return find(looking, HIGH, "A mitigation was taken away while the server was still vulnerable",
                "the configuration history has the rule in one snapshot and not in the next; the "
                "update with the fix came later or never");
}

/* --- logs that are not whole --- */

struct gaps {
    struct looking *looking;
    int64_t files, gaps, missing;
    const char *path;
    int64_t most;
    bool failed;
};

/* Record numbers are what the file says: their sum may be beyond any number. */
static int64_t sum_of(int64_t a, int64_t b)
{
    int64_t sum;

    return __builtin_add_overflow(a, b, &sum) ? INT64_MAX : sum;
}

static int add_gap(void *context, const struct case_coverage *row)
{
    struct gaps *gaps = context;

    if (strcmp(row->artifact, "eventlog") != 0 || row->snapshot != 0 || row->missing <= 0)
        return 0;
    gaps->files++;
    gaps->gaps = sum_of(gaps->gaps, row->gaps);
    gaps->missing = sum_of(gaps->missing, row->missing);
    if (row->missing > gaps->most) {
        gaps->most = row->missing;
        gaps->path = arena_text(gaps->looking->view->arena, slice_of_text(row->path));
        gaps->failed |= !gaps->path;
    }
    return 0;
}

/* AF-03: numbers of records are missing within an event log. */
static int numbers_missing(struct looking *looking)
{
    struct arena *arena = looking->view->arena;
    struct gaps gaps = {.looking = looking};

    if (case_each_coverage(looking->view->file, add_gap, &gaps) < 0 || gaps.failed)
        return -1;
    if (!gaps.files)
        return 0;
    return find(looking, MEDIUM,
                arena_format(arena, "Records are missing from within %lld event log%s",
                             (long long)gaps.files, gaps.files == 1 ? "" : "s"),
                arena_format(arena,
                             "%lld record numbers are skipped in %lld places; most of them, %lld, "
                             "in %s",
                             (long long)gaps.missing, (long long)gaps.gaps, (long long)gaps.most,
                             gaps.path));
}

/* AF-04: days without an IIS log on which the front end's own log has requests. */
static int days_missing(struct looking *looking)
{
    const struct log_span *iis = log_span_of(looking->view->spans, "iis_log");
    const struct log_span *proxy = log_span_of(looking->view->spans, "exchange_httpproxy");
    char first[INSTANT_TEXT_SIZE] = "", last[INSTANT_TEXT_SIZE] = "", text[INSTANT_TEXT_SIZE];
    int64_t count = 0;

    if (!iis || !proxy || !iis->seen || !proxy->seen)
        return 0;
    for (int64_t day = iis->first_day; day <= iis->last_day; day++) {
        if (log_span_has_day(iis, day) || !log_span_has_day(proxy, day))
            continue;
        if (!count++)
            memcpy(first, day_text(day, text), sizeof first);
        memcpy(last, day_text(day, text), sizeof last);
    }
    if (!count)
        return 0;
    return find(
        looking, HIGH,
        arena_format(looking->view->arena,
                     "The IIS log has no record of %lld day%s on which there were requests",
                     (long long)count, count == 1 ? "" : "s"),
        arena_format(looking->view->arena,
                     "HttpProxy logs have requests on these days, the first %s, the last %s; "
                     "IIS logs of before and after are there",
                     first, last));
}

/* --- files that no setup wrote --- */

static bool is_in_exchange(const struct sighting *sighting)
{
    return sighting->page && (strstr(sighting->page, "\\frontend\\httpproxy\\") ||
                              strstr(sighting->page, "\\clientaccess\\"));
}

/* After the last update that is known, and an hour away from each. */
static bool is_outside_of_setup(const struct looking *looking, const struct sighting *sighting)
{
    const struct exposure *exposure = looking->view->exposure;
    bool any = false;

    if (!sighting->dated || sighting->witness != WITNESS_FILE_SYSTEM || !is_in_exchange(sighting))
        return false;
    for (size_t i = 0; i < exposure->history_count; i++) {
        const struct build_event *event = &exposure->history[i];
        if (!event->dated)
            continue;
        any = true;
        if (event->time + HOUR >= sighting->time)
            return false;
    }
    return any;
}

/* WS-19: a page of Exchange's own folders that appeared when nothing was installed. */
static int born_outside_of_setup(struct looking *looking)
{
    if (pick(looking, "WS-12", is_outside_of_setup) < 0)
        return -1;
    if (!looking->check->count)
        return 0;
    return find(looking, HIGH,
                arena_format(looking->view->arena,
                             "%zu page%s in Exchange's folders appeared when nothing was installed",
                             looking->check->count, looking->check->count == 1 ? "" : "s"),
                "setup writes all pages together; updates add none. The times are later than the "
                "last installation that is known, by more than an hour");
}

/* --- all --- */

static const struct {
    const char *id;
    int (*look)(struct looking *looking);
} all[] = {
    {"VU-01", vulnerable_build},    {"VU-02", four_of_seven},         {"VU-03", partial_update},
    {"VU-04", claimed_only},        {"VU-05", interrupted_setup},     {"VU-07", mitigation_gone},
    {"VU-10", unsupported_product}, {"VU-11", no_front_end},          {"AF-03", numbers_missing},
    {"AF-04", days_missing},        {"WS-19", born_outside_of_setup},
};

int checks_make(const struct check_view *view, struct checks *checks)
{
    const size_t count = sizeof all / sizeof *all;

    *checks = (struct checks){.list = arena_array(view->arena, count, sizeof *checks->list)};
    if (!checks->list)
        return -1;
    for (size_t i = 0; i < count; i++) {
        struct check *check = &checks->list[checks->count];
        struct looking looking = {.view = view, .check = check};
        *check = (struct check){.id = all[i].id};
        if (all[i].look(&looking) < 0)
            return error_prefix("check %s", all[i].id);
        if (looking.found)
            checks->count++;
    }
    return 0;
}
