/* Free space of a volume. See free_space.h. */
#include "triage/evidence/free_space.h"

#include "triage/base/error.h"

#include <stdlib.h>
#include <string.h>

struct free_stream {
    struct stream stream;
    struct free_space space;
};

uint64_t free_space_stretch(const struct free_space *space, uint64_t block, uint64_t most,
                            bool *is_free)
{
    uint64_t count = 1;

    if (block >= space->block_count || most == 0) {
        *is_free = false;
        return most;
    }
    *is_free = space->is_free(space->context, block);
    while (count < most && block + count < space->block_count &&
           space->is_free(space->context, block + count) == *is_free)
        count++;
    return count;
}

int free_space_read(const struct free_space *space, uint64_t offset, void *buffer, size_t size,
                    bool *damaged)
{
    const uint64_t block_size = space->block_size;

    for (size_t done = 0; done < size;) {
        const uint64_t at = offset + done, block = at / block_size, within = at % block_size;
        const uint64_t wanted = (within + (size - done) + block_size - 1) / block_size;
        bool is_free = false;
        const uint64_t bytes = free_space_stretch(space, block, wanted, &is_free) * block_size;
        const size_t part = bytes - within < size - done ? (size_t)(bytes - within) : size - done;
        uint8_t *into = (uint8_t *)buffer + done;
        if (!is_free)
            memset(into, 0, part);
        else if (space->read(space->context, at, into, part, damaged) < 0)
            return -1;
        done += part;
    }
    return 0;
}

static ssize_t read_free(struct stream *stream, uint64_t offset, void *buffer, size_t size)
{
    const struct free_stream *self = (const struct free_stream *)stream;

    return free_space_read(&self->space, offset, buffer, size, &stream->damaged) < 0
               ? -1
               : (ssize_t)size;
}

/* The next free stretch; it is cut after a while, so that nobody has to wait for its end. */
static bool next_free(struct stream *stream, uint64_t offset, uint64_t *start, uint64_t *size)
{
    enum { STRETCH = 1 << 16 };
    const struct free_space *space = &((const struct free_stream *)stream)->space;
    bool is_free = false;
    uint64_t count;

    for (uint64_t block = offset / space->block_size; block < space->block_count; block += count) {
        count = free_space_stretch(space, block, STRETCH, &is_free);
        if (!is_free)
            continue;
        const uint64_t first = block * space->block_size;
        *start = first > offset ? first : offset;
        *size = (block + count) * space->block_size - *start;
        return true;
    }
    return false;
}

static void close_free(struct stream *stream)
{
    free(stream);
}

static const struct stream_methods free_methods = {
    .read = read_free,
    .data = next_free,
    .close = close_free,
};

int free_space_open(const struct free_space *space, struct stream **out)
{
    uint64_t size;

    if (space->block_size == 0 ||
        __builtin_mul_overflow(space->block_count, (uint64_t)space->block_size, &size))
        return error_set("the volume's size is impossible");
    struct free_stream *self = calloc(1, sizeof *self);
    if (!self)
        return error_set("out of memory");
    self->stream.methods = &free_methods;
    self->stream.size = size;
    self->space = *space;
    *out = &self->stream;
    return 0;
}
