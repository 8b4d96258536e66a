/*
 * What decides what a run finds: the program, the evidence as it lies there, the rules, the
 * options. A run that was interrupted is gone on with only when all of it is the same, or its rows
 * would be of two runs.
 */
#ifndef TRIAGE_COMMANDS_RUN_IDENTITY_H
#define TRIAGE_COMMANDS_RUN_IDENTITY_H

#include "triage/commands/common.h"

/* Before the survey. When the case is resumed it has to be what it was when the run began; -1 with
 * error_text, which names what differs. */
int run_identity_check(const struct options *options, const struct rule_set *rules,
                       const struct known_good *known, struct case_file *file);
/* Likewise after the survey, for the segments of images. */
int run_identity_check_segments(const struct options *options, const struct session *session,
                                struct case_file *file);

#endif
