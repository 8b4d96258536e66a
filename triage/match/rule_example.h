/* Examples of a correlation rule: lists of events, each a map of fields with its time under `_time`
 * (else a second behind the one before). For rule_test.c only. */
#ifndef TRIAGE_MATCH_RULE_EXAMPLE_H
#define TRIAGE_MATCH_RULE_EXAMPLE_H

#include "triage/match/rule_set.h"

/* Asks one event of the example whether a detection matches it, and looks at it with the view. */
typedef enum answer example_ask(void *context, const struct rule_entry *entry,
                                const struct event *event);

struct example {
    const struct rule_set *set;
    struct arena *arena; /* for this example */
    struct view *view;
    example_ask *ask;
    void *context;
    const struct event *events;
    size_t count;
    size_t
        walks; /* rules that were asked so far: correlations may rest on each other in many ways */
};

/* Whether the events are what the correlation asks for; ANSWER_MAYBE when a pattern gave up or
 * memory is out. */
enum answer example_correlate(struct example *example, size_t rule);

#endif
