/* The `condition` of a Sigma rule: selections joined by and, or, not, brackets and "1 of x*" (Sigma
 * rules 2.1, "Condition"). */
#ifndef TRIAGE_MATCH_CONDITION_H
#define TRIAGE_MATCH_CONDITION_H

#include "triage/match/expression.h"

struct selection {
    struct slice name;
    const struct expression *expression;
};

/* -1 with the reason in error_text. The expression lives in the arena and shares those of the
 * selections. */
int condition_parse(struct arena *arena, struct slice text, const struct selection *selections,
                    size_t count, const struct expression **out);

#endif
