/* Lines of W3C logs become cells; what is repaired and what is not. */
#include "triage/formats/iis_text.h"
#include "triage/formats/w3c_log.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static struct columns columns;
static struct cells cells;

static const char iis[] =
    "date time s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip cs(User-Agent) "
    "cs(Referer) sc-status sc-substatus sc-win32-status time-taken";

static enum record_state take(const char *line)
{
    w3c_header(&columns, SLICE_LITERAL(iis));
    return w3c_record(&columns, false, slice_of_text(line), &cells);
}

static void assert_cell(const char *name, const char *value)
{
    const size_t at = columns_find(&columns, name);

    assert_int_not_equal(at, COLUMN_MISSING);
    assert_true(slice_is(cells.text[at], value));
}

static void header_names_become_sigma_names(void **context)
{
    (void)context;
    w3c_header(
        &columns,
        SLICE_LITERAL(
            "cs(User-Agent)  cs(Referrer) cs(X-Forwarded-For) cs(X-Own) CS-METHOD OriginalIP "));
    assert_int_equal(columns.count, 6);
    assert_string_equal(columns.column[0].name, "cs-user-agent");
    assert_string_equal(columns.column[1].name, "cs-referer");
    assert_string_equal(columns.column[2].name, "X-Forwarded-For");
    assert_string_equal(columns.column[3].name, "cs-x-own");
    assert_string_equal(columns.column[4].name, "cs-method");
    assert_string_equal(columns.column[5].name, "OriginalIP");
    assert_int_equal(columns.column[0].field, FIELD_cs_user_agent);
}

static void a_directive_is_told_by_its_name(void **context)
{
    struct slice value;

    (void)context;
    assert_true(log_directive(SLICE_LITERAL("#fields: a b"), "#Fields", &value));
    assert_true(slice_is(value, "a b"));
    assert_false(log_directive(SLICE_LITERAL("#FieldsX: a b"), "#Fields", &value));
    assert_false(log_directive(SLICE_LITERAL("#Fields"), "#Fields", &value));
}

static void hard_lines_of_exchange_are_used(void **context)
{
    static const char *const lines[] = {
        "2021-03-03 10:15:19 fe80::1%12 POST /powershell - 444 CORP\\svc_exch fe80::2%12 "
        "Microsoft+WinRM+Client - 200 0 0 1",
        "2021-03-03 10:15:19 ::1 GET /a@b*c ${jndi:x}'!#$ 444 - ::1 "
        "Mozilla/5.0+(compatible;+Yahoo!+Slurp) http://x/#a 200 0 0 1",
        "2021-03-03 10:15:19 ::1 GET /\xe4 q=\"'<>|[Microsoft] 444 - ::1 a'b\"c - 500 0 0 1",
    };

    (void)context;
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        assert_int_equal(take(lines[i]), RECORD_USED);
}

static void a_blank_within_the_agent_is_mended(void **context)
{
    (void)context;
    assert_int_equal(
        take(
            "2021-03-03 10:15:19 ::1 GET / - 443 - 192.0.2.1 Mozilla/5.0 (Windows NT) - 200 0 0 1"),
        RECORD_REPAIRED);
    assert_cell("cs-user-agent", "Mozilla/5.0 (Windows NT)");
    assert_cell("sc-status", "200");
    assert_cell("time-taken", "1");
}

static void a_blank_within_the_path_goes_to_the_path(void **context)
{
    (void)context;
    assert_int_equal(
        take("2021-03-03 10:15:19 ::1 GET /a b.aspx - 443 - 192.0.2.1 curl - 200 0 0 1"),
        RECORD_REPAIRED);
    assert_cell("s-port", "443");
    assert_cell("c-ip", "192.0.2.1");
    assert_cell("cs-user-agent", "curl");
}

static void doubled_and_trailing_blanks_are_mended(void **context)
{
    (void)context;
    assert_int_equal(
        take("2021-03-03 10:15:19 ::1 GET / - 443  corp\\u 192.0.2.1 curl - 200 0 0 1"),
        RECORD_REPAIRED);
    assert_cell("cs-username", "corp\\u");
    assert_int_equal(take("2021-03-03 10:15:19 ::1 GET / - 443 - 192.0.2.1 curl - 200 0 0 1 "),
                     RECORD_USED);
}

