/* The detection language of Sigma, rule by rule: what matches, what does not, what is refused. */
#include "tests/unit/rule_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

struct sample {
    const char
        *detection; /* of "  s: ..." with the condition "s" behind it unless it has its own */
    const char *fields;
    bool expected;
};

static void check(const struct sample *sample)
{
    char text[4096];
    const bool own = strstr(sample->detection, "condition:");

    snprintf(text, sizeof text, "%s%s", sample->detection, own ? "" : "\n  condition: s\n");
    struct rule_set *set = fixture_detection(text);
    if (fixture_reason(set))
        fail_msg("%s: %s", sample->detection, fixture_reason(set));
    const bool matched = strcmp(fixture_match(set, sample->fields), "T;") == 0;
    if (matched != sample->expected)
        fail_msg("'%s' %s '%s'", sample->detection, matched ? "matched" : "did not match",
                 sample->fields);
    rule_set_free(set);
}

#define CHECK_ALL(samples)                                                                         \
    for (size_t sample_at = 0; sample_at < sizeof samples / sizeof *samples; sample_at++)          \
    check(&samples[sample_at])

static void items_are_joined_by_and_values_by_or(void **context)
{
    static const struct sample samples[] = {
        {"  s: {a: x, b: [y, z]}", "a=X\nb=Z", true},
        {"  s: {a: x, b: [y, z]}", "a=x\nb=w", false},
        {"  s: {a: x, b: [y, z]}", "b=y", false},
        {"  s:\n  - {a: x, b: y}\n  - {c: z}", "c=z", true},
        {"  s:\n  - {a: x, b: y}\n  - {c: z}", "a=x", false},
    };

    (void)context;
    CHECK_ALL(samples);
}

static void field_names_compare_without_case(void **context)
{
    static const struct sample samples[] = {
        {"  s: {CS-Method: post}", "cs-method=POST", true},
        {"  s: {some Field.x: v}", "SOME field.X=V", true},
        {"  s: {c-useragent|contains: curl}", "cs-user-agent=curl/7", true},
        {"  s: {'cs(Referer)|contains': evil}", "cs-referer=http://evil", true},
    };

    (void)context;
    CHECK_ALL(samples);
}

static void text_modifiers_place_the_value(void **context)
{
    static const struct sample samples[] = {
        {"  s: {a|contains: b*d}", "a=xxBcDxx", true},
        {"  s: {a|startswith: ab}", "a=ABc", true},
        {"  s: {a|startswith: ab}", "a=cab", false},
        {"  s: {a|endswith: '\\cmd.exe'}", "a=C:\\CMD.EXE", true},
        {"  s: {a|endswith: cmd.exe}", "a=cmd.exe.txt", false},
        {"  s: {a|contains|all: [x, y]}", "a=yx", true},
        {"  s: {a|contains|all: [x, y]}", "a=yy", false},
        {"  s: {a|contains|cased: Ab}", "a=xAbx", true},
        {"  s: {a|contains|cased: Ab}", "a=xabx", false},
        {"  s: {a|contains|windash: ' -f'}", "a=x /f", true},
        {"  s: {a|contains: '\xC3\x84pfel'}", "a=x\xC3\xA4PFELx", true},
        {"  s: {a: '*'}", "a=x", true},
        {"  s: {a: '*'}", "a=-", false},
    };

    (void)context;
    CHECK_ALL(samples);
}

static void numbers_compare_as_numbers_and_texts_as_texts(void **context)
{
    static const struct sample samples[] = {
        {"  s: {sc-status: 200}", "sc-status=200", true},
        {"  s: {sc-status: 200}", "sc-status=0200", true},
        {"  s: {sc-status: 200}", "sc-status=2000", false},
        {"  s: {sc-status: '200'}", "sc-status=0200", false},
        {"  s: {n|gt: 5}", "n=10", true},
        {"  s: {n|gt: 5}", "n=5", false},
        {"  s: {n|gte: 5}", "n=5", true},
        {"  s: {n|lt: -1.5}", "n=-2", true},
        {"  s: {n|lte: 5}", "n=five", false},
        {"  s: {n|neq: 5}", "n=6", true},
        {"  s: {n|neq: [5, 6]}", "n=6", false},
        {"  s: {n|neq: 5}", "m=6", false},
        {"  s: {n|contains: 44}", "n=14455", true},
    };

    (void)context;
    CHECK_ALL(samples);
}

