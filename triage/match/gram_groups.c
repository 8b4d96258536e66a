#include "triage/match/gram_groups.h"

#include "triage/match/log_model.h"

#include <pthread.h>
#include <string.h>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

enum { FOLD = 0x20, SEVEN_BITS = 127 };

enum gram_groups_unit gram_groups_best(void)
{
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx512vbmi") && __builtin_cpu_supports("avx512bw"))
        return GRAM_GROUPS_BYTES;
    if (__builtin_cpu_supports("avx2"))
        return GRAM_GROUPS_HALVES;
#endif
    return GRAM_GROUPS_NONE;
}

void gram_groups_init(struct gram_groups *groups, enum gram_groups_unit unit)
{
    memset(groups, 0, sizeof *groups);
    groups->unit = unit;
}

/* --- dealing --- */

/* Shares of the bytes in ordinary logs, 0x20 set, by their halves. */
struct half_shares {
    double of[16][16]; /* upper half, lower half */
};

static struct half_shares shares; /* counted once, never changed afterwards */
static pthread_once_t counted = PTHREAD_ONCE_INIT;

static void count_halves(void)
{
    for (unsigned byte = 0; byte < 256; byte++)
        shares.of[(byte | FOLD) >> 4][byte & 15] += log_model_share((uint8_t)byte);
}

/* What a group lets through at a place of a gram when the byte joins it. */
static double share_by_halves(const struct gram_set *set, unsigned bit, unsigned place,
                              uint8_t byte)
{
    const uint8_t *low = set->low[place], *high = set->high[place];
    const unsigned group = 1u << bit, l = byte & 15, h = byte >> 4;
    double share = set->shares[bit][place];

    for (unsigned i = 0; !(high[h] & group) && i < 16; i++)
        share += low[i] & group ? shares.of[h][i] : 0;
    for (unsigned i = 0; !(low[l] & group) && i < 16; i++)
        share += high[i] & group ? shares.of[i][l] : 0;
    return high[h] & group || low[l] & group ? share : share + shares.of[h][l];
}

static double share_by_bytes(const struct gram_set *set, unsigned bit, unsigned place, uint8_t byte)
{
    const double share = set->shares[bit][place];

    return set->bytes[place][byte & SEVEN_BITS] >> bit & 1
               ? share
               : share + shares.of[byte >> 4][byte & 15];
}

static double share_with(const struct gram_groups *groups, unsigned number, unsigned place,
                         uint8_t byte)
{
    const struct gram_set *set = &groups->sets[number / 8];

    return groups->unit == GRAM_GROUPS_BYTES ? share_by_bytes(set, number % 8, place, byte)
                                             : share_by_halves(set, number % 8, place, byte);
}

/* What the gram lets through in a group beside what passes already. */
static double cost_of(const struct gram_groups *groups, unsigned number, uint32_t gram,
                      unsigned width)
{
    const struct gram_set *set = &groups->sets[number / 8];
    double before = 1, after = 1;

    for (unsigned place = 0; place < GRAM_GROUPS_WIDTH; place++) {
        before *= set->shares[number % 8][place];
        after *=
            place < width ? share_with(groups, number, place, (uint8_t)(gram >> 8 * place)) : 1;
    }
    return after - before;
}

static void join_byte(struct gram_set *set, uint8_t group, unsigned place, uint8_t byte)
{
    set->low[place][byte & 15] |= group;
    set->high[place][byte >> 4] |= group;
    set->bytes[place][byte & SEVEN_BITS] |= group;
    set->bytes[place][byte & SEVEN_BITS & ~FOLD] |= group;
}

static void join_any(struct gram_set *set, unsigned bit, unsigned place)
{
    const uint8_t group = (uint8_t)(1u << bit);

    for (unsigned i = 0; i < 16; i++) {
        set->low[place][i] |= group;
        set->high[place][i] |= group;
    }
    for (unsigned i = 0; i <= SEVEN_BITS; i++)
        set->bytes[place][i] |= group;
    set->shares[bit][place] = 1;
}

static void join(struct gram_groups *groups, unsigned number, uint32_t gram, unsigned width)
{
    struct gram_set *set = &groups->sets[number / 8];
    const unsigned bit = number % 8;

    for (unsigned place = 0; place < GRAM_GROUPS_WIDTH; place++) {
        const uint8_t byte = (uint8_t)(gram >> 8 * place);
        if (place >= width) {
            join_any(set, bit, place);
            continue;
        }
        set->shares[bit][place] = share_with(groups, number, place, byte);
        join_byte(set, (uint8_t)(1u << bit), place, byte);
    }
}

/* The gram joins the group that lets the least through because of it. */
void gram_groups_add(struct gram_groups *groups, uint32_t gram, unsigned width)
{
    unsigned best = 0;
    double best_cost = 0;

    pthread_once(&counted, count_halves);
    for (unsigned number = 0; number < GRAM_GROUPS_SETS * 8; number++) {
        const double cost = cost_of(groups, number, gram, width);
        if (number == 0 || cost < best_cost) {
            best = number;
            best_cost = cost;
        }
    }
    join(groups, best, gram, width);
}

/* --- scanning --- */

#if defined(__x86_64__)
#define AVX2   __attribute__((target("avx2")))
#define AVX512 __attribute__((target("avx512f,avx512bw,avx512vbmi")))

enum { LANE = 32, BEHIND = GRAM_GROUPS_WIDTH - 1 };

AVX2 static inline __m256i table_of(const uint8_t table[16])
{
    return _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)table));
}

