#include "triage/formats/hive_recover.h"

#include "triage/base/error.h"

#include <stdlib.h>
#include <string.h>

enum {
    BASE_BLOCK_SIZE = 4096,
    BIN_HEADER_SIZE = 32,
    BIN_ALIGNMENT = 4096,
    CELL_ALIGNMENT = 8,
    NAME_CEILING = 1024,   /* bytes; names have at most 255 units, those of values 16383 */
    MOST_VALUES = 1 << 16, /* of one deleted key */
    MOST_TYPE = 12,
    IN_PLACE_SIZE = 4,
};

/* 1990 to 2100 as FILETIME. */
static const int64_t EARLIEST = INT64_C(122756256000000000), LATEST = INT64_C(157469184000000000);

struct recovery {
    struct hive *hive;
    struct slice bins;
    uint8_t *free_cells, *known; /* a bit for every 8 bytes of the bins */
    size_t steps_left; /* looks at keys and values that may still come: crafted hives end here */
    struct buffer path;
    int (*visit)(void *context, const struct hive_recovered *found);
    void *context;
};

static uint32_t get32(struct slice bytes, size_t at)
{
    const struct slice part = slice_part(bytes, at, 4);

    if (part.size < 4)
        return 0;
    return part.data[0] | (uint32_t)part.data[1] << 8 | (uint32_t)part.data[2] << 16 |
           (uint32_t)part.data[3] << 24;
}

static bool bit_of(const struct recovery *recovery, const uint8_t *bits, uint32_t cell)
{
    return cell < recovery->bins.size && bits[cell / 64] >> cell / 8 % 8 & 1;
}

static void set_bit(const struct recovery *recovery, uint8_t *bits, uint32_t cell)
{
    if (cell < recovery->bins.size)
        bits[cell / 64] |= (uint8_t)(1 << cell / 8 % 8);
}

static bool is_free(const struct recovery *recovery, uint32_t cell)
{
    return bit_of(recovery, recovery->free_cells, cell);
}

static bool is_known(const struct recovery *recovery, uint32_t cell)
{
    return bit_of(recovery, recovery->known, cell);
}

/* Calls `take` for each cell of each bin; a bin that cannot be followed is left at its next page.
 */
static int each_cell(struct recovery *recovery,
                     int (*take)(struct recovery *recovery, uint32_t cell, uint32_t size,
                                 bool used))
{
    const struct slice bins = recovery->bins;

    for (size_t bin = 0; bin + BIN_HEADER_SIZE <= bins.size;) {
        const uint32_t recorded = get32(bins, bin + 8);
        const bool sound = slice_starts(slice_from(bins, bin), "hbin") && recorded &&
                           recorded % BIN_ALIGNMENT == 0 && recorded <= bins.size - bin;
        const size_t end = bin + (sound ? recorded : BIN_ALIGNMENT);
        for (size_t at = bin + BIN_HEADER_SIZE; sound && at + CELL_ALIGNMENT <= end;) {
            const uint32_t header = get32(bins, at);
            const bool used = header & 0x80000000;
            const uint32_t size = used ? -header : header;
            if (size < CELL_ALIGNMENT || size % CELL_ALIGNMENT || size > end - at)
                break;
            const int result = take(recovery, (uint32_t)at, size, used);
            if (result != 0)
                return result;
            at += size;
        }
        bin = end;
    }
    return 0;
}

static int mark_free(struct recovery *recovery, uint32_t cell, uint32_t size, bool used)
{
    for (uint32_t at = cell; !used && at < cell + size; at += CELL_ALIGNMENT)
        set_bit(recovery, recovery->free_cells, at);
    return 0;
}

/* Printable in whichever form it claims to have. */
static bool is_name(struct hive_name name)
{
    const size_t stride = name.latin1 ? 1 : 2;

    if (name.bytes.size > NAME_CEILING || name.bytes.size % stride)
        return false;
    for (size_t i = 0; i < name.bytes.size; i += stride)
        if (name.bytes.data[i] < 0x20 && (name.latin1 || name.bytes.data[i + 1] == 0))
            return false;
    return true;
}

static bool read_key(struct recovery *recovery, uint32_t cell, struct hive_key *key)
{
    return hive_key_at(recovery->hive, cell, key) && key->name.bytes.size && is_name(key->name) &&
           key->written.ticks >= EARLIEST && key->written.ticks <= LATEST;
}

static bool read_value(struct recovery *recovery, uint32_t cell, struct hive_value *value)
{
    if (!hive_value_at(recovery->hive, cell, value) || !is_name(value->name) ||
        value->type >= MOST_TYPE || value->data_size > recovery->bins.size)
        return false;
    return value->in_place.data || value->data_size == 0 ||
           (value->data_cell % CELL_ALIGNMENT == 0 && value->data_cell < recovery->bins.size);
}

static bool step(struct recovery *recovery)
{
    return recovery->steps_left && recovery->steps_left--;
}

/* "a\b" from the last part to the first: each parent's name goes in front. */
static void put_in_front(struct buffer *path, struct hive_name name)
{
    struct buffer longer = BUFFER_EMPTY;

    hive_append_name(&longer, name);
    if (path->size)
        buffer_add_byte(&longer, '\\');
    buffer_add(&longer, buffer_slice(path));
    buffer_release(path);
    *path = longer;
}

