/*
 * Records against indicator lists. Nominating looks at raw bytes, like the literal prefilter;
 * matching looks at the values of an event, each in the places where what it names can stand.
 */
#ifndef TRIAGE_MATCH_INDICATOR_MATCH_H
#define TRIAGE_MATCH_INDICATOR_MATCH_H

#include "triage/match/indicator_table.h"
#include "triage/record/event.h"

struct indicator_matcher;

struct indicator_hit {
    uint32_t rule;
    const char *how; /* "sha256 of line 12 in SHA256; ..." */
};

/* The scratch of one worker; the table is borrowed. */
int indicator_matcher_new(const struct indicator_table *table, struct indicator_matcher **out);
void indicator_matcher_free(struct indicator_matcher *matcher);

/* Offset at or after `from` of the next address or digest in the window that is listed; SIZE_MAX
 * when there is none. */
size_t indicator_next(const struct indicator_matcher *matcher, struct slice window, size_t from);
/* What is known of an event before its values are looked at: a bit for each of
 * indicator_demands(), from `first` on. NULL: nobody asked, all could stand there. */
struct indicator_clues {
    const uint64_t *nominated;
    size_t first, count;
    bool scanned; /* a listed address or digest could be there */
};

/* Tells each rule with an indicator in the event once, in the order of the rules. */
void indicator_event(struct indicator_matcher *matcher, const struct event *event,
                     const struct indicator_clues *clues,
                     void (*hit)(void *context, const struct indicator_hit *hit), void *context);

#endif
