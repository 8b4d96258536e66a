/*
 * Chunk tables of E01 segment files. Chunks lie in "sectors", their places in "table" with a copy
 * in "table2" (SMART: table and chunks in one). Where both are damaged the chunks are searched.
 */
#include "triage/base/error.h"
#include "triage/evidence/ewf_scan.h"

#include <stdlib.h>

enum {
    TABLE_HEADER_SIZE = 24,
    ENTRIES_MAX = 1 << 24, /* in one table: 512 GiB with the usual chunks */
    RUN_MAX = 1 << 20,
    RECOVERED_MAX = 1 << 20, /* in one run */
};

#define COMPRESSED (UINT32_C(1) << 31)

static int add_run(struct ewf *ewf, struct ewf_run run)
{
    if (ewf->run_count == ewf->run_room) {
        size_t room = ewf->run_room ? 2 * ewf->run_room : 64;
        struct ewf_run *grown = room > RUN_MAX ? NULL : realloc(ewf->runs, room * sizeof *grown);
        if (!grown)
            return error_set("out of memory, or too many chunk tables");
        ewf->runs = grown;
        ewf->run_room = room;
    }
    ewf->runs[ewf->run_count++] = run;
    return 0;
}

int ewf_add_gap(struct ewf *ewf, const char *why)
{
    if (!why)
        return -1;
    return add_run(ewf, (struct ewf_run){.why = why});
}

/* From which entry on the offsets use all 32 bits: behind the first chunk that ends beyond 2 GiB,
 * or that goes back. */
static uint32_t plain_from(const uint32_t *entries, uint32_t count)
{
    for (uint32_t i = 0; i + 1 < count; i++) {
        uint32_t here = entries[i] & INT32_MAX, next = entries[i + 1] & INT32_MAX;
        if (next < here)
            return entries[i + 1] > here ? i + 1 : count;
    }
    return count;
}

struct table {
    uint32_t count, *entries; /* NULL when damaged */
    uint64_t base;
    bool header_holds, sums_hold;
};

static int load_entries(const struct scan *scan, const struct section *section, struct table *table)
{
    uint64_t start = section->at + EWF_DESCRIPTOR_SIZE + TABLE_HEADER_SIZE;
    size_t size = (size_t)table->count * 4;
    uint8_t *bytes = malloc(size + 4);
    ssize_t got;

    if (!bytes)
        return error_set("out of memory");
    got = segment_read(scan->file, start, bytes, size + 4);
    if (got < (ssize_t)size) {
        free(bytes);
        return got < 0 ? -1 : 0;
    }
    struct cursor c = cursor_over(slice_of(bytes, (size_t)got), start);
    uint32_t sum = adler32_of(cursor_take(&c, size));
    /* SMART stores no checksum here: the chunks follow at once. */
    bool has_sum = section->next - start >= size + 4 && scan->chunks_end != 0;
    table->sums_hold = table->header_holds && (!has_sum || cursor_u32le(&c) == sum);
    table->entries = (uint32_t *)bytes;
    ewf_decode_entries(table->entries, table->count);
    return 0;
}

static int load_table(const struct scan *scan, const struct section *section, struct table *table)
{
    uint8_t bytes[TABLE_HEADER_SIZE];
    uint64_t start = section->at + EWF_DESCRIPTOR_SIZE, body = section->next - start;
    struct cursor c = cursor_over(slice_of(bytes, sizeof bytes), start);

    *table = (struct table){0};
    if (body < sizeof bytes ||
        segment_read(scan->file, start, bytes, sizeof bytes) != (ssize_t)sizeof bytes)
        return 0;
    table->count = cursor_u32le(&c);
    cursor_skip(&c, 4);
    table->base = cursor_u64le(&c);
    cursor_skip(&c, 4);
    table->header_holds = cursor_u32le(&c) == adler32_of(slice_of(bytes, TABLE_HEADER_SIZE - 4)) &&
                          table->count <= ENTRIES_MAX && table->base < INT64_MAX;
    if (!table->header_holds || table->count > (body - sizeof bytes) / 4)
        return 0;
    return load_entries(scan, section, table);
}

/* Where the last chunk of a table ends at most: with the body of "sectors", or of the table itself
 * (SMART). */
static uint64_t chunks_end(const struct scan *scan, const struct section *section, uint64_t last)
{
    if (last >= scan->chunks_start && last < scan->chunks_end)
        return scan->chunks_end;
    return last >= section->at ? section->next : section->at;
}

/* SMART's tables stand in front of their chunks, so the file may end between. */
static uint32_t cut_from(const struct ewf_run *run, const uint32_t *entries, uint64_t file_size)
{
    uint32_t index = run->count;

    while (index > 0 && ewf_chunk_start(run, entries, index - 1) >= file_size)
        index--;
    return index;
}

static const char *tables_damaged(struct scan *scan)
{
    const char *why = arena_format(scan->ewf->arena, "the chunk tables in segment '%s' are damaged",
                                   path_name(scan->file->path));

    return why ? why : "a segment's chunk tables are damaged";
}

