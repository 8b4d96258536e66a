#include "triage/match/escape_filter.h"

#include <stdlib.h>

#include "triage/base/error.h"
#include "triage/match/ascii.h"
#include "triage/match/percent.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

enum { GRAM = 4, BITS_PER_GRAM = 64, BITMAP_SMALLEST = 15, BITMAP_LARGEST = 22 };

/* What a byte (in lower case) can be. */
enum role {
    IN_LITERAL = 1,
    STARTS_LITERAL = 2,
    ENDS_LITERAL = 4,
    IN_ESCAPE = 8, /* '%' and hexadecimal digits: part of an escape that appears when decoded */
};

struct escape_filter {
    uint8_t roles[256];
    uint8_t pairs[256][256 / 8]; /* bytes that follow each other in a literal */
    bool any_of_three; /* there are literals shorter than a gram: their three bytes count as one */
    unsigned shift;
    uint32_t *bitmap; /* of all grams of all literals */
};

static uint32_t gram_of(const uint8_t *lower, size_t size)
{
    uint32_t gram = 0;

    for (size_t i = 0; i < size; i++)
        gram = gram << 8 | lower[i];
    return gram;
}

static uint32_t bit_of(const struct escape_filter *filter, const uint8_t *lower, size_t size)
{
    return gram_of(lower, size) * 0x9E3779B1u >> filter->shift;
}

static void mark(struct escape_filter *filter, const uint8_t *lower, size_t size)
{
    const uint32_t bit = bit_of(filter, lower, size);

    filter->bitmap[bit >> 5] |= 1u << (bit & 31);
}

static bool is_marked(const struct escape_filter *filter, const uint8_t *lower, size_t size)
{
    const uint32_t bit = bit_of(filter, lower, size);

    return filter->bitmap[bit >> 5] >> (bit & 31) & 1;
}

static void add_literal(struct escape_filter *filter, struct slice text)
{
    for (size_t i = 0; i < text.size; i++)
        filter->roles[text.data[i]] |= IN_LITERAL;
    for (size_t i = 0; i + 1 < text.size; i++)
        filter->pairs[text.data[i]][text.data[i + 1] / 8] |= (uint8_t)(1u << text.data[i + 1] % 8);
    filter->roles[text.data[0]] |= STARTS_LITERAL;
    filter->roles[text.data[text.size - 1]] |= ENDS_LITERAL;
    if (text.size < GRAM) {
        filter->any_of_three = true;
        mark(filter, text.data, text.size);
    }
    for (size_t i = 0; i + GRAM <= text.size; i++)
        mark(filter, text.data + i, GRAM);
}

int escape_filter_new(const struct literal *list, size_t count, struct escape_filter **out)
{
    struct escape_filter *filter = calloc(1, sizeof *filter);
    unsigned bits = BITMAP_SMALLEST;
    size_t bytes = 0;

    for (size_t i = 0; i < count; i++)
        bytes += list[i].text.size;
    while (bits < BITMAP_LARGEST && (size_t)1 << bits < bytes * BITS_PER_GRAM)
        bits++;
    if (filter)
        filter->bitmap = calloc((size_t)1 << (bits - 5), sizeof *filter->bitmap);
    if (!filter || !filter->bitmap) {
        escape_filter_free(filter);
        return error_set("out of memory");
    }
    filter->shift = 32 - bits;
    for (const char *part = "%0123456789abcdef"; *part; part++)
        filter->roles[(uint8_t)*part] |= IN_ESCAPE;
    for (size_t i = 0; i < count; i++)
        add_literal(filter, list[i].text);
    *out = filter;
    return 0;
}

void escape_filter_free(struct escape_filter *filter)
{
    if (!filter)
        return;
    free(filter->bitmap);
    free(filter);
}

/* The decoded bytes around an escape: up to three before, its own, up to three behind. */
struct surroundings {
    uint8_t lower[2 * GRAM - 1];
    size_t own, size; /* index of its own byte, number of all */
};

/* The byte that ends before `*at`, decoded; moves `*at` to its start. */
static uint8_t step_back(struct slice text, size_t from, size_t *at)
{
    const int escaped = *at - from >= 3 ? percent_byte(text, *at - 3) : -1;

    *at -= escaped < 0 ? 1 : 3;
    return escaped < 0 ? text.data[*at] : (uint8_t)escaped;
}

static uint8_t step_forward(struct slice text, size_t *at)
{
    const int escaped = percent_byte(text, *at);
    const uint8_t byte = escaped < 0 ? text.data[*at] : (uint8_t)escaped;

    *at += escaped < 0 ? 1 : 3;
    return byte;
}

