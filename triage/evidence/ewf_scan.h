/*
 * Inside of a scan of segment files: ewf_sections.c walks their sections, ewf_tables.c makes runs
 * of the chunk tables and of chunks whose table is lost. A scan borrows the set and its file; what
 * it finds is added to the set. Functions give -1 with error_text only when memory is out or a file
 * cannot be read: damage is a run without entries.
 */
#ifndef TRIAGE_EVIDENCE_EWF_SCAN_H
#define TRIAGE_EVIDENCE_EWF_SCAN_H

#include "triage/evidence/ewf.h"

enum { EWF_DESCRIPTOR_SIZE = 76 };

struct section {
    char kind[17];
    uint64_t at, next; /* file offsets; `next` is at most the size of the file */
    bool intact;       /* its checksum holds */
};

/* What is known of the chunks of the last "sectors" section. */
enum chunks_state {
    CHUNKS_KNOWN,         /* a table names them, or there are none */
    CHUNKS_WITHOUT_TABLE, /* none was met yet */
    CHUNKS_DAMAGED_TABLE  /* one was met; the last run stands for it, until its copy is better */
};

/* Of one segment. */
struct scan {
    struct ewf *ewf;
    const struct segment *file;
    uint32_t index;
    uint64_t chunks_start, chunks_end; /* body of the last "sectors" section */
    enum chunks_state chunks;
    bool alien;    /* the segment is of another set */
    bool finished; /* "next" or "done" was met */
};

static inline bool section_is(const struct section *section, const char *kind)
{
    return !strcmp(section->kind, kind);
}

/* A "table" or "table2" section. */
int scan_table(struct scan *scan, const struct section *section);
/*
 * Before anything else than a table is looked at: chunks that no intact table names are searched.
 * Where some were not found and nobody knows how many, a gap is added unless one follows anyway.
 */
int scan_settle_chunks(struct scan *scan, bool gap_follows);
/* A place where an unknown number of chunks is missing; `why` is NULL when the arena is full, with
 * error_text. */
int ewf_add_gap(struct ewf *ewf, const char *why);
/* As ewf_add_gap: the segment's tables are damaged. */
int scan_add_gap(struct scan *scan);

#endif
