/*
 * OLE compound files: a small file system in a file, here for jump lists. Sectors are chained
 * through a table; streams below 4096 bytes lie in small sectors within one stream. Source:
 * MS-CFB. Time is linear in the size of the file: chains end after as many sectors as there are,
 * and all streams together give no more bytes than the file has.
 */
#ifndef TRIAGE_FORMATS_COMPOUND_H
#define TRIAGE_FORMATS_COMPOUND_H

#include "triage/base/arena.h"
#include "triage/base/instant.h"

struct compound_entry {
    const char *name;
    bool is_stream; /* else a folder */
    struct instant created, modified;
    uint32_t start;
    uint64_t size;
};

struct compound {
    struct slice bytes;
    struct arena *arena;
    size_t sector_size, small_size, small_limit;
    const uint32_t *table, *small_table; /* next sector of each */
    size_t table_count, small_count;
    struct slice small_content;
    const size_t *small_places; /* where each sector of the small content lies in the file */
    const struct compound_entry *entries; /* used ones, in the order of the directory */
    size_t entry_count;
    size_t left;         /* bytes that streams may still give */
    const char *problem; /* NULL, or what is damaged though entries could be read */
};

/* `bytes` are the whole file and must outlive it. -1 with error_text when nothing can be read. */
int compound_open(struct slice bytes, struct arena *arena, struct compound *out);
/* The content of a stream, in the arena of compound_open; -1 with error_text. *whole is
 * false when its chain ends early, which gives what is there, or goes on behind the end, as it does
 * when it goes in a circle. `first` (may be NULL): where it begins in the
 * file. */
int compound_stream(struct compound *compound, const struct compound_entry *entry,
                    struct slice *content, bool *whole, size_t *first);
bool compound_begins(struct slice head);

#endif
