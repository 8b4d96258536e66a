#include "tests/unit/ewf_set.h"
#include "triage/base/error.h"

#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

char folder[64];
uint8_t medium[MEDIUM], got[MEDIUM];
struct writer writer;
struct image *image;

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *walk)
{
    (void)status, (void)kind, (void)walk;
    return remove(path);
}

static void fill_medium(void)
{
    uint32_t state = 1;

    for (size_t i = 0; i < MEDIUM; i++) {
        state = state * 1664525 + 1013904223;
        medium[i] =
            i / CHUNK % 3 == 2 ? 0 : (uint8_t)(i / CHUNK % 3 ? state >> 24 : 'a' + i / CHUNK % 26);
    }
}

int set_up(void **context)
{
    (void)context;
    strcpy(folder, "/tmp/test_ewf.XXXXXX");
    fill_medium();
    writer = (struct writer){.medium = {medium, MEDIUM}, .chunks_each = 8, .set_id = 7};
    image = NULL;
    return mkdtemp(folder) ? 0 : -1;
}

int tear_down(void **context)
{
    (void)context;
    image_close(image);
    return nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

void write_set(void)
{
    assert_int_equal(writer_run(&writer, folder, "disk"), 0);
}

void open_segment(size_t index)
{
    if (image_open(writer.segments[index].path, &image) < 0)
        fail_msg("%s", error_text());
}

void read_all(void)
{
    memset(got, 0xEE, sizeof got);
    assert_int_equal(image_read(image, 0, got, MEDIUM), MEDIUM);
}

void assert_damaged(size_t from, size_t to)
{
    size_t count, start = from * CHUNK, end = to > CHUNKS ? MEDIUM : to * CHUNK;
    const struct damage *damage;

    read_all();
    for (size_t i = 0; i < MEDIUM; i++)
        if (got[i] != (i >= start && i < end ? 0 : medium[i]))
            fail_msg("byte %zu (chunk %zu) is %u", i, i / CHUNK, got[i]);
    damage = image_damage(image, &count);
    assert_int_equal(count, from < to);
    if (from < to) {
        assert_int_equal(damage[0].offset, start);
        assert_int_equal(damage[0].size, end - start);
        assert_true(image_damage_hits(image) > 0);
    }
}
