#include "triage/base/cursor.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

static uint8_t fold(uint8_t byte)
{
    return byte >= 'A' && byte <= 'Z' ? (uint8_t)(byte | 0x20) : byte;
}

static bool is_blank(uint8_t byte)
{
    return byte == ' ' || (byte >= '\t' && byte <= '\r') || byte == 0;
}

bool bytes_equal_nocase(const uint8_t *a, const uint8_t *b, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (a[i] != b[i] && fold(a[i]) != fold(b[i]))
            return false;
    return true;
}

bool slice_starts(struct slice bytes, const char *text)
{
    const size_t size = strlen(text);

    return bytes.size >= size && slice_equal(slice_part(bytes, 0, size), slice_of(text, size));
}

bool slice_starts_nocase(struct slice bytes, const char *text)
{
    const size_t size = strlen(text);

    return bytes.size >= size &&
           slice_equal_nocase(slice_part(bytes, 0, size), slice_of(text, size));
}

bool slice_ends_nocase(struct slice bytes, const char *text)
{
    const size_t size = strlen(text);

    return bytes.size >= size &&
           slice_equal_nocase(slice_from(bytes, bytes.size - size), slice_of(text, size));
}

size_t slice_find(struct slice bytes, size_t from, uint8_t byte)
{
    if (from >= bytes.size)
        return SIZE_MAX;
    const uint8_t *found = memchr(bytes.data + from, byte, bytes.size - from);
    return found ? (size_t)(found - bytes.data) : SIZE_MAX;
}

#ifdef __SSE2__
enum { LANE = 16 };

/* One bit for each byte that is `letter` in either case. */
static unsigned lane_of(const uint8_t *bytes, uint8_t letter)
{
    const uint8_t other = letter >= 'a' && letter <= 'z' ? (uint8_t)(letter & ~0x20) : letter;
    const __m128i lane = _mm_loadu_si128((const void *)bytes);
    const __m128i same = _mm_or_si128(_mm_cmpeq_epi8(lane, _mm_set1_epi8((char)letter)),
                                      _mm_cmpeq_epi8(lane, _mm_set1_epi8((char)other)));

    return (unsigned)_mm_movemask_epi8(same);
}

/* Looks where the needle's first and last byte stand as far from each other as in it, 16 places at
 * a time; leaves in `*at` where it was found or where fewer places than that are left. */
static bool find_vector(struct slice bytes, size_t *at, size_t end, struct slice needle)
{
    const size_t last = needle.size - 1;
    const uint8_t first_byte = fold(needle.data[0]), last_byte = fold(needle.data[last]);

    for (; end - *at >= LANE; *at += LANE) {
        unsigned places =
            lane_of(bytes.data + *at, first_byte) & lane_of(bytes.data + *at + last, last_byte);
        for (; places; places &= places - 1) {
            const size_t place = *at + (size_t)__builtin_ctz(places);
            if (bytes_equal_nocase(bytes.data + place, needle.data, needle.size)) {
                *at = place;
                return true;
            }
        }
    }
    return false;
}
#endif

size_t slice_find_nocase(struct slice bytes, size_t from, struct slice needle)
{
    if (needle.size > bytes.size)
        return SIZE_MAX;
    if (needle.size == 0)
        return from <= bytes.size ? from : SIZE_MAX;
    const size_t end = bytes.size - needle.size + 1; /* behind the last place */
    const uint8_t first = fold(needle.data[0]);
    size_t at = from;
#ifdef __SSE2__
    if (at < end && end - at >= LANE && find_vector(bytes, &at, end, needle))
        return at;
#endif
    for (; at < end; at++)
        if (fold(bytes.data[at]) == first &&
            bytes_equal_nocase(bytes.data + at, needle.data, needle.size))
            return at;
    return SIZE_MAX;
}

struct slice slice_trim(struct slice bytes)
{
    while (bytes.size && is_blank(bytes.data[0]))
        bytes = slice_from(bytes, 1);
    while (bytes.size && is_blank(bytes.data[bytes.size - 1]))
        bytes.size--;
    return bytes;
}

bool slice_is_zero(struct slice bytes)
{
    return bytes.size == 0 ||
           (bytes.data[0] == 0 && memcmp(bytes.data, bytes.data + 1, bytes.size - 1) == 0);
}

int hex_digit(uint8_t byte)
{
    return byte >= '0' && byte <= '9'   ? byte - '0'
           : byte >= 'a' && byte <= 'f' ? byte - 'a' + 10
           : byte >= 'A' && byte <= 'F' ? byte - 'A' + 10
                                        : -1;
}

bool slice_to_u64(struct slice digits, uint64_t *value)
{
    uint64_t sum = 0;

    if (digits.size == 0)
        return false;
    for (size_t i = 0; i < digits.size; i++) {
        const uint8_t byte = digits.data[i];
        if (byte < '0' || byte > '9' || __builtin_mul_overflow(sum, (uint64_t)10, &sum) ||
            __builtin_add_overflow(sum, (uint64_t)(byte - '0'), &sum))
            return false;
    }
    *value = sum;
    return true;
}
