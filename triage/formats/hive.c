#include "triage/formats/hive.h"

#include "triage/base/error.h"
#include "triage/base/utf16.h"
#include "triage/formats/hive_log.h"

#include <stdlib.h>
#include <string.h>

enum {
    BASE_BLOCK_SIZE = 4096,
    BIN_HEADER_SIZE = 32,
    BIN_ALIGNMENT = 4096,
    KEY_SIZE = 76,
    VALUE_SIZE = 20,
    SECURITY_SIZE = 20,
    LIST_HEADER_SIZE = 4,
    PART_SIZE = 16344, /* bytes in each part of a big value */
    KEY_NAME_IS_LATIN1 = 0x20,
    VALUE_NAME_IS_LATIN1 = 1,
    FIRST_VERSION_WITH_PARTS = 4,
};

static const uint32_t NOWHERE = 0xFFFFFFFF, DATA_IN_PLACE = 0x80000000;

struct hive {
    struct slice bytes;
    struct instant written;
    struct hive_key root;
    uint32_t version_minor;
    bool dirty, quiet;
    uint64_t damage_count, damage_offset;
    const char *damage;
};

/* Little-endian numbers at a fixed place of a structure; 0 outside of it. */
static inline uint16_t u16_at(struct slice bytes, size_t at)
{
    if (bytes.size < 2 || at > bytes.size - 2)
        return 0;
    return (uint16_t)(bytes.data[at] | bytes.data[at + 1] << 8);
}

static inline uint32_t u32_at(struct slice bytes, size_t at)
{
    if (bytes.size < 4 || at > bytes.size - 4)
        return 0;
    const uint8_t *data = bytes.data + at;
    return data[0] | (uint32_t)data[1] << 8 | (uint32_t)data[2] << 16 | (uint32_t)data[3] << 24;
}

static inline uint64_t u64_at(struct slice bytes, size_t at)
{
    return u32_at(bytes, at) | (uint64_t)u32_at(bytes, at + 4) << 32;
}

static inline bool has_tag(struct slice cell, const char tag[2])
{
    return cell.size >= 2 && cell.data[0] == (uint8_t)tag[0] && cell.data[1] == (uint8_t)tag[1];
}

static void damaged(struct hive *hive, uint64_t cell, const char *what)
{
    if (hive->quiet)
        return;
    if (hive->damage_count++ == 0) {
        hive->damage = what;
        hive->damage_offset = BASE_BLOCK_SIZE + cell;
    }
}

/* The content of the cell at `offset` from the first bin, without its size; empty when there is
 * none or it does not fit. */
static struct slice cell_at(struct hive *hive, uint32_t offset)
{
    const struct slice bins = slice_from(hive->bytes, BASE_BLOCK_SIZE);

    if (offset == NOWHERE)
        return slice_of(NULL, 0);
    const uint32_t recorded = u32_at(bins, offset);
    const bool used = recorded & 0x80000000;
    const uint32_t size = used ? -recorded : recorded;
    if (offset < BIN_HEADER_SIZE || offset % 8 || offset >= bins.size ||
        size > bins.size - offset || size <= 4) {
        damaged(hive, offset, "a cell lies outside of the hive or its size is impossible");
        return slice_of(NULL, 0);
    }
    if (!used)
        damaged(hive, offset, "a cell that is referred to is marked as free");
    return slice_of(bins.data + offset + 4, size - 4);
}

static bool read_key(struct hive *hive, uint32_t offset, struct hive_key *key)
{
    const struct slice cell = cell_at(hive, offset);

    if (cell.size < KEY_SIZE || !has_tag(cell, "nk")) {
        damaged(hive, offset, "a key cannot be read");
        return false;
    }
    const uint16_t name_size = u16_at(cell, 72);
    *key = (struct hive_key){
        .cell = offset,
        .flags = u16_at(cell, 2),
        .written = instant_from_filetime(u64_at(cell, 4)),
        .parent = u32_at(cell, 16),
        .subkey_count = u32_at(cell, 20),
        .subkey_list = u32_at(cell, 28),
        .value_count = u32_at(cell, 36),
        .value_list = u32_at(cell, 40),
        .security = u32_at(cell, 44),
        .class_cell = u32_at(cell, 48),
        .class_size = u16_at(cell, 74),
        .name = {slice_part(cell, KEY_SIZE, name_size), u16_at(cell, 2) & KEY_NAME_IS_LATIN1},
    };
    if (key->name.bytes.size < name_size)
        damaged(hive, offset, "the name of a key is cut short");
    return true;
}

