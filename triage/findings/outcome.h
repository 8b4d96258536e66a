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

struct cve_outcome {
    const struct cve_exposure *exposure; /* its `cve` is always set */
    enum outcome outcome;
    const char *why;
    size_t *sightings; /* indices, in their order */
    size_t count;
    bool dated;
    int64_t first, last;
    enum exposure_state at_first; /* what the server was when it was first tried */
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
