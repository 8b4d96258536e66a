#include "triage/engine/log_pieces.h"

#include <string.h>

enum { JUDGED = 4096 };

void log_pieces_release(struct log_pieces *pieces)
{
    buffer_release(&pieces->bytes);
}

uint64_t log_pieces_next(const struct log_pieces *pieces)
{
    return pieces->base + pieces->bytes.size;
}

/* A text holds no NUL, unless it is UTF-16 and says so. */
static void judge(struct log_pieces *pieces, struct slice start)
{
    const struct slice mark = slice_part(start, 0, 2);

    pieces->begun = true;
    pieces->little = slice_equal(mark, SLICE_LITERAL("\xFF\xFE"));
    pieces->wide = pieces->little || slice_equal(mark, SLICE_LITERAL("\xFE\xFF"));
    pieces->binary = !pieces->wide && slice_find(slice_part(start, 0, JUDGED), 0, 0) != SIZE_MAX;
}

void log_pieces_add(struct log_pieces *pieces, uint64_t offset, struct slice bytes)
{
    const uint64_t next = log_pieces_next(pieces);

    if (offset > next || next - offset >= bytes.size)
        return;
    bytes = slice_from(bytes, (size_t)(next - offset));
    if (!pieces->begun)
        judge(pieces, bytes);
    if (!pieces->binary)
        buffer_add(&pieces->bytes, bytes);
}

/* Half of a wide character may be 0x0A too: the letters of Gurmukhi have it in front. */
static bool is_line_end(const struct log_pieces *pieces, const uint8_t *character)
{
    if (!pieces->wide)
        return character[0] == '\n';
    return character[!pieces->little] == '\n' && character[pieces->little] == 0;
}

/* Behind the last line end; all whole characters when there is none. */
static size_t whole_lines(const struct log_pieces *pieces, struct slice bytes)
{
    const size_t width = pieces->wide ? 2 : 1, all = bytes.size - bytes.size % width;
    size_t end = all;

    while (end > 0 && !is_line_end(pieces, bytes.data + end - width))
        end -= width;
    return end ? end : all;
}

struct slice log_pieces_take(const struct log_pieces *pieces, bool last)
{
    const struct slice bytes = buffer_slice(&pieces->bytes);

    if (last || bytes.size < LOG_PIECE_SIZE)
        return last ? bytes : slice_of(NULL, 0);
    return slice_part(bytes, 0, whole_lines(pieces, bytes));
}

void log_pieces_drop(struct log_pieces *pieces, size_t size)
{
    memmove(pieces->bytes.data, pieces->bytes.data + size, pieces->bytes.size - size);
    pieces->bytes.size -= size;
    pieces->base += size;
}
