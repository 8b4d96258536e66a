/*
 * A Sigma correlation rule (Sigma correlation rules 2.1): which rules' events are joined, by which
 * fields, within which time, and when they count. Immutable once compiled; correlation_window.h
 * evaluates it.
 */
#ifndef TRIAGE_MATCH_CORRELATION_H
#define TRIAGE_MATCH_CORRELATION_H

#include "triage/match/expression.h"
#include "triage/match/yaml.h"

enum correlation_type {
    CORRELATION_EVENT_COUNT,
    CORRELATION_VALUE_COUNT,
    CORRELATION_VALUE_SUM,
    CORRELATION_VALUE_AVG,
    CORRELATION_VALUE_PERCENTILE,
    CORRELATION_TEMPORAL,
    CORRELATION_TEMPORAL_ORDERED,
};

enum {
    CORRELATION_RULES_MOST = 64, /* of one rule: a set of them is a word */
    CORRELATION_FIELDS_MOST = 16,
    CORRELATED_VALUES_MOST = 256, /* of one event, for all correlations over its rule */
    CORRELATION_LIMITS_MOST = 8,
    CORRELATION_DEPTH = 8, /* correlations over correlations */
};

struct correlation_limit {
    enum comparison comparison;
    bool unequal; /* neq: COMPARE_EQUAL must not hold */
    long double number;
};

struct correlation {
    enum correlation_type type;
    const char *const *names; /* of the rules, as they are written: an id or a name */
    size_t rule_count;
    size_t *rules; /* numbers in the set, by name; filled when all rules are loaded */
    const char *const *group_by;
    size_t group_count;
    const char *const *fields; /* whose values are counted or added up */
    size_t field_count;
    const struct yaml_node *aliases; /* alias: {rule: field}; NULL when there are none */
    int64_t timespan;                /* ticks; INT64_MAX: no limit (deprecated count without one) */
    struct correlation_limit limits[CORRELATION_LIMITS_MOST];
    size_t limit_count;
    double percentile;
    const struct expression *presence; /* CORRELATION_TEMPORAL: over clauses whose number is that
                                          of a rule; NULL: limits count the rules seen */
    bool generate;                     /* the rules it rests on give indicators of their own, too */
};

/* The value of the key `correlation`. NULL with the reason in error_text. */
const struct correlation *correlation_compile(struct arena *arena, const struct yaml_node *node);
/* What stands behind the '|' of a deprecated condition, "count(field) by group > 5"; `name` is the
 * rule's own, `timeframe` may be NULL. NULL with the reason in error_text. */
const struct correlation *correlation_from_condition(struct arena *arena, struct slice text,
                                                     const char *name,
                                                     const struct yaml_node *timeframe);
const char *correlation_type_name(enum correlation_type type);

/* The name that a field has in events of the rule that is `position` in the list, of which `id` and
 * `name` are known: an alias is looked up, every other name stays. */
const char *correlation_field(const struct correlation *correlation, size_t position,
                              const char *id, const char *name, const char *field);

/* Whether a count, sum ... is what the rule asks for. */
bool correlation_holds(const struct correlation *correlation, long double number);
/* Whether the set of rules seen (bits by their position) is what a temporal rule asks for. */
bool correlation_present(const struct correlation *correlation, uint64_t seen);

#endif
