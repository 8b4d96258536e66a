/*
 * Files beside rules that say how they are to be read: values of placeholders, log sources. They
 * hold for the rules in their folder and below, and for what is loaded behind it.
 */
#ifndef TRIAGE_MATCH_RULE_SETTINGS_H
#define TRIAGE_MATCH_RULE_SETTINGS_H

#include "triage/match/rule_set.h"

/* Whether a file of that name holds settings and no rules. */
bool rule_settings_has(const char *name);
/* Reads them; -1 with error_text when they cannot be read or are not understood. */
int rule_settings_load(struct rule_set *set, const char *name, const char *path);

#endif
