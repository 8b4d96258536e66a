/*
 * Each literal is found by its rarest four bytes (three for the shortest literals): a bitmap of
 * their hashes says at which places of the text it is worth comparing.
 */
#include "triage/match/nominator.h"

#include "triage/base/error.h"

#include <stdlib.h>
#include <string.h>

enum { HASH_BITS = 18, HEADS = 1 << 14, GRAM = 4, SHORT_GRAM = 3, END = 0 };

struct place {
    struct slice literal;
    size_t rule;
    uint32_t gram_at; /* where its rarest bytes stand in it */
    uint32_t next;    /* number from 1 of the next place with the same head, or END */
};

struct table {
    size_t gram;
    bool used;
    uint64_t bitmap[(1 << HASH_BITS) / 64];
    uint32_t heads[HEADS];
};

struct nominator {
    size_t words;
    uint64_t *always;
    struct place *places;
    size_t count;
    struct table tables[2];
};

static uint8_t fold(uint8_t byte)
{
    return byte >= 'A' && byte <= 'Z' ? (uint8_t)(byte | 0x20) : byte;
}

static uint32_t hash(uint32_t gram)
{
    return gram * 2654435761u >> (32 - HASH_BITS);
}

static uint32_t gram_of(const uint8_t *bytes, size_t size)
{
    uint32_t gram = 0;

    for (size_t i = 0; i < size; i++)
        gram = gram << 8 | fold(bytes[i]);
    return gram;
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

static void add_place(struct nominator *nominator, struct slice literal, size_t rule)
{
    struct table *table = &nominator->tables[literal.size < GRAM];
    const size_t at = rarest_gram(literal, table->gram);
    const uint32_t code = hash(gram_of(literal.data + at, table->gram));
    uint32_t *head = &table->heads[code % HEADS];

    nominator->places[nominator->count++] =
        (struct place){.literal = literal, .rule = rule, .gram_at = (uint32_t)at, .next = *head};
    *head = (uint32_t)nominator->count;
    table->bitmap[code / 64] |= UINT64_C(1) << code % 64;
    table->used = true;
}

static void fill(struct nominator *nominator, const struct literal_set *const *sets, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        bool usable = sets[i]->count != 0;
        for (size_t j = 0; j < sets[i]->count; j++)
            usable &= sets[i]->list[j].text.size >= SHORT_GRAM;
        if (!usable)
            nominator->always[i / 64] |= UINT64_C(1) << i % 64;
        for (size_t j = 0; usable && j < sets[i]->count; j++)
            add_place(nominator, sets[i]->list[j].text, i);
    }
}

int nominator_new(const struct literal_set *const *sets, size_t count, struct nominator **out)
{
    struct nominator *nominator = calloc(1, sizeof *nominator);
    size_t places = 0;

    for (size_t i = 0; i < count; i++)
        places += sets[i]->count;
    if (!nominator)
        return error_set("out of memory");
    nominator->tables[0].gram = GRAM;
    nominator->tables[1].gram = SHORT_GRAM;
    nominator->words = count / 64 + 1;
    nominator->always = calloc(nominator->words, sizeof *nominator->always);
    nominator->places = calloc(places + 1, sizeof *nominator->places);
    if (!nominator->always || !nominator->places || places >= UINT32_MAX) {
        nominator_free(nominator);
        return error_set("out of memory");
    }
    fill(nominator, sets, count);
    *out = nominator;
    return 0;
}

void nominator_free(struct nominator *nominator)
{
    if (!nominator)
        return;
    free(nominator->always);
    free(nominator->places);
    free(nominator);
}

size_t nominator_words(const struct nominator *nominator)
{
    return nominator->words;
}

void nominator_start(const struct nominator *nominator, uint64_t *marks)
{
    memcpy(marks, nominator->always, nominator->words * sizeof *marks);
}

static void check_places(const struct nominator *nominator, uint32_t number, struct slice text,
                         size_t at, uint64_t *marks)
{
    for (; number != END; number = nominator->places[number - 1].next) {
        const struct place *place = &nominator->places[number - 1];
        const uint64_t bit = UINT64_C(1) << place->rule % 64;
        if (marks[place->rule / 64] & bit || at < place->gram_at)
            continue;
        if (slice_equal_nocase(slice_part(text, at - place->gram_at, place->literal.size),
                               place->literal))
            marks[place->rule / 64] |= bit;
    }
}

static void search(const struct nominator *nominator, const struct table *table, struct slice text,
                   uint64_t *marks)
{
    const uint32_t mask = table->gram == GRAM ? UINT32_MAX : 0xFFFFFF;
    uint32_t gram = 0;

    for (size_t i = 0; i < text.size; i++) {
        gram = (gram << 8 | fold(text.data[i])) & mask;
        const uint32_t code = hash(gram);
        if (i + 1 >= table->gram && table->bitmap[code / 64] >> code % 64 & 1)
            check_places(nominator, table->heads[code % HEADS], text, i + 1 - table->gram, marks);
    }
}

void nominator_add(const struct nominator *nominator, struct slice text, uint64_t *marks)
{
    for (size_t i = 0; i < 2; i++)
        if (nominator->tables[i].used)
            search(nominator, &nominator->tables[i], text, marks);
}
