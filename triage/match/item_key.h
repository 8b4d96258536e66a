/* The key of an item in a Sigma selection: "field|modifier|modifier" (Sigma modifiers appendix
 * 2.1). */
#ifndef TRIAGE_MATCH_ITEM_KEY_H
#define TRIAGE_MATCH_ITEM_KEY_H

#include "triage/match/rule_memory.h"

enum { TRANSFORMS_MOST = 8 };

/* What is made of a text, in the order of the modifiers. */
enum transform {
    TRANSFORM_CONTAINS,
    TRANSFORM_STARTS,
    TRANSFORM_ENDS,
    TRANSFORM_WINDASH,
    TRANSFORM_UTF16LE,
    TRANSFORM_UTF16BE,
    TRANSFORM_UTF16,
    TRANSFORM_BASE64,
    TRANSFORM_BASE64OFFSET,
    TRANSFORM_EXPAND,
};

/* What a value is taken for. */
enum value_type { TYPE_TEXT, TYPE_REGEX, TYPE_NETWORK, TYPE_EXISTS, TYPE_FIELD, TYPE_COMPARE };

/* An item's key, read. */
struct item {
    const char *name; /* the field; empty for keywords */
    struct field_use field;
    bool keyword, all, cased, negated;
    enum value_type type;
    enum transform transforms[TRANSFORMS_MOST];
    size_t transform_count;
    unsigned regex_options;
    enum comparison comparison;
    enum time_part part;
};

/* Fills an item that is all zeroes; -1 with error_text when the modifiers are not known or do not
 * fit together. */
int item_read_key(struct rule_memory *memory, struct slice key, struct item *item);
bool item_transforms(const struct item *item, enum transform transform);
/* The clause about the item's field, or about the whole event for a keyword; NULL with error_text
 * when there are too many. */
const struct expression *item_clause(struct rule_memory *memory, const struct item *item,
                                     struct clause clause);

#endif
