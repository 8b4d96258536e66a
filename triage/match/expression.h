/* What a rule demands of one event: clauses joined by "at least so many of these" and "not". A
 * graph that shares parts. */
#ifndef TRIAGE_MATCH_EXPRESSION_H
#define TRIAGE_MATCH_EXPRESSION_H

#include "triage/match/clause.h"

enum expression_kind { EXPRESSION_CLAUSE, EXPRESSION_AT_LEAST, EXPRESSION_NOT };

enum { EXPRESSION_DEPTH = 64 }; /* more is refused when a rule is read */

struct expression {
    enum expression_kind kind;
    const struct clause *clause;           /* EXPRESSION_CLAUSE */
    const struct expression *const *parts; /* the others; EXPRESSION_NOT has one */
    size_t count;
    size_t need; /* EXPRESSION_AT_LEAST: 1 is "or", count is "and" */
    unsigned depth;
};

/* All of them live in the arena; NULL past its ceiling or, with error_text, when nested too deeply.
 * The array of parts is copied. */
const struct expression *expression_clause(struct arena *arena, const struct clause *clause);
const struct expression *expression_at_least(struct arena *arena, size_t need,
                                             const struct expression *const *parts, size_t count);
const struct expression *expression_not(struct arena *arena, const struct expression *part);

/* The scratch that evaluation needs. `how` collects, for the clauses that made the answer, which
 * other form of a value matched; `why` the reason of an ANSWER_MAYBE. */
struct evaluation {
    struct view *view;
    struct regex_scratch *scratch;
    struct buffer *how;
    const char *why;
};

enum answer expression_test(const struct expression *expression, struct evaluation *evaluation);

#endif
