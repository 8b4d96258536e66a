#include "triage/base/cursor.h"

#include <string.h>

static uint8_t fold(uint8_t byte)
{
    return byte >= 'A' && byte <= 'Z' ? (uint8_t)(byte | 0x20) : byte;
}

static bool is_blank(uint8_t byte)
{
    return byte == ' ' || (byte >= '\t' && byte <= '\r') || byte == 0;
}

struct slice slice_of_text(const char *text)
{
    return slice_of(text, text ? strlen(text) : 0);
}

struct slice slice_part(struct slice whole, size_t at, size_t size)
{
    if (at >= whole.size)
        return slice_of(NULL, 0);
    const size_t left = whole.size - at;
    return slice_of(whole.data + at, size < left ? size : left);
}

struct slice slice_from(struct slice whole, size_t at)
{
    return slice_part(whole, at, SIZE_MAX);
}

bool slice_equal(struct slice a, struct slice b)
{
    return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

bool slice_equal_nocase(struct slice a, struct slice b)
{
    if (a.size != b.size)
        return false;
    for (size_t i = 0; i < a.size; i++)
        if (fold(a.data[i]) != fold(b.data[i]))
            return false;
    return true;
}

bool slice_is(struct slice bytes, const char *text)
{
    return slice_equal(bytes, slice_of_text(text));
}

bool slice_is_nocase(struct slice bytes, const char *text)
{
    return slice_equal_nocase(bytes, slice_of_text(text));
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
    for (size_t at = from; at <= bytes.size - needle.size; at++)
        if (slice_equal_nocase(slice_part(bytes, at, needle.size), needle))
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

struct cursor cursor_over(struct slice bytes, uint64_t origin)
{
    return (struct cursor){.bytes = bytes, .origin = origin};
}

struct slice cursor_take(struct cursor *c, size_t size)
{
    if (c->failed || size > c->bytes.size - c->at) {
        c->failed = true;
        return slice_of(NULL, 0);
    }
    const struct slice taken = slice_of(c->bytes.data ? c->bytes.data + c->at : NULL, size);
    c->at += size;
    return taken;
}

void cursor_skip(struct cursor *c, size_t size)
{
    cursor_take(c, size);
}

void cursor_seek(struct cursor *c, size_t at)
{
    if (at > c->bytes.size)
        c->failed = true;
    else
        c->at = at;
}

static uint64_t little_endian(struct cursor *c, size_t size)
{
    const struct slice bytes = cursor_take(c, size);
    uint64_t value = 0;

    for (size_t i = bytes.size; i-- > 0;)
        value = value << 8 | bytes.data[i];
    return value;
}

static uint64_t big_endian(struct cursor *c, size_t size)
{
    const struct slice bytes = cursor_take(c, size);
    uint64_t value = 0;

    for (size_t i = 0; i < bytes.size; i++)
        value = value << 8 | bytes.data[i];
    return value;
}

uint8_t cursor_u8(struct cursor *c)
{
    return (uint8_t)little_endian(c, 1);
}

uint16_t cursor_u16le(struct cursor *c)
{
    return (uint16_t)little_endian(c, 2);
}

uint32_t cursor_u32le(struct cursor *c)
{
    return (uint32_t)little_endian(c, 4);
}

uint64_t cursor_u64le(struct cursor *c)
{
    return little_endian(c, 8);
}

uint16_t cursor_u16be(struct cursor *c)
{
    return (uint16_t)big_endian(c, 2);
}

uint32_t cursor_u32be(struct cursor *c)
{
    return (uint32_t)big_endian(c, 4);
}

uint64_t cursor_u64be(struct cursor *c)
{
    return big_endian(c, 8);
}

bool cursor_failed(const struct cursor *c)
{
    return c->failed;
}

size_t cursor_left(const struct cursor *c)
{
    return c->failed ? 0 : c->bytes.size - c->at;
}

uint64_t cursor_place(const struct cursor *c)
{
    return c->origin + c->at;
}
