/* YARA rules over contents: loading, reporting, limits. */
#include "triage/base/buffer.h"
#include "triage/base/error.h"
#include "triage/match/content.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#ifdef HAVE_SECCOMP
#include <errno.h>
#include <seccomp.h>
#endif

static const char first_file[] =
    "// rule commented_out\n"
    "private rule helper { strings: $x = \"secret\" condition: $x }\n"
    "/* rule no_more {\n"
    "*/\n"
    "rule plain : tag_one tag_two\n"
    "{\n"
    "    meta:\n"
    "        id = \"WS-01\"\n"
    "        title = \"rule later says \\\"hello\\\"\"\n"
    "        count = 7\n"
    "        sure = true\n"
    "    strings:\n"
    "        $a = \"eval(\" nocase\n"
    "        $b = /rule later\\/\"x/\n"
    "    condition:\n"
    "        any of them and helper\n"
    "}\n"
    "rule /* odd */ later\n"
    "{ condition: filename matches /rule|\"shell.aspx/ and extension == \".aspx\" }\n";

static const char second_file[] = "rule plain { strings: $s = \"two\" condition: $s }\n";

struct told {
    struct buffer hits; /* "NAME(detail) " for each */
    struct buffer undecided;
    const struct content_rules *rules;
};

/* "LINE: REASON\n" for each. */
static void note_refusal(void *context, unsigned line, const char *reason)
{
    buffer_format(context, "%u: %s\n", line, reason);
}

/* Adds a file; what was refused of it. */
static const char *add_file(struct content_rules *rules, const char *path, struct slice text,
                            struct buffer *refused)
{
    const struct content_refusals refusals = {refused, note_refusal};

    buffer_clear(refused);
    assert_int_equal(content_add_file(rules, path, text, &refusals), 0);
    return buffer_text(refused);
}

static void note_hit(void *context, size_t rule, const char *detail)
{
    struct told *told = context;

    buffer_format(&told->hits, "%s:%zu(%s) ", content_rule(told->rules, rule)->identifier, rule,
                  detail);
}

static void note_undecided(void *context, size_t rule, const char *why)
{
    struct told *told = context;

    buffer_format(&told->undecided, "%s: %s ", content_rule(told->rules, rule)->identifier, why);
}

static struct content_rules *rules_from(const char *const *files, size_t count)
{
    struct content_rules *rules = NULL;
    struct buffer refused = BUFFER_EMPTY;

    assert_int_equal(content_new(&rules), 0);
    for (size_t i = 0; i < count; i++)
        assert_string_equal(
            add_file(rules, i ? "b.yar" : "a.yar", slice_of_text(files[i]), &refused), "");
    buffer_release(&refused);
    return rules;
}

static struct content_scanner *scanner_for(struct content_rules *rules)
{
    struct content_scanner *scanner = NULL;

    assert_int_equal(content_compile(rules), 0);
    assert_int_equal(content_scanner_new(rules, &scanner), 0);
    return scanner;
}

static int scan(struct content_scanner *scanner, struct slice content,
                const struct content_file *file, struct told *told)
{
    static const struct content_file unknown;
    const struct content_sink sink = {told, note_hit, note_undecided, NULL};

    return content_scan(scanner, content, file ? file : &unknown, &sink);
}

static void told_release(struct told *told)
{
    buffer_release(&told->hits);
    buffer_release(&told->undecided);
}

/* Scans with one rule file; the hits must be as expected. */
static void check(const char *file, const char *content, const char *expected)
{
    struct content_rules *rules = rules_from(&file, 1);
    struct content_scanner *scanner = scanner_for(rules);
    struct told told = {.rules = rules};

    assert_int_equal(scan(scanner, slice_of_text(content), NULL, &told), 0);
    assert_string_equal(buffer_text(&told.hits), expected);
    assert_int_equal(told.undecided.size, 0);
    told_release(&told);
    content_scanner_free(scanner);
    content_free(rules);
}

