/* Where to find one data stream again: plain data, safe to send to another process. */
#ifndef TRIAGE_RECORD_FILE_H
#define TRIAGE_RECORD_FILE_H

#include "triage/base/instant.h"

enum file_flag {
    FILE_DELETED = 1, /* the entry is not in use any more */
    FILE_FOLDER = 2,
    FILE_RESIDENT = 4,   /* the content lies in the MFT entry itself */
    FILE_COMPRESSED = 8, /* LZNT1 */
    FILE_SPARSE = 16,
    FILE_ENCRYPTED = 32,
    FILE_ORPHAN = 64,        /* its parent is gone: the path starts with "$Orphan/" */
    FILE_REPARSE = 128,      /* link, mount point, WOF: the stream is not the plain content */
    FILE_DAMAGED = 256,      /* the entry itself could be read only in part */
    FILE_INDEXED = 512,      /* a folder whose index has records of its own: its stream "$I30" */
    FILE_UNALLOCATED = 1024, /* no file: the space of the volume that no file owns */
    FILE_SCANNED = 2048,     /* of the artifacts that want it, this one has its content searched */
};

/* The Windows attribute bits that tell something (MS-FSCC 2.6). */
enum file_attribute {
    ATTRIBUTE_READONLY = 0x1,
    ATTRIBUTE_HIDDEN = 0x2,
    ATTRIBUTE_SYSTEM = 0x4,
    ATTRIBUTE_ARCHIVE = 0x20,
};

enum { ATTRIBUTES_SIZE = 48 }; /* of the words for all of them */

/* "hidden system", with "directory" for a folder; gives the size without the NUL. */
size_t file_attributes_write(uint32_t attributes, bool is_folder, char text[ATTRIBUTES_SIZE]);

struct macb {
    struct instant modified, accessed, changed, created; /* changed: of the metadata (MFT entry) */
};

struct file {
    const char
        *path; /* UTF-8, '/' separated, from the root of its volume; without the stream's name */
    const char *stream; /* name of a named stream; NULL for the default stream */
    uint32_t evidence;  /* index of the evidence item on the command line */
    uint32_t volume;    /* index of the file system in the evidence */
    uint32_t snapshot;  /* 0: live; otherwise the shadow copy */
    uint64_t address;   /* metadata address, e.g. the MFT entry number */
    uint16_t sequence;  /* of the MFT entry; 0 elsewhere */
    uint16_t attribute; /* NTFS attribute id of the stream's first extent */
    uint64_t size;      /* bytes, as recorded: not to be trusted */
    uint64_t place;     /* byte on the medium where the content starts, for reading in disk order; 0
                           unknown */
    uint32_t flags;     /* file_flag */
    uint32_t attributes; /* Windows attribute bits as recorded */
    struct macb si, fn;  /* $STANDARD_INFORMATION; $FILE_NAME (NTFS only) */
};

/* References of NTFS: the number of an entry, above it the sequence number that it has or had. */
static inline uint64_t reference_entry(uint64_t reference)
{
    return reference & UINT64_C(0xFFFFFFFFFFFF);
}

static inline uint16_t reference_sequence(uint64_t reference)
{
    return (uint16_t)(reference >> 48);
}

/* The number that an entry has once the file is deleted: one more, 0 is left out. */
static inline uint16_t sequence_after(uint16_t sequence)
{
    return sequence == UINT16_MAX ? 1 : (uint16_t)(sequence + 1);
}

/* When the file came to where it is, as far as its file system can tell: created by $FILE_NAME, by
 * $STANDARD_INFORMATION, else last modified. */
static inline struct instant file_appeared(const struct file *file)
{
    return instant_known(file->fn.created)   ? file->fn.created
           : instant_known(file->si.created) ? file->si.created
                                             : file->si.modified;
}

#endif
