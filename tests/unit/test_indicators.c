/* Indicator lists: what each format means, where in an event it is looked for, what is refused. */
#include "tests/unit/rule_fixture.h"
#include "triage/base/buffer.h"
#include "triage/base/error.h"
#include "triage/match/indicator_match.h"
#include "triage/match/indicator_scan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MD5    "d41d8cd98f00b204e9800998ecf8427e"
#define SHA256 "8e90ed33c7ee82c0b64078ea36ec95f7420ba435c693b3b3dd728b494abf7dfc"

static const struct log_source sources[] = {{"webserver", "windows", "iis"}, {NULL, NULL, NULL}};

static struct rule_set *list(const char *name, const char *text)
{
    struct rule_set *set = NULL;

    if (rule_set_new(sources, &set) < 0 || rule_set_load_text(set, name, slice_of_text(text)) < 0 ||
        rule_set_compile(set) < 0)
        fail_msg("%s", error_text());
    return set;
}

/* A request when it has a column of IIS, else a file or the like. */
static const char *match(const struct rule_set *set, const char *fields)
{
    static const struct log_source files[] = {{NULL, "windows", "webroot"}, {NULL, NULL, NULL}};

    return strncmp(fields, "c", 1) == 0 ? fixture_match(set, fields)
                                        : fixture_match_as(set, files, fields);
}

/* How a list is loaded: alone, beside so many names that they are looked for around dots, and
 * beside so many keys that all is looked for by grams. */
enum company { ALONE, AMONG_NAMES, AMONG_KEYS, COMPANIES };

static void add_company(struct rule_set *set, enum company company)
{
    enum { MANY = 5200 };
    struct buffer text = BUFFER_EMPTY;

    for (unsigned i = 0; i < MANY && company; i++) {
        buffer_format(&text, "filler-%u.invalid\n", i);
        if (company == AMONG_KEYS)
            buffer_format(&text, "HKLM\\Filler%u\n", i);
    }
    if (company)
        assert_int_equal(rule_set_load_text(set, "filler.txt", buffer_slice(&text)), 0);
    buffer_release(&text);
}

/* Loads the list and looks at one event; "" when nothing matches. */
static void expect(const char *text, const char *fields, const char *names)
{
    for (enum company company = ALONE; company < COMPANIES; company++)
        for (int filtered = 0; filtered < 2; filtered++) {
            struct rule_set *set = NULL;
            assert_int_equal(rule_set_new(sources, &set), 0);
            add_company(set, company);
            if (!filtered)
                rule_set_disable_prefilter(set);
            assert_int_equal(rule_set_load_text(set, "list.txt", slice_of_text(text)), 0);
            assert_int_equal(rule_set_compile(set), 0);
            const char *got = match(set, fields);
            if (strcmp(got, names) != 0)
                fail_msg("'%s' on '%s' gave '%s' (%d, %d)", text, fields, got, (int)company,
                         filtered);
            rule_set_free(set);
        }
}

static void expect_refused(const char *text, unsigned line, const char *reason)
{
    struct rule_set *set = list("list.txt", text);
    struct indicator_totals totals;

    rule_set_indicators(set, &totals);
    assert_int_equal(totals.refused, 1);
    const struct rule *last = rule_set_rule(set, rule_set_count(set) - 1);
    assert_int_equal(last->line, line);
    if (!strstr(last->reason, reason))
        fail_msg("%s", last->reason);
    rule_set_free(set);
}

/* --- lists and tables --- */

