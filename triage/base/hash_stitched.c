/*
 * MD5 (RFC 1321), SHA-1 and SHA-256 (FIPS 180-4, by the SHA instructions of x86), stitched
 * together. Each of the three is one long chain in which every step waits for the one before, and
 * leaves the processor idle most of the time. MD5 runs in the general registers, the other two in
 * those for vectors: a few steps of each in turn let all three wait at the same time, and together
 * they take no longer than MD5 alone.
 *
 *   four()        0      1      2    ...   15
 *   MD5         ####   ####   ####        ####      64 steps
 *   SHA-256     ####   ####   ####        ####      64 rounds
 *   SHA-1       ####   ####   ####        ########  80 rounds: twice four with every fourth
 *
 * All is inlined into one function per set of digests, in which `kinds` and the numbers of the
 * steps are constants: no table, branch or index is left of it.
 */
#include "triage/base/hash_stitched.h"

#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>
#include <stdatomic.h>
#include <string.h>

enum { BLOCK = 64 };

#define SHA_TARGET target("sha,sse4.1,ssse3")
#define SHA        __attribute__((SHA_TARGET))
#define SHA_INLINE __attribute__((SHA_TARGET, always_inline)) static inline

struct md5 {
    uint32_t a, b, c, d;
};

struct sha1 {
    __m128i abcd, e[2]; /* e: of these four rounds and of the next, by turns */
    __m128i words[4];   /* the last sixteen of the message schedule, four by four */
};

struct sha256 {
    __m128i abef, cdgh;
    __m128i words[4];
};

struct state {
    struct md5 md5;
    struct sha1 sha1;
    struct sha256 sha256;
};

/* --- MD5 --- */

/* The fractions of the sines of 1 to 64. */
static const uint32_t md5_sines[64] = {
    0xd76aa478, 0xe8c7b756, 0x242070db, 0xc1bdceee, 0xf57c0faf, 0x4787c62a, 0xa8304613, 0xfd469501,
    0x698098d8, 0x8b44f7af, 0xffff5bb1, 0x895cd7be, 0x6b901122, 0xfd987193, 0xa679438e, 0x49b40821,
    0xf61e2562, 0xc040b340, 0x265e5a51, 0xe9b6c7aa, 0xd62f105d, 0x02441453, 0xd8a1e681, 0xe7d3fbc8,
    0x21e1cde6, 0xc33707d6, 0xf4d50d87, 0x455a14ed, 0xa9e3e905, 0xfcefa3f8, 0x676f02d9, 0x8d2a4c8a,
    0xfffa3942, 0x8771f681, 0x6d9d6122, 0xfde5380c, 0xa4beea44, 0x4bdecfa9, 0xf6bb4b60, 0xbebfbc70,
    0x289b7ec6, 0xeaa127fa, 0xd4ef3085, 0x04881d05, 0xd9d4d039, 0xe6db99e5, 0x1fa27cf8, 0xc4ac5665,
    0xf4292244, 0x432aff97, 0xab9423a7, 0xfc93a039, 0x655b59c3, 0x8f0ccc92, 0xffeff47d, 0x85845dd1,
    0x6fa87e4f, 0xfe2ce6e0, 0xa3014314, 0x4e0811a1, 0xf7537e82, 0xbd3af235, 0x2ad7d2bb, 0xeb86d391,
};

static const uint8_t md5_turns[4][4] = {
    {7, 12, 17, 22}, {5, 9, 14, 20}, {4, 11, 16, 23}, {6, 10, 15, 21}};

SHA_INLINE uint32_t md5_word(const uint8_t *block, unsigned step)
{
    const unsigned index[4] = {step, 5 * step + 1, 3 * step + 5, 7 * step};
    uint32_t word;

    memcpy(&word, block + index[step / 16] % 16 * sizeof word, sizeof word);
    return word;
}

/* What waits for b, the word of the step before, is added last. */
SHA_INLINE uint32_t md5_mixed(unsigned step, uint32_t sum, uint32_t b, uint32_t c, uint32_t d)
{
    switch (step / 16) {
    case 0:
        return sum + (d ^ (b & (c ^ d)));
    case 1:
        return sum + (c & ~d) + (b & d);
    case 2:
        return sum + (b ^ (c ^ d));
    default:
        return sum + (c ^ (b | ~d));
    }
}

SHA_INLINE uint32_t md5_step(unsigned step, const uint8_t *block, uint32_t a, uint32_t b,
                             uint32_t c, uint32_t d)
{
    const uint32_t sum = md5_mixed(step, a + md5_word(block, step) + md5_sines[step], b, c, d);
    const unsigned turn = md5_turns[step / 16][step % 4];

    return (sum << turn | sum >> (32 - turn)) + b;
}

SHA_INLINE void md5_four(struct md5 *md5, unsigned step, const uint8_t *block)
{
    md5->a = md5_step(step, block, md5->a, md5->b, md5->c, md5->d);
    md5->d = md5_step(step + 1, block, md5->d, md5->a, md5->b, md5->c);
    md5->c = md5_step(step + 2, block, md5->c, md5->d, md5->a, md5->b);
    md5->b = md5_step(step + 3, block, md5->b, md5->c, md5->d, md5->a);
}

