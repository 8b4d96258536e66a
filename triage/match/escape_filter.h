/*
 * Tells which percent-escapes of a log can matter at all: decoding a line can only reveal a literal
 * that covers a decoded byte, so an escape whose decoded neighbourhood shares no run of bytes with
 * any literal needs no decoding. Exact in this sense: it may name an escape in vain, never miss
 * one.
 */
#ifndef TRIAGE_MATCH_ESCAPE_FILTER_H
#define TRIAGE_MATCH_ESCAPE_FILTER_H

#include "triage/match/prefilter.h"

struct escape_filter;

/* For literals in lower case of at least three bytes, not needed afterwards. -1 when memory is out.
 */
int escape_filter_new(const struct literal *list, size_t count, struct escape_filter **out);
void escape_filter_free(struct escape_filter *filter);

/* Offset of the first escape in [at, until) whose decoding, or decoding twice, could reveal a
 * literal within text[from...]; SIZE_MAX when there is none. */
size_t escape_filter_next(const struct escape_filter *filter, struct slice text, size_t from,
                          size_t at, size_t until);

#endif
