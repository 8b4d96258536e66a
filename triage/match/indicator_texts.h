/*
 * What a record must hold for an indicator that is a text to be in it. Few of these literals are
 * for the prefilter; of very many it is left those of regular expressions and, where they are few,
 * those without a dot: the others are looked for by grams.
 */
#ifndef TRIAGE_MATCH_INDICATOR_TEXTS_H
#define TRIAGE_MATCH_INDICATOR_TEXTS_H

#include "triage/base/arena.h"
#include "triage/match/indicator_grams.h"
#include "triage/match/indicator_keys.h"

struct text_literal {
    struct slice text;
    enum indicator_kind kind;
    uint32_t number; /* of the indicator */
};

/* All zeroes but for the arena, which is borrowed, is an empty one. */
struct indicator_texts {
    struct arena *arena;
    struct text_literal *list; /* for the prefilter, once they are divided */
    size_t count, room;
    struct literal *wide_lists[2]; /* for the grams: of all, of requests */
    struct indicator_grams *wide[2];
};

void indicator_texts_release(struct indicator_texts *texts);
/* A key that is a text. NULL, or the reason why it cannot be looked for. */
const char *indicator_texts_add(struct indicator_texts *texts, enum indicator_kind kind,
                                struct slice key, uint32_t number);
/* A regular expression in PCRE2's syntax; likewise. */
const char *indicator_texts_add_regex(struct indicator_texts *texts, struct slice pattern,
                                      uint32_t number);
/* After the last one was added. */
int indicator_texts_divide(struct indicator_texts *texts);
/* Whether it is looked for in such records. */
bool text_literal_counts(const struct text_literal *literal, bool requests);

#endif
