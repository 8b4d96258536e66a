/* Regular expressions (PCRE2 with its JIT; this is its only home). Compiled by the parent, run by
 * the workers. */
#ifndef TRIAGE_MATCH_REGEX_H
#define TRIAGE_MATCH_REGEX_H

#include "triage/base/cursor.h"

struct regex;
struct regex_scratch;

enum regex_option {
    REGEX_CASELESS = 1,
    REGEX_MULTILINE = 2, /* ^ and $ match at line ends too */
    REGEX_DOTALL = 4,    /* '.' matches a line end too */
    REGEX_UNICODE = 8,   /* characters are UTF-8; bytes that are none never match */
};

enum regex_answer { REGEX_NO, REGEX_YES, REGEX_GAVE_UP };

/* Compiles the pattern, also to machine code where the CPU allows. -1 with the reason and its place
 * in the pattern. A pattern with bytes beyond ASCII is REGEX_UNICODE. */
int regex_new(struct slice pattern, unsigned options, struct regex **out);
void regex_free(struct regex *regex);

/* The memory that one worker matches in; opens no file later. */
int regex_scratch_new(struct regex_scratch **out);
void regex_scratch_free(struct regex_scratch *scratch);

/* Searches the subject. REGEX_GAVE_UP when a limit was reached: then `*why` (static or in the
 * scratch, until the next search) says which. */
enum regex_answer regex_search(const struct regex *regex, struct regex_scratch *scratch,
                               struct slice subject, const char **why);

#endif
