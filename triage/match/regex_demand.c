#include "triage/match/regex_demand.h"

#include "triage/match/ascii.h"

#include <string.h>

enum {
    WORDS_MOST = 32,     /* alternatives that are followed */
    WORD_SIZE_MOST = 64, /* longer runs are cut: the part says enough */
    COUNT_MOST = 8,      /* repetitions that are written out */
};

/* --- words --- */

/* A set of one word; empty when memory is out. */
static struct words one_word(struct demand_maker *maker, const uint8_t *bytes, size_t size)
{
    struct words words = {arena_array(maker->arena, 1, sizeof *words.items), 1};
    const struct slice word = arena_copy(maker->arena, slice_of(bytes, size));

    if (!words.items || (size > 0 && !word.data)) {
        maker->lost = true;
        return (struct words){NULL, 0};
    }
    words.items[0] = word;
    return words;
}

static bool has_word(struct words words, struct slice word)
{
    for (size_t i = 0; i < words.count; i++)
        if (slice_equal(words.items[i], word))
            return true;
    return false;
}

/* All words of both, each once; false when there are too many. */
static bool unite(struct demand_maker *maker, struct words a, struct words b, struct words *out)
{
    struct words all = {arena_array(maker->arena, a.count + b.count + 1, sizeof *all.items), 0};

    if (!all.items) {
        maker->lost = true;
        return false;
    }
    for (size_t i = 0; i < a.count + b.count; i++) {
        const struct slice word = i < a.count ? a.items[i] : b.items[i - a.count];

        if (!has_word(all, word))
            all.items[all.count++] = word;
    }
    *out = all;
    return all.count <= WORDS_MOST;
}

static struct slice join(struct demand_maker *maker, struct slice a, struct slice b)
{
    uint8_t *bytes = arena_take(maker->arena, a.size + b.size + 1);

    if (!bytes) {
        maker->lost = true;
        return slice_of(NULL, 0);
    }
    memcpy(bytes, a.data, a.size);
    memcpy(bytes + a.size, b.data, b.size);
    return slice_of(bytes, a.size + b.size);
}

/* Each word of `a` followed by each of `b`; false when that gets too many or too long. */
static bool multiply(struct demand_maker *maker, struct words a, struct words b, struct words *out)
{
    struct words all = {NULL, 0};

    if (a.count * b.count > WORDS_MOST)
        return false;
    all.items = arena_array(maker->arena, a.count * b.count + 1, sizeof *all.items);
    if (!all.items) {
        maker->lost = true;
        return false;
    }
    for (size_t i = 0; i < a.count; i++)
        for (size_t k = 0; k < b.count; k++) {
            if (a.items[i].size + b.items[k].size > WORD_SIZE_MOST)
                return false;
            all.items[all.count++] = join(maker, a.items[i], b.items[k]);
        }
    *out = all;
    return true;
}

static struct words empty_word(struct demand_maker *maker)
{
    return one_word(maker, (const uint8_t *)"", 0);
}

/* --- what is needed --- */

static bool is_break(const struct demand_maker *maker, uint8_t byte)
{
    return byte == '\0' || (maker->breaks && strchr(maker->breaks, byte));
}

/* The part of a word, between breaks, that is rarest in logs; empty when all are too short. */
static struct slice best_piece(const struct demand_maker *maker, struct slice word)
{
    struct slice best = slice_of(NULL, 0);

    for (size_t at = 0; at < word.size;) {
        size_t size = 0;

        while (at + size < word.size && !is_break(maker, word.data[at + size]))
            size++;
        const struct slice piece = slice_part(word, at, size);

        if (size >= maker->shortest && (best.size == 0 || literal_cost(piece) < literal_cost(best)))
            best = piece;
        at += size + 1;
    }
    return best;
}

/* Takes the words as what is needed if they are a cheaper promise than the present one. */
static void offer(struct demand_maker *maker, struct demand *demand, struct words words)
{
    struct words pieces = {arena_array(maker->arena, words.count + 1, sizeof *pieces.items), 0};
    double cost = 0;

    if (!pieces.items) {
        maker->lost = true;
        return;
    }
    for (size_t i = 0; i < words.count; i++) {
        const struct slice piece = best_piece(maker, words.items[i]);

        if (piece.size == 0)
            return;
        if (has_word(pieces, piece))
            continue;
        pieces.items[pieces.count++] = piece;
        cost += literal_cost(piece);
    }
    if (pieces.count > 0 && (demand->needed.count == 0 || cost < demand->cost)) {
        demand->needed = pieces;
        demand->cost = cost;
    }
}

