#include "triage/formats/hive_log.h"

#include <string.h>

enum {
    BASE_BLOCK_SIZE = 4096,
    LOG_BASE_SIZE =
        512, /* of the base block that a log starts with; its entries are aligned so too */
    SECTOR_SIZE = 512,
    BIN_ALIGNMENT = 4096,
    CHECKSUM_AT = 508,
    TYPE_PRIMARY = 0,
    TYPE_WITH_ENTRIES = 6,
    ENTRY_HEADER_SIZE = 40,
    HASHED_HEADER_SIZE = 32,
    REFERENCE_SIZE = 8,
};

/* An entry whose hashes and references are right. */
struct entry {
    uint32_t sequence, flags, bins_size, page_count;
    struct slice references, pages;
};

/* The entries of one log that follow on each other. */
struct run {
    struct slice log;
    size_t at; /* of the first entry that is not yet part of the hive */
    uint32_t first, last;
};

static uint32_t get32(const uint8_t *at)
{
    return at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

static void put32(uint8_t *at, uint32_t number)
{
    for (unsigned i = 0; i < 4; i++)
        at[i] = (uint8_t)(number >> 8 * i);
}

static uint32_t rotated(uint32_t number, unsigned bits)
{
    return number << bits | number >> (32 - bits);
}

static void mix(uint32_t *low, uint32_t *high)
{
    *high ^= *low;
    *low = rotated(*low, 20) + *high;
    *high = rotated(*high, 9) ^ *low;
    *low = rotated(*low, 27) + *high;
    *high = rotated(*high, 19);
}

uint64_t hive_log_hash(struct slice bytes)
{
    uint32_t low = 0x7A4E55C5, high = 0x82EF4D88;
    uint8_t tail[4] = {0};
    size_t at = 0;

    for (; at + 4 <= bytes.size; at += 4) {
        low += get32(bytes.data + at);
        mix(&low, &high);
    }
    if (at < bytes.size)
        memcpy(tail, bytes.data + at, bytes.size - at);
    tail[bytes.size - at] = 0x80;
    low += get32(tail);
    mix(&low, &high);
    mix(&low, &high);
    return low | (uint64_t)high << 32;
}

static uint32_t checksum(const uint8_t *base_block)
{
    uint32_t sum = 0;

    for (size_t at = 0; at < CHECKSUM_AT; at += 4)
        sum ^= get32(base_block + at);
    if (sum == 0xFFFFFFFF)
        return 0xFFFFFFFE;
    return sum ? sum : 1;
}

static bool has_base_block(struct slice bytes)
{
    return bytes.size >= LOG_BASE_SIZE && slice_starts(bytes, "regf") &&
           get32(bytes.data + CHECKSUM_AT) == checksum(bytes.data);
}

bool hive_log_is_needed(struct slice hive)
{
    return !has_base_block(hive) || get32(hive.data + 4) != get32(hive.data + 8);
}

static bool references_fit(const struct entry *entry)
{
    uint64_t sum = 0;

    for (uint32_t i = 0; i < entry->page_count; i++) {
        const uint8_t *reference = entry->references.data + (size_t)i * REFERENCE_SIZE;
        const uint32_t offset = get32(reference), size = get32(reference + 4);
        if (size > entry->bins_size || offset > entry->bins_size - size)
            return false;
        sum += size;
    }
    return sum <= entry->pages.size;
}

/* Gives the entry's size, 0 when there is no valid entry at `at`. */
static uint32_t read_entry(struct slice log, size_t at, struct entry *entry)
{
    const struct slice rest = slice_from(log, at);

    if (rest.size < ENTRY_HEADER_SIZE || !slice_starts(rest, "HvLE"))
        return 0;
    struct cursor c = cursor_over(rest, at);
    cursor_skip(&c, 4);
    const uint32_t size = cursor_u32le(&c);
    entry->flags = cursor_u32le(&c);
    entry->sequence = cursor_u32le(&c);
    entry->bins_size = cursor_u32le(&c);
    entry->page_count = cursor_u32le(&c);
    const uint64_t content_hash = cursor_u64le(&c), header_hash = cursor_u64le(&c);
    if (size < ENTRY_HEADER_SIZE || size > rest.size || size % SECTOR_SIZE ||
        entry->bins_size % BIN_ALIGNMENT ||
        entry->page_count > (size - ENTRY_HEADER_SIZE) / REFERENCE_SIZE)
        return 0;
    if (hive_log_hash(slice_part(rest, 0, HASHED_HEADER_SIZE)) != header_hash ||
        hive_log_hash(slice_part(rest, ENTRY_HEADER_SIZE, size - ENTRY_HEADER_SIZE)) !=
            content_hash)
        return 0;
    entry->references = cursor_take(&c, (size_t)entry->page_count * REFERENCE_SIZE);
    entry->pages = cursor_take(&c, size - ENTRY_HEADER_SIZE - entry->references.size);
    return references_fit(entry) ? size : 0;
}

/* False when the log has no entry that belongs behind `from`. */
static bool find_run(struct slice log, uint32_t from, struct run *run)
{
    struct entry entry;
    size_t at = LOG_BASE_SIZE;
    uint32_t size;
    bool found = false;

    while ((size = read_entry(log, at, &entry)) != 0) {
        if (found && entry.sequence != run->last + 1)
            break;
        if (!found && entry.sequence >= from) {
            *run = (struct run){log, at, entry.sequence, entry.sequence};
            found = true;
        }
        if (found)
            run->last = entry.sequence;
        at += size;
    }
    return found;
}

/* Grows with zeroes; false when there is no room. */
static bool grow(struct hive_image *hive, uint32_t bins_size)
{
    const uint64_t size = (uint64_t)BASE_BLOCK_SIZE + bins_size;

    if (size > hive->room)
        return false;
    if (size > hive->size) {
        memset(hive->bytes + hive->size, 0, (size_t)size - hive->size);
        hive->size = (size_t)size;
    }
    return true;
}

static void stamp(struct hive_image *hive, uint32_t sequence, uint32_t bins_size)
{
    put32(hive->bytes + 4, sequence);
    put32(hive->bytes + 8, sequence);
    put32(hive->bytes + 40, bins_size);
    put32(hive->bytes + CHECKSUM_AT, checksum(hive->bytes));
}

static bool apply_entry(struct hive_image *hive, const struct entry *entry,
                        struct hive_replay *replay)
{
    size_t at = 0;

    if (!grow(hive, entry->bins_size)) {
        replay->problem = "an entry makes the hive larger than its logs can account for";
        return false;
    }
    for (uint32_t i = 0; i < entry->page_count; i++) {
        const uint8_t *reference = entry->references.data + (size_t)i * REFERENCE_SIZE;
        const uint32_t offset = get32(reference), size = get32(reference + 4);
        if (size)
            memcpy(hive->bytes + BASE_BLOCK_SIZE + offset, entry->pages.data + at, size);
        at += size;
    }
    put32(hive->bytes + 144, entry->flags);
    stamp(hive, entry->sequence, entry->bins_size);
    replay->pages += entry->page_count;
    if (replay->entries++ == 0)
        replay->first = entry->sequence;
    replay->last = entry->sequence;
    return true;
}

static void apply_run(struct hive_image *hive, const struct run *run, struct hive_replay *replay)
{
    struct entry entry;
    size_t at = run->at;
    uint32_t size;

    while ((size = read_entry(run->log, at, &entry)) != 0) {
        if ((replay->entries && entry.sequence != replay->last + 1) ||
            !apply_entry(hive, &entry, replay))
            return;
        at += size;
    }
}

static void apply_runs(struct hive_image *hive, const struct slice logs[HIVE_LOGS], uint32_t from,
                       struct hive_replay *replay)
{
    struct run runs[HIVE_LOGS];
    size_t count = 0;

    for (size_t i = 0; i < HIVE_LOGS; i++)
        if (has_base_block(logs[i]) && get32(logs[i].data + 28) == TYPE_WITH_ENTRIES &&
            find_run(logs[i], from, &runs[count]))
            count++;
    if (count == 0)
        return;
    const bool swapped = count == 2 && runs[1].first < runs[0].first;
    const struct run *first = &runs[swapped];
    replay->gap = first->first != from;
    apply_run(hive, first, replay);
    if (count < 2 || replay->problem)
        return;
    const struct run *second = &runs[!swapped];
    if (second->first == replay->last + 1)
        apply_run(hive, second, replay);
    else
        replay->problem = "the entries of the second log do not follow those of the first";
}

static bool is_set(struct slice bitmap, size_t bit)
{
    return bitmap.data[bit / 8] >> bit % 8 & 1;
}

/* The older format: "DIRT", a bit for each sector of the bins, then the sectors whose bit is set.
 */
static void apply_sectors(struct hive_image *hive, struct slice log, struct hive_replay *replay)
{
    const uint32_t bins_size = get32(log.data + 40);
    const size_t bits = bins_size / SECTOR_SIZE, before = hive->size;
    const struct slice bitmap = slice_part(log, LOG_BASE_SIZE + 4, (bits + 7) / 8);
    size_t at = (LOG_BASE_SIZE + 4 + bitmap.size + SECTOR_SIZE - 1) / SECTOR_SIZE * SECTOR_SIZE;

    if (bitmap.size < (bits + 7) / 8 || bins_size % BIN_ALIGNMENT || !grow(hive, bins_size)) {
        replay->problem = "the log's size of the hive is impossible";
        return;
    }
    for (size_t bit = 0; bit < bits; bit++) {
        if (!is_set(bitmap, bit))
            continue;
        const struct slice sector = slice_part(log, at, SECTOR_SIZE);
        if (sector.size < SECTOR_SIZE) {
            replay->problem = "the log is cut short";
            break;
        }
        memcpy(hive->bytes + BASE_BLOCK_SIZE + bit * SECTOR_SIZE, sector.data, SECTOR_SIZE);
        replay->pages++;
        at += SECTOR_SIZE;
    }
    if (replay->pages == 0) { /* nothing was changed, so the hive is no newer than it was */
        hive->size = before;
        return;
    }
    replay->entries = 1;
    replay->first = replay->last = get32(log.data + 4);
    stamp(hive, replay->last, bins_size);
}

/* Such a log belongs to the hive when both base blocks have the same time of the last write. */
static bool has_sectors_of(struct slice log, const struct hive_image *hive)
{
    return has_base_block(log) && get32(log.data + 28) != TYPE_WITH_ENTRIES &&
           get32(log.data + 4) == get32(log.data + 8) &&
           slice_starts(slice_from(log, LOG_BASE_SIZE), "DIRT") &&
           memcmp(log.data + 12, hive->bytes + 12, 8) == 0;
}

/* A base block that does not verify is taken from the log that was started last. */
static bool restore_base_block(struct hive_image *hive, const struct slice logs[HIVE_LOGS])
{
    const uint8_t *newest = NULL;

    for (size_t i = 0; i < HIVE_LOGS; i++)
        if (has_base_block(logs[i]) && (!newest || get32(logs[i].data + 4) > get32(newest + 4)))
            newest = logs[i].data;
    if (!newest)
        return false;
    memcpy(hive->bytes, newest, LOG_BASE_SIZE);
    put32(hive->bytes + 28, TYPE_PRIMARY);
    put32(hive->bytes + CHECKSUM_AT, checksum(hive->bytes));
    return true;
}

/* The sequence number that the first entry should have: the lowest of the logs when the hive's own
 * is lost. */
static uint32_t expected(const struct hive_image *hive, const struct slice logs[HIVE_LOGS],
                         bool restored)
{
    uint32_t lowest = get32(hive->bytes + 8);

    for (size_t i = 0; restored && i < HIVE_LOGS; i++)
        if (has_base_block(logs[i]) && get32(logs[i].data + 4) < lowest)
            lowest = get32(logs[i].data + 4);
    return lowest;
}

void hive_log_replay(struct hive_image *hive, const struct slice logs[HIVE_LOGS],
                     struct hive_replay *replay)
{
    *replay = (struct hive_replay){0};
    if (hive->size < BASE_BLOCK_SIZE || !hive_log_is_needed(slice_of(hive->bytes, hive->size)))
        return;
    if (!has_base_block(slice_of(hive->bytes, hive->size))) {
        replay->base_block = restore_base_block(hive, logs);
        if (!replay->base_block)
            return;
    }
    apply_runs(hive, logs, expected(hive, logs, replay->base_block), replay);
    for (size_t i = 0; replay->entries == 0 && i < HIVE_LOGS; i++)
        if (has_sectors_of(logs[i], hive))
            apply_sectors(hive, logs[i], replay);
}
