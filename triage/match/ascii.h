/* Letter case of ASCII, whatever the locale. */
#ifndef TRIAGE_MATCH_ASCII_H
#define TRIAGE_MATCH_ASCII_H

#include <stdbool.h>
#include <stdint.h>

/* ASCII letters in lower case, all other bytes as they are. */
static inline uint8_t ascii_lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? c | 0x20 : c;
}

static inline bool is_alnum(uint8_t byte)
{
    const uint8_t lower = byte | 0x20;

    return (lower >= 'a' && lower <= 'z') || (byte >= '0' && byte <= '9');
}

#endif
