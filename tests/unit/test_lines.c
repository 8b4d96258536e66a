/* Windows over a text file, the bare scan, and where bytes lie in the evidence. */
#include "triage/base/error.h"
#include "triage/formats/line_scan.h"
#include "triage/formats/lines.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct slice content;
static uint64_t damage_from, damage_to;
static unsigned notices;

static ssize_t read_content(void *context, uint64_t offset, void *out, size_t size)
{
    const struct slice part = slice_part(content, offset, size);

    (void)context;
    if (offset < damage_to && offset + size > damage_from)
        return error_set("chunk is damaged");
    if (part.size)
        memcpy(out, part.data, part.size);
    return (ssize_t)part.size;
}

static void take_notice(void *context, uint64_t offset, const char *text)
{
    (void)context, (void)offset, (void)text;
    notices++;
}

static struct lines *open_content(struct slice bytes)
{
    const struct line_source source = {
        .read = read_content, .notice = take_notice, .size = bytes.size};

    content = bytes;
    damage_from = damage_to = notices = 0;
    return lines_new(&source);
}

static void *filled(size_t size, char byte)
{
    char *bytes = malloc(size);

    assert_non_null(bytes);
    memset(bytes, byte, size);
    return bytes;
}

static void the_byte_order_mark_is_skipped(void **context)
{
    struct lines *lines = open_content(SLICE_LITERAL("\xef\xbb\xbf#x\n"));
    struct slice window;

    (void)context;
    assert_int_equal(lines_next(lines, 0, &window), 1);
    assert_true(slice_is(window, "#x\n"));
    assert_int_equal(lines_place(lines, window.data + 1), 4);
    lines_free(lines);
}

static void the_last_line_gets_its_end(void **context)
{
    struct lines *lines = open_content(SLICE_LITERAL("a\nb"));
    struct slice window;

    (void)context;
    assert_int_equal(lines_next(lines, 0, &window), 1);
    assert_true(slice_is(window, "a\nb\n"));
    assert_true(lines_final(lines));
    assert_int_equal(lines_next(lines, 4, &window), 0);
    lines_free(lines);
}

static void an_empty_file_has_no_window(void **context)
{
    struct lines *lines = open_content(slice_of("", 0));
    struct slice window;

    (void)context;
    assert_int_equal(lines_next(lines, 0, &window), 0);
    lines_free(lines);
}

static void utf16_becomes_utf8_and_places_stay(void **context)
{
    static const uint8_t little[] = {0xff, 0xfe, 'a',  0,   0xe4, 0,    0x3d,
                                     0xd8, 0x00, 0xde, 'z', 0,    '\n', 0};
    static const uint8_t big[] = {0xfe, 0xff, 0,    'a', 0,   0xe4, 0xd8,
                                  0x3d, 0xde, 0x00, 0,   'z', 0,    '\n'};
    const struct slice both[] = {slice_of(little, sizeof little), slice_of(big, sizeof big)};

    (void)context;
    for (size_t i = 0; i < 2; i++) {
        struct lines *lines = open_content(both[i]);
        struct slice window;
        assert_int_equal(lines_next(lines, 0, &window), 1);
        assert_true(slice_is(window, "a\xc3\xa4\xf0\x9f\x98\x80z\n"));
        assert_int_equal(lines_place(lines, window.data + 7), 10);
        assert_int_equal(lines_place(lines, window.data + 1), 4);
        lines_free(lines);
    }
}

static void utf16_without_a_mark_is_seen(void **context)
{
    static const uint8_t text[] = {'#', 0, 'F', 0, 'i', 0, 'e', 0, 'l', 0, '\n', 0};
    struct lines *lines = open_content(slice_of(text, sizeof text));
    struct slice window;

    (void)context;
    assert_int_equal(lines_next(lines, 0, &window), 1);
    assert_true(slice_is(window, "#Fiel\n"));
    lines_free(lines);
}

static void a_surrogate_pair_may_straddle_reads(void **context)
{
    const size_t units = 4 * LINES_WINDOW;
    uint8_t *bytes = filled(units * 2 + 2, 0);
    struct slice window;
    size_t total = 0;

    (void)context;
    bytes[0] = 0xff, bytes[1] = 0xfe;
    for (size_t i = 0; i < units; i += 2)
        memcpy(bytes + 2 + 2 * i, i % 1024 ? "\x3d\xd8\x00\xde" : "\n\0\n\0", 4);
    struct lines *lines = open_content(slice_of(bytes, units * 2 + 2));
    for (size_t consumed = 0; lines_next(lines, consumed, &window) > 0; consumed = window.size) {
        total += window.size;
        assert_null(memmem(window.data, window.size, "\xef\xbf\xbd", 3));
        assert_true(lines_place(lines, window.data + window.size) <= content.size + 2);
    }
    assert_true(total >= units / 1024 * (511 * 4 + 2));
    lines_free(lines);
    free(bytes);
}

static void a_window_grows_for_a_long_line_up_to_its_ceiling(void **context)
{
    const size_t size = LINES_WINDOW_CEILING + 4096;
    uint8_t *bytes = filled(size, 'x');
    struct lines *lines = open_content(slice_of(bytes, size));
    struct slice window;
    unsigned steps = 0;

    (void)context;
    do
        assert_int_equal(lines_next(lines, 0, &window), 1);
    while (!lines_full(lines) && ++steps < 32);
    assert_int_equal(window.size, LINES_WINDOW_CEILING);
    assert_int_equal(lines_next(lines, window.size - 16, &window), 1);
    assert_int_equal(window.size, 16 + 4096 + 1);
    lines_free(lines);
    free(bytes);
}

