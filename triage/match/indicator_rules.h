/* Indicator lists as rules: what a list names under one campaign and one level is one rule, however
 * many values that are. */
#ifndef TRIAGE_MATCH_INDICATOR_RULES_H
#define TRIAGE_MATCH_INDICATOR_RULES_H

#include "triage/match/indicator_match.h"
#include "triage/match/rule_set.h"

/* Loads one list into the set; what is not understood becomes refused rules. -1 only when memory is
 * out. */
int indicator_rules_load(struct rule_set *set, const struct rule_file *file);
/* After the last list. */
int indicator_rules_compile(struct rule_set *set);

#endif
