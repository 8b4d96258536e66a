/*
 * Finds what looks like an address (IPv4, IPv6) or a digest (32, 40 or 64 hexadecimal digits) in
 * raw bytes, 48 bytes a step with bit masks. It does not know any list.
 */
#ifndef TRIAGE_MATCH_INDICATOR_SCAN_H
#define TRIAGE_MATCH_INDICATOR_SCAN_H

#include "triage/base/cursor.h"

enum scan_kind { SCAN_IPV4 = 1, SCAN_IPV6 = 2, SCAN_DIGEST = 4 };

struct scan {
    struct slice bytes;
    unsigned kinds; /* scan_kind bits to look for */
    size_t next;    /* the next block */
    size_t block;   /* the block that `pending` is of */
    uint64_t dots, colons, lanes;
    size_t after; /* what was found ends here: nothing is told twice */
};

struct scanned_text {
    enum scan_kind kind;
    size_t at, size;
    uint8_t key[32]; /* SCAN_IPV4: as IPv4-mapped IPv6; SCAN_DIGEST: size / 2 bytes */
};

void scan_start(struct scan *scan, struct slice bytes, size_t from, unsigned kinds);
/* The next one in the order of where it stands; false at the end. */
bool scan_next(struct scan *scan, struct scanned_text *out);

/* Hexadecimal digits, an even number of them, as bytes; false for anything else. */
bool scan_hex(struct slice digits, uint8_t *out);

#endif
