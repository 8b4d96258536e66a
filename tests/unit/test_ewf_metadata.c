/* What an E01 set says of itself: metadata, stored hashes, sectors that could not be read. libewf
 * and ewfacquire are asked too. */
#include "tests/unit/ewf_set.h"
#include "triage/base/error.h"
#include "triage/evidence/ewf_libewf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(metadata_are_read),
        TEST(libewf_reads_the_same_metadata),
        TEST(ewfacquire_and_libewf_and_we_agree),
        TEST(a_set_that_libewf_refuses_keeps_its_metadata),
        TEST(metadata_may_be_xml),
        TEST(two_different_stored_hashes_are_noted),
        TEST(sectors_unread_at_acquisition_are_damage),
        TEST(reading_unread_sectors_is_a_hit),
        TEST(a_damaged_list_of_unread_sectors_is_noted),
        TEST(images_of_other_tools_match_their_stored_hash),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
