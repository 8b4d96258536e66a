#include "triage/match/indicator_grams.h"

#include "triage/base/error.h"
#include "triage/match/ascii.h"
#include "triage/match/log_model.h"

#include <stdlib.h>
#include <string.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

enum {
    DOT_CLASSES = 2,
    CLASSES = 5,
    STRETCH_WITHIN = 250, /* bytes of a literal that a stretch is chosen from */
    CHAIN_MOST = 16,      /* literals compared for a gram; one of more is taken for a find */
    BITS_PER_GRAM = 16,
    WORD_BITS = 64,
};

#define FACTOR      UINT64_C(0x9E3779B97F4A7C15)
#define ANY_LITERAL UINT32_MAX /* of a slot: too many literals own the gram */

struct slot {
    uint32_t tag;     /* upper half of the gram's hash; 0 with no literal: free */
    uint32_t literal; /* number + 1, or ANY_LITERAL */
};

/* Literals that are looked for in one way. */
struct gram_class {
    size_t least;    /* bytes of a literal */
    unsigned before; /* of a gram that has a dot: bytes in front of it; 0: a gram of any bytes */
    unsigned width, stride;
    size_t count;
    bool behind[256]; /* bytes that stand behind the dot of a gram: digits hardly do, as in numbers
                       */
    uint64_t *bloom;  /* a gram sets two bits of a word; NULL: there are no such literals */
    size_t bloom_mask;
    struct slot *slots;
    size_t slot_mask;
};

struct indicator_grams {
    struct gram_class classes[CLASSES];
    const struct literal *literals;
    uint8_t *stretches; /* where the stretch of each literal begins */
};

/* What holds a dot is looked for around dots, of which there are few. */
static const struct gram_class class_shapes[CLASSES] = {
    {.least = 7, .before = 4, .width = 7, .stride = 1},
    {.least = 5, .before = 2, .width = 5, .stride = 1},
    {.least = 9, .width = 6, .stride = 4},
    {.least = 5, .width = 4, .stride = 2},
    {.least = 3, .width = 3, .stride = 1},
};

/* The gram at `bytes`, of which eight can be read. Letters of both cases give the same one, as do
 * some pairs of other bytes. */
static inline uint64_t gram_at(const uint8_t *bytes, unsigned width)
{
    uint64_t gram;

    memcpy(&gram, bytes, sizeof gram);
    return (gram | UINT64_C(0x2020202020202020)) & (~UINT64_C(0) >> (64 - 8 * width));
}

static uint64_t gram_of(const uint8_t *bytes, unsigned width)
{
    uint8_t room[8] = {0};

    memcpy(room, bytes, width);
    return gram_at(room, width);
}

static inline uint64_t hash_of(uint64_t gram)
{
    const uint64_t hash = gram * FACTOR;

    return hash ^ hash >> 32;
}

static inline uint64_t bits_of(uint64_t hash)
{
    return UINT64_C(1) << (hash >> 58) | UINT64_C(1) << (hash >> 52 & 63);
}

/* --- making --- */

/* How common the bytes are together: by the triples in them. */
static double commonness(const uint8_t *bytes, size_t size)
{
    double sum = 0;

    for (size_t at = 0; at + 3 <= size; at++)
        sum += log_model_frequency(bytes + at, 3);
    return sum;
}

/* Where the rarest gram with a dot begins; SIZE_MAX when the literal has none. */
static size_t rarest_dot(struct slice text, const struct gram_class *shape)
{
    size_t best = SIZE_MAX;
    double least = 0;

    for (size_t dot = shape->before; dot + shape->width - shape->before <= text.size; dot++) {
        const size_t start = dot - shape->before;
        if (text.data[dot] != '.')
            continue;
        const double other = commonness(text.data + start, shape->width);
        if (best == SIZE_MAX || other < least) {
            best = start;
            least = other;
        }
    }
    return best;
}

/* Where the rarest stretch begins that has a gram for each remainder by the stride. */
static size_t rarest_stretch(struct slice text, const struct gram_class *shape)
{
    const size_t size = shape->width + shape->stride - 1;
    size_t best = 0;
    double least = commonness(text.data, size);

    for (size_t at = 1; at + size <= text.size; at++) {
        const double other = commonness(text.data + at, size);
        if (other < least) {
            best = at;
            least = other;
        }
    }
    return best;
}

/* The class of a literal and where its grams are taken from. */
static size_t class_of(struct slice text, uint8_t *stretch)
{
    const struct slice within = slice_part(text, 0, STRETCH_WITHIN);
    size_t number = 0, at = SIZE_MAX;

    for (; number < CLASSES && at == SIZE_MAX; number++) {
        const struct gram_class *shape = &class_shapes[number];
        if (text.size >= shape->least)
            at = shape->before ? rarest_dot(within, shape) : rarest_stretch(within, shape);
    }
    *stretch = (uint8_t)at;
    return number - 1;
}

