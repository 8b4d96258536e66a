/*
 * Prefetch files, NAME.EXE-HASH.pf: when a program last started, how often, and what it loaded.
 * Versions 17 (XP, 2003), 23 (Vista, 7), 26 (8), 30 and 31 (10, 11). Since Windows 10 they are
 * compressed (MAM, see lzxpress.h). Source: the documentation of libscca.
 */
#ifndef TRIAGE_FORMATS_PREFETCH_H
#define TRIAGE_FORMATS_PREFETCH_H

#include "triage/base/arena.h"
#include "triage/base/instant.h"

enum {
    PREFETCH_RUNS = 8,
    PREFETCH_VOLUMES = 32,
    PREFETCH_MOST = 16 * 1024 * 1024 /* larger ones are not made: bytes after decompression */
};

struct prefetch_volume {
    const char *device; /* "\VOLUME{...}" or "\DEVICE\HARDDISKVOLUME2" */
    size_t device_size;
    struct instant created;
    uint32_t serial;
};

struct prefetch_run {
    struct instant when;
    size_t offset; /* in the content, decompressed */
};

struct prefetch {
    bool compressed;
    uint32_t version, hash, run_count;
    const char *executable;                  /* at most 29 letters of its name */
    struct prefetch_run runs[PREFETCH_RUNS]; /* newest first; only those that are set */
    size_t run_times;
    struct slice names;  /* paths of loaded files, UTF-16, each with a NUL behind */
    uint32_t file_count; /* as its header says */
    struct prefetch_volume volumes[PREFETCH_VOLUMES];
    size_t volume_count;
    const char *problem; /* NULL, or what is wrong behind the times */
};

/* Texts live in the arena. -1 with error_text when not even the run times can be read. */
int prefetch_read(struct slice bytes, struct arena *arena, struct prefetch *out);
/* Takes the next path off the front of `names`; false at the end. */
bool prefetch_next_name(struct slice *names, struct slice *utf16);
/* "MAM" or "SCCA": does it begin as a prefetch file does? */
bool prefetch_begins(struct slice head);

#endif
