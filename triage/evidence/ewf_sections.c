/*
 * The sections of E01 segment files. Each starts with a descriptor of 76 bytes: its kind, where the
 * next one is, its size, an Adler-32. Chunks lie in "sectors", their places in "table" with a copy
 * in "table2" (SMART: table and chunks in one).
 */
#include "triage/base/error.h"
#include "triage/evidence/ewf.h"

#include <stdlib.h>
#include <string.h>

enum {
    DESCRIPTOR_SIZE = 76,
    TABLE_HEADER_SIZE = 24,
    SMALL_BODY_MAX = 1 << 20, /* of headers, volumes and hashes */
    ENTRIES_MAX = 1 << 24,    /* in one table: 512 GiB with the usual chunks */
    RUN_MAX = 1 << 20,
    RECOVERED_MAX = 1 << 20, /* in one run */
    SECTOR_SIZE_MAX = 64 << 10,
    CHUNK_SIZE_MAX = 64 << 20
};

#define COMPRESSED (UINT32_C(1) << 31)

struct section {
    char kind[17];
    uint64_t at, next; /* file offsets; `next` is at most the size of the file */
    bool intact;       /* its checksum holds */
};

/* What is known of the chunks of the last "sectors" section. */
enum chunks_state {
    CHUNKS_KNOWN,         /* a table names them, or there are none */
    CHUNKS_WITHOUT_TABLE, /* none was met yet */
    CHUNKS_DAMAGED_TABLE  /* one was met; the last run stands for it, until its copy is better */
};

struct scan {
    struct ewf *ewf;
    const struct segment *file;
    uint32_t index;
    uint64_t chunks_start, chunks_end; /* body of the last "sectors" section */
    enum chunks_state chunks;
    bool alien;    /* the segment is of another set */
    bool finished; /* "next" or "done" was met */
};

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

static int add_gap(struct ewf *ewf, const char *why)
{
    if (!why)
        return -1;
    return add_run(ewf, (struct ewf_run){.why = why});
}

static bool take_descriptor(const struct segment *file, uint64_t at, struct section *section)
{
    uint8_t bytes[DESCRIPTOR_SIZE];
    struct cursor c = cursor_over(slice_of(bytes, sizeof bytes), at);

    if (segment_read(file, at, bytes, sizeof bytes) != (ssize_t)sizeof bytes)
        return false;
    memcpy(section->kind, cursor_take(&c, 16).data, 16);
    section->kind[16] = 0;
    section->at = at;
    section->next = cursor_u64le(&c);
    cursor_seek(&c, DESCRIPTOR_SIZE - 4);
    section->intact = adler32_of(slice_of(bytes, DESCRIPTOR_SIZE - 4)) == cursor_u32le(&c);
    return section->intact;
}

bool ewf_has_section(const struct segment *file)
{
    struct section section;

    return take_descriptor(file, EWF_FILE_HEADER_SIZE, &section);
}

/* A descriptor with a bad checksum is believed when it leads to a good one. */
static bool descriptor_at(const struct segment *file, uint64_t at, struct section *section)
{
    struct section follower;

    memset(section, 0, sizeof *section);
    if (at > file->size || file->size - at < DESCRIPTOR_SIZE)
        return false;
    if (take_descriptor(file, at, section))
        return true;
    return section->next > at && section->next - at >= DESCRIPTOR_SIZE &&
           section->next <= file->size && take_descriptor(file, section->next, &follower);
}

static bool is(const struct section *section, const char *kind)
{
    return !strcmp(section->kind, kind);
}

/* The section's body, at most `most` bytes of it, in memory the caller frees; an empty slice when
 * it cannot be read. */
static struct slice body_of(const struct scan *scan, const struct section *section, size_t most)
{
    uint64_t start = section->at + DESCRIPTOR_SIZE;
    size_t size = section->next - start < most ? (size_t)(section->next - start) : most;
    uint8_t *bytes = malloc(size ? size : 1);
    ssize_t got = bytes ? segment_read(scan->file, start, bytes, size) : -1;

    if (got < 0) {
        free(bytes);
        return slice_of(NULL, 0);
    }
    return slice_of(bytes, (size_t)got);
}

