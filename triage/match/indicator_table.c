#include "triage/match/indicator_table.h"

#include "triage/base/error.h"
#include "triage/match/indicator_texts.h"

#include <stdlib.h>

enum { V4_BLOCKS = 1 << 24, REGEXES_MOST = 2000, SETS_MOST = 1 << 20 };

struct indicator_table {
    struct arena *arena;
    struct indicator *list;
    size_t count, room;
    uint32_t *slots; /* open addressing: number + 1, 0 for a free one */
    size_t slot_mask;
    struct bloom {
        uint64_t *bits;
        size_t mask;
    } binary, texts;     /* apart: of texts there are few, and many of them are asked for */
    uint64_t *v4_blocks; /* a bit for each /24 with a listed address */
    bool bits_used[129];
    unsigned bits[129], bits_count;
    uint16_t *sets;
    size_t set_count, set_room;
    size_t counts[INDICATOR_KINDS];
    uint32_t *regexes;
    size_t regex_count;
    struct indicator_texts literals;
};

int indicator_table_new(struct indicator_table **out)
{
    struct indicator_table *table = calloc(1, sizeof *table);

    if (!table || !(table->arena = arena_new(0))) {
        free(table);
        return error_set("out of memory");
    }
    table->literals.arena = table->arena;
    *out = table;
    return 0;
}

void indicator_table_free(struct indicator_table *table)
{
    if (!table)
        return;
    for (size_t i = 0; i < table->regex_count; i++)
        regex_free((struct regex *)table->list[table->regexes[i]].regex);
    free(table->list);
    free(table->slots);
    free(table->binary.bits);
    free(table->texts.bits);
    free(table->v4_blocks);
    free(table->sets);
    free(table->regexes);
    indicator_texts_release(&table->literals);
    arena_free(table->arena);
    free(table);
}

/* --- filling --- */

static const char *add_regex(struct indicator_table *table, struct indicator *indicator)
{
    const uint32_t number = (uint32_t)table->count;
    uint32_t *larger = realloc(table->regexes, (table->regex_count + 1) * sizeof *larger);
    struct regex *regex;

    if (!larger)
        return "out of memory";
    table->regexes = larger;
    if (table->regex_count == REGEXES_MOST)
        return "more regular expressions than are looked for";
    if (regex_new(indicator->key, REGEX_CASELESS, &regex) < 0)
        return error_text();
    const char *problem = indicator_texts_add_regex(&table->literals, indicator->key, number);
    if (problem) {
        regex_free(regex);
        return problem;
    }
    indicator->regex = regex;
    table->regexes[table->regex_count++] = number;
    return NULL;
}

/* Gives the indicator its key, and what a record must hold for it. */
static const char *prepare(struct indicator_table *table, struct indicator *indicator,
                           struct slice text)
{
    const enum indicator_kind kind = (enum indicator_kind)indicator->kind;
    uint8_t key[INDICATOR_KEY_MOST];
    size_t size = 0;

    if (text.size == 0 || text.size > INDICATOR_KEY_MOST)
        return text.size ? "too long" : "empty";
    if (kind == INDICATOR_PATH_REGEX) {
        indicator->key = arena_copy(table->arena, text);
        return indicator->key.data ? add_regex(table, indicator) : "out of memory";
    }
    const char *problem = indicator_key(kind, text, key, &size);
    if (problem)
        return problem;
    indicator->key = arena_copy(table->arena, slice_of(key, size));
    if (!indicator->key.data)
        return "out of memory";
    return kind <= INDICATOR_ADDRESS ? NULL
                                     : indicator_texts_add(&table->literals, kind, indicator->key,
                                                           (uint32_t)table->count);
}

static int make_room(struct indicator_table *table)
{
    if (table->count < table->room)
        return 0;
    const size_t room = table->room ? 2 * table->room : 1024;
    struct indicator *larger =
        room < UINT32_MAX / 4 ? realloc(table->list, room * sizeof *larger) : NULL;
    if (!larger)
        return error_set("out of memory");
    table->list = larger;
    table->room = room;
    return 0;
}

static bool is_mapped(const uint8_t *address)
{
    static const uint8_t mapped[12] = {[10] = 0xFF, [11] = 0xFF};

    return memcmp(address, mapped, sizeof mapped) == 0;
}

