/* Loading rules: files and folders, duplicates, collections, what the rules say of themselves, and
 * their own examples. */
#include "tests/unit/rule_fixture.h"
#include "triage/base/error.h"
#include "triage/match/content.h"
#include "triage/match/rule_check.h"

#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define RULE(name, id)                                                                             \
    "title: T " name "\nname: " name "\nid: " id "\nlogsource: {category: webserver}\n"            \
    "detection: {s: {cs-uri-stem|contains: /shell.aspx}, condition: s}\n"

static char folder[64];

static int setup(void **context)
{
    (void)context;
    strcpy(folder, "/tmp/test_rules.XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *walk)
{
    (void)status, (void)kind, (void)walk;
    return remove(path);
}

static int teardown(void **context)
{
    (void)context;
    return nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static void write_file(const char *name, const char *text)
{
    char path[256];

    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static struct rule_set *load_folder(void)
{
    static const struct log_source available[] = {{"webserver", NULL, NULL}, {NULL, NULL, NULL}};
    struct rule_set *set = NULL;

    if (rule_set_new(available, &set) < 0 || rule_set_load(set, folder) < 0 ||
        rule_set_compile(set) < 0)
        fail_msg("%s", error_text());
    return set;
}

static void a_folder_is_read_in_the_order_of_names(void **context)
{
    char path[256];

    (void)context;
    snprintf(path, sizeof path, "%s/b", folder);
    assert_int_equal(mkdir(path, 0755), 0);
    write_file("c.yaml", RULE("3", "c"));
    write_file("a.yml", RULE("1", "a"));
    write_file("b/x.yml", RULE("2", "b"));
    write_file("notes.txt", "no rule");
    write_file(".hidden.yml", RULE("4", "d"));
    struct rule_set *set = load_folder();
    assert_int_equal(rule_set_count(set), 3);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(rule_set_rule(set, i)->name[0], '1' + (int)i);
    rule_set_free(set);
}

static void a_bad_file_does_not_stop_the_others(void **context)
{
    (void)context;
    write_file("a.yml", "title: [\n");
    write_file("b.yml", RULE("B", "b"));
    write_file("c.yml", "just text\n");
    struct rule_set *set = load_folder();
    assert_int_equal(rule_set_count(set), 3);
    assert_int_equal(rule_set_rule(set, 0)->state, RULE_NOT_LOADED);
    assert_int_equal(rule_set_rule(set, 1)->state, RULE_ACTIVE);
    assert_string_equal(rule_set_rule(set, 2)->reason, "this is no Sigma rule");
    rule_set_free(set);
}

static void a_path_that_is_not_there_is_an_error(void **context)
{
    struct rule_set *set = fixture_rules("");

    (void)context;
    assert_int_equal(rule_set_load(set, "/nothing/here"), -1);
    assert_non_null(strstr(error_text(), "/nothing/here"));
    rule_set_free(set);
}

static void the_second_rule_of_an_id_is_refused(void **context)
{
    struct rule_set *set = fixture_rules(RULE("A", "Same") "---\n" RULE("B", "same"));

    (void)context;
    assert_string_equal(fixture_match(set, "cs-uri-stem=/shell.aspx"), "A;");
    assert_string_equal(rule_set_rule(set, 1)->reason, "the same id as test.yml line 1");
    rule_set_free(set);
}

static void a_global_document_is_laid_under_the_others(void **context)
{
    struct rule_set *set =
        fixture_rules("action: global\ntitle: T\nlogsource: {category: webserver}\n"
                      "detection: {condition: s}\n---\nname: A\ndetection: {s: {a: 1}}\n---\n"
                      "name: B\ndetection: {s: {b: 1}}\n---\n"
                      "action: repeat\nname: C\nlevel: low\n");

    (void)context;
    assert_null(fixture_reason(set));
    assert_string_equal(fixture_match(set, "a=1"), "A;");
    assert_string_equal(fixture_match(set, "b=1"), "B;C;");
    assert_int_equal(rule_set_rule(set, 2)->level, LEVEL_LOW);
    rule_set_free(set);
}

static void documents_of_a_collection_share_its_id(void **context)
{
    struct rule_set *set = fixture_rules(
        "action: global\ntitle: T\nid: x\nlogsource: {category: webserver}\n---\nname: A\n"
        "detection: {s: {a: 1}, condition: s}\n---\nname: B\n"
        "detection: {s: {b: 1}, condition: s}\n");

    (void)context;
    assert_null(fixture_reason(set));
    assert_string_equal(fixture_match(set, "a=1"), "A;");
    assert_string_equal(fixture_match(set, "b=1"), "B;");
    rule_set_free(set);
}

/* Shapes that public rules of Windows and of web servers have. */
static void shapes_of_public_rules_are_understood(void **context)
{
    static const char *const detections[] = {
        "selection_a: {cs-uri-stem|endswith: '\\a.exe'}\n  selection_b: {c|contains|all: [x12, "
        "y12]}\n"
        "  filter_main_n: {p: null}\n  filter_main_e: {p: ''}\n  filter_optional_x: {u: [A, B]}\n"
        "  condition: all of selection_* and not 1 of filter_main_* and not 1 of filter_optional_*",
        "s: {c|re|i|m|s: '^foo.*bar$', d|re: ['a+b', '(?i)foo(?=bar)[a-z]{2,}']}\n  condition: s",
        "s: {c|windash|contains: ' -enc ', d|contains|windash|all: [' /a ', ' -b ']}\n  condition: "
        "s",
        "s: {c|wide|base64offset|contains: IEX, d|utf16le|base64offset|contains: abc}\n  "
        "condition: s",
        "s: {a|fieldref: b, c|fieldref|endswith: d, e|exists: false}\n  condition: s",
        "s: {a|gte: 100, b|lt: '5', c|neq: x, d: [null, '', foo], e: true, f: 0x10}\n  condition: "
        "s",
        "keywords: {'|all': [foo1, bar2]}\n  condition: keywords",
        "s:\n    - a: 1\n      b: 2\n    - c: 3\n  condition: s",
        "a: {x: 1}\n  _b: {y: 1}\n  condition: (a or _b) and not (a and _b)",
        "a: {x: 1}\n  b: {y: 1}\n  condition: 1 of them or all of them",
        "a1: {x: 1}\n  a2: {y: 1}\n  condition: any of a* and not all of a*",
        "s: {i|cidr: ['10.0.0.0/8', 'fe80::/10'], c|cased|contains: AbC}\n  condition: not s",
        "s: {x: 1}\n  condition: s | count() by user > 5\n  timeframe: 5m",
    };

    (void)context;
    for (size_t i = 0; i < sizeof detections / sizeof *detections; i++) {
        char text[1024];
        snprintf(text, sizeof text, "  %s\n", detections[i]);
        struct rule_set *set = fixture_detection(text);
        if (fixture_reason(set))
            fail_msg("%s: %s", detections[i], fixture_reason(set));
        rule_set_free(set);
    }
}

static void a_rule_tells_about_itself(void **context)
{
    struct rule_set *set = fixture_rules(
        "\ntitle: A title\nid: 1234\nauthor: me\ndescription: words\nlevel: Critical\n"
        "tags: [attack.t1190, cve.2021-26855]\nreferences: [http://x]\nconfidence: high\n"
        "falsepositives: none\nlogsource: {product: windows, category: webserver}\n"
        "detection: {s: {a: 1}, condition: s}\n");
    const struct rule *rule = rule_set_rule(set, 0);

    (void)context;
    assert_string_equal(rule->name, "1234");
    assert_string_equal(rule->title, "A title");
    assert_int_equal(rule->level, LEVEL_CRITICAL);
    assert_string_equal(rule->tags[1], "cve.2021-26855");
    assert_null(rule->tags[2]);
    assert_string_equal(rule->falsepositives[0], "none");
    assert_string_equal(rule->confidence, "high");
    assert_string_equal(rule->source.product, "windows");
    assert_int_equal(strlen(rule->sha256), 64);
    assert_int_equal(rule->line, 2);
    rule_set_free(set);
}

static void note_warning(void *context, const char *text)
{
    buffer_format(context, "%s;", text);
}

static void what_is_doubtful_is_told(void **context)
{
    static const struct {
        const char *selections, *warning;
    } samples[] = {
        {"a: {sc-status: 200}, b: {sc-status: [401, 403]}, condition: a and b", "can never hold"},
        {"a: {sc-status: 200}, b: {sc-status: [200, 403]}, condition: a and b", NULL},
        {"a: {sc-status: 200}, b: {sc-status: 403}, condition: a or b", NULL},
        {"a: {cs-method: GET}, condition: a and not a", "can never hold"},
        {"a: {cs-method: GET, cs-uri-stem|contains: x}, b: {cs-method: POST}, condition: all of "
         "them",
         "can never hold"},
        {"a: {sc-status: ok}, condition: a", "can never hold"},
        {"a: {cs-uri-stam: x}, condition: a", "has a field 'cs-uri-stam'"},
        {"a: {c-useragent: x, 'cs(Referer)': y}, condition: a", NULL},
    };
    char text[1024];

    (void)context;
    for (size_t i = 0; i < sizeof samples / sizeof *samples; i++) {
        struct buffer told = BUFFER_EMPTY;
        snprintf(text, sizeof text, "title: T\nlogsource: {category: webserver}\ndetection: {%s}\n",
                 samples[i].selections);
        struct rule_set *set = fixture_rules(text);
        const size_t count = rule_check(set, 0, note_warning, &told);
        if (count != (samples[i].warning != NULL) ||
            (count && !strstr(buffer_text(&told), samples[i].warning)))
            fail_msg("%s: '%s'", samples[i].selections, buffer_text(&told));
        buffer_release(&told);
        rule_set_free(set);
    }
}

static void what_is_doubtful_about_a_correlation_is_told(void **context)
{
    static const char *const samples[][2] = {
        {"type: event_count, rules: a, group-by: [c-ip], timespan: 1m, condition: {gte: 2}", NULL},
        {"type: event_count, rules: a, group-by: [c-ip], timespan: 1m, condition: {gt: 5, lt: 3}",
         "can never hold"},
        {"type: event_count, rules: a, group-by: [c-ip], timespan: 1m, condition: {gt: 5, lt: 7}",
         NULL},
        {"type: event_count, rules: a, group-by: [c-ip], timespan: 1m, condition: {gte: 200000}",
         "100000 events"},
        {"type: temporal, rules: a, group-by: [c-ip], timespan: 1m, condition: {gte: 2}",
         "fewer rules"},
        {"type: event_count, rules: a, group-by: [User], timespan: 1m, condition: {gte: 2}",
         "has the field 'User'"},
    };
    char text[1024];

    (void)context;
    for (size_t i = 0; i < sizeof samples / sizeof *samples; i++) {
        struct buffer told = BUFFER_EMPTY;
        snprintf(text, sizeof text,
                 "title: A\nname: a\nlogsource: {category: webserver}\n"
                 "detection: {s: {sc-status: 1}, condition: s}\n---\n"
                 "title: T\ncorrelation: {%s}\n",
                 samples[i][0]);
        struct rule_set *set = fixture_rules(text);
        const size_t count = rule_check(set, 1, note_warning, &told);
        if (count != (samples[i][1] != NULL) ||
            (count && !strstr(buffer_text(&told), samples[i][1])))
            fail_msg("%s: '%s'", samples[i][0], buffer_text(&told));
        buffer_release(&told);
        rule_set_free(set);
    }
}

/* Gives how many examples failed; their lines are in `out`. */
static int test_rules(const char *yaml, bool required, struct buffer *out)
{
    struct rule_set *set = fixture_rules(yaml);

    if (required)
        rule_set_require_examples(set);
    const int failed = rule_set_test(set, out);
    rule_set_free(set);
    return failed;
}

static void examples_are_run(void **context)
{
    struct buffer out = BUFFER_EMPTY;
    const int failed = test_rules(RULE("A", "a") "examples:\n"
                                                 "  hit:\n"
                                                 "    - {cs-uri-stem: /x/SHELL.aspx}\n"
                                                 "    - {cs-uri-stem: /other.aspx}\n"
                                                 "    - 'GET /shell%2easpx 200'\n"
                                                 "  miss:\n"
                                                 "    - {cs-uri-stem: /shell.asp}\n"
                                                 "    - {cs-uri-stem: /shell.aspx}\n",
                                  false, &out);
    const char *text = buffer_text(&out);

    (void)context;
    assert_int_equal(failed, 2);
    assert_non_null(strstr(text, "ok 1 - A hit 1 (test.yml:1)\n"));
    assert_non_null(strstr(text, "not ok 2 - A hit 2 (test.yml:1): it did not match\n"));
    assert_non_null(strstr(text, "\nok 3 - A hit 3"));
    assert_non_null(strstr(text, "\nok 4 - A miss 1"));
    assert_non_null(strstr(text, "not ok 5 - A miss 2 (test.yml:1): it matched\n1..5\n"));
    buffer_release(&out);
}

static void too_few_examples_count_when_asked(void **context)
{
    struct buffer out = BUFFER_EMPTY;

    (void)context;
    assert_int_equal(test_rules(RULE("A", "a"), false, &out), 0);
    assert_non_null(strstr(buffer_text(&out), "# A hit (test.yml:1): fewer than two examples\n"));
    assert_non_null(strstr(buffer_text(&out), "\n1..0\n"));
    assert_int_equal(test_rules(RULE("A", "a"), true, &out), 2);
    buffer_release(&out);
}

static void content_rules_stand_beside_the_others(void **context)
{
    struct buffer out = BUFFER_EMPTY;

    (void)context;
    if (!content_available())
        skip();
    write_file("a.yml", RULE("A", "a"));
    write_file("b.yar", "rule Shell { meta: id = \"WS-99\" level = \"high\" tags = \"a, b\"\n"
                        " hit1 = \"xx eval me\" miss1 = \"evil\" miss2 = \"eval me\"\n"
                        " strings: $e = \"eval\" condition: $e }\n");
    write_file("c.yar", "rule Broken { condition: $nothing }\n");
    struct rule_set *set = load_folder();
    assert_int_equal(rule_set_count(set), 3);
    const struct rule *rule = rule_set_rule(set, 1);
    assert_int_equal(rule->language, RULE_YARA);
    assert_string_equal(rule->name, "WS-99");
    assert_string_equal(rule->tags[1], "b");
    assert_int_equal(rule->level, LEVEL_HIGH);
    assert_int_equal(rule_set_rule(set, 2)->state, RULE_NOT_LOADED);
    assert_int_equal(rule_set_rule(set, 2)->line, 1);
    assert_int_equal(rule_set_test(set, &out), 2);
    assert_non_null(strstr(buffer_text(&out), "not ok 3 - WS-99 miss 2"));
    buffer_release(&out);
    rule_set_free(set);
}

/* The public rules that users have; all of them must be understood. */
static void public_rules_load(void **context)
{
    const char *data = getenv("EXTRIAGE_DATA");
    char path[512];

    (void)context;
    snprintf(path, sizeof path, "%s/rules/sigma-hq", data ? data : "../shared/data");
    if (access(path, R_OK) < 0)
        skip();
    struct rule_set *set = fixture_rules("");
    assert_int_equal(rule_set_load(set, path), 0);
    assert_true(rule_set_count(set) >= 60);
    for (size_t i = 0; i < rule_set_count(set); i++)
        if (rule_set_rule(set, i)->state == RULE_NOT_LOADED)
            fail_msg("%s: %s", rule_set_rule(set, i)->path, rule_set_rule(set, i)->reason);
    rule_set_free(set);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_folder_is_read_in_the_order_of_names, setup, teardown),
        cmocka_unit_test_setup_teardown(a_bad_file_does_not_stop_the_others, setup, teardown),
        cmocka_unit_test(a_path_that_is_not_there_is_an_error),
        cmocka_unit_test(the_second_rule_of_an_id_is_refused),
        cmocka_unit_test(a_global_document_is_laid_under_the_others),
        cmocka_unit_test(documents_of_a_collection_share_its_id),
        cmocka_unit_test(shapes_of_public_rules_are_understood),
        cmocka_unit_test(a_rule_tells_about_itself),
        cmocka_unit_test(what_is_doubtful_is_told),
        cmocka_unit_test(what_is_doubtful_about_a_correlation_is_told),
        cmocka_unit_test(examples_are_run),
        cmocka_unit_test(too_few_examples_count_when_asked),
        cmocka_unit_test_setup_teardown(content_rules_stand_beside_the_others, setup, teardown),
        cmocka_unit_test(public_rules_load),
    };

    return cmocka_run_group_tests_name("rules", tests, NULL, NULL);
}
