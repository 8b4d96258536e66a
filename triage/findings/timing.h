/* The race between updates and intruders (CR-12): patched after the compromise, broken into while
 * an update was half installed, or while a mitigation was gone. */
#ifndef TRIAGE_FINDINGS_TIMING_H
#define TRIAGE_FINDINGS_TIMING_H

#include "triage/findings/mitigations.h"
#include "triage/findings/outcome.h"

/* Sets the timing of each outcome that succeeded. -1 with error_text. */
int timing_tell(struct outcomes *outcomes, const struct exposure *exposure,
                const struct mitigations *mitigations, struct arena *arena);

#endif
