/*
 * For LD_PRELOAD: the allocation number $FAIL_AT of the process fails, and so do the $FAIL_COUNT -
 * 1 behind it (default: that one only). A process that is forked goes on counting where its parent
 * was. $FAIL_REPORT names a file that gets the number of allocations at the end. See
 * hostile_memory.py.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *old, size_t size);

static atomic_ulong number;
static unsigned long first, last; /* none: 0 */
static const char *report;

__attribute__((constructor)) static void begin(void)
{
    const char *at = getenv("FAIL_AT"), *count = getenv("FAIL_COUNT");

    report = getenv("FAIL_REPORT");
    number = 0;
    first = at ? strtoul(at, NULL, 10) : 0;
    last = first ? first + (count ? strtoul(count, NULL, 10) : 1) - 1 : 0;
}

__attribute__((destructor)) static void end(void)
{
    char text[32];
    const int file = report ? open(report, O_WRONLY | O_CREAT | O_TRUNC, 0600) : -1;

    if (file < 0)
        return;
    snprintf(text, sizeof text, "%lu\n", (unsigned long)number);
    if (write(file, text, strlen(text)) < 0)
        perror(report);
    close(file);
}

static int fails(void)
{
    const unsigned long mine = atomic_fetch_add(&number, 1) + 1;

    if (!first || mine < first || mine > last)
        return 0;
    errno = ENOMEM;
    return 1;
}

void *malloc(size_t size)
{
    return fails() ? NULL : __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    return fails() ? NULL : __libc_calloc(count, size);
}

void *realloc(void *old, size_t size)
{
    return fails() ? NULL : __libc_realloc(old, size);
}

void *mmap(void *place, size_t size, int protection, int flags, int file, off_t offset)
{
    if (fails())
        return MAP_FAILED;
    return (void *)syscall(SYS_mmap, place, size, protection, flags, file, offset); /* NOLINT */
}
