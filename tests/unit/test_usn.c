/* Records of the change journal. */
#include "tests/unit/usn_case.h"

static enum usn_step step(struct usn_window *window, struct usn_record *record)
{
    struct slice damage;

    return usn_next(window, record, &damage);
}

static void a_record_of_version_2_is_read(void **context)
{
    struct usn_record record;

    (void)context;
    add(reference(30, 1), root, USN_FILE_CREATE | USN_CLOSE, "a.txt");
    struct usn_window window = {.bytes = slice_of(bytes, used), .last = true};
    assert_int_equal(step(&window, &record), USN_RECORD);
    assert_int_equal(record.version, 2);
    assert_int_equal(reference_entry(record.file.low), 30);
    assert_int_equal(reference_sequence(record.file.low), 1);
    assert_true(record.parent.low == root);
    assert_true(record.when.ticks == (int64_t)day);
    assert_int_equal(record.reason, USN_FILE_CREATE | USN_CLOSE);
    assert_int_equal(record.name.size, 10);
    assert_int_equal(step(&window, &record), USN_END);
}

static void a_record_of_version_3_is_read(void **context)
{
    struct usn_record record;

    (void)context;
    add_version(3, reference(30, 1), root, USN_FILE_DELETE, 0x20, "b.txt");
    struct usn_window window = {.bytes = slice_of(bytes, used), .last = true};
    assert_int_equal(step(&window, &record), USN_RECORD);
    assert_int_equal(record.version, 3);
    assert_true(record.parent.low == root && record.parent.high == 0);
    assert_int_equal(record.name.size, 10);
}

static void a_record_of_version_4_has_no_time_and_no_name(void **context)
{
    struct usn_record record;

    (void)context;
    add_version_4(reference(30, 1), root);
    struct usn_window window = {.bytes = slice_of(bytes, used), .last = true};
    assert_int_equal(step(&window, &record), USN_RECORD);
    assert_int_equal(record.version, 4);
    assert_false(instant_known(record.when));
    assert_int_equal(record.name.size, 0);
    assert_int_equal(record.reason, 1);
}

static void extents_must_fit(void **context)
{
    struct usn_record record;

    (void)context;
    add_version_4(reference(30, 1), root);
    put_at(60, 500, 2);
    struct usn_window window = {.bytes = slice_of(bytes, used), .last = true};
    assert_int_equal(step(&window, &record), USN_DAMAGE);
}

static void a_name_must_fit(void **context)
{
    struct usn_record record;

    (void)context;
    add(reference(30, 1), root, USN_CLOSE, "a.txt");
    put_at(56, 200, 2);
    struct usn_window window = {.bytes = slice_of(bytes, used), .last = true};
    assert_int_equal(step(&window, &record), USN_DAMAGE);
}

static void a_record_that_reaches_over_the_window_waits(void **context)
{
    struct usn_record record;

    (void)context;
    add(reference(30, 1), root, USN_CLOSE, "a.txt");
    const size_t second = add(reference(31, 1), root, USN_CLOSE, "b.txt");
    struct usn_window window = {.bytes = slice_of(bytes, used - 8)};
    assert_int_equal(step(&window, &record), USN_RECORD);
    assert_int_equal(step(&window, &record), USN_MORE);
    assert_int_equal(window.at, second);
}

static void words_name_all_reasons(void **context)
{
    struct buffer text = BUFFER_EMPTY;

    (void)context;
    usn_reason_append(&text, 0x80000102);
    assert_string_equal(buffer_text(&text), "DATA_EXTEND|FILE_CREATE|CLOSE");
    buffer_clear(&text);
    usn_reason_append(&text, 0x40000001);
    assert_string_equal(buffer_text(&text), "DATA_OVERWRITE|0x40000000");
    buffer_clear(&text);
    usn_source_append(&text, 6);
    assert_string_equal(buffer_text(&text), "AUXILIARY_DATA|REPLICATION_MANAGEMENT");
    buffer_release(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_record_of_version_2_is_read),
        TEST(a_record_of_version_3_is_read),
        TEST(a_record_of_version_4_has_no_time_and_no_name),
        TEST(extents_must_fit),
        TEST(a_name_must_fit),
        TEST(a_record_that_reaches_over_the_window_waits),
        TEST(words_name_all_reasons),
    };

    return cmocka_run_group_tests_name("usn", tests, NULL, NULL);
}
