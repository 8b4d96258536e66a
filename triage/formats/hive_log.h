/*
 * Transaction logs of registry hives (.LOG1, .LOG2): what was written to them but not yet to the
 * hive itself is put into the hive's bytes in memory, as Windows would at the next start. Both
 * formats: entries with hashes (since Windows 8.1) and the older one with a bitmap of dirty
 * sectors. Format source: "Windows registry file format specification" by Maxim Suhanov.
 */
#ifndef TRIAGE_FORMATS_HIVE_LOG_H
#define TRIAGE_FORMATS_HIVE_LOG_H

#include "triage/base/cursor.h"

enum { HIVE_LOGS = 2 };

/* The hive that is brought up to date: `size` bytes in use of the `room` that `bytes` has; it may
 * grow. */
struct hive_image {
    uint8_t *bytes;
    size_t size, room;
};

struct hive_replay {
    uint32_t entries, pages; /* applied; the old format counts as one entry */
    uint32_t first, last;    /* sequence numbers of the entries that were applied */
    bool gap;        /* entries between the hive's state and the first one are not there any more */
    bool base_block; /* the base block itself came from a log */
    const char *problem; /* NULL, or the first thing that kept an entry from being applied */
};

/* The base block says that not all changes have reached the hive: its sequence numbers differ or
 * its checksum is wrong. */
bool hive_log_is_needed(struct slice hive);

/* Applies what belongs behind the hive's state, in the order of the sequence numbers; entries that
 * do not verify, and those behind them, are left out. An empty log is passed over. `replay` says
 * what was done; entries 0: nothing fitted. */
void hive_log_replay(struct hive_image *hive, const struct slice logs[HIVE_LOGS],
                     struct hive_replay *replay);

/* The 64-bit Marvin32 hash with the seed that the registry uses. */
uint64_t hive_log_hash(struct slice bytes);

#endif
