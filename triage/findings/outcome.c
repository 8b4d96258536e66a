#include "triage/findings/outcome.h"

#include "triage/base/error.h"
#include "triage/base/instant.h"

#include <stdlib.h>
#include <string.h>

const char *outcome_name(enum outcome outcome)
{
    static const char *const names[] = {"not_determinable", "none_seen", "failed", "attempted",
                                        "succeeded"};

    return names[outcome];
}

/* Whether a comma separated list holds the word. */
static bool list_holds(const char *list, const char *word)
{
    const size_t size = strlen(word);

    for (const char *at = list; (at = strstr(at, word)); at += size)
        if ((at == list || at[-1] == ',') && (at[size] == 0 || at[size] == ','))
            return true;
    return false;
}

/* --- which vulnerabilities there are --- */

static bool is_known(const struct exposure *exposure, const char *cve)
{
    return exposure_of(exposure, cve) != NULL;
}

/* Vulnerabilities that only a detection names, such as one of the time before the table. */
static int add_named(struct exposure *exposure, const char *list, struct arena *arena)
{
    while (*list) {
        const size_t size = strcspn(list, ",");
        char *cve = arena_text(arena, slice_of(list, size));
        if (!cve)
            return -1;
        if (size && !is_known(exposure, cve))
            exposure->cves[exposure->cve_count++] = (struct cve_exposure){
                .cve = cve, .fix = "", .why = "the table of fixes does not know it"};
        list += size + (list[size] == ',');
    }
    return 0;
}

static int complete_table(const struct judgements *judgements, struct exposure *exposure,
                          struct arena *arena)
{
    size_t most = exposure->cve_count;

    for (size_t i = 0; i < judgements->count; i++)
        most += 2 + (strlen(judgements->rows[i].proves) + strlen(judgements->rows[i].suggests)) / 9;
    struct cve_exposure *grown = arena_array(arena, most, sizeof *grown);
    if (!grown)
        return -1;
    if (exposure->cve_count)
        memcpy(grown, exposure->cves, exposure->cve_count * sizeof *grown);
    exposure->cves = grown;
    for (size_t i = 0; i < judgements->count; i++)
        if (add_named(exposure, judgements->rows[i].proves, arena) < 0 ||
            add_named(exposure, judgements->rows[i].suggests, arena) < 0)
            return -1;
    return 0;
}

/* --- what was seen of one --- */

struct seen {
    size_t proofs, hints, tries, refused, unanswered;
    const struct sighting *first_proof;
};

static bool is_named(const struct judgements *judgements, const char *cve)
{
    for (size_t i = 0; i < judgements->count; i++)
        if (list_holds(judgements->rows[i].proves, cve) ||
            list_holds(judgements->rows[i].suggests, cve))
            return true;
    return false;
}

static void add_time(struct cve_outcome *outcome, const struct sighting *sighting)
{
    if (!sighting->dated || sighting->loose_time)
        return;
    if (!outcome->dated)
        outcome->first = sighting->time;
    outcome->dated = true;
    outcome->last = sighting->time;
}

static void add_sighting(const struct sighting *sighting, bool proves, struct cve_outcome *outcome,
                         struct seen *seen)
{
    add_time(outcome, sighting);
    if (!sighting_succeeded(sighting))
        seen->tries++;
    else if (!proves)
        seen->hints++;
    else if (seen->proofs++ == 0 || (seen->first_proof->loose_time && !sighting->loose_time))
        seen->first_proof = sighting;
    if (sighting->status >= 300 && sighting->status < 500)
        seen->refused++;
    else if (!sighting_succeeded(sighting))
        seen->unanswered++;
}

enum { SAYS_NOTHING, SUGGESTS, PROVES };

/* What each detection says of this vulnerability, by its number. */
static uint8_t *list_meanings(const struct judgements *judgements, const char *cve,
                              struct arena *arena)
{
    uint8_t *meanings = arena_array(arena, judgements->count + 1, sizeof *meanings);

    for (size_t i = 0; i < judgements->count && meanings; i++)
        meanings[i] = list_holds(judgements->rows[i].proves, cve)     ? PROVES
                      : list_holds(judgements->rows[i].suggests, cve) ? SUGGESTS
                                                                      : SAYS_NOTHING;
    return meanings;
}

static int look(const struct sightings *sightings, const struct judgements *judgements,
                struct cve_outcome *outcome, struct arena *arena, struct seen *seen)
{
    const uint8_t *meanings = list_meanings(judgements, outcome->exposure->cve, arena);
    size_t count = 0;

    for (size_t i = 0; i < sightings->count && meanings; i++)
        count += meanings[sightings->list[i].judgement->number] != SAYS_NOTHING;
    outcome->sightings =
        meanings ? arena_array(arena, count + 1, sizeof *outcome->sightings) : NULL;
    if (!outcome->sightings)
        return -1;
    for (size_t i = 0; i < sightings->count && count; i++) {
        const uint8_t meaning = meanings[sightings->list[i].judgement->number];
        if (meaning == SAYS_NOTHING)
            continue;
        outcome->sightings[outcome->count++] = i;
        add_sighting(&sightings->list[i], meaning == PROVES, outcome, seen);
    }
    return 0;
}

static const char *state_words(enum exposure_state state)
{
    static const char *const words[] = {
        "when it is not known whether the server was vulnerable",
        "on a version that never had the vulnerability",
        "after the fix",
        "when it cannot be told whether the fix was in force",
        "while the server was vulnerable",
    };

    return words[state];
}

/* --- what "nothing seen" is worth --- */

