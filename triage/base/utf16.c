#include "triage/base/utf16.h"

#include "triage/base/error.h"

#include <string.h>

enum { REPLACEMENT = 0xFFFD };

size_t utf8_encode(uint32_t point, uint8_t out[4])
{
    if (point < 0x80) {
        out[0] = (uint8_t)point;
        return 1;
    }
    if (point < 0x800) {
        out[0] = (uint8_t)(0xC0 | point >> 6);
        out[1] = (uint8_t)(0x80 | (point & 0x3F));
        return 2;
    }
    if (point < 0x10000) {
        out[0] = (uint8_t)(0xE0 | point >> 12);
        out[1] = (uint8_t)(0x80 | (point >> 6 & 0x3F));
        out[2] = (uint8_t)(0x80 | (point & 0x3F));
        return 3;
    }
    out[0] = (uint8_t)(0xF0 | point >> 18);
    out[1] = (uint8_t)(0x80 | (point >> 12 & 0x3F));
    out[2] = (uint8_t)(0x80 | (point >> 6 & 0x3F));
    out[3] = (uint8_t)(0x80 | (point & 0x3F));
    return 4;
}

static uint32_t next_point(struct cursor *c)
{
    const uint32_t unit = cursor_u16le(c);

    if (unit < 0xD800 || unit > 0xDFFF)
        return unit;
    if (unit > 0xDBFF || cursor_left(c) < 2)
        return REPLACEMENT;
    struct cursor ahead = *c;
    const uint32_t low = cursor_u16le(&ahead);
    if (low < 0xDC00 || low > 0xDFFF)
        return REPLACEMENT;
    *c = ahead;
    return 0x10000 + ((unit - 0xD800) << 10 | (low - 0xDC00));
}

/* Copies units of ASCII other than NUL, four at a time; gives their number. */
static size_t copy_ascii(struct slice utf16, uint8_t *out)
{
    size_t units = 0;

    for (uint64_t word; utf16.size - 2 * units >= sizeof word; units += 4) {
        memcpy(&word, utf16.data + 2 * units, sizeof word);
        word = le64toh(word);
        if (word & UINT64_C(0xFF80FF80FF80FF80) ||
            (word - UINT64_C(0x0001000100010001)) & UINT64_C(0x8000800080008000))
            break;
        word = (word | word >> 8) & UINT64_C(0x0000FFFF0000FFFF);
        const uint32_t packed = htole32((uint32_t)(word | word >> 16));
        memcpy(out + units, &packed, sizeof packed);
    }
    return units;
}

/* Into `out`, which has three bytes for each unit and one more; gives the bytes used. */
static size_t convert(struct slice utf16, bool stop_at_nul, uint8_t *out)
{
    struct cursor c = cursor_over(utf16, 0);
    size_t used = copy_ascii(utf16, out);

    cursor_skip(&c, 2 * used);
    while (cursor_left(&c) >= 2) {
        const uint32_t point = next_point(&c);
        if (point == 0 && stop_at_nul)
            break;
        used += utf8_encode(point, out + used);
    }
    return used;
}

void utf16_append(struct buffer *buffer, struct slice utf16, bool stop_at_nul)
{
    uint8_t *room =
        utf16.size > SIZE_MAX / 4 ? NULL : buffer_reserve(buffer, utf16.size / 2 * 3 + 1);

    if (room)
        buffer->size += convert(utf16, stop_at_nul, room);
    else
        buffer->failed = true;
}

char *utf16_to_text(struct arena *arena, struct slice utf16, bool stop_at_nul)
{
    if (utf16.size / 2 > SIZE_MAX / 4) {
        error_set("text is too long");
        return NULL;
    }
    char *text = arena_take(arena, utf16.size / 2 * 3 + 1); /* a unit needs 3 bytes at most */
    if (text)
        text[convert(utf16, stop_at_nul, (uint8_t *)text)] = 0;
    return text;
}

static bool continues(struct slice bytes, size_t count)
{
    if (bytes.size < count)
        return false;
    for (size_t i = 1; i < count; i++)
        if ((bytes.data[i] & 0xC0) != 0x80)
            return false;
    return true;
}

