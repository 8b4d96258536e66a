#include "triage/formats/line_scan.h"

#include <endian.h>
#include <string.h>

#if defined(__x86_64__)
#include <immintrin.h>
#define HAVE_X86 1
#else
#define HAVE_X86 0
#endif

enum {
    CHUNK = 64,
    ODD_CEILING =
        4096, /* an odd line is given as open after that: the caller looks at it himself */
};

/* One bit for each of 64 bytes. */
struct masks {
    uint64_t newline, separator, quote, cr, nul, high;
};

typedef void classify_function(const uint8_t *bytes, uint8_t separator, struct masks *masks);

static const uint64_t EACH_BYTE = UINT64_C(0x0101010101010101);

/* Bit i is set when byte i of the word has its highest bit. */
static inline uint64_t high_bits(uint64_t word)
{
    return (word >> 7 & EACH_BYTE) * UINT64_C(0x0102040810204080) >> 56;
}

static inline uint64_t word_equal(uint64_t word, uint8_t byte)
{
    const uint64_t low = EACH_BYTE * 0x7f, differs = word ^ (EACH_BYTE * byte);

    return high_bits(~(((differs & low) + low) | differs));
}

static inline void classify_plain(const uint8_t *bytes, uint8_t separator, struct masks *m)
{
    *m = (struct masks){0};
    for (unsigned i = 0; i < CHUNK; i += 8) {
        uint64_t word;
        memcpy(&word, bytes + i, sizeof word);
        word = le64toh(word);
        m->newline |= word_equal(word, '\n') << i;
        m->separator |= word_equal(word, separator) << i;
        m->quote |= word_equal(word, '"') << i;
        m->cr |= word_equal(word, '\r') << i;
        m->nul |= word_equal(word, 0) << i;
        m->high |= high_bits(word) << i;
    }
}

#if HAVE_X86
static inline uint64_t sse2_equal(const __m128i part[4], uint8_t byte)
{
    const __m128i wanted = _mm_set1_epi8((char)byte);
    uint64_t mask = 0;

    for (unsigned i = 0; i < 4; i++)
        mask |= (uint64_t)(uint16_t)_mm_movemask_epi8(_mm_cmpeq_epi8(part[i], wanted)) << (16 * i);
    return mask;
}

static inline void classify_sse2(const uint8_t *bytes, uint8_t separator, struct masks *m)
{
    __m128i part[4];

    m->high = 0;
    for (unsigned i = 0; i < 4; i++) {
        part[i] = _mm_loadu_si128((const __m128i *)(const void *)(bytes + 16 * i));
        m->high |= (uint64_t)(uint16_t)_mm_movemask_epi8(part[i]) << (16 * i);
    }
    m->newline = sse2_equal(part, '\n');
    m->separator = sse2_equal(part, separator);
    m->quote = sse2_equal(part, '"');
    m->cr = sse2_equal(part, '\r');
    m->nul = sse2_equal(part, 0);
}

__attribute__((target("avx2"))) static inline uint64_t avx2_equal(__m256i low, __m256i high,
                                                                  uint8_t byte)
{
    const __m256i wanted = _mm256_set1_epi8((char)byte);
    const uint32_t a = (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(low, wanted));
    const uint32_t b = (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(high, wanted));

    return a | (uint64_t)b << 32;
}

__attribute__((target("avx2"))) static inline void classify_avx2(const uint8_t *bytes,
                                                                 uint8_t separator, struct masks *m)
{
    const __m256i low = _mm256_loadu_si256((const __m256i *)(const void *)bytes);
    const __m256i high = _mm256_loadu_si256((const __m256i *)(const void *)(bytes + 32));

    m->high = (uint32_t)_mm256_movemask_epi8(low) | (uint64_t)(uint32_t)_mm256_movemask_epi8(high)
                                                        << 32;
    m->newline = avx2_equal(low, high, '\n');
    m->separator = avx2_equal(low, high, separator);
    m->quote = avx2_equal(low, high, '"');
    m->cr = avx2_equal(low, high, '\r');
    m->nul = avx2_equal(low, high, 0);
}
#endif

/* Bit i: an odd number of quotes lies at or before byte i. */
static inline uint64_t parity(uint64_t quotes)
{
    for (unsigned shift = 1; shift < 64; shift *= 2)
        quotes ^= quotes << shift;
    return quotes;
}

static inline uint64_t bits_below(size_t count)
{
    return count >= 64 ? ~UINT64_C(0) : (UINT64_C(1) << count) - 1;
}

/* What one batch carries from chunk to chunk. */
struct walk {
    size_t chunk;                       /* where the masks start in the text */
    uint64_t end, separator, odd, high; /* end: LFs, and bytes behind a CR without LF */
    uint64_t newline;
    bool cr, quoted; /* at the end of the chunk in front */
};

