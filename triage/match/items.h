/*
 * The items of a Sigma selection: "field|modifier|modifier: value or list" as an expression (Sigma
 * modifiers appendix 2.1).
 */
#ifndef TRIAGE_MATCH_ITEMS_H
#define TRIAGE_MATCH_ITEMS_H

#include "triage/match/rule_memory.h"

/* One item of a map. An empty field name ("|all") asks for keywords. NULL with the reason in
 * error_text. */
const struct expression *item_compile(struct rule_memory *memory, const struct yaml_node *key,
                                      const struct yaml_node *value);
/* A keyword: text that stands anywhere in the event. */
const struct expression *keyword_compile(struct rule_memory *memory, const struct yaml_node *value);

#endif
