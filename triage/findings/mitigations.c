#include "triage/findings/mitigations.h"

#include "triage/base/error.h"
#include "triage/base/instant.h"
#include "triage/formats/json_reader.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { SCRATCH = 4 << 20, MOST_SEEN = 8192 };

const char *mitigation_state_name(enum mitigation_state state)
{
    static const char *const names[] = {"in_place", "removed", "disabled", "failed"};

    return names[state];
}

const char *bound_name(enum bound bound)
{
    static const char *const names[] = {"unknown", "at_the_latest", "exact"};

    return names[bound];
}

/* --- what is known as a mitigation --- */

static const char rewrite_rule[] = "rewrite_rule", emergency_service[] = "emergency_service",
                  tool[] = "tool";

/* Parts of the names that Microsoft's scripts and its service give to rewrite rules. Sources: the
 * scripts EOMT, EOMTv2 and ExchangeMitigations of CSS-Exchange, and the advisories of the
 * vulnerabilities. */
static const struct {
    const char *part, *cves;
} rules[] = {
    {"X-AnonResource-Backend Abort", "CVE-2021-26855"},
    {"X-BEResource Abort", "CVE-2021-26855"},
    {"PowerShell - inbound", "CVE-2022-41040,CVE-2022-41082"},
    {"EEMS M1", "CVE-2022-41040,CVE-2022-41082"},
    {"EOMT OWA CSP", "CVE-2026-42897"},
};

static const char *cves_of_rule(const char *name)
{
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
        if (strcasestr(name, rules[i].part))
            return rules[i].cves;
    return NULL;
}

/* --- what was seen of them --- */

enum act { APPLIED, REMOVED, FAILED, SEEN_ENABLED, SEEN_DISABLED };

struct seen {
    const char *name, *kind, *cves;
    enum act act;
    bool dated;
    int64_t time;
    enum bound bound; /* of the time */
    const char *how, *source;
};

struct collecting {
    struct arena *arena, *scratch;
    struct seen *list;
    size_t count;
    bool left_out;
};

static const char *member(const struct json_value *fields, const char *name)
{
    const struct json_value *value = json_member(fields, name);

    return value && value->type == JSON_STRING ? (const char *)value->text.data : "";
}

/* Copies what is only borrowed. */
static int add(struct collecting *collecting, const struct case_fact *fact, const char *name,
               struct seen seen)
{
    if (collecting->count == MOST_SEEN) {
        collecting->left_out = true;
        return 0;
    }
    seen.name = arena_text(collecting->arena, slice_part(slice_of_text(name), 0, 200));
    seen.source = arena_text(collecting->arena, slice_of_text(fact->path));
    seen.dated = fact->dated;
    seen.time = fact->timestamp;
    if (!seen.dated)
        seen.bound = BOUND_UNKNOWN;
    if (!seen.name || !seen.source || !seen.how)
        return -1;
    collecting->list[collecting->count++] = seen;
    return 0;
}

/* A rewrite rule as a copy of the configuration has it: that it is there, not since when. */
static int add_rewrite(struct collecting *collecting, const struct case_fact *fact,
                       const char *name, enum act act, const char *how)
{
    const char *cves = cves_of_rule(name);

    if (!cves || fact->snapshot != 0)
        return 0;
    return add(collecting, fact, name,
               (struct seen){.kind = rewrite_rule,
                             .cves = cves,
                             .act = act,
                             .bound = BOUND_AT_THE_LATEST,
                             .how = how});
}

/* The configuration in force. */
static int rewrite_fact(struct collecting *collecting, const struct case_fact *fact,
                        const struct json_value *fields)
{
    const bool enabled = strcasecmp(member(fields, "Enabled"), "false") != 0;

    return add_rewrite(
        collecting, fact, member(fields, "RuleName"), enabled ? SEEN_ENABLED : SEEN_DISABLED,
        enabled ? "the configuration in force has the rule; it was last written at this time"
                : "the configuration in force has the rule switched off");
}

/* One copy of the configuration has it and the next has not, or the other way round. */
static int change_fact(struct collecting *collecting, const struct case_fact *fact,
                       const struct json_value *fields)
{
    const char *rule = member(fields, "RuleName"), *change = member(fields, "Change");
    const bool off = strcasecmp(member(fields, "Enabled"), "false") == 0;
    const bool gone = strcmp(change, "removed") == 0 || off;

    return add_rewrite(collecting, fact, *rule ? rule : member(fields, "Name"),
                       gone ? REMOVED : APPLIED,
                       gone ? "the configuration history has the rule in one copy and not, or "
                              "switched off, in the next"
                            : "the rule appears in the configuration history");
}

