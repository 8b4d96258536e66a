/*
 * The rule set: Sigma rules, YARA rules and indicator lists, loaded and compiled once by
 * the parent, never changed afterwards, shared read-only by all workers through fork.
 */
#ifndef TRIAGE_MATCH_RULES_H
#define TRIAGE_MATCH_RULES_H

#include "triage/base/buffer.h"
#include "triage/record/event.h"
#include "triage/record/source_map.h"

struct rule_set;

enum level { LEVEL_INFORMATIONAL, LEVEL_LOW, LEVEL_MEDIUM, LEVEL_HIGH, LEVEL_CRITICAL };
enum rule_language { RULE_SIGMA, RULE_YARA, RULE_INDICATOR };
/* What a Sigma document is; a YARA rule is RULE_DETECTION. */
enum rule_kind {
    RULE_DETECTION,
    RULE_CORRELATION, /* joins events of other rules */
    RULE_FILTER,      /* takes events away from other rules */
};
enum rule_state {
    RULE_ACTIVE,
    RULE_NOT_APPLICABLE, /* understood, but no parser makes events of its log source yet */
    RULE_NOT_LOADED,     /* not understood: `reason` says why */
};

struct rule {
    enum rule_language language;
    enum rule_kind kind;
    enum rule_state state;
    const char *name; /* short name: detection id, else Sigma `name`, else id; YARA rule name or its
                         meta `id` */
    const char *id;   /* Sigma UUID or YARA rule name */
    const char *title, *author, *description, *confidence;
    enum level level;
    const char *const *tags, *const *references,
                                 *const *falsepositives; /* NULL-ended, never NULL */
    const char *path;                                    /* the file it came from */
    unsigned line;                                       /* where it starts there */
    char sha256[65];                                     /* of that file */
    const char *reason;                                  /* for those not active */
    struct log_source source;
    bool silent; /* only correlations tell of its events */
};

/* An empty set. `available`: the log sources that parsers exist for, ended by an empty one;
 * borrowed for the set's life. source_map_any in it stands for all of event logs. */
int rule_set_new(const struct log_source *available, struct rule_set **out);
void rule_set_free(struct rule_set *set);
/* Loads a file, or all .yml .yaml .yar .yara files and indicator lists below a folder in the order
 * of their names (see indicator_recognise); a file that is named itself and has none of these
 * endings is a list. A rule that cannot be understood is kept as RULE_NOT_LOADED; -1 only when the
 * path itself cannot be read. */
int rule_set_load(struct rule_set *set, const char *path);
/* Loads rules from memory; `name` stands for the path and its ending for the language. */
int rule_set_load_text(struct rule_set *set, const char *name, struct slice text);
/* Values for placeholders (modifier expand), "name: [value ...]", for rules that are loaded later.
 * A folder's own placeholders.yml is read without being asked for. */
int rule_set_load_placeholders(struct rule_set *set, const char *path);
/* More log sources, channels and names of fields (see rules/logsources.yml), for rules that are
 * loaded later. A folder's own logsources.yml is read without being asked for. */
int rule_set_load_sources(struct rule_set *set, const char *path);
/* SHA-256 over all placeholders and log sources that were loaded; "" when there were none. */
const char *rule_set_settings(const struct rule_set *set);
/* Which log sources records of event logs belong to; lives as long as the set. */
const struct source_map *rule_set_source_map(const struct rule_set *set);
/* Compiles everything; to be called once, before the first fork. */
int rule_set_compile(struct rule_set *set);

size_t rule_set_count(const struct rule_set *set);
const struct rule *rule_set_rule(const struct rule_set *set, size_t index);

struct correlation;

/* The correlation of an active rule that joins events; NULL for all others. Such a rule that is a
 * RULE_DETECTION joins its own (a deprecated condition with count). */
const struct correlation *rule_set_correlation(const struct rule_set *set, size_t rule);
/* Numbers of the active correlations that rest on a rule. */
const size_t *rule_set_correlations_on(const struct rule_set *set, size_t rule, size_t *count);
/* The name that a correlation's field has in events of the rule at that place of its list. */
const char *rule_set_correlated_field(const struct rule_set *set, size_t correlation,
                                      size_t position, const char *field);

struct indicator_totals {
    size_t lists, loaded;
    size_t mutexes,
        ignored;           /* understood, but a disk does not show them, or not to be looked for */
    size_t refused;        /* lines that were not understood */
    uint64_t milliseconds; /* that loading took */
};

void rule_set_indicators(const struct rule_set *set, struct indicator_totals *out);

/* The literals that the prefilters look for, each once, one a line: what a plain text search would
 * have to look for. */
void rule_set_literals(const struct rule_set *set, struct buffer *out);

const char *level_name(enum level level);
bool level_from_name(const char *name, enum level *level);

/* rule_set_test then counts a rule with fewer than two positive or two negative examples as failed.
 */
void rule_set_require_examples(struct rule_set *set);
/* Runs the rules' own examples, writes a TAP line for each to `out`; gives how many failed, -1 on
 * error. */
int rule_set_test(struct rule_set *set, struct buffer *out);

#endif
