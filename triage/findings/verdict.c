#include "triage/findings/findings.h"

#include "triage/base/error.h"
#include "triage/base/instant.h"

#include <stdlib.h>
#include <string.h>

enum { MOST_LIMITS = 64 };

/* --- what cannot be known --- */

static int add_limit(struct findings *findings, const char *text)
{
    struct verdict *verdict = &findings->verdict;

    if (!text)
        return -1;
    if (verdict->limit_count < MOST_LIMITS)
        verdict->limits[verdict->limit_count++] = text;
    return 0;
}

static bool begins_late(const struct reach *reach)
{
    return reach->traced && !reach->days_before_trace;
}

/* What is missing of a log in front, and what was taken away. */
static int limit_of_reach(struct findings *findings, const char *artifact, const char *name)
{
    const struct reach *reach = reach_of(&findings->retention, artifact);

    if (reach && begins_late(reach) &&
        add_limit(
            findings,
            arena_format(findings->arena,
                         reach->begins_after_first_trace
                             ? "the %s begins after the first trace: how it began is not in it"
                             : "the %s begins on the day of the first trace: an earlier one "
                               "may be lost",
                         name)) < 0)
        return -1;
    if (!reach || !reach->deleted)
        return 0;
    return add_limit(findings,
                     arena_format(findings->arena, "%zu file%s of the %s %s deleted%s",
                                  reach->deleted, reach->deleted == 1 ? "" : "s", name,
                                  reach->deleted == 1 ? "was" : "were",
                                  reach->deleted_young
                                      ? ", some within two weeks of their day: no retention does so"
                                      : ""));
}

static int limit_of_log(struct findings *findings, const char *artifact, const char *name)
{
    const struct log_span *span = log_span_of(&findings->spans, artifact);

    if (!span || !span->records)
        return add_limit(findings, arena_format(findings->arena,
                                                "no %s could be read: what only that would "
                                                "show cannot be known",
                                                name));
    if (!span->days)
        return add_limit(findings, arena_format(findings->arena, "the %s has no times", name));
    const long long missing = (long long)log_span_missing(span);
    if (missing &&
        add_limit(findings, arena_format(findings->arena,
                                         "%lld of %lld days between the first and the last record "
                                         "of the %s have no record",
                                         missing, (long long)span->days + missing, name)) < 0)
        return -1;
    if (add_limit(findings, arena_format(findings->arena,
                                         "the %s begins on %.10s and ends on %.10s: "
                                         "nothing is known from outside of that",
                                         name, span->first, span->last)) < 0)
        return -1;
    return limit_of_reach(findings, artifact, name);
}

static int tell_limits(struct findings *findings)
{
    static const struct {
        const char *artifact, *name;
    } logs[] = {
        {"iis_log", "log of the web server (IIS)"},
        {"exchange_httpproxy", "log of the front end (HttpProxy)"},
        {"exchange_ecp_server", "log of the control panel (ECP Server)"},
        {"eventlog", "event log of Windows"},
    };

    findings->verdict.limits =
        arena_array(findings->arena, MOST_LIMITS, sizeof *findings->verdict.limits);
    if (!findings->verdict.limits)
        return -1;
    if (findings->interruption && add_limit(findings, findings->interruption) < 0)
        return -1;
    if (findings->damaged &&
        add_limit(findings,
                  arena_format(findings->arena,
                               "%llu bytes of the evidence are missing or damaged (coverage.json "
                               "has the ranges): what they held is not known",
                               (unsigned long long)findings->damaged)) < 0)
        return -1;
    if (findings->unread &&
        add_limit(findings,
                  arena_format(findings->arena,
                               "%zu files or parts of the evidence could not be read, or not in "
                               "full (coverage.json names them): what they hold is not known",
                               findings->unread)) < 0)
        return -1;
    if (findings->mitigations.left_out &&
        add_limit(findings, "there are more records of mitigations than are kept: their spans and "
                            "gaps may be wrong") < 0)
        return -1;
    for (size_t i = 0; i < sizeof logs / sizeof *logs; i++)
        if (limit_of_log(findings, logs[i].artifact, logs[i].name) < 0)
            return -1;
    return 0;
}

