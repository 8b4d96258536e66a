/*
 * Records of a folder's index on NTFS ("$I30", $INDEX_ALLOCATION): blocks that begin with "INDX",
 * with an update sequence, and entries that repeat the $FILE_NAME of each file. An entry that is
 * taken out is not wiped: it stays in the slack behind the entries in use, with the four times that
 * the file had. Layouts: as the Linux-NTFS documentation describes them.
 */
#ifndef TRIAGE_FORMATS_INDEX_RECORD_H
#define TRIAGE_FORMATS_INDEX_RECORD_H

#include "triage/base/cursor.h"
#include "triage/record/file.h"

enum { INDEX_BLOCK_MAX = 64 * 1024, INDEX_ENTRIES_START = 40 };

struct index_entry {
    uint64_t reference; /* of the file; 0 where it was overwritten */
    uint64_t parent;    /* reference of the folder */
    struct macb times;
    uint64_t size; /* bytes of the content */
    uint32_t attributes;
    struct slice name;  /* UTF-16LE */
    bool short_name;    /* only the 8.3 form of another name */
    struct slice bytes; /* the entry as it lies there */
};

/* Undoes the update sequence in place and finds where the slack begins. Gives the bytes that can
 * be trusted from the block's start, 0 when it is no index block. */
size_t index_block_open(uint8_t *block, size_t size, size_t *slack);
/* What the block's first bytes say of its size; 0 when they are no index block. */
size_t index_block_size(struct slice head);

/*
 * The next thing at or after *at that can only be an entry of an index, in space where anything may
 * lie: at multiples of eight bytes, with a possible name, possible times and a possible folder.
 * Moves *at behind it; false when there is none.
 */
bool index_find_entry(struct slice bytes, size_t *at, struct index_entry *entry);

#endif
