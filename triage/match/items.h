/*
 * The items of a Sigma selection: "field|modifier|modifier: value or list" as an expression (Sigma
 * modifiers appendix 2.1).
 */
#ifndef TRIAGE_MATCH_ITEMS_H
#define TRIAGE_MATCH_ITEMS_H

#include "triage/match/expression.h"
#include "triage/match/logsources.h"
#include "triage/match/yaml.h"

/* What compiling rules needs and leaves behind; one for a rule set. */
struct rule_memory {
    struct arena *arena;       /* everything compiled lives here */
    struct field_list *fields; /* grows */
    struct regex **regexes;    /* compiled ones, to be freed with the set */
    size_t regex_count, regex_room;
    const struct logsources *sources;     /* NULL: names of fields are taken as they are */
    const struct log_source *source;      /* of the rule at hand; NULL: unknown */
    const struct yaml_node *placeholders; /* name: value or list of values; NULL: none are known */
    size_t clause_count; /* of the rule at hand: a limit guards against texts that unfold */
};

/* Frees the regular expressions; the arena belongs to the caller. */
void rule_memory_release(struct rule_memory *memory);

/* Resolves the name of a field as the log source of the rule at hand has it: old names, the
 * spellings of logs, other names in records that lack it. -1 when memory is out. */
int rule_memory_field(struct rule_memory *memory, const char *name, struct field_use *out);

/* One item of a map. An empty field name ("|all") asks for keywords. NULL with the reason in
 * error_text. */
const struct expression *item_compile(struct rule_memory *memory, const struct yaml_node *key,
                                      const struct yaml_node *value);
/* A keyword: text that stands anywhere in the event. */
const struct expression *keyword_compile(struct rule_memory *memory, const struct yaml_node *value);

#endif
