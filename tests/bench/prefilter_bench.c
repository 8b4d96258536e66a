/*
 * How fast the prefilter goes through a log: `prefilter_bench LOG LITERALS [WINDOW_KIB]` reads the
 * log through a window, as the program does, and prints the nominated lines, the CPU time of the
 * search alone and that of all with reading; three runs. LITERALS holds one literal a line.
 */
#include "triage/base/buffer.h"
#include "triage/base/error.h"
#include "triage/match/prefilter.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { RUNS = 3, WINDOW_KIB = 256, LITERALS_SIZE = 1 << 20 };

struct run {
    const struct prefilter *prefilter;
    uint8_t *window;
    size_t window_size;
    size_t bytes, lines;
    double seconds; /* of the search */
};

static double cpu_seconds(void)
{
    struct timespec time;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static size_t end_of_line(struct slice text, size_t at)
{
    const size_t end = slice_find(text, at, '\n');

    return end == SIZE_MAX ? text.size : end + 1;
}

static size_t split_lines(struct slice text, struct literal *list)
{
    size_t count = 0;

    for (size_t at = 0; at < text.size; at = end_of_line(text, at)) {
        const struct slice line = slice_part(text, at, end_of_line(text, at) - at);
        const size_t size = slice_find(line, 0, '\n');

        if (size > 0)
            list[count++].text = slice_part(line, 0, size);
    }
    return count;
}

static void search(struct run *run, struct slice text)
{
    const double start = cpu_seconds();

    for (size_t at = 0; (at = prefilter_next(run->prefilter, text, at)) != SIZE_MAX; run->lines++)
        at = end_of_line(text, at);
    run->seconds += cpu_seconds() - start;
    run->bytes += text.size;
}

/* Fills the window again and again; what follows the last line end is kept for the next time. */
static void read_through(struct run *run, FILE *log)
{
    size_t kept = 0, got;

    while ((got = fread(run->window + kept, 1, run->window_size - kept, log)) > 0) {
        const struct slice text = slice_of(run->window, kept + got);
        const uint8_t *newline = memrchr(text.data, '\n', text.size);
        const size_t whole = newline ? (size_t)(newline - text.data) + 1 : text.size;

        search(run, slice_part(text, 0, whole));
        kept = text.size - whole;
        memmove(run->window, text.data + whole, kept);
    }
    search(run, slice_of(run->window, kept));
}

static int measure(const struct prefilter *prefilter, const char *path, size_t window_size)
{
    struct run run = {.prefilter = prefilter, .window_size = window_size};
    const double start = cpu_seconds();
    FILE *log = fopen(path, "rb");
    double all;

    run.window = malloc(window_size);
    if (!log || !run.window)
        return error_set_errno("'%s'", path);
    setvbuf(log, NULL, _IONBF, 0);
    read_through(&run, log);
    all = cpu_seconds() - start;
    printf("%zu lines nominated; search %.3f s, %.0f MB/s; with reading %.3f s, %.0f MB/s\n",
           run.lines, run.seconds, (double)run.bytes / 1e6 / run.seconds, all,
           (double)run.bytes / 1e6 / all);
    free(run.window);
    fclose(log);
    return 0;
}

int main(int argc, char **argv)
{
    static uint8_t text[LITERALS_SIZE];
    static struct literal list[LITERALS_SIZE / 2];
    struct prefilter *prefilter = NULL;
    FILE *literals = argc < 3 ? NULL : fopen(argv[2], "rb");
    int result = EXIT_FAILURE;

    if (!literals) {
        fprintf(stderr, "usage: %s LOG LITERALS [WINDOW_KIB]\n", argv[0]);
        return result;
    }
    const struct slice lines = slice_of(text, fread(text, 1, sizeof text, literals));
    const size_t kib = argc > 3 ? strtoul(argv[3], NULL, 10) : WINDOW_KIB;
    const double start = cpu_seconds();

    if (prefilter_new(list, split_lines(lines, list), false, &prefilter) < 0)
        goto out;
    printf("built in %.1f ms\n", (cpu_seconds() - start) * 1e3);
    for (int i = 0; i < RUNS; i++)
        if (measure(prefilter, argv[1], kib * 1024) < 0)
            goto out;
    result = EXIT_SUCCESS;
out:
    if (result != EXIT_SUCCESS)
        fprintf(stderr, "%s\n", error_text());
    prefilter_free(prefilter);
    fclose(literals);
    return result;
}
