/* Whole E01 sets are read as the medium, and verified. */
#include "tests/unit/ewf_set.h"
#include "triage/base/error.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static void a_good_set_reads_as_the_medium(void **context)
{
    (void)context;
    write_set();
    open_segment(0);
    assert_int_equal(image_container(image)->segment_count, 6);
    assert_int_equal(image_container(image)->size, MEDIUM);
    assert_damaged(0, 0);
}

static void any_segment_opens_the_set(void **context)
{
    (void)context;
    writer.lower_case = true;
    write_set();
    open_segment(3);
    assert_damaged(0, 0);
}

static void a_smart_set_has_its_chunks_in_the_table(void **context)
{
    (void)context;
    writer.smart = true;
    write_set();
    open_segment(1);
    assert_damaged(0, 0);
}

static void names_go_on_behind_99(void **context)
{
    static uint8_t large[130 * CHUNK], back[130 * CHUNK];
    (void)context;
    for (size_t i = 0; i < sizeof large; i++)
        large[i] = (uint8_t)(i / 512 * 7 + i);
    writer.medium = slice_of(large, sizeof large);
    writer.chunks_each = 1;
    write_set();
    open_segment(125);
    assert_int_equal(image_container(image)->segment_count, 130);
    assert_int_equal(image_read(image, 0, back, sizeof back), sizeof back);
    assert_memory_equal(back, large, sizeof large);
}

static void a_claimed_size_needs_no_memory(void **context)
{
    size_t count;
    (void)context;
    writer.claimed_sectors = UINT64_C(1) << 45;
    write_set();
    open_segment(0);
    assert_int_equal(image_container(image)->size, UINT64_C(1) << 54);
    assert_int_equal(image_read(image, 0, got, CHUNK), CHUNK);
    assert_memory_equal(got, medium, CHUNK);
    assert_int_equal(image_read(image, UINT64_C(1) << 53, got, CHUNK), CHUNK);
    image_damage(image, &count);
    assert_int_equal(count, 1);
}

static void an_impossible_geometry_is_an_error(void **context)
{
    (void)context;
    writer.claimed_sectors = UINT64_MAX;
    write_set();
    assert_int_equal(image_open(writer.segments[0].path, &image), -1);
    assert_non_null(strstr(error_text(), "volume section"));
}

static void verify_sums_up(void **context)
{
    struct verification result;
    struct hasher *hasher = hasher_new(HASH_ALL);
    (void)context;
    write_set();
    hasher_add(hasher, slice_of(medium, MEDIUM));
    assert_int_equal(image_verify(writer.segments[0].path, 3, NULL, NULL, &result), 0);
    struct digests expected = hasher_finish(hasher);
    assert_string_equal(result.computed.md5, expected.md5);
    assert_string_equal(result.computed.sha1, expected.sha1);
    assert_string_equal(result.computed.sha256, expected.sha256);
    assert_int_equal(result.bad_chunks, 0);
    assert_false(result.hash_differs);
    verification_release(&result);
    hasher_free(hasher);
}

static void verify_counts_bad_chunks(void **context)
{
    struct verification result;
    (void)context;
    write_set();
    file_flip(writer.segments[2].path, writer.segments[2].chunk_at[5] + 20);
    file_flip(writer.segments[4].path, writer.segments[4].chunk_at[2] + 20);
    assert_int_equal(image_verify(writer.segments[0].path, 2, NULL, NULL, &result), 0);
    assert_int_equal(result.bad_chunks, 2);
    assert_int_equal(result.damage_count, 2);
    assert_int_equal(result.damage[1].offset, 34 * CHUNK);
    verification_release(&result);
}

/* EnCase 6.7: no base, and behind 2 GiB the entries use all 32 bits. The file is sparse. */
static void offsets_beyond_2_gib_use_all_bits(void **context)
{
    (void)context;
    writer.medium.size = 3 * CHUNK;
    writer.chunks_each = 8;
    writer.far_apart = true;
    write_set();
    open_segment(0);
    assert_int_equal(image_read(image, 0, got, 3 * CHUNK), 3 * CHUNK);
    assert_memory_equal(got, medium, 3 * CHUNK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_good_set_reads_as_the_medium),
        TEST(any_segment_opens_the_set),
        TEST(a_smart_set_has_its_chunks_in_the_table),
        TEST(names_go_on_behind_99),
        TEST(a_claimed_size_needs_no_memory),
        TEST(an_impossible_geometry_is_an_error),
        TEST(verify_sums_up),
        TEST(verify_counts_bad_chunks),
        TEST(offsets_beyond_2_gib_use_all_bits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
