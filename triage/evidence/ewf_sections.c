/*
 * The sections of E01 segment files. Each starts with a descriptor of 76 bytes: its kind, where the
 * next one is, its size, an Adler-32.
 */
#include "triage/base/error.h"
#include "triage/evidence/ewf_scan.h"

#include <stdlib.h>
#include <string.h>

enum {
    SMALL_BODY_MAX = 1 << 20, /* of headers, volumes and hashes */
    SECTOR_SIZE_MAX = 64 << 10,
    CHUNK_SIZE_MAX = 64 << 20
};

static bool take_descriptor(const struct segment *file, uint64_t at, struct section *section)
{
    uint8_t bytes[EWF_DESCRIPTOR_SIZE];
    struct cursor c = cursor_over(slice_of(bytes, sizeof bytes), at);

    if (segment_read(file, at, bytes, sizeof bytes) != (ssize_t)sizeof bytes)
        return false;
    memcpy(section->kind, cursor_take(&c, 16).data, 16);
    section->kind[16] = 0;
    section->at = at;
    section->next = cursor_u64le(&c);
    cursor_seek(&c, EWF_DESCRIPTOR_SIZE - 4);
    section->intact = adler32_of(slice_of(bytes, EWF_DESCRIPTOR_SIZE - 4)) == cursor_u32le(&c);
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
    if (at > file->size || file->size - at < EWF_DESCRIPTOR_SIZE)
        return false;
    if (take_descriptor(file, at, section))
        return true;
    return section->next > at && section->next - at >= EWF_DESCRIPTOR_SIZE &&
           section->next <= file->size && take_descriptor(file, section->next, &follower);
}

/* The section's body, at most `most` bytes of it, in memory the caller frees; an empty slice when
 * it cannot be read. */
static struct slice body_of(const struct scan *scan, const struct section *section, size_t most)
{
    uint64_t start = section->at + EWF_DESCRIPTOR_SIZE;
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

static int on_metadata(struct scan *scan, const struct section *section)
{
    struct slice body = body_of(scan, section, SMALL_BODY_MAX);
    int result = ewf_read_metadata(scan->ewf, section->kind, body);

    free((void *)(uintptr_t)body.data);
    return result;
}

static int on_other(struct scan *scan, const struct section *section)
{
    if (scan_settle_chunks(scan, false) < 0)
        return -1;
    if (section_is(section, "volume") || section_is(section, "disk") ||
        section_is(section, "data")) {
        on_geometry(scan, section);
    } else if (section_is(section, "sectors")) {
        scan->chunks_start = section->at + EWF_DESCRIPTOR_SIZE;
        scan->chunks_end = section->next;
        scan->chunks = CHUNKS_WITHOUT_TABLE;
    } else if (ewf_is_metadata(section->kind)) {
        return on_metadata(scan, section);
    } else if (!section->intact) { /* its kind is damaged: it may have been a table */
        return scan_add_gap(scan);
    }
    return 0;
}

static int on_section(struct scan *scan, const struct section *section)
{
    if (section_is(section, "table") || section_is(section, "table2"))
        return scan_table(scan, section);
    if (!section->intact && scan->chunks != CHUNKS_KNOWN && !ewf_is_metadata(section->kind) &&
        !section_is(section, "sectors"))
        return 0; /* a table whose kind is damaged: its copy follows */
    return on_other(scan, section);
}

/* The end of a segment that ends as it should. */
static int finish(struct scan *scan, const struct section *section)
{
    scan->finished = true;
    scan->ewf->ended = section_is(section, "done");
    return scan_settle_chunks(scan, false);
}

/* The end of a segment at a place where it should go on. */
static int break_off(struct scan *scan, uint64_t at, bool is_cut)
{
    struct arena *arena = scan->ewf->arena;
    const char *name = path_name(scan->file->path);

    if (scan_settle_chunks(scan, true) < 0)
        return -1;
    if (is_cut)
        return ewf_add_gap(scan->ewf, arena_format(arena, "segment '%s' is cut short", name));
    return ewf_add_gap(scan->ewf, arena_format(arena, "segment '%s' is damaged at byte %llu", name,
                                               (unsigned long long)at));
}

/* Walks the chain of sections; offsets only grow, so it ends. */
static int scan_sections(struct scan *scan)
{
    struct section section;
    uint64_t at = EWF_FILE_HEADER_SIZE;

    while (!scan->finished && !scan->alien) {
        bool beyond = false;
        if (scan->file->size < EWF_DESCRIPTOR_SIZE || at > scan->file->size - EWF_DESCRIPTOR_SIZE)
            return break_off(scan, at, true);
        if (!descriptor_at(scan->file, at, &section))
            return break_off(scan, at, false);
        if (section_is(&section, "next") || section_is(&section, "done"))
            return finish(scan, &section);
        if (section.next < at + EWF_DESCRIPTOR_SIZE)
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
    return ewf_add_gap(ewf, arena_format(ewf->arena, "segment '%s' belongs to another image",
                                         path_name(scan->file->path)));
}

static int missing(struct ewf *ewf, uint32_t from, uint32_t to)
{
    if (from == to)
        return ewf_add_gap(ewf, arena_format(ewf->arena, "segment %u is missing", from));
    return ewf_add_gap(ewf, arena_format(ewf->arena, "segments %u to %u are missing", from, to));
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
        return ewf_add_gap(ewf, "the last segments are missing");
    return 0;
}