static const char *path_of(struct recovery *recovery, const struct hive_key *key)
{
    const uint32_t root = hive_root(recovery->hive).cell;
    struct hive_key at = *key;
    unsigned depth = 0;

    buffer_clear(&recovery->path);
    while (at.cell != root) {
        put_in_front(&recovery->path, at.name);
        if (++depth == HIVE_KEY_DEPTH || !step(recovery) ||
            !hive_key_at(recovery->hive, at.parent, &at) || !is_name(at.name)) {
            put_in_front(&recovery->path, (struct hive_name){slice_of("?", 1), true});
            break;
        }
    }
    return buffer_text(&recovery->path);
}

static int tell_value(struct recovery *recovery, const struct hive_recovered *of, uint32_t cell,
                      const struct hive_value *value)
{
    struct hive_recovered found = *of;

    set_bit(recovery, recovery->known, cell);
    found.value = value;
    found.offset = BASE_BLOCK_SIZE + (uint64_t)cell;
    found.data_is_lost =
        !value->in_place.data && value->data_size && !is_free(recovery, value->data_cell);
    return recovery->visit(recovery->context, &found);
}

/* Values that the slots from `from` on name and that nothing else refers to. */
static int tell_slots(struct recovery *recovery, const struct hive_recovered *of,
                      struct slice slots, size_t from, size_t to)
{
    struct hive_value value;
    int result = 0;

    for (size_t i = from; result == 0 && i < to && i < slots.size / 4 && step(recovery); i++) {
        const uint32_t cell = get32(slots, i * 4);
        if (cell % CELL_ALIGNMENT == 0 && is_free(recovery, cell) && !is_known(recovery, cell) &&
            read_value(recovery, cell, &value))
            result = tell_value(recovery, of, cell, &value);
    }
    return result;
}

/* A live key: its cells are known from now on. */
static int mark_live(void *context, const char *path, const struct hive_key *key)
{
    struct recovery *recovery = context;
    struct hive_values values = hive_values(recovery->hive, key);
    struct hive_value value;

    (void)path;
    set_bit(recovery, recovery->known, key->cell);
    while (step(recovery) && hive_next_value(&values, &value))
        set_bit(recovery, recovery->known, value.cell);
    return 0;
}

static int tell_live_slack(void *context, const char *path, const struct hive_key *key)
{
    struct recovery *recovery = context;
    const struct hive_recovered of = {.path = path, .key = *key, .key_is_live = true};

    if (key->value_count == 0)
        return 0;
    const struct slice slots = hive_value_slots(recovery->hive, key);
    return tell_slots(recovery, &of, slots, key->value_count, slots.size / 4);
}

static int tell_key(struct recovery *recovery, const struct hive_key *key)
{
    struct hive_recovered found = {.key = *key, .offset = BASE_BLOCK_SIZE + (uint64_t)key->cell};

    set_bit(recovery, recovery->known, key->cell);
    found.path = path_of(recovery, key);
    const int result = recovery->visit(recovery->context, &found);
    if (result || key->value_count == 0 || key->value_count > MOST_VALUES)
        return result;
    return tell_slots(recovery, &found, hive_value_slots(recovery->hive, key), 0, key->value_count);
}

static bool has_tag(const struct recovery *recovery, uint32_t cell, const char *tag)
{
    return slice_starts(slice_part(recovery->bins, (size_t)cell + 4, 2), tag);
}

/* Free cells merge, so old ones may start anywhere within them; a cell in use is only looked at as
 * a whole. */
static int find_keys(struct recovery *recovery, uint32_t cell, uint32_t size, bool used)
{
    const uint32_t end = used ? cell + CELL_ALIGNMENT : cell + size;
    struct hive_key key;
    int result = 0;

    for (uint32_t at = cell; result == 0 && at < end; at += CELL_ALIGNMENT)
        if (has_tag(recovery, at, "nk") && !is_known(recovery, at) && read_key(recovery, at, &key))
            result = tell_key(recovery, &key);
    return result;
}

static int find_values(struct recovery *recovery, uint32_t cell, uint32_t size, bool used)
{
    const struct hive_recovered of = {.path = "?"};
    struct hive_value value;
    int result = 0;

    for (uint32_t at = cell; result == 0 && !used && at < cell + size; at += CELL_ALIGNMENT)
        if (has_tag(recovery, at, "vk") && !is_known(recovery, at) &&
            read_value(recovery, at, &value))
            result = tell_value(recovery, &of, at, &value);
    return result;
}

static int recover(struct recovery *recovery)
{
    int result = each_cell(recovery, mark_free);

    if (result == 0)
        result = hive_walk(recovery->hive, mark_live, recovery);
    if (result == 0)
        result = hive_walk(recovery->hive, tell_live_slack, recovery);
    if (result == 0)
        result = each_cell(recovery, find_keys);
    if (result == 0)
        result = each_cell(recovery, find_values);
    return result;
}

int hive_recover(struct hive *hive, int (*visit)(void *context, const struct hive_recovered *found),
                 void *context)
{
    struct recovery recovery = {
        .hive = hive, .bins = hive_bins(hive), .visit = visit, .context = context};
    const bool quiet = hive_be_quiet(hive, true);
    int result = -1;

    recovery.steps_left = recovery.bins.size / 2;
    recovery.free_cells = calloc(recovery.bins.size / 64 + 1, 1);
    recovery.known = calloc(recovery.bins.size / 64 + 1, 1);
    if (recovery.free_cells && recovery.known)
        result = recover(&recovery);
    else
        error_set("out of memory");
    free(recovery.free_cells);
    free(recovery.known);
    buffer_release(&recovery.path);
    hive_be_quiet(hive, quiet);
    return result;
}