static void the_type_of_a_plain_line_is_guessed(void **context)
{
    const char *text = "# a comment\n" SHA256 "  page.aspx\n203.0.113.7\nevil.example\n"
                       "C:\\Windows\\Temp\\x1.dmp\ncmd1.aspx\nhttp://a.example/x?y\n"
                       "HKLM\\SOFTWARE\\Bad\n2001:db8::/32\nmail@b.example\n";

    (void)context;
    expect(text, "SHA256=" SHA256, "list.txt;");
    expect(text, "c-ip=203.0.113.7", "list.txt;");
    expect(text, "c-ip=203.0.113.71", "");
    expect(text, "cs-host=www.evil.example:443", "list.txt;");
    expect(text, "cs-host=notevil.example", "");
    expect(text, "TargetFilename=c:\\windows\\TEMP\\x1.dmp", "list.txt;");
    expect(text, "TargetFilename=D:\\old\\windows\\temp\\x1.dmp", "");
    expect(text, "TargetFilename=D:\\a\\CMD1.aspx", "list.txt;");
    expect(text, "TargetFilename=D:\\a\\xcmd1.aspx", "");
    expect(text, "cs-referer=https://A.example/x?y", "list.txt;");
    expect(text, "TargetObject=HKLM\\Software\\bad\\Run", "list.txt;");
    expect(text, "TargetObject=HKLM\\Software\\badge", "");
    expect(text, "c-ip=2001:db8:0:1::5", "list.txt;");
    expect(text, "sender-address=mail@b.example", "list.txt;");
}

static void a_table_names_type_and_value(void **context)
{
    (void)context;
    expect("type,value,campaign\nsha256," SHA256 ",\"One, two\"\n", "Hashes=SHA256=" SHA256,
           "One, two;");
    expect("DateAdded,FirstSeen,Indicator,IndicatorType,TLP\n"
           "2021,2021,\\HttpProxy\\owa\\auth\\a1.aspx,filepath,White\n",
           "TargetFilename=C:\\x\\FrontEnd\\HttpProxy\\owa\\auth\\A1.aspx", "list.txt;");
    expect("sha1\t356a192b7913b04c54574d18c28d46e6395428ab\tTool\n",
           "SHA1=356A192B7913B04C54574D18C28D46E6395428AB", "Tool;");
}

static void a_level_of_the_list_counts_but_not_for_a_bare_name(void **context)
{
    struct rule_set *set =
        list("l.csv", "type,value,level\nfilename,bad.exe,critical\nipv4,203.0.113.9,high\n");

    (void)context;
    assert_int_equal(rule_set_rule(set, 0)->level, LEVEL_MEDIUM);
    assert_int_equal(rule_set_rule(set, 1)->level, LEVEL_HIGH);
    rule_set_free(set);
}

static void what_is_not_understood_is_listed_by_line(void **context)
{
    (void)context;
    expect_refused("203.0.113.1\n\nnothing at all\n", 3, "tells no type");
    expect_refused("type,value\nsha256,12345\n", 2, "a hash has");
    expect_refused("type,value\nshoe size,43\n", 2, "type 'shoe size'");
    expect_refused("type,value\ncidr,0.0.0.0/0\n", 2, "all addresses");
    expect_refused("type,value\npath_regex,(a\n", 2, "");
    expect_refused("{\"a\": 1}", 0, "neither a STIX bundle");
}

static void mutexes_are_ignored_with_a_count(void **context)
{
    struct rule_set *set = list("l.csv", "type,value\nmutex,Global\\x\nmutex,y\nmd5," MD5 "\n");
    struct indicator_totals totals;

    (void)context;
    rule_set_indicators(set, &totals);
    assert_int_equal(totals.mutexes, 2);
    assert_int_equal(totals.loaded, 1);
    assert_int_equal(totals.refused, 0);
    rule_set_free(set);
}

static void a_user_agent_counts_with_post_only(void **context)
{
    const char *text = "type,value\nuser_agent,antSword/v2.1+x\n";

    (void)context;
    expect(text, "cs-method=POST\ncs-user-agent=antSword/v2.1+x", "list.txt;");
    expect(text, "cs-method=GET\ncs-user-agent=antSword/v2.1+x", "");
}

static void versions_and_agents_are_no_addresses(void **context)
{
    (void)context;
    expect("1.2.3.4\n", "ProductVersion=1.2.3.4", "");
    expect("1.2.3.4\n", "cs-user-agent=x/1.2.3.4", "");
    expect("1.2.3.4\n", "CommandLine=ping 1.2.3.4", "list.txt;");
    expect("1.2.3.4\n", "CommandLine=x 1.2.3.4.5 11.2.3.4 1.2.3.40", "");
}

static void a_path_in_a_request_is_no_file(void **context)
{
    const char *text = "logon1.aspx\n\\owa\\auth\\logon1.aspx\n";

    (void)context;
    expect(text, "cs-uri-stem=/owa/auth/logon1.aspx", "");
    expect(text, "TargetFilename=C:\\x\\owa\\auth\\logon1.aspx", "list.txt;list.txt;");
}