static int note_network(struct indicator_table *table, const uint8_t *key)
{
    const unsigned bits = key[16];

    if (!table->bits_used[bits]) {
        table->bits_used[bits] = true;
        table->bits[table->bits_count++] = bits;
    }
    if (!is_mapped(key) || bits < 96)
        return 0;
    if (!table->v4_blocks && !(table->v4_blocks = calloc(V4_BLOCKS / 64, sizeof(uint64_t))))
        return error_set("out of memory");
    const uint32_t first = (uint32_t)key[12] << 16 | (uint32_t)key[13] << 8 | key[14];
    const uint32_t count = bits >= 120 ? 1 : UINT32_C(1) << (120 - bits);
    for (uint32_t i = first; i < first + count; i++)
        table->v4_blocks[i / 64] |= UINT64_C(1) << i % 64;
    return 0;
}

const char *indicator_table_add(struct indicator_table *table, const struct indicator *indicator,
                                struct slice text)
{
    struct indicator added = *indicator;

    if (make_room(table) < 0)
        return error_text();
    const char *problem = prepare(table, &added, text);
    if (problem)
        return problem;
    if (added.kind == INDICATOR_ADDRESS && note_network(table, added.key.data) < 0)
        return error_text();
    table->counts[added.kind]++;
    table->list[table->count++] = added;
    return NULL;
}

uint32_t indicator_table_set(struct indicator_table *table, unsigned members)
{
    if (table->set_count == SETS_MOST)
        return 0;
    if (table->set_count == table->set_room) {
        const size_t room = table->set_room ? 2 * table->set_room : 64;
        uint16_t *larger = realloc(table->sets, room * sizeof *larger);
        if (!larger)
            return 0;
        table->sets = larger;
        table->set_room = room;
    }
    table->sets[table->set_count++] = (uint16_t)members;
    return (uint32_t)table->set_count;
}

unsigned indicator_set_members(const struct indicator_table *table, uint32_t set)
{
    return table->sets[set - 1];
}

/* --- looking up --- */

uint64_t indicator_hash(struct slice key)
{
    uint64_t hash = 0;

    for (size_t i = key.size; i > 0; i--)
        hash = indicator_hash_step(hash, key.data[i - 1]);
    return hash;
}

static uint64_t final_hash(enum indicator_kind kind, uint64_t hash)
{
    hash ^= (uint64_t)kind * UINT64_C(0xD6E8FEB86659FD93);
    hash = (hash ^ hash >> 32) * UINT64_C(0xD6E8FEB86659FD93);
    return hash ^ hash >> 29;
}

static const struct bloom *bloom_of(const struct indicator_table *table, enum indicator_kind kind)
{
    return kind <= INDICATOR_ADDRESS ? &table->binary : &table->texts;
}

static bool in_bloom(const struct bloom *bloom, uint64_t hash)
{
    const size_t first = hash & bloom->mask, second = (hash >> 32) & bloom->mask;

    return bloom->bits[first / 64] >> first % 64 & bloom->bits[second / 64] >> second % 64 & 1;
}

static void put_bloom(const struct bloom *bloom, uint64_t hash)
{
    const size_t first = hash & bloom->mask, second = (hash >> 32) & bloom->mask;

    bloom->bits[first / 64] |= UINT64_C(1) << first % 64;
    bloom->bits[second / 64] |= UINT64_C(1) << second % 64;
}

static int bloom_init(struct bloom *bloom, size_t count)
{
    size_t bits = 1024;

    while (bits < 12 * count)
        bits *= 2;
    bloom->mask = bits - 1;
    bloom->bits = calloc(bits / 64, sizeof *bloom->bits);
    return bloom->bits ? 0 : error_set("out of memory");
}

static bool same_key(const struct indicator *a, enum indicator_kind kind, struct slice key)
{
    return a->kind == kind && slice_equal(a->key, key);
}

/* What the same list names twice is kept once. */
static void put(struct indicator_table *table, size_t number)
{
    const struct indicator *added = &table->list[number];
    const uint64_t hash = final_hash((enum indicator_kind)added->kind, indicator_hash(added->key));
    size_t slot = (hash >> 16) & table->slot_mask;

    for (; table->slots[slot]; slot = (slot + 1) & table->slot_mask) {
        const struct indicator *other = &table->list[table->slots[slot] - 1];
        if (other->rule == added->rule && other->set == added->set &&
            other->rooted == added->rooted &&
            same_key(other, (enum indicator_kind)added->kind, added->key))
            return;
    }
    table->slots[slot] = (uint32_t)number + 1;
    put_bloom(bloom_of(table, (enum indicator_kind)added->kind), hash);
}

