/*
 * Partition tables, read by own bounds-checked code because libtsk hides the GUIDs and the disk
 * signature that drive letters hang on. Formats: UEFI specification chapter 5 (GPT and protective
 * MBR), the classic MBR with its chain of extended ones.
 */
#ifndef TRIAGE_EVIDENCE_PARTITIONS_H
#define TRIAGE_EVIDENCE_PARTITIONS_H

#include "triage/base/arena.h"
#include "triage/base/guid.h"
#include "triage/evidence/image.h"

struct partition {
    uint64_t offset, size; /* bytes on the medium, as the table says: not yet cut to the medium */
    const char *text;      /* "GPT 3: Basic data partition" */
    const char *problem;   /* NULL, or why a partition of this type cannot hold files */
    bool vacant;           /* the problem means no loss: by its nature there is nothing to read */
    char guid[GUID_TEXT_SIZE]; /* GPT unique partition GUID; "" for MBR */
};

struct partition_table {
    struct partition *partitions; /* in order of the table */
    size_t count;
    uint32_t disk_signature; /* 0 for GPT */
    uint32_t sector_size;    /* that the table counts in */
    const char *notice;      /* NULL, or what was wrong with it */
};

/* Texts go to the arena. No table gives count 0; -1 with error_text only when the medium cannot be
 * read. */
int partitions_read(struct image *image, struct arena *arena, struct partition_table *table);

#endif
