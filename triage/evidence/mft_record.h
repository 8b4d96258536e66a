/*
 * Records of the $MFT and their attributes: syntax, without what it means. A record's fix-up is
 * undone in place (mft_fix_up in mft.h); what is taken of it borrows its bytes. Damage is told, no
 * function fails for it.
 */
#ifndef TRIAGE_EVIDENCE_MFT_RECORD_H
#define TRIAGE_EVIDENCE_MFT_RECORD_H

#include "triage/evidence/mft.h"

enum {
    RECORD_SIZE_MIN = 256,
    RECORD_SIZE_MAX = 64 * 1024,
    RECORD_IN_USE = 1, /* flags of a record */
    RECORD_FOLDER = 2,
    ATTRIBUTES_PER_RECORD = 512, /* more than fit into the largest record in use, 4 KiB */
};

enum attribute_type {
    TYPE_STANDARD_INFORMATION = 0x10,
    TYPE_ATTRIBUTE_LIST = 0x20,
    TYPE_FILE_NAME = 0x30,
    TYPE_DATA = 0x80,
    TYPE_INDEX_ALLOCATION = 0xA0,
    TYPE_REPARSE_POINT = 0xC0,
};

enum attribute_flag {
    DATA_COMPRESSED = 0x00FF, /* the low byte names the method */
    DATA_ENCRYPTED = 0x4000,
    DATA_SPARSE = 0x8000,
};

struct mft_record {
    uint16_t sequence, flags;
    uint64_t base; /* reference to the base record; 0 for a base record */
    struct slice attributes;
    bool damaged, is_part; /* `is_part`: the fix-up does not hold to the end */
};

struct mft_attribute {
    uint32_t type;
    uint16_t flags, id;
    bool resident;
    struct slice name;    /* UTF-16LE */
    struct slice content; /* when resident */
    uint64_t first_vcn, size;
    struct slice runs; /* when not resident */
};

/* A $FILE_NAME attribute. */
struct mft_name {
    uint64_t parent; /* reference */
    struct macb times;
    struct slice text; /* UTF-16LE */
    bool is_short;     /* the 8.3 name beside a long one */
};

/* Undoes the fix-up of `bytes` and parses what can be trusted of them; false when there is nothing
 * to use. */
bool mft_record_read(uint8_t *bytes, size_t size, struct mft_record *record);
/* The next attribute of a record; false at the end of the list, which `damaged` tells from a broken
 * one. */
bool mft_attribute_next(struct cursor *list, struct mft_attribute *attribute, bool *damaged);
/* False when it is cut short. */
bool mft_name_parse(struct slice content, struct mft_name *name);
/* Four times as $STANDARD_INFORMATION and $FILE_NAME have them. */
struct macb mft_times(struct cursor *c);
bool mft_record_size_is_possible(uint32_t size);

#endif
