#include "triage/match/gram_groups.h"

#include "triage/match/log_model.h"

#include <pthread.h>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

bool gram_groups_usable(void)
{
#if defined(__x86_64__)
    return __builtin_cpu_supports("avx2");
#else
    return false;
#endif
}

static void join(struct gram_set *set, uint8_t group, uint32_t gram, unsigned width)
{
    for (unsigned b = 0; b < GRAM_GROUPS_WIDTH; b++)
        for (unsigned half = 0; half < 16; half++) {
            if (b >= width || half == (gram >> 8 * b & 15))
                set->low[b][half] |= group;
            if (b >= width || half == (gram >> (8 * b + 4) & 15))
                set->high[b][half] |= group;
        }
}

/* Shares of the bytes in ordinary logs by their halves, 0x20 set. */
struct half_shares {
    double of[16][16]; /* upper half, lower half */
};

static struct half_shares shares; /* counted once, never changed afterwards */
static pthread_once_t counted = PTHREAD_ONCE_INIT;

static void count_halves(void)
{
    for (unsigned byte = 0; byte < 256; byte++)
        shares.of[(byte | 0x20) >> 4][byte & 15] += log_model_share((uint8_t)byte);
}

/* Share of the places in ordinary logs that the group lets through. */
static double group_share(const struct gram_set *set, unsigned group)
{
    double all = 1;

    for (unsigned b = 0; b < GRAM_GROUPS_WIDTH; b++) {
        double share = 0;
        for (unsigned high = 0; high < 16; high++)
            for (unsigned low = 0; set->high[b][high] & group && low < 16; low++)
                share += set->low[b][low] & group ? shares.of[high][low] : 0;
        all *= share;
    }
    return all;
}

/* What the gram lets through in the group `bit`, beside what passes already. */
static double cost_of(const struct gram_set *set, unsigned bit, uint32_t gram, unsigned width)
{
    struct gram_set joined = *set;

    join(&joined, (uint8_t)(1u << bit), gram, width);
    return group_share(&joined, 1u << bit) - set->shares[bit];
}

/* The gram joins the group that lets the least through because of it. */
void gram_groups_add(struct gram_groups *groups, uint32_t gram, unsigned width)
{
    struct gram_set *best = NULL;
    unsigned best_bit = 0;
    double best_cost = 0;

    pthread_once(&counted, count_halves);
    for (unsigned i = 0; i < GRAM_GROUPS_SETS * 8; i++) {
        struct gram_set *set = &groups->sets[i / 8];
        const double cost = cost_of(set, i % 8, gram, width);
        if (!best || cost < best_cost) {
            best = set;
            best_bit = i % 8;
            best_cost = cost;
        }
    }
    join(best, (uint8_t)(1u << best_bit), gram, width);
    best->shares[best_bit] += best_cost;
}

#if defined(__x86_64__)
#define AVX2 __attribute__((target("avx2")))

AVX2 static inline __m256i table_of(const uint8_t table[16])
{
    return _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)table));
}

/* The tables of one set, and the places that it lets through so far. */
struct vector_set {
    __m256i low[GRAM_GROUPS_WIDTH], high[GRAM_GROUPS_WIDTH], passed;
};

/* Keeps those groups of each place that allow the bytes at `at` of a gram. */
AVX2 static inline void narrow(struct vector_set *set, unsigned at, __m256i low, __m256i high)
{
    const __m256i allowed = _mm256_and_si256(_mm256_shuffle_epi8(set->low[at], low),
                                             _mm256_shuffle_epi8(set->high[at], high));

    set->passed = at ? _mm256_and_si256(set->passed, allowed) : allowed;
}

AVX2 static inline uint32_t scan_block(struct vector_set *first, struct vector_set *second,
                                       const uint8_t *text)
{
    const __m256i half = _mm256_set1_epi8(15);

    for (unsigned at = 0; at < GRAM_GROUPS_WIDTH; at++) {
        const __m256i bytes = _mm256_or_si256(_mm256_loadu_si256((const __m256i *)(text + at)),
                                              _mm256_set1_epi8(0x20));
        const __m256i low = _mm256_and_si256(bytes, half);
        const __m256i high = _mm256_and_si256(_mm256_srli_epi16(bytes, 4), half);
        narrow(first, at, low, high);
        narrow(second, at, low, high);
    }
    const __m256i none =
        _mm256_cmpeq_epi8(_mm256_or_si256(first->passed, second->passed), _mm256_setzero_si256());
    return ~(uint32_t)_mm256_movemask_epi8(none);
}

AVX2 static inline struct vector_set load_set(const struct gram_set *set)
{
    struct vector_set loaded;

    for (unsigned b = 0; b < GRAM_GROUPS_WIDTH; b++) {
        loaded.low[b] = table_of(set->low[b]);
        loaded.high[b] = table_of(set->high[b]);
    }
    loaded.passed = _mm256_setzero_si256();
    return loaded;
}

AVX2 void gram_groups_scan(const struct gram_groups *groups, const uint8_t *text, size_t blocks,
                           uint32_t *masks)
{
    struct vector_set first = load_set(&groups->sets[0]), second = load_set(&groups->sets[1]);

    for (size_t i = 0; i < blocks; i++, text += GRAM_GROUPS_BLOCK)
        masks[i] = scan_block(&first, &second, text);
}
#else
void gram_groups_scan(const struct gram_groups *groups, const uint8_t *text, size_t blocks,
                      uint32_t *masks)
{
    (void)groups;
    (void)text;
    for (size_t i = 0; i < blocks; i++)
        masks[i] = UINT32_MAX;
}
#endif
