/*
 * What an event-log record means, however it was stored: the log sources of its channel, its kind
 * of event, second names for its values. Fed by the readers of EVTX files and of exported events.
 */
#ifndef ARTIFACTS_EVENTLOG_EVENT_H
#define ARTIFACTS_EVENTLOG_EVENT_H

#include "artifacts/artifact.h"
#include "triage/formats/evtx.h"

struct eventlog;
struct script_blocks;

/* A record as a reader has it; the texts need to live for the call only. */
struct eventlog_record {
    const struct evtx_value *values;
    size_t value_count;
    struct slice text;       /* all values with a line end behind each, for the prefilter */
    struct instant written;  /* for records without a SystemTime */
    uint64_t offset, number; /* number: used when the record itself has none */
    unsigned marks;
    struct slice raw, record; /* as in struct event */
    struct slice (*render)(void *context);
    void *render_context;
};

/* NULL when memory is out. */
struct eventlog *eventlog_new(struct job *job);
void eventlog_free(struct eventlog *log);
/* The time of the record: its SystemTime, else when it was written. */
struct instant eventlog_time(const struct eventlog_record *record);
/* Makes an event of a record that a rule could match and emits it. */
void eventlog_take(struct eventlog *log, const struct eventlog_record *record);
/* At the end of the file: what is incomplete becomes a notice. */
void eventlog_finish(struct eventlog *log);

/* The kind of a record, for the sentence. */
enum kind eventlog_kind_of(struct slice provider, uint64_t number);

#endif