static void null_and_empty_are_told_apart(void **context)
{
    static const struct sample samples[] = {
        {"  s: {a: null}", "b=1", true},
        {"  s: {a: null}", "a=-", true},
        {"  s: {a: null}", "a=x", false},
        {"  s: {a: ''}", "a=", true},
        {"  s: {a: ''}", "b=1", false},
        {"  s: {a: ''}", "a=x", false},
        {"  s: {a: [null, x]}", "a=x", true},
        {"  s: {a: '-'}", "a=-", true},
        {"  s: {cs-uri-query: '-'}", "cs-uri-query=-", true},
        {"  s: {a|exists: true}", "a=", true},
        {"  s: {a|exists: true}", "a=-", false},
        {"  s: {a|exists: false}", "b=1", true},
        {"  s: {a|exists: no}", "a=1", false},
    };

    (void)context;
    CHECK_ALL(samples);
}

static void special_types_have_their_own_comparison(void **context)
{
    static const struct sample samples[] = {
        {"  s: {c-ip|cidr: 10.0.0.0/8}", "c-ip=10.255.1.2", true},
        {"  s: {c-ip|cidr: 10.0.0.0/8}", "c-ip=11.0.0.1", false},
        {"  s: {c-ip|cidr: 192.168.1.128/25}", "c-ip=192.168.1.127", false},
        {"  s: {c-ip|cidr: 'fe80::/10'}", "c-ip=fe80::1%12", true},
        {"  s: {c-ip|cidr: [10.0.0.0/8, '::1']}", "c-ip=[::1]:443", true},
        {"  s: {c-ip|cidr: 10.0.0.0/8}", "c-ip=ten", false},
        {"  s: {a|fieldref: b}", "a=X\nb=x", true},
        {"  s: {a|fieldref: b}", "a=x\nb=y", false},
        {"  s: {a|fieldref: b}", "a=-\nb=-", false},
        {"  s: {a|fieldref|endswith: b}", "a=DOM\\joe\nb=Joe", true},
        {"  s: {t|hour: 3}", "t=2021-03-03T03:15:00Z", true},
        {"  s: {t|hour|lt: 6}", "t=05:59:59", true},
        {"  s: {t|week: 9}", "t=2021-03-03T03:15:00Z", true},
        {"  s: {t|week: 53}", "t=2021-01-03", true},
        {"  s: {t|year: 2021}", "t=2022-01-01", false},
    };

    (void)context;
    CHECK_ALL(samples);
}

static void regular_expressions_are_searched(void **context)
{
    static const struct sample samples[] = {
        {"  s: {a|re: 'b[0-9]+'}", "a=ab12", true},
        {"  s: {a|re: 'B[0-9]+'}", "a=ab12", false},
        {"  s: {a|re|i: 'B[0-9]+'}", "a=ab12", true},
        {"  s: {a|re: '^(?i)AB'}", "a=ab12", true},
        {"  s: {a|re|all: [b, '2$']}", "a=ab12", true},
        {"  s: {a|re: 'x\\x{2013}y'}", "a=x\xE2\x80\x93y", true},
    };

    (void)context;
    CHECK_ALL(samples);
}

static void encodings_find_encoded_text(void **context)
{
    static const struct sample samples[] = {
        {"  s: {a|base64: foobar}", "a=Zm9vYmFy", true},
        {"  s: {a|base64offset|contains: '/bin/bash'}", "a=xL2Jpbi9iYXNoIC", true},
        {"  s: {a|base64offset|contains: '/bin/bash'}", "a=IC9iaW4vYmFzaA==", true},
        {"  s: {a|base64offset|contains: '/bin/bash'}", "a=ICAvYmluL2Jhc2gg", true},
        {"  s: {a|base64offset|contains: '/bin/bash'}", "a=/bin/bash", false},
        {"  s: {a|wide|base64offset|contains: ping}", "a=xcABpAG4AZwB", true},
        {"  s: {a|utf16be|base64: ab}", "a=AGEAYg==", true},
        {"  s: {a|utf16|base64: ab}", "a=//5hAGIA", true},
    };

    (void)context;
    CHECK_ALL(samples);
}

