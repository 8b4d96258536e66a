/*
 * Reading hostile bytes: a slice is a borrowed run of bytes, a cursor reads it straight down. A
 * cursor's failure sticks: after the first read past the end every read gives 0 or an empty slice,
 * so a record is read first and checked once with cursor_failed(), always before a value becomes a
 * length.
 */
#ifndef TRIAGE_BASE_CURSOR_H
#define TRIAGE_BASE_CURSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

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
struct slice slice_of_text(const char *text);

/* The part [at, at+size) cut to what the slice holds: never outside of it. */
struct slice slice_part(struct slice whole, size_t at, size_t size);

/* The part from `at` to the end; empty when `at` lies past the end. */
struct slice slice_from(struct slice whole, size_t at);

bool slice_equal(struct slice a, struct slice b);
/* ASCII letters compare without case, all other bytes as they are. */
bool slice_equal_nocase(struct slice a, struct slice b);
bool slice_is(struct slice bytes, const char *text);
bool slice_is_nocase(struct slice bytes, const char *text);
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
/* Decimal digits only, the whole slice; false for anything else and for more than fits. */
bool slice_to_u64(struct slice digits, uint64_t *value);

struct cursor cursor_over(struct slice bytes, uint64_t origin);
/* The next size bytes, not copied; empty once failed. */
struct slice cursor_take(struct cursor *c, size_t size);
void cursor_skip(struct cursor *c, size_t size);
void cursor_seek(struct cursor *c, size_t at);
uint8_t cursor_u8(struct cursor *c);
uint16_t cursor_u16le(struct cursor *c);
uint32_t cursor_u32le(struct cursor *c);
uint64_t cursor_u64le(struct cursor *c);
uint16_t cursor_u16be(struct cursor *c);
uint32_t cursor_u32be(struct cursor *c);
uint64_t cursor_u64be(struct cursor *c);
bool cursor_failed(const struct cursor *c);
size_t cursor_left(const struct cursor *c);
/* Where the next byte lies in the evidence file. */
uint64_t cursor_place(const struct cursor *c);

#endif
