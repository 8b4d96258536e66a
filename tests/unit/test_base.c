/* The lowest layers: cursors, times, globs, UTF-16, base64, JSON, arenas, files. */
#include "triage/base/arena.h"
#include "triage/base/base64.h"
#include "triage/base/buffer.h"
#include "triage/base/cursor.h"
#include "triage/base/error.h"
#include "triage/base/glob.h"
#include "triage/base/guid.h"
#include "triage/base/hash.h"
#include "triage/base/instant.h"
#include "triage/base/json.h"
#include "triage/base/keyed_hash.h"
#include "triage/base/utf16.h"
#include "triage/record/file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void a_cursor_reads_little_and_big_endian(void **state)
{
    static const uint8_t bytes[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10};
    struct cursor c = cursor_over(slice_of(bytes, sizeof bytes), 100);

    (void)state;
    assert_int_equal(cursor_u16le(&c), 0x0201);
    assert_int_equal(cursor_u16be(&c), 0x0304);
    assert_int_equal(cursor_u32le(&c), 0x08070605);
    assert_int_equal(cursor_place(&c), 108);
    assert_false(cursor_failed(&c));
}

static void a_cursors_failure_sticks(void **state)
{
    static const uint8_t bytes[] = {1, 2, 3};
    struct cursor c = cursor_over(slice_of(bytes, sizeof bytes), 0);

    (void)state;
    assert_int_equal(cursor_u32le(&c), 0);
    assert_int_equal(cursor_u8(&c), 0);
    assert_int_equal(cursor_take(&c, SIZE_MAX).size, 0);
    assert_true(cursor_failed(&c));
    assert_int_equal(cursor_left(&c), 0);
}

static void a_part_stays_within_its_slice(void **state)
{
    const struct slice text = SLICE_LITERAL("abcdef");

    (void)state;
    assert_int_equal(slice_part(text, 4, 100).size, 2);
    assert_int_equal(slice_part(text, 6, 1).size, 0);
    assert_int_equal(slice_part(text, SIZE_MAX, SIZE_MAX).size, 0);
    assert_int_equal(slice_find_nocase(text, 0, SLICE_LITERAL("DEF")), 3);
    assert_true(slice_find_nocase(text, 4, SLICE_LITERAL("DEF")) == SIZE_MAX);
}

static void numbers_that_do_not_fit_are_refused(void **state)
{
    uint64_t value = 7;

    (void)state;
    assert_true(slice_to_u64(SLICE_LITERAL("18446744073709551615"), &value));
    assert_true(value == UINT64_MAX);
    assert_false(slice_to_u64(SLICE_LITERAL("18446744073709551616"), &value));
    assert_false(slice_to_u64(SLICE_LITERAL("12a"), &value));
    assert_false(slice_to_u64(SLICE_LITERAL(""), &value));
}

static void check_time(const char *text, const char *expected)
{
    char formatted[INSTANT_TEXT_SIZE];
    struct instant instant = INSTANT_NONE;

    assert_true(instant_parse(slice_of_text(text), &instant, NULL));
    assert_string_equal(instant_format(instant, formatted), expected);
}

static void times_keep_their_offset_and_fraction(void **state)
{
    (void)state;
    check_time("2021-03-03T10:15:19.162Z", "2021-03-03T10:15:19.162000+00:00");
    check_time("2021-03-03 10:15:19.1620001+01:00", "2021-03-03T09:15:19.162000+00:00");
    check_time("2024-02-29", "2024-02-29T00:00:00.000000+00:00");
    check_time("1970-01-01T00:00:00-00:30", "1970-01-01T00:30:00.000000+00:00");
    check_time("2000-12-31T23:59:59.9999999", "2000-12-31T23:59:59.999999+00:00");
}

