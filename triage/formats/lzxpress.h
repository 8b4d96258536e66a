/*
 * LZXPRESS Huffman, the compression of prefetch files since Windows 10: blocks of 64 KiB, each with
 * the code lengths of its 512 symbols in front. Source: MS-XCA 2.1 and 2.2.
 */
#ifndef TRIAGE_FORMATS_LZXPRESS_H
#define TRIAGE_FORMATS_LZXPRESS_H

#include "triage/base/arena.h"

/*
 * Decompresses exactly `size` bytes into the arena. When `bytes` end early or make no sense, *out
 * is what came out until then and *problem says why; NULL otherwise. -1 with error_text when `size`
 * is beyond the arena's ceiling. Time is linear in `size` and in the bytes read.
 */
int lzxpress_huffman(struct slice bytes, size_t size, struct arena *arena, struct slice *out,
                     const char **problem);

#endif