static void rules_are_described(void **context)
{
    const char *const files[] = {first_file, second_file};
    struct content_rules *rules = rules_from(files, 2);
    const struct content_rule *rule = content_rule(rules, 0);

    (void)context;
    assert_int_equal(content_rule_count(rules), 3);
    assert_string_equal(rule->identifier, "plain");
    assert_string_equal(rule->path, "a.yar");
    assert_int_equal(rule->line, 5);
    assert_string_equal(rule->tags[0], "tag_one");
    assert_string_equal(rule->tags[1], "tag_two");
    assert_null(rule->tags[2]);
    assert_string_equal(content_rule_meta(rule, "id"), "WS-01");
    assert_string_equal(content_rule_meta(rule, "title"), "rule later says \"hello\"");
    assert_string_equal(content_rule_meta(rule, "count"), "7");
    assert_string_equal(content_rule_meta(rule, "sure"), "true");
    assert_null(content_rule_meta(rule, "author"));
    assert_int_equal(content_rule(rules, 1)->line, 18);
    assert_string_equal(content_rule(rules, 2)->path, "b.yar");
    content_free(rules);
}

static void hits_name_rule_and_places(void **context)
{
    const char *const files[] = {first_file, second_file};
    const struct content_file file = {.filename = "a_rule.aspx", .extension = ".aspx"};
    struct content_rules *rules = rules_from(files, 2);
    struct content_scanner *scanner = scanner_for(rules);
    struct told told = {.rules = rules};

    (void)context;
    assert_int_equal(scan(scanner, slice_of_text("two secret EVAL("), NULL, &told), 0);
    assert_string_equal(buffer_text(&told.hits), "plain:0($a at 0xb) plain:2($s at 0x0) ");
    buffer_clear(&told.hits);
    assert_int_equal(scan(scanner, slice_of_text("eval( but no s-word"), &file, &told), 0);
    assert_string_equal(buffer_text(&told.hits), "later:1() ");
    buffer_clear(&told.hits);
    assert_int_equal(scan(scanner, slice_of_text(""), NULL, &told), 0);
    assert_int_equal(told.hits.size, 0);
    told_release(&told);
    content_scanner_free(scanner);
    content_free(rules);
}

static void at_most_sixteen_places_are_named(void **context)
{
    (void)context;
    check("rule r { strings: $a = \"x\" $b = \"y\" condition: #a > 1 and $b }",
          "xxxxxxxxxxxxxxxxxxxxxxxxy",
          "r:0($a at 0x0, $b at 0x18, $a at 0x1, $a at 0x2, $a at 0x3, $a at 0x4, $a at 0x5, "
          "$a at 0x6, $a at 0x7, $a at 0x8, $a at 0x9, $a at 0xa, $a at 0xb, $a at 0xc, $a at 0xd, "
          "$a at 0xe) ");
}

static void a_bad_rule_costs_itself_and_what_rests_on_it(void **context)
{
    static const char text[] = "rule first { strings: $a = \"one\" condition: $a }\n"
                               "private rule base { condition: unknown_name > 3 }\n"
                               "rule second\n"
                               "{\n"
                               "  strings: $h = { 4D 5A [4-6] ( 41 | 42 ) } $r = /a{2}\\/}/\n"
                               "  condition: any of them and base }\n"
                               "rule third { condition: $a }\n"
                               "rule fourth { strings: $a = condition: $a }\n"
                               "rule fifth { strings: $a = \"five\" condition: $a }\n";
    struct content_rules *rules = NULL;
    struct buffer refused = BUFFER_EMPTY;

    (void)context;
    assert_int_equal(content_new(&rules), 0);
    assert_string_equal(add_file(rules, "bad.yar", slice_of_text(text), &refused),
                        "2: rule 'base': undefined identifier \"unknown_name\"\n"
                        "6: rule 'second': undefined identifier \"base\"\n"
                        "7: rule 'third': undefined string \"$a\"\n"
                        "8: rule 'fourth': syntax error\n");
    assert_int_equal(content_rule_count(rules), 2);
    assert_string_equal(content_rule(rules, 1)->identifier, "fifth");
    assert_int_equal(content_rule(rules, 1)->line, 9);
    assert_string_equal(add_file(rules, "good.yar", slice_of_text(second_file), &refused), "");
    assert_int_equal(content_compile(rules), 0);
    assert_int_equal(content_rule_count(rules), 3);
    buffer_release(&refused);
    content_free(rules);
}

/* The modules that rules of signature-base and others import. What this libyara does not have is
 * told with its line, and costs only the rules that use it. */