/* "M1.1" of "Mitigation M1.1 has been applied."; "" when there is none. */
static const char *name_in_event(struct arena *arena, const char *text)
{
    for (const char *at = text; (at = strpbrk(at, "MP")); at++) {
        const size_t letters = strncmp(at, "PING", 4) == 0 ? 4 : *at == 'M' ? 1 : 0;
        const size_t digits = letters ? strspn(at + letters, "0123456789.") : 0;
        const bool starts = at == text || !strchr("abcdefghijklmnopqrstuvwxyz"
                                                  "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789",
                                                  at[-1]);
        if (starts && digits && at[letters] != '.') {
            size_t size = letters + digits;
            while (at[size - 1] == '.')
                size--;
            return arena_text(arena, slice_of(at, size));
        }
    }
    return "";
}

/* Events of the emergency mitigation service: 1005 and 1006 say that one was applied, 1008 that the
 * service failed. Source: "Exchange Emergency Mitigation service" in Microsoft's documentation. */
static int service_fact(struct collecting *collecting, const struct case_fact *fact,
                        const struct json_value *fields)
{
    const char *id = member(fields, "EventID"), *data = member(fields, "Data");
    const char *text = *data ? data : member(fields, "Data0");
    const bool removed = strcasestr(text, "removed") || strcasestr(text, "rolled back");
    const bool failed = strcmp(id, "1008") == 0;

    if (strcmp(id, "1005") != 0 && strcmp(id, "1006") != 0 && !failed)
        return 0;
    const char *name = name_in_event(collecting->scratch, text);
    if (!name || !*name)
        return name ? 0 : -1;
    return add(collecting, fact, name,
               (struct seen){
                   .kind = emergency_service,
                   .cves = strcmp(name, "M1") == 0 || strncmp(name, "M1.", 3) == 0
                               ? "CVE-2022-41040,CVE-2022-41082"
                               : "", /* not those of M10 */
                   .act = failed    ? FAILED
                          : removed ? REMOVED
                                    : APPLIED,
                   .bound = BOUND_EXACT,
                   .how = failed    ? "the emergency mitigation service reported a failure"
                          : removed ? "the emergency mitigation service took it away"
                                    : "the emergency mitigation service applied it",
               });
}

static int tool_fact(struct collecting *collecting, const struct case_fact *fact,
                     const struct json_value *fields)
{
    static const struct {
        const char *step, *how;
        enum act act;
    } steps[] = {
        {"mitigation applied", "Microsoft's mitigation tool (EOMT) applied it", APPLIED},
        {"mitigation rolled back", "Microsoft's mitigation tool (EOMT) took it back", REMOVED},
        {"mitigation failed", "Microsoft's mitigation tool (EOMT) failed", FAILED},
    };
    const char *step = member(fields, "Step");

    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++)
        if (strcmp(step, steps[i].step) == 0)
            return add(collecting, fact, "EOMT",
                       (struct seen){.kind = tool,
                                     .cves = "CVE-2021-26855",
                                     .act = steps[i].act,
                                     .bound = BOUND_EXACT,
                                     .how = steps[i].how});
    return 0;
}

static int take_fact(void *context, const struct case_fact *fact)
{
    static const struct {
        const char *kind;
        int (*take)(struct collecting *, const struct case_fact *, const struct json_value *);
    } kinds[] = {
        {"iis.rewrite", rewrite_fact},
        {"iis.change", change_fact},
        {"eventlog.mitigation", service_fact},
        {"exchange.mitigation_tool", tool_fact},
    };
    struct collecting *collecting = context;
    struct json_value *fields;

    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (strcmp(fact->kind, kinds[i].kind) != 0)
            continue;
        arena_reset(collecting->scratch);
        if (json_read(slice_of_text(fact->fields), collecting->scratch, &fields) == 0)
            return kinds[i].take(collecting, fact, fields);
    }
    return 0;
}

/* By name, then time; what is in force comes last, the undated first. */
static int by_name_and_time(const void *a, const void *b)
{
    const struct seen *x = a, *y = b;
    const int order = strcasecmp(x->name, y->name);
    const bool now_x = x->act >= SEEN_ENABLED, now_y = y->act >= SEEN_ENABLED;

    if (order)
        return order;
    if (now_x != now_y)
        return now_x ? 1 : -1;
    if (x->dated != y->dated)
        return x->dated ? 1 : -1;
    if (x->time != y->time)
        return x->time < y->time ? -1 : 1;
    return x->act != y->act ? (x->act < y->act ? -1 : 1) : strcmp(x->source, y->source);
}

/* --- spans --- */