static void impossible_times_are_refused(void **state)
{
    static const char *const texts[] = {
        "2021-02-29", "2021-13-01", "2021-00-10", "2021-03-03T24:00:00",  "2021-03-03T10:15",
        "2021-3-3",   "",           "0000-01-01", "2021-03-03T10:15:19+1"};
    struct instant instant;

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        assert_false(instant_parse(slice_of_text(texts[i]), &instant, NULL));
}

static void civil_dates_and_ticks_are_inverse(void **state)
{
    (void)state;
    for (int64_t day = 1; day < 3000000; day += 97) {
        const struct instant instant = {day * TICKS_PER_DAY + 12345678901};
        assert_true(instant_from_civil(instant_to_civil(instant)).ticks == instant.ticks);
    }
}

static void unix_microseconds_match_the_format(void **state)
{
    struct instant instant;

    (void)state;
    instant_parse(SLICE_LITERAL("2021-03-02T01:19:53.865Z"), &instant, NULL);
    assert_true(instant_to_unix_us(instant) == INT64_C(1614647993865000));
    assert_true(instant_from_unix(1614647993, 865000000).ticks == instant.ticks);
}

static void globs_stay_within_a_component_but_for_two_stars(void **state)
{
    (void)state;
    assert_true(glob_match("a/**/*.log", "A/x.LOG"));
    assert_true(glob_match("a/**/*.log", "a/b/c/x.log"));
    assert_true(glob_match("**/b/*.log", "a/b/b/c.log"));
    assert_true(glob_match("a/**", "a/b/c"));
    assert_true(glob_match("w3svc?/u_*.log", "W3SVC1/u_ex210303.log"));
    assert_false(glob_match("a/*.log", "a/b/c.log"));
    assert_false(glob_match("a/*.log", "a/x.log/y"));
    assert_false(glob_match("a", "a/b"));
}

static void globs_with_many_stars_end_soon(void **state)
{
    char path[4000];

    (void)state;
    memset(path, 'a', sizeof path - 1);
    path[sizeof path - 1] = 0;
    assert_false(glob_match("*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*b", path));
}

static void utf16_with_lone_surrogates_stays_valid(void **state)
{
    static const uint8_t bytes[] = {0x00, 0xD8, 'a',  0,    0x3D, 0xD8,
                                    0x00, 0xDE, 0x00, 0xDC, 0x0A, 0x20};
    struct arena *arena = arena_new(0);
    const char *text = utf16_to_text(arena, slice_of(bytes, sizeof bytes), false);

    (void)state;
    assert_string_equal(text, "\xEF\xBF\xBD"
                              "a\xF0\x9F\x98\x80\xEF\xBF\xBD\xE2\x80\x8A");
    assert_true(utf8_valid(slice_of_text(text)));
    arena_free(arena);
}

static void overlong_and_surrogate_utf8_is_repaired(void **state)
{
    struct buffer out = BUFFER_EMPTY;

    (void)state;
    utf8_append_repaired(&out, SLICE_LITERAL("a\xC0\x80\xED\xA0\x80\xE2\x82z"));
    assert_true(utf8_valid(buffer_slice(&out)));
    assert_int_equal(buffer_text(&out)[0], 'a');
    buffer_release(&out);
}

static void only_one_value_in_one_line_is_json(void **state)
{
    static const char *const good[] = {
        "{}",        "[]",   "\"\"",
        " -0.5e+7 ", "null", "{\"a\": [1, {\"b\": \"\\u00e9\\n\"}], \"c\": true}"};
    static const char *const bad[] = {"",          "{",   "[1,]",     "{\"a\"}",   "{\"a\":1,}",
                                      "01",        "1.",  "-",        "1e",        "\"\\x\"",
                                      "\"\\u12\"", "nul", "\"a\nb\"", "[1,\n2]",   "1 2",
                                      "\"\xFF\"",  "'a'", "{1:2}",    "1</script>"};
    char deep[2 * JSON_DEPTH + 3] = "";

    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        assert_true(json_is_line(slice_of_text(good[i])));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(json_is_line(slice_of_text(bad[i])));
    memset(deep, '[', JSON_DEPTH + 1);
    memset(deep + JSON_DEPTH + 1, ']', JSON_DEPTH + 1);
    assert_false(json_is_line(slice_of_text(deep)));
    assert_true(json_is_line(slice_of(deep + 1, 2 * JSON_DEPTH)));
}

