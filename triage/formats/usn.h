/*
 * Records of the NTFS change journal ($Extend\$UsnJrnl:$J), versions 2, 3 and 4. Layouts:
 * USN_RECORD_V2, _V3 and _V4 in winioctl.h and MS-FSCC 2.3.62. Records lie at multiples of eight
 * bytes; what is not in use is zero.
 */
#ifndef TRIAGE_FORMATS_USN_H
#define TRIAGE_FORMATS_USN_H

#include "triage/base/buffer.h"
#include "triage/record/file.h"

enum usn_reason {
    USN_FILE_CREATE = 0x100,
    USN_FILE_DELETE = 0x200,
    USN_RENAME_OLD_NAME = 0x1000,
    USN_RENAME_NEW_NAME = 0x2000,
};

#define USN_CLOSE UINT32_C(0x80000000)

enum { USN_FOLDER = 0x10, USN_RECORD_MAX = 8 + 64 * 1024 };

/* A file reference: entry number and sequence number; `high` is not 0 on ReFS only. */
struct usn_reference {
    uint64_t low, high;
};

struct usn_record {
    struct usn_reference file, parent;
    uint64_t usn;
    struct instant when; /* UTC; none in version 4 */
    uint32_t reason, source, attributes;
    uint16_t version;
    struct slice name;  /* UTF-16LE; empty in version 4 */
    struct slice bytes; /* the whole record */
};

enum usn_step {
    USN_RECORD, /* `record` is filled */
    USN_DAMAGE, /* bytes that are no record were passed over: `damage` has them */
    USN_MORE,   /* a record begins at window.at that needs bytes behind the window */
    USN_END,    /* the window is used up */
};

/* A stretch of a journal that starts at a multiple of eight bytes. */
struct usn_window {
    struct slice bytes;
    size_t at;
    bool last; /* the journal ends with the window */
};

/* The next record or the next damaged stretch; zeroes between records are passed over. */
enum usn_step usn_next(struct usn_window *window, struct usn_record *record, struct slice *damage);

/*
 * The next record at or after *at, in bytes that may hold anything: at multiples of eight, version
 * 2 or 3, with everything as a journal has it (lengths, flags, references, name, a time it can be
 * of). Moves *at behind it. False when there is none; unless the bytes are the `last` ones, *at is
 * then the first place that must be seen again with what follows them.
 */
bool usn_carve(struct slice bytes, size_t *at, bool last, struct usn_record *record);

/* Appends the flags in words, as fsutil and winioctl.h have them: "DATA_EXTEND|FILE_CREATE|CLOSE";
 * unknown ones as 0x... */
void usn_reason_append(struct buffer *out, uint32_t reason);
void usn_source_append(struct buffer *out, uint32_t source);

#endif
