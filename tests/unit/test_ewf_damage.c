/* Broken E01 sets: what is read must be the medium's bytes or be listed as damage, never anything
 * else. */
#include "tests/unit/ewf_set.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static void known_before_reading(void)
{
    size_t count;

    image_damage(image, &count);
    assert_int_equal(count, 1);
}

static void a_flipped_byte_damages_its_chunk_only(void **context)
{
    (void)context;
    write_set();
    file_flip(writer.segments[2].path,
              writer.segments[2].chunk_at[5] + 20); /* chunk 21: compressed */
    open_segment(0);
    assert_damaged(21, 22);
}

static void a_flipped_byte_in_a_plain_chunk_shows(void **context)
{
    (void)context;
    write_set();
    file_flip(writer.segments[2].path, writer.segments[2].chunk_at[6] + 700);
    open_segment(0);
    assert_damaged(22, 23);
}

static void damage_is_met_again_at_each_read(void **context)
{
    uint64_t hits;
    uint8_t byte;
    (void)context;
    write_set();
    file_flip(writer.segments[0].path, writer.segments[0].chunk_at[1] + 7);
    open_segment(0);
    image_read(image, CHUNK, &byte, 1);
    hits = image_damage_hits(image);
    image_read(image, CHUNK + 9, &byte, 1);
    assert_int_equal(image_damage_hits(image), hits + 1);
}

static void a_damaged_table_is_replaced_by_its_copy(void **context)
{
    (void)context;
    write_set();
    file_flip(writer.segments[1].path, writer.segments[1].table_at + 76 + 24 + 5);
    file_flip(writer.segments[2].path, writer.segments[2].table_at + 76 + 1);
    open_segment(0);
    assert_damaged(0, 0);
}

static void damage_both_tables(const struct writer_segment *segment, uint64_t at)
{
    file_flip(segment->path, segment->table_at + 76 + at);
    file_flip(segment->path, segment->table2_at + 76 + at);
}

static void without_tables_chunks_are_found_by_their_checksums(void **context)
{
    (void)context;
    write_set();
    damage_both_tables(&writer.segments[1], 24 + 5);
    damage_both_tables(&writer.segments[3], 0); /* the count */
    damage_both_tables(&writer.segments[5], 24 + 1);
    open_segment(0);
    assert_damaged(0, 0);
}

static void without_tables_a_damaged_chunk_ends_the_search(void **context)
{
    (void)context;
    write_set();
    damage_both_tables(&writer.segments[1], 24 + 5);
    file_flip(writer.segments[1].path, writer.segments[1].chunk_at[3] + 12);
    open_segment(0);
    known_before_reading();
    assert_damaged(11, 16);
}

static void without_a_count_the_next_segment_still_has_its_place(void **context)
{
    (void)context;
    write_set();
    damage_both_tables(&writer.segments[1], 0);
    file_flip(writer.segments[1].path, writer.segments[1].chunk_at[3] + 12);
    open_segment(0);
    assert_damaged(11, 16);
}

static void a_section_of_damaged_kind_moves_nothing(void **context)
{
    (void)context;
    write_set();
    file_flip(writer.segments[1].path, writer.segments[1].table_at + 1);
    file_flip(writer.segments[2].path, writer.segments[2].sectors_at + 1);
    file_flip(writer.segments[3].path, writer.segments[3].table_at + 1);
    file_flip(writer.segments[3].path, writer.segments[3].table2_at + 1);
    open_segment(0);
    assert_damaged(0, 0);
}

static void a_smart_table_of_damaged_kind_is_a_gap(void **context)
{
    (void)context;
    writer.smart = true;
    write_set();
    file_flip(writer.segments[1].path, writer.segments[1].table_at + 1);
    open_segment(0);
    assert_damaged(8, 16);
}

static void a_missing_segment_is_damage_and_the_rest_is_in_place(void **context)
{
    (void)context;
    write_set();
    remove(writer.segments[2].path);
    open_segment(0);
    known_before_reading();
    assert_damaged(16, 24);
}

static void the_first_segment_may_be_missing(void **context)
{
    (void)context;
    write_set();
    remove(writer.segments[0].path);
    open_segment(1);
    assert_damaged(0, 8);
}

static void the_last_segment_may_be_missing(void **context)
{
    (void)context;
    write_set();
    remove(writer.segments[5].path);
    open_segment(0);
    assert_damaged(40, 41);
}

static void between_two_gaps_nothing_is_placed(void **context)
{
    (void)context;
    write_set();
    remove(writer.segments[1].path);
    remove(writer.segments[3].path);
    open_segment(0);
    assert_damaged(8, 32);
}

static void a_gap_and_a_missing_end_leave_the_start(void **context)
{
    (void)context;
    write_set();
    remove(writer.segments[2].path);
    remove(writer.segments[5].path);
    open_segment(0);
    assert_damaged(16, 41);
}

static void a_truncated_last_segment_is_damage(void **context)
{
    (void)context;
    writer.medium.size = CHUNKS * CHUNK;
    write_set();
    file_cut(writer.segments[4].path, writer.segments[4].chunk_at[3] + 10);
    writer.medium.size = MEDIUM;
    open_segment(0);
    assert_int_equal(image_read(image, 0, got, MEDIUM), CHUNKS * CHUNK);
    size_t count;
    const struct damage *damage = image_damage(image, &count);
    assert_int_equal(count, 1);
    assert_int_equal(damage[0].offset, 35 * CHUNK);
    assert_non_null(strstr(damage[0].why, "cut short"));
    assert_memory_equal(got, medium, 35 * CHUNK);
}

