/*
 * The literal prefilter: one pass over the raw bytes of a log that finds the places where any of
 * many literals stands, so that only those records are split and matched. It only nominates;
 * without it the output is the same. It is built once by the parent, never changed afterwards and
 * shared by all workers. prefilter_next() is declared in matcher.h.
 */
#ifndef TRIAGE_MATCH_PREFILTER_H
#define TRIAGE_MATCH_PREFILTER_H

#include "triage/match/matcher.h"

/* Of a longer literal only this many bytes are looked for. */
enum { LITERAL_MAX = 256 };

/* Bytes that a record must hold somewhere; ASCII letters in any case, other bytes as they are. Text
 * is borrowed. */
struct literal {
    struct slice text;
    bool ends; /* the value ends with it: no letter and no digit follows. Only the nominator asks */
};

/* The filter for `count` literals, which are copied. A literal of less than three bytes, or
 * `nominate_all`, makes it nominate every record; no literal at all makes it nominate none. -1 only
 * when memory is out. */
int prefilter_new(const struct literal *list, size_t count, bool nominate_all,
                  struct prefilter **out);
void prefilter_free(struct prefilter *prefilter);
/* Whether every record is nominated, so that a search is a waste of time. */
bool prefilter_nominates_all(const struct prefilter *prefilter);

/* How common a literal is in the logs of an ordinary Exchange server: about how often its rarest
 * part stands in a megabyte, plus what a short literal costs the search. For choosing between
 * literals that would all do: the smaller the better. */
double literal_cost(struct slice text);

#endif
