/* Two or three digests of the same bytes at once, on processors that have the SHA instructions. */
#ifndef TRIAGE_BASE_HASH_STITCHED_H
#define TRIAGE_BASE_HASH_STITCHED_H

#include "triage/base/hash.h"

/* The chaining values of the digests, first word first. */
struct hash_words {
    uint32_t md5[4], sha1[5], sha256[8];
};

/* Whether this processor can. */
bool hash_stitched_possible(void);
/* Takes in whole blocks of 64 bytes; `kinds`: two or more hash_kind bits, the words of others stay
 * as they are. Only where it is possible. */
void hash_stitched_add(struct hash_words *words, unsigned kinds, const uint8_t *blocks,
                       size_t count);

#endif
