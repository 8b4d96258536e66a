/* What joins many cases: files that are hashed as they are written, addresses of databases, cells
 * of timeline.csv. */
#include "triage/base/error.h"
#include "triage/base/utf16.h"
#include "triage/case/custody.h"
#include "triage/case/hashed_file.h"
#include "triage/case/postgres.h"
#include "triage/report/timeline.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static char path[] = "/tmp/test_fleet_XXXXXX";

static int set_up(void **state)
{
    const int descriptor = mkstemp(path);

    (void)state;
    return descriptor < 0 ? -1 : close(descriptor);
}

static int tear_down(void **state)
{
    (void)state;
    return unlink(path);
}

/* --- hashed files --- */

/* So many bytes that the pieces go round several times; the last one is not full. */
enum { MUCH = 11 * (1 << 20) + 12345 };

static void what_is_written_is_hashed(void **state)
{
    struct hashed_file *file = NULL;
    FILE *out = NULL;
    char hash[SHA256_TEXT_SIZE], found[SHA256_TEXT_SIZE];

    (void)state;
    assert_int_equal(hashed_file_create(path, &file, &out), 0);
    for (uint32_t i = 0; i < MUCH; i++)
        fputc((int)(i * 2654435761u >> 24), out);
    assert_int_equal(hashed_file_close(file, out, hash), 0);
    assert_int_equal(custody_hash_file(path, found), 0);
    assert_string_equal(hash, found);
}

static void a_file_may_be_empty(void **state)
{
    struct hashed_file *file = NULL;
    FILE *out = NULL;
    char hash[SHA256_TEXT_SIZE], empty[SHA256_TEXT_SIZE];

    (void)state;
    assert_int_equal(hashed_file_create(path, &file, &out), 0);
    assert_int_equal(hashed_file_close(file, out, hash), 0);
    hash_sha256(slice_of("", 0), empty);
    assert_string_equal(hash, empty);
}

static void a_file_that_cannot_be_made_is_told(void **state)
{
    struct hashed_file *file = NULL;
    FILE *out = NULL;

    (void)state;
    assert_int_equal(hashed_file_create("/no/such/folder/file", &file, &out), -1);
    assert_non_null(strstr(error_text(), "/no/such/folder/file"));
    assert_null(file);
}

static void a_job_hashes_a_file_that_is_there(void **state)
{
    struct hash_job *job = NULL;
    char hash[SHA256_TEXT_SIZE], found[SHA256_TEXT_SIZE];

    (void)state;
    assert_int_equal(hash_job_start(path, &job), 0);
    assert_int_equal(hash_job_end(job, hash), 0);
    assert_int_equal(custody_hash_file(path, found), 0);
    assert_string_equal(hash, found);
}

static void a_job_tells_what_it_cannot_read(void **state)
{
    struct hash_job *job = NULL;
    char hash[SHA256_TEXT_SIZE];

    (void)state;
    assert_int_equal(hash_job_start("/no/such/file", &job), 0);
    assert_int_equal(hash_job_end(job, hash), -1);
    assert_non_null(strstr(error_text(), "/no/such/file"));
}

/* --- addresses of databases --- */

static void passwords_are_not_shown(void **state)
{
    static const struct {
        const char *target, *shown;
    } cases[] = {
        {"postgresql://db.example.org/cases", "postgresql://db.example.org/cases"},
        {"postgresql://team@db/cases", "postgresql://team@db/cases"},
        {"postgresql://team:sesame@db/cases", "postgresql://team:***@db/cases"},
        {"postgresql://team:@db/cases", "postgresql://team:@db/cases"},
        {"postgresql://team:a@b@db/cases", "postgresql://team:***@db/cases"},
        {"postgresql://db:5432/cases?user=team&password=sesame&sslmode=require",
         "postgresql://db:5432/cases?user=team&password=***&sslmode=require"},
        {"postgresql://team:open@db/cases?password=sesame",
         "postgresql://team:***@db/cases?password=***"},
        {"postgresql://db/cases?password=", "postgresql://db/cases?password="},
        {"postgresql://db:5432/cases?password=ses@me", "postgresql://db:5432/cases?password=***"},
        {"postgresql://db/cases?sslpassword=open&password=sesame",
         "postgresql://db/cases?sslpassword=***&password=***"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct buffer out = BUFFER_EMPTY;
        postgres_show_target(cases[i].target, &out);
        assert_string_equal(buffer_text(&out), cases[i].shown);
        buffer_release(&out);
    }
}

static void only_postgresql_is_a_database(void **state)
{
    (void)state;
    assert_int_equal(postgres_check("mysql://db/cases"), -1);
    assert_int_equal(postgres_check("2021-03-03"), -1);
    assert_int_equal(postgres_check(""), -1);
}

/* --- plain text in runs --- */

static void a_run_of_plain_text_ends_at_the_first_other_byte(void **state)
{
    uint8_t text[40];

    (void)state;
    for (size_t at = 0; at < sizeof text; at++)
        for (unsigned byte = 0; byte < 256; byte++) {
            const bool is_plain = byte >= 0x20 && byte < 0x7F && byte != '"' && byte != '\\';
            memset(text, 'a', sizeof text);
            text[at] = (uint8_t)byte;
            assert_int_equal(utf8_plain_run(slice_of(text, sizeof text), '"', '\\'),
                             is_plain ? sizeof text : at);
        }
}

static void cells_are_quoted_repaired_and_no_formulas(void **state)
{
    static const struct {
        const char *text, *cell;
    } cases[] = {
        {"plain", "\"plain\""},
        {"", "\"\""},
        {"say \"hello\" to everybody", "\"say \"\"hello\"\" to everybody\""},
        {"a\tb\r\nc", "\"a b  c\""},
        {"caf\xC3\xA9 \xE2\x82\xAC", "\"caf\xC3\xA9 \xE2\x82\xAC\""},
        {"bad \xFF end", "\"bad \xEF\xBF\xBD end\""},
        {"c1 \xC2\x9B end", "\"c1    end\""},
        {"cut \xC3", "\"cut \xEF\xBF\xBD\""},
        {"=1+1", "\"'=1+1\""},
        {"-", "\"-\""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct buffer out = BUFFER_EMPTY;
        csv_cell(&out, slice_of_text(cases[i].text));
        assert_string_equal(buffer_text(&out), cases[i].cell);
        buffer_release(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_hashed),
        cmocka_unit_test(a_file_may_be_empty),
        cmocka_unit_test(a_file_that_cannot_be_made_is_told),
        cmocka_unit_test(a_job_hashes_a_file_that_is_there),
        cmocka_unit_test(a_job_tells_what_it_cannot_read),
        cmocka_unit_test(passwords_are_not_shown),
        cmocka_unit_test(only_postgresql_is_a_database),
        cmocka_unit_test(a_run_of_plain_text_ends_at_the_first_other_byte),
        cmocka_unit_test(cells_are_quoted_repaired_and_no_formulas),
    };

    return cmocka_run_group_tests_name("fleet", tests, set_up, tear_down);
}
