/*
 * Many short runs of bytes ("grams" of three or four) looked for at 32 places at once: the grams
 * are dealt to sixteen groups, and for each byte of a gram a group allows some lower and some upper
 * halves of a byte. What passes is only worth a closer look.
 */
#ifndef TRIAGE_MATCH_GRAM_GROUPS_H
#define TRIAGE_MATCH_GRAM_GROUPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { GRAM_GROUPS_WIDTH = 4, GRAM_GROUPS_BLOCK = 32, GRAM_GROUPS_SETS = 2 };

struct gram_groups {
    struct gram_set { /* eight groups, a bit each, by the halves of the gram's bytes */
        uint8_t low[GRAM_GROUPS_WIDTH][16], high[GRAM_GROUPS_WIDTH][16];
        double shares[8]; /* of the places in ordinary logs that the group lets through */
    } sets[GRAM_GROUPS_SETS];
};

/* Whether the processor has what gram_groups_scan() needs. */
bool gram_groups_usable(void);
/* Adds a gram, its first byte lowest, each byte with 0x20 set; any byte may follow one of three. */
void gram_groups_add(struct gram_groups *groups, uint32_t gram, unsigned width);
/* For each of `blocks` blocks of 32 places a mask of those where a gram may start, in any letter
 * case. Reads three bytes behind the last block. */
void gram_groups_scan(const struct gram_groups *groups, const uint8_t *text, size_t blocks,
                      uint32_t *masks);

#endif
