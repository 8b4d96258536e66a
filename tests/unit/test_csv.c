/* Records of Exchange's CSV logs, with the quotes that they really have. */
#include "triage/formats/csv.h"
#include "triage/formats/line_scan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static struct columns columns;
static struct cells cells;
static size_t record_size, record_breaks;

/* The first record of `text`, taken as the walk over a log does. */
static enum record_state take(const char *header, const char *text, bool final)
{
    static struct line_scan scan;
    struct line line;

    csv_header(&columns, slice_of_text(header));
    line_scan_init(&scan, slice_of_text(text), ',', true);
    assert_true(line_scan_next(&scan, &line));
    return csv_record(&columns, slice_of_text(text), line.size, final, 1, &cells, &record_size,
                      &record_breaks);
}

static void assert_cells(size_t count, const char *const *wanted)
{
    assert_int_equal(cells.count, count);
    for (size_t i = 0; i < count; i++)
        assert_true(slice_is(cells.text[i], wanted[i]));
}

#define ASSERT_CELLS(...)                                                                          \
    do {                                                                                           \
        static const char *const wanted[] = {__VA_ARGS__};                                         \
        assert_cells(sizeof wanted / sizeof *wanted, wanted);                                      \
    } while (0)

static void plain_and_quoted_cells_are_taken(void **context)
{
    (void)context;
    assert_int_equal(take("a,b,c", "1,\"x,\"\"y\"\"\",3\r\n", true), RECORD_USED);
    ASSERT_CELLS("1", "x,\"y\"", "3");
    assert_int_equal(record_size, strlen("1,\"x,\"\"y\"\"\",3"));
}

static void a_quoted_cell_may_hold_line_ends(void **context)
{
    (void)context;
    assert_int_equal(take("a,b,c", "1,\"x\r\nat y, z\r\n\",3\r\nnext,2,3\r\n", true), RECORD_USED);
    ASSERT_CELLS("1", "x\r\nat y, z\r\n", "3");
    assert_int_equal(record_breaks, 2);
}

static void a_quote_amid_a_cell_is_a_plain_byte(void **context)
{
    (void)context;
    assert_int_equal(take("a,b,c", "1,x\"y,3\r\n4,5,6\r\n", true), RECORD_USED);
    ASSERT_CELLS("1", "x\"y", "3");
    assert_int_equal(take("a,b,c,d", "1,x\"y,3\"z,4\r\n", true), RECORD_USED);
    ASSERT_CELLS("1", "x\"y", "3\"z", "4");
}

static void two_lone_quotes_do_not_join_two_rows(void **context)
{
    (void)context;
    assert_int_equal(take("DateTime,UserAgent,Method",
                          "2021-03-03T10:00:00.000Z,\",GET\r\n2021-03-03T10:00:01.000Z,\",GET\r\n",
                          true),
                     RECORD_REPAIRED);
    ASSERT_CELLS("2021-03-03T10:00:00.000Z", "\"", "GET");
    assert_int_equal(
        take("DateTime,UserAgent,Method",
             "2021-03-03T10:00:00.000Z,\"cu,GET\r\n2021-03-03T10:00:01.000Z,\"cu,GET\r\n", true),
        RECORD_REPAIRED);
    ASSERT_CELLS("2021-03-03T10:00:00.000Z", "\"cu", "GET");
}

static void a_row_cut_within_quotes_ends_before_the_next_block(void **context)
{
    (void)context;
    assert_int_equal(take("TimeStamp,ServerName,EventId,EventData",
                          "2021-03-03T10:00:00.000Z,EX,ECP.Request,\"S:CMD=x,\r\n#Software: "
                          "Microsoft Exchange Server\r\n"
                          "2021-03-03T10:00:01.000Z,EX,ECP.Request,\"a,b\"\r\n",
                          true),
                     RECORD_REPAIRED);
    assert_int_equal(record_breaks, 0);
    assert_int_equal(record_size, strlen("2021-03-03T10:00:00.000Z,EX,ECP.Request,\"S:CMD=x,"));
}

static void stray_commas_go_to_the_column_of_text(void **context)
{
    (void)context;
    assert_int_equal(take("DateTime,UserAgent,ClientIpAddress,HttpStatus",
                          "2021-03-03T10:00:00.000Z,Mozilla (KHTML, like Gecko),192.0.2.1,200\r\n",
                          true),
                     RECORD_REPAIRED);
    ASSERT_CELLS("2021-03-03T10:00:00.000Z", "Mozilla (KHTML, like Gecko)", "192.0.2.1", "200");
}

static void a_row_cut_short_is_mended(void **context)
{
    (void)context;
    assert_int_equal(take("DateTime,UrlStem,ClientIpAddress,HttpStatus",
                          "2021-03-03T10:00:00.000Z,/owa/,192.0.\n", true),
                     RECORD_REPAIRED);
    ASSERT_CELLS("2021-03-03T10:00:00.000Z", "/owa/", "192.0.", "");
    assert_int_equal(take("DateTime,UrlStem,ClientIpAddress,HttpStatus", "2021-03-03T10:0\n", true),
                     RECORD_REJECTED);
}

static void an_open_quote_asks_for_more_of_the_file(void **context)
{
    (void)context;
    assert_int_equal(take("a,b,c", "1,\"x\ny", false), RECORD_MORE);
    assert_int_equal(take("a,b,c", "1,\"x\ny\n", true), RECORD_REPAIRED);
}

static void a_header_line_is_told(void **context)
{
    (void)context;
    csv_header(&columns, SLICE_LITERAL("DateTime,RequestId"));
    assert_true(csv_is_header(&columns, SLICE_LITERAL("DateTime,RequestId")));
    assert_true(csv_is_header(&columns, SLICE_LITERAL("Timestamp,RecordType,Message")));
    assert_false(csv_is_header(&columns, SLICE_LITERAL("2021-03-03T10:00:00.000Z,x")));
}

static void quotes_without_end_cost_no_more_than_their_ceiling(void **context)
{
    static char text[300000];

    (void)context;
    for (size_t i = 0; i + 4 < sizeof text; i += 4)
        memcpy(text + i, ",\"\"\n", 4);
    assert_int_equal(take("a,b,c,d", text, true), RECORD_REPAIRED);
    memset(text, '"', sizeof text - 1);
    take("a,b,c,d", text, true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_and_quoted_cells_are_taken),
        cmocka_unit_test(a_quoted_cell_may_hold_line_ends),
        cmocka_unit_test(a_quote_amid_a_cell_is_a_plain_byte),
        cmocka_unit_test(two_lone_quotes_do_not_join_two_rows),
        cmocka_unit_test(a_row_cut_within_quotes_ends_before_the_next_block),
        cmocka_unit_test(stray_commas_go_to_the_column_of_text),
        cmocka_unit_test(a_row_cut_short_is_mended),
        cmocka_unit_test(an_open_quote_asks_for_more_of_the_file),
        cmocka_unit_test(a_header_line_is_told),
        cmocka_unit_test(quotes_without_end_cost_no_more_than_their_ceiling),
    };
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);

    cells_release(&cells);
    return failed;
}
