/*
 * What the files of the handle share: evidence_open.c tells what shape the evidence has and opens
 * it, evidence_volumes.c opens what lies in an image, evidence.c gives the files. All of it belongs
 * to the handle and ends with it.
 */
#ifndef TRIAGE_EVIDENCE_EVIDENCE_PARTS_H
#define TRIAGE_EVIDENCE_EVIDENCE_PARTS_H

#include "triage/evidence/partitions.h"
#include "triage/evidence/sleuthkit.h"
#include "triage/evidence/snapshots.h"

struct volume_slot {
    struct volume volume;
    struct view live;            /* without a source when the volume has a problem */
    struct snapshots *snapshots; /* NULL without shadow copies */
    struct image *opened;        /* an encrypted volume's own medium; NULL for the others */
    struct medium *medium;       /* of `opened` */
};

struct evidence {
    enum evidence_shape shape;
    char *path;
    const struct bitlocker_keys *keys; /* while it is being opened */
    struct arena *arena;               /* texts of the volumes */
    struct image *image;
    struct medium *medium;
    struct volume_slot *slots;
    size_t slot_count;
};

/* Mounts each volume of the table, or the whole medium when there is no table. What cannot be
 * mounted has a problem; -1 with error_text only when memory is out. */
int evidence_open_volumes(struct evidence *evidence, struct partition_table *table);
/* The present error as the problem of a volume. */
const char *evidence_problem(struct evidence *evidence);

#endif
