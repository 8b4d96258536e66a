/* Entries of the $MFT of which nothing can be read. See mft.h. */
#include "triage/evidence/mft.h"

#include <stdlib.h>

bool mft_is_lost(const struct mft_input *input, uint64_t reference)
{
    const uint64_t entry = reference & UINT64_C(0xFFFFFFFFFFFF);
    const size_t size = input->record_size;
    uint64_t offset;

    if (size == 0 || __builtin_mul_overflow(entry, (uint64_t)size, &offset) ||
        offset >= input->size)
        return false;
    uint8_t *record = malloc(size);
    if (!record)
        return true;
    const bool lost = input->read(input->context, offset, record, size) != (ssize_t)size ||
                      mft_fix_up(record, size) == 0;
    free(record);
    return lost;
}
