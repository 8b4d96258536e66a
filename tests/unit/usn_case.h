/* A change journal that is written record by record, and a job over it. */
#ifndef TESTS_UNIT_USN_CASE_H
#define TESTS_UNIT_USN_CASE_H

#include "tests/unit/artifact_case.h"
#include "triage/formats/usn.h"

#include <stdio.h>
#include <string.h>

enum { ROOM = 4 << 20, PAGE = 4096 };

static const uint64_t day = UINT64_C(132592032000000000); /* 2021-03-03 */
static const uint64_t root = UINT64_C(5) | UINT64_C(5) << 48;
static uint8_t *bytes;
static size_t used;
static struct drive drive = {.letter = 'C'};
static struct host host = {.drives = &drive, .drive_count = 1};

static inline uint64_t reference(uint64_t entry, uint64_t sequence)
{
    return entry | sequence << 48;
}

static inline void put(uint64_t value, size_t size)
{
    for (size_t i = 0; i < size; i++)
        bytes[used++] = (uint8_t)(value >> 8 * i);
}

static inline void put_name(const char *name)
{
    for (; *name; name++)
        put((uint8_t)*name, 2);
}

/* One record of version 2 or 3 at the end of what is there. Gives its offset. */
static inline size_t add_version(unsigned version, uint64_t file, uint64_t parent, uint32_t reason,
                                 uint32_t attributes, const char *name)
{
    const size_t start = used, header = version == 2 ? 60 : 76;
    const size_t size = (header + 2 * strlen(name) + 7) & ~(size_t)7;
    const size_t reference_size = version == 2 ? 8 : 16;

    put(size, 4);
    put(version, 2);
    put(0, 2);
    put(file, 8);
    put(0, reference_size - 8);
    put(parent, 8);
    put(0, reference_size - 8);
    put(start, 8);
    put(day + start * 10000, 8);
    put(reason, 4);
    put(0, 8);
    put(attributes, 4);
    put(2 * strlen(name), 2);
    put(header, 2);
    put_name(name);
    used = start + size;
    return start;
}

static inline size_t add(uint64_t file, uint64_t parent, uint32_t reason, const char *name)
{
    return add_version(2, file, parent, reason, ATTRIBUTE_ARCHIVE, name);
}

static inline void add_folder(uint64_t file, uint64_t parent, uint32_t reason, const char *name)
{
    add_version(2, file, parent, reason, USN_FOLDER, name);
}

static inline void add_version_4(uint64_t file, uint64_t parent)
{
    put(80, 4);
    put(4, 2);
    put(0, 2);
    put(file, 8);
    put(0, 8);
    put(parent, 8);
    put(0, 8);
    put(used, 8);
    put(1, 4); /* DATA_OVERWRITE */
    put(0, 8);
    put(1, 2);
    put(16, 2);
    put(0x4000, 8);
    put(0x1000, 8);
}

/* Changes what was written. */
static inline void put_at(size_t at, uint64_t value, size_t size)
{
    for (size_t i = 0; i < size; i++)
        bytes[at + i] = (uint8_t)(value >> 8 * i);
}

static inline int set_up(void **context)
{
    (void)context;
    bytes = calloc(1, ROOM);
    used = 0;
    memset(&fake, 0, sizeof fake);
    return bytes ? 0 : -1;
}

static inline int tear_down(void **context)
{
    (void)context;
    fake_job_release(&fake);
    free(bytes);
    return 0;
}

/* A job of that artifact over what was written. */
static inline void start(const char *artifact, const char *path)
{
    start_job(artifact, path, slice_of(bytes, used), "");
    fake.job.host = &host;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

#endif