static void modules_are_there_or_told(void **context)
{
    static const char text[] = "import \"pe\"\nimport \"math\"\nimport \"hash\"\n"
                               "import \"elf\"\nimport \"time\"\nimport \"console\"\n"
                               "import \"dotnet\"\nimport \"no_such_module\"\n"
                               "import \"magic\"\n"
                               "rule r { condition: pe.is_pe or elf.type == elf.ET_EXEC or "
                               "math.entropy(0, filesize) > 1.0 and "
                               "hash.md5(0, filesize) == \"f0e166dc34d14d6c228ffac576c9a43c\" and "
                               "time.now() > 1000 and not defined dotnet.number_of_streams }\n"
                               "rule s { condition: no_such_module.size > 3 }\n"
                               "rule t { condition: magic.type() contains \"PDF\" }\n";
    struct content_rules *rules = NULL;
    struct buffer refused = BUFFER_EMPTY;
    struct told told = {.rules = NULL};

    (void)context;
    assert_int_equal(content_new(&rules), 0);
    add_file(rules, "modules.yar", slice_of_text(text), &refused);
    assert_non_null(strstr(buffer_text(&refused),
                           "8: unknown module \"no_such_module\": this build "
                           "of libyara does not have it\n"));
    assert_non_null(strstr(buffer_text(&refused), "9: module \"magic\" opens files"));
    assert_non_null(strstr(buffer_text(&refused), "11: rule 's': undefined identifier"));
    assert_non_null(strstr(buffer_text(&refused), "12: rule 't': undefined identifier"));
    assert_int_equal(content_rule_count(rules), 1);
    struct content_scanner *scanner = scanner_for(rules);
    told.rules = rules;
    assert_int_equal(scan(scanner, slice_of_text("anything"), NULL, &told), 0);
    assert_string_equal(buffer_text(&told.hits), "r:0() ");
    told_release(&told);
    buffer_release(&refused);
    content_scanner_free(scanner);
    content_free(rules);
}

/* As rules of signature-base ask for them: names as on disk, an extension with its dot. */
static void external_variables_are_what_rules_expect(void **context)
{
    static const char *const conditions[] = {
        "filename == \"Shell.aspx\" and filename matches /\\.aspx$/is",
        "filepath contains \"C:\\\\\" and not filepath contains \"teamviewer\"",
        "extension == \".aspx\" and not extension contains \".ini\"",
        "filetype == \"EXE\" and not filetype == \"ZIP\"",
        "owner == \"NT AUTHORITY\\\\SYSTEM\"",
        "md5 == \"f0e166dc34d14d6c228ffac576c9a43c\"",
    };
    static const struct content_file file = {.filename = "Shell.aspx",
                                             .filepath = "C:\\inetpub\\wwwroot\\Shell.aspx",
                                             .extension = ".aspx",
                                             .filetype = "EXE",
                                             .owner = "NT AUTHORITY\\SYSTEM",
                                             .md5 = "f0e166dc34d14d6c228ffac576c9a43c"};

    (void)context;
    for (size_t i = 0; i < sizeof conditions / sizeof *conditions; i++) {
        char text[200];
        const char *const files[] = {text};
        struct told told = {.rules = NULL};

        snprintf(text, sizeof text, "rule r { condition: %s }", conditions[i]);
        struct content_rules *rules = rules_from(files, 1);
        struct content_scanner *scanner = scanner_for(rules);
        told.rules = rules;
        assert_int_equal(scan(scanner, slice_of_text("anything"), &file, &told), 0);
        assert_string_equal(buffer_text(&told.hits), "r:0() ");
        buffer_clear(&told.hits);
        assert_int_equal(scan(scanner, slice_of_text("anything"), NULL, &told), 0);
        assert_string_equal(buffer_text(&told.hits), "");
        told_release(&told);
        content_scanner_free(scanner);
        content_free(rules);
    }
}

static void note_place(void *context, size_t rule, uint64_t offset, const char *string)
{
    struct told *told = context;

    buffer_format(&told->hits, "%zu %s %d; ", rule, string, (int)offset);
}

