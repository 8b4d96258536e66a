/* Inputs that are broken in a fixed way: the same number and seeds give the same bytes on every
 * machine. */
#ifndef TESTS_FUZZ_MUTATE_H
#define TESTS_FUZZ_MUTATE_H

#include "triage/base/buffer.h"

/* Fills `out` with `seed` after some changes; `other` gives pieces to put in. Number 0 is the seed
 * as it is. */
void mutate(struct slice seed, struct slice other, uint64_t number, struct buffer *out);

#endif