static void what_was_left_comes_again(void **context)
{
    const size_t size = 3 * LINES_WINDOW;
    uint8_t *bytes = filled(size, 'y');
    struct slice window;

    (void)context;
    bytes[LINES_WINDOW - 5] = 'A';
    struct lines *lines = open_content(slice_of(bytes, size));
    assert_int_equal(lines_next(lines, 0, &window), 1);
    assert_int_equal(lines_next(lines, LINES_WINDOW - 5, &window), 1);
    assert_int_equal(window.data[0], 'A');
    assert_int_equal(lines_place(lines, window.data), LINES_WINDOW - 5);
    lines_free(lines);
    free(bytes);
}

static void what_cannot_be_read_is_nuls_and_one_notice(void **context)
{
    const size_t size = 400 * 1024;
    uint8_t *bytes = filled(size, 'z');
    struct lines *lines = open_content(slice_of(bytes, size));
    struct slice window;
    size_t zeros = 0, total = 0;

    (void)context;
    damage_from = 100 * 1024, damage_to = 150 * 1024;
    for (size_t consumed = 0; lines_next(lines, consumed, &window) > 0; consumed = window.size)
        for (size_t i = 0; i < window.size; i++, total++)
            zeros += window.data[i] == 0;
    assert_int_equal(total, size + 1);
    assert_int_equal(zeros, 64 * 1024);
    assert_int_equal(notices, 1);
    lines_free(lines);
    free(bytes);
}

static void a_file_that_cannot_be_read_at_all_is_an_error(void **context)
{
    struct lines *lines = open_content(SLICE_LITERAL("abc"));
    struct slice window;

    (void)context;
    damage_to = 3;
    assert_int_equal(lines_next(lines, 0, &window), -1);
    lines_free(lines);
}

/* --- the bare scan
 * ------------------------------------------------------------------------------------------------
 */

/* The same, byte by byte. */
static bool next_slowly(struct slice text, size_t *at, uint8_t separator, bool quotes,
                        struct line *line)
{
    bool within = false;

    *line = (struct line){.start = *at};
    if (*at >= text.size)
        return false;
    for (size_t i = *at; i < text.size; i++) {
        const uint8_t byte = text.data[i];
        const bool lone_cr = byte != '\n' && i > *at && text.data[i - 1] == '\r' && !within;
        if (lone_cr || (byte == '\n' && !within)) {
            line->size = i - *at - (i > *at && text.data[i - 1] == '\r');
            line->next = *at = i + !lone_cr;
            return true;
        }
        line->separators += byte == separator && !within;
        line->marks |= (byte == 0 || byte == '\n' ? LINE_ODD : 0) | (byte & 0x80 ? LINE_HIGH : 0);
        if (byte == '"' && quotes)
            within = !within;
    }
    line->size = text.size - *at - (text.data[text.size - 1] == '\r');
    line->next = *at = text.size;
    line->marks |= LINE_OPEN;
    return true;
}

static void compare_scan(struct slice text, bool quotes)
{
    static struct line_scan scan;
    struct line fast, slow;
    size_t at = 0;

    line_scan_init(&scan, text, ',', quotes);
    while (next_slowly(text, &at, ',', quotes, &slow)) {
        assert_true(line_scan_next(&scan, &fast));
        assert_int_equal(fast.start, slow.start);
        assert_int_equal(fast.size, slow.size);
        assert_int_equal(fast.next, slow.next);
        assert_int_equal(fast.separators, slow.separators);
        assert_int_equal(fast.marks, slow.marks);
    }
    assert_false(line_scan_next(&scan, &fast));
}

static void every_method_finds_the_same_lines(void **context)
{
    static const char letters[] = "abcdefgh,,,,   \"\n\n\r\xc3\xa4";
    uint8_t text[700];

    (void)context;
    srand(7);
    for (unsigned round = 0; round < 3000; round++) {
        const size_t size = (size_t)rand() % sizeof text;
        for (size_t i = 0; i < size; i++)
            text[i] = (uint8_t)letters[(size_t)rand() % (sizeof letters - (rand() % 40 != 0))];
        for (int method = LINE_SCAN_PLAIN; method <= LINE_SCAN_AVX2; method++)
            if (line_scan_use((enum line_scan_method)method))
                compare_scan(slice_of(text, size), round & 1);
    }
}

static void a_scan_can_go_on_anywhere(void **context)
{
    static struct line_scan scan;
    struct line line;

    (void)context;
    line_scan_init(&scan, SLICE_LITERAL("\"a,b\nc,d\ne,f\n"), ',', true);
    assert_true(line_scan_next(&scan, &line));
    assert_true(line.marks & LINE_OPEN);
    line_scan_seek(&scan, 5);
    assert_true(line_scan_next(&scan, &line));
    assert_int_equal(line.start, 5);
    assert_int_equal(line.separators, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_byte_order_mark_is_skipped),
        cmocka_unit_test(the_last_line_gets_its_end),
        cmocka_unit_test(an_empty_file_has_no_window),
        cmocka_unit_test(utf16_becomes_utf8_and_places_stay),
        cmocka_unit_test(utf16_without_a_mark_is_seen),
        cmocka_unit_test(a_surrogate_pair_may_straddle_reads),
        cmocka_unit_test(a_window_grows_for_a_long_line_up_to_its_ceiling),
        cmocka_unit_test(what_was_left_comes_again),
        cmocka_unit_test(what_cannot_be_read_is_nuls_and_one_notice),
        cmocka_unit_test(a_file_that_cannot_be_read_at_all_is_an_error),
        cmocka_unit_test(every_method_finds_the_same_lines),
        cmocka_unit_test(a_scan_can_go_on_anywhere),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
