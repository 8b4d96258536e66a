#include "triage/match/gram_filter.h"

#include <stdlib.h>
#include <string.h>

#include "triage/base/error.h"
#include "triage/match/ascii.h"
#include "triage/match/log_model.h"

#if defined(__x86_64__)
#include <immintrin.h>
#define AVX2 __attribute__((target("avx2")))
#endif

#define HASH_FACTOR 0x9E3779B1u /* 2^32 divided by the golden ratio */

enum {
    FURTHEST_GRAM = 40, /* grams are taken from the first bytes of a literal */
    BITS_PER_GRAM = 64, /* of the bitmap, within these bounds of its logarithm */
    BITMAP_SMALLEST = 15,
    BITMAP_LARGEST = 20,
    TABLE_LARGEST = 16,
};

/* A gram and the literal that it was taken from. */
struct place {
    uint32_t gram, literal, offset;
};

struct gram_filter {
    const struct literal *literals;
    unsigned stride;
    unsigned width; /* of a gram: four bytes, or three for short literals */
    size_t reach;   /* greatest offset of a gram in its literal */
    unsigned bitmap_shift, table_shift;
    uint8_t *bitmap;
    uint32_t *starts; /* where a bucket's places start; one more at the end */
    struct place *places;
    size_t place_count;
    bool vector;
    uint8_t low[3][16], high[3][16]; /* per byte of a gram: groups that its halves allow */
};

/* Four bytes as a gram. Letters of both cases give the same one; so do a few pairs of other bytes,
 * which the comparison sorts out. */
static inline uint32_t folded(const uint8_t *bytes)
{
    uint32_t gram;

    memcpy(&gram, bytes, sizeof gram);
    return gram | 0x20202020u;
}

static inline uint32_t hash_of(uint32_t gram)
{
    return gram * HASH_FACTOR;
}

/* 0 or 1. */
static inline uint32_t in_bitmap(const struct gram_filter *filter, uint32_t hash)
{
    const uint32_t bit = hash >> filter->bitmap_shift;

    return filter->bitmap[bit >> 3] >> (bit & 7) & 1;
}

/* The gram of `width` bytes, which need not be followed by anything; the first is the lowest byte
 * of a short one. */
static inline uint32_t gram_of(const struct gram_filter *filter, const uint8_t *bytes)
{
    if (filter->width == 4)
        return folded(bytes);
    return (bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16) | 0x202020u;
}

/* Of the offsets that leave `remainder` by the stride, the one with the rarest gram, and how
 * frequent that is. */
static size_t rarest_offset(struct slice text, size_t width, size_t stride, size_t remainder,
                            double *frequency)
{
    size_t best = remainder;

    *frequency = log_model_frequency(text.data + remainder, width);
    for (size_t at = remainder + stride; at + width <= text.size && at <= FURTHEST_GRAM;
         at += stride) {
        const double other = log_model_frequency(text.data + at, width);

        if (other < *frequency) {
            best = at;
            *frequency = other;
        }
    }
    return best;
}

double gram_filter_cost(struct slice text, unsigned stride)
{
    double cost = 0;

    if (stride == 0) {
        rarest_offset(text, 3, 1, 0, &cost);
        return cost;
    }

    for (size_t remainder = 0; remainder < stride; remainder++) {
        double frequency;

        rarest_offset(text, 4, stride, remainder, &frequency);
        cost += frequency / stride;
    }
    return cost;
}

static void choose_places(struct gram_filter *filter, size_t count)
{
    struct place *place = filter->places;

    for (size_t i = 0; i < count; i++) {
        const struct slice text = filter->literals[i].text;

        for (size_t remainder = 0; remainder < filter->stride; remainder++, place++) {
            double frequency;
            const size_t offset =
                rarest_offset(text, filter->width, filter->stride, remainder, &frequency);

            place->gram = gram_of(filter, text.data + offset);
            place->literal = (uint32_t)i;
            place->offset = (uint32_t)offset;
            if (offset > filter->reach)
                filter->reach = offset;
        }
    }
}

static int by_gram(const void *a, const void *b)
{
    const struct place *x = a, *y = b;

    if (x->gram != y->gram)
        return x->gram < y->gram ? -1 : 1;
    if (x->literal != y->literal)
        return x->literal < y->literal ? -1 : 1;
    return x->offset < y->offset ? -1 : x->offset > y->offset;
}

