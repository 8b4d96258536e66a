/*
 * Saved inputs through the fuzz targets, each as it is and broken in many fixed ways; no clang
 * needed.
 *
 *   replay --list                                           names of the targets
 *   replay --seeds FOLDER                                   writes those that cannot be kept as
 * text replay [-n INPUTS] [-s SECONDS] TARGET FILE|FOLDER...   runs them; EXTRIAGE_RULES: the rules
 * to match with
 *
 * Each seed runs in a process of its own. One that ends badly leaves its input as
 * failed-TARGET-N.bin in the working folder.
 */
#include "tests/fuzz/mutate.h"
#include "tests/fuzz/target.h"

#include "triage/base/error.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { MOST_SEEDS = 4096, HANG_SECONDS = 60, LEAST_INPUTS = 10 };

struct seed {
    char *path;
    struct slice bytes;
};

static struct seed seeds[MOST_SEEDS];
static size_t seed_count;
static volatile uint64_t
    *progress; /* shared: number of the input at work, later how many there were */

static int compare(const void *a, const void *b)
{
    return strcmp(((const struct seed *)a)->path, ((const struct seed *)b)->path);
}

static void add_file(const char *path, size_t size)
{
    uint8_t *data = malloc(size + 1);
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    size_t at = 0;

    for (ssize_t got = 1; data && fd >= 0 && at < size && got > 0; at += (size_t)got)
        if ((got = read(fd, data + at, size - at)) <= 0)
            break;
    demand(data && fd >= 0 && at == size && seed_count < MOST_SEEDS, "a seed can be read");
    close(fd);
    seeds[seed_count++] = (struct seed){strdup(path), slice_of(data, size)};
}

static void add_seeds(const char *path)
{
    struct stat status;
    DIR *folder = opendir(path);
    char below[4096];

    if (!folder) {
        if (stat(path, &status) == 0 && S_ISREG(status.st_mode))
            add_file(path, (size_t)status.st_size);
        return;
    }
    for (const struct dirent *entry; (entry = readdir(folder));) {
        if (entry->d_name[0] == '.' || strcmp(entry->d_name, "README.md") == 0)
            continue;
        if ((size_t)snprintf(below, sizeof below, "%s/%s", path, entry->d_name) < sizeof below)
            add_seeds(below);
    }
    closedir(folder);
}

static void make_input(size_t seed, uint64_t number, struct buffer *input)
{
    mutate(seeds[seed].bytes, seeds[number % seed_count].bytes, number, input);
}

static void run_seed(const struct fuzz_target *target, size_t seed, uint64_t inputs, time_t end)
{
    struct buffer input = BUFFER_EMPTY;
    const char *name = strrchr(seeds[seed].path, '/');
    uint64_t i = 0;

    for (; i < inputs && (i < LEAST_INPUTS || time(NULL) < end); i++) {
        *progress = i;
        alarm(HANG_SECONDS);
        make_input(seed, i, &input);
        /* A copy of exactly that size, so that a sanitizer sees a read behind its end. */
        uint8_t *exact = malloc(input.size ? input.size : 1);
        memcpy(exact, input.data ? input.data : (const uint8_t *)"", input.size);
        target->run(target, name ? name + 1 : seeds[seed].path, slice_of(exact, input.size));
        free(exact);
    }
    *progress = i;
    buffer_release(&input);
}

/* The input that failed, made again. */
static void keep(const struct fuzz_target *target, size_t seed, uint64_t number, int status)
{
    struct buffer input = BUFFER_EMPTY;
    char name[256];

    make_input(seed, number, &input);
    snprintf(name, sizeof name, "failed-%s-%zu-%" PRIu64 ".bin", target->name, seed, number);
    FILE *file = fopen(name, "wb");
    if (file) {
        fwrite(input.data, 1, input.size, file);
        fclose(file);
    }
    printf("%s: input %" PRIu64 " of %s ends with status 0x%x; kept as %s\n", target->name, number,
           seeds[seed].path, (unsigned)status, name);
    buffer_release(&input);
}

static int run_apart(const struct fuzz_target *target, size_t seed, uint64_t inputs, time_t end)
{
    int status = -1;

    fflush(NULL);
    const pid_t child = fork();
    if (child == 0) {
        run_seed(target, seed, inputs, end);
        exit(0);
    }
    if (child < 0 || waitpid(child, &status, 0) < 0)
        return error_set_errno("a process cannot be started");
    if (status != 0)
        keep(target, seed, *progress, status);
    return status ? -1 : 0;
}

static int run_all(const struct fuzz_target *target, uint64_t inputs, unsigned seconds)
{
    int failures = 0;
    uint64_t ran = 0;
    const time_t start = time(NULL);

    for (size_t i = 0; i < seed_count; i++) {
        const time_t end = start + (time_t)(seconds * (i + 1) / seed_count);
        failures += run_apart(target, i, inputs / seed_count + LEAST_INPUTS, end) < 0;
        ran += *progress;
    }
    printf("%s: %zu seeds, %" PRIu64 " inputs, %d failures\n", target->name, seed_count, ran,
           failures);
    return failures || !seed_count ? 1 : 0;
}

static int list_targets(void)
{
    for (size_t i = 0; i < target_count(); i++)
        puts(target_at(i)->name);
    return 0;
}

static int replay(const char *name, char **paths, int path_count, uint64_t inputs, unsigned seconds)
{
    const struct fuzz_target *target = target_by_name(name);

    if (!target)
        return fprintf(stderr, "there is no target '%s'\n", name), 1;
    for (int i = 0; i < path_count; i++)
        add_seeds(paths[i]);
    qsort(seeds, seed_count, sizeof *seeds, compare);
    progress =
        mmap(NULL, sizeof *progress, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (progress == MAP_FAILED)
        return perror("mmap"), 1;
    const int code = run_all(target, inputs, seconds);
    for (size_t i = 0; i < seed_count; i++) {
        free(seeds[i].path);
        free((void *)(uintptr_t)seeds[i].bytes.data);
    }
    return code;
}

int main(int argc, char **argv)
{
    uint64_t inputs = 1000;
    unsigned seconds = 10;
    int at = 1, code = 0;
    const bool runs = argc > 1 && strncmp(argv[1], "--", 2) != 0;

    if (targets_open(runs ? getenv("EXTRIAGE_RULES") : NULL) < 0)
        return fprintf(stderr, "%s\n", error_text()), 1;
    for (; runs && at + 1 < argc && argv[at][0] == '-'; at += 2)
        if (argv[at][1] == 'n')
            inputs = strtoull(argv[at + 1], NULL, 10);
        else
            seconds = (unsigned)strtoul(argv[at + 1], NULL, 10);
    if (runs && at < argc)
        code = replay(argv[at], argv + at + 1, argc - at - 1, inputs, seconds);
    else if (argc == 2 && strcmp(argv[1], "--list") == 0)
        code = list_targets();
    else if (argc == 3 && strcmp(argv[1], "--seeds") == 0)
        fuzz_seeds(argv[2]);
    else
        code = fprintf(stderr,
                       "usage: replay [-n INPUTS] [-s SECONDS] TARGET SEEDS...; replay --list\n") <
                   0 ||
               1;
    targets_close();
    return code;
}
