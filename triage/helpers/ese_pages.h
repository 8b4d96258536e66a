/*
 * Long values of an ESE database, and where its rows lie, by its pages: libesedb 20181229 finds
 * none of them, for it takes the size of a key for its first bytes, and knows no keys of eight
 * bytes. Format: "Extensible Storage Engine (ESE) Database File (EDB) format" (libesedb, Joachim
 * Metz).
 */
#ifndef TRIAGE_HELPERS_ESE_PAGES_H
#define TRIAGE_HELPERS_ESE_PAGES_H

#include "triage/base/buffer.h"

#include <sys/types.h>

enum { ESE_PAGE_MOST = 32768 };

struct ese_pages {
    /* As server_read: short only at the end, -1 with error_text. */
    ssize_t (*read)(void *context, uint64_t offset, void *buffer, size_t size);
    void *context;
    uint32_t page_size, revision;
    uint8_t page[ESE_PAGE_MOST]; /* the latest one read */
};

/* Reads the header. -1 with error_text when it is none or the pages have an odd size. */
int ese_pages_open(struct ese_pages *pages);
/* Root of the tree that holds a table's long values; 0 when there is none. */
uint32_t ese_pages_long_root(struct ese_pages *pages, uint32_t table_id);
/* Appends the place in the file of each row of the table, eight bytes little-endian, in the order
 * in which they stand. -1 with error_text. */
int ese_pages_places(struct ese_pages *pages, uint32_t table_id, struct buffer *out);
/*
 * Replaces `out` by the value of that key (as the record has it, 4 or 8 bytes), at most `most`
 * bytes. -1 with error_text when it is not there or not whole; what was found is in `out`.
 */
int ese_pages_long_value(struct ese_pages *pages, uint32_t root, struct slice key, size_t most,
                         struct buffer *out);

#endif
