/*
 * What no rule can say because it needs more than one record: the state of updates, logs that stop
 * while others go on, files that no setup can have written. Each check is named by its detection
 * id.
 */
#ifndef TRIAGE_FINDINGS_CHECKS_H
#define TRIAGE_FINDINGS_CHECKS_H

#include "triage/findings/exposure.h"
#include "triage/findings/log_span.h"
#include "triage/findings/outcome.h"
#include "triage/findings/sightings.h"

struct check { /* one that found something */
    const char *id;
    int level;               /* 0 informational .. 4 critical */
    const char *what;        /* a sentence */
    const char *why;         /* what it rests on */
    const size_t *sightings; /* indices */
    size_t count;
};

struct checks {
    struct check *list; /* in the order of the table in checks.c */
    size_t count;
};

/* What the checks look at. */
struct check_view {
    struct case_file *file;
    const struct sightings *sightings;
    const struct exposure *exposure;
    const struct log_spans *spans;
    const struct outcomes *outcomes;
    struct arena *arena;
};

/* -1 with error_text. */
int checks_make(const struct check_view *view, struct checks *checks);

#endif
