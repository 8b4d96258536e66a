/* What compiling rules needs and leaves behind. */
#ifndef TRIAGE_MATCH_RULE_MEMORY_H
#define TRIAGE_MATCH_RULE_MEMORY_H

#include "triage/match/expression.h"
#include "triage/match/logsources.h"
#include "triage/match/yaml.h"

/* One for a rule set. */
struct rule_memory {
    struct arena *arena;       /* everything compiled lives here; the caller's */
    struct field_list *fields; /* grows */
    struct regex **regexes;    /* compiled ones, to be freed with the set */
    size_t regex_count, regex_room;
    const struct logsources *sources;     /* NULL: names of fields are taken as they are */
    const struct log_source *source;      /* of the rule at hand; NULL: unknown */
    const struct yaml_node *placeholders; /* name: value or list of values; NULL: none are known */
    size_t clause_count; /* of the rule at hand: a limit guards against texts that unfold */
};

/* Frees the regular expressions. */
void rule_memory_release(struct rule_memory *memory);
/* Resolves the name of a field as the log source of the rule at hand has it: old names, the
 * spellings of logs, other names in records that lack it. -1 when memory is out. */
int rule_memory_field(struct rule_memory *memory, const char *name, struct field_use *out);
/* Makes the clause ask for a regular expression, compiled with its regex_options, which get
 * REGEX_UNICODE where the pattern needs it. The memory keeps what is compiled. */
int rule_memory_regex(struct rule_memory *memory, struct slice pattern, struct clause *clause);

#endif
