/* What the helper program bitlocker is asked; numbers as in record/wire.h. Its source is the whole
 * encrypted volume. Keys travel here only: never as arguments, never in a file. */
#ifndef TRIAGE_HELPERS_BITLOCKER_H
#define TRIAGE_HELPERS_BITLOCKER_H

enum bitlocker_verb {
    BITLOCKER_UNLOCK, /* slices: recovery key, password, content of a .BEK file, each may be empty.
                         A row per protector: u16 type, u8[16] GUID. The answer: u8 whether it is
                         open, u64 bytes of the volume, u16 encryption method, slice: why libbde
                         gave up on a key, empty when it was just the wrong one */
    BITLOCKER_READ,   /* u64 offset, u32 size: the answer is the bytes */
};

enum { BITLOCKER_READ_MAX = 1 << 20, BITLOCKER_PROTECTORS_MAX = 32, BITLOCKER_KEY_MAX = 64 << 10 };

#endif
