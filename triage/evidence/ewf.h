/*
 * Inside of the E01 reader: what a set of segment files was found to hold. Format: "Expert Witness
 * Compression Format specification" of the libewf project; the names of sections and fields are
 * taken from there.
 */
#ifndef TRIAGE_EVIDENCE_EWF_H
#define TRIAGE_EVIDENCE_EWF_H

#include "triage/base/arena.h"
#include "triage/evidence/image_methods.h"
#include "triage/evidence/inflate.h"
#include "triage/evidence/segments.h"

enum {
    EWF_FILE_HEADER_SIZE = 13,
    EWF_METADATA_MAX = 64,
    EWF_KEYS = 14 /* names of case metadata, see ewf_key */
};

/* Sectors of the medium. */
struct ewf_sectors {
    uint64_t first, count;
};

struct ewf_geometry {
    uint32_t sectors_per_chunk, sector_size;
    uint64_t sector_count;
    uint8_t set_id[16]; /* all zeroes when the format has none */
};

/*
 * One chunk table, or a place where chunks are missing. Chunk i of the table starts at `base` plus
 * the low 31 bits of its entry; the high bit says compressed. From `plain_from` on all 32 bits are
 * the offset and nothing is compressed, which is how EnCase 6.7 writes segments beyond 2 GiB.
 * Entries stay in the file until they are wanted: 2 TiB have 256 MiB of them.
 */
struct ewf_run {
    uint64_t first;    /* chunk number on the medium, once placed */
    uint32_t count;    /* 0: a gap of unknown size */
    uint32_t *entries; /* NULL: at `table_at`; set when chunks were searched for lack of a table */
    uint64_t table_at; /* file offset of the entries */
    uint32_t plain_from;
    uint32_t cut_from;  /* chunks from here on lie beyond the end of the file */
    uint32_t segment;   /* index in the set */
    uint64_t base, end; /* `end`: file offset behind the last chunk */
    const char *why;    /* NULL, or why the chunks cannot be read */
    bool placed;
};

struct ewf_cache;

struct ewf {
    struct image image;
    struct arena *arena; /* texts and metadata */
    struct segments segments;
    const char **paths;
    struct ewf_geometry geometry;
    bool has_geometry, ended; /* `ended`: the "done" section was met, so the set's end is there */
    struct ewf_run
        *runs; /* in order of the medium; after ewf_place only those placed, with entries */
    size_t run_count, run_room;
    uint64_t chunk_count;
    struct pair *metadata;
    size_t metadata_count;
    struct ewf_sectors *unread; /* not readable when the image was acquired; sorted by ewf_place */
    size_t unread_count;
    struct ewf_cache *cache;
};

/* The most bytes that a chunk is given in its file. */
static inline size_t ewf_stored_most(size_t chunk_size)
{
    return 2 * chunk_size + 1024;
}

/* File offset of chunk `index` of a run. */
static inline uint64_t ewf_chunk_start(const struct ewf_run *run, const uint32_t *entries,
                                       uint64_t index)
{
    uint32_t entry = entries[index];

    return run->base + (index >= run->plain_from ? entry : entry & (uint32_t)INT32_MAX);
}

/* Makes numbers of the bytes of a table, in place. */
static inline void ewf_decode_entries(uint32_t *entries, size_t count)
{
    for (size_t i = 0; i < count; i++)
        entries[i] = le32toh(entries[i]);
}

/* True when the file's first section is intact. */
bool ewf_has_section(const struct segment *file);
/* Reads all sections of all segments into `ewf`; what is damaged becomes a gap. -1 only when
 * nothing can be used. */
int ewf_scan(struct ewf *ewf);
/* Whether a scan found exactly as many chunks as the medium has. */
bool ewf_is_complete(const struct ewf *ewf);
/* Gives each run its place on the medium where that is certain, and notes the damage of the rest.
 */
int ewf_place(struct ewf *ewf);

/* Chunks found one behind the other in [at, end) of a segment file, without a table. */
struct ewf_search {
    const struct segment *file;
    uint64_t at, end;
    size_t chunk_size, stored_most; /* of a chunk: in full, and as it may be stored */
    struct inflater *inflater;
    uint8_t *stored, *bytes; /* a part of the file, and a chunk inflated */
    size_t room, stored_size;
    uint64_t stored_at; /* file offset of `stored` */
    uint8_t zeroes[512];
    size_t zeroes_size;
};

int ewf_search_init(struct ewf_search *search, const struct segment *file, uint64_t start,
                    uint64_t end, size_t chunk_size);
void ewf_search_release(struct ewf_search *search);
/* Where the next chunk starts; false at the end and where the bytes are no intact chunk. */
bool ewf_search_next(struct ewf_search *search, uint64_t *at, bool *compressed);

/* Whether a section of this kind says something of the case: metadata, stored hashes, the sectors
 * that were unreadable. */
bool ewf_is_metadata(const char *kind);
/* Takes over what the body of such a section says; damage of it is a note. -1 only when memory is
 * out. */
int ewf_read_metadata(struct ewf *ewf, const char *kind, struct slice body);
/* The names that metadata have in a container, 0 to EWF_KEYS - 1; libewf's are the same. */
const char *ewf_key(size_t index);
struct ewf_answer;
/* Takes over what libewf read; our own reading stays where libewf has nothing. */
void ewf_take_answer(struct ewf *ewf, const struct ewf_answer *answer);
/* One more pair of metadata; the value is copied. A key that is known already keeps its value, but
 * for "damage_note", which may stand several times. */
void ewf_add_metadata(struct ewf *ewf, const char *key, const char *value);

#endif