static int by_hash(const void *a, const void *b)
{
    const uint32_t x = hash_of(((const struct place *)a)->gram);
    const uint32_t y = hash_of(((const struct place *)b)->gram);

    return x == y ? by_gram(a, b) : x < y ? -1 : 1;
}

/* The smallest power of two that is at least `value`, as its logarithm between the bounds. */
static unsigned logarithm(size_t value, unsigned smallest, unsigned largest)
{
    unsigned bits = smallest;

    while (bits < largest && (size_t)1 << bits < value)
        bits++;
    return bits;
}

/* Sorts the places into buckets by the upper bits of their hash and marks them in the bitmap. */
static int fill_tables(struct gram_filter *filter)
{
    const unsigned bitmap_bits =
        logarithm(filter->place_count * BITS_PER_GRAM, BITMAP_SMALLEST, BITMAP_LARGEST);
    const unsigned table_bits = logarithm(filter->place_count * 2, 1, TABLE_LARGEST);
    const size_t buckets = (size_t)1 << table_bits;
    size_t bucket = 0;

    filter->bitmap_shift = 32 - bitmap_bits;
    filter->table_shift = 32 - table_bits;
    filter->bitmap = calloc((size_t)1 << (bitmap_bits - 3), 1);
    filter->starts = calloc(buckets + 1, sizeof *filter->starts);
    if (!filter->bitmap || !filter->starts)
        return error_set("out of memory");
    qsort(filter->places, filter->place_count, sizeof *filter->places, by_hash);
    for (size_t i = 0; i < filter->place_count; i++) {
        const uint32_t hash = hash_of(filter->places[i].gram);
        const uint32_t bit = hash >> filter->bitmap_shift;

        filter->bitmap[bit >> 3] |= (uint8_t)(1u << (bit & 7));
        while (bucket <= hash >> filter->table_shift)
            filter->starts[bucket++] = (uint32_t)i;
    }
    while (bucket <= buckets)
        filter->starts[bucket++] = (uint32_t)filter->place_count;
    return 0;
}

/* Share of the bytes of ordinary logs that the group lets through at byte `b` of a gram. */
static double group_share(const struct gram_filter *filter, unsigned group, unsigned b,
                          const double *shares)
{
    double share = 0;

    for (unsigned byte = 0; byte < 256; byte++)
        if (filter->low[b][byte & 15] & filter->high[b][byte >> 4] & group)
            share += shares[byte];
    return share;
}

static void join_group(struct gram_filter *filter, uint8_t group, uint32_t gram)
{
    for (unsigned b = 0; b < 3; b++) {
        filter->low[b][gram >> 8 * b & 15] |= group;
        filter->high[b][gram >> (8 * b + 4) & 15] |= group;
    }
}

static double group_cost(const struct gram_filter *filter, unsigned group, const double *shares)
{
    return group_share(filter, group, 0, shares) * group_share(filter, group, 1, shares) *
           group_share(filter, group, 2, shares);
}

/* What the group lets through more when it takes the gram. */
static double cost_of_joining(const struct gram_filter *filter, uint8_t group, uint32_t gram,
                              const double *shares)
{
    struct gram_filter joined = *filter;

    join_group(&joined, group, gram);
    return group_cost(&joined, group, shares) - group_cost(filter, group, shares);
}

/* Deals the grams to eight groups so that they let little else through; a byte of text belongs to
 * the groups that both its halves allow. */
static void fill_vector_tables(struct gram_filter *filter)
{
    double shares[256] = {0}; /* by folded byte */

    for (unsigned byte = 0; byte < 256; byte++)
        shares[byte | 0x20] += log_model_share((uint8_t)byte);
    for (size_t i = 0; i < filter->place_count; i++) {
        double best_cost = 0;
        uint8_t best = 0;

        for (unsigned bit = 0; bit < 8; bit++) {
            const uint8_t group = (uint8_t)(1u << bit);
            const double cost = cost_of_joining(filter, group, filter->places[i].gram, shares);

            if (best == 0 || cost < best_cost) {
                best = group;
                best_cost = cost;
            }
        }
        join_group(filter, best, filter->places[i].gram);
    }
}

