/*
 * A text file of any size as windows of lines. The window moves over the file and grows only for a
 * line that does not fit; a byte order mark is skipped, UTF-16 becomes UTF-8, and lines_place()
 * still tells where a byte lies in the evidence.
 */
#ifndef TRIAGE_FORMATS_LINES_H
#define TRIAGE_FORMATS_LINES_H

#include "triage/base/cursor.h"

#include <sys/types.h>

enum {
    LINES_WINDOW = 1 << 18,          /* sits in the second-level cache while it is scanned twice */
    LINES_WINDOW_CEILING = 16 << 20, /* a longer line comes in pieces */
};

/* Where the bytes come from. `read` gives fewer bytes only at the end and -1 with error_text;
 * `notice` gets what was damaged. */
struct line_source {
    ssize_t (*read)(void *context, uint64_t offset, void *buffer, size_t size);
    void (*notice)(void *context, uint64_t offset, const char *text);
    /* May be NULL. The next bytes that are no hole, from `offset` on; false: there are none. */
    bool (*data)(void *context, uint64_t offset, uint64_t *start, uint64_t *size);
    void *context;
    uint64_t size; /* of the file, so that a place that cannot be read is not taken for its end */
};

struct lines;

/* NULL with error_text when memory is out. */
struct lines *lines_new(const struct line_source *source);
void lines_free(struct lines *lines);

/*
 * The next window: what the previous one held behind its first `consumed` bytes, and new bytes
 * behind that. When nothing was consumed the window grows. It may end amid a line unless
 * lines_final(); the last line of the file always ends with '\n', added when it lacks one. The
 * bytes live until the next call. Bytes that cannot be read are NULs, with a notice. 1: a window;
 * 0: the end; -1 with error_text: nothing could be read or memory is out.
 */
int lines_next(struct lines *lines, size_t consumed, struct slice *window);

/* No more bytes follow this window. */
bool lines_final(const struct lines *lines);
/* The window cannot grow any more: a line that does not end in it has to be taken in pieces. */
bool lines_full(const struct lines *lines);
/* Bytes of holes that no window showed: what is left of a large one are some NULs. */
uint64_t lines_skipped(const struct lines *lines);
/* Where a byte of the window lies in the evidence file. */
uint64_t lines_place(struct lines *lines, const uint8_t *at);

/* The head of a file in UTF-8 without its byte order mark, in a new buffer that the caller frees;
 * NULL when memory is out. */
uint8_t *lines_decode_head(struct slice head, size_t *size);

#endif
