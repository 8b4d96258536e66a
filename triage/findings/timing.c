#include "triage/findings/timing.h"

#include "triage/base/buffer.h"
#include "triage/base/instant.h"

const char *timing_name(enum timing timing)
{
    static const char *const names[] = {
        NULL,
        "after_the_fix",
        "during_a_broken_update",
        "in_a_mitigation_gap",
        "despite_a_mitigation",
        "patched_after_the_compromise",
        "never_patched",
    };

    return names[timing];
}

/* "6 days and 3 hours". */
static const char *span_words(int64_t microseconds, struct arena *arena)
{
    const long long hours = microseconds / INT64_C(3600000000), days = hours / 24;

    if (hours == 0)
        return "less than an hour";
    if (days == 0)
        return arena_format(arena, "%lld hour%s", hours, hours == 1 ? "" : "s");
    return arena_format(arena, "%lld day%s%s", days, days == 1 ? "" : "s",
                        days < 3 && hours % 24 ? arena_format(arena, " and %lld hour%s", hours % 24,
                                                              hours % 24 == 1 ? "" : "s")
                                               : "");
}

/* An update that claims to be there, and is not or not in full, when it happened. */
static bool is_during_broken_update(const struct exposure *exposure, int64_t time)
{
    return (exposure->update_state == UPDATE_PARTIAL || exposure->update_state == UPDATE_FAILED) &&
           exposure->claimed_dated && exposure->claimed_time <= time;
}

static const char *patched_after(const struct cve_exposure *cve, int64_t proof, struct arena *arena)
{
    char when[INSTANT_TEXT_SIZE];
    const char *span = span_words(cve->until - proof, arena);

    return span ? arena_format(arena,
                               "patched after the compromise: the fix came at %s UTC, %s after the "
                               "first success; an update takes nothing away that an intruder left",
                               instant_words(cve->until, INSTANT_MINUTE, when), span)
                : NULL;
}

static int tell(struct cve_outcome *outcome, const struct exposure *exposure,
                const struct mitigations *mitigations, struct arena *arena)
{
    const struct cve_exposure *cve = outcome->exposure;
    const int64_t proof = outcome->proof_time;
    const struct mitigation_gap *gap = mitigation_gap_at(mitigations, cve->cve, proof);
    const struct mitigation *in_place = mitigation_at(mitigations, cve->cve, proof);

    if (outcome->at_first == EXPOSURE_FIXED) {
        outcome->timing = TIMING_AFTER_FIX;
        outcome->timing_why = "it happened after the fix was installed: the fix was not in force, "
                              "or what it rests on means something else";
    } else if (is_during_broken_update(exposure, proof)) {
        outcome->timing = TIMING_DURING_BROKEN_UPDATE;
        outcome->timing_why =
            arena_format(arena, "compromised while an update was registered that did not take: %s",
                         exposure->update_why);
    } else if (gap) {
        outcome->timing = TIMING_IN_MITIGATION_GAP;
        outcome->timing_why =
            arena_format(arena, "compromised in a gap of the mitigations: %s", gap->why);
    } else if (in_place) {
        outcome->timing = TIMING_DESPITE_MITIGATION;
        outcome->timing_why = arena_format(
            arena, "compromised although '%s' was in place: it was passed by, or not in force",
            in_place->name);
    } else if (cve->until_known && cve->until > proof) {
        outcome->timing = TIMING_PATCHED_AFTER;
        outcome->timing_why = patched_after(cve, proof, arena);
    } else if (cve->state == EXPOSURE_VULNERABLE) {
        outcome->timing = TIMING_NEVER_PATCHED;
        outcome->timing_why = "the fix was never installed: the server is still open";
    } else {
        return 0;
    }
    return outcome->timing_why ? 0 : -1;
}

int timing_tell(struct outcomes *outcomes, const struct exposure *exposure,
                const struct mitigations *mitigations, struct arena *arena)
{
    for (size_t i = 0; i < outcomes->count; i++) {
        struct cve_outcome *outcome = &outcomes->list[i];
        if (outcome->outcome == OUTCOME_SUCCEEDED && outcome->proof_dated &&
            tell(outcome, exposure, mitigations, arena) < 0)
            return -1;
    }
    return 0;
}
