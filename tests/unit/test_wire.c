#include "triage/base/error.h"
#include "triage/record/wire.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct arena *arena;
static struct buffer wire;

static int set_up(void **state)
{
    (void)state;
    arena = arena_new(0);
    wire = (struct buffer)BUFFER_EMPTY;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    arena_free(arena);
    buffer_release(&wire);
    return 0;
}

static const struct file sample_file = {
    .path = "inetpub/wwwroot/a.aspx",
    .stream = "",
    .evidence = 1,
    .volume = 2,
    .address = 0x1122334455667788,
    .sequence = 9,
    .attribute = 3,
    .size = UINT64_MAX,
    .place = 4096,
    .flags = FILE_DELETED,
    .attributes = ATTRIBUTE_HIDDEN,
    .si = {{1}, {2}, {3}, {4}},
    .fn = {{5}, {6}, {7}, {INT64_MAX}},
};

static struct event sample_event(const struct value *values, size_t count)
{
    return (struct event){
        .kind = KIND_web_request,
        .artifact = "iis_log",
        .when = {12345},
        .basis = BASIS_LOCAL,
        .time_text = SLICE_LITERAL("10:00"),
        .offset = 77,
        .number = 3,
        .raw = SLICE_LITERAL("GET /x"),
        .values = values,
        .value_count = count,
        .marks = EVENT_REPAIRED,
    };
}

static const struct value sample_values[] = {
    {"c-ip", FIELD_c_ip, false, {(const uint8_t *)"192.0.2.1", 9}},
    {"MyColumn", FIELD_OTHER, false, {(const uint8_t *)"\xff", 1}},
    {"cs(User-Agent)", FIELD_cs_user_agent, true, {(const uint8_t *)"", 0}},
};

static void numbers_survive(void **state)
{
    (void)state;
    wire_put_u8(&wire, 0xFE);
    wire_put_u32(&wire, 0xFEDCBA98);
    wire_put_u64(&wire, 0xFEDCBA9876543210);
    struct cursor in = cursor_over(buffer_slice(&wire), 0);
    assert_int_equal(wire_get_u8(&in), 0xFE);
    assert_int_equal(wire_get_u32(&in), 0xFEDCBA98);
    assert_true(wire_get_u64(&in) == 0xFEDCBA9876543210);
    assert_int_equal(cursor_left(&in), 0);
    assert_false(cursor_failed(&in));
}

static void no_text_and_empty_text_differ(void **state)
{
    (void)state;
    wire_put_text(&wire, NULL);
    wire_put_text(&wire, "");
    wire_put_text(&wire, "abc");
    struct cursor in = cursor_over(buffer_slice(&wire), 0);
    assert_null(wire_get_text(&in, arena));
    assert_string_equal(wire_get_text(&in, arena), "");
    assert_string_equal(wire_get_text(&in, arena), "abc");
    assert_false(cursor_failed(&in));
}

static void a_text_longer_than_the_bytes_fails(void **state)
{
    (void)state;
    wire_put_u32(&wire, 1000);
    struct cursor in = cursor_over(buffer_slice(&wire), 0);
    assert_null(wire_get_text(&in, arena));
    assert_true(cursor_failed(&in));
}

static void a_file_survives(void **state)
{
    struct file read;

    (void)state;
    wire_put_file(&wire, &sample_file);
    struct cursor in = cursor_over(buffer_slice(&wire), 0);
    assert_int_equal(wire_get_file(&in, arena, &read), 0);
    assert_int_equal(cursor_left(&in), 0);
    assert_string_equal(read.path, sample_file.path);
    assert_string_equal(read.stream, "");
    assert_true(read.address == sample_file.address && read.size == UINT64_MAX);
    assert_int_equal(read.sequence, 9);
    assert_int_equal(read.attribute, 3);
    assert_memory_equal(&read.si, &sample_file.si, sizeof read.si);
    assert_memory_equal(&read.fn, &sample_file.fn, sizeof read.fn);
}

