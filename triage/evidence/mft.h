/*
 * The master file table of NTFS, read in one sequential pass into a listing: all entries, live and
 * deleted, with their times, names, streams; extension records are merged into their base. Format:
 * the layouts of FILE records and attributes as the Linux-NTFS documentation describes them,
 * MS-FSCC for the attribute bits and reparse tags.
 */
#ifndef TRIAGE_EVIDENCE_MFT_H
#define TRIAGE_EVIDENCE_MFT_H

#include "triage/base/buffer.h"
#include "triage/evidence/listing.h"

#include <sys/types.h>

enum { MFT_ROOT = 5 };

struct mft_input {
    /* Bytes of the $MFT's data; short only at its end; -1 with error_text. */
    ssize_t (*read)(void *context, uint64_t offset, void *buffer, size_t size);
    void *context;
    uint64_t size;          /* of the data; a table of its own file: the file's size */
    uint32_t record_size;   /* 0: taken from the first record */
    uint32_t cluster_size;  /* for the place of a stream; 0: places stay unknown */
    uint64_t volume_offset; /* where the volume starts on the medium */
};

/*
 * Reads the whole table. Records with a bad signature or a broken fix-up are counted as unreadable;
 * those that can be used in part get FILE_DAMAGED. -1 with error_text when there is no table at
 * all; *out belongs to the caller.
 */
int mft_read(const struct mft_input *input, struct listing **out);

/* Size of the table's entries: what `input` says, else what the first entry says; 0 with error_text
 * when it is no table. */
uint32_t mft_record_size(const struct mft_input *input);

/*
 * Looks up one entry: appends the long name that `reference` (entry number, sequence number in the
 * upper 16 bits) has or, deleted, last had, and gives the reference of its folder. False when the
 * entry is lost or holds another file by now. input->record_size must be set.
 */
bool mft_name_of(const struct mft_input *input, uint64_t reference, struct buffer *name,
                 uint64_t *parent);

/* Nothing can be read of the entry that `reference` names, though the table is long enough to have
 * it: which file it holds is not known. input->record_size must be set. */
bool mft_is_lost(const struct mft_input *input, uint64_t reference);

/*
 * Undoes the update sequence of a record in place (the last two bytes of each stretch were swapped
 * for a check value). Gives the bytes that can be trusted from the start: all of it, or what lies
 * before the first stretch that does not fit; 0 when it is no FILE record.
 */
size_t mft_fix_up(uint8_t *record, size_t size);

#endif
