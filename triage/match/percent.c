#include "triage/match/percent.h"

#include <string.h>

size_t percent_find(struct slice text, size_t from)
{
    while ((from = slice_find(text, from, '%')) != SIZE_MAX && percent_byte(text, from) < 0)
        from++;
    return from;
}

size_t percent_decode(struct slice text, uint8_t *out)
{
    size_t size = 0, at = 0;

    while (at < text.size) {
        const size_t escape = percent_find(text, at);
        const size_t plain = (escape == SIZE_MAX ? text.size : escape) - at;

        memmove(out + size, text.data + at, plain);
        size += plain;
        if (escape == SIZE_MAX)
            break;
        out[size++] = (uint8_t)percent_byte(text, escape);
        at = escape + 3;
    }
    return size;
}