static void a_truncated_middle_segment_is_damage(void **context)
{
    (void)context;
    write_set();
    file_cut(writer.segments[2].path, writer.segments[2].chunk_at[3] + 200);
    open_segment(0);
    assert_damaged(19, 24);
}

static void a_set_cut_behind_its_chunks_is_whole(void **context)
{
    (void)context;
    write_set();
    file_cut(writer.segments[5].path, writer.segments[5].end - 76);
    open_segment(0);
    assert_damaged(0, 0);
}

static void a_cut_smart_segment_keeps_what_is_there(void **context)
{
    (void)context;
    writer.smart = true;
    write_set();
    file_cut(writer.segments[5].path, writer.segments[5].chunk_at[0] + 3);
    open_segment(0);
    assert_damaged(40, 41);
}

static void a_segment_of_another_image_is_left_out(void **context)
{
    char saved[600];
    (void)context;
    writer.set_id = 9;
    write_set();
    snprintf(saved, sizeof saved, "%s/saved", folder);
    rename(writer.segments[2].path, saved);
    writer.set_id = 7;
    write_set();
    rename(saved, writer.segments[2].path);
    open_segment(0);
    assert_damaged(16, 24);
}

static void a_renamed_segment_is_known_by_its_number(void **context)
{
    char saved[600];
    (void)context;
    write_set();
    snprintf(saved, sizeof saved, "%s/disk.E50", folder);
    rename(writer.segments[2].path, saved);
    open_segment(0);
    assert_damaged(0, 0);
}

static void a_damaged_number_moves_no_segment(void **context)
{
    (void)context;
    write_set();
    file_put(writer.segments[1].path, 9, SLICE_LITERAL("\4"));
    open_segment(0);
    assert_damaged(8, 16);
}

static void a_damaged_number_fills_no_hole(void **context)
{
    (void)context;
    write_set();
    remove(writer.segments[2].path);
    file_put(writer.segments[5].path, 9, SLICE_LITERAL("\3"));
    open_segment(0);
    assert_damaged(16, 41);
}

static void a_lost_signature_is_no_raw_image(void **context)
{
    (void)context;
    write_set();
    file_flip(writer.segments[0].path, 2);
    open_segment(0);
    assert_damaged(0, 0);
}

static void a_lost_start_leaves_the_rest_of_the_set(void **context)
{
    static const uint8_t zeroes[100];
    (void)context;
    write_set();
    file_put(writer.segments[0].path, 0, slice_of(zeroes, sizeof zeroes));
    open_segment(0);
    assert_damaged(0, 8);
}

static void a_stranger_with_a_likely_name_is_ignored(void **context)
{
    char path[600];
    (void)context;
    write_set();
    snprintf(path, sizeof path, "%s/disk.LOG", folder);
    FILE *file = fopen(path, "w");
    fputs("acquired well\n", file);
    fclose(file);
    open_segment(0);
    assert_damaged(0, 0);
}

static void a_damaged_descriptor_is_passed_by_its_successor(void **context)
{
    (void)context;
    write_set();
    file_flip(writer.segments[1].path, writer.segments[1].sectors_at + 50);
    open_segment(0);
    assert_damaged(0, 0);
}

static void a_lost_chain_is_a_gap(void **context)
{
    (void)context;
    write_set();
    file_flip(writer.segments[1].path, writer.segments[1].sectors_at + 18);
    open_segment(0);
    known_before_reading();
    assert_damaged(8, 16);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_flipped_byte_damages_its_chunk_only),
        TEST(a_flipped_byte_in_a_plain_chunk_shows),
        TEST(damage_is_met_again_at_each_read),
        TEST(a_damaged_table_is_replaced_by_its_copy),
        TEST(without_tables_chunks_are_found_by_their_checksums),
        TEST(without_tables_a_damaged_chunk_ends_the_search),
        TEST(without_a_count_the_next_segment_still_has_its_place),
        TEST(a_section_of_damaged_kind_moves_nothing),
        TEST(a_smart_table_of_damaged_kind_is_a_gap),
        TEST(a_missing_segment_is_damage_and_the_rest_is_in_place),
        TEST(the_first_segment_may_be_missing),
        TEST(the_last_segment_may_be_missing),
        TEST(between_two_gaps_nothing_is_placed),
        TEST(a_gap_and_a_missing_end_leave_the_start),
        TEST(a_truncated_last_segment_is_damage),
        TEST(a_truncated_middle_segment_is_damage),
        TEST(a_set_cut_behind_its_chunks_is_whole),
        TEST(a_cut_smart_segment_keeps_what_is_there),
        TEST(a_segment_of_another_image_is_left_out),
        TEST(a_renamed_segment_is_known_by_its_number),
        TEST(a_damaged_number_moves_no_segment),
        TEST(a_damaged_number_fills_no_hole),
        TEST(a_lost_signature_is_no_raw_image),
        TEST(a_lost_start_leaves_the_rest_of_the_set),
        TEST(a_stranger_with_a_likely_name_is_ignored),
        TEST(a_damaged_descriptor_is_passed_by_its_successor),
        TEST(a_lost_chain_is_a_gap),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
