/* The shared samples of file systems, compared with what fls and icat say of them. */
#include "triage/evidence/evidence.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { ROOM = 512 };

static struct evidence *evidence;
static struct arena *arena;

static int setup(void **context)
{
    (void)context;
    evidence = NULL;
    arena = arena_new(1 << 20);
    return arena ? 0 : -1;
}

static int teardown(void **context)
{
    (void)context;
    evidence_close(evidence);
    arena_free(arena);
    return 0;
}

static int count_file(void *context, const struct file *file)
{
    (void)file;
    ++*(unsigned *)context;
    return 0;
}

/* The path of a sample; NULL where the shared samples are not. */
static const char *sample(const char *name)
{
    static char path[ROOM];
    const char *data = getenv("EXTRIAGE_DATA");

    snprintf(path, sizeof path, "%s/%s", data ? data : "../shared/data", name);
    return access(path, R_OK) == 0 ? path : NULL;
}

static void the_ntfs_sample_lists_as_fls_does(void **context)
{
    unsigned count = 0;
    uint64_t unreadable = 1;

    (void)context;
    assert_int_equal(evidence_open(sample("images/colinfinck-ntfs/testfs1"), &evidence), 0);
    assert_int_equal(evidence_list(evidence, 0, count_file, &count, &unreadable), 0);
    assert_int_equal(count, 533); /* fls -r -m without its $FILE_NAME lines and index attributes */
    assert_int_equal(unreadable, 0);
}

static void the_e01_sample_is_read(void **context)
{
    struct stream *stream;
    struct file file;

    (void)context;
    assert_int_equal(evidence_open(sample("images/go-ewf/test.ntfs.dd.E01"), &evidence), 0);
    assert_string_equal(evidence_volume(evidence, 0)->label, "Test Volume");
    assert_true(evidence_find(evidence, 0, "ones.bin", arena, &file));
    assert_int_equal(evidence_open_stream(evidence, &file, &stream), 0);
    assert_int_equal(stream_size(stream), 2949120); /* in several $MFT entries */
    stream_close(stream);
}

static void the_split_ext2_sample_is_read(void **context)
{
    char text[64] = "";
    struct stream *stream;
    struct file file;

    (void)context;
    assert_int_equal(evidence_open(sample("images/dfvfs/ext2.splitraw.000"), &evidence), 0);
    assert_string_equal(evidence_volume(evidence, 0)->file_system, "ext2");
    assert_true(evidence_find(evidence, 0, "a_directory/a_file", arena, &file));
    assert_int_equal(file.size, 53);
    assert_int_equal(evidence_open_stream(evidence, &file, &stream), 0);
    assert_int_equal(stream_read(stream, 0, text, sizeof text - 1), 53);
    stream_close(stream);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_ntfs_sample_lists_as_fls_does),
        TEST(the_e01_sample_is_read),
        TEST(the_split_ext2_sample_is_read),
    };

    if (!sample("images")) {
        puts("1..0 # SKIP the shared samples are not there");
        return 0;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