/* The groups of a set that allow the bytes at a place of 32 grams. */
AVX2 static inline __m256i allowed(const struct gram_set *set, unsigned place, __m256i low,
                                   __m256i high)
{
    return _mm256_and_si256(_mm256_shuffle_epi8(table_of(set->low[place]), low),
                            _mm256_shuffle_epi8(table_of(set->high[place]), high));
}

AVX2 static inline uint32_t scan_lane(const struct gram_groups *groups, const uint8_t *text)
{
    const __m256i half = _mm256_set1_epi8(15);
    __m256i first = _mm256_set1_epi8(-1), second = first;

#pragma GCC unroll 4
    for (unsigned place = 0; place < GRAM_GROUPS_WIDTH; place++) {
        const __m256i bytes = _mm256_or_si256(_mm256_loadu_si256((const __m256i *)(text + place)),
                                              _mm256_set1_epi8(FOLD));
        const __m256i low = _mm256_and_si256(bytes, half);
        const __m256i high = _mm256_and_si256(_mm256_srli_epi16(bytes, 4), half);
        first = _mm256_and_si256(first, allowed(&groups->sets[0], place, low, high));
        second = _mm256_and_si256(second, allowed(&groups->sets[1], place, low, high));
    }
    return ~(uint32_t)_mm256_movemask_epi8(
        _mm256_cmpeq_epi8(_mm256_or_si256(first, second), _mm256_setzero_si256()));
}

AVX2 static inline uint64_t scan_two_lanes(const struct gram_groups *groups, const uint8_t *text)
{
    return scan_lane(groups, text) | (uint64_t)scan_lane(groups, text + LANE) << LANE;
}

AVX2 static void scan_by_halves(const struct gram_groups *groups, struct slice text, size_t blocks,
                                uint64_t *masks)
{
    uint8_t tail[GRAM_GROUPS_BLOCK + BEHIND] = {0};

    for (size_t i = 0; i < blocks; i++) {
        const struct slice rest = slice_from(text, i * GRAM_GROUPS_BLOCK);
        if (rest.size >= sizeof tail) {
            masks[i] = scan_two_lanes(groups, rest.data);
            continue;
        }
        memset(tail, 0, sizeof tail);
        if (rest.size)
            memcpy(tail, rest.data, rest.size);
        masks[i] = scan_two_lanes(groups, tail);
    }
}

AVX512 static inline __m512i load_wide(const uint8_t *bytes)
{
    return _mm512_loadu_si512(bytes);
}

/* NUL behind fewer bytes. */
AVX512 static inline __m512i load_part(struct slice bytes)
{
    if (bytes.size >= GRAM_GROUPS_BLOCK)
        return load_wide(bytes.data);
    return bytes.size ? _mm512_maskz_loadu_epi8((UINT64_C(1) << bytes.size) - 1, bytes.data)
                      : _mm512_setzero_si512();
}

/* The groups of a set that allow the bytes at a place of 64 grams. */
AVX512 static inline __m512i allowed_wide(const struct gram_set *set, unsigned place, __m512i text)
{
    return _mm512_permutex2var_epi8(load_wide(set->bytes[place]), text,
                                    load_wide(set->bytes[place] + GRAM_GROUPS_BLOCK));
}

AVX512 static inline uint64_t passing(const struct gram_groups *groups,
                                      const __m512i text[GRAM_GROUPS_WIDTH])
{
    const struct gram_set *first = &groups->sets[0], *second = &groups->sets[1];
    __m512i one = _mm512_set1_epi8(-1), two = one;

#pragma GCC unroll 4
    for (unsigned place = 0; place < GRAM_GROUPS_WIDTH; place++) {
        one = _mm512_and_si512(one, allowed_wide(first, place, text[place]));
        two = _mm512_and_si512(two, allowed_wide(second, place, text[place]));
    }
    const __m512i any = _mm512_or_si512(one, two);
    return _mm512_test_epi8_mask(any, any);
}

AVX512 static inline uint64_t scan_block(const struct gram_groups *groups, const uint8_t *text)
{
    const __m512i bytes[GRAM_GROUPS_WIDTH] = {load_wide(text), load_wide(text + 1),
                                              load_wide(text + 2), load_wide(text + 3)};

    return passing(groups, bytes);
}

/* As scan_block for fewer bytes. */
AVX512 static uint64_t scan_last(const struct gram_groups *groups, struct slice text)
{
    __m512i bytes[GRAM_GROUPS_WIDTH];

#pragma GCC unroll 4
    for (unsigned place = 0; place < GRAM_GROUPS_WIDTH; place++)
        bytes[place] = load_part(slice_from(text, place));
    return passing(groups, bytes);
}

AVX512 static void scan_by_bytes(const struct gram_groups *groups, struct slice text, size_t blocks,
                                 uint64_t *masks)
{
    for (size_t i = 0; i < blocks; i++) {
        const struct slice rest = slice_from(text, i * GRAM_GROUPS_BLOCK);
        masks[i] = rest.size >= GRAM_GROUPS_BLOCK + BEHIND ? scan_block(groups, rest.data)
                                                           : scan_last(groups, rest);
    }
}
#endif

void gram_groups_scan(const struct gram_groups *groups, struct slice text, size_t blocks,
                      uint64_t *masks)
{
#if defined(__x86_64__)
    if (groups->unit == GRAM_GROUPS_BYTES) {
        scan_by_bytes(groups, text, blocks, masks);
        return;
    }
    if (groups->unit == GRAM_GROUPS_HALVES) {
        scan_by_halves(groups, text, blocks, masks);
        return;
    }
#endif
    (void)text;
    for (size_t i = 0; i < blocks; i++)
        masks[i] = UINT64_MAX;
}
