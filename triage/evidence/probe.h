/* What lies in a volume, by the signatures of its first sectors, before any library guesses. */
#ifndef TRIAGE_EVIDENCE_PROBE_H
#define TRIAGE_EVIDENCE_PROBE_H

#include "triage/evidence/image.h"

enum probe_kind {
    PROBE_UNKNOWN,
    PROBE_EMPTY, /* nothing but zeroes at its start */
    PROBE_NTFS,
    PROBE_FAT,
    PROBE_EXFAT,
    PROBE_EXT,
    PROBE_ISO9660,
    PROBE_BITLOCKER,  /* has to be opened with a key first */
    PROBE_UNREADABLE, /* known by name, cannot be read; `problem` says what to do */
};

enum { BOOT_SECTOR_SIZE = 512 };

struct probe {
    enum probe_kind kind;
    const char *problem; /* for PROBE_UNREADABLE, PROBE_UNKNOWN and PROBE_EMPTY; static text */
    bool from_backup; /* the first boot sector is damaged, `boot` is the copy at the volume's end */
    uint8_t boot[BOOT_SECTOR_SIZE];
    /* Of NTFS, from its boot sector; also sector_size and cluster_size of FAT and exFAT. */
    uint32_t sector_size, cluster_size, record_size;
    uint64_t serial, mft_offset, mirror_offset; /* offsets in bytes from the start of the volume */
    uint64_t volume_size; /* bytes that the file system says it has; 0 unknown */
};

/* -1 with error_text when nothing could be read at `offset`. */
int probe_volume(struct image *image, uint64_t offset, uint64_t size, struct probe *probe);

#endif
