#include "triage/match/indicator_scan.h"

#include <arpa/inet.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

enum {
    BLOCK = 64,
    STEP = 48, /* a place is judged by the 12 bytes behind it, so blocks overlap */
    LANE = 16,
    IPV6_MOST = 45,
    DIGEST_MOST = 64,
};

/* A bit for each byte of a block. */
struct masks {
    uint64_t dots, colons, digits, hex;
};

#ifdef __SSE2__
static __m128i between(__m128i bytes, char low, char high)
{
    const __m128i above = _mm_cmpgt_epi8(bytes, _mm_set1_epi8((char)(low - 1)));

    return _mm_and_si128(above, _mm_cmplt_epi8(bytes, _mm_set1_epi8((char)(high + 1))));
}

static uint64_t bits_of(__m128i mask, unsigned lane)
{
    return (uint64_t)(uint16_t)_mm_movemask_epi8(mask) << (lane * LANE);
}

static struct masks masks_of(const uint8_t *block)
{
    struct masks masks = {0};

    for (unsigned lane = 0; lane < BLOCK / LANE; lane++) {
        const __m128i bytes = _mm_loadu_si128((const void *)(block + (size_t)lane * LANE));
        const __m128i letters = between(_mm_or_si128(bytes, _mm_set1_epi8(0x20)), 'a', 'f');
        const __m128i digits = between(bytes, '0', '9');
        masks.dots |= bits_of(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('.')), lane);
        masks.colons |= bits_of(_mm_cmpeq_epi8(bytes, _mm_set1_epi8(':')), lane);
        masks.digits |= bits_of(digits, lane);
        masks.hex |= bits_of(_mm_or_si128(digits, letters), lane);
    }
    return masks;
}
#else
static struct masks masks_of(const uint8_t *block)
{
    struct masks masks = {0};

    for (unsigned i = 0; i < BLOCK; i++) {
        const uint64_t bit = UINT64_C(1) << i;
        const uint8_t c = block[i], lower = c | 0x20;
        const bool digit = c >= '0' && c <= '9';
        masks.dots |= c == '.' ? bit : 0;
        masks.colons |= c == ':' ? bit : 0;
        masks.digits |= digit ? bit : 0;
        masks.hex |= digit || (lower >= 'a' && lower <= 'f') ? bit : 0;
    }
    return masks;
}
#endif

/* Of the marked places those with another of `marks` behind 1 to `most` bytes of `between`. */
static uint64_t linked(uint64_t marks, uint64_t next, uint64_t between, unsigned most)
{
    uint64_t run = between >> 1, found = 0;

    for (unsigned size = 1; size <= most; size++) {
        found |= run & next >> (size + 1);
        run &= between >> (size + 1);
    }
    return marks & found;
}

/* Dots that begin ".12.34." with a digit in front; what stands at the block's first byte is not
 * known to have one. */
static uint64_t first_dots(const struct masks *masks)
{
    const uint64_t pairs = linked(masks->dots, masks->dots, masks->digits, 3);

    return linked(masks->dots, pairs, masks->digits, 3) & (masks->digits << 1 | 1);
}

/* Colons of "::" or that begin ":a:b:": times have fewer. */
static uint64_t first_colons(const struct masks *masks)
{
    const uint64_t pairs = linked(masks->colons, masks->colons, masks->hex, 4);

    return (masks->colons & masks->colons >> 1) | linked(masks->colons, pairs, masks->hex, 4);
}

/* The first byte of each lane that is hexadecimal all through: a digest holds at least one such
 * lane wherever it stands. */
static uint64_t full_lanes(uint64_t hex)
{
    uint64_t lanes = 0;

    for (unsigned lane = 0; lane < STEP / LANE; lane++)
        if ((uint16_t)(hex >> (lane * LANE)) == UINT16_MAX)
            lanes |= UINT64_C(1) << (lane * LANE);
    return lanes;
}

static void load_block(struct scan *scan)
{
    const uint64_t judged = (UINT64_C(1) << STEP) - 1;
    const size_t left = scan->bytes.size - scan->next;
    const uint8_t *at = scan->bytes.data + scan->next;
    uint8_t last[BLOCK] = {0};

    if (left < BLOCK) {
        memcpy(last, at, left);
        at = last;
    }
    const struct masks masks = masks_of(at);
    scan->dots = scan->kinds & SCAN_IPV4 ? first_dots(&masks) & judged : 0;
    scan->colons = scan->kinds & SCAN_IPV6 ? first_colons(&masks) & judged : 0;
    scan->lanes = scan->kinds & SCAN_DIGEST ? full_lanes(masks.hex) : 0;
    scan->block = scan->next;
    scan->next += STEP;
}

void scan_start(struct scan *scan, struct slice bytes, size_t from, unsigned kinds)
{
    *scan = (struct scan){.bytes = bytes, .kinds = kinds, .next = from, .after = from};
}

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

static bool is_hex(uint8_t c)
{
    return is_digit(c) || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f');
}

static bool is_word(uint8_t c)
{
    return is_digit(c) || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
}

static uint8_t byte_at(struct slice bytes, size_t at)
{
    return at < bytes.size ? bytes.data[at] : 0;
}

