/* Files that are known: Microsoft's lists build by build, sets of hashes, a clean server. */
#include "triage/base/error.h"
#include "triage/match/known_good.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define A   "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B   "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define C   "cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc"
#define OWA "D:\\Exchange\\V15\\FrontEnd\\HttpProxy\\owa\\auth\\"

static const char pages[] =
    "path\tsha256\tbuilds\n"
    "\\FrontEnd\\HttpProxy\\owa\\auth\\logon.aspx\t" A "\t15.1.1034.26-15.1.2242.4\n"
    "\\FrontEnd\\HttpProxy\\owa\\auth\\logon.aspx\t" B "\t15.1.225.42,15.2.196.0-15.2.858.5\n"
    "\\ClientAccess\\ecp\\Version\\x.aspx\t" A "\t15.1.225.42-15.1.2242.4\n"
    "\\ClientAccess\\ecp\\web.config\t" A "\t15.1.225.42-15.1.2242.4\n";

static int setup(void **context)
{
    char path[] = "/tmp/extriage-known-XXXXXX";
    const int handle = mkstemp(path);
    struct known_good *known = NULL;

    if (handle < 0 || write(handle, pages, sizeof pages - 1) < 0 || known_good_new(&known) < 0 ||
        known_good_load_pages(known, path) < 0 || known_good_compile(known) < 0)
        fail_msg("%s", error_text());
    close(handle);
    unlink(path);
    *context = known;
    return 0;
}

static int teardown(void **context)
{
    known_good_free(*context);
    return 0;
}

static void expect(const struct known_good *known, const char *path, const char *sha256,
                   const char *build, const char *word)
{
    const struct known_file file = {
        .path = path, .sha256 = slice_of_text(sha256), .build = known_good_build(build)};

    assert_string_equal(known_state_word(known_good_judge(known, &file)), word);
}

static void content_is_compared_with_its_own_build(void **context)
{
    expect(*context, OWA "logon.aspx", A, "15.1.2176.2", "shipped");
    expect(*context, OWA "LOGON.aspx", B, "15.2.858.5", "shipped");
    expect(*context, OWA "logon.aspx", A, "15.2.858.5", "other build");
    expect(*context, OWA "logon.aspx", C, "15.1.2176.2", "foreign");
}

static void without_a_list_of_the_build_a_strange_content_is_undecided(void **context)
{
    expect(*context, OWA "logon.aspx", C, "15.1.2507.6", "undecided");
    expect(*context, OWA "logon.aspx", C, "", "undecided");
    expect(*context, OWA "logon.aspx", A, "15.1.2507.6", "shipped");
    expect(*context, OWA "logon.aspx", B, "", "shipped");
}

static void the_same_content_elsewhere_is_not_shipped(void **context)
{
    expect(*context, OWA "logon1.aspx", A, "15.1.2176.2", "not shipped");
    expect(*context, "C:\\inetpub\\wwwroot\\logon.aspx", A, "15.1.2176.2", "");
    expect(*context, OWA "logon1.css", A, "15.1.2176.2", "");
}

static void folders_named_after_a_build_are_one(void **context)
{
    expect(*context, "C:\\E\\ClientAccess\\ecp\\15.1.2176.2\\x.aspx", A, "15.1.2176.2", "shipped");
    expect(*context, "C:\\E\\ClientAccess\\ecp\\15.1.2176\\x.aspx", C, "15.1.2176.2", "foreign");
}

static void settings_are_never_foreign(void **context)
{
    expect(*context, "C:\\E\\ClientAccess\\ecp\\web.config", A, "15.1.2176.2", "shipped");
    expect(*context, "C:\\E\\ClientAccess\\ecp\\web.config", C, "15.1.2176.2", "");
}

static void builds_are_read_with_leading_zeroes(void **context)
{
    (void)context;
    assert_true(known_good_build("15.01.2176.002") == known_good_build("15.1.2176.2"));
    assert_true(known_good_build("15.1.2176.14") > known_good_build("15.1.2176.2"));
    assert_int_equal(known_good_build("15.1"), 0);
    assert_int_equal(known_good_build("15.1.2176.x"), 0);
    assert_int_equal(known_good_build("99999.1.1.1"), 0);
}

static void hashes_come_one_a_line_or_in_the_columns_of_nsrl(void **context)
{
    struct known_good *known = *context;
    const struct known_file by_md5 = {.path = "C:\\x.exe",
                                      .md5 = SLICE_LITERAL("D41D8CD98F00B204E9800998ECF8427E")};
    const struct known_file by_sha1 = {
        .path = "C:\\x.exe", .sha1 = SLICE_LITERAL("da39a3ee5e6b4b0d3255bfef95601890afd80709")};
    const struct known_file other = {
        .path = "C:\\x.exe", .sha1 = SLICE_LITERAL("da39a3ee5e6b4b0d3255bfe095601890afd80709")};

    assert_int_equal(
        known_good_add_hashes(
            known,
            SLICE_LITERAL("\"SHA-1\",\"MD5\",\"CRC32\",\"FileName\"\n"
                          "\"DA39A3EE5E6B4B0D3255BFEF95601890AFD80709\","
                          "\"d41d8cd98f00b204e9800998ecf8427e\",\"00000000\",\"x\"\n" C "\n")),
        0);
    assert_int_equal(known_good_compile(known), 0);
    assert_int_equal(known_good_hashes(known), 3);
    assert_int_equal(known_good_judge(known, &by_md5), KNOWN_TRUSTED);
    assert_int_equal(known_good_judge(known, &by_sha1), KNOWN_TRUSTED);
    assert_int_equal(known_good_judge(known, &other), KNOWN_NOTHING);
    expect(known, OWA "logon1.aspx", C, "15.1.2176.2", "trusted");
}

static void a_clean_server_says_what_is_at_home(void **context)
{
    struct known_good *known = *context;

    assert_int_equal(known_good_add_file(known, "C:\\inetpub\\wwwroot\\shop\\a.aspx", B), 0);
    assert_int_equal(
        known_good_add_file(known, "E:\\V15\\FrontEnd\\HttpProxy\\owa\\auth\\duo.aspx", C), 0);
    assert_int_equal(known_good_compile(known), 0);
    expect(known, "D:\\inetpub\\wwwroot\\shop\\A.aspx", B, "", "trusted");
    expect(known, "C:\\inetpub\\wwwroot\\shop\\a.aspx", C, "", "foreign");
    expect(known, "C:\\inetpub\\wwwroot\\shop\\b.aspx", B, "", "not shipped");
    expect(known, "C:\\inetpub\\wwwroot\\shop\\b.css", B, "", "");
    expect(known, OWA "duo.aspx", C, "15.1.2176.2", "trusted");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(content_is_compared_with_its_own_build, setup, teardown),
        cmocka_unit_test_setup_teardown(without_a_list_of_the_build_a_strange_content_is_undecided,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(the_same_content_elsewhere_is_not_shipped, setup, teardown),
        cmocka_unit_test_setup_teardown(folders_named_after_a_build_are_one, setup, teardown),
        cmocka_unit_test_setup_teardown(settings_are_never_foreign, setup, teardown),
        cmocka_unit_test(builds_are_read_with_leading_zeroes),
        cmocka_unit_test_setup_teardown(hashes_come_one_a_line_or_in_the_columns_of_nsrl, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_clean_server_says_what_is_at_home, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
