/*
 * What the machine can do at most, for the stages of a run to be held against: `limits IMAGE`
 * prints a line "NAME MEGABYTES_PER_CPU_SECOND" each for inflating the image's chunks, copying
 * memory, counting lines, one SHA-256 and all three digests.
 */
#include "triage/base/error.h"
#include "triage/evidence/image.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { WINDOW = 1 << 20, BLOCK = 32 << 10, ROUNDS = 256, MEMORY = 128 << 20, COPIES = 8 };

static double cpu_seconds(void)
{
    struct timespec time;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void say(const char *name, double bytes, double seconds)
{
    printf("%s %.0f\n", name, bytes / seconds / 1e6);
}

static size_t used_bytes(const uint8_t *window, size_t size)
{
    size_t used = 0;

    for (size_t at = 0; at + BLOCK <= size; at += BLOCK)
        if (window[at] || memcmp(window + at, window + at + 1, BLOCK - 1) != 0)
            used += BLOCK;
    return used;
}

/* Only what holds data counts: chunks of zeroes cost next to nothing. */
static int measure_inflate(const char *path, uint8_t *window)
{
    struct image *image;
    double used = 0;
    ssize_t got;

    if (image_open(path, &image) < 0)
        return -1;
    const double start = cpu_seconds();
    for (uint64_t at = 0; (got = image_read(image, at, window, WINDOW)) > 0; at += (uint64_t)got)
        used += (double)used_bytes(window, (size_t)got);
    if (got == 0)
        say("inflate", used, cpu_seconds() - start);
    image_close(image);
    return got < 0 ? -1 : 0;
}

/* More than any cache holds. */
static void measure_memory(uint8_t *memory)
{
    double start = cpu_seconds();

    for (int i = 0; i < COPIES; i++)
        memcpy(memory + (i + 1) % 2 * (MEMORY / 2), memory + i % 2 * (MEMORY / 2), MEMORY / 2);
    say(memory[MEMORY - 1] ? "memcpy" : "no memcpy", COPIES * (MEMORY / 2.0),
        cpu_seconds() - start);
}

static void measure_lines(uint8_t *window)
{
    size_t lines = 0;

    for (size_t i = 0; i < WINDOW; i++)
        window[i] = i % 250 ? (uint8_t)('a' + i % 26) : '\n';
    const double start = cpu_seconds();
    for (int i = 0; i < ROUNDS; i++)
        for (const uint8_t *at = window; (at = memchr(at, '\n', (size_t)(window + WINDOW - at)));
             at++)
            lines++;
    say(lines ? "lines" : "no lines", (double)ROUNDS * WINDOW, cpu_seconds() - start);
}

static void measure_digests(const char *name, unsigned kinds, const uint8_t *window)
{
    struct hasher *hasher = hasher_new(kinds);
    const double start = cpu_seconds();

    for (int i = 0; hasher && i < ROUNDS; i++)
        hasher_add(hasher, slice_of(window, WINDOW));
    say(name, (double)ROUNDS * WINDOW, cpu_seconds() - start);
    hasher_free(hasher);
}

int main(int argc, char **argv)
{
    uint8_t *window = calloc(1, WINDOW), *memory = malloc(MEMORY);

    if (argc != 2 || !window || !memory) {
        fprintf(stderr, "usage: limits IMAGE\n");
        return 1;
    }
    if (measure_inflate(argv[1], window) < 0) {
        fprintf(stderr, "%s\n", error_text());
        return 1;
    }
    memset(memory, 1, MEMORY);
    measure_memory(memory);
    measure_lines(window);
    measure_digests("sha256", HASH_SHA256, window);
    measure_digests("digests", HASH_ALL, window);
    free(window);
    free(memory);
    return 0;
}