/* The masks of the chunk at walk->chunk, without the bytes before `from` and behind the text. */
static inline __attribute__((always_inline)) void
chunk_load(const struct line_scan *scan, struct walk *walk, size_t from, classify_function classify)
{
    const size_t left = scan->text.size - walk->chunk;
    uint8_t copy[CHUNK];
    struct masks m;

    if (left >= CHUNK) {
        classify(scan->text.data + walk->chunk, scan->separator, &m);
    } else {
        memset(copy, 'x', sizeof copy);
        memcpy(copy, scan->text.data + walk->chunk, left);
        classify(copy, scan->separator, &m);
    }
    const uint64_t seen = ~bits_below(from > walk->chunk ? from - walk->chunk : 0);
    m.newline &= seen;
    m.cr &= seen;
    uint64_t within = 0;
    if (scan->quotes && ((m.quote &= seen) || walk->quoted))
        within = parity(m.quote) ^ (walk->quoted ? ~UINT64_C(0) : 0);
    walk->quoted = within >> 63;
    m.cr &= ~within;
    const uint64_t behind_cr = (m.cr << 1 | walk->cr) & ~m.newline & bits_below(left);
    walk->cr = m.cr >> 63;
    walk->odd = (m.nul & seen) | (m.newline & within);
    walk->high = m.high & seen;
    walk->separator = m.separator & seen & ~within;
    walk->newline = m.newline;
    walk->end = (m.newline & ~within) | behind_cr;
}

/* Takes the bits below `below` to the line. */
static inline __attribute__((always_inline)) void line_count(struct line *line, struct walk *walk,
                                                             uint64_t below)
{
    line->separators += (size_t)__builtin_popcountll(walk->separator & below);
    line->marks |= (walk->odd & below ? LINE_ODD : 0) | (walk->high & below ? LINE_HIGH : 0);
    walk->separator &= ~below;
    walk->odd &= ~below;
    walk->high &= ~below;
}

static inline void line_end(const struct line_scan *scan, struct line *line, size_t end,
                            size_t next)
{
    line->next = next;
    line->size = end - line->start;
    if (line->size && scan->text.data[end - 1] == '\r')
        line->size--;
}

/* Fills the batch from scan->at. It ends early behind an odd line, because the caller may well seek
 * then. */
static inline __attribute__((always_inline)) void scan_batch(struct line_scan *scan,
                                                             classify_function classify)
{
    const size_t size = scan->text.size;
    struct walk walk = {.chunk = scan->at / CHUNK * CHUNK};
    size_t count = 0;
    struct line line = {.start = scan->at};

    for (; walk.chunk < size; walk.chunk += CHUNK) {
        chunk_load(scan, &walk, scan->at, classify);
        while (walk.end) {
            const unsigned bit = (unsigned)__builtin_ctzll(walk.end);
            const size_t end = walk.chunk + bit, next = end + (walk.newline >> bit & 1);
            line_count(&line, &walk, bits_below(bit));
            line_end(scan, &line, end, next);
            scan->batch[count++] = line;
            if (count == LINE_BATCH || line.marks & LINE_ODD)
                goto out;
            walk.end &= walk.end - 1;
            line = (struct line){.start = next};
        }
        line_count(&line, &walk, ~UINT64_C(0));
        if (line.marks & LINE_ODD && walk.chunk - line.start > ODD_CEILING &&
            walk.chunk > line.start)
            break;
    }
    if (line.start < size) {
        line.marks |= LINE_OPEN;
        line_end(scan, &line, size, size);
        scan->batch[count++] = line;
    }
out:
    scan->taken = 0;
    scan->ready = count;
    scan->at = count ? scan->batch[count - 1].next : size;
}

static void batch_plain(struct line_scan *scan)
{
    scan_batch(scan, classify_plain);
}

#if HAVE_X86
static void batch_sse2(struct line_scan *scan)
{
    scan_batch(scan, classify_sse2);
}

__attribute__((target("avx2,popcnt,bmi"))) static void batch_avx2(struct line_scan *scan)
{
    scan_batch(scan, classify_avx2);
}
#endif

/* Chosen once, the same for every thread: what this machine can do does not change. */
static void (*batch_function)(struct line_scan *scan);

static void method_choose(void)
{
    if (!line_scan_use(LINE_SCAN_AVX2) && !line_scan_use(LINE_SCAN_SSE2))
        line_scan_use(LINE_SCAN_PLAIN);
}

bool line_scan_use(enum line_scan_method method)
{
    switch (method) {
#if HAVE_X86
    case LINE_SCAN_AVX2:
        if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("popcnt") ||
            !__builtin_cpu_supports("bmi"))
            return false;
        batch_function = batch_avx2;
        return true;
    case LINE_SCAN_SSE2:
        batch_function = batch_sse2;
        return true;
#endif
    case LINE_SCAN_PLAIN:
        batch_function = batch_plain;
        return true;
    default:
        return false;
    }
}

void line_scan_init(struct line_scan *scan, struct slice text, uint8_t separator, bool quotes)
{
    if (!batch_function)
        method_choose();
    scan->text = text;
    scan->separator = separator;
    scan->quotes = quotes;
    line_scan_seek(scan, 0);
}

void line_scan_seek(struct line_scan *scan, size_t at)
{
    scan->at = at;
    scan->taken = scan->ready = 0;
}

bool line_scan_next(struct line_scan *scan, struct line *line)
{
    if (scan->taken == scan->ready) {
        if (scan->at >= scan->text.size)
            return false;
        batch_function(scan);
    }
    *line = scan->batch[scan->taken++];
    return true;
}
