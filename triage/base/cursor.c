#include "triage/base/cursor.h"

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

size_t slice_find_nocase(struct slice bytes, size_t from, struct slice needle)
{
    if (needle.size > bytes.size)
        return SIZE_MAX;
    if (needle.size == 0)
        return from <= bytes.size ? from : SIZE_MAX;
    const uint8_t first = fold(needle.data[0]);
    for (size_t at = from; at <= bytes.size - needle.size; at++)
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
