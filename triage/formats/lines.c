#include "triage/formats/lines.h"

#include "triage/base/buffer.h"
#include "triage/base/error.h"
#include "triage/base/utf16.h"

#include <stdlib.h>
#include <string.h>

enum encoding { ENCODING_BYTES, ENCODING_UTF16LE, ENCODING_UTF16BE };

enum {
    PIECE = 32 * 1024,        /* an E01 chunk: what a damaged place costs at least */
    DAMAGE_CEILING = 1 << 16, /* damaged pieces before the rest of the file is given up */
    UTF8_PER_UNIT = 3,
    HOLE_LEAST = 1 << 20, /* a smaller one is read like all else */
    HOLE_LEFT = 4096,     /* NULs that stand for a larger one */
    UTF16_SLACK = 64,     /* bytes that a window of transcoded text may stay short of its limit */
};

struct lines {
    struct line_source source;
    enum encoding encoding;
    uint8_t *data;
    size_t size, room, limit; /* bytes in the window, of its memory, and how many it may have now */
    uint64_t next;            /* the evidence byte that is read next */
    const uint8_t *anchor;    /* a byte of the window, and ... */
    uint64_t anchor_place;    /* ... where it lies in the evidence */
    struct buffer raw, text;  /* UTF-16 on its way */
    size_t damaged_pieces;
    uint64_t skipped; /* bytes of holes */
    bool started, ended, in_damage, any;
};

struct lines *lines_new(const struct line_source *source)
{
    struct lines *lines = calloc(1, sizeof *lines);

    if (!lines) {
        error_set("memory is out");
        return NULL;
    }
    lines->source = *source;
    lines->limit = LINES_WINDOW;
    return lines;
}

void lines_free(struct lines *lines)
{
    if (!lines)
        return;
    buffer_release(&lines->raw);
    buffer_release(&lines->text);
    free(lines->data);
    free(lines);
}

bool lines_final(const struct lines *lines)
{
    return lines->ended;
}

uint64_t lines_skipped(const struct lines *lines)
{
    return lines->skipped;
}

bool lines_full(const struct lines *lines)
{
    return lines->size + UTF16_SLACK >= LINES_WINDOW_CEILING;
}

/* The encoding by its mark or, without one, by where the NULs of the first letters lie; `skip` is
 * the size of the mark. */
static enum encoding encoding_detect(struct slice head, size_t *skip)
{
    const uint8_t *h = head.data;
    bool little = head.size >= 8, big = head.size >= 8;

    *skip = 0;
    if (head.size >= 3 && memcmp(h, "\xef\xbb\xbf", 3) == 0)
        *skip = 3;
    else if (head.size >= 2 && (memcmp(h, "\xff\xfe", 2) == 0 || memcmp(h, "\xfe\xff", 2) == 0))
        *skip = 2;
    if (*skip)
        return *skip == 3 ? ENCODING_BYTES : h[0] == 0xff ? ENCODING_UTF16LE : ENCODING_UTF16BE;
    for (size_t i = 0; i < 8 && i + 1 < head.size; i += 2) {
        little = little && h[i] && !h[i + 1];
        big = big && !h[i] && h[i + 1];
    }
    return little ? ENCODING_UTF16LE : big ? ENCODING_UTF16BE : ENCODING_BYTES;
}

static void swap_units(uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i + 1 < size; i += 2) {
        const uint8_t first = bytes[i];
        bytes[i] = bytes[i + 1];
        bytes[i + 1] = first;
    }
}

uint8_t *lines_decode_head(struct slice head, size_t *size)
{
    size_t skip;
    const enum encoding encoding = encoding_detect(head, &skip);
    struct buffer text = BUFFER_EMPTY, raw = BUFFER_EMPTY;

    head = slice_from(head, skip);
    if (encoding == ENCODING_BYTES) {
        buffer_add(&text, head);
    } else {
        buffer_add(&raw, head);
        if (encoding == ENCODING_UTF16BE)
            swap_units(raw.data, raw.size);
        utf16_append(&text, buffer_slice(&raw), false);
        buffer_release(&raw);
    }
    buffer_text(&text);
    *size = text.size;
    return text.data;
}

static bool window_reserve(struct lines *lines, size_t room)
{
    if (room <= lines->room)
        return true;
    const size_t anchor_at = lines->anchor ? (size_t)(lines->anchor - lines->data) : 0;
    uint8_t *data = realloc(lines->data, room);
    if (!data)
        return false;
    lines->data = data;
    lines->anchor = data + anchor_at;
    lines->room = room;
    return true;
}

/* One piece that may be damaged: then it is NULs and the first one of a run is told. */
static ssize_t read_piece(struct lines *lines, uint8_t *out, size_t size)
{
    const uint64_t at = lines->next;
    size_t piece = PIECE - (size_t)(at % PIECE);

    piece = piece < size ? piece : size;
    const ssize_t got = lines->source.read(lines->source.context, at, out, piece);
    if (got >= 0) {
        lines->in_damage = false;
        return got;
    }
    if (at >= lines->source.size || ++lines->damaged_pieces > DAMAGE_CEILING)
        return 0;
    if (lines->source.size - at < piece)
        piece = (size_t)(lines->source.size - at);
    if (!lines->in_damage)
        lines->source.notice(lines->source.context, at, error_text());
    lines->in_damage = true;
    memset(out, 0, piece);
    return (ssize_t)piece;
}

