/*
 * A hash of hostile bytes for tables in memory: without its key nobody can choose names that fall
 * into one place. SipHash-1-3 (Aumasson and Bernstein, "SipHash: a fast short-input PRF").
 */
#ifndef TRIAGE_BASE_KEYED_HASH_H
#define TRIAGE_BASE_KEYED_HASH_H

#include "triage/base/cursor.h"

struct hash_key {
    uint64_t half[2];
};

/* A fresh one, of the system's random numbers; nothing that is written may depend on it. */
struct hash_key hash_key_new(void);
uint64_t keyed_hash(const struct hash_key *key, struct slice bytes);

#endif
