/* Which of many rules could match an event: one pass over its texts for the literals of all rules
 * at once. */
#ifndef TRIAGE_MATCH_NOMINATOR_H
#define TRIAGE_MATCH_NOMINATOR_H

#include "triage/match/literals.h"

struct nominator;

/* For rules numbered from 0 with these sets, which are borrowed; a rule with an empty set is always
 * nominated. */
int nominator_new(const struct literal_set *const *sets, size_t count, struct nominator **out);
void nominator_free(struct nominator *nominator);
/* 64-bit words that `marks` needs. */
size_t nominator_words(const struct nominator *nominator);
/* Clears the marks but for the rules that are always nominated. */
void nominator_start(const struct nominator *nominator, uint64_t *marks);
/* Sets the marks of rules whose literals stand in the text. */
void nominator_add(const struct nominator *nominator, struct slice text, uint64_t *marks);

#endif