static void an_event_survives(void **state)
{
    const struct event event = sample_event(sample_values, 3);
    struct event read = {.artifact = "kept", .file = &sample_file};

    (void)state;
    wire_put_event(&wire, &event, SIZE_MAX);
    struct cursor in = cursor_over(buffer_slice(&wire), 0);
    assert_int_equal(wire_get_event(&in, arena, &read), 0);
    assert_int_equal(cursor_left(&in), 0);
    assert_string_equal(read.artifact, "kept");
    assert_ptr_equal(read.file, &sample_file);
    assert_int_equal(read.kind, KIND_web_request);
    assert_int_equal(read.basis, BASIS_LOCAL);
    assert_true(read.when.ticks == 12345 && read.offset == 77 && read.number == 3);
    assert_int_equal(read.marks, EVENT_REPAIRED);
    assert_true(slice_is(read.raw, "GET /x") && slice_is(read.time_text, "10:00"));
    assert_int_equal(read.value_count, 3);
    assert_true(slice_is(event_value(&read, "c-ip"), "192.0.2.1"));
    assert_string_equal(read.values[1].name, "MyColumn");
    assert_string_equal(read.values[2].name, "cs(User-Agent)");
    assert_int_equal(read.values[2].field, FIELD_cs_user_agent);
    assert_true(read.values[2].alias && read.values[2].text.data);
}

static void raw_is_cut_to_its_ceiling(void **state)
{
    const struct event event = sample_event(NULL, 0);
    struct event read = {0};

    (void)state;
    wire_put_event(&wire, &event, 3);
    struct cursor in = cursor_over(buffer_slice(&wire), 0);
    assert_int_equal(wire_get_event(&in, arena, &read), 0);
    assert_true(slice_is(read.raw, "GET"));
}

static void what_is_cut_short_is_refused_and_changes_nothing(void **state)
{
    const struct event event = sample_event(sample_values, 3);
    struct event read = {.number = 99};
    struct file file = {.volume = 99};

    (void)state;
    wire_put_event(&wire, &event, SIZE_MAX);
    for (size_t size = 0; size < wire.size; size++) {
        struct cursor in = cursor_over(slice_of(wire.data, size), 0);
        assert_int_equal(wire_get_event(&in, arena, &read), -1);
        assert_int_equal(read.number, 99);
    }
    buffer_clear(&wire);
    wire_put_file(&wire, &sample_file);
    for (size_t size = 0; size < wire.size; size++) {
        struct cursor in = cursor_over(slice_of(wire.data, size), 0);
        assert_int_equal(wire_get_file(&in, arena, &file), -1);
        assert_int_equal(file.volume, 99);
    }
}

/* Each of 16 MiB of values would be compared with all others. */
static void more_values_than_any_event_has_are_refused(void **state)
{
    enum { COUNT = 10000 };
    struct value *values = calloc(COUNT, sizeof *values);
    struct event read = {.number = 99};

    (void)state;
    assert_non_null(values);
    for (size_t i = 0; i < COUNT; i++)
        values[i] = sample_values[1];
    const struct event event = sample_event(values, COUNT);
    wire_put_event(&wire, &event, SIZE_MAX);
    struct cursor in = cursor_over(buffer_slice(&wire), 0);
    assert_int_equal(wire_get_event(&in, arena, &read), -1);
    assert_int_equal(read.number, 99);
    free(values);
}

/* What is read back must be usable as it is, whatever the bytes are. */
static void changed_bytes_do_no_harm(void **state)
{
    const struct event event = sample_event(sample_values, 3);
    uint64_t random = 88172645463325252u;
    size_t accepted = 0;

    (void)state;
    wire_put_event(&wire, &event, SIZE_MAX);
    for (unsigned round = 0; round < 20000; round++) {
        struct event read = {0};
        random ^= random << 13, random ^= random >> 7, random ^= random << 17;
        uint8_t *byte = &wire.data[random % wire.size];
        const uint8_t old = *byte;
        *byte = (uint8_t)(random >> 32);
        struct cursor in = cursor_over(buffer_slice(&wire), 0);
        if (wire_get_event(&in, arena, &read) == 0) {
            accepted++;
            assert_non_null(kind_name(read.kind));
            for (size_t i = 0; i < read.value_count; i++)
                assert_true(strlen(read.values[i].name) < 1000);
        }
        *byte = old;
        arena_reset(arena);
    }
    assert_true(accepted > 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(numbers_survive),
        TEST(no_text_and_empty_text_differ),
        TEST(a_text_longer_than_the_bytes_fails),
        TEST(a_file_survives),
        TEST(an_event_survives),
        TEST(raw_is_cut_to_its_ceiling),
        TEST(what_is_cut_short_is_refused_and_changes_nothing),
        TEST(more_values_than_any_event_has_are_refused),
        TEST(changed_bytes_do_no_harm),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
