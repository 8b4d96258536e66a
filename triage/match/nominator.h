/* Which of many rules could match an event: one pass over its texts for the literals of all rules
 * at once. */
#ifndef TRIAGE_MATCH_NOMINATOR_H
#define TRIAGE_MATCH_NOMINATOR_H

#include "triage/match/literals.h"

struct nominator;

/* For rules numbered from 0 with these demands, which are borrowed; a rule without any is always
 * nominated. */
int nominator_new(const struct literal_demands *const *rules, size_t count, struct nominator **out);
void nominator_free(struct nominator *nominator);
/* 64-bit words that the marks of what was found need, and those for one bit per rule. */
size_t nominator_mark_words(const struct nominator *nominator);
size_t nominator_rule_words(const struct nominator *nominator);
/* Clears the marks. */
void nominator_start(const struct nominator *nominator, uint64_t *marks);
/* Marks the literals that stand in the text: a value, or values with what separates them. */
void nominator_add(const struct nominator *nominator, struct slice text, uint64_t *marks);
/* As nominator_add for a text in which a value may end anywhere. */
void nominator_add_loose(const struct nominator *nominator, struct slice text, uint64_t *marks);
/* Whether the texts so far meet all demands of any rule. */
bool nominator_any(const struct nominator *nominator, const uint64_t *marks);
/* Sets the bits of all such rules in `rules`, clears the others. */
void nominator_rules(const struct nominator *nominator, const uint64_t *marks, uint64_t *rules);

#endif
