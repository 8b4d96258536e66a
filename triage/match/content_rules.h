/* Files of YARA rules, and what their metadata says of each rule. */
#ifndef TRIAGE_MATCH_CONTENT_RULES_H
#define TRIAGE_MATCH_CONTENT_RULES_H

#include "triage/match/rule_set.h"

/* Adds the rules of the file; one that does not compile is kept as RULE_NOT_LOADED. -1 with
 * error_text when memory is out. */
int content_rules_load(struct rule_set *set, const struct rule_file *file);

#endif