static void the_hit_says_where_it_comes_from(void **context)
{
    (void)context;
    expect("# x\n203.0.113.7\n", "c-ip=203.0.113.7", "list.txt;");
    assert_string_equal(fixture_how(), "address of line 2 in c-ip");
}

static void a_line_that_could_not_be_split_is_searched(void **context)
{
    struct rule_set *set = list("l.txt", "203.0.113.7\n");

    (void)context;
    assert_string_equal(fixture_match_rejected(set, "x,203.0.113.7,\"y"), "l.txt;");
    rule_set_free(set);
}

/* --- STIX --- */

static void expect_stix(const char *pattern, const char *fields, const char *names)
{
    char text[2048];

    snprintf(
        text, sizeof text,
        "{\"type\":\"bundle\",\"id\":\"bundle--1\",\"objects\":[{\"type\":\"indicator\","
        "\"id\":\"indicator--1\",\"name\":\"N\",\"pattern_type\":\"stix\",\"pattern\":\"%s\"}]}",
        pattern);
    expect(text, fields, names);
}

static void stix_comparisons_are_joined(void **context)
{
    const char *both = "[file:name = 'a1.exe' AND file:hashes.'MD5' = '" MD5 "']";
    const char *either = "[file:hashes.MD5 = '" MD5 "' OR (ipv4-addr:value = '203.0.113.0/24')]";

    (void)context;
    expect_stix(both, "TargetFilename=C:\\a1.exe\nMD5=" MD5, "N;");
    expect_stix(both, "TargetFilename=C:\\a1.exe", "");
    expect_stix(both, "MD5=" MD5, "");
    expect_stix(either, "MD5=" MD5, "N;");
    expect_stix(either, "c-ip=203.0.113.200", "N;");
    expect_stix("[domain-name:value IN ('a.example', 'b.example')]", "QueryName=b.example", "N;");
    expect_stix("[file:name = 'q.dll'] OR [url:value = 'https://c.example/d']",
                "cs-referer=http://c.example/d/", "N;");
}

static void a_stix_file_lies_in_its_folder(void **context)
{
    const char *pattern =
        "[file:name = 'a1.exe' AND file:parent_directory_ref.path = 'C:\\\\\\\\Temp']";

    (void)context;
    expect_stix(pattern, "TargetFilename=C:\\Temp\\a1.exe", "N;");
    expect_stix(pattern, "TargetFilename=C:\\Temp2\\a1.exe", "");
}

static void stix_that_one_record_cannot_show_is_refused(void **context)
{
    static const char *const patterns[] = {"[file:name = 'a.exe'] AND [file:name = 'b.exe']",
                                           "[file:name = 'a.exe'] WITHIN 5 SECONDS",
                                           "[file:size = 5]",
                                           "[file:name != 'a.exe']",
                                           "[file:name = 'a.exe'",
                                           "[file:name = ",
                                           "[((((((((((((((((((((((((((((((((((((((("};

    (void)context;
    for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++) {
        char text[512];
        snprintf(text, sizeof text,
                 "{\"type\":\"bundle\",\n\"objects\":[\n{\"id\":\"i--1\",\"type\":\"indicator\","
                 "\"pattern\":\"%s\"}]}",
                 patterns[i]);
        expect_refused(text, 3, "");
    }
}

/* --- OpenIOC and MISP --- */

static const char openioc[] =
    "<ioc "
    "xmlns='http://schemas.mandiant.com/2010/ioc'><short_description>Tool</short_description>\n"
    "<definition><Indicator operator='OR'>\n"
    "<IndicatorItem condition='is'><Context search='FileItem/Md5sum'/><Content>" MD5 "</Content>"
    "</IndicatorItem>\n"
    "<IndicatorItem condition='contains'><Context search='FileItem/FullPath'/>"
    "<Content>\\evil.dir\\</Content></IndicatorItem>\n"
    "<Indicator operator='AND'>\n"
    "<IndicatorItem condition='is'><Context search='FileItem/FileName'/><Content>b1.exe</Content>"
    "</IndicatorItem>\n"
    "<IndicatorItem condition='is'><Context search='PortItem/remoteIP'/><Content>203.0.113.5"
    "</Content></IndicatorItem></Indicator>\n"
    "<IndicatorItem condition='is'><Context search='FileItem/SizeInBytes'/><Content>5</Content>"
    "</IndicatorItem></Indicator></definition></ioc>";

