#include "triage/base/base64.h"

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

int base64url_digit(uint8_t byte)
{
    return byte == '-' ? 62 : byte == '_' ? 63 : base64_digit(byte);
}

int base64_digit(uint8_t byte)
{
    return byte >= 'A' && byte <= 'Z'   ? byte - 'A'
           : byte >= 'a' && byte <= 'z' ? byte - 'a' + 26
           : byte >= '0' && byte <= '9' ? byte - '0' + 52
           : byte == '+'                ? 62
           : byte == '/'                ? 63
                                        : -1;
}

static void put_group(uint8_t out[4], const uint8_t *bytes, size_t left)
{
    const uint32_t bits = (uint32_t)bytes[0] << 16 | (left > 1 ? (uint32_t)bytes[1] << 8 : 0) |
                          (left > 2 ? bytes[2] : 0);

    out[0] = (uint8_t)digits[bits >> 18];
    out[1] = (uint8_t)digits[bits >> 12 & 63];
    out[2] = left > 1 ? (uint8_t)digits[bits >> 6 & 63] : '=';
    out[3] = left > 2 ? (uint8_t)digits[bits & 63] : '=';
}

void base64_add(struct buffer *out, struct slice bytes)
{
    const size_t groups = bytes.size / 3 + (bytes.size % 3 != 0);
    uint8_t *end = buffer_reserve(out, 4 * groups);

    if (!end)
        return;
    for (size_t i = 0; i < bytes.size; i += 3, end += 4)
        put_group(end, bytes.data + i, bytes.size - i);
    out->size += 4 * groups;
}

void base64_read(struct buffer *out, struct slice text, int (*digit_of)(uint8_t byte))
{
    uint32_t bits = 0;
    unsigned count = 0;

    for (size_t i = 0; i < text.size; i++) {
        const int digit = digit_of(text.data[i]);
        if (digit < 0)
            continue;
        bits = bits << 6 | (uint32_t)digit;
        if ((count += 6) >= 8)
            buffer_add_byte(out, (uint8_t)(bits >> (count -= 8)));
    }
}

struct slice base64_within(struct arena *arena, struct slice bytes, size_t before)
{
    const size_t bits = 8 * (before + bytes.size);
    uint8_t *out = arena_take(arena, bits / 6 + 1);
    size_t used = 0;

    for (size_t at = (8 * before + 5) / 6 * 6; out && at + 6 <= bits; at += 6) {
        const size_t byte = at / 8 - before, shift = at % 8;
        const unsigned next = byte + 1 < bytes.size ? bytes.data[byte + 1] : 0;
        const unsigned pair = (unsigned)bytes.data[byte] << 8 | next;
        out[used++] = (uint8_t)digits[pair >> (10 - shift) & 63];
    }
    return slice_of(out, used);
}