static void a_line_cut_short_behind_its_path_is_mended(void **context)
{
    (void)context;
    assert_int_equal(take("2021-03-03 10:15:19 ::1 GET /owa/x"), RECORD_REPAIRED);
    assert_cell("cs-uri-stem", "/owa/x");
    assert_cell("sc-status", "");
    assert_int_equal(take("2021-03-03 10:15:19 ::1 GET"), RECORD_REJECTED);
    assert_int_equal(take("2021-03-03 10:1"), RECORD_REJECTED);
}

static void a_line_that_lost_a_column_is_rejected(void **context)
{
    (void)context;
    assert_int_equal(take("2021-03-03 10:15:19 ::1 GET /x 443 - 192.0.2.1 curl - 200 0 0 1"),
                     RECORD_REJECTED);
    assert_int_equal(take("no log line at all"), RECORD_REJECTED);
}

static void advanced_logging_quotes_its_cells(void **context)
{
    (void)context;
    w3c_header(&columns, SLICE_LITERAL("c-ip cs(User-Agent) sc-status"));
    assert_int_equal(
        w3c_record(&columns, true, SLICE_LITERAL("\"192.0.2.1\"   \"a \"\"b\"\" c\" 200"), &cells),
        RECORD_USED);
    assert_cell("cs-user-agent", "a \"b\" c");
    assert_cell("c-ip", "192.0.2.1");
}

static void too_many_columns_are_not_believed(void **context)
{
    struct buffer header = BUFFER_EMPTY;

    (void)context;
    for (unsigned i = 0; i < 600; i++)
        buffer_format(&header, "x%u ", i);
    w3c_header(&columns, buffer_slice(&header));
    assert_true(columns.overflow);
    assert_int_equal(columns.count, COLUMNS_CEILING);
    assert_int_equal(w3c_record(&columns, false, SLICE_LITERAL("a b"), &cells), RECORD_REJECTED);
    buffer_release(&header);
}

static void a_line_of_blanks_alone_is_survived(void **context)
{
    static char blanks[10000];

    (void)context;
    memset(blanks, ' ', sizeof blanks - 1);
    assert_int_equal(take(blanks), RECORD_REJECTED);
}

/* Cells are trimmed, and an empty one stands nowhere: where the query begins is counted in commas.
 */
static void a_query_that_begins_with_a_comma_lies_in_its_line(void **state)
{
    static const char *const lines[] = {"a, b, , c,", "a, b, c, ,,", "a, b, , ,", "a,b,,,,"};
    static const char *const queries[] = {", c", "c, ,", ",", ",,"};

    (void)state;
    w3c_header(&columns, SLICE_LITERAL("c-ip cs-method cs-uri-query"));
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        const struct slice line = slice_of_text(lines[i]);
        assert_int_equal(iis_native_record(&columns, line, &cells), RECORD_REPAIRED);
        assert_true(slice_is(cells.raw[2], queries[i]));
        assert_true(slice_is(cells.text[2], queries[i]));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(header_names_become_sigma_names),
        cmocka_unit_test(a_directive_is_told_by_its_name),
        cmocka_unit_test(hard_lines_of_exchange_are_used),
        cmocka_unit_test(a_blank_within_the_agent_is_mended),
        cmocka_unit_test(a_blank_within_the_path_goes_to_the_path),
        cmocka_unit_test(doubled_and_trailing_blanks_are_mended),
        cmocka_unit_test(a_line_cut_short_behind_its_path_is_mended),
        cmocka_unit_test(a_line_that_lost_a_column_is_rejected),
        cmocka_unit_test(advanced_logging_quotes_its_cells),
        cmocka_unit_test(too_many_columns_are_not_believed),
        cmocka_unit_test(a_line_of_blanks_alone_is_survived),
        cmocka_unit_test(a_query_that_begins_with_a_comma_lies_in_its_line),
    };
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);

    cells_release(&cells);
    return failed;
}