/* --- how far it went --- */

/* Tried while it was open: between being probed and being broken into. */
static bool is_targeted(const struct findings *findings)
{
    for (size_t i = 0; i < findings->outcomes.count; i++) {
        const struct cve_outcome *outcome = &findings->outcomes.list[i];
        if ((outcome->outcome == OUTCOME_ATTEMPTED || outcome->outcome == OUTCOME_FAILED) &&
            outcome->at_first == EXPOSURE_VULNERABLE)
            return true;
    }
    return false;
}

static void widen(struct verdict *verdict, const struct incident *incident)
{
    if (!incident->dated)
        return;
    if (!verdict->dated || incident->first < verdict->first)
        verdict->first = incident->first;
    if (!verdict->dated || incident->last > verdict->last)
        verdict->last = incident->last;
    verdict->dated = true;
}

/* Without the logs of the web server, "nothing" is not "clean". */
static bool is_blind(const struct findings *findings)
{
    const struct log_span *iis = log_span_of(&findings->spans, "iis_log");
    const struct log_span *proxy = log_span_of(&findings->spans, "exchange_httpproxy");
    const int64_t days = (iis ? iis->days : 0) + (proxy ? proxy->days : 0);

    return days == 0 || (iis && proxy && log_span_missing(iis) > iis->days &&
                         log_span_missing(proxy) > proxy->days);
}

/* Something demonstrably went out; mail that was read or exported is likely to have. */
static bool has_left(const struct findings *findings)
{
    for (size_t i = 0; i < findings->taken_count; i++)
        if (findings->taken[i].status == TAKEN_CONFIRMED)
            return true;
    return false;
}

void findings_find_rung(struct findings *findings)
{
    struct verdict *verdict = &findings->verdict;
    const struct incidents *incidents = &findings->incidents;
    enum confidence doubt = CONFIDENCE_NONE;

    for (size_t i = 0; i < incidents->count; i++)
        if (incidents->list[i].rung > verdict->rung)
            verdict->rung = incidents->list[i].rung;
    for (size_t i = 0; i < incidents->count; i++) {
        const struct incident *incident = &incidents->list[i];
        if (incident->rung == verdict->rung && incident->confidence > verdict->confidence &&
            verdict->rung > RUNG_NOTHING)
            verdict->confidence = incident->confidence;
        if (incident->rung < RUNG_EXPLOITED && !incident->scanning && incident->confidence > doubt)
            doubt = CONFIDENCE_SUSPICIOUS;
        if (incident->rung >= RUNG_EXPLOITED || verdict->rung < RUNG_EXPLOITED)
            widen(verdict, incident);
    }
    if (verdict->rung == RUNG_STOLEN && !has_left(findings) &&
        verdict->confidence > CONFIDENCE_PROBABLE)
        verdict->confidence = CONFIDENCE_PROBABLE;
    if (verdict->rung == RUNG_PROBED && is_targeted(findings))
        verdict->rung = RUNG_TARGETED;
    if (verdict->rung == RUNG_NOTHING)
        verdict->confidence = doubt;
    verdict->is_blind =
        verdict->rung < RUNG_EXPLOITED && (findings->interruption || is_blind(findings));
    verdict->not_determinable = verdict->is_blind && verdict->rung == RUNG_NOTHING && !doubt;
}

/* The ladder's name for its lowest rung would say of traces that there are none. */
static const char unexplained_name[] = "traces that somebody must explain";

const char *incident_name(const struct incident *incident)
{
    return incident->rung == RUNG_NOTHING ? unexplained_name : rung_name(incident->rung);
}

