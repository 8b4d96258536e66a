/* What lists of indicators demand of an event, in the form that nominators take. */
#ifndef TRIAGE_MATCH_INDICATOR_DEMANDS_H
#define TRIAGE_MATCH_INDICATOR_DEMANDS_H

#include "triage/match/indicator_table.h"
#include "triage/match/literals.h"

/* One for each regular expression (of requests none is looked for), then that of all indicators
 * that are texts, unless all of them are looked for by indicator_wide(). No count: nothing is
 * demanded. NULL when memory is out. */
struct literal_demands *indicator_demands(const struct indicator_table *table, bool requests,
                                          struct arena *arena, size_t *count);

#endif