/* Fills `out` as far as the file goes; 0 is the end, -1 only when the very first byte cannot be
 * had. */
static ssize_t read_some(struct lines *lines, uint8_t *out, size_t size)
{
    ssize_t got = lines->source.read(lines->source.context, lines->next, out, size);

    if (got < 0)
        got = read_piece(lines, out, size);
    if (got < 0 || (lines->in_damage && !lines->any && (uint64_t)got >= lines->source.size))
        return -1;
    lines->next += (uint64_t)got;
    lines->any = true;
    return got;
}

/* Reads UTF-16 for at most `room` bytes of UTF-8; a high surrogate at the end waits for its other
 * half. */
static ssize_t read_utf16(struct lines *lines, uint8_t *out, size_t room)
{
    const size_t wanted = room / UTF8_PER_UNIT / 2 * 2;

    buffer_clear(&lines->raw);
    buffer_clear(&lines->text);
    uint8_t *raw = buffer_reserve(&lines->raw, wanted);
    if (!raw)
        return error_set("memory is out");
    const ssize_t got = read_some(lines, raw, wanted);
    if (got <= 0)
        return got;
    size_t size = (size_t)got;
    if (lines->encoding == ENCODING_UTF16BE)
        swap_units(raw, size);
    if (size > 2 && size == wanted && (raw[size - 1] & 0xfc) == 0xd8) {
        size -= 2;
        lines->next -= 2;
    }
    utf16_append(&lines->text, slice_of(raw, size), false);
    if (buffer_failed(&lines->text) || lines->text.size > room)
        return error_set("memory is out");
    if (lines->text.size)
        memcpy(out, lines->text.data, lines->text.size);
    return (ssize_t)lines->text.size;
}

static int window_fill(struct lines *lines)
{
    while (!lines->ended && lines->size < lines->limit) {
        uint8_t *out = lines->data + lines->size;
        const size_t room = lines->limit - lines->size;
        if (lines->encoding != ENCODING_BYTES && room < UTF16_SLACK)
            break;
        const ssize_t got = lines->encoding == ENCODING_BYTES ? read_some(lines, out, room)
                                                              : read_utf16(lines, out, room);
        if (got < 0)
            return -1;
        lines->size += (size_t)got;
        lines->ended = got == 0;
    }
    if (lines->ended && lines->size && lines->data[lines->size - 1] != '\n')
        lines->data[lines->size++] = '\n';
    return 0;
}

static int start(struct lines *lines)
{
    uint8_t head[64];
    size_t skip;

    lines->started = true;
    const ssize_t got = read_some(lines, head, sizeof head);
    if (got < 0)
        return -1;
    lines->encoding = encoding_detect(slice_of(head, (size_t)got), &skip);
    lines->next = lines->anchor_place = skip;
    return 0;
}

static void window_drop(struct lines *lines, size_t consumed)
{
    lines->anchor_place = lines_place(lines, lines->data + consumed);
    lines->anchor = lines->data;
    lines->size -= consumed;
    memmove(lines->data, lines->data + consumed, lines->size);
}

/* A log can have a hole of a terabyte, which no disk holds and nobody has the time to read. */
static void skip_hole(struct lines *lines)
{
    const uint64_t end = lines->source.size;
    uint64_t start = end, size;

    if (!lines->source.data || lines->next >= end)
        return;
    if (!lines->source.data(lines->source.context, lines->next, &start, &size) || start > end)
        start = end;
    if (start < lines->next || start - lines->next < HOLE_LEAST)
        return;
    const uint64_t skip = (start - lines->next - HOLE_LEFT) / 2 * 2; /* UTF-16 has pairs */
    lines->skipped += skip;
    lines->next += skip;
    lines->anchor_place = lines->next;
}

int lines_next(struct lines *lines, size_t consumed, struct slice *window)
{
    if (!lines->started && start(lines) < 0)
        return -1;
    if (lines->data) {
        if (consumed)
            window_drop(lines, consumed < lines->size ? consumed : lines->size);
        else if (lines->limit < LINES_WINDOW_CEILING && lines->size * 2 > lines->limit)
            lines->limit *= 2;
    }
    if (!window_reserve(lines, lines->limit + 1))
        return error_set("memory is out");
    if (!lines->anchor)
        lines->anchor = lines->data;
    if (lines->size == 0)
        skip_hole(lines);
    if (window_fill(lines) < 0)
        return -1;
    *window = slice_of(lines->data, lines->size);
    return lines->size > 0;
}

/* Bytes of UTF-16 that became the UTF-8 bytes [from, to). */
static uint64_t utf16_size(const uint8_t *from, const uint8_t *to)
{
    uint64_t size = 0;

    for (; from < to; from++)
        if ((*from & 0xc0) != 0x80)
            size += *from >= 0xf0 ? 4 : 2;
    return size;
}

uint64_t lines_place(struct lines *lines, const uint8_t *at)
{
    if (lines->encoding == ENCODING_BYTES)
        return lines->anchor_place + (uint64_t)(at - lines->anchor);
    if (at < lines->anchor)
        return lines->anchor_place - utf16_size(at, lines->anchor);
    lines->anchor_place += utf16_size(lines->anchor, at);
    lines->anchor = at;
    return lines->anchor_place;
}
