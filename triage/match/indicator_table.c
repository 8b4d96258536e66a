#include "triage/match/indicator_table.h"

#include "triage/base/error.h"
#include "triage/match/ascii.h"
#include "triage/match/indicator_scan.h"
#include "triage/match/network.h"
#include "triage/match/regex_literals.h"

#include <stdlib.h>

enum {
    KEY_MOST = 4096,
    ADDRESS_KEY = 17, /* the address, cut to the network, and its bits */
    V4_BLOCKS = 1 << 24,
    LITERAL_LEAST = 3,
    LITERALS_FEW =
        5000, /* more would slow the prefilter down for everybody: see indicator_grams.h */
    REGEXES_MOST = 2000,
    SETS_MOST = 1 << 20,
};

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
    struct text_literal {
        struct slice text;
        enum indicator_kind kind;
        uint32_t number; /* of the indicator */
    } * literals;
    size_t literal_count, literal_room;
    /* Of very many literals, but for those of regular expressions: of all, of requests. */
    struct literal *wide_lists[2];
    struct indicator_grams *wide[2];
};

static const char *const kind_names[] = {
    [INDICATOR_MD5] = "md5",
    [INDICATOR_SHA1] = "sha1",
    [INDICATOR_SHA256] = "sha256",
    [INDICATOR_ADDRESS] = "address",
    [INDICATOR_DOMAIN] = "domain",
    [INDICATOR_URL] = "url",
    [INDICATOR_FILE_NAME] = "file name",
    [INDICATOR_PATH] = "path",
    [INDICATOR_FILE_EXTENSION] = "file extension",
    [INDICATOR_PATH_REGEX] = "path (regular expression)",
    [INDICATOR_REGISTRY_KEY] = "registry key",
    [INDICATOR_SERVICE] = "service",
    [INDICATOR_USER_AGENT] = "user agent",
    [INDICATOR_POST_URI] = "URI with POST",
    [INDICATOR_EMAIL] = "e-mail address",
};

const char *indicator_kind_name(enum indicator_kind kind)
{
    return kind < INDICATOR_KINDS ? kind_names[kind] : "ignored";
}

int indicator_table_new(struct indicator_table **out)
{
    struct indicator_table *table = calloc(1, sizeof *table);

    if (!table || !(table->arena = arena_new(0))) {
        free(table);
        return error_set("out of memory");
    }
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
    free(table->literals);
    for (int i = 0; i < 2; i++) {
        indicator_grams_free(table->wide[i]);
        free(table->wide_lists[i]);
    }
    arena_free(table->arena);
    free(table);
}

/* --- keys --- */

static const char *hash_key(struct slice text, size_t size, uint8_t *key, size_t *key_size)
{
    if (text.size != 2 * size || !scan_hex(text, key))
        return "a hash has 32 (MD5), 40 (SHA-1) or 64 (SHA-256) hexadecimal digits";
    *key_size = size;
    return NULL;
}

static void mask_address(uint8_t *address, unsigned bits)
{
    for (unsigned i = 0; i < 16; i++) {
        const unsigned kept = bits > 8 * i ? bits - 8 * i : 0;
        if (kept < 8)
            address[i] = (uint8_t)(address[i] & (kept ? 0xFF << (8 - kept) : 0));
    }
}

static const char *address_key(struct slice text, uint8_t *key, size_t *size)
{
    struct network network;

    if (!network_parse(text, &network))
        return "no IPv4 or IPv6 address or network";
    if (network.bits == 0 || network.bits == 96)
        return "a network of all addresses says nothing";
    memcpy(key, network.address, 16);
    mask_address(key, network.bits);
    key[16] = (uint8_t)network.bits;
    *size = ADDRESS_KEY;
    return NULL;
}

/* Lower case, with one kind of separator. */
static const char *text_key(enum indicator_kind kind, struct slice text, uint8_t *key, size_t *size)
{
    const bool folders = kind == INDICATOR_PATH || kind == INDICATOR_REGISTRY_KEY;

    for (size_t i = 0; i < text.size; i++) {
        const uint8_t c = ascii_lower(text.data[i]);
        key[i] = folders && c == '/' ? '\\' : kind == INDICATOR_USER_AGENT && c == '+' ? ' ' : c;
    }
    *size = text.size;
    while (*size > 1 &&
           (key[*size - 1] == '\\' || (kind == INDICATOR_URL && key[*size - 1] == '/') ||
            (kind == INDICATOR_DOMAIN && key[*size - 1] == '.')))
        --*size;
    return NULL;
}

