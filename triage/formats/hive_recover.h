/*
 * Deleted keys and values of a hive: what still lies in free cells, in cells that nothing refers
 * to, and behind the entries in use of a key's list of values. What is found may be partly
 * overwritten and its parent's cell may be used by another key by now: an indication, never a
 * certainty.
 */
#ifndef TRIAGE_FORMATS_HIVE_RECOVER_H
#define TRIAGE_FORMATS_HIVE_RECOVER_H

#include "triage/formats/hive.h"

struct hive_recovered {
    const char
        *path; /* of the key, without the root's name; begins with "?" where the parents are lost */
    struct hive_key key; /* key.cell 0: it is not known which key the value belonged to */
    const struct hive_value *value; /* NULL: the key itself is what was found */
    bool key_is_live;               /* only the value was deleted */
    bool data_is_lost;              /* the cell of the value's data is in use again */
    uint64_t offset;                /* of the cell in the hive file */
};

/* Calls `visit` for each; what it is given is borrowed for the call. Stops early when visit gives
 * non-zero and returns that; -1 with error_text when memory is out. Needs a 32nd of the hive's
 * size. */
int hive_recover(struct hive *hive, int (*visit)(void *context, const struct hive_recovered *found),
                 void *context);

#endif
