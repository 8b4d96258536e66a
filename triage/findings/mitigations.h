/*
 * Mitigations over time: when rewrite rules of Microsoft's tools and of the emergency mitigation
 * service were in place, and when the server was open again because one was gone before the fix
 * came. Made of facts: the configuration in force, its history, event logs, the tool's own log.
 */
#ifndef TRIAGE_FINDINGS_MITIGATIONS_H
#define TRIAGE_FINDINGS_MITIGATIONS_H

#include "triage/findings/exposure.h"
#include "triage/findings/log_span.h"

enum mitigation_state {
    MITIGATION_IN_PLACE,
    MITIGATION_REMOVED,
    MITIGATION_DISABLED,
    MITIGATION_FAILED,
};

const char *mitigation_state_name(enum mitigation_state state);

/* How well an end of a span is known. */
enum bound { BOUND_UNKNOWN, BOUND_AT_THE_LATEST, BOUND_EXACT };

const char *bound_name(enum bound bound);

struct mitigation_span {
    enum bound from_bound, until_bound; /* of an end that has no time: unknown */
    int64_t from, until;                /* microseconds since 1970 UTC */
    bool open;                          /* still in place when the image was taken */
    const char *from_how, *until_how;   /* sentences; NULL */
};

struct mitigation {
    const char *name, *kind; /* "rewrite_rule", "emergency_service", "tool" */
    const char *cves;        /* comma separated; "" when not known */
    enum mitigation_state state;
    const char *source; /* path of the file that tells of it last */
    struct mitigation_span *spans;
    size_t span_count;
};

/* Taken away, and the fix not there yet. */
struct mitigation_gap {
    const char *cve, *name; /* the mitigation that went last */
    int64_t from, until;
    bool until_known; /* else: until the image was taken */
    const char *why;
};

struct mitigations {
    struct mitigation *list; /* by name */
    size_t count;
    struct mitigation_gap *gaps;
    size_t gap_count;
    bool left_out; /* there is more to tell of than is kept */
};

/* -1 with error_text. */
int mitigations_make(struct case_file *file, const struct exposure *exposure,
                     const struct log_spans *spans, struct arena *arena,
                     struct mitigations *mitigations);
/* The mitigation for the vulnerability that was in place at that time, by spans whose ends are
 * known; NULL: none. */
const struct mitigation *mitigation_at(const struct mitigations *mitigations, const char *cve,
                                       int64_t time);
/* The gap that the time falls into; NULL: none. */
const struct mitigation_gap *mitigation_gap_at(const struct mitigations *mitigations,
                                               const char *cve, int64_t time);

#endif