static const char *key_of(enum indicator_kind kind, struct slice text, uint8_t *key, size_t *size)
{
    switch (kind) {
    case INDICATOR_MD5:
        return hash_key(text, 16, key, size);
    case INDICATOR_SHA1:
        return hash_key(text, 20, key, size);
    case INDICATOR_SHA256:
        return hash_key(text, 32, key, size);
    case INDICATOR_ADDRESS:
        return address_key(text, key, size);
    case INDICATOR_DOMAIN:
        if (slice_find(text, 0, '.') == SIZE_MAX || slice_find(text, 0, '/') != SIZE_MAX)
            return "no domain name";
        return text_key(kind, text, key, size);
    default:
        return text_key(kind, text, key, size);
    }
}

/* --- what the prefilter looks for --- */

/* Bytes that logs write in more than one way. */
static bool breaks_literal(uint8_t c)
{
    return c <= ' ' || c >= 0x7F || strchr("\\/+%\"'<>&?=", c);
}

static struct slice rarest_run(struct slice text)
{
    struct slice best = {0};
    double least = 1e300;

    for (size_t at = 0; at < text.size;) {
        size_t end = at;
        while (end < text.size && !breaks_literal(text.data[end]))
            end++;
        const struct slice run = slice_part(text, at, end - at);
        const double cost = run.size < LITERAL_LEAST ? 1e300 : literal_cost(run);
        if (cost < least)
            best = run;
        least = cost < least ? cost : least;
        at = end + 1;
    }
    return best;
}

static int add_literal(struct indicator_table *table, enum indicator_kind kind, struct slice text)
{
    if (table->literal_count == table->literal_room) {
        const size_t room = table->literal_room ? 2 * table->literal_room : 256;
        struct text_literal *larger = realloc(table->literals, room * sizeof *larger);
        if (!larger)
            return error_set("out of memory");
        table->literals = larger;
        table->literal_room = room;
    }
    table->literals[table->literal_count++] =
        (struct text_literal){text, kind, (uint32_t)table->count};
    return 0;
}

/* User agents are made of what all of them have: the whole is looked for, as CSV logs write it and
 * as IIS does. */
static const char *add_agent_literals(struct indicator_table *table, struct slice key)
{
    uint8_t *plus = arena_take(table->arena, key.size + 1);

    if (!plus)
        return "out of memory";
    for (size_t i = 0; i < key.size; i++)
        plus[i] = key.data[i] == ' ' ? '+' : key.data[i];
    if (key.size < LITERAL_LEAST)
        return "too short to be looked for";
    if (add_literal(table, INDICATOR_USER_AGENT, key) < 0 ||
        add_literal(table, INDICATOR_USER_AGENT, slice_of(plus, key.size)) < 0)
        return error_text();
    return NULL;
}

static const char *add_text_literal(struct indicator_table *table, enum indicator_kind kind,
                                    struct slice key)
{
    if (kind == INDICATOR_USER_AGENT)
        return add_agent_literals(table, key);
    const struct slice run = rarest_run(key);
    if (run.size < LITERAL_LEAST)
        return "too short to be looked for";
    return add_literal(table, kind, run) < 0 ? error_text() : NULL;
}

static const char *add_regex(struct indicator_table *table, struct indicator *indicator)
{
    struct literal *list;
    struct regex *regex;
    uint32_t *larger = realloc(table->regexes, (table->regex_count + 1) * sizeof *larger);

    if (!larger)
        return "out of memory";
    table->regexes = larger;
    if (table->regex_count == REGEXES_MOST)
        return "more regular expressions than are looked for";
    const size_t count = regex_literals(indicator->key, REGEX_LITERAL_CASELESS,
                                        "\\/+%\"'<>&?= ", LITERAL_LEAST, table->arena, &list);
    if (count == 0)
        return "the expression has no fixed text that could be looked for";
    if (regex_new(indicator->key, REGEX_CASELESS, &regex) < 0)
        return error_text();
    for (size_t i = 0; i < count; i++)
        if (add_literal(table, INDICATOR_PATH_REGEX, list[i].text) < 0) {
            regex_free(regex);
            return error_text();
        }
    indicator->regex = regex;
    table->regexes[table->regex_count++] = (uint32_t)table->count;
    return NULL;
}

