/*
 * What each detection stands for in the verdict: the table that is shipped as rules/judgement.tsv,
 * and for rules that are not listed there what their tags say.
 */
#ifndef TRIAGE_FINDINGS_JUDGEMENT_H
#define TRIAGE_FINDINGS_JUDGEMENT_H

#include "triage/base/arena.h"

/* The ladder of part E of the detection reference. */
enum rung {
    RUNG_NOTHING,
    RUNG_PROBED,
    RUNG_TARGETED,
    RUNG_EXPLOITED,
    RUNG_PLACED,
    RUNG_USED,
    RUNG_HANDS_ON,
    RUNG_STOLEN,
    RUNG_DESTROYED,
    RUNG_COUNT
};

/* "web shell used"; in words a reader understands. */
const char *rung_name(enum rung rung);

struct judgement {
    size_t number;                 /* its place in the list */
    const char *id;                /* name of the rule */
    enum rung rung;                /* what one indicator of level high or critical shows */
    const char *proves, *suggests; /* vulnerabilities, comma separated */
    const char *step;              /* a sentence; "" when only the rule's title can tell */
};

struct judgements {
    struct judgement *rows;
    size_t count, room;
    uint32_t *places; /* by name: the row's number and one more; 0: free */
    size_t place_count;
    struct arena *arena;
};

/* -1 with error_text when the table cannot be read. */
int judgements_load(const char *path, struct arena *arena, struct judgements *judgements);
/* Never NULL: a rule that is not listed is judged by its tags (a JSON list) and kept from then on;
 * NULL only when memory is out. */
const struct judgement *judgement_of(struct judgements *judgements, const char *rule,
                                     const char *tags);

#endif
