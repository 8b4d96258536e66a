/*
 * Zlib streams (RFC 1950) of known or bounded size, and Adler-32: libdeflate's one home. Built
 * without it, zlib does the same, about 2.5 times slower.
 */
#ifndef TRIAGE_EVIDENCE_INFLATE_H
#define TRIAGE_EVIDENCE_INFLATE_H

#include "triage/base/cursor.h"

struct inflater;

/* For one thread. NULL when memory is out. */
struct inflater *inflater_new(void);
void inflater_free(struct inflater *inflater);
/*
 * Inflates the zlib stream at the start of `packed` (bytes behind it are ignored) into at most
 * `room` bytes; the stream's own Adler-32 is checked. `used` (may be NULL) gets the stream's size.
 * False when it is damaged or longer than `room`.
 */
bool inflate_stream(struct inflater *inflater, struct slice packed, uint8_t *bytes, size_t room,
                    size_t *size, size_t *used);
/* Adler-32 (RFC 1950) from the start value 1. */
uint32_t adler32_of(struct slice bytes);
/* CRC-32 (RFC 1952) continued from `crc`, which is 0 at the start. */
uint32_t crc32_over(struct slice bytes, uint32_t crc);

#endif
