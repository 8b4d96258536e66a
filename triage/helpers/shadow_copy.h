/* What the helper program shadow_copy is asked; numbers as in record/wire.h. Its source is the
 * whole live volume. Stores count from 1, the oldest, as vshadowinfo has them. */
#ifndef TRIAGE_HELPERS_SHADOW_COPY_H
#define TRIAGE_HELPERS_SHADOW_COPY_H

enum shadow_verb {
    SHADOW_LIST, /* a row per store: u64 FILETIME of its creation, u8[16] GUID of the copy, u64
                    bytes of the volume, u8 whether its data lie in the volume */
    SHADOW_READ, /* u32 store, u64 offset, u32 size: the answer is the bytes */
    SHADOW_MAP, /* u32 store, u64 first block, u32 count (a multiple of 8): the answer has a bit per
                   block, lowest first, set where the store may differ from the live volume */
};

enum {
    SHADOW_BLOCK = 16 << 10,
    SHADOW_READ_MAX = 1 << 20,
    SHADOW_MAP_MAX = 8 << 20, /* blocks of one answer */
    SHADOW_STORES_MAX = 512,  /* Windows keeps no more */
};

#endif
