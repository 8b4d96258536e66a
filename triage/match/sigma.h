/* One Sigma rule: a YAML document becomes an expression and what reports say about the rule (Sigma
 * rules 2.1). */
#ifndef TRIAGE_MATCH_SIGMA_H
#define TRIAGE_MATCH_SIGMA_H

#include "triage/match/correlation.h"
#include "triage/match/items.h"
#include "triage/match/rules.h"

/* A Sigma rule beside its public part. */
struct sigma {
    const struct expression *expression; /* NULL when it was not understood, and of correlations */
    const struct yaml_node *examples;    /* the custom key `examples`; NULL when there is none */
    const struct correlation *correlation; /* of a correlation rule, and of a rule whose deprecated
                                              condition counts its own events */
    const char *const *filtered;           /* of a filter: ids and names of the rules it is for */
    bool generate;                         /* gives indicators though a correlation rests on it */
};

/* Fills title, id, name, tags ... of `rule` as far as the document has them, and compiles its
 * detection. -1 with the reason in error_text; `rule` is filled then too. */
int sigma_compile(struct rule_memory *memory, const struct yaml_node *document, struct rule *rule,
                  struct sigma *sigma);

#endif