static void utf16_takes_any_character(void **context)
{
    (void)context;
    check(&(struct sample){"  s: {a|wide|base64offset|contains: '\xC3\xA4\xF0\x9F\x98\x80'}",
                           "a=5AA92ADe", true});
    check(&(struct sample){"  s: {a|utf16be|base64: '\xC3\xA4'}", "a=AOQ=", true});
    check(&(struct sample){"  s: {a|utf16|base64: a}", "a=//5hAA==", true});
}

static struct rule_set *with_placeholders(const char *values, const char *detection)
{
    static const struct log_source web[] = {{"webserver", "windows", "iis"}, {NULL, NULL, NULL}};
    char path[] = "/tmp/placeholders-XXXXXX", text[1024];
    const int file = mkstemp(path);
    struct rule_set *set = NULL;

    assert_true(file >= 0 && write(file, values, strlen(values)) == (ssize_t)strlen(values));
    close(file);
    snprintf(text, sizeof text,
             "title: T\nname: T\nlogsource: {category: webserver}\ndetection: {%s}\n", detection);
    assert_int_equal(rule_set_new(web, &set), 0);
    assert_int_equal(rule_set_load_placeholders(set, path), 0);
    assert_int_equal(rule_set_load_text(set, "t.yml", slice_of_text(text)), 0);
    assert_int_equal(rule_set_compile(set), 0);
    unlink(path);
    return set;
}

static void placeholders_become_their_values(void **context)
{
    const char *values = "who: [anna, 'b*b']\nnet: 192.0.2.0/24\ndomain: [x, y]\nloop: '%loop%'\n";
    struct rule_set *set =
        with_placeholders(values, "s: {u|expand: '%domain%\\\\%who%'}, condition: s");

    (void)context;
    assert_null(fixture_reason(set));
    assert_string_equal(fixture_match(set, "u=Y\\Anna"), "T;");
    assert_string_equal(fixture_match(set, "u=x\\beeeb"), "T;");
    assert_string_equal(fixture_match(set, "u=z\\anna"), "");
    rule_set_free(set);
    set = with_placeholders(values, "s: {c-ip|cidr|expand: '%net%'}, condition: s");
    assert_null(fixture_reason(set));
    assert_string_equal(fixture_match(set, "c-ip=192.0.2.77"), "T;");
    rule_set_free(set);
    set = with_placeholders(values, "s: {u|expand: '%loop%'}, condition: s");
    assert_non_null(strstr(fixture_reason(set), "too many placeholders"));
    rule_set_free(set);
    set = with_placeholders(values, "s: {u|expand: '%nobody%'}, condition: s");
    assert_non_null(strstr(fixture_reason(set), "'nobody' has no values"));
    rule_set_free(set);
}

static void keywords_are_searched_everywhere(void **context)
{
    static const struct sample samples[] = {
        {"  s: [whoami, 'net user']", "a=1\nb=xNET USERx", true},
        {"  s: [whoami, 'net user']", "a=net\nb=user", true},
        {"  s: [whoami]", "a=who", false},
        {"  s: whoami", "a=xwhoamix", true},
        {"  s:\n    '|all': [one, two]", "a=two\nb=one", true},
        {"  s:\n    '|all': [one, two]", "a=two", false},
        {"  s: ['w*mi']", "a=whoami", true},
        {"  s:\n    '|re': ['w.o']", "a=whoami", true},
        {"  s: ['<script>']", "cs-uri-stem=/\ncs-uri-query=a=%3Cscript%253E", true},
    };

    (void)context;
    CHECK_ALL(samples);
}

static void conditions_join_selections(void **context)
{
    static const struct sample samples[] = {
        {"  a: {x: 1}\n  f: {y: 2}\n  condition: a and not f", "x=1\ny=3", true},
        {"  a: {x: 1}\n  f: {y: 2}\n  condition: a and not f", "x=1\ny=2", false},
        {"  a: {x: 1}\n  f: {y: 2}\n  condition: [a, f]", "y=2", true},
        {"  s1: {x: 1}\n  s2: {y: 2}\n  condition: all of s*", "x=1\ny=2", true},
    };

    (void)context;
    CHECK_ALL(samples);
}

