/*
 * Sigma's strings: bytes with the wildcards '*' (any text) and '?' (one character), where '\' makes
 * a wildcard or a backslash plain (Sigma rules specification 2.1, "Escaping"). They compare ASCII
 * letters without case unless `cased`.
 */
#ifndef TRIAGE_MATCH_PATTERN_H
#define TRIAGE_MATCH_PATTERN_H

#include "triage/base/arena.h"
#include "triage/base/buffer.h"

/* Tokens below 256 are bytes that stand for themselves. */
enum {
    TOKEN_ANY = 256, /* one character */
    TOKEN_DASH, /* any of the dashes and slashes that introduce an option of a Windows command */
    TOKEN_MANY  /* any text, also none */
};

struct tokens {
    const uint16_t *list;
    size_t count;
};

struct pattern;

/* All tokens live in the arena; functions with an `out` give -1 only past the arena's ceiling. */
int tokens_parse(struct arena *arena, struct slice text, struct tokens *out);
/* Each byte stands for itself. */
int tokens_plain(struct arena *arena, struct slice bytes, struct tokens *out);
/* TOKEN_MANY in front of and behind the tokens. */
int tokens_open(struct arena *arena, struct tokens tokens, bool before, bool behind,
                struct tokens *out);
/* Turns each dash that begins an option into TOKEN_DASH (modifier windash). */
int tokens_windash(struct arena *arena, struct tokens tokens, struct tokens *out);
/* The bytes of tokens without wildcards; false when there is a wildcard or memory is out. */
bool tokens_bytes(struct arena *arena, struct tokens tokens, struct slice *out);
bool tokens_have_wildcard(struct tokens tokens);
bool tokens_are_ascii(struct tokens tokens);
/* The same as a regular expression (PCRE2), for strings whose letters fold beyond ASCII; `anchored`
 * at both ends. */
void tokens_to_regex(struct tokens tokens, bool anchored, struct buffer *out);

/* NULL past the arena's ceiling. */
const struct pattern *pattern_new(struct arena *arena, struct tokens tokens, bool cased);
/* The whole text. */
bool pattern_matches(const struct pattern *pattern, struct slice text);
/* Any part of the text. */
bool pattern_within(const struct pattern *pattern, struct slice text);
/* True when any text matches, the empty one too. */
bool pattern_is_any(const struct pattern *pattern);
/* Whether only one text matches but for the case of its letters: then that text. */
bool pattern_exact(const struct pattern *pattern, struct slice *text);
/* The best literal (see literal_cost) of at least `shortest` bytes that stands in every matching
 * text: ASCII only and without the bytes in `breaks`. Empty when there is none. It lives as long as
 * the pattern. */
struct slice pattern_literal(const struct pattern *pattern, const char *breaks, size_t shortest);
/* Whether every text that matches ends with this literal of the pattern. */
bool pattern_ends_with(const struct pattern *pattern, struct slice literal);

#endif
