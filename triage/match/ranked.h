/*
 * Numbers in order, of which any can be added, dropped and found by its rank in little time: sorted
 * blocks, of which each is cut in two when it is full. For percentiles of a window that moves.
 */
#ifndef TRIAGE_MATCH_RANKED_H
#define TRIAGE_MATCH_RANKED_H

#include <stddef.h>

struct ranked;

/* For up to `most` numbers. NULL when memory is lacking; nothing is taken later. */
struct ranked *ranked_new(size_t most);
void ranked_free(struct ranked *ranked);
void ranked_add(struct ranked *ranked, long double number);
/* One of the numbers that were added. */
void ranked_drop(struct ranked *ranked, long double number);
size_t ranked_count(const struct ranked *ranked);
/* From 0, which is the smallest; below the count. */
long double ranked_at(const struct ranked *ranked, size_t rank);

#endif
