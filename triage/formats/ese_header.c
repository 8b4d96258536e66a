#include "triage/formats/ese_header.h"

#define SIGNATURE UINT32_C(0x89ABCDEF)

enum { STATE_AT = 52, PAGE_SIZE_AT = 236 };

bool ese_header_read(struct slice head, struct ese_header *out)
{
    struct cursor c = cursor_over(head, 0);

    cursor_skip(&c, 4); /* checksum */
    const uint32_t signature = cursor_u32le(&c);
    cursor_seek(&c, STATE_AT);
    const uint32_t state = cursor_u32le(&c);
    cursor_seek(&c, PAGE_SIZE_AT);
    const uint32_t page_size = cursor_u32le(&c);
    if (cursor_failed(&c) || signature != SIGNATURE)
        return false;
    *out = (struct ese_header){state, page_size};
    return true;
}

const char *ese_state_notice(uint32_t state)
{
    switch (state) {
    case ESE_CLEAN:
        return NULL;
    case ESE_DIRTY:
        return "the database was not shut down properly (dirty), as is usual on a live server: "
               "what only its transaction logs hold is missing";
    case ESE_CREATED:
        return "the database was created and never closed";
    default:
        return "the database says that it is in an unusual state";
    }
}
