/*
 * Each literal is found by its rarest four bytes (three for the shortest literals): a small bitmap
 * of their hashes says at which places of the text it is worth comparing. A literal that stands
 * there marks the demands that it meets. Rules share equal demands; each is listed at its first,
 * the rarest one, and asked for the others once that one is met.
 */
#include "triage/match/nominator.h"

#include "triage/base/error.h"
#include "triage/match/ascii.h"
#include "triage/match/gram_groups.h"

#include <stdlib.h>
#include <string.h>

enum {
    HASH_BITS = 15, /* a bitmap of 4 KiB stays in the fastest cache */
    HEADS = 1 << 12,
    GRAM = 4,
    SHORT_GRAM = 3,
    SHORT_MASK = 0xFFFFFF,
    GROUPED_MOST = 1000, /* grams; of more than that too much gets through */
    BLOCKS = 32,
    END = 0,
};

/* Numbers below named `next`, `first` or head count from 1; END is none. */

struct place {
    struct slice literal;
    bool ends;
    uint32_t gram, gram_at; /* its rarest bytes, folded, and where they stand in it */
    uint32_t next;          /* with the same head */
    uint32_t first_link;
};

/* One demand that a place meets. */
struct link {
    uint32_t demand, next;
};

struct demand {
    const struct literal_set *set;
    uint32_t next;       /* with the same head */
    uint32_t first_rule; /* the rules listed here */
};

struct rule_demands {
    uint32_t count, demands[LITERAL_DEMANDS_MOST];
    uint32_t next; /* listed at the same demand */
};

struct table {
    bool used;
    uint64_t bitmap[(1 << HASH_BITS) / 64];
    uint32_t heads[HEADS];
};

struct nominator {
    uint64_t *always; /* a bit for each rule without demands */
    bool any_always;
    struct rule_demands *rules;
    struct demand *demands;
    struct place *places;
    struct link *links;
    size_t rule_count, demand_count, place_count, link_count;
    uint32_t demand_heads[HEADS];
    struct table tables[2]; /* for grams of four bytes and of three */
    bool grouped;
    struct gram_groups groups; /* of all grams */
};

static uint32_t hash(uint32_t gram)
{
    return gram * 2654435761u >> (32 - HASH_BITS);
}

/* Letters of both cases give the same gram; so do a few other bytes, which comparing sorts out. */
static uint32_t short_gram(const uint8_t *bytes)
{
    return (bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16) | 0x202020u;
}

static uint32_t full_gram(const uint8_t *bytes)
{
    return (bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 |
            (uint32_t)bytes[3] << 24) |
           0x20202020u;
}

static size_t words_for(size_t bits)
{
    return bits / 64 + 1;
}

static void set_bit(uint64_t *bits, size_t number)
{
    bits[number / 64] |= UINT64_C(1) << number % 64;
}

static bool has_bit(const uint64_t *bits, size_t number)
{
    return bits[number / 64] >> number % 64 & 1;
}

static size_t rarest_gram(struct slice literal, size_t size)
{
    size_t best = 0;
    double best_cost = literal_cost(slice_part(literal, 0, size));

    for (size_t at = 1; at + size <= literal.size; at++) {
        const double cost = literal_cost(slice_part(literal, at, size));
        if (cost < best_cost) {
            best = at;
            best_cost = cost;
        }
    }
    return best;
}

static struct place *add_place(struct nominator *nominator, const struct literal *wanted)
{
    const struct slice literal = wanted->text;
    struct table *table = &nominator->tables[literal.size < GRAM];
    const size_t size = literal.size < GRAM ? SHORT_GRAM : GRAM;
    const size_t at = rarest_gram(literal, size);
    const uint32_t gram =
        size == GRAM ? full_gram(literal.data + at) : short_gram(literal.data + at);
    const uint32_t code = hash(gram);
    uint32_t *head = &table->heads[code % HEADS];

    for (uint32_t i = *head; i != END; i = nominator->places[i - 1].next)
        if (nominator->places[i - 1].ends == wanted->ends &&
            slice_equal_nocase(nominator->places[i - 1].literal, literal))
            return &nominator->places[i - 1];
    struct place *place = &nominator->places[nominator->place_count++];
    *place = (struct place){literal, wanted->ends, gram, (uint32_t)at, *head, END};
    *head = (uint32_t)nominator->place_count;
    set_bit(table->bitmap, code);
    table->used = true;
    return place;
}

static bool same_set(const struct literal_set *a, const struct literal_set *b)
{
    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++)
        if (a->list[i].ends != b->list[i].ends ||
            !slice_equal_nocase(a->list[i].text, b->list[i].text))
            return false;
    return true;
}

static uint32_t set_head(const struct literal_set *set)
{
    uint32_t code = (uint32_t)set->count;

    for (size_t i = 0; i < set->count; i++)
        code =
            (code ^ short_gram(set->list[i].text.data) ^ (uint32_t)set->list[i].text.size << 24) *
            16777619u;
    return code % HEADS;
}

