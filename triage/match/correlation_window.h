/*
 * Evaluates one correlation rule over events that come group by group, each group in the order of
 * time. Memory is bounded: of a window at most CORRELATION_WINDOW_MOST events are held, and a
 * result says when there were more.
 *
 * A window begins with an event and holds all of its group within the timespan behind it. Windows
 * that the rule asks for and that overlap are one result, so that a burst of a thousand events is
 * told once.
 */
#ifndef TRIAGE_MATCH_CORRELATION_WINDOW_H
#define TRIAGE_MATCH_CORRELATION_WINDOW_H

#include "triage/match/correlation.h"

enum { CORRELATION_WINDOW_MOST = 100000, CORRELATION_ROWS_MOST = 20 };

struct correlation_event {
    int64_t ticks;
    uint64_t positions; /* bits: where its rule stands in the correlation's list */
    uint64_t value;     /* value_count: a hash of the value */
    long double number; /* value_sum, value_avg, value_percentile */
    int64_t row;        /* the caller's name for it */
};

struct correlation_result {
    int64_t first, last; /* ticks */
    uint64_t events;
    long double value; /* the count, sum ... of the window that stands out most */
    int64_t rows[CORRELATION_ROWS_MOST];
    size_t row_count; /* the first ones */
    int64_t last_row;
    bool cut; /* more events within the timespan than are held: some were not counted */
};

struct correlation_window;

/* `told` is called for each result, in the order of time within a group; its -1 ends all. */
int correlation_window_new(const struct correlation *correlation,
                           int (*told)(void *context, const struct correlation_result *result),
                           void *context, struct correlation_window **out);
void correlation_window_free(struct correlation_window *window);
int correlation_window_add(struct correlation_window *window,
                           const struct correlation_event *event);
/* The group is complete. */
int correlation_window_end(struct correlation_window *window);

#endif
