/* How far the logs of the case reach: what a verdict of "nothing seen" is worth. */
#ifndef TRIAGE_FINDINGS_LOG_SPAN_H
#define TRIAGE_FINDINGS_LOG_SPAN_H

#include "triage/base/arena.h"
#include "triage/case/case.h"

struct log_span {
    const char *artifact;
    int64_t records, rejected, files;
    bool continuous;             /* a log that is written all the time */
    int64_t first_day, last_day; /* since 1601-01-01; 0: none */
    int64_t days;                /* with records */
    const char *first, *last;    /* "2021-02-27T..."; "" when no record has a time */
    uint64_t *seen;              /* bits of days, from 1990 on */
};

struct log_spans {
    struct log_span *list;
    size_t count;
};

/* One for each artifact that was read. -1 with error_text. */
int log_spans_make(struct case_file *file, struct arena *arena, struct log_spans *spans);
/* NULL when none of its files was read. */
const struct log_span *log_span_of(const struct log_spans *spans, const char *artifact);
/* Whether any record is of that day, counted since 1601-01-01; none is when `span` is NULL. */
bool log_span_has_day(const struct log_span *span, int64_t day);
/* Days without a record between the first and the last. */
int64_t log_span_missing(const struct log_span *span);

#endif
