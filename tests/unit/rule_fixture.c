#include "tests/unit/rule_fixture.h"

#include "triage/base/error.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { VALUES = 32 };

static const struct log_source available[] = {
    {"webserver", "windows", "iis"}, {NULL, "exchange", "ecp-server"}, {NULL, NULL, NULL}};
static struct buffer answer = BUFFER_EMPTY, how = BUFFER_EMPTY;

struct telling {
    const struct rule_set *set;
};

struct rule_set *fixture_rules(const char *yaml)
{
    struct rule_set *set = NULL;

    if (rule_set_new(available, &set) < 0 ||
        rule_set_load_text(set, "test.yml", slice_of_text(yaml)) < 0 || rule_set_compile(set) < 0)
        fail_msg("%s", error_text());
    return set;
}

struct rule_set *fixture_detection(const char *detection)
{
    char yaml[16384];

    snprintf(yaml, sizeof yaml,
             "title: Test\nname: T\nlogsource:\n  category: webserver\ndetection:\n%s", detection);
    return fixture_rules(yaml);
}

static void tell_hit(void *context, const struct hit *hit)
{
    const struct telling *telling = context;

    buffer_format(&answer, "%s;", rule_set_rule(telling->set, hit->rule)->name);
    buffer_clear(&how);
    buffer_add_text(&how, hit->how);
}

static void tell_undecided(void *context, size_t rule, const char *why)
{
    const struct telling *telling = context;

    assert_true(*why);
    buffer_format(&answer, "?%s;", rule_set_rule(telling->set, rule)->name);
}

static const char *match(const struct rule_set *set, const struct event *event)
{
    struct telling telling = {set};
    const struct match_sink sink = {&telling, tell_hit, tell_undecided, NULL};
    struct matcher *matcher = NULL;

    buffer_clear(&answer);
    buffer_clear(&how);
    if (matcher_new(set, &matcher) < 0)
        fail_msg("%s", error_text());
    matcher_event(matcher, event, &sink);
    matcher_free(matcher);
    return buffer_text(&answer);
}

const char *fixture_match(const struct rule_set *set, const char *fields)
{
    return fixture_match_as(set, available, fields);
}

const char *fixture_match_as(const struct rule_set *set, const struct log_source *sources,
                             const char *fields)
{
    char names[VALUES][64], raw[8192] = "";
    struct value values[VALUES];
    struct event event = {
        .kind = KIND_web_request, .artifact = "test", .sources = sources, .values = values};

    for (const char *line = fields; *line && event.value_count < VALUES;) {
        const char *end = strchrnul(line, '\n'), *sign = strchr(line, '=');
        char *name = names[event.value_count];
        assert_non_null(sign);
        snprintf(name, sizeof names[0], "%.*s", (int)(sign - line), line);
        values[event.value_count++] =
            (struct value){.name = name,
                           .field = field_from_name(slice_of_text(name)),
                           .text = slice_of(sign + 1, (size_t)(end - sign - 1))};
        snprintf(raw + strlen(raw), sizeof raw - strlen(raw), "%s%.*s", *raw ? " " : "",
                 (int)(end - sign - 1), sign + 1);
        line = *end ? end + 1 : end;
    }
    event.raw = slice_of_text(raw);
    return match(set, &event);
}

const char *fixture_match_rejected(const struct rule_set *set, const char *raw)
{
    const struct event event = {.kind = KIND_web_request,
                                .artifact = "test",
                                .sources = available,
                                .marks = EVENT_REJECTED,
                                .raw = slice_of_text(raw)};

    return match(set, &event);
}

const char *fixture_how(void)
{
    return buffer_text(&how);
}

const char *fixture_reason(const struct rule_set *set)
{
    for (size_t i = 0; i < rule_set_count(set); i++)
        if (rule_set_rule(set, i)->state != RULE_ACTIVE)
            return rule_set_rule(set, i)->reason;
    return NULL;
}
