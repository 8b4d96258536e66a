#include "triage/report/html_pack.h"

#include <string.h>

/* Of the format: a match is at least four bytes and begins at least twelve before the end; the last
 * five bytes are literals; offsets have 16 bits. */
enum { MATCH_LEAST = 4, MATCH_STARTS = 12, LITERALS_LAST = 5, OFFSET_MOST = 65535, HASH_BITS = 15 };

static uint32_t load32(const uint8_t *at)
{
    uint32_t word;

    memcpy(&word, at, sizeof word);
    return le32toh(word);
}

static uint32_t hash_of(uint32_t word)
{
    return word * UINT32_C(2654435761) >> (32 - HASH_BITS);
}

/* The part of a length that did not fit its four bits of the token. */
static void add_length(struct buffer *out, size_t length)
{
    for (; length >= 255; length -= 255)
        buffer_add_byte(out, 255);
    buffer_add_byte(out, (uint8_t)length);
}

static void add_sequence(struct buffer *out, struct slice literals, size_t offset, size_t match)
{
    const size_t extra = match ? match - MATCH_LEAST : 0;
    const unsigned high = literals.size < 15 ? (unsigned)literals.size : 15;

    buffer_add_byte(out, (uint8_t)(high << 4 | (extra < 15 ? extra : 15)));
    if (high == 15)
        add_length(out, literals.size - 15);
    buffer_add(out, literals);
    if (!match)
        return;
    buffer_add_byte(out, (uint8_t)offset);
    buffer_add_byte(out, (uint8_t)(offset >> 8));
    if (extra >= 15)
        add_length(out, extra - 15);
}

static size_t match_size(struct slice bytes, size_t at, size_t earlier)
{
    size_t size = MATCH_LEAST;

    while (at + size < bytes.size - LITERALS_LAST &&
           bytes.data[at + size] == bytes.data[earlier + size])
        size++;
    return size;
}

void lz4_add(struct buffer *out, struct slice bytes)
{
    uint32_t places[1 << HASH_BITS] = {0}; /* plus one; 0: none yet */
    size_t from = 0, at = 0;

    while (bytes.size > MATCH_STARTS && bytes.size < UINT32_MAX && at < bytes.size - MATCH_STARTS) {
        const uint32_t word = load32(bytes.data + at), hash = hash_of(word);
        const size_t earlier = places[hash];
        places[hash] = (uint32_t)at + 1;
        if (!earlier || at + 1 - earlier > OFFSET_MOST ||
            load32(bytes.data + earlier - 1) != word) {
            at++;
            continue;
        }
        const size_t size = match_size(bytes, at, earlier - 1);
        add_sequence(out, slice_part(bytes, from, at - from), at + 1 - earlier, size);
        at += size;
        from = at;
    }
    add_sequence(out, slice_from(bytes, from), 0, 0);
}
