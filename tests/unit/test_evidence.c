/* Whole volumes through libtsk: NTFS made by mkntfs and ntfscp at test time, and the shared samples
 * where they are. */
#include "triage/base/error.h"
#include "triage/evidence/evidence.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { VOLUME_SIZE = 16 << 20, BIG_SIZE = 300000, MFT_OFFSET = 4 * 4096, ROOM = 512 };

static char folder[] = "/tmp/test_evidence.XXXXXX";
static char image_path[ROOM];
static struct evidence *evidence;
static struct arena *arena;

static int run(const char *format, ...)
{
    char command[4 * ROOM];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(command, sizeof command, format, arguments);
    va_end(arguments);
    return system(command);
}

static uint8_t big_byte(size_t at)
{
    return (uint8_t)(at * 7 + at / 251);
}

static int make_source(const char *path)
{
    FILE *file = fopen(path, "wb");

    if (!file)
        return -1;
    for (size_t i = 0; i < BIG_SIZE; i++)
        fputc(big_byte(i), file);
    return fclose(file);
}

static int make_ntfs(void)
{
    char source[ROOM];

    snprintf(source, sizeof source, "%s/source", folder);
    return make_source(source) < 0 || truncate(image_path, VOLUME_SIZE) < 0 ||
           run("mkntfs -F -Q -q -c 4096 -L TESTVOL '%s' >/dev/null 2>&1", image_path) != 0 ||
           run("ntfscp -q -f '%s' '%s' /Big.log >/dev/null 2>&1", image_path, source) != 0 ||
           run("ntfscp -q -f -N evil '%s' '%s' /Big.log >/dev/null 2>&1", image_path, source) != 0;
}

static int setup(void **context)
{
    (void)context;
    strcpy(folder, "/tmp/test_evidence.XXXXXX");
    if (!mkdtemp(folder))
        return -1;
    snprintf(image_path, sizeof image_path, "%s/disk.dd", folder);
    evidence = NULL;
    arena = arena_new(1 << 20);
    const int file = open(image_path, O_CREAT | O_WRONLY, 0600);
    return arena && file >= 0 && close(file) == 0 && make_ntfs() == 0 ? 0 : -1;
}

static int teardown(void **context)
{
    (void)context;
    evidence_close(evidence);
    arena_free(arena);
    return run("rm -rf '%s'", folder);
}

static void overwrite(size_t offset, const char *text)
{
    const int file = open(image_path, O_WRONLY);

    assert_int_equal(pwrite(file, text, strlen(text), (off_t)offset), strlen(text));
    close(file);
}

static const struct volume *open_ntfs(void)
{
    assert_int_equal(evidence_open(image_path, &evidence), 0);
    assert_int_equal(evidence_volume_count(evidence), 1);
    return evidence_volume(evidence, 0);
}

static void assert_big_file(const char *path)
{
    static uint8_t bytes[BIG_SIZE + 10];
    struct stream *stream;
    struct file file;

    assert_true(evidence_find(evidence, 0, path, arena, &file));
    assert_int_equal(evidence_open_stream(evidence, &file, &stream), 0);
    assert_int_equal(stream_size(stream), BIG_SIZE);
    assert_int_equal(stream_read(stream, 0, bytes, sizeof bytes), BIG_SIZE);
    for (size_t i = 0; i < BIG_SIZE; i++)
        assert_int_equal(bytes[i], big_byte(i));
    assert_int_equal(stream_read(stream, 12345, bytes, 3), 3);
    assert_int_equal(bytes[1], big_byte(12346));
    assert_int_equal(stream_read(stream, BIG_SIZE, bytes, 1), 0);
    assert_false(stream_damaged(stream));
    stream_close(stream);
}

static void a_bare_volume_is_read(void **context)
{
    (void)context;
    const struct volume *volume = open_ntfs();
    assert_string_equal(volume->file_system, "NTFS");
    assert_string_equal(volume->label, "TESTVOL");
    assert_null(volume->problem);
    assert_null(volume->notice);
    assert_big_file("BIG.log");
    assert_big_file("Big.log:evil");
}

static void the_place_is_that_of_the_first_run(void **context)
{
    uint8_t bytes[16];
    struct file file;

    (void)context;
    open_ntfs();
    assert_true(evidence_find(evidence, 0, "Big.log", arena, &file));
    const int medium = open(image_path, O_RDONLY);
    assert_int_equal(pread(medium, bytes, sizeof bytes, (off_t)file.place), sizeof bytes);
    close(medium);
    for (size_t i = 0; i < sizeof bytes; i++)
        assert_int_equal(bytes[i], big_byte(i));
}

static void a_damaged_boot_sector_is_replaced(void **context)
{
    (void)context;
    overwrite(0, "overwritten by a boot kit");
    const struct volume *volume = open_ntfs();
    assert_non_null(strstr(volume->notice, "boot sector"));
    assert_big_file("Big.log");
}

static void a_damaged_first_entry_is_replaced(void **context)
{
    (void)context;
    overwrite(MFT_OFFSET, "BAAD");
    const struct volume *volume = open_ntfs();
    assert_non_null(strstr(volume->notice, "$MFTMirr"));
    assert_big_file("Big.log");
}

static void a_lost_root_folder_takes_no_file_away(void **context)
{
    (void)context;
    overwrite(MFT_OFFSET + 5 * 1024, "BAAD");
    open_ntfs();
    assert_big_file("Big.log");
}

