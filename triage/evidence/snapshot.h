/* Which shadow copies there are and which are wanted: plain data. */
#ifndef TRIAGE_EVIDENCE_SNAPSHOT_H
#define TRIAGE_EVIDENCE_SNAPSHOT_H

#include "triage/base/guid.h"
#include "triage/base/instant.h"

#include <stddef.h>

enum { SNAPSHOTS_MAX = 512 };

struct snapshot {
    uint32_t number;         /* from 1, the oldest, as vshadowinfo has it */
    struct instant created;  /* INSTANT_NONE when the store is damaged */
    char id[GUID_TEXT_SIZE]; /* GUID of the shadow copy as Windows shows it, lower case */
    const char *problem;     /* NULL, or a sentence: why it cannot be read */
};

/* --vss: of each volume. */
struct snapshot_choice {
    uint64_t bits[SNAPSHOTS_MAX / 64]; /* bit 0: number 1 */
};

/* "all", "none", "1,3". -1 with error_text. NULL is "none". */
int snapshot_choice_parse(const char *text, struct snapshot_choice *choice);

static inline bool snapshot_is_chosen(const struct snapshot_choice *choice, uint32_t number)
{
    return number >= 1 && number <= SNAPSHOTS_MAX &&
           choice->bits[(number - 1) / 64] >> ((number - 1) % 64) & 1;
}

#endif
