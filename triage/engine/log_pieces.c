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

/* Behind the last line end; all of it when there is none. */
static size_t whole_lines(const struct log_pieces *pieces, struct slice bytes)
{
    size_t end = bytes.size;

    while (end > 0 && bytes.data[end - 1] != '\n')
        end--;
    if (end && pieces->little)
        end += end % 2;
    return end == 0 || end > bytes.size ? bytes.size - (pieces->wide ? bytes.size % 2 : 0) : end;
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