static void what_is_not_understood_is_refused_with_its_place(void **context)
{
    static const struct {
        const char *detection, *reason;
    } cases[] = {
        {"  s: {a|nonsense: x}\n  condition: s", "modifier 'nonsense' is not known"},
        {"  s: {a|i: x}\n  condition: s", "modifier 'i' does not fit here"},
        {"  s: {a|re|contains: x}\n  condition: s", "do not fit together"},
        {"  s: {a|cidr: 10.0.0.0/33}\n  condition: s", "'10.0.0.0/33' is no network"},
        {"  s: {a|gt: many}\n  condition: s", "'many' is no number"},
        {"  s: {a|re: '('}\n  condition: s", "at byte 1"},
        {"  s: {a|exists: maybe}\n  condition: s", "needs true or false"},
        {"  s: {a|expand: '%servers%'}\n  condition: s", "placeholder"},
        {"  s: {a: {b: c}}\n  condition: s", "must be a text or a number"},
        {"  s: {a: []}\n  condition: s", "list of values is empty"},
        {"  s: {}\n  condition: s", "selection is empty"},
        {"  s: {a: 1}", "condition is missing"},
        {"  s: {a: 1}\n  condition: t", "no selection 't'"},
        {"  s: {a: 1, a: 2}\n  condition: s", "stands there twice"},
        {"  s: {a|contains: ''}\n  condition: s", "matches everything"},
        {"  s: {a|base64: 'x*'}\n  condition: s", "cannot be encoded"},
        {"  s: {a: 1}\n  timeframe: 5m\n  condition: s", "a timeframe without"},
        {"  s: {a: 1}\n  condition: s | min(x) > 5", "no defined meaning"},
        {"  s: {a: 1}\n  condition: s | count( > 5", "not understood"},
        {"  s: {a: 1}\n  condition: s | count() ? 5", "not known"},
    };

    (void)context;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct rule_set *set = fixture_detection(cases[i].detection);
        const char *reason = fixture_reason(set);
        if (!reason || !strstr(reason, cases[i].reason))
            fail_msg("'%s' gave '%s'", cases[i].detection, reason ? reason : "(loaded)");
        rule_set_free(set);
    }
}

static void a_refusal_names_the_line(void **context)
{
    struct rule_set *set = fixture_detection("  s:\n    a: 1\n    b|x: 2\n  condition: s");

    (void)context;
    assert_non_null(strstr(fixture_reason(set), "line 8"));
    rule_set_free(set);
}

static void aliases_may_be_used_often(void **context)
{
    char text[8192] = "";

    (void)context;
    strcat(text, "  s: {f: &l [x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x]}\n  t:\n");
    for (size_t i = 0; i < 200; i++)
        strcat(text, "  - {f: *l}\n");
    strcat(text, "  condition: t\n");
    struct rule_set *set = fixture_detection(text);
    assert_null(fixture_reason(set));
    assert_string_equal(fixture_match(set, "f=x"), "T;");
    rule_set_free(set);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(items_are_joined_by_and_values_by_or),
        cmocka_unit_test(field_names_compare_without_case),
        cmocka_unit_test(text_modifiers_place_the_value),
        cmocka_unit_test(numbers_compare_as_numbers_and_texts_as_texts),
        cmocka_unit_test(null_and_empty_are_told_apart),
        cmocka_unit_test(special_types_have_their_own_comparison),
        cmocka_unit_test(regular_expressions_are_searched),
        cmocka_unit_test(encodings_find_encoded_text),
        cmocka_unit_test(utf16_takes_any_character),
        cmocka_unit_test(placeholders_become_their_values),
        cmocka_unit_test(keywords_are_searched_everywhere),
        cmocka_unit_test(conditions_join_selections),
        cmocka_unit_test(what_is_not_understood_is_refused_with_its_place),
        cmocka_unit_test(a_refusal_names_the_line),
        cmocka_unit_test(aliases_may_be_used_often),
    };

    return cmocka_run_group_tests_name("sigma", tests, NULL, NULL);
}
