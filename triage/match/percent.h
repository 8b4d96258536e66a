/* Percent-encoding (RFC 3986, section 2.1): '%' and two hexadecimal digits stand for one byte. */
#ifndef TRIAGE_MATCH_PERCENT_H
#define TRIAGE_MATCH_PERCENT_H

#include "triage/base/cursor.h"

/* Value of a hexadecimal digit, 16 for any other byte. */
static inline unsigned percent_digit(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10u : 16;
}

/* The byte that the escape at `at` stands for, -1 when no whole escape starts there. */
static inline int percent_byte(struct slice text, size_t at)
{
    unsigned high, low;

    if (at >= text.size || text.size - at < 3 || text.data[at] != '%')
        return -1;
    high = percent_digit(text.data[at + 1]);
    low = percent_digit(text.data[at + 2]);
    return high < 16 && low < 16 ? (int)(high << 4 | low) : -1;
}

/* Offset of the first whole escape at or after `from`, or SIZE_MAX. */
size_t percent_find(struct slice text, size_t from);
/* Writes `text` with every escape replaced by its byte; all else, also a lone '%', stays. `out` has
 * room for text.size bytes and may be text.data itself. Gives the size written. */
size_t percent_decode(struct slice text, uint8_t *out);

#endif