int indicator_table_compile(struct indicator_table *table)
{
    size_t slots = 64, binary = 0;

    if (indicator_texts_divide(&table->literals) < 0)
        return -1;
    while (slots < 2 * table->count)
        slots *= 2;
    for (unsigned kind = 0; kind <= INDICATOR_ADDRESS; kind++)
        binary += table->counts[kind];
    table->slots = calloc(slots, sizeof *table->slots);
    if (!table->slots)
        return error_set("out of memory");
    if (bloom_init(&table->binary, binary) < 0 ||
        bloom_init(&table->texts, table->count - binary) < 0)
        return -1;
    table->slot_mask = slots - 1;
    for (size_t i = 0; i < table->count; i++)
        if (table->list[i].kind != INDICATOR_PATH_REGEX)
            put(table, i);
    return 0;
}

void indicator_find(const struct indicator_table *table, enum indicator_kind kind, struct slice key,
                    uint64_t hash, void (*found)(void *context, size_t number), void *context)
{
    hash = final_hash(kind, hash);
    if (!in_bloom(bloom_of(table, kind), hash))
        return;
    for (size_t slot = (hash >> 16) & table->slot_mask; table->slots[slot];
         slot = (slot + 1) & table->slot_mask)
        if (same_key(&table->list[table->slots[slot] - 1], kind, key))
            found(context, table->slots[slot] - 1);
}

static void note_found(void *context, size_t number)
{
    (void)number;
    *(bool *)context = true;
}

bool indicator_has(const struct indicator_table *table, enum indicator_kind kind, struct slice key,
                   uint64_t hash)
{
    bool found = false;

    indicator_find(table, kind, key, hash, note_found, &found);
    return found;
}

/* Whether a listed address may lie beside this one. */
static bool block_is_listed(const struct indicator_table *table, const uint8_t *address)
{
    const uint32_t block = (uint32_t)address[12] << 16 | (uint32_t)address[13] << 8 | address[14];

    return table->v4_blocks && table->v4_blocks[block / 64] >> block % 64 & 1;
}

void indicator_find_address(const struct indicator_table *table, const uint8_t address[16],
                            void (*found)(void *context, size_t number), void *context)
{
    const bool v4 = is_mapped(address);

    if (v4 && !block_is_listed(table, address))
        return;
    for (unsigned i = 0; i < table->bits_count; i++) {
        uint8_t key[INDICATOR_ADDRESS_KEY];
        if (v4 && table->bits[i] < 96)
            continue;
        indicator_address_key(address, table->bits[i], key);
        const struct slice whole = slice_of(key, sizeof key);
        indicator_find(table, INDICATOR_ADDRESS, whole, indicator_hash(whole), found, context);
    }
}

bool indicator_has_address(const struct indicator_table *table, const uint8_t address[16])
{
    bool found = false;

    indicator_find_address(table, address, note_found, &found);
    return found;
}

/* --- getters --- */

size_t indicator_table_count(const struct indicator_table *table, enum indicator_kind kind)
{
    return table->counts[kind];
}

size_t indicator_table_total(const struct indicator_table *table)
{
    return table->count;
}

const struct indicator *indicator_at(const struct indicator_table *table, size_t number)
{
    return &table->list[number];
}

const uint32_t *indicator_regexes(const struct indicator_table *table, size_t *count)
{
    *count = table->regex_count;
    return table->regexes;
}

struct slice indicator_literal(const struct indicator_table *table, size_t index, uint32_t *number)
{
    *number = table->literals.list[index].number;
    return table->literals.list[index].text;
}

const struct indicator_grams *indicator_wide(const struct indicator_table *table, bool requests)
{
    return table->literals.wide[requests];
}

size_t indicator_literal_count(const struct indicator_table *table)
{
    return table->literals.count;
}

void indicator_literals(const struct indicator_table *table, bool requests, struct literal *list,
                        size_t *count)
{
    *count = 0;
    for (size_t i = 0; i < table->literals.count; i++) {
        const struct text_literal *literal = &table->literals.list[i];
        if (text_literal_counts(literal, requests))
            list[(*count)++].text = literal->text;
    }
}
