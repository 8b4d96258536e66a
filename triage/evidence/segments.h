/*
 * The files a split image is made of: found by listing the folder, so that a gap in the numbers
 * shows, then opened all at once and kept open (a worker's sandbox opens nothing later).
 */
#ifndef TRIAGE_EVIDENCE_SEGMENTS_H
#define TRIAGE_EVIDENCE_SEGMENTS_H

#include "triage/base/cursor.h"
#include "triage/base/path.h"

#include <sys/types.h>

struct segment {
    char *path;
    uint32_t number;
    uint64_t size;
    int fd;   /* -1 until opened */
    bool odd; /* its name says another number than its content */
};

struct segments {
    struct segment *files; /* ascending numbers */
    size_t count, room;
};

/* The number that the part of a file name behind the stem stands for; false when it is no
 * segment's. */
typedef bool segment_number(const char *suffix, uint32_t *number);

/*
 * Fills `out` with the files beside `path` whose names begin with the first `stem_size` bytes of
 * its own name and whose rest `number` understands. Of two files with one number (".E01", ".e01")
 * the one spelled like `path` is taken. -1 when the folder cannot be listed or memory is out;
 * release it in any case.
 */
int segments_find(const char *path, size_t stem_size, segment_number *number, struct segments *out);
/* The file at `path` alone, as number 1. */
int segments_single(const char *path, struct segments *out);
/* Opens all and notes their sizes; the limit of open files is raised as far as allowed. */
int segments_open(struct segments *segments);
/* After numbers were changed: sorts, and closes those with number 0 or one that another has
 * already. */
void segments_sort(struct segments *segments);
void segments_release(struct segments *segments);
/* The paths in order, an array the caller frees (the texts belong to the segments); NULL when
 * memory is out. */
const char **segments_paths(const struct segments *segments);

/* As pread, but short only at the end of the file; -1 with error_text. */
ssize_t segment_read(const struct segment *segment, uint64_t offset, void *buffer, size_t size);
/* Opens a file or block device read-only; -1 with error_text. `size` gets its bytes. */
int medium_open(const char *path, uint64_t *size);

#endif
