/*
 * The condition of a YARA rule as far as it can be judged without YARA: "at least so many of" and
 * "not" over strings that could match, the file's size, its name and numbers at fixed offsets. All
 * else may be so or not.
 */
#ifndef TRIAGE_MATCH_CONTENT_CONDITION_H
#define TRIAGE_MATCH_CONTENT_CONDITION_H

#include "triage/match/content_tokens.h"
#include "triage/match/literals.h"
#include "triage/match/regex.h"

enum condition_variable {
    CONDITION_FILENAME,
    CONDITION_FILEPATH,
    CONDITION_EXTENSION,
    CONDITION_VARIABLES
};

struct condition;

struct condition_string {
    struct slice name; /* with its '$' */
    struct literal_demands literals;
    struct condition_string *next;
};

/* An expression that a condition matches a name with; whoever keeps the list frees them. */
struct condition_regex {
    struct regex *regex;
    struct condition_regex *next;
};

/* The rule at hand. */
struct condition_reader {
    struct arena *arena;
    struct condition_regex **regexes;
    const struct condition_string *own; /* its first string ... */
    size_t own_first, own_count;        /* ... and their numbers */
    unsigned depth;
    bool failed; /* memory is out */
};

/* What is known of a file. */
struct condition_facts {
    const uint64_t *strings; /* a bit for each that could match */
    struct slice content, names[CONDITION_VARIABLES];
    struct regex_scratch *regex;
};

/* The condition between the tokens. */
const struct condition *condition_read(struct condition_reader *reader, const struct token *token,
                                       const struct token *end);
/* One of which nothing is known. */
const struct condition *condition_maybe(void);
/* Whether it could be true of the file, or false if that is `wanted`. */
bool condition_can_be(const struct condition *condition, bool wanted,
                      const struct condition_facts *facts);

#endif