/* The number of the demand, which is added when it is new. */
static uint32_t add_demand(struct nominator *nominator, const struct literal_set *set)
{
    uint32_t *head = &nominator->demand_heads[set_head(set)];

    for (uint32_t i = *head; i != END; i = nominator->demands[i - 1].next)
        if (same_set(nominator->demands[i - 1].set, set))
            return i - 1;
    const uint32_t number = (uint32_t)nominator->demand_count++;
    nominator->demands[number] = (struct demand){set, *head, END};
    *head = number + 1;
    for (size_t i = 0; i < set->count; i++) {
        struct place *place = add_place(nominator, &set->list[i]);
        nominator->links[nominator->link_count++] = (struct link){number, place->first_link};
        place->first_link = (uint32_t)nominator->link_count;
    }
    return number;
}

/* Whether all literals are long enough to be looked for. */
static bool is_usable(const struct literal_set *set)
{
    for (size_t i = 0; i < set->count; i++)
        if (set->list[i].text.size < SHORT_GRAM)
            return false;
    return set->count != 0;
}

static void add_rule(struct nominator *nominator, size_t number,
                     const struct literal_demands *demands)
{
    struct rule_demands *rule = &nominator->rules[number];

    for (size_t i = 0; i < demands->count && rule->count < LITERAL_DEMANDS_MOST; i++)
        if (is_usable(&demands->sets[i]))
            rule->demands[rule->count++] = add_demand(nominator, &demands->sets[i]);
    if (rule->count == 0) {
        set_bit(nominator->always, number);
        nominator->any_always = true;
        return;
    }
    uint32_t *first = &nominator->demands[rule->demands[0]].first_rule;
    rule->next = *first;
    *first = (uint32_t)number + 1;
}

static bool make_room(struct nominator *nominator, const struct literal_demands *const *rules,
                      size_t count)
{
    size_t demands = 0, literals = 0;

    for (size_t i = 0; i < count; i++) {
        demands += rules[i]->count;
        for (size_t j = 0; j < rules[i]->count; j++)
            literals += rules[i]->sets[j].count;
    }
    nominator->rule_count = count;
    nominator->always = calloc(words_for(count), sizeof *nominator->always);
    nominator->rules = calloc(count + 1, sizeof *nominator->rules);
    nominator->demands = calloc(demands + 1, sizeof *nominator->demands);
    nominator->places = calloc(literals + 1, sizeof *nominator->places);
    nominator->links = calloc(literals + 1, sizeof *nominator->links);
    return nominator->always && nominator->rules && nominator->demands && nominator->places &&
           nominator->links && literals < UINT32_MAX && count < UINT32_MAX;
}

static void group_places(struct nominator *nominator)
{
    const enum gram_groups_unit unit = gram_groups_best();

    gram_groups_init(&nominator->groups, unit);
    nominator->grouped = unit != GRAM_GROUPS_NONE && nominator->place_count <= GROUPED_MOST;
    for (size_t i = 0; nominator->grouped && i < nominator->place_count; i++) {
        const struct place *place = &nominator->places[i];
        gram_groups_add(&nominator->groups, place->gram,
                        place->literal.size < GRAM ? SHORT_GRAM : GRAM);
    }
}

int nominator_new(const struct literal_demands *const *rules, size_t count, struct nominator **out)
{
    struct nominator *nominator = calloc(1, sizeof *nominator);

    if (!nominator || !make_room(nominator, rules, count)) {
        nominator_free(nominator);
        return error_set("out of memory");
    }
    for (size_t i = 0; i < count; i++)
        add_rule(nominator, i, rules[i]);
    group_places(nominator);
    *out = nominator;
    return 0;
}

void nominator_free(struct nominator *nominator)
{
    if (!nominator)
        return;
    free(nominator->always);
    free(nominator->rules);
    free(nominator->demands);
    free(nominator->places);
    free(nominator->links);
    free(nominator);
}

size_t nominator_mark_words(const struct nominator *nominator)
{
    return words_for(nominator->demand_count);
}

size_t nominator_rule_words(const struct nominator *nominator)
{
    return words_for(nominator->rule_count);
}

void nominator_start(const struct nominator *nominator, uint64_t *marks)
{
    memset(marks, 0, nominator_mark_words(nominator) * sizeof *marks);
}

static bool all_marked(const struct nominator *nominator, const struct place *place,
                       const uint64_t *marks)
{
    for (uint32_t i = place->first_link; i != END; i = nominator->links[i - 1].next)
        if (!has_bit(marks, nominator->links[i - 1].demand))
            return false;
    return true;
}

static void mark(const struct nominator *nominator, const struct place *place, uint64_t *marks)
{
    for (uint32_t i = place->first_link; i != END; i = nominator->links[i - 1].next)
        set_bit(marks, nominator->links[i - 1].demand);
}