static struct mitigation_span *open_span(const struct mitigation *mitigation)
{
    struct mitigation_span *last =
        mitigation->span_count ? &mitigation->spans[mitigation->span_count - 1] : NULL;

    return last && last->open ? last : NULL;
}

static void start_span(struct mitigation *mitigation, const struct seen *seen)
{
    mitigation->spans[mitigation->span_count++] = (struct mitigation_span){
        .from_bound = seen->bound, .from = seen->time, .open = true, .from_how = seen->how};
}

/* One that nobody was seen to apply was there before. */
static void end_span(struct mitigation *mitigation, const struct seen *seen)
{
    struct mitigation_span *span = open_span(mitigation);

    if (!span) {
        span = &mitigation->spans[mitigation->span_count++];
        *span = (struct mitigation_span){0};
    }
    span->open = false;
    span->until_bound = seen->bound;
    span->until = seen->time;
    span->until_how = seen->how;
}

static void take_act(struct mitigation *mitigation, const struct seen *seen)
{
    mitigation->source = seen->source;
    switch (seen->act) {
    case APPLIED:
    case SEEN_ENABLED:
        if (!open_span(mitigation))
            start_span(mitigation, seen);
        mitigation->state = MITIGATION_IN_PLACE;
        break;
    case REMOVED:
        end_span(mitigation, seen);
        mitigation->state = MITIGATION_REMOVED;
        break;
    case SEEN_DISABLED:
        if (open_span(mitigation))
            end_span(mitigation, seen);
        mitigation->state = MITIGATION_DISABLED;
        break;
    case FAILED:
        if (!mitigation->span_count)
            mitigation->state = MITIGATION_FAILED;
        break;
    }
}

/* A rule that was applied and that the configuration in force, which was read, does not have. */
static void end_by_absence(struct mitigation *mitigation, const struct log_spans *spans)
{
    const struct log_span *live = log_span_of(spans, "iis_config");
    struct mitigation_span *span = open_span(mitigation);

    if (!span || !live || !live->files || mitigation->kind != rewrite_rule)
        return;
    span->open = false;
    span->until_how = "the configuration in force does not have the rule any more";
    mitigation->state = MITIGATION_REMOVED;
}

static int make_spans(const struct collecting *collecting, const struct log_spans *spans,
                      struct arena *arena, struct mitigations *mitigations)
{
    mitigations->list = arena_array(arena, collecting->count + 1, sizeof *mitigations->list);
    struct mitigation_span *room =
        arena_array(arena, collecting->count + 1, sizeof(struct mitigation_span));
    if (!mitigations->list || !room)
        return -1;
    for (size_t i = 0; i < collecting->count; i++) {
        const struct seen *seen = &collecting->list[i];
        const bool is_new = i == 0 || strcasecmp(seen->name, seen[-1].name) != 0;
        if (is_new)
            mitigations->list[mitigations->count++] = (struct mitigation){
                .name = seen->name, .kind = seen->kind, .cves = seen->cves, .spans = room + i};
        struct mitigation *own = &mitigations->list[mitigations->count - 1];
        take_act(own, seen);
        const bool is_last =
            i + 1 == collecting->count || strcasecmp(seen->name, seen[1].name) != 0;
        if (is_last && seen->act < SEEN_ENABLED)
            end_by_absence(own, spans);
    }
    return 0;
}

/* --- gaps --- */

static bool concerns(const struct mitigation *mitigation, const char *cve)
{
    return strstr(mitigation->cves, cve) != NULL;
}

static bool covers(const struct mitigation_span *span, int64_t time)
{
    const bool began = span->from_bound == BOUND_UNKNOWN || span->from <= time;
    const bool ended = !span->open && (span->until_bound == BOUND_UNKNOWN || span->until <= time);

    return began && !ended;
}

const struct mitigation *mitigation_at(const struct mitigations *mitigations, const char *cve,
                                       int64_t time)
{
    for (size_t i = 0; i < mitigations->count; i++)
        for (size_t j = 0;
             concerns(&mitigations->list[i], cve) && j < mitigations->list[i].span_count; j++)
            if (covers(&mitigations->list[i].spans[j], time))
                return &mitigations->list[i];
    return NULL;
}

/* When the next mitigation or the fix comes; false: neither is seen. */
static bool next_protection(const struct mitigations *mitigations, const struct cve_exposure *cve,
                            int64_t after, int64_t *time)
{
    bool found = cve->until_known && cve->until > after;

    if (found)
        *time = cve->until;
    for (size_t i = 0; i < mitigations->count; i++) {
        const struct mitigation *mitigation = &mitigations->list[i];
        for (size_t j = 0; concerns(mitigation, cve->cve) && j < mitigation->span_count; j++) {
            const struct mitigation_span *span = &mitigation->spans[j];
            if (span->from_bound == BOUND_UNKNOWN || span->from <= after ||
                (found && span->from >= *time))
                continue;
            *time = span->from;
            found = true;
        }
    }
    return found;
}

