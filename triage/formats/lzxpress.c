#include "triage/formats/lzxpress.h"

#include "triage/base/error.h"

#include <string.h>

enum {
    SYMBOLS = 512,
    LENGTHS_SIZE = SYMBOLS / 2, /* four bits each */
    LONGEST_CODE = 15,
    BLOCK_SIZE = 65536,
    LEAST_MATCH = 3,
    PADDING = 4, /* bytes that the bit buffer may ask for behind the end */
};

struct decoder {
    struct slice in;
    size_t at;
    uint32_t bits; /* the next bit is the highest */
    int spare;     /* bits in `bits` beyond the sixteen that are always there */
    uint8_t *out;
    size_t size, done;
    uint16_t table[1 << LONGEST_CODE]; /* symbol by the next 15 bits */
    uint8_t lengths[SYMBOLS];
};

static uint32_t next_byte(struct decoder *d)
{
    const uint8_t byte = d->at < d->in.size ? d->in.data[d->at] : 0;

    d->at++;
    return byte;
}

static uint32_t next_u16(struct decoder *d)
{
    const uint32_t low = next_byte(d);

    return low | next_byte(d) << 8;
}

static void drop_bits(struct decoder *d, unsigned count)
{
    d->bits = count < 32 ? d->bits << count : 0;
    d->spare -= (int)count;
    if (d->spare < 0) {
        d->bits |= next_u16(d) << -d->spare;
        d->spare += 16;
    }
}

/* Codes go to symbols by length, then by number; together they must fill the table. */
static const char *read_table(struct decoder *d)
{
    size_t filled = 0;

    if (d->at > d->in.size || d->in.size - d->at < LENGTHS_SIZE)
        return "the table of code lengths is cut short";
    for (size_t i = 0; i < SYMBOLS; i++)
        d->lengths[i] = d->in.data[d->at + i / 2] >> (i % 2 ? 4 : 0) & 15;
    d->at += LENGTHS_SIZE;
    for (unsigned length = 1; length <= LONGEST_CODE; length++) {
        const size_t span = (size_t)1 << (LONGEST_CODE - length);
        for (size_t symbol = 0; symbol < SYMBOLS; symbol++) {
            if (d->lengths[symbol] != length)
                continue;
            if (span > sizeof d->table / sizeof *d->table - filled)
                return "the code lengths do not make a code";
            for (size_t i = 0; i < span; i++)
                d->table[filled + i] = (uint16_t)symbol;
            filled += span;
        }
    }
    return filled == sizeof d->table / sizeof *d->table ? NULL
                                                        : "the code lengths do not make a code";
}

/* Lengths beyond what the symbol holds stand as bytes between the bits. */
static uint32_t match_length(struct decoder *d, unsigned symbol)
{
    uint32_t length = symbol & 15;

    if (length == 15) {
        length = next_byte(d);
        if (length == 255) {
            length = next_u16(d);
            if (length == 0) {
                const uint32_t low = next_u16(d);
                length = low | next_u16(d) << 16;
            }
            length = length < 15 ? 0 : length - 15;
        }
        length = length > UINT32_MAX - 15 - LEAST_MATCH ? UINT32_MAX - LEAST_MATCH : length + 15;
    }
    return length + LEAST_MATCH;
}

static const char *copy_match(struct decoder *d, unsigned symbol)
{
    const uint32_t length = match_length(d, symbol);
    const unsigned offset_bits = symbol >> 4;
    const size_t offset =
        ((size_t)1 << offset_bits) + (offset_bits ? d->bits >> (32 - offset_bits) : 0);

    drop_bits(d, offset_bits);
    if (offset > d->done)
        return "a repetition begins in front of the content";
    if (length > d->size - d->done)
        return "a repetition goes beyond the end of the content";
    for (uint32_t i = 0; i < length; i++, d->done++)
        d->out[d->done] = d->out[d->done - offset];
    return NULL;
}

static const char *read_block(struct decoder *d)
{
    const size_t end = d->size - d->done > BLOCK_SIZE ? d->done + BLOCK_SIZE : d->size;
    const char *problem = read_table(d);

    if (problem)
        return problem;
    d->bits = next_u16(d) << 16;
    d->bits |= next_u16(d);
    d->spare = 16;
    while (d->done < end) {
        if (d->at > d->in.size + PADDING)
            return "the compressed content is cut short";
        const unsigned symbol = d->table[d->bits >> (32 - LONGEST_CODE)];
        drop_bits(d, d->lengths[symbol]);
        if (symbol < 256)
            d->out[d->done++] = (uint8_t)symbol;
        else if ((problem = copy_match(d, symbol - 256)))
            return problem;
    }
    return NULL;
}

int lzxpress_huffman(struct slice bytes, size_t size, struct arena *arena, struct slice *out,
                     const char **problem)
{
    struct decoder *d = arena_take(arena, sizeof *d);
    uint8_t *content = arena_take(arena, size + 1);
    const char *found = NULL;

    if (!d || !content)
        return -1;
    d->in = bytes;
    d->out = content;
    d->size = size;
    while (!found && d->done < size)
        found = read_block(d);
    *out = slice_of(content, d->done);
    *problem = found;
    return 0;
}
