/* Fuzz target: the input is rule text (Sigma). What loads is matched against a fixed line, whole
 * and as one that could not be split, and its literals are built into a prefilter. */
#include "triage/match/matcher.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct log_source sources[] = {{"webserver", "windows", "iis"}, {NULL, NULL, NULL}};

static void ignore_hit(void *context, const struct hit *hit)
{
    *(size_t *)context += hit->rule;
}

static void ignore_undecided(void *context, size_t rule, const char *why)
{
    *(size_t *)context += rule + (size_t)(why == NULL);
}

static void match(const struct rule_set *set, struct slice raw)
{
    const struct value values[] = {
        {.name = "cs-uri-stem",
         .field = FIELD_cs_uri_stem,
         .text = SLICE_LITERAL("/owa/%61uth/x.aspx")},
        {.name = "cs-uri-query", .field = FIELD_cs_uri_query, .text = SLICE_LITERAL("a=1&b=%253c")},
        {.name = "cs-user-agent", .field = FIELD_cs_user_agent, .text = SLICE_LITERAL("a+b")},
        {.name = "a", .field = FIELD_OTHER, .text = raw},
    };
    struct event event = {.kind = KIND_web_request,
                          .artifact = "fuzz",
                          .sources = sources,
                          .raw = raw,
                          .values = values,
                          .value_count = sizeof values / sizeof *values};
    size_t seen = 0;
    const struct match_sink sink = {&seen, ignore_hit, ignore_undecided, NULL};
    struct matcher *matcher = NULL;

    if (matcher_new(set, &matcher) < 0)
        return;
    matcher_event(matcher, &event, &sink);
    event.marks = EVENT_REJECTED;
    event.value_count = 0;
    matcher_event(matcher, &event, &sink);
    matcher_free(matcher);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct slice raw = SLICE_LITERAL("/owa/%61uth/x.aspx a=1&b=%253c a+b \xC3\xA4\xFF?*\\");
    struct rule_set *set = NULL;

    if (rule_set_new(sources, &set) < 0)
        return 0;
    if (rule_set_load_text(set, "fuzz.yml", slice_of(data, size)) == 0 &&
        rule_set_compile(set) == 0) {
        prefilter_next(rule_set_prefilter(set, sources), raw, 0);
        match(set, raw);
    }
    rule_set_free(set);
    return 0;
}