static void openioc_is_a_tree_of_and_and_or(void **context)
{
    (void)context;
    expect(openioc, "MD5=" MD5, "Tool;");
    expect(openioc, "TargetFilename=C:\\EVIL.dir\\x", "Tool;");
    expect(openioc, "TargetFilename=C:\\evilxdir\\x", "");
    expect(openioc, "Image=C:\\b1.exe\nDestinationIp=203.0.113.5", "Tool;");
    expect(openioc, "Image=C:\\b1.exe", "");
    expect_refused(openioc, 8, "FileItem/SizeInBytes");
}

static void a_misp_event_has_attributes_and_objects(void **context)
{
    const char *text =
        "{\"response\":[{\"Event\":{\"info\":\"Op\",\"Attribute\":["
        "{\"type\":\"ip-dst|port\",\"value\":\"203.0.113.5|443\",\"to_ids\":true},"
        "{\"type\":\"md5\",\"value\":\"00000000000000000000000000000000\",\"to_ids\":false}],"
        "\"Object\":[{\"name\":\"file\",\"Attribute\":[{\"type\":\"filename|md5\",\"value\":"
        "\"x.exe|" MD5 "\",\"to_ids\":true}]}]}}]}";

    (void)context;
    expect(text, "c-ip=203.0.113.5", "Op;");
    expect(text, "MD5=" MD5, "Op;");
    expect(text, "MD5=00000000000000000000000000000000", "");
}

/* --- searching raw bytes --- */

static size_t next(struct matcher *matcher, const struct rule_set *set, const char *window,
                   size_t from)
{
    return matcher_next(matcher, rule_set_prefilter((struct rule_set *)set, sources),
                        slice_of_text(window), from);
}

static void raw_bytes_are_nominated_by_what_is_listed(void **context)
{
    struct rule_set *set = list("l.txt", "203.0.113.7\nwww.evil.example\n" MD5 "\n::1:2\n");
    struct matcher *matcher = NULL;
    const char *window =
        "a 203.0.113.8 b\nc 203.0.113.7 d\ne www.evil.example\nf " MD5 "\n12:00:00\n";

    (void)context;
    assert_int_equal(matcher_new(set, &matcher), 0);
    assert_int_equal(next(matcher, set, window, 0), 18);
    const size_t second = next(matcher, set, window, 32);
    assert_int_equal(window[second - 2], 'e');
    const size_t third = next(matcher, set, window, second + 17);
    assert_memory_equal(window + third, MD5, 32);
    assert_int_equal(next(matcher, set, window, third + 32), SIZE_MAX);
    assert_int_equal(next(matcher, set, "x ::1:2 y", 0), 2);
    matcher_free(matcher);
    rule_set_free(set);
}

/* Each value of a window's lines lies in a line that is nominated, however many are listed. */
static void lines_are_nominated_among_very_many(void **context)
{
    static const char *const hits[] = {"GET www.evil.example 200", "GET http://bad.example/a.htm",
                                       "POST someone@mail.example", "GET 203.0.113.7 EVIL.EXAMPLE"};
    static const char *const text =
        "evil.example\nhttp://bad.example/a.htm\nsomeone@mail.example\n203.0.113.7\n";

    (void)context;
    for (enum company company = AMONG_NAMES; company < COMPANIES; company++) {
        struct rule_set *set = NULL;
        struct matcher *matcher = NULL;
        struct buffer window = BUFFER_EMPTY;

        assert_int_equal(rule_set_new(sources, &set), 0);
        add_company(set, company);
        assert_int_equal(rule_set_load_text(set, "l.txt", slice_of_text(text)), 0);
        assert_int_equal(rule_set_compile(set), 0);
        assert_int_equal(matcher_new(set, &matcher), 0);
        for (size_t i = 0; i < 400; i++)
            buffer_format(&window, "%s\n",
                          i % 100 == 50 ? hits[i / 100] : "GET index.html 1.2.3.4");
        size_t line = 0, found = 0;
        for (size_t at = 0; at < window.size; line++) {
            const size_t place = next(matcher, set, buffer_text(&window), at);
            const size_t end = slice_find(buffer_slice(&window), at, '\n');
            assert_true(place >= end || line % 100 == 50);
            found += place < end;
            at = end + 1;
        }
        assert_int_equal(found, 4);
        buffer_release(&window);
        matcher_free(matcher);
        rule_set_free(set);
    }
}

