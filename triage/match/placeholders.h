/* Placeholders in values of Sigma rules: "%name%" with the modifier `expand`. */
#ifndef TRIAGE_MATCH_PLACEHOLDERS_H
#define TRIAGE_MATCH_PLACEHOLDERS_H

#include "triage/match/item_key.h"

typedef const struct expression *value_compiler(struct rule_memory *memory, const struct item *item,
                                                const struct yaml_node *value);

/* One of the values that the memory knows for a placeholder must fit, as `compile` understands the
 * text with it. Several placeholders in a text give all of their combinations. NULL with error_text
 * when one has no values. */
const struct expression *placeholders_compile(struct rule_memory *memory, const struct item *item,
                                              const struct yaml_node *value,
                                              value_compiler *compile);

#endif
