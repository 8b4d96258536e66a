/*
 * Finds any of millions of literals in raw bytes, without looking at each byte. Nearly all names of
 * hosts and files hold a dot: they are looked for around dots. From each other literal a stretch is
 * chosen that is rare in ordinary logs; its grams, one for each remainder of an offset by the
 * stride, go into a Bloom filter, which the pass asks at every stride-th byte. What it lets through
 * is compared with the literals that own the gram.
 *
 *   literal   s o f t w a r e - e v i l - s h o p                grams of 6, stride 4
 *   stretch             v i l - s h o p -                        9 bytes: 4 grams
 *   text      . . . X . . . X . . . X . . . X . . .              one of them falls on an X
 */
#ifndef TRIAGE_MATCH_INDICATOR_GRAMS_H
#define TRIAGE_MATCH_INDICATOR_GRAMS_H

#include "triage/match/prefilter.h"

struct indicator_grams;

/* What holds a dot is looked for in one pass, other literals by their size in one of three. */
enum { INDICATOR_GRAM_PASSES = 4 };

/* Whether a literal is one that is looked for around dots. */
bool indicator_grams_cheap(struct slice text);
/* The literals, lower case and of three bytes at least, are borrowed. */
int indicator_grams_new(const struct literal *list, size_t count, struct indicator_grams **out);
void indicator_grams_free(struct indicator_grams *grams);
/* A place in the first literal that the pass finds in [from, end of the window); SIZE_MAX when
 * there is none. All of its literals in the lines in front of that place were looked for. */
size_t indicator_grams_next(const struct indicator_grams *grams, size_t pass, struct slice window,
                            size_t from);
/* Whether any literal stands in the text. */
bool indicator_grams_any(const struct indicator_grams *grams, struct slice text);

#endif
