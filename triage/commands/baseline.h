/* What is known of files: Microsoft's lists, the user's sets of hashes, a clean server. */
#ifndef TRIAGE_COMMANDS_BASELINE_H
#define TRIAGE_COMMANDS_BASELINE_H

#include "triage/commands/common.h"
#include "triage/match/known_good.h"

/* Reads all that the options name; NULL with error_text. */
struct known_good *known_good_from_options(const struct options *options);

#endif
