#include "tests/fuzz/mutate.h"

#include <string.h>

enum { MOST_CHANGES = 6, MOST_PIECE = 200, HEAD = 1024 };

/* splitmix64: small, and the same everywhere. */
static uint64_t next(uint64_t *state)
{
    uint64_t z = (*state += 0x9E3779B97F4A7C15u);

    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

static size_t below(uint64_t *state, size_t bound)
{
    return bound ? (size_t)(next(state) % bound) : 0;
}

/* A place in the input; heads are small and say most, so they get more than their share. */
static size_t place(uint64_t *state, size_t size)
{
    return below(state, next(state) % 4 == 0 && size > HEAD ? HEAD : size);
}

static void insert(struct buffer *out, size_t at, struct slice piece)
{
    const size_t behind = out->size - at;

    if (!piece.size || !buffer_reserve(out, piece.size))
        return;
    memmove(out->data + at + piece.size, out->data + at, behind);
    memcpy(out->data + at, piece.data, piece.size);
    out->size += piece.size;
}

static void cut(struct buffer *out, size_t at, size_t size)
{
    if (size > out->size - at)
        size = out->size - at;
    memmove(out->data + at, out->data + at + size, out->size - at - size);
    out->size -= size;
}

/* What parsers stumble over. */
static struct slice token(uint64_t *state)
{
    static const struct slice tokens[] = {
        SLICE_LITERAL(","),
        SLICE_LITERAL("\""),
        SLICE_LITERAL("\"\""),
        SLICE_LITERAL("\n"),
        SLICE_LITERAL("\r\n"),
        SLICE_LITERAL(" "),
        SLICE_LITERAL("\t"),
        SLICE_LITERAL("-"),
        SLICE_LITERAL("%25"),
        SLICE_LITERAL("%2"),
        SLICE_LITERAL("%u0041"),
        SLICE_LITERAL("/../"),
        SLICE_LITERAL("#Fields: date time cs-uri-stem\r\n"),
        SLICE_LITERAL("#Fields:"),
        SLICE_LITERAL("#Date: 2021-03-03 00:00:00\r\n"),
        SLICE_LITERAL("\n#"),
        SLICE_LITERAL("\xff\xfe"),
        SLICE_LITERAL("\xef\xbb\xbf"),
        SLICE_LITERAL("\xc3"),
        SLICE_LITERAL("\xe4"),
        SLICE_LITERAL("\xed\xa0\x80"),
        SLICE_LITERAL("\0"),
        SLICE_LITERAL("\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"),
        SLICE_LITERAL("9999999999999999999"),
        SLICE_LITERAL("-1"),
        SLICE_LITERAL("2021-02-30 25:61:61"),
        SLICE_LITERAL("<%"),
        SLICE_LITERAL("*"),
        SLICE_LITERAL("\\"),
        SLICE_LITERAL("("),
        SLICE_LITERAL("[^"),
        SLICE_LITERAL("{0,65535}"),
        SLICE_LITERAL("&a"),
        SLICE_LITERAL("*a"),
        SLICE_LITERAL(": "),
        SLICE_LITERAL("/ecp/y.js"),
        SLICE_LITERAL("ServerInfo~a]@b:444/ecp/proxyLogon.ecp"),
    };

    return tokens[below(state, sizeof tokens / sizeof *tokens)];
}

/* A little-endian number at the edge of what fits, over what is there. */
static void put_number(struct buffer *out, size_t at, uint64_t *state)
{
    static const uint64_t numbers[] = {0,          1,          0x7F,      0x80,       0xFF,
                                       0x7FFF,     0x8000,     0xFFFF,    0x7FFFFFFF, 0x80000000,
                                       0xFFFFFFFF, 0xFFFFFFF0, INT64_MAX, UINT64_MAX};
    uint64_t number = numbers[below(state, sizeof numbers / sizeof *numbers)];
    const size_t width = (size_t)1 << below(state, 4);

    for (size_t i = 0; i < width && at + i < out->size; i++, number >>= 8)
        out->data[at + i] = (uint8_t)number;
}

static void change(struct buffer *out, struct slice other, uint64_t *state)
{
    const size_t at = place(state, out->size);

    switch (next(state) % 10) {
    case 0:
    case 1:
        out->data[at] ^= (uint8_t)(1u << below(state, 8));
        break;
    case 2:
        out->data[at] = (uint8_t)next(state);
        break;
    case 3:
    case 4:
        put_number(out, at, state);
        break;
    case 5:
        insert(out, at, token(state));
        break;
    case 6:
        cut(out, at, 1 + below(state, MOST_PIECE));
        break;
    case 7:
        insert(out, at, slice_part(other, place(state, other.size), 1 + below(state, MOST_PIECE)));
        break;
    case 8:
        memset(out->data + at, 0, out->size - at < 64 ? out->size - at : 64);
        break;
    default:
        if (next(state) % 4 == 0)
            out->size = at;
        else
            out->data[at] = token(state).data[0];
    }
}

void mutate(struct slice seed, struct slice other, uint64_t number, struct buffer *out)
{
    uint64_t state = number * 0xD1342543DE82EF95u + seed.size;

    buffer_clear(out);
    buffer_add(out, seed);
    if (number == 0)
        return;
    for (size_t i = 1 + below(&state, MOST_CHANGES); i > 0 && out->size > 0; i--)
        change(out, other, &state);
}
