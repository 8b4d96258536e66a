/* Shadow copies: which are wanted, and volumes that have none or cannot have them. */
#include "triage/base/error.h"
#include "triage/evidence/image_methods.h"
#include "triage/evidence/shadow.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { SIZE = 64 << 10, HEADER = 0x1E00 };

static uint8_t bytes[SIZE];

static ssize_t read_bytes(struct image *image, uint64_t offset, void *buffer, size_t size)
{
    (void)image;
    memcpy(buffer, bytes + offset, size);
    return (ssize_t)size;
}

static const struct image_methods methods = {.read = read_bytes};
static struct image image = {.methods = &methods, .container = {.size = SIZE, .sector_size = 512}};

static void put_header(uint8_t catalog)
{
    static const uint8_t guid[] = {0x6B, 0x87, 0x08, 0x38, 0x76, 0xC1, 0x48, 0x4E,
                                   0xB7, 0xAE, 0x04, 0x04, 0x6E, 0x6C, 0xC7, 0x52};

    memset(bytes, 0, sizeof bytes);
    memcpy(bytes + HEADER, guid, sizeof guid);
    bytes[HEADER + 49] = catalog;
}

static void all_and_none_are_words(void **state)
{
    struct snapshot_choice choice;
    (void)state;

    assert_int_equal(snapshot_choice_parse("all", &choice), 0);
    assert_true(snapshot_is_chosen(&choice, 1) && snapshot_is_chosen(&choice, SNAPSHOTS_MAX));
    assert_int_equal(snapshot_choice_parse("none", &choice), 0);
    assert_false(snapshot_is_chosen(&choice, 1));
}

static void the_live_volume_is_no_copy(void **state)
{
    struct snapshot_choice choice;
    (void)state;

    assert_int_equal(snapshot_choice_parse("all", &choice), 0);
    assert_false(snapshot_is_chosen(&choice, 0));
    assert_false(snapshot_is_chosen(&choice, SNAPSHOTS_MAX + 1));
}

static void numbers_are_taken_one_by_one(void **state)
{
    struct snapshot_choice choice;
    (void)state;

    assert_int_equal(snapshot_choice_parse("1,65,512", &choice), 0);
    assert_true(snapshot_is_chosen(&choice, 1) && snapshot_is_chosen(&choice, 65) &&
                snapshot_is_chosen(&choice, 512));
    assert_false(snapshot_is_chosen(&choice, 2) || snapshot_is_chosen(&choice, 64));
}

static void what_is_no_list_is_refused(void **state)
{
    static const char *const texts[] = {"", "0", "513", "1,", ",1", "one", "-1", "1 2", "1,,2"};
    struct snapshot_choice choice = {{7}};
    (void)state;

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        assert_int_equal(snapshot_choice_parse(texts[i], &choice), -1);
    assert_int_equal(choice.bits[0], 7);
}

static void the_header_shows_that_there_are_copies(void **state)
{
    const struct shadow_volume volume = {&image, 0, SIZE};
    (void)state;

    put_header(1);
    assert_true(shadow_is_there(&volume));
}

static void a_header_without_a_catalog_is_of_copies_that_were_deleted(void **state)
{
    const struct shadow_volume volume = {&image, 0, SIZE};
    (void)state;

    put_header(0);
    assert_false(shadow_is_there(&volume));
}

static void a_volume_that_ends_before_the_header_has_none(void **state)
{
    const struct shadow_volume volume = {&image, 0, HEADER + 10};
    (void)state;

    put_header(1);
    assert_false(shadow_is_there(&volume));
}

static void without_the_program_the_reason_is_its_library(void **state)
{
    const struct shadow_volume volume = {&image, 0, SIZE};
    struct shadow *shadow = NULL;
    (void)state;

    setenv("EXTRIAGE_HELPERS", "/nonexistent", 1);
    assert_int_equal(shadow_new(&volume, NULL, &shadow), -1);
    assert_string_equal(error_text(), "built without libvshadow");
}

/* A program that answers nothing: "true" takes its place. */
static void a_program_that_ends_at_once_costs_the_copies(void **state)
{
    const struct shadow_volume volume = {&image, 0, SIZE};
    struct shadow *shadow = NULL;
    const struct snapshot *list;
    size_t count;
    char folder[] = "/tmp/extriage-helpers-XXXXXX", path[100];
    (void)state;

    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/shadow_copy", folder);
    assert_int_equal(symlink("/bin/true", path), 0);
    setenv("EXTRIAGE_HELPERS", folder, 1);
    assert_int_equal(shadow_new(&volume, NULL, &shadow), 0);
    assert_int_equal(shadow_list(shadow, &list, &count), -1);
    assert_non_null(strstr(error_text(), "helper program 'shadow_copy'"));
    assert_int_equal(count, 0);
    shadow_free(shadow);
    unlink(path);
    rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_and_none_are_words),
        cmocka_unit_test(the_live_volume_is_no_copy),
        cmocka_unit_test(numbers_are_taken_one_by_one),
        cmocka_unit_test(what_is_no_list_is_refused),
        cmocka_unit_test(the_header_shows_that_there_are_copies),
        cmocka_unit_test(a_header_without_a_catalog_is_of_copies_that_were_deleted),
        cmocka_unit_test(a_volume_that_ends_before_the_header_has_none),
        cmocka_unit_test(without_the_program_the_reason_is_its_library),
        cmocka_unit_test(a_program_that_ends_at_once_costs_the_copies),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
