/* One condition on one field of an event (or on its whole text): what a "field|modifier: value" of
 * a Sigma rule becomes. */
#ifndef TRIAGE_MATCH_CLAUSE_H
#define TRIAGE_MATCH_CLAUSE_H

#include "triage/match/network.h"
#include "triage/match/pattern.h"
#include "triage/match/regex.h"
#include "triage/match/view.h"

/* ANSWER_MAYBE: a regular expression gave up, so nobody can say. */
enum answer { ANSWER_NO, ANSWER_MAYBE, ANSWER_YES };

enum clause_kind {
    CLAUSE_PATTERN,
    CLAUSE_REGEX,
    CLAUSE_NUMBER,  /* equal as text or as a number */
    CLAUSE_COMPARE, /* smaller, greater, or a part of a time */
    CLAUSE_NETWORK,
    CLAUSE_EXISTS,
    CLAUSE_NULL,  /* no value */
    CLAUSE_EMPTY, /* a value that is empty */
    CLAUSE_FIELD, /* another field has the same value */
};

enum comparison {
    COMPARE_EQUAL,
    COMPARE_LESS,
    COMPARE_LESS_EQUAL,
    COMPARE_GREATER,
    COMPARE_GREATER_EQUAL
};

enum time_part { PART_NONE, PART_MINUTE, PART_HOUR, PART_DAY, PART_WEEK, PART_MONTH, PART_YEAR };

enum field_relation { RELATION_EQUAL, RELATION_STARTS, RELATION_ENDS, RELATION_CONTAINS };

struct clause {
    enum clause_kind kind;
    bool keyword; /* about the whole event; `field` is not set */
    struct field_use field;
    const struct pattern *pattern; /* CLAUSE_PATTERN, and the CLAUSE_REGEX that stands for one */
    const struct regex *regex;     /* owned by the rule set */
    struct slice text;             /* the regular expression or the number as the rule spells it */
    unsigned regex_options;        /* it was compiled with */
    long double number;
    enum comparison comparison;
    enum time_part part;
    struct network network;
    bool wanted; /* CLAUSE_EXISTS */
    struct field_use other;
    enum field_relation relation;
    bool cased;
};

struct clause_proof {
    const char *form; /* which form of the value matched, NULL for the raw value */
    const char *why;  /* why a regular expression gave up */
};

/* Tests the event that the view looks at; fills `proof` as far as the answer calls for it. A
 * rejected event is searched as text: strings anywhere in it, everything else is false. */
enum answer clause_test(const struct clause *clause, struct view *view,
                        struct regex_scratch *scratch, struct clause_proof *proof);

/* A decimal number, with sign and fraction; false for everything else. */
bool number_parse(struct slice text, long double *out);

#endif
