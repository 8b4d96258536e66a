/*
 * What a text must contain for a regular expression (PCRE2 syntax) to match it at all: the
 * prefilter looks for these literals, PCRE2 decides.
 */
#ifndef TRIAGE_MATCH_REGEX_LITERALS_H
#define TRIAGE_MATCH_REGEX_LITERALS_H

#include "triage/base/arena.h"
#include "triage/match/prefilter.h"

/* Options that the pattern is compiled with outside of its text. */
enum regex_literal_option {
    REGEX_LITERAL_CASELESS = 1, /* PCRE2_CASELESS */
    REGEX_LITERAL_EXTENDED = 2, /* PCRE2_EXTENDED: no literals are looked for */
};

/* Literals, in `arena`, of which at least one stands (ASCII letters in any case) in every text that
 * `pattern` matches. Gives their count, 0 when the pattern promises nothing; every one of them has
 * at least `shortest` bytes (not 0) and none of the bytes in `breaks` (NULL: any byte may occur).
 * Non-ASCII bytes are never part of a literal. */
size_t regex_literals(struct slice pattern, unsigned options, const char *breaks, size_t shortest,
                      struct arena *arena, struct literal **list);

#endif
