/* A tiny E01 writer for tests: EnCase 6 layout, one table per segment, and it tells where it put
 * what. */
#ifndef TESTS_UNIT_EWF_WRITER_H
#define TESTS_UNIT_EWF_WRITER_H

#include "triage/base/cursor.h"

enum { WRITER_SEGMENTS_MAX = 160, WRITER_CHUNK_SIZE = 4096 };

struct writer_segment {
    char path[512];
    uint64_t sectors_at, table_at, table2_at, unread_at, end; /* of the sections' descriptors */
    uint64_t first_chunk;
    uint32_t chunk_count;
    uint64_t chunk_at[64]; /* file offsets */
};

struct writer {
    struct slice medium;    /* a whole number of sectors */
    uint32_t chunks_each;   /* per segment, at most 64 */
    bool lower_case, smart; /* .e01; SMART's layout: no "sectors", no table2, names .s01 */
    bool far_apart; /* as EnCase 6.7: chunks on both sides of 2 GiB, entries without a base */
    uint8_t set_id; /* fills the GUID */
    uint64_t claimed_sectors; /* 0: the true count */
    const uint32_t *unread;   /* pairs of first sector and count, for an error2 section */
    uint32_t unread_count;
    bool xml;           /* xheader and xhash instead of header */
    const char *md5[2]; /* 16 bytes each, for the digest and the hash section */
    struct writer_segment segments[WRITER_SEGMENTS_MAX];
    uint32_t segment_count;
};

/* Writes the set as FOLDER/STEM.E01 and so on; -1 when a file cannot be written. */
int writer_run(struct writer *writer, const char *folder, const char *stem);

/* For the damage: change, cut or extend a file that was written. */
void file_flip(const char *path, uint64_t at);
void file_cut(const char *path, uint64_t size);
void file_put(const char *path, uint64_t at, struct slice bytes);

#endif