static void every_place_is_told_when_asked_for(void **context)
{
    const char *const files[] = {second_file};
    struct content_rules *rules = rules_from(files, 1);
    struct content_scanner *scanner = scanner_for(rules);
    struct told told = {.rules = rules};
    const struct content_sink sink = {&told, note_hit, note_undecided, note_place};
    const struct content_file all = {.every_place = true}, first = {.every_place = false};

    (void)context;
    assert_int_equal(content_scan(scanner, slice_of_text("two and two"), &all, &sink), 0);
    assert_string_equal(buffer_text(&told.hits), "0 $s 0; 0 $s 8; plain:0($s at 0x0, $s at 0x8) ");
    buffer_clear(&told.hits);
    assert_int_equal(content_scan(scanner, slice_of_text("two and two"), &first, &sink), 0);
    assert_string_equal(buffer_text(&told.hits), "0 $s 0; plain:0($s at 0x0) ");
    told_release(&told);
    content_scanner_free(scanner);
    content_free(rules);
}

static void check_refused(struct slice text)
{
    struct content_rules *rules = NULL;
    struct buffer refused = BUFFER_EMPTY;

    assert_int_equal(content_new(&rules), 0);
    assert_string_not_equal(add_file(rules, "a.yar", text, &refused), "");
    assert_int_equal(content_compile(rules), 0);
    buffer_release(&refused);
    content_free(rules);
}

static void other_files_cannot_be_included(void **context)
{
    (void)context;
    check_refused(SLICE_LITERAL("include \"/etc/passwd\"\nrule r { condition: true }\n"));
}

static void text_behind_a_nul_is_not_lost_in_silence(void **context)
{
    (void)context;
    check_refused(SLICE_LITERAL("rule r { condition: true }\n\0rule s { condition: true }\n"));
    check_refused(SLICE_LITERAL("rule r { condition: "));
    check_refused(SLICE_LITERAL("\xff\xfe"));
}

static void an_empty_set_finds_nothing(void **context)
{
    (void)context;
    check("", "anything", "");
    check("private rule r { condition: true }", "anything", "");
}

/* A scan that takes too long ends and says so; the scanner goes on to work. */
static void a_slow_rule_runs_out_of_time(void **context)
{
    const char *const file =
        "rule slow { condition: filesize > 1 and for all i in (0..2000000000) : "
        "(uint8(i % filesize) == 0x78) }\n";
    struct content_rules *rules = rules_from(&file, 1);
    struct content_scanner *scanner = scanner_for(rules);
    struct told told = {.rules = rules};

    (void)context;
    content_scanner_set_timeout(scanner, 1);
    assert_int_equal(scan(scanner, slice_of_text("xxxx"), NULL, &told), -1);
    assert_non_null(strstr(error_text(), "out of time"));
    assert_int_equal(scan(scanner, slice_of_text("x"), NULL, &told), 0);
    told_release(&told);
    content_scanner_free(scanner);
    content_free(rules);
}

static void too_many_matches_leave_a_rule_undecided(void **context)
{
    enum { SIZE = 1100000 };
    const char *const file = "rule many { strings: $a = \"xx\" condition: #a > 2000000 }\n"
                             "rule other { strings: $b = \"y\" condition: $b }\n";
    struct content_rules *rules = rules_from(&file, 1);
    struct content_scanner *scanner = scanner_for(rules);
    struct told told = {.rules = rules};
    uint8_t *content = malloc(SIZE);

    (void)context;
    assert_non_null(content);
    memset(content, 'x', SIZE);
    content[SIZE - 1] = 'y';
    assert_int_equal(scan(scanner, slice_of(content, SIZE), NULL, &told), 0);
    assert_string_equal(buffer_text(&told.undecided), "many: a string matches too often ");
    assert_non_null(strstr(buffer_text(&told.hits), "other:1($b at 0x10c8df)"));
    free(content);
    told_release(&told);
    content_scanner_free(scanner);
    content_free(rules);
}

#ifdef HAVE_SECCOMP
/* Ends this process when it opens a file, makes a socket, or starts a thread or a program. */
static int forbid_opening(void)
{
    static const int calls[] = {SCMP_SYS(open),   SCMP_SYS(openat),      SCMP_SYS(socket),
                                SCMP_SYS(clone),  SCMP_SYS(clone3),      SCMP_SYS(fork),
                                SCMP_SYS(execve), SCMP_SYS(rt_sigaction)};
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
    int result = filter ? 0 : -1;

    for (size_t i = 0; i < sizeof calls / sizeof *calls && result == 0; i++)
        result = seccomp_rule_add(filter, SCMP_ACT_KILL_PROCESS, calls[i], 0);
    result = result == 0 ? seccomp_load(filter) : result;
    seccomp_release(filter);
    return result;
}
#endif