static bool geometry_is_sane(const struct ewf_geometry *geometry)
{
    uint64_t chunk_size = (uint64_t)geometry->sectors_per_chunk * geometry->sector_size;

    return geometry->sector_size >= 128 && geometry->sector_size <= SECTOR_SIZE_MAX &&
           geometry->sectors_per_chunk > 0 && chunk_size <= CHUNK_SIZE_MAX &&
           geometry->sector_count > 0 && geometry->sector_count < UINT64_MAX / 4 / SECTOR_SIZE_MAX;
}

/* EnCase and FTK write 1052 bytes ("volume", "disk", "data"), SMART 94 with a sector count of 32
 * bits. */
static bool geometry_parse(struct slice body, struct ewf_geometry *geometry)
{
    struct cursor c = cursor_over(body, 0);
    bool small = body.size < 1052;
    size_t size = small ? 94 : 1052;

    memset(geometry, 0, sizeof *geometry);
    cursor_skip(&c, 8);
    geometry->sectors_per_chunk = cursor_u32le(&c);
    geometry->sector_size = cursor_u32le(&c);
    geometry->sector_count = small ? cursor_u32le(&c) : cursor_u64le(&c);
    if (!small) {
        cursor_seek(&c, 64);
        struct slice id = cursor_take(&c, sizeof geometry->set_id);
        if (id.size == sizeof geometry->set_id)
            memcpy(geometry->set_id, id.data, id.size);
    }
    cursor_seek(&c, size - 4);
    uint32_t sum = cursor_u32le(&c);
    return !cursor_failed(&c) && sum == adler32_of(slice_part(body, 0, size - 4)) &&
           geometry_is_sane(geometry);
}

static bool has_set_id(const struct ewf_geometry *geometry)
{
    static const uint8_t none[16];

    return memcmp(geometry->set_id, none, sizeof none) != 0;
}

static bool same_set(const struct ewf_geometry *a, const struct ewf_geometry *b)
{
    if (has_set_id(a) && has_set_id(b))
        return !memcmp(a->set_id, b->set_id, sizeof a->set_id);
    return a->sectors_per_chunk == b->sectors_per_chunk && a->sector_size == b->sector_size;
}

static void on_geometry(struct scan *scan, const struct section *section)
{
    struct ewf *ewf = scan->ewf;
    struct slice body = body_of(scan, section, SMALL_BODY_MAX);
    struct ewf_geometry geometry;

    if (!geometry_parse(body, &geometry)) {
        ewf_add_metadata(ewf, "damage_note", "a section with the medium's geometry is damaged");
    } else if (!ewf->has_geometry) {
        ewf->geometry = geometry;
        ewf->has_geometry = true;
    } else if (!same_set(&ewf->geometry, &geometry)) {
        scan->alien = true;
    }
    free((void *)(uintptr_t)body.data);
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
    uint64_t start = section->at + DESCRIPTOR_SIZE + TABLE_HEADER_SIZE;
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
    cursor_seek(&c, 0);
    for (uint32_t i = 0; i < table->count; i++) /* in place: entry i is read before it is written */
        table->entries[i] = cursor_u32le(&c);
    return 0;
}