const char *verdict_name(const struct verdict *verdict)
{
    if (verdict->not_determinable)
        return "cannot be told";
    if (verdict->rung == RUNG_NOTHING && verdict->confidence != CONFIDENCE_NONE)
        return unexplained_name;
    return rung_name(verdict->rung);
}

/* --- in words --- */

static void add_intrusions(const struct findings *findings, struct buffer *text)
{
    size_t intrusions = 0, actors = 0, pages = 0;

    for (size_t i = 0; i < findings->incidents.count; i++) {
        const struct incident *incident = &findings->incidents.list[i];
        if (incident->rung < RUNG_EXPLOITED)
            continue;
        intrusions++;
        for (size_t j = 0; j < incident->actor_count; j++)
            actors += incident->actors[j].rung >= RUNG_EXPLOITED;
        for (size_t j = 0; j < incident->file_count; j++)
            pages += incident->files[j].rung >= RUNG_PLACED && incident->files[j].seen;
    }
    if (intrusions > 1)
        buffer_format(text, " There are %zu intrusions that share neither address nor file.",
                      intrusions);
    if (actors)
        buffer_format(text, " %zu address%s took part.", actors, actors == 1 ? "" : "es");
    if (pages)
        buffer_format(text, " %zu file%s of the intruder's %s, or %s, on the server.", pages,
                      pages == 1 ? "" : "s", pages == 1 ? "is" : "are",
                      pages == 1 ? "was" : "were");
}

static void add_losses(const struct findings *findings, struct buffer *text)
{
    size_t counts[3] = {0}, addresses = 0;
    long long mebibytes = 0;

    for (size_t i = 0; i < findings->taken_count; i++) {
        const struct taken *taken = &findings->taken[i];
        counts[taken->status] += !taken->answers;
        addresses += taken->answers;
        mebibytes += taken->answers ? taken->size >> 20 : 0;
    }
    if (counts[TAKEN_CONFIRMED])
        buffer_format(text, " %zu file%s demonstrably left the server.", counts[TAKEN_CONFIRMED],
                      counts[TAKEN_CONFIRMED] == 1 ? "" : "s");
    if (counts[TAKEN_LIKELY])
        buffer_format(text, " Mail was probably read or exported (%zu trace%s).",
                      counts[TAKEN_LIKELY], counts[TAKEN_LIKELY] == 1 ? "" : "s");
    if (addresses)
        buffer_format(text, " The web logs count %lld MiB of answers to %zu of these addresses.",
                      mebibytes, addresses);
    if (counts[TAKEN_PREPARED])
        buffer_format(text, " %zu archive%s or dump%s %s made ready; that %s fetched is not shown.",
                      counts[TAKEN_PREPARED], counts[TAKEN_PREPARED] == 1 ? "" : "s",
                      counts[TAKEN_PREPARED] == 1 ? "" : "s",
                      counts[TAKEN_PREPARED] == 1 ? "was" : "were",
                      counts[TAKEN_PREPARED] == 1 ? "it was" : "they were");
}

/* Of the vulnerabilities that were used, the one whose story says most: they are in that order.
 * What the broken update did is told already. */
static void add_timing(const struct findings *findings, struct buffer *text)
{
    const struct cve_outcome *told = NULL;

    for (size_t i = 0; i < findings->outcomes.count; i++) {
        const struct cve_outcome *outcome = &findings->outcomes.list[i];
        if (outcome->timing != TIMING_UNKNOWN && (!told || outcome->timing < told->timing))
            told = outcome;
    }
    if (told && told->timing != TIMING_DURING_BROKEN_UPDATE)
        buffer_format(text, " %s: %s.", told->exposure->cve, told->timing_why);
}