/* --- SHA-1 --- */

/* The function of the rounds is part of the instruction. */
SHA_INLINE __m128i sha1_rounds(__m128i abcd, __m128i e, unsigned quarter)
{
    switch (quarter) {
    case 0:
        return _mm_sha1rnds4_epu32(abcd, e, 0);
    case 1:
        return _mm_sha1rnds4_epu32(abcd, e, 1);
    case 2:
        return _mm_sha1rnds4_epu32(abcd, e, 2);
    default:
        return _mm_sha1rnds4_epu32(abcd, e, 3);
    }
}

/* Four rounds; `i` counts them from 0 to 19. The schedule is made in three steps, for the words of
 * the next, the third and the second rounds from here. */
SHA_INLINE void sha1_four(struct sha1 *sha1, unsigned i)
{
    __m128i *words = sha1->words, *e = &sha1->e[i % 2];
    const __m128i now = words[i % 4];

    *e = i == 0 ? _mm_add_epi32(*e, now) : _mm_sha1nexte_epu32(*e, now);
    sha1->e[(i + 1) % 2] = sha1->abcd;
    if (i >= 3 && i < 19)
        words[(i + 1) % 4] = _mm_sha1msg2_epu32(words[(i + 1) % 4], now);
    sha1->abcd = sha1_rounds(sha1->abcd, *e, i / 5);
    if (i >= 1 && i < 17)
        words[(i + 3) % 4] = _mm_sha1msg1_epu32(words[(i + 3) % 4], now);
    if (i >= 2 && i < 18)
        words[(i + 2) % 4] = _mm_xor_si128(words[(i + 2) % 4], now);
}

/* --- SHA-256 --- */

/* The fractions of the cube roots of the first 64 primes. */
static const uint32_t sha256_roots[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

SHA_INLINE __m128i load(const void *bytes)
{
    return _mm_loadu_si128((const __m128i *)bytes);
}

/* Four rounds; `i` counts them from 0 to 15. */
SHA_INLINE void sha256_four(struct sha256 *sha256, unsigned i)
{
    __m128i *words = sha256->words, *next = &words[(i + 1) % 4], *last = &words[(i + 3) % 4];
    const __m128i now = words[i % 4];
    const __m128i sum = _mm_add_epi32(now, load(sha256_roots + 4 * (size_t)i));

    sha256->cdgh = _mm_sha256rnds2_epu32(sha256->cdgh, sha256->abef, sum);
    if (i >= 3 && i < 15)
        *next = _mm_sha256msg2_epu32(_mm_add_epi32(*next, _mm_alignr_epi8(now, *last, 4)), now);
    sha256->abef = _mm_sha256rnds2_epu32(sha256->abef, sha256->cdgh, _mm_shuffle_epi32(sum, 0x0e));
    if (i >= 1 && i < 13)
        *last = _mm_sha256msg1_epu32(*last, now);
}

/* --- all together --- */

SHA_INLINE void four(struct state *state, unsigned kinds, unsigned i, const uint8_t *block)
{
    if (kinds & HASH_MD5)
        md5_four(&state->md5, 4 * i, block);
    if (kinds & HASH_SHA256)
        sha256_four(&state->sha256, i);
    if (kinds & HASH_SHA1)
        sha1_four(&state->sha1, i + i / 4);
    if (kinds & HASH_SHA1 && i % 4 == 3)
        sha1_four(&state->sha1, i + i / 4 + 1);
}

/* Big-endian words: SHA-1 wants the first one on top, SHA-256 at the bottom. */
SHA_INLINE void take_words(struct state *state, unsigned kinds, const uint8_t *block)
{
    const __m128i first_on_top = _mm_set_epi64x(0x0001020304050607, 0x08090a0b0c0d0e0f);
    const __m128i first_below = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);

    for (size_t i = 0; i < 4; i++) {
        if (kinds & HASH_SHA1)
            state->sha1.words[i] = _mm_shuffle_epi8(load(block + 16 * i), first_on_top);
        if (kinds & HASH_SHA256)
            state->sha256.words[i] = _mm_shuffle_epi8(load(block + 16 * i), first_below);
    }
}

SHA_INLINE void take_block(struct state *state, unsigned kinds, const uint8_t *block)
{
    const struct state before = *state;

    take_words(state, kinds, block);
    four(state, kinds, 0, block);
    four(state, kinds, 1, block);
    four(state, kinds, 2, block);
    four(state, kinds, 3, block);
    four(state, kinds, 4, block);
    four(state, kinds, 5, block);
    four(state, kinds, 6, block);
    four(state, kinds, 7, block);
    four(state, kinds, 8, block);
    four(state, kinds, 9, block);
    four(state, kinds, 10, block);
    four(state, kinds, 11, block);
    four(state, kinds, 12, block);
    four(state, kinds, 13, block);
    four(state, kinds, 14, block);
    four(state, kinds, 15, block);
    state->md5.a += before.md5.a;
    state->md5.b += before.md5.b;
    state->md5.c += before.md5.c;
    state->md5.d += before.md5.d;
    if (kinds & HASH_SHA1) {
        state->sha1.e[0] = _mm_sha1nexte_epu32(state->sha1.e[0], before.sha1.e[0]);
        state->sha1.abcd = _mm_add_epi32(state->sha1.abcd, before.sha1.abcd);
    }
    if (kinds & HASH_SHA256) {
        state->sha256.abef = _mm_add_epi32(state->sha256.abef, before.sha256.abef);
        state->sha256.cdgh = _mm_add_epi32(state->sha256.cdgh, before.sha256.cdgh);
    }
}