static bool has_vector_unit(void)
{
#if defined(__x86_64__)
    return __builtin_cpu_supports("avx2");
#else
    return false;
#endif
}

int gram_filter_new(const struct literal *list, size_t count, unsigned stride, bool short_ones,
                    struct gram_filter **out)
{
    struct gram_filter *filter = calloc(1, sizeof *filter);

    if (!filter)
        return error_set("out of memory");
    filter->literals = list;
    filter->stride = short_ones ? 1 : stride;
    filter->width = short_ones ? 3 : 4;
    filter->place_count = count * filter->stride;
    filter->places = calloc(filter->place_count + 1, sizeof *filter->places);
    if (!filter->places) {
        gram_filter_free(filter);
        return error_set("out of memory");
    }
    choose_places(filter, count);
    filter->vector = has_vector_unit();
    if (short_ones)
        fill_vector_tables(filter);
    if (fill_tables(filter) < 0) {
        gram_filter_free(filter);
        return -1;
    }
    *out = filter;
    return 0;
}

void gram_filter_free(struct gram_filter *filter)
{
    if (!filter)
        return;
    free(filter->bitmap);
    free(filter->starts);
    free(filter->places);
    free(filter);
}

bool gram_filter_vector(const struct gram_filter *filter)
{
    return filter->vector;
}

void gram_filter_portable(struct gram_filter *filter)
{
    filter->vector = false;
}

/* A search: what is looked for, and the first start that was found so far. */
struct search {
    struct slice window;
    size_t from, limit; /* a literal starts in between */
    size_t best;
    size_t end; /* grams at or after this place cannot belong to a better start */
};

static bool same_without_case(struct slice lower, const uint8_t *text)
{
    for (size_t i = 0; i < lower.size; i++)
        if (ascii_lower(text[i]) != lower.data[i])
            return false;
    return true;
}

static bool stands_at(struct slice lower, const struct search *search, size_t start)
{
    return start >= search->from && start < search->limit && start < search->best &&
           search->window.size - start >= lower.size &&
           same_without_case(lower, search->window.data + start);
}

/* Compares the literals that own the gram at `at`. Whoever starts before the best so far has all
 * its grams before `end`. */
static __attribute__((noinline)) void verify(const struct gram_filter *filter,
                                             struct search *search, size_t at, uint32_t gram)
{
    const uint32_t bucket = hash_of(gram) >> filter->table_shift;

    for (uint32_t i = filter->starts[bucket]; i < filter->starts[bucket + 1]; i++) {
        const struct place *place = &filter->places[i];

        if (place->gram != gram || place->offset > at ||
            !stands_at(filter->literals[place->literal].text, search, at - place->offset))
            continue;
        search->best = at - place->offset;
        if (search->end > search->best + filter->reach)
            search->end = search->best + filter->reach;
    }
}

static inline void look(const struct gram_filter *filter, struct search *search, size_t at,
                        uint32_t gram)
{
    if (in_bitmap(filter, hash_of(gram)))
        verify(filter, search, at, gram);
}

/* Looks at every stride-th gram of four bytes from `at` on. */
static void scan(const struct gram_filter *filter, struct search *search, size_t at)
{
    for (; at < search->end && search->window.size - at >= 4; at += filter->stride)
        look(filter, search, at, folded(search->window.data + at));
}

/* Looks at every gram of three bytes from `at` on. */
static void scan_short(const struct gram_filter *filter, struct search *search, size_t at)
{
    for (; at + 3 <= search->window.size && at < search->end; at++)
        look(filter, search, at, gram_of(filter, search->window.data + at));
}

#if defined(__x86_64__)
/* The groups that byte `b` of a gram may belong to, for 32 places at once. */
AVX2 static inline __m256i groups_at(const struct gram_filter *filter, const uint8_t *text,
                                     unsigned b)
{
    const __m256i low =
        _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)filter->low[b]));
    const __m256i high =
        _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)filter->high[b]));
    const __m256i half = _mm256_set1_epi8(15);
    const __m256i bytes =
        _mm256_or_si256(_mm256_loadu_si256((const __m256i *)(text + b)), _mm256_set1_epi8(0x20));

    return _mm256_and_si256(
        _mm256_shuffle_epi8(low, _mm256_and_si256(bytes, half)),
        _mm256_shuffle_epi8(high, _mm256_and_si256(_mm256_srli_epi16(bytes, 4), half)));
}