/* A text at work. Where values end in a loose one is not known. */
struct search {
    struct slice text;
    uint64_t *marks;
    bool loose;
};

/* Whether a value cannot end at that place. */
static bool goes_on(const struct search *search, size_t at)
{
    return !search->loose && at < search->text.size && is_alnum(search->text.data[at]);
}

static __attribute__((noinline)) void check_places(const struct nominator *nominator,
                                                   uint32_t number, uint32_t gram,
                                                   const struct search *search, size_t at)
{
    for (; number != END; number = nominator->places[number - 1].next) {
        const struct place *place = &nominator->places[number - 1];

        if (place->gram != gram || at < place->gram_at ||
            all_marked(nominator, place, search->marks))
            continue;
        if (slice_equal_nocase(slice_part(search->text, at - place->gram_at, place->literal.size),
                               place->literal) &&
            !(place->ends && goes_on(search, at - place->gram_at + place->literal.size)))
            mark(nominator, place, search->marks);
    }
}

static inline void look_up(const struct nominator *nominator, const struct table *table,
                           uint32_t gram, const struct search *search, size_t at)
{
    const uint32_t code = hash(gram);

    if (has_bit(table->bitmap, code))
        check_places(nominator, table->heads[code % HEADS], gram, search, at);
}

/* The grams that start at `at`. */
static inline void look_at(const struct nominator *nominator, const struct search *search,
                           size_t at)
{
    const struct table *full = &nominator->tables[0], *brief = &nominator->tables[1];

    if (search->text.size - at >= GRAM)
        look_up(nominator, full, full_gram(search->text.data + at), search, at);
    if (brief->used && search->text.size - at >= SHORT_GRAM)
        look_up(nominator, brief, short_gram(search->text.data + at), search, at);
}

/* Looks where the groups allow it. */
static void search_grouped(const struct nominator *nominator, const struct search *search)
{
    enum { TURN = BLOCKS * GRAM_GROUPS_BLOCK };
    uint64_t masks[BLOCKS];

    for (size_t at = 0; at < search->text.size; at += TURN) {
        const struct slice rest = slice_from(search->text, at);
        const size_t size = rest.size < TURN ? rest.size : TURN;
        const size_t blocks = (size + GRAM_GROUPS_BLOCK - 1) / GRAM_GROUPS_BLOCK;

        gram_groups_scan(&nominator->groups, rest, blocks, masks);
        for (size_t i = 0; i < blocks; i++)
            for (uint64_t places = masks[i]; places; places &= places - 1) {
                const size_t place = at + i * GRAM_GROUPS_BLOCK + (size_t)__builtin_ctzll(places);
                if (place < search->text.size)
                    look_at(nominator, search, place);
            }
    }
}

static void look_through(const struct nominator *nominator, const struct search *search)
{
    if (nominator->grouped) {
        search_grouped(nominator, search);
        return;
    }
    for (size_t at = 0; at < search->text.size; at++)
        look_at(nominator, search, at);
}

void nominator_add(const struct nominator *nominator, struct slice text, uint64_t *marks)
{
    const struct search search = {text, marks, false};

    look_through(nominator, &search);
}

void nominator_add_loose(const struct nominator *nominator, struct slice text, uint64_t *marks)
{
    const struct search search = {text, marks, true};

    look_through(nominator, &search);
}

static bool is_met(const struct rule_demands *rule, const uint64_t *marks)
{
    for (uint32_t i = 1; i < rule->count; i++)
        if (!has_bit(marks, rule->demands[i]))
            return false;
    return true;
}

/* Whether a rule listed at the demand has all its others met too; sets their bits unless `rules` is
 * NULL. */
static bool ask_rules(const struct nominator *nominator, size_t demand, const uint64_t *marks,
                      uint64_t *rules)
{
    bool any = false;

    for (uint32_t i = nominator->demands[demand].first_rule; i != END && (rules || !any);
         i = nominator->rules[i - 1].next) {
        if (!is_met(&nominator->rules[i - 1], marks))
            continue;
        any = true;
        if (rules)
            set_bit(rules, i - 1);
    }
    return any;
}

bool nominator_any(const struct nominator *nominator, const uint64_t *marks)
{
    bool any = nominator->any_always;

    for (size_t word = 0; word < nominator_mark_words(nominator) && !any; word++)
        for (uint64_t bits = marks[word]; bits && !any; bits &= bits - 1)
            any = ask_rules(nominator, 64 * word + (size_t)__builtin_ctzll(bits), marks, NULL);
    return any;
}

void nominator_rules(const struct nominator *nominator, const uint64_t *marks, uint64_t *rules)
{
    memcpy(rules, nominator->always, nominator_rule_words(nominator) * sizeof *rules);
    for (size_t word = 0; word < nominator_mark_words(nominator); word++)
        for (uint64_t bits = marks[word]; bits; bits &= bits - 1)
            ask_rules(nominator, 64 * word + (size_t)__builtin_ctzll(bits), marks, rules);
}
