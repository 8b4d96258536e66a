/* What came of each vulnerability on this server: nothing seen, tried, failed, succeeded, or not to
 * be told, each with its reasons. */
#ifndef TRIAGE_FINDINGS_OUTCOME_H
#define TRIAGE_FINDINGS_OUTCOME_H

#include "triage/findings/exposure.h"
#include "triage/findings/log_span.h"
#include "triage/findings/sightings.h"

enum outcome {
    OUTCOME_NOT_DETERMINABLE,
    OUTCOME_NONE_SEEN,
    OUTCOME_FAILED,
    OUTCOME_ATTEMPTED,
    OUTCOME_SUCCEEDED
};

const char *outcome_name(enum outcome outcome);

/* How a success lies to updates and mitigations in time. */
enum timing {
    TIMING_UNKNOWN,
    TIMING_AFTER_FIX,
    TIMING_DURING_BROKEN_UPDATE,
    TIMING_IN_MITIGATION_GAP,
    TIMING_DESPITE_MITIGATION,
    TIMING_PATCHED_AFTER,
    TIMING_NEVER_PATCHED,
};

/* NULL when it is not known. */
const char *timing_name(enum timing timing);

struct cve_outcome {
    const struct cve_exposure *exposure; /* its `cve` is always set */
    enum outcome outcome;
    const char *why;
    size_t *sightings; /* indices, in their order */
    size_t count;
    bool dated;
    int64_t first, last;
    enum exposure_state at_first; /* what the server was when it was first tried */
    bool proof_dated;             /* of the first indicator that proves success */
    int64_t proof_time;
    enum timing timing;
    const char *timing_why; /* a sentence; NULL */
};

struct outcomes {
    struct cve_outcome *list;
    size_t count;
};

/* For each vulnerability of the table of fixes and each that a detection names. -1 with
 * error_text. */
int outcomes_make(const struct sightings *sightings, const struct judgements *judgements,
                  struct exposure *exposure, const struct log_spans *spans, struct arena *arena,
                  struct outcomes *outcomes);

#endif