static void what_is_no_json_becomes_a_text(void **state)
{
    struct buffer out = BUFFER_EMPTY;
    struct json json = json_over(&out, false);

    (void)state;
    json_array(&json);
    json_line(&json, SLICE_LITERAL("{\"a\":1}"));
    json_line(&json, SLICE_LITERAL("</script>\"\n"));
    json_array_end(&json);
    assert_string_equal(buffer_text(&out), "[{\"a\":1},\"</script>\\\"\\n\"]");
    buffer_release(&out);
}

static void any_number_of_microseconds_is_a_time_or_none(void **state)
{
    char text[INSTANT_TEXT_SIZE];

    (void)state;
    assert_string_equal(instant_format(instant_from_unix_us(-1), text),
                        "1969-12-31T23:59:59.999999+00:00");
    assert_false(instant_known(instant_from_unix_us(INT64_MIN)));
    assert_false(instant_known(instant_from_unix_us(INT64_MAX)));
}

static void json_escapes_whatever_it_is_given(void **state)
{
    struct buffer out = BUFFER_EMPTY;
    struct json json = json_over(&out, false);

    (void)state;
    json_object(&json);
    json_pair_slice(&json, "a\"b", SLICE_LITERAL("x\x01\n\xFF\\\x7F"));
    json_key(&json, "list");
    json_array(&json);
    json_integer(&json, -5);
    json_null(&json);
    json_array_end(&json);
    json_object_end(&json);
    assert_string_equal(buffer_text(&out),
                        "{\"a\\\"b\":\"x\\u0001\\n\xEF\xBF\xBD\\\\\\u007f\",\"list\":[-5,null]}");
    buffer_release(&out);
}

static void an_arena_keeps_to_its_ceiling(void **state)
{
    struct arena *arena = arena_new(1000);

    (void)state;
    assert_non_null(arena_take(arena, 900));
    assert_null(arena_take(arena, 200));
    assert_null(arena_array(arena, SIZE_MAX / 2, 3));
    assert_non_null(strstr(error_text(), "ceiling"));
    assert_true(arena_full(arena)); /* so that nobody need look at each piece */
    arena_reset(arena);
    assert_false(arena_full(arena));
    assert_non_null(arena_take(arena, 992));
    assert_null(arena_take(arena, 9));
    arena_free(arena);
}

static void three_hashes_come_of_one_pass(void **state)
{
    struct hasher *hasher = hasher_new(HASH_ALL);

    (void)state;
    hasher_add(hasher, SLICE_LITERAL("a"));
    hasher_add(hasher, SLICE_LITERAL("bc"));
    const struct digests digests = hasher_finish(hasher);
    assert_string_equal(digests.md5, "900150983cd24fb0d6963f7d28e17f72");
    assert_string_equal(digests.sha1, "a9993e364706816aba3e25717850c26c9cd0d89d");
    assert_string_equal(digests.sha256,
                        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    hasher_free(hasher);
}

/* 16,003 bytes: "0123456789abcdef" a thousand times and "xyz". */
static void pieces_of_any_size_hash_alike(void **state)
{
    enum { SIZE = 16003 };
    static uint8_t bytes[SIZE];
    static const size_t pieces[] = {1, 63, 64, 65, 1000, SIZE};
    struct hasher *hasher = hasher_new(HASH_ALL);

    (void)state;
    for (size_t i = 0; i < SIZE; i++)
        bytes[i] = (uint8_t)(i < SIZE - 3 ? "0123456789abcdef"[i % 16] : "xyz"[i - (SIZE - 3)]);
    for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++) {
        for (size_t at = 0; at < SIZE; at += pieces[i])
            hasher_add(hasher, slice_part(slice_of(bytes, SIZE), at, pieces[i]));
        const struct digests digests = hasher_finish(hasher);
        assert_string_equal(digests.md5, "fb8974173e746d6b0f7aff7bd41fb8bd");
        assert_string_equal(digests.sha1, "4f55910a98212c276dfd9ccdbb00ccf75f352693");
        assert_string_equal(digests.sha256,
                            "cd6d3df6486c8872f4271eebdb74acf1b10484903ab8c6f505478b433d7b0f42");
    }
    hasher_free(hasher);
}

