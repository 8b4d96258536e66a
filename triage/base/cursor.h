/*
 * Reading hostile bytes: a slice is a borrowed run of bytes, a cursor reads it straight down. A
 * cursor's failure sticks: after the first read past the end every read gives 0 or an empty slice,
 * so a record is read first and checked once with cursor_failed(), always before a value becomes a
 * length. What every byte goes through is inline.
 */
#ifndef TRIAGE_BASE_CURSOR_H
#define TRIAGE_BASE_CURSOR_H

#include <endian.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct slice {
    const uint8_t *data; /* borrowed: whoever made it says how long it lives */
    size_t size;
};

struct cursor {
    struct slice bytes;
    size_t at;
    uint64_t origin; /* where bytes.data[0] lies in the evidence file */
    bool failed;
};

#define SLICE_LITERAL(text) ((struct slice){(const uint8_t *)(text), sizeof(text) - 1})

static inline struct slice slice_of(const void *data, size_t size)
{
    return (struct slice){.data = data, .size = size};
}

/* The bytes of a NUL-terminated text, without the NUL; NULL gives an empty slice. */
static inline struct slice slice_of_text(const char *text)
{
    return slice_of(text, text ? strlen(text) : 0);
}

/* The part [at, at+size) cut to what the slice holds: never outside of it. */
static inline struct slice slice_part(struct slice whole, size_t at, size_t size)
{
    if (at >= whole.size)
        return slice_of(NULL, 0);
    const size_t left = whole.size - at;
    return slice_of(whole.data + at, size < left ? size : left);
}

/* The part from `at` to the end; empty when `at` lies past the end. */
static inline struct slice slice_from(struct slice whole, size_t at)
{
    return slice_part(whole, at, SIZE_MAX);
}

static inline bool slice_equal(struct slice a, struct slice b)
{
    return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

/* `size` bytes each, at least one. */
bool bytes_equal_nocase(const uint8_t *a, const uint8_t *b, size_t size);

/* ASCII letters compare without case, all other bytes as they are. */
static inline bool slice_equal_nocase(struct slice a, struct slice b)
{
    return a.size == b.size && (a.size == 0 || bytes_equal_nocase(a.data, b.data, a.size));
}

static inline bool slice_is(struct slice bytes, const char *text)
{
    return slice_equal(bytes, slice_of_text(text));
}

static inline bool slice_is_nocase(struct slice bytes, const char *text)
{
    return slice_equal_nocase(bytes, slice_of_text(text));
}

bool slice_starts(struct slice bytes, const char *text);
bool slice_starts_nocase(struct slice bytes, const char *text);
bool slice_ends_nocase(struct slice bytes, const char *text);
/* Offset of the first `byte` at or after `from`, or SIZE_MAX. */
size_t slice_find(struct slice bytes, size_t from, uint8_t byte);
/* Offset of the first occurrence of `needle` at or after `from`, ASCII letters without case, or
 * SIZE_MAX. */
size_t slice_find_nocase(struct slice bytes, size_t from, struct slice needle);
/* Without leading and trailing ASCII white space and NUL bytes. */
struct slice slice_trim(struct slice bytes);
/* Whether all bytes are zero; true when there are none. */
bool slice_is_zero(struct slice bytes);
/* What a hexadecimal digit of either case stands for; -1 for any other byte. */
int hex_digit(uint8_t byte);
/* Decimal digits only, the whole slice; false for anything else and for more than fits. */
bool slice_to_u64(struct slice digits, uint64_t *value);

static inline struct cursor cursor_over(struct slice bytes, uint64_t origin)
{
    return (struct cursor){.bytes = bytes, .origin = origin};
}

/* The next size bytes, not copied; empty once failed. */
static inline struct slice cursor_take(struct cursor *c, size_t size)
{
    if (c->failed || size > c->bytes.size - c->at) {
        c->failed = true;
        return slice_of(NULL, 0);
    }
    const struct slice taken = slice_of(c->bytes.data ? c->bytes.data + c->at : NULL, size);
    c->at += size;
    return taken;
}

static inline void cursor_skip(struct cursor *c, size_t size)
{
    cursor_take(c, size);
}

static inline void cursor_seek(struct cursor *c, size_t at)
{
    if (at > c->bytes.size)
        c->failed = true;
    else
        c->at = at;
}

/* The next size bytes, at most eight, as they lie in memory; 0 once failed. */
static inline uint64_t cursor_word(struct cursor *c, size_t size)
{
    const struct slice bytes = cursor_take(c, size);
    uint64_t word = 0;

    if (bytes.size)
        memcpy(&word, bytes.data, size);
    return word;
}

static inline uint8_t cursor_u8(struct cursor *c)
{
    return (uint8_t)le64toh(cursor_word(c, 1));
}

static inline uint16_t cursor_u16le(struct cursor *c)
{
    return (uint16_t)le64toh(cursor_word(c, 2));
}

static inline uint32_t cursor_u32le(struct cursor *c)
{
    return (uint32_t)le64toh(cursor_word(c, 4));
}

static inline uint64_t cursor_u64le(struct cursor *c)
{
    return le64toh(cursor_word(c, 8));
}

static inline uint16_t cursor_u16be(struct cursor *c)
{
    return (uint16_t)(be64toh(cursor_word(c, 2)) >> 48);
}

static inline uint32_t cursor_u32be(struct cursor *c)
{
    return (uint32_t)(be64toh(cursor_word(c, 4)) >> 32);
}

static inline uint64_t cursor_u64be(struct cursor *c)
{
    return be64toh(cursor_word(c, 8));
}

static inline bool cursor_failed(const struct cursor *c)
{
    return c->failed;
}

static inline size_t cursor_left(const struct cursor *c)
{
    return c->failed ? 0 : c->bytes.size - c->at;
}

/* Where the next byte lies in the evidence file. */
static inline uint64_t cursor_place(const struct cursor *c)
{
    return c->origin + c->at;
}

#endif
