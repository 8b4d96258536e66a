/* What a record must contain for a rule to match it: the literals that the prefilter looks for. */
#ifndef TRIAGE_MATCH_LITERALS_H
#define TRIAGE_MATCH_LITERALS_H

#include "triage/match/expression.h"
#include "triage/match/prefilter.h"

/*
 * At least one of the literals stands in the text of each record that the rule matches, or in its
 * values; ASCII letters in any case, raw or percent-decoded. No literal: nothing is promised. That
 * holds as long as values are parts of the record's text but for doubled quotes, which is what
 * artifacts with a line-wise log give.
 */
struct literal_set {
    const struct literal *list;
    size_t count;
    double cost; /* how many places in a megabyte of ordinary logs they are expected at */
};

/* All that a rule demands of a record: each of the sets. The first is the cheapest, the one to look
 * for; the others are worth asking for once that one was found. No set: nothing is promised. */
struct literal_demands {
    const struct literal_set *sets;
    size_t count;
};

enum { LITERAL_SHORTEST = 3, LITERAL_DEMANDS_MOST = 6 };

struct literal_demands expression_demands(struct arena *arena, const struct expression *expression);
/* The set to look for; empty when there is none. */
struct literal_set demands_first(const struct literal_demands *demands);

#endif
