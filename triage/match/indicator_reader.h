/*
 * Indicator lists in the formats that people exchange: STIX 2.1 bundles, OpenIOC 1.0 and 1.1, MISP
 * events, tables (comma or tab separated, with a header) and plain lists. Readers say what each
 * line or object means; what is not understood is said with its reason.
 */
#ifndef TRIAGE_MATCH_INDICATOR_READER_H
#define TRIAGE_MATCH_INDICATOR_READER_H

#include "triage/match/indicator_table.h"

struct indicator_fact {
    enum indicator_kind kind;
    struct slice text; /* as indicator_table_add() wants it; borrowed for the call */
    bool rooted;
    const char *campaign; /* what the list calls it; NULL: nothing */
    const char *level;    /* as the list words it; NULL: nothing */
    unsigned line;
    unsigned member,
        members; /* of those that must all be met: from 0, how many; members 0: alone */
    enum indicator_kind strongest; /* of these */
};

struct indicator_sink {
    void *context;
    void (*add)(void *context, const struct indicator_fact *fact);
    void (*refuse)(void *context, unsigned line, const char *reason);
    void (*ignore)(void *context, unsigned line, const char *what); /* what a disk does not show */
};

/* Reads a list of any format, told apart by its content. -1 with error_text when it is none. */
int indicator_read(struct slice text, struct arena *arena, const struct indicator_sink *sink);
/* Whether a file of that name and start may be a list: for files found in folders. */
bool indicator_recognise(const char *path, struct slice head);

/* The formats; `arena` holds what is needed while they are read. */
int indicator_read_json(struct slice text, struct arena *arena, const struct indicator_sink *sink);
int indicator_read_openioc(struct slice text, struct arena *arena,
                           const struct indicator_sink *sink);
int indicator_read_lines(struct slice text, struct arena *arena, const struct indicator_sink *sink);

/* What a word for a type means ("sha256", "IPv4", "ip-dst"); false when it is not known.
 * INDICATOR_KINDS stands for "a hash" and the like: look at the value. */
bool indicator_type(struct slice word, enum indicator_kind *kind);
bool indicator_is_ignored_type(struct slice word);
/* The kind of a bare value; false when nothing can be guessed. */
bool indicator_guess(struct slice value, enum indicator_kind *kind);
/* Tells the sink a value of that type, with `base` for all else: paths and keys are brought into
 * their form, "a|b" types are taken apart. */
void indicator_tell(const struct indicator_sink *sink, struct arena *arena, struct slice type,
                    struct slice value, const struct indicator_fact *base);
/* Likewise for a known kind. */
void indicator_tell_kind(const struct indicator_sink *sink, struct arena *arena,
                         enum indicator_kind kind, struct slice value,
                         const struct indicator_fact *base);
/* A regular expression for paths that hold, begin or end with the text. */
struct slice indicator_text_regex(struct arena *arena, struct slice text, bool start, bool end);

/* --- conditions joined by AND and OR --- */

struct indicator_leaf {
    enum indicator_kind kind;
    struct slice text;
};

/* Or of ands: each term is met when all of its leaves are. */
struct indicator_terms {
    struct indicator_term {
        const struct indicator_leaf **leaves;
        unsigned count;
    } * list;
    unsigned count;
};

/* NULL, or why not: more terms than are kept, out of memory. */
const char *indicator_terms_leaf(struct arena *arena, const struct indicator_leaf *leaf,
                                 struct indicator_terms *out);
const char *indicator_terms_or(struct arena *arena, struct indicator_terms a,
                               struct indicator_terms b, struct indicator_terms *out);
const char *indicator_terms_and(struct arena *arena, struct indicator_terms a,
                                struct indicator_terms b, struct indicator_terms *out);
void indicator_terms_tell(const struct indicator_sink *sink, struct arena *arena,
                          struct indicator_terms terms, const struct indicator_fact *base);

/* STIX patterns (STIX 2.1, part 9). NULL, or why the pattern is not understood; `ignored`: it asks
 * for nothing but what a disk does not show. */
const char *indicator_stix_pattern(struct arena *arena, struct slice pattern,
                                   struct indicator_terms *out, bool *ignored);

#endif