static struct surroundings look_around(struct slice text, size_t from, size_t escape)
{
    struct surroundings around = {.own = 0};
    uint8_t before[GRAM - 1];
    size_t at = escape;

    while (around.own < GRAM - 1 && at > from)
        before[around.own++] = step_back(text, from, &at);
    for (size_t i = 0; i < around.own; i++)
        around.lower[i] = ascii_lower(before[around.own - 1 - i]);
    around.size = around.own;
    for (at = escape; around.size < around.own + GRAM && at < text.size; around.size++)
        around.lower[around.size] = ascii_lower(step_forward(text, &at));
    return around;
}

/* Whether a run of `size` bytes around the escape's own byte is one of a literal's. */
static bool shares_gram(const struct escape_filter *filter, const struct surroundings *around,
                        size_t size)
{
    const size_t first = around->own + 1 > size ? around->own + 1 - size : 0;

    for (size_t at = first; at <= around->own && at + size <= around->size; at++)
        if (is_marked(filter, around->lower + at, size))
            return true;
    return false;
}

/* Whether the escape's byte is part of a new escape, as in %2541 or %%341. */
static bool makes_escape(const struct surroundings *around)
{
    const size_t first = around->own < 2 ? 0 : around->own - 2;

    for (size_t at = first; at <= around->own && at + 3 <= around->size; at++)
        if (percent_byte(slice_of(around->lower + at, 3), 0) >= 0)
            return true;
    return false;
}

static bool follow(const struct escape_filter *filter, uint8_t byte, uint8_t next)
{
    return filter->pairs[byte][next / 8] >> next % 8 & 1;
}

/* Whether the byte could stand within a literal between its neighbours, of which only those that
 * are no escapes count. */
static bool can_stand(const struct escape_filter *filter, struct slice text, size_t from,
                      size_t escape, uint8_t byte)
{
    const bool before = escape > from && (escape - from < 3 || text.data[escape - 3] != '%');
    const bool behind = text.size - escape > 3 && text.data[escape + 3] != '%';

    if (before && !(filter->roles[byte] & STARTS_LITERAL) &&
        !follow(filter, ascii_lower(text.data[escape - 1]), byte))
        return false;
    return !behind || filter->roles[byte] & ENDS_LITERAL ||
           follow(filter, byte, ascii_lower(text.data[escape + 3]));
}

static bool can_matter(const struct escape_filter *filter, struct slice text, size_t from,
                       size_t escape)
{
    const int value = percent_byte(text, escape);
    const uint8_t byte = ascii_lower((uint8_t)value);
    struct surroundings around;

    if (value < 0 || !filter->roles[byte])
        return false;
    if (!(filter->roles[byte] & IN_ESCAPE) && !can_stand(filter, text, from, escape, byte))
        return false;
    around = look_around(text, from, escape);
    return makes_escape(&around) || shares_gram(filter, &around, GRAM) ||
           (filter->any_of_three && shares_gram(filter, &around, 3));
}

#if defined(__x86_64__)
/* As escape_filter_next, 32 bytes at a time; leaves `*at` where it stopped. */
__attribute__((target("avx2"))) static size_t next_vector(const struct escape_filter *filter,
                                                          struct slice text, size_t from,
                                                          size_t *at, size_t until)
{
    const __m256i percent = _mm256_set1_epi8('%');

    for (; until - *at >= 32; *at += 32) {
        const __m256i bytes = _mm256_loadu_si256((const __m256i *)(text.data + *at));
        uint32_t places = (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(bytes, percent));

        for (; places; places &= places - 1) {
            const size_t escape = *at + (size_t)__builtin_ctz(places);

            if (can_matter(filter, text, from, escape))
                return escape;
        }
    }
    return SIZE_MAX;
}
#endif

size_t escape_filter_next(const struct escape_filter *filter, struct slice text, size_t from,
                          size_t at, size_t until)
{
    if (until > text.size)
        until = text.size;
#if defined(__x86_64__)
    if (at < until && __builtin_cpu_supports("avx2")) {
        const size_t found = next_vector(filter, text, from, &at, until);

        if (found != SIZE_MAX)
            return found;
    }
#endif
    while (at < until && (at = slice_find(slice_part(text, 0, until), at, '%')) < until) {
        if (can_matter(filter, text, from, at))
            return at;
        at++;
    }
    return SIZE_MAX;
}