static void a_short_medium_is_told_and_reads_as_zeroes(void **context)
{
    (void)context;
    assert_int_equal(truncate(image_path, VOLUME_SIZE - (1 << 20)), 0);
    assert_non_null(open_ntfs()->notice);
    assert_big_file("Big.log");
}

static void an_entry_of_another_file_is_not_read(void **context)
{
    struct stream *stream;
    struct file file;

    (void)context;
    open_ntfs();
    assert_true(evidence_find(evidence, 0, "Big.log", arena, &file));
    file.sequence++;
    assert_int_equal(evidence_open_stream(evidence, &file, &stream), -1);
    file.sequence--;
    file.address = 1 << 30;
    assert_int_equal(evidence_open_stream(evidence, &file, &stream), -1);
}

static void a_missing_stream_is_an_error(void **context)
{
    struct stream *stream;
    struct file file;

    (void)context;
    open_ntfs();
    assert_true(evidence_find(evidence, 0, "Big.log", arena, &file));
    file.stream = "other";
    assert_int_equal(evidence_open_stream(evidence, &file, &stream), -1);
}

/* Marks "Big.log" as deleted and gives its clusters back, all but the first `kept` of them: those
 * are another file's by now. */
static struct file delete_big_file(size_t kept)
{
    struct file file, bitmap, table;
    uint8_t byte, flags = 0;

    open_ntfs();
    assert_true(evidence_find(evidence, 0, "Big.log", arena, &file));
    assert_true(evidence_find(evidence, 0, "$Bitmap", arena, &bitmap));
    assert_true(evidence_find(evidence, 0, "$MFT", arena, &table));
    evidence_close(evidence);
    const int medium = open(image_path, O_RDWR);
    assert_int_equal(pwrite(medium, &flags, 1, (off_t)(table.place + file.address * 1024 + 22)), 1);
    for (size_t i = kept; i < (BIG_SIZE + 4095) / 4096; i++) {
        const uint64_t cluster = file.place / 4096 + i;
        const off_t at = (off_t)(bitmap.place + cluster / 8);
        assert_int_equal(pread(medium, &byte, 1, at), 1);
        byte &= (uint8_t) ~(1u << cluster % 8);
        assert_int_equal(pwrite(medium, &byte, 1, at), 1);
    }
    close(medium);
    open_ntfs();
    file.flags |= FILE_DELETED;
    return file;
}

static void a_deleted_file_is_read_while_its_clusters_are_free(void **context)
{
    static uint8_t bytes[BIG_SIZE];
    struct stream *stream;

    (void)context;
    const struct file file = delete_big_file(0);
    assert_int_equal(evidence_open_stream(evidence, &file, &stream), 0);
    assert_int_equal(stream_lost(stream), 0);
    assert_int_equal(stream_read(stream, 0, bytes, sizeof bytes), BIG_SIZE);
    for (size_t i = 0; i < BIG_SIZE; i++)
        assert_int_equal(bytes[i], big_byte(i));
    stream_close(stream);
}

static void a_deleted_file_never_has_what_another_file_owns(void **context)
{
    static uint8_t bytes[BIG_SIZE];
    struct stream *stream;

    (void)context;
    const struct file file = delete_big_file(3);
    assert_int_equal(evidence_open_stream(evidence, &file, &stream), 0);
    assert_int_equal(stream_lost(stream), 3 * 4096);
    assert_int_equal(stream_read(stream, 0, bytes, sizeof bytes), BIG_SIZE);
    for (size_t i = 0; i < BIG_SIZE; i++)
        assert_int_equal(bytes[i], i < 3 * 4096 ? 0 : big_byte(i));
    stream_close(stream);
}

static void free_space_holds_what_was_deleted_and_no_file(void **context)
{
    static uint8_t bytes[4096];
    uint64_t start = 0, size = 0, at = 0;
    struct stream *stream;
    bool seen = false;

    (void)context;
    const struct file file = delete_big_file(3);
    assert_int_equal(evidence_open_unallocated(evidence, 0, &stream), 0);
    assert_true(stream_size(stream) <= VOLUME_SIZE);
    assert_int_equal(stream_read(stream, file.place + 2 * 4096, bytes, sizeof bytes), 4096);
    for (size_t i = 0; i < sizeof bytes; i++)
        assert_int_equal(bytes[i], 0);
    for (; stream_data(stream, at, &start, &size); at = start + size)
        seen |= start <= file.place + 3 * 4096 && start + size > file.place + 3 * 4096;
    assert_true(seen);
    assert_int_equal(stream_read(stream, file.place + 3 * 4096, bytes, sizeof bytes), 4096);
    assert_int_equal(bytes[5], big_byte(3 * 4096 + 5));
    stream_close(stream);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_deleted_file_is_read_while_its_clusters_are_free),
        TEST(a_deleted_file_never_has_what_another_file_owns),
        TEST(free_space_holds_what_was_deleted_and_no_file),
        TEST(a_bare_volume_is_read),
        TEST(the_place_is_that_of_the_first_run),
        TEST(a_damaged_boot_sector_is_replaced),
        TEST(a_damaged_first_entry_is_replaced),
        TEST(a_lost_root_folder_takes_no_file_away),
        TEST(a_short_medium_is_told_and_reads_as_zeroes),
        TEST(an_entry_of_another_file_is_not_read),
        TEST(a_missing_stream_is_an_error),
    };

    if (run("command -v mkntfs ntfscp >/dev/null 2>&1") != 0) {
        puts("1..0 # SKIP mkntfs and ntfscp (package ntfs-3g) are not there");
        return 0;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