static void errors_gather_context(void **state)
{
    (void)state;
    assert_int_equal(error_set("block %d is cut short", 4), -1);
    error_prefix("hive '%s'", "SAM");
    assert_string_equal(error_text(), "hive 'SAM': block 4 is cut short");
}

static void times_for_sentences_end_with_the_minute_or_the_second(void **state)
{
    char text[INSTANT_TEXT_SIZE];

    (void)state;
    assert_string_equal(instant_words(INT64_C(1614766519162000), INSTANT_MINUTE, text),
                        "2021-03-03 10:15");
    assert_string_equal(instant_words(INT64_C(1614766519162000), INSTANT_SECOND, text),
                        "2021-03-03 10:15:19");
    assert_string_equal(instant_words(INT64_C(-12000000000000000), INSTANT_SECOND, text), "");
}

static const uint8_t counted[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};

static void guids_are_written_plain_and_as_windows_does(void **state)
{
    char text[GUID_TEXT_SIZE];

    (void)state;
    assert_string_equal(guid_plain(slice_of(counted, GUID_SIZE), text),
                        "04030201-0605-0807-090a-0b0c0d0e0f10");
    assert_string_equal(guid_braced(slice_of(counted, GUID_SIZE), text),
                        "{04030201-0605-0807-090A-0B0C0D0E0F10}");
}

static void a_short_guid_is_no_text(void **state)
{
    char text[GUID_TEXT_SIZE];

    (void)state;
    assert_string_equal(guid_plain(slice_of(counted, GUID_SIZE - 1), text), "");
    assert_string_equal(guid_braced(slice_of(counted, GUID_SIZE - 1), text), "");
}

/* RFC 4648, section 10. */
static void base64_is_that_of_the_rfc(void **state)
{
    static const char *const vectors[][2] = {
        {"", ""}, {"f", "Zg=="}, {"fo", "Zm8="}, {"foo", "Zm9v"}, {"foobar", "Zm9vYmFy"}};
    struct buffer out = BUFFER_EMPTY;

    (void)state;
    for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) {
        buffer_clear(&out);
        base64_add(&out, slice_of_text(vectors[i][0]));
        assert_string_equal(buffer_text(&out), vectors[i][1]);
    }
    buffer_release(&out);
}

static void base64_digits_read_as_they_are_written(void **state)
{
    (void)state;
    assert_int_equal(base64_digit('A'), 0);
    assert_int_equal(base64_digit('/'), 63);
    assert_int_equal(base64_digit('='), -1);
    assert_int_equal(base64_digit('-'), -1);
}

static void base64_is_read_whatever_stands_in_it(void **state)
{
    struct buffer out = BUFFER_EMPTY;

    (void)state;
    base64_read(&out, SLICE_LITERAL("Zm9v\r\n Ym-Fy=="), base64_digit);
    assert_string_equal(buffer_text(&out), "foobar");
    buffer_release(&out);
}