/* --- filling --- */

static const char *prepare(struct indicator_table *table, struct indicator *indicator,
                           struct slice text)
{
    uint8_t key[KEY_MOST];
    size_t size = 0;

    if (text.size == 0 || text.size > KEY_MOST)
        return text.size ? "too long" : "empty";
    if (indicator->kind == INDICATOR_PATH_REGEX) {
        indicator->key = arena_copy(table->arena, text);
        return indicator->key.data ? add_regex(table, indicator) : "out of memory";
    }
    const char *problem = key_of((enum indicator_kind)indicator->kind, text, key, &size);
    if (problem)
        return problem;
    indicator->key = arena_copy(table->arena, slice_of(key, size));
    if (!indicator->key.data)
        return "out of memory";
    return indicator->kind <= INDICATOR_ADDRESS
               ? NULL
               : add_text_literal(table, (enum indicator_kind)indicator->kind, indicator->key);
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

static bool is_looked_for(const struct text_literal *literal, bool requests)
{
    return !requests || indicator_in_requests(literal->kind);
}

/* Brings the literals that the prefilter is to look for to the front; gives their count. Those
 * without a dot are among them as long as they are few, for a pass of their own costs more. */
static size_t put_narrow_first(struct indicator_table *table)
{
    size_t first = 0, plain = 0;

    for (size_t i = 0; i < table->literal_count; i++)
        plain += !indicator_grams_cheap(table->literals[i].text);
    for (size_t i = 0; i < table->literal_count; i++) {
        const struct text_literal literal = table->literals[i];
        if (literal.kind != INDICATOR_PATH_REGEX &&
            (plain > LITERALS_FEW || indicator_grams_cheap(literal.text)))
            continue;
        table->literals[i] = table->literals[first];
        table->literals[first++] = literal;
    }
    return first;
}

static int make_wide(struct indicator_table *table, size_t first, bool requests)
{
    struct literal *list = calloc(table->literal_count - first + 1, sizeof *list);
    size_t count = 0;

    if (!list)
        return error_set("out of memory");
    table->wide_lists[requests] = list;
    for (size_t i = first; i < table->literal_count; i++)
        if (is_looked_for(&table->literals[i], requests))
            list[count++].text = table->literals[i].text;
    return indicator_grams_new(list, count, &table->wide[requests]);
}

/* Of very many literals the prefilter is left a few. */
static int divide_literals(struct indicator_table *table)
{
    if (table->literal_count <= LITERALS_FEW)
        return 0;
    const size_t narrow = put_narrow_first(table);
    if (make_wide(table, narrow, false) < 0 || make_wide(table, narrow, true) < 0)
        return -1;
    table->literal_count = narrow;
    return 0;
}

int indicator_table_compile(struct indicator_table *table)
{
    size_t slots = 64, binary = 0;

    if (divide_literals(table) < 0)
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
        uint8_t key[ADDRESS_KEY];
        if (v4 && table->bits[i] < 96)
            continue;
        memcpy(key, address, 16);
        mask_address(key, table->bits[i]);
        key[16] = (uint8_t)table->bits[i];
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
    *number = table->literals[index].number;
    return table->literals[index].text;
}

const struct indicator_grams *indicator_wide(const struct indicator_table *table, bool requests)
{
    return table->wide[requests];
}

bool indicator_in_requests(enum indicator_kind kind)
{
    return kind <= INDICATOR_URL || kind == INDICATOR_USER_AGENT || kind == INDICATOR_POST_URI ||
           kind == INDICATOR_EMAIL;
}

size_t indicator_literal_count(const struct indicator_table *table)
{
    return table->literal_count;
}

void indicator_literals(const struct indicator_table *table, bool requests, struct literal *list,
                        size_t *count)
{
    *count = 0;
    for (size_t i = 0; i < table->literal_count; i++) {
        const struct text_literal *literal = &table->literals[i];
        if (is_looked_for(literal, requests))
            list[(*count)++].text = literal->text;
    }
}
