/* What rules say of other rules: filters and correlations, put together once all are loaded. For
 * the files of this folder only. */
#ifndef TRIAGE_MATCH_RULE_LINKS_H
#define TRIAGE_MATCH_RULE_LINKS_H

#include "triage/match/rule_set.h"

/* Joins filters to the rules they name and correlations to those they rest on. A rule that cannot
 * be joined gets a state and a reason; -1 only when memory is out. */
int rule_links_make(struct rule_set *set);

#endif