SHA_INLINE struct state state_of(const struct hash_words *words)
{
    const uint32_t *md5 = words->md5, *sha1 = words->sha1, *sha256 = words->sha256;
    const __m128i none = _mm_setzero_si128();

    return (struct state){
        .md5 = {md5[0], md5[1], md5[2], md5[3]},
        .sha1 = {.abcd = _mm_shuffle_epi32(load(sha1), 0x1b), /* a on top */
                 .e = {_mm_insert_epi32(none, (int)sha1[4], 3), none},
                 .words = {none, none, none, none}},
        .sha256 = {.abef = _mm_set_epi32((int)sha256[0], (int)sha256[1], (int)sha256[4],
                                         (int)sha256[5]),
                   .cdgh = _mm_set_epi32((int)sha256[2], (int)sha256[3], (int)sha256[6],
                                         (int)sha256[7]),
                   .words = {none, none, none, none}},
    };
}

SHA_INLINE void keep_state(const struct state *state, unsigned kinds, struct hash_words *words)
{
    const __m128i abef = state->sha256.abef, cdgh = state->sha256.cdgh;

    if (kinds & HASH_MD5)
        memcpy(words->md5, &state->md5, sizeof words->md5);
    if (kinds & HASH_SHA1) {
        const __m128i abcd = _mm_shuffle_epi32(state->sha1.abcd, 0x1b);
        memcpy(words->sha1, &abcd, sizeof abcd);
        words->sha1[4] = (uint32_t)_mm_extract_epi32(state->sha1.e[0], 3);
    }
    if (kinds & HASH_SHA256) {
        const __m128i abcd = _mm_shuffle_epi32(_mm_unpackhi_epi64(cdgh, abef), 0x1b);
        const __m128i efgh = _mm_shuffle_epi32(_mm_unpacklo_epi64(cdgh, abef), 0x1b);
        memcpy(words->sha256, &abcd, sizeof abcd);
        memcpy(words->sha256 + 4, &efgh, sizeof efgh);
    }
}

SHA_INLINE void add_blocks(struct hash_words *words, unsigned kinds, const uint8_t *blocks,
                           size_t count)
{
    struct state state = state_of(words);

    for (; count; count--, blocks += BLOCK)
        take_block(&state, kinds, blocks);
    keep_state(&state, kinds, words);
}

SHA static void add_md5_sha1(struct hash_words *words, const uint8_t *blocks, size_t count)
{
    add_blocks(words, HASH_MD5 | HASH_SHA1, blocks, count);
}

SHA static void add_md5_sha256(struct hash_words *words, const uint8_t *blocks, size_t count)
{
    add_blocks(words, HASH_MD5 | HASH_SHA256, blocks, count);
}

SHA static void add_sha1_sha256(struct hash_words *words, const uint8_t *blocks, size_t count)
{
    add_blocks(words, HASH_SHA1 | HASH_SHA256, blocks, count);
}

SHA static void add_all(struct hash_words *words, const uint8_t *blocks, size_t count)
{
    add_blocks(words, HASH_ALL, blocks, count);
}

static bool has_instructions(void)
{
    unsigned a, b, c, d;

    return __get_cpuid(1, &a, &b, &c, &d) && c & bit_SSSE3 && c & bit_SSE4_1 &&
           __get_cpuid_count(7, 0, &a, &b, &c, &d) && b & bit_SHA;
}

/* Not every compiler's __builtin_cpu_supports knows "sha". Asked once: a virtual machine takes 20
 * microseconds for each CPUID. */
bool hash_stitched_possible(void)
{
    enum { UNKNOWN, NO, YES };
    static atomic_int known = UNKNOWN;

    if (known == UNKNOWN)
        known = has_instructions() ? YES : NO;
    return known == YES;
}

void hash_stitched_add(struct hash_words *words, unsigned kinds, const uint8_t *blocks,
                       size_t count)
{
    switch (kinds) {
    case HASH_MD5 | HASH_SHA1:
        add_md5_sha1(words, blocks, count);
        break;
    case HASH_MD5 | HASH_SHA256:
        add_md5_sha256(words, blocks, count);
        break;
    case HASH_SHA1 | HASH_SHA256:
        add_sha1_sha256(words, blocks, count);
        break;
    default:
        add_all(words, blocks, count);
    }
}
#else
bool hash_stitched_possible(void)
{
    return false;
}

void hash_stitched_add(struct hash_words *words, unsigned kinds, const uint8_t *blocks,
                       size_t count)
{
    (void)words, (void)kinds, (void)blocks, (void)count;
}
#endif
