/* Files of Sigma rules: YAML documents, alone or as a collection. */
#ifndef TRIAGE_MATCH_SIGMA_RULES_H
#define TRIAGE_MATCH_SIGMA_RULES_H

#include "triage/match/rule_set.h"

/* Adds the rules of the file; what is not understood is kept as RULE_NOT_LOADED. -1 with error_text
 * when memory is out. */
int sigma_rules_load(struct rule_set *set, const struct rule_file *file);

#endif