/* All places of a block and all ends of the bytes. */
static void an_address_is_found_wherever_it_stands(void **context)
{
    char text[256];

    (void)context;
    for (size_t at = 0; at < 200; at++) {
        struct scan scan;
        struct scanned_text found;
        memset(text, ' ', sizeof text);
        memcpy(text + at, "198.51.100.23", 13);
        scan_start(&scan, slice_of(text, at + 13), 0, SCAN_IPV4 | SCAN_IPV6 | SCAN_DIGEST);
        assert_true(scan_next(&scan, &found));
        assert_int_equal(found.at, at);
        assert_int_equal(found.size, 13);
        assert_false(scan_next(&scan, &found));
        memcpy(text + at, MD5, 32);
        scan_start(&scan, slice_of(text, at + 32), 0, SCAN_IPV4 | SCAN_DIGEST);
        assert_true(scan_next(&scan, &found));
        assert_int_equal(found.at, at);
        memset(text + at, ' ', 32);
        memcpy(text + at, "2001:db8:1:2:3:4:5:6", 20);
        scan_start(&scan, slice_of(text, at + 20), 0, SCAN_IPV6);
        assert_true(scan_next(&scan, &found));
        assert_int_equal(found.at, at);
    }
}

static void a_long_run_of_digits_is_no_digest(void **context)
{
    char text[4096];
    struct scan scan;
    struct scanned_text found;

    (void)context;
    memset(text, 'a', sizeof text);
    scan_start(&scan, slice_of(text, sizeof text), 0, SCAN_DIGEST);
    assert_false(scan_next(&scan, &found));
}

static void all_networks_that_hold_an_address_are_found(void **context)
{
    const char *text = "type,value,campaign\ncidr,198.51.100.0/24,A\ncidr,198.51.0.0/16,B\n"
                       "ip,198.51.100.9,C\ncidr,198.51.100.8/31,D\n";

    (void)context;
    expect(text, "c-ip=198.51.100.9", "A;B;C;D;");
    expect(text, "c-ip=198.51.100.10", "A;B;");
    expect(text, "c-ip=198.51.7.1", "B;");
    expect(text, "c-ip=198.52.7.1", "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_type_of_a_plain_line_is_guessed),
        cmocka_unit_test(a_table_names_type_and_value),
        cmocka_unit_test(a_level_of_the_list_counts_but_not_for_a_bare_name),
        cmocka_unit_test(what_is_not_understood_is_listed_by_line),
        cmocka_unit_test(mutexes_are_ignored_with_a_count),
        cmocka_unit_test(a_user_agent_counts_with_post_only),
        cmocka_unit_test(versions_and_agents_are_no_addresses),
        cmocka_unit_test(a_path_in_a_request_is_no_file),
        cmocka_unit_test(the_hit_says_where_it_comes_from),
        cmocka_unit_test(a_line_that_could_not_be_split_is_searched),
        cmocka_unit_test(stix_comparisons_are_joined),
        cmocka_unit_test(a_stix_file_lies_in_its_folder),
        cmocka_unit_test(stix_that_one_record_cannot_show_is_refused),
        cmocka_unit_test(openioc_is_a_tree_of_and_and_or),
        cmocka_unit_test(a_misp_event_has_attributes_and_objects),
        cmocka_unit_test(raw_bytes_are_nominated_by_what_is_listed),
        cmocka_unit_test(lines_are_nominated_among_very_many),
        cmocka_unit_test(an_address_is_found_wherever_it_stands),
        cmocka_unit_test(a_long_run_of_digits_is_no_digest),
        cmocka_unit_test(all_networks_that_hold_an_address_are_found),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