bool indicator_grams_cheap(struct slice text)
{
    uint8_t stretch;

    return class_shapes[class_of(text, &stretch)].before > 0;
}

static bool is_same(const struct indicator_grams *grams, uint32_t literal, struct slice text)
{
    return literal != ANY_LITERAL && slice_equal(grams->literals[literal - 1].text, text);
}

/* The gram's free slot, or NULL: it needs none, for the literal is there already or too many are.
 */
static struct slot *slot_for(const struct indicator_grams *grams, const struct gram_class *class,
                             uint64_t hash, struct slice text)
{
    const uint32_t tag = (uint32_t)(hash >> 32);
    struct slot *first = NULL;
    size_t chain = 0;

    for (size_t at = hash & class->slot_mask;; at = (at + 1) & class->slot_mask) {
        struct slot *slot = &class->slots[at];
        if (!slot->literal)
            return slot;
        if (slot->tag != tag)
            continue;
        first = first ? first : slot;
        if (slot->literal == ANY_LITERAL || is_same(grams, slot->literal, text))
            return NULL;
        if (++chain == CHAIN_MOST) {
            first->literal = ANY_LITERAL;
            return NULL;
        }
    }
}

static void add_literal(struct indicator_grams *grams, struct gram_class *class, uint32_t number)
{
    const struct slice text = grams->literals[number].text;
    const size_t stretch = grams->stretches[number];

    if (class->before) {
        const uint8_t behind = text.data[stretch + class->before + 1];
        class->behind[behind] = true;
        class->behind[behind >= 'a' && behind <= 'z' ? behind - 32 : behind] = true;
    }
    for (unsigned i = 0; i < class->stride; i++) {
        const uint64_t hash = hash_of(gram_of(text.data + stretch + i, class->width));
        struct slot *slot = slot_for(grams, class, hash, text);
        class->bloom[hash & class->bloom_mask] |= bits_of(hash);
        if (slot)
            *slot = (struct slot){.tag = (uint32_t)(hash >> 32), .literal = number + 1};
    }
}

static size_t power_of_two(size_t least)
{
    size_t power = 64;

    while (power < least)
        power *= 2;
    return power;
}

static int make_class(struct gram_class *class)
{
    const size_t entries = class->count * class->stride;
    const size_t words = power_of_two(entries * BITS_PER_GRAM / WORD_BITS);
    const size_t slots = power_of_two(entries + entries / 2);

    class->bloom = calloc(words, sizeof *class->bloom);
    class->bloom_mask = words - 1;
    class->slots = calloc(slots, sizeof *class->slots);
    class->slot_mask = slots - 1;
    return class->bloom && class->slots ? 0 : error_set("out of memory");
}

static int fill(struct indicator_grams *grams, size_t count)
{
    uint8_t *classes = calloc(count + 1, 1);

    if (!classes)
        return error_set("out of memory");
    for (size_t i = 0; i < count; i++) {
        classes[i] = (uint8_t)class_of(grams->literals[i].text, &grams->stretches[i]);
        grams->classes[classes[i]].count++;
    }
    int result = 0;
    for (size_t i = 0; i < CLASSES && result == 0; i++)
        if (grams->classes[i].count)
            result = make_class(&grams->classes[i]);
    for (size_t i = 0; i < count && result == 0; i++)
        add_literal(grams, &grams->classes[classes[i]], (uint32_t)i);
    free(classes);
    return result;
}

int indicator_grams_new(const struct literal *list, size_t count, struct indicator_grams **out)
{
    struct indicator_grams *grams = calloc(1, sizeof *grams);

    if (!grams || count >= UINT32_MAX - 1 || !(grams->stretches = calloc(count + 1, 1))) {
        free(grams);
        return error_set("out of memory");
    }
    memcpy(grams->classes, class_shapes, sizeof class_shapes);
    grams->literals = list;
    if (fill(grams, count) < 0) {
        indicator_grams_free(grams);
        return -1;
    }
    *out = grams;
    return 0;
}

void indicator_grams_free(struct indicator_grams *grams)
{
    if (!grams)
        return;
    for (size_t i = 0; i < CLASSES; i++) {
        free(grams->classes[i].bloom);
        free(grams->classes[i].slots);
    }
    free(grams->stretches);
    free(grams);
}

/* --- searching --- */

static bool stands_at(struct slice window, size_t at, struct slice literal)
{
    if (at > window.size || literal.size > window.size - at)
        return false;
    for (size_t i = 0; i < literal.size; i++)
        if (ascii_lower(window.data[at + i]) != literal.data[i])
            return false;
    return true;
}

/* Whether the literal stands around the gram at `at`: as any gram of its stretch. */
static bool stands_around(const struct indicator_grams *grams, const struct gram_class *class,
                          uint32_t number, struct slice window, size_t at)
{
    const struct slice text = grams->literals[number].text;

    for (size_t i = 0; i < class->stride; i++) {
        const size_t before = grams->stretches[number] + i;
        if (at >= before && stands_at(window, at - before, text))
            return true;
    }
    return false;
}

