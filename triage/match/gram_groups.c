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

static void join(struct gram_groups *groups, uint8_t group, uint32_t gram, unsigned width)
{
    for (unsigned b = 0; b < GRAM_GROUPS_WIDTH; b++)
        for (unsigned half = 0; half < 16; half++) {
            if (b >= width || half == (gram >> 8 * b & 15))
                groups->low[b][half] |= group;
            if (b >= width || half == (gram >> (8 * b + 4) & 15))
                groups->high[b][half] |= group;
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
static double group_share(const struct gram_groups *groups, unsigned group)
{
    double all = 1;

    for (unsigned b = 0; b < GRAM_GROUPS_WIDTH; b++) {
        double share = 0;
        for (unsigned high = 0; high < 16; high++)
            for (unsigned low = 0; groups->high[b][high] & group && low < 16; low++)
                share += groups->low[b][low] & group ? shares.of[high][low] : 0;
        all *= share;
    }
    return all;
}

/* The gram joins the group that lets the least through because of it. */
void gram_groups_add(struct gram_groups *groups, uint32_t gram, unsigned width)
{
    uint8_t best = 0;
    double best_cost = 0;

    pthread_once(&counted, count_halves);
    for (unsigned bit = 0; bit < 8; bit++) {
        const uint8_t group = (uint8_t)(1u << bit);
        struct gram_groups joined = *groups;

        join(&joined, group, gram, width);
        const double cost = group_share(&joined, group) - group_share(groups, group);
        if (best == 0 || cost < best_cost) {
            best = group;
            best_cost = cost;
        }
    }
    join(groups, best, gram, width);
}

#if defined(__x86_64__)
#define AVX2 __attribute__((target("avx2")))

AVX2 static inline __m256i table_of(const uint8_t table[16])
{
    return _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)table));
}

/* The groups that the bytes may belong to. */
AVX2 static inline __m256i groups_of(const uint8_t *text, __m256i low, __m256i high)
{
    const __m256i half = _mm256_set1_epi8(15);
    const __m256i bytes =
        _mm256_or_si256(_mm256_loadu_si256((const __m256i *)text), _mm256_set1_epi8(0x20));

    return _mm256_and_si256(
        _mm256_shuffle_epi8(low, _mm256_and_si256(bytes, half)),
        _mm256_shuffle_epi8(high, _mm256_and_si256(_mm256_srli_epi16(bytes, 4), half)));
}

AVX2 void gram_groups_scan(const struct gram_groups *groups, const uint8_t *text, size_t blocks,
                           uint32_t *masks)
{
    __m256i low[GRAM_GROUPS_WIDTH], high[GRAM_GROUPS_WIDTH];

    for (unsigned b = 0; b < GRAM_GROUPS_WIDTH; b++) {
        low[b] = table_of(groups->low[b]);
        high[b] = table_of(groups->high[b]);
    }
    for (size_t i = 0; i < blocks; i++, text += GRAM_GROUPS_BLOCK) {
        const __m256i first = _mm256_and_si256(groups_of(text, low[0], high[0]),
                                               groups_of(text + 1, low[1], high[1]));
        const __m256i second = _mm256_and_si256(groups_of(text + 2, low[2], high[2]),
                                                groups_of(text + 3, low[3], high[3]));
        const __m256i none =
            _mm256_cmpeq_epi8(_mm256_and_si256(first, second), _mm256_setzero_si256());

        masks[i] = ~(uint32_t)_mm256_movemask_epi8(none);
    }
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
