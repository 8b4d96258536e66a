/*
 * Correlation rules over the whole of a case: while files are parsed, the events that such rules
 * rest on become small rows of the case's working database; once all are read, each correlation
 * goes over its rows as the database sorts them (on disk), with one bounded window.
 */
#ifndef TRIAGE_ENGINE_CORRELATE_H
#define TRIAGE_ENGINE_CORRELATE_H

#include "triage/case/case.h"
#include "triage/match/rules.h"
#include "triage/record/event.h"

/* The key of the task that read a file, as its path for people; NULL when it is not known. */
typedef const char *correlate_path(void *context, const char *source);

struct correlate {
    const struct rule_set *rules;
    struct case_file *file;
    void *context;
    correlate_path *path;
    /* A correlation found what it asks for: `event` is the last one, with values that tell what it
     * rests on; not called for rules that only other correlations rest on. */
    int (*found)(void *context, size_t rule, const char *source, const struct event *event,
                 const char *sha256, bool raw_cut);
    int (*notice)(void *context, const char *text);
};

/* Keeps an event of a rule that correlations rest on: its values are those that
 * matcher_correlated_values gave. */
int correlate_keep(const struct correlate *correlate, const char *source, size_t rule,
                   const struct event *event, const char *sha256, bool raw_cut);
/* Evaluates all correlations. Rows that it adds belong to no task. */
int correlate_run(const struct correlate *correlate);

#endif
