/*
 * What indicator lists name, in any number: exact lookup behind a Bloom filter, so that a value
 * that is not listed costs one look into it. Filled by the parent, then only read, and shared by
 * all workers through fork.
 */
#ifndef TRIAGE_MATCH_INDICATOR_TABLE_H
#define TRIAGE_MATCH_INDICATOR_TABLE_H

#include "triage/base/arena.h"
#include "triage/match/indicator_grams.h"
#include "triage/match/indicator_keys.h"
#include "triage/match/prefilter.h"
#include "triage/match/regex.h"

struct indicator {
    struct slice key; /* in the form that indicator_key() gives */
    const struct regex *regex;
    uint32_t line; /* in the list */
    uint32_t rule; /* that tells it */
    uint32_t set;  /* of indicators that must all be met by one event; 0: it stands alone */
    uint8_t kind;
    bool rooted; /* INDICATOR_PATH: the whole path behind the drive letter */
};

struct indicator_table;

int indicator_table_new(struct indicator_table **out);
void indicator_table_free(struct indicator_table *table);
/* NULL, or the reason why it cannot be looked for: static or in error_text's storage. */
const char *indicator_table_add(struct indicator_table *table, const struct indicator *indicator,
                                struct slice text);
/* A new set of `members`; 0 when memory is out. */
uint32_t indicator_table_set(struct indicator_table *table, unsigned members);
unsigned indicator_set_members(const struct indicator_table *table, uint32_t set);
/* After the last one was added. */
int indicator_table_compile(struct indicator_table *table);

size_t indicator_table_count(const struct indicator_table *table, enum indicator_kind kind);
size_t indicator_table_total(const struct indicator_table *table);
const struct indicator *indicator_at(const struct indicator_table *table, size_t number);

/* The hash of a key grows from its end to its start, so that all ends of a text are hashed in one
 * pass: begin with 0. */
static inline uint64_t indicator_hash_step(uint64_t hash, uint8_t byte)
{
    return (hash + byte + 1) * UINT64_C(0x9E3779B97F4A7C15);
}
uint64_t indicator_hash(struct slice key);
/* Calls `found` for each indicator of that key. */
void indicator_find(const struct indicator_table *table, enum indicator_kind kind, struct slice key,
                    uint64_t hash, void (*found)(void *context, size_t number), void *context);
bool indicator_has(const struct indicator_table *table, enum indicator_kind kind, struct slice key,
                   uint64_t hash);
/* All networks that hold the address (IPv4 as IPv4-mapped IPv6). */
void indicator_find_address(const struct indicator_table *table, const uint8_t address[16],
                            void (*found)(void *context, size_t number), void *context);
bool indicator_has_address(const struct indicator_table *table, const uint8_t address[16]);

/* Numbers of the regular expressions. */
const uint32_t *indicator_regexes(const struct indicator_table *table, size_t *count);
/* One of indicator_literal_count(), and the number of the indicator that it is of. */
struct slice indicator_literal(const struct indicator_table *table, size_t index, uint32_t *number);
/* Of very many literals, but for those of regular expressions, the prefilter knows nothing: they
 * are looked for by this. NULL: there are few. */
const struct indicator_grams *indicator_wide(const struct indicator_table *table, bool requests);
/* What a record must hold for an indicator that is a text to be in it, each borrowed from the
 * table; of requests (web server logs) only for those kinds that are looked for there. `list` has
 * room for indicator_literal_count(). */
size_t indicator_literal_count(const struct indicator_table *table);
void indicator_literals(const struct indicator_table *table, bool requests, struct literal *list,
                        size_t *count);

#endif
