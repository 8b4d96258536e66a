/*
 * Many short runs of bytes ("grams" of three or four) looked for at 64 places at once: the grams
 * are dealt to sixteen groups, and a group allows some bytes at each place of a gram. What passes
 * is only worth a closer look.
 */
#ifndef TRIAGE_MATCH_GRAM_GROUPS_H
#define TRIAGE_MATCH_GRAM_GROUPS_H

#include "triage/base/cursor.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { GRAM_GROUPS_WIDTH = 4, GRAM_GROUPS_BLOCK = 64, GRAM_GROUPS_SETS = 2 };

/* How bytes are looked up, the slowest first. */
enum gram_groups_unit {
    GRAM_GROUPS_NONE,   /* not at all: every place passes */
    GRAM_GROUPS_HALVES, /* AVX2: by their lower and their upper halves */
    GRAM_GROUPS_BYTES,  /* AVX-512 VBMI: by seven of their bits */
};

struct gram_groups {
    enum gram_groups_unit unit;
    struct gram_set { /* eight groups, a bit each, by what stands at each place of a gram */
        uint8_t low[GRAM_GROUPS_WIDTH][16], high[GRAM_GROUPS_WIDTH][16];
        uint8_t bytes[GRAM_GROUPS_WIDTH][128];
        double shares[8][GRAM_GROUPS_WIDTH]; /* of the bytes in ordinary logs that pass there */
    } sets[GRAM_GROUPS_SETS];
};

/* The best that the processor has. */
enum gram_groups_unit gram_groups_best(void);
/* Empty groups for a unit that the processor has. */
void gram_groups_init(struct gram_groups *groups, enum gram_groups_unit unit);
/* Adds a gram, its first byte lowest, each byte with 0x20 set; any byte may follow one of three. */
void gram_groups_add(struct gram_groups *groups, uint32_t gram, unsigned width);
/* For each of `blocks` blocks of 64 places of the text a mask of those where a gram may start, in
 * any letter case. Places behind the text may be among them. */
void gram_groups_scan(const struct gram_groups *groups, struct slice text, size_t blocks,
                      uint64_t *masks);

#endif