static bool read_value(struct hive *hive, uint32_t offset, struct hive_value *value)
{
    const struct slice cell = cell_at(hive, offset);

    if (cell.size < VALUE_SIZE || !has_tag(cell, "vk")) {
        damaged(hive, offset, "a value cannot be read");
        return false;
    }
    const uint16_t name_size = u16_at(cell, 2);
    const uint32_t data_size = u32_at(cell, 4);
    *value = (struct hive_value){
        .cell = offset,
        .data_size = data_size & ~DATA_IN_PLACE,
        .data_cell = u32_at(cell, 8),
        .type = u32_at(cell, 12),
        .name = {slice_part(cell, VALUE_SIZE, name_size), u16_at(cell, 16) & VALUE_NAME_IS_LATIN1},
    };
    if (data_size & DATA_IN_PLACE)
        value->in_place = slice_of(cell.data + 8, value->data_size < 4 ? value->data_size : 4);
    if (value->name.bytes.size < name_size || (value->in_place.data && value->data_size > 4))
        damaged(hive, offset, "the name or the data of a value is cut short");
    return true;
}

/* Bins stand one behind the other; the first that does not is told, as cells in it may be wrong. */
static void check_bins(struct hive *hive, uint32_t recorded_size)
{
    const struct slice bins = slice_from(hive->bytes, BASE_BLOCK_SIZE);
    size_t at = 0;

    if (recorded_size > bins.size)
        damaged(hive, bins.size, "the hive is cut short");
    while (at < recorded_size && at < bins.size) {
        const struct slice bin = slice_from(bins, at);
        const uint32_t size = u32_at(bin, 8);
        if (!slice_starts(bin, "hbin") || u32_at(bin, 4) != at || size < BIN_ALIGNMENT ||
            size % BIN_ALIGNMENT || size > bin.size) {
            damaged(hive, at, "the header of a bin is wrong");
            return;
        }
        at += size;
    }
}

int hive_open(struct slice bytes, struct arena *arena, struct hive **out)
{
    if (bytes.size < BASE_BLOCK_SIZE + BIN_HEADER_SIZE || !slice_starts(bytes, "regf"))
        return error_set("not a registry hive");
    struct hive *hive = arena_take(arena, sizeof *hive);
    if (!hive)
        return -1;
    hive->bytes = bytes;
    hive->written = instant_from_filetime(u64_at(bytes, 12));
    hive->version_minor = u32_at(bytes, 24);
    hive->dirty = hive_log_is_needed(bytes);
    check_bins(hive, u32_at(bytes, 40));
    if (!read_key(hive, u32_at(bytes, 36), &hive->root))
        return error_set("the hive has no readable root key");
    *out = hive;
    return 0;
}

bool hive_is_dirty(const struct hive *hive)
{
    return hive->dirty;
}

struct instant hive_written(const struct hive *hive)
{
    return hive->written;
}

uint64_t hive_damage(const struct hive *hive, const char **first, uint64_t *offset)
{
    *first = hive->damage;
    *offset = hive->damage_offset;
    return hive->damage_count;
}

bool hive_be_quiet(struct hive *hive, bool quiet)
{
    const bool before = hive->quiet;

    hive->quiet = quiet;
    return before;
}

struct slice hive_bins(const struct hive *hive)
{
    return slice_from(hive->bytes, BASE_BLOCK_SIZE);
}

bool hive_key_at(struct hive *hive, uint32_t cell, struct hive_key *key)
{
    return read_key(hive, cell, key);
}

bool hive_value_at(struct hive *hive, uint32_t cell, struct hive_value *value)
{
    return read_value(hive, cell, value);
}

struct slice hive_value_slots(struct hive *hive, const struct hive_key *key)
{
    return cell_at(hive, key->value_list);
}

struct hive_key hive_root(const struct hive *hive)
{
    return hive->root;
}

/* Opens the list cell: "lf" and "lh" hold (key, hash) pairs, "li" keys, "ri" further lists. */
static bool read_list(struct hive *hive, uint32_t offset, struct hive_list *list)
{
    const struct slice cell = cell_at(hive, offset);
    const bool hashed = has_tag(cell, "lf") || has_tag(cell, "lh");
    const bool of_lists = has_tag(cell, "ri");

    if (!hashed && !of_lists && !has_tag(cell, "li")) {
        damaged(hive, offset, "a list of keys cannot be read");
        return false;
    }
    const uint32_t stride = hashed ? 8 : 4;
    const struct slice entries = slice_from(cell, LIST_HEADER_SIZE);
    const uint32_t recorded = u16_at(cell, 2), room = (uint32_t)(entries.size / stride);
    if (recorded > room)
        damaged(hive, offset, "a list of keys is cut short");
    *list = (struct hive_list){entries, stride, 0, recorded < room ? recorded : room, of_lists};
    return true;
}

