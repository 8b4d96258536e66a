/*
 * What the parts of pseudonyms.h share: pseudonyms.c keeps the names, pseudonym_learn.c finds out
 * which there are, pseudonym_forms.c knows others by their form, pseudonym_replace.c puts the
 * pseudonyms in.
 */
#ifndef TRIAGE_REPORT_PSEUDONYM_PARTS_H
#define TRIAGE_REPORT_PSEUDONYM_PARTS_H

#include "triage/report/pseudonyms.h"

enum { PSEUDONYM_NAME_MOST = 320 }; /* bytes */

/* --- pseudonyms.c: the names --- */

/* A name, the same in any letter case. Names are numbered from 1; 0 is none. */
struct pseudonym_name {
    enum pseudonym kind;
    uint32_t used;  /* the number in its pseudonym; 0 until it is used */
    uint32_t alias; /* the name whose pseudonym it shares */
    bool in_text;   /* looked for in all texts; otherwise known by its form */
    bool is_kept;   /* stays as it is */
    char *text;
};

/* 0 when it is empty, too long or one too many (pseudonyms_check tells of that). What is known
 * already keeps its kind. */
uint32_t pseudonyms_add(struct pseudonyms *names, enum pseudonym kind, struct slice text,
                        bool in_text);
/* Borrowed until the next name is added; NULL for 0. */
const struct pseudonym_name *pseudonyms_at(const struct pseudonyms *names, uint32_t name);
uint32_t pseudonyms_find(const struct pseudonyms *names, struct slice text);
/* Of the names that begin as the text does, one after the other, the shorter first: call it with a
 * walk of zeroes. False when there is no longer one. */
struct pseudonym_walk {
    size_t size; /* of the name at hand */
    uint32_t name, node;
};
bool pseudonyms_walk(const struct pseudonyms *names, struct slice text,
                     struct pseudonym_walk *walk);
/* `name` has the pseudonym of `other` from now on, unless it has one already. */
void pseudonyms_share(struct pseudonyms *names, uint32_t name, uint32_t other);
/* `name` is a domain of ours: what has it behind a dot is a host. */
void pseudonyms_add_domain(struct pseudonyms *names, uint32_t name);
bool pseudonyms_has_host(const struct pseudonyms *names, struct slice text);
/* Whether one of the domains ends at `end`, no word running into it. */
bool pseudonyms_ends_domain(const struct pseudonyms *names, struct slice text, size_t end);
/* Appends the pseudonym; "redacted" for 0. */
void pseudonyms_use(struct pseudonyms *names, uint32_t name, struct buffer *out);

/* --- pseudonym_learn.c --- */

/* A host below a domain, which shares the pseudonym of its short name. */
uint32_t pseudonyms_add_full_host(struct pseudonyms *names, struct slice text);

/* --- pseudonym_forms.c: what is known by its form --- */

struct pseudonym_form {
    size_t size; /* bytes of the text; 0 when there is nothing */
    enum pseudonym kind;
    struct slice key; /* as it is remembered; of the text or of `room` */
    char room[PSEUDONYM_NAME_MOST + 1];
};

void pseudonym_find_form(const struct pseudonyms *names, struct slice text, size_t at,
                         struct pseudonym_form *form);
/* Bytes of a host's name behind an at sign, with a dot in it or a port behind it: "a]@mail01:444",
 * "?@mail.example". */
size_t pseudonym_host_behind_sign(struct slice text, size_t at);
/* Whether it may be a host's or a domain's name. */
bool pseudonym_is_host(struct slice text);
/* What every Windows has, and words that stand for nobody. */
bool pseudonym_is_common(struct slice text);

/* Letters, digits and what is not ASCII. */
bool pseudonym_is_word(uint8_t c);
bool pseudonym_is_all_of(struct slice text, const char *characters);
/* Bytes at the start that are among the characters, at most so many. */
size_t pseudonym_run(struct slice text, const char *characters, size_t most);
/* No word, or none of the characters, goes on at `at`. The end of an escape ("%2F", "\n") does not
 * belong to what stands behind it. */
bool pseudonym_begins_word(struct slice text, size_t at);
bool pseudonym_begins_run(struct slice text, size_t at, const char *characters);

#endif
