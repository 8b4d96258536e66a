/* What lists of indicators demand of an event, in the form that nominators take. */
#ifndef TRIAGE_MATCH_INDICATOR_DEMANDS_H
#define TRIAGE_MATCH_INDICATOR_DEMANDS_H

#include "triage/match/indicator_table.h"
#include "triage/match/literals.h"

/* First the demand of all indicators that are texts, then one for each regular expression (of
 * requests none is looked for). No count: no indicator is a text. NULL when memory is out. */
struct literal_demands *indicator_demands(const struct indicator_table *table, bool requests,
                                          struct arena *arena, size_t *count);

#endif