struct hive_subkeys hive_subkeys(struct hive *hive, const struct hive_key *key)
{
    struct hive_subkeys subkeys = {.hive = hive, .left = key->subkey_count};
    const size_t most = hive->bytes.size / KEY_SIZE;

    if (subkeys.left > most) {
        damaged(hive, key->cell, "a key claims more subkeys than the hive can hold");
        subkeys.left = (uint32_t)most;
    }
    subkeys.lists_left = subkeys.left + HIVE_LIST_DEPTH;
    if (subkeys.left && read_list(hive, key->subkey_list, &subkeys.lists[0]))
        subkeys.depth = 1;
    return subkeys;
}

/* Steps down into a list of lists, or takes a key: gives the cell of the next key, NOWHERE when a
 * step led to none. */
static uint32_t next_entry(struct hive_subkeys *subkeys, struct hive_list *list)
{
    const uint32_t cell = u32_at(list->entries, (size_t)list->at++ * list->stride);

    if (!list->of_lists)
        return cell;
    if (subkeys->depth == HIVE_LIST_DEPTH || subkeys->lists_left == 0) {
        damaged(subkeys->hive, cell, "lists of keys are nested too deeply or are too many");
        subkeys->left = 0;
        return NOWHERE;
    }
    subkeys->lists_left--;
    if (read_list(subkeys->hive, cell, &subkeys->lists[subkeys->depth]))
        subkeys->depth++;
    return NOWHERE;
}

bool hive_next_subkey(struct hive_subkeys *subkeys, struct hive_key *key)
{
    while (subkeys->depth && subkeys->left) {
        struct hive_list *list = &subkeys->lists[subkeys->depth - 1];
        if (list->at >= list->count) {
            subkeys->depth--;
            continue;
        }
        const uint32_t cell = next_entry(subkeys, list);
        if (cell == NOWHERE)
            continue;
        subkeys->left--;
        if (read_key(subkeys->hive, cell, key))
            return true;
    }
    return false;
}

struct hive_values hive_values(struct hive *hive, const struct hive_key *key)
{
    struct hive_values values = {.hive = hive};

    if (key->value_count == 0)
        return values;
    values.entries = cell_at(hive, key->value_list);
    values.count = key->value_count;
    if (values.count > values.entries.size / 4) {
        damaged(hive, key->cell, "the list of a key's values is cut short");
        values.count = (uint32_t)(values.entries.size / 4);
    }
    return values;
}

bool hive_next_value(struct hive_values *values, struct hive_value *value)
{
    while (values->at < values->count)
        if (read_value(values->hive, u32_at(values->entries, (size_t)values->at++ * 4), value))
            return true;
    return false;
}

/* The parts that the cell "db" names, one behind the other. */
static struct slice join_parts(struct hive *hive, struct slice cell, uint32_t size,
                               struct arena *arena)
{
    const struct slice list = cell_at(hive, u32_at(cell, 4));
    const uint32_t recorded = u16_at(cell, 2), room = (uint32_t)(list.size / 4);
    const uint32_t count = recorded < room ? recorded : room;
    const size_t most = (size_t)count * PART_SIZE;
    const size_t left = size < most ? size : most;
    uint8_t *data = left <= hive->bytes.size ? arena_take(arena, left) : NULL;
    size_t used = 0;

    for (uint32_t i = 0; data && i < count && used < left; i++) {
        const size_t wanted = left - used < PART_SIZE ? left - used : PART_SIZE;
        const struct slice part = slice_part(cell_at(hive, u32_at(list, (size_t)i * 4)), 0, wanted);
        if (part.size)
            memcpy(data + used, part.data, part.size);
        used += part.size;
        if (part.size < wanted)
            break; /* what follows would stand in the wrong place */
    }
    return slice_of(data, used);
}

struct slice hive_data(struct hive *hive, const struct hive_value *value, struct arena *arena)
{
    if (value->in_place.data || value->data_size == 0)
        return value->in_place;
    const struct slice cell = cell_at(hive, value->data_cell);
    const bool parts = value->data_size > PART_SIZE && has_tag(cell, "db") &&
                       hive->version_minor >= FIRST_VERSION_WITH_PARTS;
    const struct slice data = parts ? join_parts(hive, cell, value->data_size, arena)
                                    : slice_part(cell, 0, value->data_size);
    if (data.size < value->data_size)
        damaged(hive, value->cell, "the data of a value is cut short");
    return data;
}