static void add_state(const struct findings *findings, struct buffer *text)
{
    const struct exposure *exposure = &findings->exposure;

    if (exposure->name)
        buffer_format(text, " Installed: %s (%s).", exposure->name,
                      exposure->build ? exposure->build : "build unknown");
    if (exposure->update_state == UPDATE_FAILED || exposure->update_state == UPDATE_PARTIAL)
        buffer_format(text, " The last update did not take (%s): %s.",
                      update_name(exposure->update_state), exposure->update_why);
    add_timing(findings, text);
}

/* The web logs tell how an intruder came in: when none of them is older than the first trace, there
 * may have been one before it. */
static void add_reach(const struct findings *findings, struct buffer *text)
{
    const struct reach *iis = reach_of(&findings->retention, "iis_log");
    const struct reach *proxy = reach_of(&findings->retention, "exchange_httpproxy");

    if (findings->verdict.rung < RUNG_EXPLOITED || (!iis && !proxy) || (iis && !begins_late(iis)) ||
        (proxy && !begins_late(proxy)))
        return;
    buffer_add_text(text, " No web log begins before that day: it may have begun earlier.");
}

static void add_opening(const struct findings *findings, struct buffer *text)
{
    static const char *const openings[RUNG_COUNT] = {
        "No trace of an attack was found in what could be read.",
        "The server was scanned or probed. Nothing shows that anybody got in.",
        "The server was attacked while it was vulnerable. Nothing shows that it succeeded.",
        "A vulnerability of the server was exploited.",
        "The server was broken into: code or files of an intruder were placed on it.",
        "The server was broken into, and a web shell on it was used.",
        "The server was broken into, and its intruder gave commands or took credentials.",
        "The server was broken into, and data was taken from it.",
        "The server was broken into, and data on it was encrypted or destroyed.",
    };
    static const char *const doubts[] = {"", " This is a suspicion.", " This is probable.", ""};
    const struct verdict *verdict = &findings->verdict;
    char first[INSTANT_TEXT_SIZE], last[INSTANT_TEXT_SIZE];

    if (findings->interruption)
        buffer_format(text, "%s ", findings->interruption);
    if (verdict->not_determinable && findings->interruption) {
        buffer_add_text(text, "Nothing was found in what was read up to then. That does not mean "
                              "that nothing happened.");
        return;
    }
    if (verdict->not_determinable) {
        buffer_add_text(text, "Whether the server was attacked cannot be told: the logs that would "
                              "show it are missing. That nothing was found does not mean that "
                              "nothing happened.");
        return;
    }
    if (verdict->rung == RUNG_NOTHING && verdict->confidence)
        buffer_add_text(text,
                        "No intrusion was recognised, but there are traces that somebody must "
                        "explain.");
    else
        buffer_add_text(text, openings[verdict->rung]);
    if (verdict->is_blind)
        buffer_add_text(text, findings->interruption
                                  ? " What was not read may show more."
                                  : " Whether anybody got in cannot be told: the logs that would "
                                    "show it are missing.");
    if (verdict->rung < RUNG_EXPLOITED && findings->unread)
        buffer_format(text,
                      " %zu files or parts of the evidence could not be read, or not in full.",
                      findings->unread);
    if (verdict->rung >= RUNG_EXPLOITED)
        buffer_add_text(text, doubts[verdict->confidence]);
    if (verdict->dated)
        buffer_format(text, " First trace %s UTC, last %s UTC.",
                      instant_words(verdict->first, INSTANT_MINUTE, first),
                      instant_words(verdict->last, INSTANT_MINUTE, last));
}

int findings_tell_verdict(struct findings *findings)
{
    struct buffer text = BUFFER_EMPTY;

    if (tell_limits(findings) < 0)
        return -1;
    add_opening(findings, &text);
    add_reach(findings, &text);
    add_intrusions(findings, &text);
    add_losses(findings, &text);
    add_state(findings, &text);
    findings->verdict.summary = arena_text(findings->arena, buffer_slice(&text));
    buffer_release(&text);
    return findings->verdict.summary ? 0 : -1;
}
