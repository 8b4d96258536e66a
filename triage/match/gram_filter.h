/*
 * Finds any of many literals in one pass. Of each literal a few short runs of bytes ("grams") are
 * chosen so that, wherever the literal stands, one of them falls on a place that the pass looks at:
 * with a stride of 3 every third byte is looked at, and a literal gives one gram for each remainder
 * of its offset by 3. A bitmap of hashed grams says no nearly always; what it lets through is
 * compared with the whole literals that own the gram.
 *
 *   text    . . . / e c p / d e f a u l t . f l t        literal "default.flt", grams of 4, stride
 * 3: looked  ^     ^     ^     ^     ^     ^              "faul" (2), "lt.f" (5 -> remainder 2) ...
 * one per remainder
 */
#ifndef TRIAGE_MATCH_GRAM_FILTER_H
#define TRIAGE_MATCH_GRAM_FILTER_H

#include "triage/match/prefilter.h"

struct gram_filter;

/* The filter for literals that are lower case and have at least stride + 3 bytes, or three when
 * they are `short_ones`: those are looked for at every byte, with vector instructions where the
 * processor has them. The literals are borrowed for the filter's life. -1 when memory is out. */
int gram_filter_new(const struct literal *list, size_t count, unsigned stride, bool short_ones,
                    struct gram_filter **out);
void gram_filter_free(struct gram_filter *filter);
/* Whether vector instructions are used; `off` forbids them, for comparing. */
bool gram_filter_vector(const struct gram_filter *filter);
void gram_filter_portable(struct gram_filter *filter);

/* About how often per megabyte of log a literal of at least stride + 3 bytes would have to be
 * compared; stride 0 stands for a filter of short ones. */
double gram_filter_cost(struct slice text, unsigned stride);

/* Start of the first literal that starts in [from, limit) and ends within the window; SIZE_MAX when
 * there is none. */
size_t gram_filter_find(const struct gram_filter *filter, struct slice window, size_t from,
                        size_t limit);

/* Strides that a filter can have. */
enum { GRAM_STRIDE_MAX = 4 };

#endif
