/* What is doubtful about a rule that was understood: fields that no record of its source has,
 * conditions that nothing can meet. */
#ifndef TRIAGE_MATCH_RULE_CHECK_H
#define TRIAGE_MATCH_RULE_CHECK_H

#include "triage/match/rules.h"

/* Tells each warning, one sentence without an end; gives their count. */
size_t rule_check(const struct rule_set *set, size_t rule,
                  void (*tell)(void *context, const char *text), void *context);

#endif
