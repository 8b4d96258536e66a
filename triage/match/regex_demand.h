/*
 * What a part of a regular expression demands of a text that it matches, and how the demands of
 * parts make that of the whole. It may promise too little, never too much. All of it lives in the
 * arena; demands are values and share what they hold.
 */
#ifndef TRIAGE_MATCH_REGEX_DEMAND_H
#define TRIAGE_MATCH_REGEX_DEMAND_H

#include "triage/base/arena.h"
#include "triage/match/prefilter.h"

/* Where demands are made, and what literals may look like: see regex_literals(). */
struct demand_maker {
    struct arena *arena;
    const char *breaks;
    size_t shortest;
    bool lost; /* nothing is promised any more: memory is out, or the pattern is not understood */
};

struct words {
    struct slice *items; /* lower case; never changed, so that sets may share them */
    size_t count;
};

struct demand {
    bool exact;          /* the part matches nothing but `words` (which may be empty words) */
    struct words words;  /* when exact */
    struct words needed; /* one of these stands in any text that the part matches; none when it
                            promises nothing */
    double cost;         /* of the needed, when there are any */
};

/* A part that may be anything. */
struct demand demand_nothing(void);
/* A part that matches without taking any text. */
struct demand demand_empty(struct demand_maker *maker);
struct demand demand_byte(struct demand_maker *maker, unsigned byte);
/* One of these bytes, in lower case. */
struct demand demand_one_of(struct demand_maker *maker, const uint8_t *bytes, size_t count);
struct demand demand_either(struct demand_maker *maker, struct demand a, struct demand b);
/* The part stands there, but its text is not taken. */
struct demand demand_ahead(struct demand_maker *maker, struct demand part);
/* So many times in a row, at least `least`; DEMAND_UNLIMITED is any number. */
enum { DEMAND_UNLIMITED = 65535 };
struct demand demand_repeated(struct demand_maker *maker, struct demand part, unsigned least,
                              unsigned most);

/* Parts one behind the other: `run` is what the end of their text must look like. */
struct demand_sequence {
    struct demand whole;
    struct words run;
    bool exact; /* no part so far was anything but exact: the run is the whole */
};

struct demand_sequence demand_sequence_start(struct demand_maker *maker);
void demand_append(struct demand_maker *maker, struct demand_sequence *sequence,
                   const struct demand *next);
struct demand demand_sequence_end(struct demand_maker *maker, struct demand_sequence *sequence);

/* The words of which one must be there; gives their count, 0 when nothing is promised. */
size_t demand_needed(struct demand_maker *maker, struct demand demand, struct literal **list);

#endif
