/* The file's header, chunks, and where records lie in them. */
#include "triage/formats/evtx.h"

#include "triage/evidence/inflate.h"

#include <string.h>

enum {
    FILE_SUMMED = 120,  /* bytes of the file's header that its checksum is of */
    CHUNK_SUMMED = 120, /* of a chunk's header: these and those from ... */
    CHUNK_TABLES = 128, /* ... here to CHUNK_HEADER_SIZE */
    RECORD_HEAD = 24,
    RECORD_LEAST = RECORD_HEAD + 4,
    RECORD_ALIGN = 4,
};

static const uint8_t record_magic[4] = {'*', '*', 0, 0};

struct evtx_file_header evtx_file_header_read(struct slice head)
{
    struct evtx_file_header header = {0};
    struct cursor c = cursor_over(head, 0);

    header.magic = slice_equal(cursor_take(&c, 8), slice_of("ElfFile\0", 8));
    cursor_skip(&c, 16); /* first and last chunk */
    header.next_record = cursor_u64le(&c);
    cursor_skip(&c, 8); /* size of this part, version */
    header.header_size = cursor_u16le(&c);
    header.chunk_count = cursor_u16le(&c);
    cursor_seek(&c, FILE_SUMMED);
    header.flags = cursor_u32le(&c);
    const uint32_t checksum = cursor_u32le(&c);
    header.checksum_ok =
        !cursor_failed(&c) && (header.flags & EVTX_NO_CHECKSUM ||
                               crc32_over(slice_part(head, 0, FILE_SUMMED), 0) == checksum);
    if (!header.magic || header.header_size < CHUNK_TABLES)
        header.header_size = EVTX_FILE_HEADER_SIZE;
    return header;
}

struct evtx_chunk_header evtx_chunk_header_read(struct slice chunk)
{
    struct evtx_chunk_header header = {0};
    struct cursor c = cursor_over(chunk, 0);

    header.magic = slice_equal(cursor_take(&c, 8), slice_of("ElfChnk\0", 8));
    cursor_skip(&c, 16); /* record numbers */
    header.first_record = cursor_u64le(&c);
    header.last_record = cursor_u64le(&c);
    cursor_skip(&c, 8); /* size of this part, the last record */
    header.free_offset = cursor_u32le(&c);
    const uint32_t records = cursor_u32le(&c);
    cursor_seek(&c, CHUNK_SUMMED);
    header.flags = cursor_u32le(&c);
    const uint32_t checksum = cursor_u32le(&c);
    const bool usable = header.magic && !cursor_failed(&c);
    if (!usable || header.free_offset < EVTX_CHUNK_HEADER_SIZE || header.free_offset > chunk.size)
        header.free_offset = chunk.size;
    const uint32_t first = crc32_over(slice_part(chunk, 0, CHUNK_SUMMED), 0);
    const struct slice tables =
        slice_part(chunk, CHUNK_TABLES, EVTX_CHUNK_HEADER_SIZE - CHUNK_TABLES);
    const struct slice area =
        slice_part(chunk, EVTX_CHUNK_HEADER_SIZE, header.free_offset - EVTX_CHUNK_HEADER_SIZE);
    const bool none = header.flags & EVTX_NO_CHECKSUM;
    header.header_ok = usable && (none || crc32_over(tables, first) == checksum);
    header.records_ok = usable && (none || crc32_over(area, 0) == records);
    return header;
}

struct evtx_walk evtx_walk_over(struct slice chunk, const struct evtx_chunk_header *header)
{
    return (struct evtx_walk){.chunk = chunk,
                              .at = EVTX_CHUNK_HEADER_SIZE,
                              .free_offset = header->free_offset,
                              .broken = !header->magic};
}

/* Whether a whole record stands at `at`: its size stands at its end again. */
static bool record_at(struct slice chunk, size_t at, struct evtx_span *span)
{
    struct cursor c = cursor_over(slice_from(chunk, at), 0);

    const struct slice magic = cursor_take(&c, sizeof record_magic);
    if (cursor_failed(&c) || memcmp(magic.data, record_magic, sizeof record_magic) != 0)
        return false;
    const uint32_t size = cursor_u32le(&c);
    const uint64_t id = cursor_u64le(&c), written = cursor_u64le(&c);
    if (cursor_failed(&c) || size < RECORD_LEAST || size > c.bytes.size)
        return false;
    cursor_seek(&c, size - 4);
    if (cursor_u32le(&c) != size)
        return false;
    *span = (struct evtx_span){
        .offset = at, .size = size, .id = id, .written = instant_from_filetime(written)};
    return true;
}

/* The next place at or behind `at` that begins like a record, or the end of the chunk. */
static size_t find_magic(struct slice chunk, size_t at)
{
    for (;;) {
        at = (at + RECORD_ALIGN - 1) & ~(size_t)(RECORD_ALIGN - 1);
        if (at + RECORD_LEAST > chunk.size)
            return chunk.size;
        if (memcmp(chunk.data + at, record_magic, sizeof record_magic) == 0)
            return at;
        at = slice_find(chunk, at + 1, record_magic[0]);
        if (at == SIZE_MAX)
            return chunk.size;
    }
}

/* A chunk header that is older than its records calls their space unused: they follow the last one
 * without a gap. */
static bool continues(const struct evtx_walk *walk, const struct evtx_span *span)
{
    return walk->any && !walk->broken && span->id == walk->last_id + 1;
}

static void count_lost(struct evtx_walk *walk, size_t to)
{
    const size_t end = to < walk->free_offset ? to : walk->free_offset;

    for (size_t at = walk->at; at < end; at++)
        walk->lost += walk->chunk.data[at] != 0;
}

static void take(struct evtx_walk *walk, struct evtx_span *span)
{
    if (span->offset >= walk->free_offset && !continues(walk, span)) {
        span->state = EVTX_SLACK;
        walk->broken = true;
    } else {
        span->state = walk->broken ? EVTX_FOUND : EVTX_LIVE;
        walk->any = true;
        walk->last_id = span->id;
    }
    walk->at = span->offset + span->size;
}

/* What begins like a record in used space and is none. */
static bool take_broken(struct evtx_walk *walk, size_t at, struct evtx_span *span)
{
    const size_t next = find_magic(walk->chunk, at + RECORD_ALIGN);

    walk->broken = true;
    walk->at = next;
    if (at >= walk->free_offset)
        return false;
    *span = (struct evtx_span){.offset = at, .size = next - at, .state = EVTX_BROKEN};
    return true;
}

bool evtx_walk_next(struct evtx_walk *walk, struct evtx_span *span)
{
    while (walk->at < walk->chunk.size) {
        const size_t at = find_magic(walk->chunk, walk->at);
        if (at != walk->at) {
            count_lost(walk, at);
            walk->broken = true;
            walk->at = at;
        }
        if (at + RECORD_LEAST > walk->chunk.size)
            break;
        if (record_at(walk->chunk, at, span)) {
            take(walk, span);
            return true;
        }
        if (take_broken(walk, at, span))
            return true;
    }
    return false;
}