/* Its words are what an exact part needs. */
static void settle(struct demand_maker *maker, struct demand *demand)
{
    if (demand->exact)
        offer(maker, demand, demand->words);
}

static void offer_needed(struct demand *demand, const struct demand *other)
{
    if (other->needed.count == 0 || (demand->needed.count > 0 && demand->cost <= other->cost))
        return;
    demand->needed = other->needed;
    demand->cost = other->cost;
}

size_t demand_needed(struct demand_maker *maker, struct demand demand, struct literal **list)
{
    settle(maker, &demand);
    if (maker->lost || demand.needed.count == 0)
        return 0;
    struct literal *literals = arena_array(maker->arena, demand.needed.count, sizeof *literals);
    if (!literals)
        return 0;
    for (size_t i = 0; i < demand.needed.count; i++)
        literals[i].text = demand.needed.items[i];
    *list = literals;
    return demand.needed.count;
}

/* --- parts --- */

struct demand demand_nothing(void)
{
    return (struct demand){.exact = false};
}

struct demand demand_empty(struct demand_maker *maker)
{
    return (struct demand){.exact = true, .words = empty_word(maker)};
}

struct demand demand_byte(struct demand_maker *maker, unsigned byte)
{
    const uint8_t lower = ascii_lower((uint8_t)byte);

    if (byte >= 0x80)
        return demand_nothing();
    return (struct demand){.exact = true, .words = one_word(maker, &lower, 1)};
}

struct demand demand_one_of(struct demand_maker *maker, const uint8_t *bytes, size_t count)
{
    struct demand demand = {.exact = true};

    for (size_t i = 0; i < count; i++)
        if (!unite(maker, demand.words, one_word(maker, &bytes[i], 1), &demand.words))
            return demand_nothing();
    return demand;
}

struct demand demand_either(struct demand_maker *maker, struct demand a, struct demand b)
{
    struct demand either = demand_nothing();

    either.exact = a.exact && b.exact && unite(maker, a.words, b.words, &either.words);
    settle(maker, &a);
    settle(maker, &b);
    if (a.needed.count > 0 && b.needed.count > 0 &&
        unite(maker, a.needed, b.needed, &either.needed))
        either.cost = a.cost + b.cost;
    else
        either.needed.count = 0;
    return either;
}

struct demand demand_ahead(struct demand_maker *maker, struct demand part)
{
    struct demand demand = demand_empty(maker);

    settle(maker, &part);
    offer_needed(&demand, &part);
    return demand;
}

/* --- sequences --- */

struct demand_sequence demand_sequence_start(struct demand_maker *maker)
{
    return (struct demand_sequence){.run = empty_word(maker), .exact = true};
}

static void end_run(struct demand_maker *maker, struct demand_sequence *sequence)
{
    offer(maker, &sequence->whole, sequence->run);
    sequence->run = empty_word(maker);
    sequence->exact = false;
}

void demand_append(struct demand_maker *maker, struct demand_sequence *sequence,
                   const struct demand *next)
{
    struct words longer;

    offer_needed(&sequence->whole, next);
    if (!next->exact) {
        end_run(maker, sequence);
        return;
    }
    if (next->words.count > 1)
        offer(maker, &sequence->whole, sequence->run);
    if (!multiply(maker, sequence->run, next->words, &longer)) {
        end_run(maker, sequence);
        longer = next->words;
    }
    sequence->run = longer;
}

struct demand demand_sequence_end(struct demand_maker *maker, struct demand_sequence *sequence)
{
    sequence->whole.exact = sequence->exact;
    sequence->whole.words = sequence->run;
    if (!sequence->exact)
        offer(maker, &sequence->whole, sequence->run);
    return sequence->whole;
}

struct demand demand_repeated(struct demand_maker *maker, struct demand part, unsigned least,
                              unsigned most)
{
    struct demand_sequence sequence = demand_sequence_start(maker);

    if (least == 0 && most == 1)
        return demand_either(maker, part, demand_empty(maker));
    if (least == 0)
        return demand_nothing();
    for (unsigned i = 0; i < least && i < COUNT_MOST; i++)
        demand_append(maker, &sequence, &part);
    if (most != least || least > COUNT_MOST)
        end_run(maker, &sequence);
    return demand_sequence_end(maker, &sequence);
}
