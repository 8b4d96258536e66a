/*
 * What an entry's two sets of times say about each other. Programs can set those of
 * $STANDARD_INFORMATION; those of $FILE_NAME are set by NTFS itself when a file is made, moved or
 * renamed. A reason is no proof: installers and archives carry times over too.
 */
#ifndef ARTIFACTS_MFT_REASONS_H
#define ARTIFACTS_MFT_REASONS_H

#include "triage/base/buffer.h"
#include "triage/evidence/listing.h"

/* Of one volume; the listing is borrowed. */
struct mft_reasons {
    const struct listing *listing;
    struct instant volume_made;
};

struct mft_reasons mft_reasons_of(const struct listing *listing);
/* Appends them with "; " between, nothing when the times agree. `odd`: the file has the times of
 * one beside it. */
void mft_reasons_add(const struct mft_reasons *reasons, const struct file *file, bool odd,
                     struct buffer *out);

#endif
