/* Writes event logs for tests, from the format's description and apart from the reader: both would
 * have to err alike. */
#ifndef TESTS_UNIT_EVTX_WRITER_H
#define TESTS_UNIT_EVTX_WRITER_H

#include "triage/base/buffer.h"

enum { WRITER_FIELDS = 40, WRITER_TEMPLATES = 8 };

struct log_field {
    const char *name; /* NULL: a <Data> without a name */
    uint8_t type; /* 1 string (ASCII), 0x81 strings that '|' parts, 8 uint32 in decimal, 0 null */
    const char *text;
};

struct log_entry {
    uint64_t id, ticks;
    const char *provider, *channel;
    uint16_t event_id;
    bool literal; /* EventData stands as plain elements, without a template */
    struct log_field fields[WRITER_FIELDS]; /* ended by a type 0 without a text */
};

struct evtx_writer {
    struct buffer file;
    size_t last;  /* place of the last record in the chunk */
    size_t chunk; /* where the chunk at hand begins */
    uint64_t first_id, last_id;
    uint16_t chunks;
    size_t attributes; /* place of the size of the attributes that are being written */
    size_t outer;      /* place of the outer template in the chunk; 0: not yet written */
};

void evtx_writer_start(struct evtx_writer *writer);
void evtx_writer_add(struct evtx_writer *writer, const struct log_entry *entry);
/* Fills the chunk up and begins another with the next record. */
void evtx_writer_end_chunk(struct evtx_writer *writer);
/* Ends the chunk and completes the header; `flags` as in the format (1 dirty, 4 no checksums). */
struct slice evtx_writer_finish(struct evtx_writer *writer, uint32_t flags);
void evtx_writer_release(struct evtx_writer *writer);
/* Sums up header and records of the chunk at `at` of the file again, after a change. */
void evtx_writer_sum_chunk(struct evtx_writer *writer, size_t at);

#endif
