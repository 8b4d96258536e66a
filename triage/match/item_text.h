/* Texts of a Sigma item, in all the forms that its modifiers ask for. */
#ifndef TRIAGE_MATCH_ITEM_TEXT_H
#define TRIAGE_MATCH_ITEM_TEXT_H

#include "triage/match/item_key.h"

/* The text encoded, opened at its ends, with other dashes, as the item's transforms say in their
 * order; NULL with error_text when they cannot be applied to it. */
const struct expression *item_text_clause(struct rule_memory *memory, const struct item *item,
                                          struct slice text);

#endif