/* The logs that would show it. */
static const char *const *logs_for(const char *cve)
{
    static const char *const web[] = {"exchange_httpproxy", "iis_log", NULL};
    static const char *const voice[] = {"eventlog", "eventlog_export", NULL};
    static const char *const book[] = {"exchange_oab", "iis_log", "exchange_httpproxy", NULL};

    return strcmp(cve, "CVE-2021-26857") == 0   ? voice
           : strcmp(cve, "CVE-2021-26858") == 0 ? book
                                                : web;
}

static const char *log_words(const struct log_spans *spans, const char *cve, struct arena *arena)
{
    const char *text = "";

    for (const char *const *log = logs_for(cve); *log && text; log++) {
        const struct log_span *span = log_span_of(spans, *log);
        if (!span || !span->records)
            continue;
        text = *span->first
                   ? arena_format(arena, "%s%s%s from %.10s to %.10s (%lld of %lld days)", text,
                                  *text ? ", " : "", *log, span->first, span->last,
                                  (long long)span->days,
                                  (long long)(span->last_day - span->first_day + 1))
                   : arena_format(arena, "%s%s%s without times", text, *text ? ", " : "", *log);
    }
    return text;
}

static int judge_silence(const struct judgements *judgements, const struct log_spans *spans,
                         struct cve_outcome *outcome, struct arena *arena)
{
    const char *cve = outcome->exposure->cve;
    const char *logs = log_words(spans, cve, arena);

    if (!logs)
        return -1;
    if (!is_named(judgements, cve)) {
        outcome->outcome = OUTCOME_NOT_DETERMINABLE;
        outcome->why = "its use leaves no traces that are looked for here";
    } else if (!*logs) {
        outcome->outcome = OUTCOME_NOT_DETERMINABLE;
        outcome->why = "none of the logs that would show it is there";
    } else {
        outcome->outcome = OUTCOME_NONE_SEEN;
        outcome->why = arena_format(
            arena, "nothing of it in %s; outside of these days it cannot be known", logs);
    }
    return outcome->why ? 0 : -1;
}

static int judge(const struct seen *seen, struct cve_outcome *outcome, struct arena *arena)
{
    char day[INSTANT_TEXT_SIZE] = "an unknown time";
    const char *when = outcome->dated ? instant_words(outcome->first, INSTANT_SECOND, day) : day;

    outcome->at_first =
        outcome->dated ? exposure_at(outcome->exposure, outcome->first) : outcome->exposure->state;
    if (seen->proofs) {
        char proof_day[INSTANT_TEXT_SIZE] = "an unknown time";
        const struct sighting *proof = seen->first_proof;
        outcome->outcome = OUTCOME_SUCCEEDED;
        if (proof->dated && !proof->loose_time) {
            outcome->at_first = exposure_at(outcome->exposure, proof->time);
            outcome->proof_dated = true;
            outcome->proof_time = proof->time;
        }
        outcome->why =
            arena_format(arena, "succeeded %s: %zu indicators show it, the first (%s) at %s: %s",
                         state_words(outcome->at_first), seen->proofs, proof->rule,
                         proof->dated && !proof->loose_time
                             ? instant_words(proof->time, INSTANT_SECOND, proof_day)
                             : proof_day,
                         *proof->judgement->step ? proof->judgement->step : proof->title);
    } else if (seen->hints) {
        outcome->outcome = OUTCOME_ATTEMPTED;
        outcome->why = arena_format(
            arena, "attempted %s, from %s on: %zu indicators suggest success, none proves it",
            state_words(outcome->at_first), when, seen->hints);
    } else if (!seen->unanswered) {
        outcome->outcome = OUTCOME_FAILED;
        outcome->why = arena_format(arena, "failed %s: all %zu requests, from %s on, were refused",
                                    state_words(outcome->at_first), seen->refused, when);
    } else {
        outcome->outcome = OUTCOME_ATTEMPTED;
        outcome->why = arena_format(
            arena,
            "attempted %s, from %s on: %zu requests, of which %zu were refused; none shows success",
            state_words(outcome->at_first), when, seen->tries, seen->refused);
    }
    return outcome->why ? 0 : -1;
}

static int by_weight(const void *a, const void *b)
{
    const struct cve_outcome *x = a, *y = b;

    if (x->outcome != y->outcome)
        return x->outcome < y->outcome ? 1 : -1;
    if (x->exposure->state != y->exposure->state)
        return x->exposure->state < y->exposure->state ? 1 : -1;
    return strcmp(x->exposure->cve, y->exposure->cve);
}

int outcomes_make(const struct sightings *sightings, const struct judgements *judgements,
                  struct exposure *exposure, const struct log_spans *spans, struct arena *arena,
                  struct outcomes *outcomes)
{
    if (complete_table(judgements, exposure, arena) < 0)
        return -1;
    outcomes->list = arena_array(arena, exposure->cve_count + 1, sizeof *outcomes->list);
    outcomes->count = exposure->cve_count;
    if (!outcomes->list)
        return -1;
    for (size_t i = 0; i < outcomes->count; i++) {
        struct cve_outcome *outcome = &outcomes->list[i];
        struct seen seen = {0};
        outcome->exposure = &exposure->cves[i];
        if (look(sightings, judgements, outcome, arena, &seen) < 0 ||
            (outcome->count ? judge(&seen, outcome, arena)
                            : judge_silence(judgements, spans, outcome, arena)) < 0)
            return -1;
    }
    qsort(outcomes->list, outcomes->count, sizeof *outcomes->list, by_weight);
    return 0;
}