/* "203.0.113.5" around its first dot, with nothing at its ends that makes it a version number. */
static bool take_ipv4(const struct scan *scan, size_t dot, struct scanned_text *out)
{
    const struct slice bytes = scan->bytes;
    size_t start = dot, at;
    uint8_t *octets = out->key + 12;

    while (start > 0 && dot - start < 3 && is_digit(bytes.data[start - 1]))
        start--;
    if (start == dot || (start > 0 && (is_word(bytes.data[start - 1]) ||
                                       (bytes.data[start - 1] == '.' && start > 1 &&
                                        is_digit(bytes.data[start - 2])))))
        return false;
    at = start;
    for (unsigned i = 0; i < 4; i++) {
        unsigned value = 0, digits = 0;
        for (; digits < 3 && is_digit(byte_at(bytes, at)); digits++)
            value = value * 10 + (unsigned)(bytes.data[at++] - '0');
        if (digits == 0 || value > 255 || (i < 3 && byte_at(bytes, at++) != '.'))
            return false;
        octets[i] = (uint8_t)value;
    }
    if (is_word(byte_at(bytes, at)) ||
        (byte_at(bytes, at) == '.' && is_digit(byte_at(bytes, at + 1))))
        return false;
    memset(out->key, 0, 10);
    out->key[10] = out->key[11] = 0xFF;
    out->kind = SCAN_IPV4;
    out->at = start;
    out->size = at - start;
    return true;
}

static bool is_ipv6_byte(uint8_t c)
{
    return is_hex(c) || c == ':' || c == '.';
}

static bool take_ipv6(const struct scan *scan, size_t colon, struct scanned_text *out)
{
    char text[IPV6_MOST + 1];
    size_t start = colon, end = colon;

    while (start > scan->after && colon - start < 4 && is_hex(scan->bytes.data[start - 1]))
        start--;
    while (end < scan->bytes.size && end - start < IPV6_MOST && is_ipv6_byte(scan->bytes.data[end]))
        end++;
    memcpy(text, scan->bytes.data + start, end - start);
    text[end - start] = 0;
    if (inet_pton(AF_INET6, text, out->key) != 1)
        return false;
    out->kind = SCAN_IPV6;
    out->at = start;
    out->size = end - start;
    return true;
}

#define HEX_LETTERS(first, value)                                                                  \
    [(first)] = (value), [(first) + 1] = (value) + 1, [(first) + 2] = (value) + 2,                 \
    [(first) + 3] = (value) + 3, [(first) + 4] = (value) + 4, [(first) + 5] = (value) + 5

/* What a digit stands for, and one more; 0 for all other bytes. */
static const uint8_t hex_values[256] = {
    ['0'] = 1,
    ['1'] = 2,
    ['2'] = 3,
    ['3'] = 4,
    ['4'] = 5,
    ['5'] = 6,
    ['6'] = 7,
    ['7'] = 8,
    ['8'] = 9,
    ['9'] = 10,
    HEX_LETTERS('a', 11),
    HEX_LETTERS('A', 11),
};

bool scan_hex(struct slice digits, uint8_t *out)
{
    if (digits.size % 2)
        return false;
    for (size_t i = 0; i < digits.size; i += 2) {
        const unsigned high = hex_values[digits.data[i]], low = hex_values[digits.data[i + 1]];
        if (!high || !low)
            return false;
        out[i / 2] = (uint8_t)((high - 1) << 4 | (low - 1));
    }
    return true;
}

/* The run of digits around a place; longer ones than digests have are followed no further. */
static bool take_digest(const struct scan *scan, size_t inside, struct scanned_text *out)
{
    const struct slice bytes = scan->bytes;
    size_t start = inside, end = inside;

    while (start > 0 && inside - start <= DIGEST_MOST && is_hex(bytes.data[start - 1]))
        start--;
    while (end < bytes.size && end - start <= DIGEST_MOST && is_hex(bytes.data[end]))
        end++;
    out->kind = SCAN_DIGEST;
    out->at = start;
    out->size = end - start;
    return start >= scan->after && (out->size == 32 || out->size == 40 || out->size == 64) &&
           scan_hex(slice_part(bytes, start, out->size), out->key);
}

static bool take(struct scan *scan, uint64_t bit, size_t at, struct scanned_text *out)
{
    if (at < scan->after)
        return false;
    if (scan->lanes & bit && take_digest(scan, at, out))
        return true;
    if (scan->dots & bit)
        return take_ipv4(scan, at, out);
    return scan->colons & bit && take_ipv6(scan, at, out);
}

bool scan_next(struct scan *scan, struct scanned_text *out)
{
    for (;;) {
        uint64_t pending = scan->dots | scan->colons | scan->lanes;

        while (pending) {
            const uint64_t bit = pending & -pending;
            const size_t at = scan->block + (size_t)__builtin_ctzll(pending);
            const bool found = at < scan->bytes.size && take(scan, bit, at, out);

            pending &= ~bit;
            scan->dots &= ~bit;
            scan->colons &= ~bit;
            scan->lanes &= ~bit;
            if (!found)
                continue;
            scan->after = out->at + out->size;
            return true;
        }
        if (scan->next >= scan->bytes.size)
            return false;
        load_block(scan);
    }
}
