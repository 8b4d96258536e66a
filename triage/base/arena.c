#include "triage/base/arena.h"

#include "triage/base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK_SIZE = 64 * 1024, ALIGNMENT = 16 };

struct block {
    struct block *next;
    size_t size, used;
    _Alignas(ALIGNMENT) uint8_t bytes[];
};

struct arena {
    struct block *blocks; /* newest first */
    size_t ceiling, used;
    bool full; /* it refused something */
};

struct arena *arena_new(size_t ceiling)
{
    struct arena *arena = calloc(1, sizeof *arena);

    if (!arena) {
        error_set("out of memory");
        return NULL;
    }
    arena->ceiling = ceiling ? ceiling : SIZE_MAX;
    return arena;
}

static void free_blocks(struct block *block)
{
    while (block) {
        struct block *next = block->next;
        free(block);
        block = next;
    }
}

void arena_free(struct arena *arena)
{
    if (!arena)
        return;
    free_blocks(arena->blocks);
    free(arena);
}

void arena_reset(struct arena *arena)
{
    struct block *keep = arena->blocks;

    arena->used = 0;
    arena->full = false;
    if (!keep)
        return;
    free_blocks(keep->next);
    keep->next = NULL;
    keep->used = 0;
    if (keep->size > 16 * (size_t)BLOCK_SIZE) {
        free(keep);
        arena->blocks = NULL;
    }
}

static struct block *grow(struct arena *arena, size_t size)
{
    const size_t room = size > BLOCK_SIZE ? size : BLOCK_SIZE;
    struct block *block = malloc(sizeof *block + room);

    if (!block)
        return NULL;
    block->size = room;
    block->used = 0;
    block->next = arena->blocks;
    arena->blocks = block;
    return block;
}

void *arena_take(struct arena *arena, size_t size)
{
    const size_t rounded = (size + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);

    if (rounded < size || rounded > arena->ceiling - arena->used ||
        rounded > SIZE_MAX - BLOCK_SIZE) {
        arena->full = true;
        error_set("the job's memory ceiling of %zu bytes is reached", arena->ceiling);
        return NULL;
    }
    struct block *block = arena->blocks;
    if (!block || block->size - block->used < rounded)
        block = grow(arena, rounded);
    if (!block) {
        arena->full = true;
        error_set("out of memory");
        return NULL;
    }
    void *taken = block->bytes + block->used;
    block->used += rounded;
    arena->used += rounded;
    return memset(taken, 0, size);
}

void *arena_array(struct arena *arena, size_t count, size_t size)
{
    size_t total;

    if (__builtin_mul_overflow(count, size, &total)) {
        arena->full = true;
        error_set("the job's memory ceiling is reached");
        return NULL;
    }
    return arena_take(arena, total);
}

char *arena_text(struct arena *arena, struct slice text)
{
    char *copy = text.size < SIZE_MAX ? arena_take(arena, text.size + 1) : NULL;

    if (copy && text.size)
        memcpy(copy, text.data, text.size);
    return copy;
}

char *arena_format(struct arena *arena, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    const int size = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    char *text = size < 0 ? NULL : arena_take(arena, (size_t)size + 1);
    if (!text)
        return NULL;
    va_start(arguments, format);
    vsnprintf(text, (size_t)size + 1, format, arguments);
    va_end(arguments);
    return text;
}

struct slice arena_copy(struct arena *arena, struct slice bytes)
{
    const char *copy = arena_text(arena, bytes);

    return slice_of(copy, copy ? bytes.size : 0);
}

bool arena_full(const struct arena *arena)
{
    return arena->full;
}

size_t arena_used(const struct arena *arena)
{
    return arena->used;
}