static int add_gap(const struct mitigations *mitigations, const struct mitigation *mitigation,
                   const struct mitigation_span *span, const struct cve_exposure *cve,
                   struct arena *arena, struct mitigation_gap *gap)
{
    char from[INSTANT_TEXT_SIZE], until[INSTANT_TEXT_SIZE];

    *gap = (struct mitigation_gap){.cve = cve->cve, .name = mitigation->name, .from = span->until};
    gap->until_known = next_protection(mitigations, cve, span->until, &gap->until);
    instant_format(instant_from_unix(gap->from / 1000000, 0), from);
    if (gap->until_known)
        instant_format(instant_from_unix(gap->until / 1000000, 0), until);
    gap->why =
        gap->until_known
            ? arena_format(arena, "'%s' was gone%s on %.10s, and what protects again came on %.10s",
                           mitigation->name,
                           span->until_bound == BOUND_EXACT ? "" : " at the latest", from, until)
            : arena_format(arena,
                           "'%s' was gone%s on %.10s, and nothing that protects came after "
                           "it",
                           mitigation->name,
                           span->until_bound == BOUND_EXACT ? "" : " at the latest", from);
    return gap->why ? 0 : -1;
}

static bool is_gap(const struct mitigations *mitigations, const struct mitigation_span *span,
                   const struct cve_exposure *cve)
{
    return !span->open && span->until_bound != BOUND_UNKNOWN &&
           exposure_at(cve, span->until) == EXPOSURE_VULNERABLE &&
           !mitigation_at(mitigations, cve->cve, span->until);
}

static int by_time(const void *a, const void *b)
{
    const struct mitigation_gap *x = a, *y = b;

    if (x->from != y->from)
        return x->from < y->from ? -1 : 1;
    const int order = strcmp(x->cve, y->cve);
    return order ? order : strcmp(x->name, y->name);
}

static int make_gaps(const struct exposure *exposure, struct arena *arena,
                     struct mitigations *mitigations)
{
    enum { MOST_GAPS = 200 };

    mitigations->gaps = arena_array(arena, MOST_GAPS, sizeof *mitigations->gaps);
    if (!mitigations->gaps)
        return -1;
    for (size_t i = 0; i < mitigations->count; i++) {
        const struct mitigation *mitigation = &mitigations->list[i];
        for (size_t c = 0; *mitigation->cves && c < exposure->cve_count; c++) {
            const struct cve_exposure *cve = &exposure->cves[c];
            for (size_t j = 0; concerns(mitigation, cve->cve) && j < mitigation->span_count; j++)
                if (mitigations->gap_count < MOST_GAPS &&
                    is_gap(mitigations, &mitigation->spans[j], cve) &&
                    add_gap(mitigations, mitigation, &mitigation->spans[j], cve, arena,
                            &mitigations->gaps[mitigations->gap_count++]) < 0)
                    return -1;
        }
    }
    if (mitigations->gap_count)
        qsort(mitigations->gaps, mitigations->gap_count, sizeof *mitigations->gaps, by_time);
    return 0;
}

const struct mitigation_gap *mitigation_gap_at(const struct mitigations *mitigations,
                                               const char *cve, int64_t time)
{
    for (size_t i = 0; i < mitigations->gap_count; i++) {
        const struct mitigation_gap *gap = &mitigations->gaps[i];
        if (strcmp(gap->cve, cve) == 0 && gap->from <= time &&
            (!gap->until_known || time < gap->until))
            return gap;
    }
    return NULL;
}

int mitigations_make(struct case_file *file, const struct exposure *exposure,
                     const struct log_spans *spans, struct arena *arena,
                     struct mitigations *mitigations)
{
    struct collecting collecting = {.arena = arena, .scratch = arena_new(SCRATCH)};
    int result = -1;

    *mitigations = (struct mitigations){0};
    collecting.list = arena_array(arena, MOST_SEEN, sizeof *collecting.list);
    if (collecting.list && collecting.scratch)
        result = case_each_fact(file, take_fact, &collecting);
    if (result == 0 && collecting.count)
        qsort(collecting.list, collecting.count, sizeof *collecting.list, by_name_and_time);
    if (result == 0)
        result = make_spans(&collecting, spans, arena, mitigations);
    if (result == 0)
        result = make_gaps(exposure, arena, mitigations);
    mitigations->left_out = collecting.left_out;
    arena_free(collecting.scratch);
    return result;
}