static void attributes_have_words(void **state)
{
    char text[ATTRIBUTES_SIZE];

    (void)state;
    assert_int_equal(file_attributes_write(UINT32_MAX, true, text), 40);
    assert_string_equal(text, "readonly hidden system archive directory");
    assert_int_equal(file_attributes_write(ATTRIBUTE_HIDDEN | 0x80, false, text), 6);
    assert_string_equal(text, "hidden");
    assert_int_equal(file_attributes_write(0, false, text), 0);
    assert_string_equal(text, "");
}

/* "foo" behind none, one and two bytes of its group. */
static void base64_within_more_is_what_no_neighbour_changes(void **state)
{
    static const char *const digits[] = {"Zm9v", "Zvb", "mb2"};
    struct arena *arena = arena_new(0);

    (void)state;
    for (size_t before = 0; before < 3; before++)
        assert_true(slice_is(base64_within(arena, SLICE_LITERAL("foo"), before), digits[before]));
    assert_int_equal(base64_within(arena, SLICE_LITERAL(""), 1).size, 0);
    arena_free(arena);
}

static void a_keyed_hash_depends_on_its_key_and_each_byte(void **context)
{
    /* SipHash-1-3 of nothing, with the key of its reference vectors. */
    const struct hash_key known = {{UINT64_C(0x0706050403020100), UINT64_C(0x0F0E0D0C0B0A0908)}};
    const struct hash_key fresh = hash_key_new();
    const struct slice text = SLICE_LITERAL("192.0.2.1, some user");

    (void)context;
    assert_true(keyed_hash(&known, slice_of(NULL, 0)) == UINT64_C(0xABAC0158050FC4DC));
    assert_true(keyed_hash(&fresh, text) == keyed_hash(&fresh, text));
    assert_true(keyed_hash(&fresh, text) != keyed_hash(&known, text));
    for (size_t size = 0; size < text.size; size++)
        assert_true(keyed_hash(&fresh, slice_part(text, 0, size)) != keyed_hash(&fresh, text));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_cursor_reads_little_and_big_endian),
        cmocka_unit_test(a_cursors_failure_sticks),
        cmocka_unit_test(a_keyed_hash_depends_on_its_key_and_each_byte),
        cmocka_unit_test(a_part_stays_within_its_slice),
        cmocka_unit_test(numbers_that_do_not_fit_are_refused),
        cmocka_unit_test(times_keep_their_offset_and_fraction),
        cmocka_unit_test(impossible_times_are_refused),
        cmocka_unit_test(civil_dates_and_ticks_are_inverse),
        cmocka_unit_test(unix_microseconds_match_the_format),
        cmocka_unit_test(globs_stay_within_a_component_but_for_two_stars),
        cmocka_unit_test(globs_with_many_stars_end_soon),
        cmocka_unit_test(utf16_with_lone_surrogates_stays_valid),
        cmocka_unit_test(overlong_and_surrogate_utf8_is_repaired),
        cmocka_unit_test(base64_is_that_of_the_rfc),
        cmocka_unit_test(base64_digits_read_as_they_are_written),
        cmocka_unit_test(base64_is_read_whatever_stands_in_it),
        cmocka_unit_test(attributes_have_words),
        cmocka_unit_test(base64_within_more_is_what_no_neighbour_changes),
        cmocka_unit_test(only_one_value_in_one_line_is_json),
        cmocka_unit_test(what_is_no_json_becomes_a_text),
        cmocka_unit_test(any_number_of_microseconds_is_a_time_or_none),
        cmocka_unit_test(json_escapes_whatever_it_is_given),
        cmocka_unit_test(an_arena_keeps_to_its_ceiling),
        cmocka_unit_test(three_hashes_come_of_one_pass),
        cmocka_unit_test(pieces_of_any_size_hash_alike),
        cmocka_unit_test(errors_gather_context),
        cmocka_unit_test(times_for_sentences_end_with_the_minute_or_the_second),
        cmocka_unit_test(guids_are_written_plain_and_as_windows_does),
        cmocka_unit_test(a_short_guid_is_no_text),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
