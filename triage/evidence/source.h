/* What a kind of evidence (file system in an image, folder, single file) provides to evidence.c for
 * one volume. */
#ifndef TRIAGE_EVIDENCE_SOURCE_H
#define TRIAGE_EVIDENCE_SOURCE_H

#include "triage/evidence/evidence.h"
#include "triage/evidence/listing.h"

struct source;

struct source_methods {
    /* All files of the volume; *out belongs to the caller. */
    int (*list)(struct source *source, struct listing **out);
    int (*open_stream)(struct source *source, const struct file *file, struct stream **out);
    /* The space that no file owns, see free_space.h. May be NULL: it cannot be told. */
    int (*open_free)(struct source *source, struct stream **out);
    /* May be NULL: owners are not recorded. */
    bool (*owner)(struct source *source, const struct file *file, char *text, size_t size);
    void (*close)(struct source *source);
};

/* First member of each kind's own struct. */
struct source {
    const struct source_methods *methods;
};

struct stream_methods {
    /* `offset` and `size` lie within the stream. */
    ssize_t (*read)(struct stream *stream, uint64_t offset, void *buffer, size_t size);
    /* As stream_data, `offset` lies within the stream; NULL: all of it is data. */
    bool (*data)(struct stream *stream, uint64_t offset, uint64_t *start, uint64_t *size);
    void (*close)(struct stream *stream);
};

/* First member of each kind's own struct. */
struct stream {
    const struct stream_methods *methods;
    uint64_t size;
    bool damaged;
    uint64_t lost; /* bytes of a deleted file that belong to other files now */
};

#endif
