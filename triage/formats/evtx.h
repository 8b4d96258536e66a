/*
 * Windows event logs (EVTX): chunks of 64 KiB, each with its records, names and templates, each
 * read on its own. Format: MS-EVEN6 2.2 for binary XML; for files and chunks the notes of libevtx
 * (Joachim Metz) and of Andreas Schuster.
 */
#ifndef TRIAGE_FORMATS_EVTX_H
#define TRIAGE_FORMATS_EVTX_H

#include "triage/base/arena.h"
#include "triage/base/buffer.h"
#include "triage/base/instant.h"
#include "triage/record/event.h"

enum {
    EVTX_FILE_HEADER_SIZE = 4096,
    EVTX_CHUNK_SIZE = 65536,
    EVTX_CHUNK_HEADER_SIZE = 512,
    EVTX_VALUES_MOST = 2048, /* of one record */
};

enum evtx_flag { EVTX_DIRTY = 1, EVTX_FULL = 2, EVTX_NO_CHECKSUM = 4 };

struct evtx_file_header {
    bool magic;       /* it begins with "ElfFile" */
    bool checksum_ok; /* or the file says that it has none */
    uint64_t next_record;
    size_t header_size; /* in front of the first chunk, checked */
    size_t chunk_count; /* as recorded */
    unsigned flags;
};

struct evtx_chunk_header {
    bool magic;                         /* it begins with "ElfChnk" */
    bool header_ok, records_ok;         /* checksums; true when there are none */
    uint64_t first_record, last_record; /* record ids */
    size_t free_offset;                 /* where unused space begins, checked */
    unsigned flags;
};

enum evtx_role {
    EVTX_ROLE_NONE,
    EVTX_ROLE_PROVIDER,
    EVTX_ROLE_EVENT_ID,
    EVTX_ROLE_CHANNEL,
    EVTX_ROLE_RECORD_ID, /* EventRecordID: an exported log counts its records anew and keeps this */
    EVTX_ROLE_TIME,      /* SystemTime */
    EVTX_ROLE_UNNAMED,   /* a <Data> without a name */
    EVTX_ROLE_COUNT
};

struct evtx_name {
    const char *text;
    enum evtx_role role;
    enum field field; /* set once `resolved`: looking a name up takes longer than reading a value */
    bool resolved;
};

struct evtx_value {
    struct evtx_name *name;
    struct slice text; /* UTF-8 */
};

enum evtx_state {
    EVTX_LIVE,
    EVTX_FOUND,  /* behind damage, where the chain of records is broken */
    EVTX_SLACK,  /* in space that the chunk calls unused */
    EVTX_BROKEN, /* begins like a record and is none: rejected */
};

/* Where a record lies in its chunk. */
struct evtx_span {
    size_t offset, size;
    uint64_t id;
    struct instant written;
    enum evtx_state state;
};

/* What a record says. Valid until the next record is decoded. */
struct evtx_record {
    const struct evtx_value *values;
    size_t value_count;
    struct slice text;   /* all values, a line feed behind each */
    const char *problem; /* NULL, or why something is missing */
};

struct evtx_walk {
    struct slice chunk;
    size_t at, free_offset;
    uint64_t last_id;
    bool any, broken; /* a record was told; the chain is broken since */
    size_t lost;      /* bytes in front of free_offset that belong to no record */
};

struct evtx_decoder;

/* `head`: up to EVTX_FILE_HEADER_SIZE bytes from the start of the file. */
struct evtx_file_header evtx_file_header_read(struct slice head);
/* `chunk`: up to EVTX_CHUNK_SIZE bytes. */
struct evtx_chunk_header evtx_chunk_header_read(struct slice chunk);

struct evtx_walk evtx_walk_over(struct slice chunk, const struct evtx_chunk_header *header);
/* The next record in the chunk, in the order of their places; false at the end. */
bool evtx_walk_next(struct evtx_walk *walk, struct evtx_span *span);

int evtx_decoder_new(struct evtx_decoder **out);
void evtx_decoder_free(struct evtx_decoder *decoder);
/* The chunk that the following records belong to; borrowed until the next call. Forgets all
 * templates. */
void evtx_decoder_chunk(struct evtx_decoder *decoder, struct slice chunk);
/* Decodes one record of the chunk. With a problem, what stands in front of it is there. */
void evtx_decode(struct evtx_decoder *decoder, const struct evtx_span *span,
                 struct evtx_record *record);
/* The record as XML, without white space between elements; borrowed until the next call. */
struct slice evtx_xml(struct evtx_decoder *decoder, const struct evtx_span *span);

/* What the content of an element of <System> is called, or its attribute; `element` ends with a
 * NUL. The name lives in the arena, or as long as `element`. */
struct evtx_name evtx_system_name(struct arena *arena, struct slice element,
                                  struct slice attribute);

#endif