size_t utf8_sequence(struct slice bytes)
{
    if (bytes.size == 0)
        return 0;
    const uint8_t first = bytes.data[0];
    if (first < 0x80)
        return 1;
    if (first >= 0xC2 && first <= 0xDF)
        return continues(bytes, 2) ? 2 : 0;
    if (first >= 0xE0 && first <= 0xEF) {
        if (!continues(bytes, 3) || (first == 0xE0 && bytes.data[1] < 0xA0) ||
            (first == 0xED && bytes.data[1] > 0x9F))
            return 0;
        return 3;
    }
    if (first >= 0xF0 && first <= 0xF4) {
        if (!continues(bytes, 4) || (first == 0xF0 && bytes.data[1] < 0x90) ||
            (first == 0xF4 && bytes.data[1] > 0x8F))
            return 0;
        return 4;
    }
    return 0;
}

/* Bytes of ASCII at the start, eight at a time. */
static size_t ascii_run(struct slice bytes)
{
    size_t at = 0;

    for (uint64_t word; bytes.size - at >= sizeof word; at += sizeof word) {
        memcpy(&word, bytes.data + at, sizeof word);
        if (word & UINT64_C(0x8080808080808080))
            break;
    }
    while (at < bytes.size && bytes.data[at] < 0x80)
        at++;
    return at;
}

/* Not 0 when a byte of the word is that one. */
static uint64_t has_byte(uint64_t word, uint8_t byte)
{
    const uint64_t others = word ^ UINT64_C(0x0101010101010101) * byte;

    return (others - UINT64_C(0x0101010101010101)) & ~others & UINT64_C(0x8080808080808080);
}

/* Eight at a time, the rest of it one by one. */
size_t utf8_plain_run(struct slice bytes, uint8_t special, uint8_t other)
{
    const uint64_t tops = UINT64_C(0x8080808080808080);
    size_t at = 0;

    for (uint64_t word; bytes.size - at >= sizeof word; at += sizeof word) {
        memcpy(&word, bytes.data + at, sizeof word);
        const uint64_t low = (word - UINT64_C(0x2020202020202020)) & ~word & tops;
        if (low | (word & tops) | has_byte(word, special) | has_byte(word, other) |
            has_byte(word, 0x7F))
            break;
    }
    while (at < bytes.size && bytes.data[at] >= 0x20 && bytes.data[at] < 0x7F &&
           bytes.data[at] != special && bytes.data[at] != other)
        at++;
    return at;
}

bool utf8_valid(struct slice bytes)
{
    for (;;) {
        bytes = slice_from(bytes, ascii_run(bytes));
        if (bytes.size == 0)
            return true;
        const size_t size = utf8_sequence(bytes);
        if (size == 0)
            return false;
        bytes = slice_from(bytes, size);
    }
}

void utf8_append_repaired(struct buffer *buffer, struct slice bytes)
{
    while (bytes.size) {
        const size_t ascii = ascii_run(bytes), size = ascii ? ascii : utf8_sequence(bytes);
        if (size)
            buffer_add(buffer, slice_part(bytes, 0, size));
        else
            buffer_add_text(buffer, "\xEF\xBF\xBD");
        bytes = slice_from(bytes, size ? size : 1);
    }
}

/* U+200E, U+200F, U+2028 to U+202E, U+2066 to U+2069: E2 80 8E ..., E2 81 A6 ... */
static bool is_mark(const uint8_t *at)
{
    if (at[0] != 0xE2)
        return false;
    return (at[1] == 0x80 &&
            (at[2] == 0x8E || at[2] == 0x8F || (at[2] >= 0xA8 && at[2] <= 0xAE))) ||
           (at[1] == 0x81 && at[2] >= 0xA6 && at[2] <= 0xA9);
}

/* Sequences keep their size, so that this is done in place. */
void utf8_append_tame(struct buffer *buffer, struct slice bytes)
{
    const size_t start = buffer->size;
    size_t size;

    utf8_append_repaired(buffer, bytes);
    for (size_t i = start; i < buffer->size; i += size) {
        uint8_t *at = &buffer->data[i];
        size = *at < 0x80 ? 1 : utf8_sequence(slice_from(buffer_slice(buffer), i));
        const bool is_c1 = size == 2 && at[0] == 0xC2 && at[1] < 0xA0;
        if (*at < 0x20 || *at == 0x7F || is_c1)
            memset(at, ' ', size);
        else if (size == 2 && at[0] == 0xD8 && at[1] == 0x9C) /* U+061C */
            memset(at, ' ', size);
        else if (size == 3 && is_mark(at))
            memcpy(at, "\xEF\xBF\xBD", size);
    }
}