/* REG_MULTI_SZ: texts ended by NUL, the list ended by an empty one. */
static char *join_texts(struct slice data, struct arena *arena)
{
    char *text;

    while (data.size >= 2 && u16_at(data, data.size / 2 * 2 - 2) == 0)
        data.size = data.size / 2 * 2 - 2;
    const size_t units = data.size / 2;
    uint8_t *lines = arena_take(arena, units * 2);
    if (!lines)
        return NULL;
    for (size_t i = 0; i < units * 2; i += 2) {
        const bool end = u16_at(data, i) == 0;
        lines[i] = end ? '\n' : data.data[i];
        lines[i + 1] = data.data[i + 1];
    }
    text = utf16_to_text(arena, slice_of(lines, units * 2), false);
    return text;
}

char *hive_text(struct hive *hive, const struct hive_value *value, struct arena *arena)
{
    switch (value->type) {
    case HIVE_TEXT:
    case HIVE_EXPANDED_TEXT:
    case HIVE_LINK:
        return utf16_to_text(arena, hive_data(hive, value, arena), true);
    case HIVE_TEXTS:
        return join_texts(hive_data(hive, value, arena), arena);
    default:
        return NULL;
    }
}

bool hive_number(struct hive *hive, const struct hive_value *value, uint64_t *number)
{
    const bool is_long = value->type == HIVE_LONG_NUMBER;

    if (value->type != HIVE_NUMBER && value->type != HIVE_NUMBER_BIG_ENDIAN && !is_long)
        return false;
    const struct slice cell = value->in_place.data || value->data_size == 0
                                  ? value->in_place
                                  : cell_at(hive, value->data_cell);
    const struct slice data = slice_part(cell, 0, value->data_size);
    if (data.size < (is_long ? 8u : 4u))
        return false;
    const uint32_t small = u32_at(data, 0);
    if (is_long)
        *number = u64_at(data, 0);
    else
        *number = value->type == HIVE_NUMBER ? small : __builtin_bswap32(small);
    return true;
}

struct slice hive_security(struct hive *hive, const struct hive_key *key)
{
    const struct slice cell = cell_at(hive, key->security);

    if (!has_tag(cell, "sk"))
        return slice_of(NULL, 0);
    return slice_part(cell, SECURITY_SIZE, u32_at(cell, 16));
}

struct slice hive_class(struct hive *hive, const struct hive_key *key)
{
    if (key->class_size == 0)
        return slice_of(NULL, 0);
    return slice_part(cell_at(hive, key->class_cell), 0, key->class_size);
}

struct walk {
    struct hive *hive;
    int (*visit)(void *context, const char *path, const struct hive_key *key);
    void *context;
    uint8_t *seen;      /* a bit for each place where a key can start */
    struct buffer path; /* of the key that is visited */
    size_t steps_left;  /* entries that a sound hive of this size can have at most */
};

static bool mark_seen(struct walk *walk, uint32_t cell)
{
    uint8_t *byte = &walk->seen[cell / 8 / 8];
    const uint8_t bit = (uint8_t)(1 << cell / 8 % 8);

    if (*byte & bit)
        return false;
    *byte |= bit;
    return true;
}

static int walk_key(struct walk *walk, const struct hive_key *key, unsigned depth)
{
    struct hive_subkeys subkeys = hive_subkeys(walk->hive, key);
    const size_t path_size = walk->path.size;
    struct hive_key child;
    int result = walk->visit(walk->context, buffer_text(&walk->path), key);

    while (result == 0 && walk->steps_left && hive_next_subkey(&subkeys, &child)) {
        walk->steps_left--;
        if (depth == HIVE_KEY_DEPTH || !mark_seen(walk, child.cell)) {
            damaged(walk->hive, child.cell, "a key lies in two places or too deep");
            continue;
        }
        if (path_size)
            buffer_add_byte(&walk->path, '\\');
        hive_append_name(&walk->path, child.name);
        result = walk_key(walk, &child, depth + 1);
        walk->path.size = path_size;
    }
    return result;
}

int hive_walk(struct hive *hive,
              int (*visit)(void *context, const char *path, const struct hive_key *key),
              void *context)
{
    struct walk walk = {.hive = hive, .visit = visit, .context = context};
    int result = -1;

    walk.steps_left = hive->bytes.size / 8;
    walk.seen = calloc(hive->bytes.size / 64 + 1, 1);
    if (!walk.seen) {
        error_set("out of memory");
        goto out;
    }
    mark_seen(&walk, hive->root.cell);
    result = walk_key(&walk, &hive->root, 0);
    if (result == 0 && buffer_failed(&walk.path))
        result = error_set("out of memory");
out:
    buffer_release(&walk.path);
    free(walk.seen);
    return result;
}
