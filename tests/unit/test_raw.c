/* Raw images, in one file or split. */
#include "triage/base/buffer.h"
#include "triage/base/error.h"
#include "triage/evidence/image.h"

#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { PART = 5000, PARTS = 4, SHORT = 700, MEDIUM = PARTS * PART + SHORT };

static char folder[64];
static uint8_t medium[MEDIUM], got[MEDIUM + PART];
static struct image *image;

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *walk)
{
    (void)status, (void)kind, (void)walk;
    return remove(path);
}

static int setup(void **context)
{
    (void)context;
    strcpy(folder, "/tmp/test_raw.XXXXXX");
    for (size_t i = 0; i < MEDIUM; i++)
        medium[i] = (uint8_t)(i / 251 + i * 7 + 1);
    image = NULL;
    return mkdtemp(folder) ? 0 : -1;
}

static int teardown(void **context)
{
    (void)context;
    image_close(image);
    return nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static const char *path_of(const char *name)
{
    static char path[128];

    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static void write_file(const char *name, const void *bytes, size_t size)
{
    FILE *file = fopen(path_of(name), "wb");

    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    fclose(file);
}

/* The medium in parts of 5000 bytes; `format` takes the number. */
static void write_parts(const char *format, unsigned first)
{
    for (unsigned i = 0; i <= PARTS; i++) {
        char name[32], letters[3] = {'a', (char)('a' + i), 0};
        if (strstr(format, "%s"))
            snprintf(name, sizeof name, "disk.%s", letters);
        else
            snprintf(name, sizeof name, strstr(format, "%03u") ? "disk.%03u" : "disk.dd.%u",
                     first + i);
        write_file(name, medium + i * PART, i < PARTS ? PART : SHORT);
    }
}

static void open_it(const char *name)
{
    if (image_open(path_of(name), &image) < 0)
        fail_msg("%s", error_text());
}

static void assert_whole(void)
{
    size_t count;

    assert_int_equal(image_container(image)->size, MEDIUM);
    assert_int_equal(image_read(image, 0, got, sizeof got), MEDIUM);
    assert_memory_equal(got, medium, MEDIUM);
    image_damage(image, &count);
    assert_int_equal(count, 0);
}

static void one_file_is_the_medium(void **context)
{
    (void)context;
    write_file("disk.dd", medium, MEDIUM);
    write_file("disk.de", medium, 10); /* no letters of a set: that would begin with aa */
    open_it("disk.dd");
    assert_whole();
    assert_string_equal(image_container(image)->format, "raw");
}

static void parts_count_from_one(void **context)
{
    (void)context;
    write_parts("%03u", 1);
    open_it("disk.003");
    assert_whole();
    assert_int_equal(image_container(image)->segment_count, PARTS + 1);
}

static void parts_count_from_zero(void **context)
{
    (void)context;
    write_parts("%03u", 0);
    open_it("disk.000");
    assert_whole();
}

static void parts_count_without_zeroes_in_front(void **context)
{
    (void)context;
    write_parts("%u", 8 - 7);
    write_file("disk.dd.1.txt", "log", 3);
    open_it("disk.dd.1");
    assert_whole();
}

static void parts_have_letters(void **context)
{
    (void)context;
    write_parts("%s", 0);
    open_it("disk.ac");
    assert_whole();
}

static void a_missing_part_is_damage(void **context)
{
    const struct damage *damage;
    size_t count;
    (void)context;
    write_parts("%03u", 1);
    remove(path_of("disk.003"));
    open_it("disk.001");
    assert_int_equal(image_read(image, 0, got, sizeof got), MEDIUM);
    assert_memory_equal(got, medium, 2 * PART);
    assert_memory_equal(got + 3 * PART, medium + 3 * PART, MEDIUM - 3 * PART);
    damage = image_damage(image, &count);
    assert_int_equal(count, 1);
    assert_int_equal(damage[0].offset, 2 * PART);
    assert_int_equal(damage[0].size, PART);
    assert_true(image_damage_hits(image) > 0);
}

static void without_its_first_part_a_set_is_refused(void **context)
{
    (void)context;
    write_parts("%03u", 1);
    remove(path_of("disk.001"));
    assert_int_equal(image_open(path_of("disk.002"), &image), -1);
    assert_non_null(strstr(error_text(), "first part is missing"));
}

static void a_gap_between_unequal_parts_is_refused(void **context)
{
    (void)context;
    write_parts("%03u", 1);
    write_file("disk.002", medium, 4000);
    remove(path_of("disk.003"));
    assert_int_equal(image_open(path_of("disk.001"), &image), -1);
}

static void a_gpt_tells_the_sector_size(void **context)
{
    (void)context;
    memcpy(medium + 4096, "EFI PART", 8);
    write_file("disk.raw", medium, MEDIUM);
    open_it("disk.raw");
    assert_int_equal(image_container(image)->sector_size, 4096);
}

static void a_file_that_shrinks_is_damage(void **context)
{
    size_t count;
    (void)context;
    write_file("disk.raw", medium, MEDIUM);
    open_it("disk.raw");
    assert_int_equal(truncate(path_of("disk.raw"), 1000), 0);
    assert_int_equal(image_read(image, 0, got, 2000), 2000);
    image_damage(image, &count);
    assert_int_equal(count, 1);
}

static void verify_works_without_chunks(void **context)
{
    struct verification result;
    struct hasher *hasher = hasher_new(HASH_ALL);
    (void)context;
    write_parts("%03u", 1);
    hasher_add(hasher, slice_of(medium, MEDIUM));
    assert_int_equal(image_verify(path_of("disk.001"), 0, NULL, NULL, &result), 0);
    struct digests expected = hasher_finish(hasher);
    assert_string_equal(result.computed.sha256, expected.sha256);
    assert_string_equal(result.computed.md5, expected.md5);
    assert_int_equal(result.bytes, MEDIUM);
    verification_release(&result);
    hasher_free(hasher);
}

enum { LARGE_MIB = 120, POINTS = 8 };

struct points {
    struct buffer list[POINTS];
    size_t count;
};

static void keep_point(void *context, struct slice point)
{
    struct points *points = context;

    if (points->count < POINTS)
        buffer_add(&points->list[points->count++], point);
}

static void write_large(void)
{
    static uint8_t mib[1 << 20];
    FILE *file = fopen(path_of("large.raw"), "wb");

    assert_non_null(file);
    for (size_t i = 0; i < LARGE_MIB; i++) {
        for (size_t j = 0; j < sizeof mib; j++)
            mib[j] = (uint8_t)(j * (i + 3) + j / 4099);
        assert_int_equal(fwrite(mib, 1, sizeof mib, file), sizeof mib);
    }
    fclose(file);
}

static void verify_from(struct slice point, bool apart, const struct verification *whole)
{
    const struct verify_options options = {.from = point, .apart = apart};
    struct verification result;

    assert_int_equal(image_verify_with(path_of("large.raw"), &options, &result), 0);
    assert_string_equal(result.computed.md5, whole->computed.md5);
    assert_string_equal(result.computed.sha1, whole->computed.sha1);
    assert_string_equal(result.computed.sha256, whole->computed.sha256);
    assert_int_equal(result.bad_chunks, whole->bad_chunks);
    assert_int_equal(result.damage_count, whole->damage_count);
    verification_release(&result);
}

static void verify_with_points(bool apart)
{
    struct points points = {0};
    const struct verify_options options = {
        .apart = apart, .interval = 25 << 20, .context = &points, .point = keep_point};
    struct verification whole;

    assert_int_equal(image_verify_with(path_of("large.raw"), &options, &whole), 0);
    assert_true(points.count > 0);
    for (size_t i = 0; i < points.count; i++)
        verify_from(buffer_slice(&points.list[i]), apart, &whole);
    verify_from(buffer_slice(&points.list[0]), !apart, &whole); /* from the start */
    verification_release(&whole);
    for (size_t i = 0; i < POINTS; i++)
        buffer_release(&points.list[i]);
}

static void a_verification_goes_on_from_each_point(void **context)
{
    (void)context;
    write_large();
    verify_with_points(false);
    verify_with_points(true);
}

static void a_point_that_makes_no_sense_is_ignored(void **context)
{
    struct points points = {0};
    const struct verify_options options = {
        .interval = 25 << 20, .context = &points, .point = keep_point};
    struct verification whole;

    (void)context;
    write_large();
    assert_int_equal(image_verify_with(path_of("large.raw"), &options, &whole), 0);
    assert_true(points.count > 0);
    struct buffer *point = &points.list[0];
    const size_t size = point->size;
    for (size_t cut = 0; cut < size; cut += size / 7 + 1)
        verify_from(slice_of(point->data, cut), false, &whole);
    point->data[8] ^= 1; /* another size of blocks */
    verify_from(buffer_slice(point), false, &whole);
    point->data[8] ^= 1;
    memset(point->data + 44, 0xFF, 8); /* other hashes */
    verify_from(buffer_slice(point), false, &whole);
    verification_release(&whole);
    for (size_t i = 0; i < POINTS; i++)
        buffer_release(&points.list[i]);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(one_file_is_the_medium),
        TEST(parts_count_from_one),
        TEST(parts_count_from_zero),
        TEST(parts_count_without_zeroes_in_front),
        TEST(parts_have_letters),
        TEST(a_missing_part_is_damage),
        TEST(without_its_first_part_a_set_is_refused),
        TEST(a_gap_between_unequal_parts_is_refused),
        TEST(a_gpt_tells_the_sector_size),
        TEST(a_file_that_shrinks_is_damage),
        TEST(verify_works_without_chunks),
        TEST(a_verification_goes_on_from_each_point),
        TEST(a_point_that_makes_no_sense_is_ignored),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