int scan_add_gap(struct scan *scan)
{
    return ewf_add_gap(scan->ewf, tables_damaged(scan));
}

static struct ewf_run run_of(struct scan *scan, const struct section *section,
                             const struct table *table)
{
    struct ewf_run run = {.segment = scan->index, .base = table->base};

    if (table->header_holds)
        run.count = table->count;
    if (table->sums_hold && table->entries && table->count) {
        run.table_at = section->at + EWF_DESCRIPTOR_SIZE + TABLE_HEADER_SIZE;
        run.plain_from = plain_from(table->entries, table->count);
        run.end = chunks_end(scan, section, ewf_chunk_start(&run, table->entries, run.count - 1));
        run.cut_from = cut_from(&run, table->entries, scan->file->size);
    } else {
        run.why = tables_damaged(scan);
    }
    return run;
}

int scan_table(struct scan *scan, const struct section *section)
{
    struct ewf *ewf = scan->ewf;
    struct table table;
    bool replaces = scan->chunks == CHUNKS_DAMAGED_TABLE;

    if (section_is(section, "table2") && scan->chunks == CHUNKS_KNOWN)
        return 0;
    if (load_table(scan, section, &table) < 0)
        return -1;
    if (table.header_holds && table.count == 0) { /* an empty table is no damage */
        free(table.entries);
        return 0;
    }
    struct ewf_run run = run_of(scan, section, &table);
    free(table.entries);
    scan->chunks = !run.why ? CHUNKS_KNOWN : CHUNKS_DAMAGED_TABLE;
    if (replaces) {
        struct ewf_run *last = &ewf->runs[ewf->run_count - 1];
        if (!run.why)
            ewf_add_metadata(ewf, "damage_note", "a chunk table is damaged; its copy was used");
        if (!run.why || last->count == 0)
            *last = run;
        return 0;
    }
    return add_run(ewf, run);
}

/* Adds an entry to a run that grows; false when the run is full or memory is out. */
static bool push_entry(struct ewf_run *run, uint64_t at, bool compressed)
{
    uint32_t entry;

    if (run->count == RECOVERED_MAX || at - run->base > INT32_MAX)
        return false;
    if ((run->count & (run->count - 1)) == 0) { /* room doubles at each power of two */
        uint32_t *grown =
            realloc(run->entries, (run->count ? 2 * (size_t)run->count : 1) * sizeof *grown);
        if (!grown)
            return false;
        run->entries = grown;
    }
    entry = (uint32_t)(at - run->base);
    run->entries[run->count++] = compressed ? entry | COMPRESSED : entry;
    run->plain_from = run->cut_from = run->count; /* nowhere */
    return true;
}

/* Adds runs for the chunks that are found by their own checksums, at most `limit`; gives their
 * number. */
static int search_chunks(struct scan *scan, uint64_t limit, uint64_t *found, bool *complete)
{
    struct ewf *ewf = scan->ewf;
    struct ewf_search search;
    struct ewf_run run = {.segment = scan->index, .base = scan->chunks_start};
    uint64_t at;
    bool compressed;
    int result = 0;

    if (ewf_search_init(&search, scan->file, scan->chunks_start, scan->chunks_end,
                        (size_t)ewf->geometry.sectors_per_chunk * ewf->geometry.sector_size) < 0)
        return -1;
    for (*found = 0; result == 0 && *found < limit && ewf_search_next(&search, &at, &compressed);) {
        if (!push_entry(&run, at, compressed)) {
            run.end = at;
            result = run.count ? add_run(ewf, run) : error_set("out of memory");
            if (result < 0)
                break;
            run = (struct ewf_run){.segment = scan->index, .base = at};
            if (!push_entry(&run, at, compressed))
                result = error_set("out of memory");
        }
        ++*found;
    }
    run.end = search.at;
    *complete = search.at == search.end;
    ewf_search_release(&search);
    if (result == 0 && run.count)
        result = add_run(ewf, run);
    if (result < 0)
        free(run.entries);
    return result;
}

int scan_settle_chunks(struct scan *scan, bool gap_follows)
{
    struct ewf *ewf = scan->ewf;
    uint64_t limit = UINT64_MAX, found = 0;
    bool complete = false;

    if (scan->chunks == CHUNKS_KNOWN)
        return 0;
    if (scan->chunks == CHUNKS_DAMAGED_TABLE && ewf->runs[--ewf->run_count].count)
        limit = ewf->runs[ewf->run_count].count;
    scan->chunks = CHUNKS_KNOWN;
    if (scan->chunks_end && ewf->has_geometry && search_chunks(scan, limit, &found, &complete) < 0)
        return -1;
    if (found)
        ewf_add_metadata(ewf, "damage_note",
                         "chunk tables are damaged; chunks were found by their own checksums");
    if (limit == UINT64_MAX)
        return complete || gap_follows ? 0 : scan_add_gap(scan);
    if (found < limit)
        return add_run(ewf, (struct ewf_run){.segment = scan->index,
                                             .count = (uint32_t)(limit - found),
                                             .why = tables_damaged(scan)});
    return 0;
}
