/*
 * How far back each log reaches: against the first trace, against the age of the server, and which
 * of its files were deleted, by the change journal and the $MFT.
 */
#ifndef TRIAGE_FINDINGS_RETENTION_H
#define TRIAGE_FINDINGS_RETENTION_H

#include "triage/findings/exposure.h"
#include "triage/findings/log_span.h"

struct reach { /* of one log that goes on */
    const struct log_span *span;
    bool traced;                   /* there is a first trace */
    bool begins_after_first_trace; /* what came before is not in it */
    int64_t days_before_trace;     /* from its first day to that of the first trace; 0 */
    int64_t days_of_server;        /* from the installation to its first day; -1: not known */
    size_t deleted;                /* files that are gone ... */
    size_t deleted_young;          /* ... of these deleted within two weeks of their day */
    bool deleted_dated;
    int64_t deleted_first, deleted_last; /* days that they told of: microseconds */
    const char *why;                     /* a sentence */
};

struct retention {
    struct reach *list; /* by artifact */
    size_t count;
    size_t deleted_others; /* files of logs of which nothing is left */
};

/* `first_trace` in microseconds; NULL: there is none. -1 with error_text. */
int retention_make(struct case_file *file, const struct exposure *exposure,
                   const struct log_spans *spans, const int64_t *first_trace, struct arena *arena,
                   struct retention *retention);
/* NULL when the log was not read. */
const struct reach *reach_of(const struct retention *retention, const char *artifact);

#endif
