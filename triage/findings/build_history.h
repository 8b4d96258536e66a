/* The builds of Exchange that a server had over time, from facts of the case. For exposure.c. */
#ifndef TRIAGE_FINDINGS_BUILD_HISTORY_H
#define TRIAGE_FINDINGS_BUILD_HISTORY_H

#include "triage/findings/exposure.h"

/* Fills the history, what is claimed, and whether the last update took. `files` is the path of
 * update_files.tsv. -1 with error_text. */
int build_history_make(struct case_file *file, const struct exchange_builds *builds,
                       const char *files, struct arena *arena, struct exposure *exposure);

#endif
