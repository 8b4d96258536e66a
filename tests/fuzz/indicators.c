/* Indicator lists from the net: they must not end the run, whatever they hold, and what they load
 * must be found or not found in a record without harm. */
#include "tests/fuzz/target.h"

#include "triage/match/matcher.h"

static const struct log_source sources[] = {{"webserver", "windows", "iis"}, {NULL, NULL, NULL}};

static void hit(void *context, const struct hit *found)
{
    demand(rule_set_rule(context, found->rule)->language == RULE_INDICATOR && *found->how,
           "an indicator says where it comes from");
}

static void undecided(void *context, size_t rule, const char *why)
{
    (void)context, (void)rule, (void)why;
}

static void show(struct rule_set *set, struct slice text)
{
    const struct value values[] = {
        {"TargetFilename", FIELD_TargetFilename, false, SLICE_LITERAL("C:\\Temp\\a1.exe")},
        {"TargetObject", FIELD_TargetObject, false, SLICE_LITERAL("HKU\\S-1-5-18\\Software\\Bad")},
        {"cs-method", FIELD_cs_method, false, SLICE_LITERAL("POST")},
        {"cs-user-agent", FIELD_cs_user_agent, false, SLICE_LITERAL("antSword/v2.1")},
        {"CommandLine", FIELD_CommandLine, false, text},
    };
    const struct event event = {.kind = KIND_web_request,
                                .artifact = "fuzz",
                                .sources = sources,
                                .values = values,
                                .value_count = sizeof values / sizeof *values,
                                .raw = text};
    const struct match_sink sink = {set, hit, undecided, NULL};
    struct matcher *matcher = NULL;

    if (matcher_new(set, &matcher) == 0) {
        const struct prefilter *prefilter = rule_set_prefilter(set, sources);
        for (size_t at = 0; at < text.size;) {
            const size_t next = matcher_next(matcher, prefilter, text, at);
            demand(next >= at, "a search goes forward");
            at = next == SIZE_MAX ? text.size : next + 1 + text.size / 16;
        }
        matcher_event(matcher, &event, &sink);
    }
    matcher_free(matcher);
}

void fuzz_indicators(const struct fuzz_target *target, const char *file_name, struct slice input)
{
    struct rule_set *set = NULL;

    (void)file_name;
    if (rule_set_new(sources, &set) < 0)
        return;
    if (rule_set_load_text(set, target->own, input) == 0 && rule_set_compile(set) == 0)
        show(set, input);
    rule_set_free(set);
}