static int load_table(const struct scan *scan, const struct section *section, struct table *table)
{
    uint8_t bytes[TABLE_HEADER_SIZE];
    uint64_t start = section->at + DESCRIPTOR_SIZE, body = section->next - start;
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

static uint64_t chunk_start(const struct ewf_run *run, const uint32_t *entries, uint32_t index)
{
    return run->base + (index >= run->plain_from ? entries[index] : entries[index] & INT32_MAX);
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

    while (index > 0 && chunk_start(run, entries, index - 1) >= file_size)
        index--;
    return index;
}

static const char *tables_damaged(struct scan *scan)
{
    const char *why = arena_format(scan->ewf->arena, "the chunk tables in segment '%s' are damaged",
                                   path_name(scan->file->path));

    return why ? why : "a segment's chunk tables are damaged";
}

static struct ewf_run run_of(struct scan *scan, const struct section *section,
                             const struct table *table)
{
    struct ewf_run run = {.segment = scan->index, .base = table->base};

    if (table->header_holds)
        run.count = table->count;
    if (table->sums_hold && table->entries && table->count) {
        run.table_at = section->at + DESCRIPTOR_SIZE + TABLE_HEADER_SIZE;
        run.plain_from = plain_from(table->entries, table->count);
        run.end = chunks_end(scan, section, chunk_start(&run, table->entries, run.count - 1));
        run.cut_from = cut_from(&run, table->entries, scan->file->size);
    } else {
        run.why = tables_damaged(scan);
    }
    return run;
}

static int on_table(struct scan *scan, const struct section *section)
{
    struct ewf *ewf = scan->ewf;
    struct table table;
    bool replaces = scan->chunks == CHUNKS_DAMAGED_TABLE;

    if (is(section, "table2") && scan->chunks == CHUNKS_KNOWN)
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
            result = run.count ? add_run(ewf, run) : -1;
            run = (struct ewf_run){.segment = scan->index, .base = at};
            if (result == 0 && !push_entry(&run, at, compressed))
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

/*
 * Before anything else than a table is looked at: chunks that no intact table names are searched.
 * `lost` tells that some were not found, and that nobody knows how many.
 */
static int settle_chunks(struct scan *scan, bool *lost)
{
    struct ewf *ewf = scan->ewf;
    uint64_t limit = UINT64_MAX, found = 0;
    bool complete = false;

    *lost = false;
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
        *lost = !complete;
    else if (found < limit)
        return add_run(ewf, (struct ewf_run){.segment = scan->index,
                                             .count = (uint32_t)(limit - found),
                                             .why = tables_damaged(scan)});
    return 0;
}

static int on_small(struct scan *scan, const struct section *section)
{
    struct slice body = body_of(scan, section, SMALL_BODY_MAX);
    int result = 0;

    if (is(section, "header2"))
        ewf_read_header(scan->ewf, body, true);
    else if (is(section, "header"))
        ewf_read_header(scan->ewf, body, false);
    else if (is(section, "digest"))
        ewf_read_digest(scan->ewf, body);
    else if (is(section, "hash"))
        ewf_read_hash(scan->ewf, body);
    else if (is(section, "error2"))
        result = ewf_read_unread(scan->ewf, body);
    else
        ewf_read_xml(scan->ewf, body);
    free((void *)(uintptr_t)body.data);
    return result;
}

static bool is_small(const struct section *section)
{
    return is(section, "header") || is(section, "header2") || is(section, "xheader") ||
           is(section, "digest") || is(section, "hash") || is(section, "xhash") ||
           is(section, "error2");
}

static int on_other(struct scan *scan, const struct section *section)
{
    bool lost;

    if (settle_chunks(scan, &lost) < 0 || (lost && add_gap(scan->ewf, tables_damaged(scan)) < 0))
        return -1;
    if (is(section, "volume") || is(section, "disk") || is(section, "data")) {
        on_geometry(scan, section);
    } else if (is(section, "sectors")) {
        scan->chunks_start = section->at + DESCRIPTOR_SIZE;
        scan->chunks_end = section->next;
        scan->chunks = CHUNKS_WITHOUT_TABLE;
    } else if (is_small(section)) {
        return on_small(scan, section);
    } else if (!section->intact) { /* its kind is damaged: it may have been a table */
        return add_gap(scan->ewf, tables_damaged(scan));
    }
    return 0;
}

static int on_section(struct scan *scan, const struct section *section)
{
    if (is(section, "table") || is(section, "table2"))
        return on_table(scan, section);
    if (!section->intact && scan->chunks != CHUNKS_KNOWN && !is_small(section) &&
        !is(section, "sectors"))
        return 0; /* a table whose kind is damaged: its copy follows */
    return on_other(scan, section);
}

/* The end of a segment that ends as it should. */
static int finish(struct scan *scan, const struct section *section)
{
    bool lost;

    scan->finished = true;
    scan->ewf->ended = is(section, "done");
    if (settle_chunks(scan, &lost) < 0)
        return -1;
    return lost ? add_gap(scan->ewf, tables_damaged(scan)) : 0;
}

/* The end of a segment at a place where it should go on. */
static int break_off(struct scan *scan, uint64_t at, bool is_cut)
{
    struct arena *arena = scan->ewf->arena;
    const char *name = path_name(scan->file->path);
    bool lost;

    if (settle_chunks(scan, &lost) < 0)
        return -1;
    if (is_cut)
        return add_gap(scan->ewf, arena_format(arena, "segment '%s' is cut short", name));
    return add_gap(scan->ewf, arena_format(arena, "segment '%s' is damaged at byte %llu", name,
                                           (unsigned long long)at));
}

/* Walks the chain of sections; offsets only grow, so it ends. */
static int scan_sections(struct scan *scan)
{
    struct section section;
    uint64_t at = EWF_FILE_HEADER_SIZE;

    while (!scan->finished && !scan->alien) {
        bool beyond = false;
        if (scan->file->size < DESCRIPTOR_SIZE || at > scan->file->size - DESCRIPTOR_SIZE)
            return break_off(scan, at, true);
        if (!descriptor_at(scan->file, at, &section))
            return break_off(scan, at, false);
        if (is(&section, "next") || is(&section, "done"))
            return finish(scan, &section);
        if (section.next < at + DESCRIPTOR_SIZE)
            return break_off(scan, at, false);
        if (section.next > scan->file->size) {
            section.next = scan->file->size;
            beyond = true;
        }
        if (on_section(scan, &section) < 0)
            return -1;
        if (beyond)
            return break_off(scan, at, true);
        at = section.next;
    }
    return 0;
}

/* Takes back what an alien segment brought. */
static int forget_runs(struct scan *scan, size_t run_count)
{
    struct ewf *ewf = scan->ewf;

    while (ewf->run_count > run_count)
        free(ewf->runs[--ewf->run_count].entries);
    ewf->ended = false;
    return add_gap(ewf, arena_format(ewf->arena, "segment '%s' belongs to another image",
                                     path_name(scan->file->path)));
}

static int missing(struct ewf *ewf, uint32_t from, uint32_t to)
{
    if (from == to)
        return add_gap(ewf, arena_format(ewf->arena, "segment %u is missing", from));
    return add_gap(ewf, arena_format(ewf->arena, "segments %u to %u are missing", from, to));
}

static uint64_t chunks_in(const struct ewf *ewf, size_t from, size_t to)
{
    uint64_t sum = 0;

    for (size_t i = from; i < to; i++)
        sum += ewf->runs[i].count;
    return sum;
}

bool ewf_is_complete(const struct ewf *ewf)
{
    return chunks_in(ewf, 0, ewf->run_count) == ewf->chunk_count;
}

int ewf_scan(struct ewf *ewf)
{
    uint32_t expected = 1;

    for (size_t i = 0; i < ewf->segments.count && !ewf->ended; i++) {
        const struct segment *file = &ewf->segments.files[i];
        struct scan scan = {.ewf = ewf, .file = file, .index = (uint32_t)i};
        size_t run_count = ewf->run_count;
        if (file->number > expected && missing(ewf, expected, file->number - 1) < 0)
            return -1;
        expected = file->number + 1;
        if (scan_sections(&scan) < 0 || (scan.alien && forget_runs(&scan, run_count) < 0))
            return -1;
    }
    if (!ewf->has_geometry)
        return error_set(
            "'%s': no segment that is there describes the medium's size (the volume section "
            "is missing or damaged)",
            ewf->segments.files[0].path);
    ewf->chunk_count = (ewf->geometry.sector_count - 1) / ewf->geometry.sectors_per_chunk + 1;
    if (!ewf->ended)
        return add_gap(ewf, "the last segments are missing");
    return 0;
}

static const char *gap_reason(struct ewf *ewf, size_t from, size_t to)
{
    const char *first = NULL, *last = NULL;

    for (size_t i = from; i < to; i++) {
        if (!ewf->runs[i].why)
            continue;
        if (!first)
            first = ewf->runs[i].why;
        last = ewf->runs[i].why;
    }
    if (!first)
        return "the tables name fewer chunks than the volume section";
    if (first == last)
        return first;
    return arena_format(ewf->arena, "%s, and %s: what lies between cannot be placed for certain",
                        first, last);
}

static bool is_gap(const struct ewf_run *run)
{
    return run->count == 0;
}

/* Places runs [from, to) one behind the other from chunk `first`; gives the chunk behind them. */
static uint64_t place_runs(struct ewf *ewf, size_t from, size_t to, uint64_t first)
{
    for (size_t i = from; i < to; i++) {
        ewf->runs[i].first = first;
        ewf->runs[i].placed = true;
        first += ewf->runs[i].count;
    }
    return first;
}

static void damage_chunks(struct ewf *ewf, uint64_t from, uint64_t to, const char *why)
{
    uint64_t chunk_size = ewf->image.container.chunk_size, size = ewf->image.container.size;

    if (to > ewf->chunk_count)
        to = ewf->chunk_count;
    if (from >= to)
        return;
    image_add_damage(&ewf->image, from * chunk_size,
                     to == ewf->chunk_count ? size - from * chunk_size : (to - from) * chunk_size,
                     why ? why : "damaged"); /* NULL when the arena is full */
}

/* Drops what has no place or no entries; the rest is in order of the medium. */
static void keep_usable(struct ewf *ewf)
{
    size_t kept = 0;

    for (size_t i = 0; i < ewf->run_count; i++) {
        struct ewf_run *run = &ewf->runs[i];
        if (run->placed && !run->why) {
            ewf->runs[kept++] = *run;
            continue;
        }
        if (run->placed)
            damage_chunks(ewf, run->first, run->first + run->count, run->why);
        free(run->entries);
    }
    ewf->run_count = kept;
}

static void damage_cut_chunks(struct ewf *ewf)
{
    for (size_t i = 0; i < ewf->run_count; i++) {
        const struct ewf_run *run = &ewf->runs[i];
        damage_chunks(ewf, run->first + run->cut_from, run->first + run->count,
                      "the segment is cut short");
    }
}

static int by_first(const void *a, const void *b)
{
    const struct ewf_sectors *one = a, *other = b;

    return one->first < other->first ? -1 : one->first > other->first;
}

/* Sorts and joins the sectors that the acquiring tool could not read, and notes them as damage. */
static void damage_unread(struct ewf *ewf)
{
    uint64_t sectors = ewf->geometry.sector_count, sector_size = ewf->geometry.sector_size;
    size_t kept = 0;

    if (ewf->unread_count)
        qsort(ewf->unread, ewf->unread_count, sizeof *ewf->unread, by_first);
    for (size_t i = 0; i < ewf->unread_count; i++) {
        struct ewf_sectors range = ewf->unread[i], *last = &ewf->unread[kept - (kept > 0)];
        if (range.first >= sectors)
            break;
        if (range.count > sectors - range.first)
            range.count = sectors - range.first;
        if (kept == 0 || range.first > last->first + last->count)
            ewf->unread[kept++] = range;
        else if (range.first + range.count > last->first + last->count)
            last->count = range.first + range.count - last->first;
    }
    ewf->unread_count = kept;
    for (size_t i = 0; i < kept; i++)
        image_add_damage(&ewf->image, ewf->unread[i].first * sector_size,
                         ewf->unread[i].count * sector_size,
                         "unreadable when the image was acquired");
}

int ewf_place(struct ewf *ewf)
{
    size_t head = 0, tail = ewf->run_count;
    uint64_t behind_head, tail_start = ewf->chunk_count;

    if (ewf_is_complete(ewf))
        head = ewf->run_count; /* nothing is lost: all gaps are empty */
    while (head < ewf->run_count && !is_gap(&ewf->runs[head]))
        head++;
    behind_head = place_runs(ewf, 0, head, 0);
    if (head < ewf->run_count) {
        while (!is_gap(&ewf->runs[tail - 1]))
            tail--;
        /* The end of the set is there, so what follows the last gap ends where the medium ends. */
        uint64_t count = chunks_in(ewf, tail, ewf->run_count);
        if (count <= ewf->chunk_count && ewf->chunk_count - count >= behind_head) {
            tail_start = ewf->chunk_count - count;
            place_runs(ewf, tail, ewf->run_count, tail_start);
        }
    }
    if (behind_head < tail_start)
        damage_chunks(ewf, behind_head, tail_start, gap_reason(ewf, head, tail));
    keep_usable(ewf);
    damage_cut_chunks(ewf);
    damage_unread(ewf);
    return 0;
}
