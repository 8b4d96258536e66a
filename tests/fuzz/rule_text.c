/* What people write: Sigma rules, conditions, patterns. They are no attackers, but a rule from the
 * net must not end the run. */
#include "tests/fuzz/target.h"

#include "triage/base/buffer.h"
#include "triage/base/glob.h"
#include "triage/match/condition.h"
#include "triage/match/matcher.h"
#include "triage/match/pattern.h"
#include "triage/match/regex.h"
#include "triage/match/regex_literals.h"

#include <string.h>

enum { MEMORY = 64 << 20, SHORTEST = 3, MOST_SUBJECT = 4096, MOST_PATTERN = 1024 };

static const struct log_source sources[] = {{"webserver", "windows", "iis"}, {NULL, NULL, NULL}};

static void hit(void *context, const struct hit *found)
{
    demand(rule_set_rule(context, found->rule)->state == RULE_ACTIVE, "only active rules match");
}

static void undecided(void *context, size_t rule, const char *why)
{
    demand(rule < rule_set_count(context) && *why, "an undecided rule says why");
}

/* Shows the rules one request, also as text that could not be split. */
static void show(struct rule_set *set)
{
    const struct value values[] = {
        {"cs-uri-stem", field_from_name(SLICE_LITERAL("cs-uri-stem")), false,
         SLICE_LITERAL("/ecp/%79.js")},
        {"cs-uri-query", field_from_name(SLICE_LITERAL("cs-uri-query")), false,
         SLICE_LITERAL("msExchEcpCanary=1")},
        {"sc-status", field_from_name(SLICE_LITERAL("sc-status")), false, SLICE_LITERAL("241")},
    };
    struct event event = {.kind = KIND_web_request,
                          .artifact = "fuzz",
                          .sources = sources,
                          .values = values,
                          .value_count = 3,
                          .raw = SLICE_LITERAL("/ecp/%79.js msExchEcpCanary=1 241")};
    const struct match_sink sink = {set, hit, undecided, NULL};
    struct matcher *matcher = NULL;

    if (matcher_new(set, &matcher) == 0) {
        prefilter_next(rule_set_prefilter(set, sources), event.raw, 0);
        matcher_event(matcher, &event, &sink);
        event.marks = EVENT_REJECTED;
        event.value_count = 0;
        matcher_event(matcher, &event, &sink);
    }
    matcher_free(matcher);
}

void fuzz_sigma(const struct fuzz_target *target, const char *file_name, struct slice input)
{
    struct rule_set *set = NULL;
    struct buffer lines = BUFFER_EMPTY;

    (void)target, (void)file_name;
    if (rule_set_new(sources, &set) == 0 && rule_set_load_text(set, "fuzz.yml", input) == 0 &&
        rule_set_compile(set) == 0) {
        for (size_t i = 0; i < rule_set_count(set); i++) {
            const struct rule *rule = rule_set_rule(set, i);
            demand(rule->name && rule->tags, "a rule has a name and tags");
            demand(rule->state == RULE_ACTIVE || rule->reason,
                   "a rule that is not active says why");
        }
        show(set);
        rule_set_test(set, &lines);
    }
    buffer_release(&lines);
    rule_set_free(set);
}

void fuzz_condition(const struct fuzz_target *target, const char *file_name, struct slice input)
{
    static const struct clause clause;
    struct arena *arena = arena_new(MEMORY);
    const struct expression *part = expression_clause(arena, &clause), *whole = NULL;
    const struct selection selections[] = {{SLICE_LITERAL("selection"), part},
                                           {SLICE_LITERAL("sel_1"), part},
                                           {SLICE_LITERAL("sel_2"), part},
                                           {SLICE_LITERAL("filter"), part}};

    (void)target, (void)file_name;
    if (condition_parse(arena, input, selections, 4, &whole) == 0)
        demand(whole && whole->depth <= EXPRESSION_DEPTH, "a condition gives a bounded expression");
    arena_free(arena);
}

static bool is_ascii(struct slice text)
{
    for (size_t i = 0; i < text.size; i++)
        if (text.data[i] == 0 || text.data[i] > 127)
            return false;
    return true;
}

static enum regex_answer search(struct slice pattern, unsigned options, struct slice subject)
{
    struct regex *regex = NULL;
    struct regex_scratch *scratch = NULL;
    enum regex_answer answer = REGEX_GAVE_UP;
    const char *why;

    if (regex_new(pattern, options, &regex) == 0 && regex_scratch_new(&scratch) == 0)
        answer = regex_search(regex, scratch, subject, &why);
    regex_scratch_free(scratch);
    regex_free(regex);
    return answer;
}

/* What the pattern matches holds one of the literals that it is said to demand. */
static void check_literals(struct arena *arena, struct slice pattern, struct slice subject)
{
    struct literal *list = NULL;
    const size_t count = regex_literals(pattern, 0, "\n", SHORTEST, arena, &list);
    bool found = count == 0;

    for (size_t i = 0; i < count && !found; i++)
        found = slice_find_nocase(subject, 0, list[i].text) != SIZE_MAX;
    if (!found)
        demand(search(pattern, 0, subject) != REGEX_YES, "a match holds one of the literals");
}

/* Sigma's wildcards give the answer of the regular expression that says the same. */
static void check_wildcards(struct arena *arena, struct slice text, struct slice subject)
{
    struct buffer regex = BUFFER_EMPTY;
    struct tokens tokens;

    if (tokens_parse(arena, text, &tokens) == 0 && is_ascii(text) && is_ascii(subject)) {
        const struct pattern *pattern = pattern_new(arena, tokens, false);
        demand(pattern != NULL, "a pattern is made");
        tokens_to_regex(tokens, true, &regex);
        const enum regex_answer answer =
            search(buffer_slice(&regex), REGEX_CASELESS | REGEX_DOTALL, subject);
        const bool matches = pattern_matches(pattern, subject);
        demand(answer == REGEX_GAVE_UP || matches == (answer == REGEX_YES),
               "wildcards and regular expression agree");
        const struct slice literal = pattern_literal(pattern, "", SHORTEST);
        demand(!matches || slice_find_nocase(subject, 0, literal) != SIZE_MAX || !literal.size,
               "a match holds the literal");
        demand(!matches || pattern_within(pattern, subject), "the whole text is a part of it");
    }
    buffer_release(&regex);
}

/* A line with a pattern, then the text it is tried on. */
void fuzz_regex(const struct fuzz_target *target, const char *file_name, struct slice input)
{
    const size_t end = slice_find(input, 0, '\n');
    const struct slice pattern = slice_part(input, 0, end < MOST_PATTERN ? end : MOST_PATTERN);
    const struct slice subject = slice_part(slice_from(input, pattern.size + 1), 0, MOST_SUBJECT);
    struct arena *arena = arena_new(MEMORY);

    (void)target, (void)file_name;
    check_literals(arena, pattern, subject);
    check_wildcards(arena, pattern, subject);
    glob_match(arena_text(arena, slice_part(pattern, 0, 64)), arena_text(arena, subject));
    arena_free(arena);
}
