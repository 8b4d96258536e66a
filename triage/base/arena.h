/*
 * Memory that ends together: everything a job allocates comes from one arena with a ceiling, so a
 * crafted length is an error and not an allocation. Nothing is freed one by one.
 */
#ifndef TRIAGE_BASE_ARENA_H
#define TRIAGE_BASE_ARENA_H

#include "triage/base/cursor.h"

struct arena;

/* An arena that hands out at most `ceiling` bytes in all; 0 means no ceiling. NULL only when memory
 * is out. */
struct arena *arena_new(size_t ceiling);
void arena_free(struct arena *arena);
/* Forgets all it handed out and keeps one block for the next job. */
void arena_reset(struct arena *arena);

/* Zeroed bytes, aligned for any type, valid until the arena is reset or freed; NULL past the
 * ceiling (error_text is set). */
void *arena_take(struct arena *arena, size_t size);
/* As arena_take for count * size bytes, safe against overflow. */
void *arena_array(struct arena *arena, size_t count, size_t size);
/* Copies, with a NUL behind; NULL past the ceiling. */
char *arena_text(struct arena *arena, struct slice text);
char *arena_format(struct arena *arena, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
struct slice arena_copy(struct arena *arena, struct slice bytes);
/* Bytes handed out since the last reset, each piece rounded up to the alignment. */
size_t arena_used(const struct arena *arena);
/* Whether it refused something since the last reset. */
bool arena_full(const struct arena *arena);

#endif
