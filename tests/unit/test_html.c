/* What text from evidence becomes in a page, and how rows are packed into it. */
#include "triage/base/address.h"
#include "triage/report/html_pack.h"
#include "triage/report/html_page.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct buffer out;

static int setup(void **context)
{
    (void)context;
    out = (struct buffer)BUFFER_EMPTY;
    return 0;
}

static int teardown(void **context)
{
    (void)context;
    buffer_release(&out);
    return 0;
}

static void assert_escaped(const char *text, const char *expected)
{
    buffer_clear(&out);
    html_escape(&out, slice_of_text(text));
    assert_string_equal(buffer_text(&out), expected);
}

static void markup_is_escaped(void **context)
{
    (void)context;
    assert_escaped("</script><img src=\"x\" onerror='a&b'>",
                   "&lt;/script&gt;&lt;img src=&quot;x&quot; onerror=&#39;a&amp;b&#39;&gt;");
}

static void what_cannot_be_seen_is_shown(void **context)
{
    (void)context;
    assert_escaped("a\xE2\x80\xAEtxt.exe", "a\\u{202e}txt.exe");
    assert_escaped("a\tb\x7F\xC2\x85\xE2\x80\x8B\xEF\xBB\xBF",
                   "a\\u{9}b\\u{7f}\\u{85}\\u{200b}\\u{feff}");
    assert_escaped("\xF3\xA0\x81\x81", "\\u{e0041}");
}

static void other_scripts_stay(void **context)
{
    (void)context;
    assert_escaped("\xD0\xB4\xE4\xB8\xAD\xF0\x9F\x98\x80", "\xD0\xB4\xE4\xB8\xAD\xF0\x9F\x98\x80");
}

static void bytes_that_are_no_text_are_replaced(void **context)
{
    (void)context;
    assert_escaped("a\xFF\xC0<", "a\xEF\xBF\xBD\xEF\xBF\xBD&lt;");
}

static void directives_escape_their_values(void **context)
{
    struct page page = {.out = BUFFER_EMPTY};

    (void)context;
    page_put(&page, "<p title=\"%t\">%n %r%%</p>", "a\"><b>", INT64_C(-1234567), INT64_C(1234567));
    assert_string_equal(buffer_text(&page.out), "<p title=\"a&quot;&gt;&lt;b&gt;\">-1\xC2\xA0"
                                                "234\xC2\xA0"
                                                "567 1234567%</p>");
    buffer_release(&page.out);
}

static void durations_are_told_in_words(void **context)
{
    (void)context;
    html_duration(&out, 164234);
    buffer_add_text(&out, ", ");
    html_duration(&out, 59);
    buffer_add_text(&out, ", ");
    html_duration(&out, 3600);
    assert_string_equal(buffer_text(&out), "1 day 21 h 37 min, 59 s, 1 h 0 min");
}

/* --- LZ4 --- */

static size_t take_length(const struct buffer *packed, size_t *at, size_t start)
{
    for (uint8_t byte = 255; start >= 15 && byte == 255; start += byte)
        byte = packed->data[(*at)++];
    return start;
}

/* As lz4_Block_format.md tells it. */
static void unpack(const struct buffer *packed, struct buffer *plain)
{
    for (size_t at = 0; at < packed->size;) {
        const uint8_t token = packed->data[at++];
        const size_t literals = take_length(packed, &at, token >> 4);
        buffer_add(plain, slice_of(packed->data + at, literals));
        at += literals;
        if (at >= packed->size)
            break;
        const size_t offset = packed->data[at] | (size_t)packed->data[at + 1] << 8;
        at += 2;
        assert_in_range(offset, 1, plain->size);
        for (size_t left = take_length(packed, &at, token & 15) + 4; left > 0; left--)
            buffer_add_byte(plain, plain->data[plain->size - offset]);
    }
}

static void assert_comes_back(struct slice bytes)
{
    struct buffer plain = BUFFER_EMPTY;

    buffer_clear(&out);
    lz4_add(&out, bytes);
    unpack(&out, &plain);
    assert_true(slice_equal(buffer_slice(&plain), bytes));
    buffer_release(&plain);
}

static void what_is_packed_comes_back(void **context)
{
    static uint8_t bytes[200000];
    uint32_t state = 1;

    (void)context;
    for (size_t i = 0; i < sizeof bytes; i++) {
        state = state * 1103515245 + 12345;
        bytes[i] = i % 1000 < 700 ? (uint8_t)(i % 251) : (uint8_t)(state >> 24);
    }
    for (size_t size = 0; size < 300; size++)
        assert_comes_back(slice_of(bytes, size));
    assert_comes_back(slice_of(bytes, sizeof bytes));
}

static void long_runs_take_little_room(void **context)
{
    static uint8_t zeroes[100000];

    (void)context;
    assert_comes_back(slice_of(zeroes, sizeof zeroes));
    assert_true(out.size < 500);
}

/* --- addresses --- */

static void assert_address(const char *text, const char *expected)
{
    char address[ADDRESS_TEXT_SIZE] = "";
    bool is_private;

    assert_int_equal(address_read(slice_of_text(text), address, &is_private), expected != NULL);
    if (expected)
        assert_string_equal(address, expected);
}

static void addresses_are_spelt_alike(void **context)
{
    (void)context;
    assert_address(" 203.0.113.7:4711", "203.0.113.7");
    assert_address("2001:DB8:0::1", "2001:db8::1");
    assert_address("::ffff:203.0.113.7", "203.0.113.7");
    assert_address("127.0.0.1", NULL);
    assert_address("fe80::1%12", NULL);
    assert_address("-", NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(markup_is_escaped, setup, teardown),
        cmocka_unit_test_setup_teardown(what_cannot_be_seen_is_shown, setup, teardown),
        cmocka_unit_test_setup_teardown(other_scripts_stay, setup, teardown),
        cmocka_unit_test_setup_teardown(bytes_that_are_no_text_are_replaced, setup, teardown),
        cmocka_unit_test_setup_teardown(directives_escape_their_values, setup, teardown),
        cmocka_unit_test_setup_teardown(durations_are_told_in_words, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_packed_comes_back, setup, teardown),
        cmocka_unit_test_setup_teardown(long_runs_take_little_room, setup, teardown),
        cmocka_unit_test_setup_teardown(addresses_are_spelt_alike, setup, teardown),
    };

    return cmocka_run_group_tests_name("html", tests, NULL, NULL);
}
