/* E01 sets, whole and broken: what is read must be the medium's bytes or be listed as damage, never
 * anything else. */
#include "tests/unit/ewf_writer.h"
#include "triage/base/error.h"
#include "triage/evidence/ewf_libewf.h"

#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { CHUNKS = 40, CHUNK = WRITER_CHUNK_SIZE, SHORT = 1024, MEDIUM = CHUNKS * CHUNK + SHORT };

static char folder[64];
static uint8_t medium[MEDIUM], got[MEDIUM];
static struct writer writer;
static struct image *image;

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

static int setup(void **context)
{
    (void)context;
    strcpy(folder, "/tmp/test_ewf.XXXXXX");
    fill_medium();
    writer = (struct writer){.medium = {medium, MEDIUM}, .chunks_each = 8, .set_id = 7};
    image = NULL;
    return mkdtemp(folder) ? 0 : -1;
}

static int teardown(void **context)
{
    (void)context;
    image_close(image);
    return nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static void write_set(void)
{
    assert_int_equal(writer_run(&writer, folder, "disk"), 0);
}

static void open_segment(size_t index)
{
    if (image_open(writer.segments[index].path, &image) < 0)
        fail_msg("%s", error_text());
}

static void read_all(void)
{
    memset(got, 0xEE, sizeof got);
    assert_int_equal(image_read(image, 0, got, MEDIUM), MEDIUM);
}

/* Chunks [from, to) are damage and zeroes, the rest is the medium. */
static void assert_damaged(size_t from, size_t to)
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

static void known_before_reading(void)
{
    size_t count;

    image_damage(image, &count);
    assert_int_equal(count, 1);
}

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

static void metadata_are_read(void **context)
{
    const struct container *container;
    char all[1024] = "";
    (void)context;
    write_set();
    open_segment(0);
    container = image_container(image);
    for (size_t i = 0; i < container->metadata_count; i++) {
        strcat(all, container->metadata[i].key);
        strcat(all, "=");
        strcat(all, container->metadata[i].value);
        strcat(all, ";");
    }
    assert_string_equal(all, "case_number=case 7;evidence_number=exhibit 1;description=mail server;"
                             "examiner_name=M\xC3\xBCller;acquiry_software_version=6.19;"
                             "acquiry_operating_system=Windows;acquiry_date=2021-03-06T09:30:00;"
                             "system_date=2021-03-06T09:31:00;");
}

static const char *metadata(const struct pair *pairs, size_t count, const char *key)
{
    for (size_t i = 0; i < count; i++)
        if (!strcmp(pairs[i].key, key))
            return pairs[i].value;
    return NULL;
}

static const char *metadata_of(const char *key)
{
    const struct container *container = image_container(image);

    return metadata(container->metadata, container->metadata_count, key);
}

/* What our own reader finds alone in the opened image's files, compared with libewf's answer. */
static void assert_same_as_libewf(const struct container *container)
{
    struct pair pairs[EWF_METADATA_MAX];
    struct ewf own = {.arena = arena_new(1 << 20), .metadata = pairs};
    struct ewf_answer answer = {0};

    for (size_t i = 0; i < container->segment_count; i++) {
        struct segments one;
        assert_int_equal(segments_single(container->segments[i], &one), 0);
        assert_int_equal(segments_open(&one), 0);
        own.segments = one;
        own.ended = false;
        assert_int_equal(ewf_scan(&own), 0);
        segments_release(&one);
    }
    if (ewf_ask_libewf(container->segments, container->segment_count, own.arena, &answer) < 0)
        fail_msg("%s", error_text());
    for (size_t i = 0; i < EWF_KEYS; i++) {
        const char *mine = metadata(pairs, own.metadata_count, ewf_key(i));
        if (!answer.values[i] || !mine)
            assert_true(!answer.values[i] && !mine);
        else if (!strstr(ewf_key(i), "_date"))
            assert_string_equal(answer.values[i], mine);
        else
            assert_memory_equal(answer.values[i], mine, strlen("2021-03-06T09:30:00"));
    }
    assert_string_equal(own.image.container.md5, answer.md5);
    assert_string_equal(own.image.container.sha1, answer.sha1);
    while (own.run_count)
        free(own.runs[--own.run_count].entries);
    free(own.runs);
    free(own.unread);
    image_release_damage(&own.image);
    arena_free(own.arena);
}

static void libewf_reads_the_same_metadata(void **context)
{
    (void)context;
    writer.md5[0] = writer.md5[1] = "0123456789abcdef";
    write_set();
    open_segment(0);
    assert_same_as_libewf(image_container(image));
    assert_string_equal(image_container(image)->md5, "30313233343536373839616263646566");
}

static void ewfacquire_and_libewf_and_we_agree(void **context)
{
    char command[512], path[128];
    (void)context;
    if (system("command -v ewfacquire >/dev/null 2>&1"))
        return print_message("# SKIP ewfacquire is not there\n");
    snprintf(path, sizeof path, "%s/raw", folder);
    FILE *file = fopen(path, "wb");
    fwrite(medium, 1, MEDIUM, file);
    fclose(file);
    snprintf(
        command, sizeof command,
        "ewfacquire -q -u -f encase6 -c fast -S 1MiB -t %s/set -C 'case 1' -E e2 -e M\xC3\xBCller "
        "-D 'a disk' -N 'a note' -m fixed -M physical -d sha1 %s >/dev/null 2>&1",
        folder, path);
    assert_int_equal(system(command), 0);
    snprintf(path, sizeof path, "%s/set.E01", folder);
    assert_int_equal(image_open(path, &image), 0);
    assert_same_as_libewf(image_container(image));
    assert_string_equal(metadata_of("case_number"), "case 1");
    assert_int_equal(strlen(image_container(image)->sha1), 40);
    read_all();
    assert_memory_equal(got, medium, MEDIUM);
}

static void a_set_that_libewf_refuses_keeps_its_metadata(void **context)
{
    struct ewf_answer answer;
    struct arena *arena = arena_new(1 << 20);
    const char *paths[2];
    (void)context;
    write_set();
    remove(writer.segments[2].path);
    paths[0] = writer.segments[0].path;
    paths[1] = writer.segments[3].path;
    assert_int_equal(ewf_ask_libewf(paths, 2, arena, &answer), -1);
    arena_free(arena);
    open_segment(0);
    assert_string_equal(metadata_of("case_number"), "case 7");
}

static void metadata_may_be_xml(void **context)
{
    (void)context;
    writer.xml = true;
    write_set();
    open_segment(0);
    assert_string_equal(metadata_of("case_number"), "a < b & c");
    assert_string_equal(metadata_of("examiner_name"), "M\xC3\xBCller");
    assert_string_equal(image_container(image)->md5, "00112233445566778899aabbccddeeff");
    assert_string_equal(image_container(image)->sha1, "000102030405060708090a0b0c0d0e0f10111213");
}

static void two_different_stored_hashes_are_noted(void **context)
{
    (void)context;
    writer.md5[0] = "0123456789abcdef";
    writer.md5[1] = "fedcba9876543210";
    write_set();
    open_segment(0);
    assert_string_equal(metadata_of("damage_note"), "two different hashes of one kind are stored");
}

static void sectors_unread_at_acquisition_are_damage(void **context)
{
    static const uint32_t unread[] = {20, 4, 3, 1, 22, 8, 1000 * 1000, 7, 321, 100};
    const struct damage *damage;
    size_t count;
    (void)context;
    writer.unread = unread;
    writer.unread_count = 5;
    write_set();
    open_segment(0);
    damage = image_damage(image, &count);
    assert_int_equal(count, 3);
    assert_int_equal(damage[0].offset, 3 * 512);
    assert_int_equal(damage[0].size, 512);
    assert_int_equal(damage[1].offset, 20 * 512);
    assert_int_equal(damage[1].size, 10 * 512);
    assert_string_equal(damage[1].why, "unreadable when the image was acquired");
    assert_int_equal(damage[2].offset + damage[2].size, MEDIUM);
}

static void reading_unread_sectors_is_a_hit(void **context)
{
    static const uint32_t unread[] = {20, 4};
    (void)context;
    writer.unread = unread;
    writer.unread_count = 1;
    write_set();
    open_segment(0);
    image_read(image, 19 * 512, got, 512);
    image_read(image, 24 * 512, got, 512);
    assert_int_equal(image_damage_hits(image), 0);
    image_read(image, 19 * 512, got, 513);
    image_read(image, 23 * 512 + 511, got, 1);
    assert_int_equal(image_damage_hits(image), 2);
}

static void a_damaged_list_of_unread_sectors_is_noted(void **context)
{
    static const uint32_t unread[] = {20, 4};
    size_t count;
    (void)context;
    writer.unread = unread;
    writer.unread_count = 1;
    write_set();
    file_flip(writer.segments[writer.segment_count - 1].path,
              writer.segments[writer.segment_count - 1].unread_at + 76 + 520);
    open_segment(0);
    assert_non_null(strstr(metadata_of("damage_note"), "unreadable at acquisition"));
    image_damage(image, &count);
    assert_int_equal(count, 0);
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

/* Images of other tools; they are not part of the project. */
static void images_of_other_tools_match_their_stored_hash(void **context)
{
    static const char *const names[] = {"go-ewf/rand.dd.E04", "go-ewf/test.ntfs.dd.E01",
                                        "plaso/image.E01", "plaso/image-split.E02"};
    const char *data = getenv("EXTRIAGE_DATA");
    char path[512];
    (void)context;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct verification result;
        snprintf(path, sizeof path, "%s/images/%s", data ? data : "../shared/data", names[i]);
        if (access(path, R_OK) < 0)
            return print_message("# SKIP images of other tools: %s is not there\n", path);
        assert_int_equal(image_verify(path, 0, NULL, NULL, &result), 0);
        assert_string_not_equal(result.stored_md5, "");
        assert_string_equal(result.computed.md5, result.stored_md5);
        assert_false(result.hash_differs);
        assert_int_equal(result.damage_count, 0);
        verification_release(&result);
        assert_int_equal(image_open(path, &image), 0);
        assert_same_as_libewf(image_container(image));
        image_close(image);
        image = NULL;
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_good_set_reads_as_the_medium),
        TEST(any_segment_opens_the_set),
        TEST(a_smart_set_has_its_chunks_in_the_table),
        TEST(names_go_on_behind_99),
        TEST(metadata_are_read),
        TEST(libewf_reads_the_same_metadata),
        TEST(ewfacquire_and_libewf_and_we_agree),
        TEST(a_set_that_libewf_refuses_keeps_its_metadata),
        TEST(metadata_may_be_xml),
        TEST(two_different_stored_hashes_are_noted),
        TEST(sectors_unread_at_acquisition_are_damage),
        TEST(reading_unread_sectors_is_a_hit),
        TEST(a_damaged_list_of_unread_sectors_is_noted),
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
        TEST(a_claimed_size_needs_no_memory),
        TEST(an_impossible_geometry_is_an_error),
        TEST(verify_sums_up),
        TEST(verify_counts_bad_chunks),
        TEST(offsets_beyond_2_gib_use_all_bits),
        TEST(images_of_other_tools_match_their_stored_hash),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