static void a_sandboxed_worker_can_scan(void **context)
{
    (void)context;
#ifdef HAVE_SECCOMP
    const char *const files[] = {first_file, second_file};
    struct content_rules *rules = rules_from(files, 2);
    struct content_scanner *scanner = scanner_for(rules);
    struct told told = {.rules = rules};
    int status = 0;
    const pid_t worker = fork();

    assert_true(worker >= 0);
    if (worker == 0) {
        if (forbid_opening() < 0)
            _exit(2);
        _exit(scan(scanner, slice_of_text("two"), NULL, &told) == 0 &&
                      strcmp(buffer_text(&told.hits), "plain:2($s at 0x0) ") == 0
                  ? 0
                  : 1);
    }
    assert_int_equal(waitpid(worker, &status, 0), worker);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    content_scanner_free(scanner);
    content_free(rules);
#else
    skip();
#endif
}

static void without_libyara_that_is_said(void **context)
{
    struct content_rules *rules = NULL;

    (void)context;
    assert_int_equal(content_new(&rules), -1);
    assert_string_equal(error_text(), "built without libyara");
}

/* A rule that states the plain form finds a page in UTF-16, a name that was assigned before, and
 * says that it looked below the disguise; what the bytes say themselves is told without that. */
static void pages_are_searched_without_their_disguise(void **state)
{
    static const char *const rule[] = {
        "rule flow { strings: $x = /run\\(Request\\[/ condition: $x }\n"
        "rule word { strings: $x = \"plain\" condition: $x }\n"};
    struct content_rules *rules = rules_from(rule, 1);
    struct content_scanner *scanner = scanner_for(rules);
    struct told told = {.rules = rules};
    const struct content_sink sink = {&told, note_hit, note_undecided, NULL};
    const struct content_file file = {0};

    (void)state;
    assert_int_equal(content_scan(scanner,
                                  SLICE_LITERAL("\xFF\xFE<\0%\0r\0u\0n\0(\0R\0e\0q\0u\0e\0s"
                                                "\0t\0[\0x\0]\0)\0%\0>\0"),
                                  &file, &sink),
                     0);
    assert_non_null(strstr(buffer_text(&told.hits), "flow:0($x at 0x2 of the text without"));
    buffer_clear(&told.hits);
    assert_int_equal(
        content_scan(scanner,
                     SLICE_LITERAL("<% plain = \"pl\" + \"ain\"; a = Request[\"x\"]; run(a) %>"),
                     &file, &sink),
        0);
    assert_non_null(strstr(buffer_text(&told.hits), "flow:0("));
    assert_non_null(strstr(buffer_text(&told.hits), "word:1($x at 0x3) "));
    buffer_release(&told.hits);
    buffer_release(&told.undecided);
    content_scanner_free(scanner);
    content_free(rules);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rules_are_described),
        cmocka_unit_test(hits_name_rule_and_places),
        cmocka_unit_test(at_most_sixteen_places_are_named),
        cmocka_unit_test(a_bad_rule_costs_itself_and_what_rests_on_it),
        cmocka_unit_test(modules_are_there_or_told),
        cmocka_unit_test(external_variables_are_what_rules_expect),
        cmocka_unit_test(every_place_is_told_when_asked_for),
        cmocka_unit_test(other_files_cannot_be_included),
        cmocka_unit_test(text_behind_a_nul_is_not_lost_in_silence),
        cmocka_unit_test(an_empty_set_finds_nothing),
        cmocka_unit_test(a_slow_rule_runs_out_of_time),
        cmocka_unit_test(too_many_matches_leave_a_rule_undecided),
        cmocka_unit_test(a_sandboxed_worker_can_scan),
        cmocka_unit_test(pages_are_searched_without_their_disguise),
    };
    const struct CMUnitTest without[] = {cmocka_unit_test(without_libyara_that_is_said)};

    return content_available() ? cmocka_run_group_tests(tests, NULL, NULL)
                               : cmocka_run_group_tests(without, NULL, NULL);
}