/* As scan_short, 32 places at a time; gives where it stopped. */
AVX2 static size_t scan_short_vector(const struct gram_filter *filter, struct search *search)
{
    const uint8_t *data = search->window.data;
    size_t at = search->from;

    for (; at < search->end && search->window.size - at >= 35; at += 32) {
        const __m256i groups = _mm256_and_si256(
            _mm256_and_si256(groups_at(filter, data + at, 0), groups_at(filter, data + at, 1)),
            groups_at(filter, data + at, 2));
        uint32_t places =
            ~(uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(groups, _mm256_setzero_si256()));

        for (; places; places &= places - 1) {
            const size_t place = at + (size_t)__builtin_ctz(places);

            look(filter, search, place, folded(data + place) & 0xffffff);
        }
    }
    return at;
}

/* Four grams from each half of a register: for each byte of them where it lies from the start of
 * the half. */
AVX2 static inline __m256i gram_pattern(unsigned stride)
{
    uint8_t from[16];

    for (unsigned i = 0; i < 16; i++)
        from[i] = (uint8_t)(i / 4 * stride + i % 4);
    return _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)from));
}

/* As scan, eight grams at a time; gives where it stopped. */
AVX2 static size_t scan_vector(const struct gram_filter *filter, struct search *search)
{
    const uint8_t *data = search->window.data, *bitmap = filter->bitmap;
    const size_t stride = filter->stride;
    const __m256i pattern = gram_pattern(filter->stride), fold = _mm256_set1_epi8(0x20);
    const __m256i factor = _mm256_set1_epi32((int)HASH_FACTOR), seven = _mm256_set1_epi32(7);
    const __m128i shift = _mm_cvtsi32_si128((int)filter->bitmap_shift);
    size_t at = search->from;

    for (; at < search->end && search->window.size - at >= 4 * stride + 16; at += 8 * stride) {
        const __m256i text = _mm256_loadu2_m128i((const __m128i *)(data + at + 4 * stride),
                                                 (const __m128i *)(data + at));
        const __m256i grams = _mm256_or_si256(_mm256_shuffle_epi8(text, pattern), fold);
        const __m256i bits = _mm256_srl_epi32(_mm256_mullo_epi32(grams, factor), shift);
        uint32_t byte[8], mask[8];

        _mm256_storeu_si256((__m256i *)byte, _mm256_srli_epi32(bits, 3));
        _mm256_storeu_si256((__m256i *)mask,
                            _mm256_sllv_epi32(_mm256_set1_epi32(1), _mm256_and_si256(bits, seven)));
        if (!((bitmap[byte[0]] & mask[0]) | (bitmap[byte[1]] & mask[1]) |
              (bitmap[byte[2]] & mask[2]) | (bitmap[byte[3]] & mask[3]) |
              (bitmap[byte[4]] & mask[4]) | (bitmap[byte[5]] & mask[5]) |
              (bitmap[byte[6]] & mask[6]) | (bitmap[byte[7]] & mask[7])))
            continue;
        uint32_t hits = 0;

        for (unsigned i = 0; i < 8; i++)
            hits |= (uint32_t)((bitmap[byte[i]] & mask[i]) != 0) << i;
        for (; hits; hits &= hits - 1) {
            const size_t place = at + (size_t)__builtin_ctz(hits) * stride;

            verify(filter, search, place, folded(data + place));
        }
    }
    return at;
}
#else
static size_t scan_short_vector(const struct gram_filter *filter, struct search *search)
{
    (void)filter;
    return search->from;
}

static size_t scan_vector(const struct gram_filter *filter, struct search *search)
{
    return scan_short_vector(filter, search);
}
#endif

size_t gram_filter_find(const struct gram_filter *filter, struct slice window, size_t from,
                        size_t limit)
{
    struct search search = {.window = window, .from = from, .limit = limit, .best = SIZE_MAX};

    if (limit > window.size)
        search.limit = limit = window.size;
    if (from >= limit)
        return SIZE_MAX;
    search.end = limit + filter->reach;
    if (filter->width == 4)
        scan(filter, &search, filter->vector ? scan_vector(filter, &search) : from);
    else
        scan_short(filter, &search, filter->vector ? scan_short_vector(filter, &search) : from);
    return search.best;
}