static bool is_found(const struct indicator_grams *grams, const struct gram_class *class,
                     uint64_t hash, struct slice window, size_t at)
{
    const uint32_t tag = (uint32_t)(hash >> 32);

    for (size_t i = hash & class->slot_mask; class->slots[i].literal;
         i = (i + 1) & class->slot_mask) {
        const struct slot *slot = &class->slots[i];
        if (slot->tag == tag && (slot->literal == ANY_LITERAL ||
                                 stands_around(grams, class, slot->literal - 1, window, at)))
            return true;
    }
    return false;
}

static inline bool in_bloom(const struct gram_class *class, uint64_t hash)
{
    const uint64_t bits = bits_of(hash);

    return (class->bloom[hash & class->bloom_mask] & bits) == bits;
}

/* The last bytes, of which eight cannot be read. */
static size_t find_at_end(const struct indicator_grams *grams, const struct gram_class *class,
                          struct slice window, size_t at)
{
    for (; at + class->width <= window.size; at += class->stride) {
        const uint64_t hash = hash_of(gram_of(window.data + at, class->width));
        if (in_bloom(class, hash) && is_found(grams, class, hash, window, at))
            return at;
    }
    return SIZE_MAX;
}

static inline size_t find(const struct indicator_grams *grams, const struct gram_class *class,
                          unsigned width, unsigned stride, struct slice window, size_t from)
{
    size_t at = from;

    for (; at + 8 <= window.size; at += stride) {
        const uint64_t hash = hash_of(gram_at(window.data + at, width));
        if (in_bloom(class, hash) && is_found(grams, class, hash, window, at))
            return at;
    }
    return find_at_end(grams, class, window, at);
}

enum { BLOCK = 16 };

#ifdef __SSE2__
/* A bit for each dot of 16 bytes. */
static inline unsigned dots_of(const uint8_t *bytes)
{
    const __m128i block = _mm_loadu_si128((const void *)bytes);

    return (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(block, _mm_set1_epi8('.')));
}
#else
static inline unsigned dots_of(const uint8_t *bytes)
{
    unsigned dots = 0;

    for (unsigned i = 0; i < BLOCK; i++)
        dots |= (unsigned)(bytes[i] == '.') << i;
    return dots;
}
#endif

/* Whether a literal of the class stands around the dot at `dot`. */
static inline bool is_at_dot(const struct indicator_grams *grams, const struct gram_class *class,
                             struct slice window, size_t dot)
{
    const size_t at = dot - class->before;

    if (dot < class->before || class->width > window.size - at ||
        !class->behind[window.data[dot + 1]])
        return false;
    const uint64_t hash = hash_of(at + 8 <= window.size ? gram_at(window.data + at, class->width)
                                                        : gram_of(window.data + at, class->width));
    return in_bloom(class, hash) && is_found(grams, class, hash, window, at);
}

static inline bool is_at_any_dot(const struct indicator_grams *grams, struct slice window,
                                 size_t dot)
{
    for (size_t i = 0; i < DOT_CLASSES; i++)
        if (grams->classes[i].bloom && is_at_dot(grams, &grams->classes[i], window, dot))
            return true;
    return false;
}

static size_t find_dots(const struct indicator_grams *grams, struct slice window, size_t from)
{
    size_t at = from;

    for (; at + BLOCK <= window.size; at += BLOCK)
        for (unsigned dots = dots_of(window.data + at); dots; dots &= dots - 1) {
            const size_t dot = at + (size_t)__builtin_ctz(dots);
            if (is_at_any_dot(grams, window, dot))
                return dot;
        }
    for (; at < window.size; at++)
        if (window.data[at] == '.' && is_at_any_dot(grams, window, at))
            return at;
    return SIZE_MAX;
}

/* Constants for the compiler. */
static size_t find_grams(const struct indicator_grams *grams, const struct gram_class *class,
                         struct slice window, size_t from)
{
    switch (class->bloom ? class->width : 0) {
    case 6:
        return find(grams, class, 6, 4, window, from);
    case 4:
        return find(grams, class, 4, 2, window, from);
    case 3:
        return find(grams, class, 3, 1, window, from);
    default:
        return SIZE_MAX;
    }
}

size_t indicator_grams_next(const struct indicator_grams *grams, size_t pass, struct slice window,
                            size_t from)
{
    if (from >= window.size)
        return SIZE_MAX;
    if (pass > 0)
        return find_grams(grams, &grams->classes[DOT_CLASSES + pass - 1], window, from);
    return grams->classes[0].bloom || grams->classes[1].bloom ? find_dots(grams, window, from)
                                                              : SIZE_MAX;
}

bool indicator_grams_any(const struct indicator_grams *grams, struct slice text)
{
    for (size_t i = 0; i < INDICATOR_GRAM_PASSES; i++)
        if (indicator_grams_next(grams, i, text, 0) != SIZE_MAX)
            return true;
    return false;
}
