/* What a file must contain for a string of a YARA rule to match. */
#ifndef TRIAGE_MATCH_CONTENT_LITERALS_H
#define TRIAGE_MATCH_CONTENT_LITERALS_H

#include "triage/match/content_tokens.h"
#include "triage/match/literals.h"

enum { CONTENT_DEMANDS_MOST = 3 };

/*
 * `at` stands behind the '=' of "$name = ...", and afterwards behind the string's modifiers. Gives
 * sets of literals: of each, at least one stands (ASCII letters in any case) wherever the string
 * matches. No set: nothing is promised.
 */
struct literal_demands content_literals(struct arena *arena, const struct token **at);
/* Whether YARA reads the regular expression otherwise than PCRE2 does, or may. */
bool content_regex_is_odd(struct slice pattern);

#endif
