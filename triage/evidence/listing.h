/*
 * All files of one volume in one compact table: 56 bytes per entry, 20 per name, 32 per data
 * stream, and the names. Paths are put together on demand from the parents, so five million entries
 * stay below a gigabyte. Filled by mft.c, sleuthkit_walk.c and folder.c; read by evidence.c.
 */
#ifndef TRIAGE_EVIDENCE_LISTING_H
#define TRIAGE_EVIDENCE_LISTING_H

#include "triage/base/arena.h"
#include "triage/record/file.h"

struct listing;

/* Names that stand for "not there". */
#define LISTING_NONE UINT32_MAX

struct listing_entry {
    struct macb si;
    uint32_t attributes;     /* Windows attribute bits */
    uint32_t names, streams; /* first of each, LISTING_NONE without */
    uint32_t reparse_tag, security_id;
    uint16_t sequence;
    uint16_t flags; /* file_flag; 0 beside `present` for a plain live file */
};

/* What is known of a name when it is added. */
struct listing_name {
    uint32_t parent;          /* index of the folder's entry */
    uint16_t parent_sequence; /* as the name has it; 0: not checked */
    bool alias;        /* a second name of the same link (8.3): can be found, is not listed */
    struct macb fn;    /* times of the $FILE_NAME attribute */
    struct slice text; /* UTF-8; '/' and NUL are replaced */
};

struct listing_stream {
    uint64_t size, place;
    struct slice name;  /* empty for the default stream */
    uint16_t attribute; /* NTFS attribute id */
    uint16_t flags;     /* file_flag bits of this stream: resident, compressed, sparse, encrypted */
};

/* An empty table whose root folder is entry `root`. NULL when memory is out. */
struct listing *listing_new(uint32_t root);
void listing_free(struct listing *listing);

/* The entry `index`, made when it is not there; valid until the next call. NULL with error_text
 * when memory is out. */
struct listing_entry *listing_entry(struct listing *listing, uint32_t index);
/* As above, NULL when there is no such entry. */
const struct listing_entry *listing_look(const struct listing *listing, uint32_t index);
/* The index behind the last entry. */
uint32_t listing_count(const struct listing *listing);

/* Metadata address of an entry, when it is not its index. */
int listing_set_address(struct listing *listing, uint32_t index, uint64_t address);

/* Adds behind what the entry has. -1 with error_text when memory or the room of 4 GiB for names is
 * out. */
int listing_add_name(struct listing *listing, uint32_t index, const struct listing_name *name);
int listing_add_stream(struct listing *listing, uint32_t index,
                       const struct listing_stream *stream);
/* Does the entry have a stream of this name (exact bytes)? */
bool listing_has_stream(const struct listing *listing, uint32_t index, struct slice name);
/* Called once when all is added: an entry that has aliases only keeps one of them as its name. */
void listing_finish(struct listing *listing);

/* Entries that could not be understood; those of them that are there in part. */
void listing_count_unreadable(struct listing *listing);
void listing_count_partial(struct listing *listing);
uint64_t listing_unreadable(const struct listing *listing);
uint64_t listing_partial(const struct listing *listing);
/* The folder that the entry's first name lies in, whether or not it still is the same one;
 * LISTING_NONE without a name. */
uint32_t listing_parent(const struct listing *listing, uint32_t index);
/* Bytes of memory in use. */
size_t listing_memory(const struct listing *listing);

/*
 * Calls `visit` for each folder, file and named stream, in the order of the entries, each name of a
 * file on its own. A named stream of a folder comes without FILE_FOLDER. What has no way to the
 * root comes below "$Orphan/". The file and its texts are borrowed for the call. Stops when visit
 * gives non-zero and returns that.
 */
int listing_walk(struct listing *listing, int (*visit)(void *context, const struct file *file),
                 void *context);
/* The live file at `path`, ASCII letters without case; see evidence_find. Texts go to the arena. */
bool listing_find(struct listing *listing, const char *path, struct arena *arena,
                  struct file *file);

#endif
