/* The rules' own examples: `examples:` of a Sigma rule, the metas hit1, miss1 ... of a YARA rule.
 */
#include "triage/base/error.h"
#include "triage/match/rule_example.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { EXAMPLES_WANTED = 2, VALUES_MOST = 256, META_NAME_SIZE = 32, EVENTS_MOST = 256 };
static const char time_key[] = "_time"; /* of an event in a correlation's example */

struct test_run {
    struct event asked; /* the view goes on looking at it once the answer is there */
    struct rule_set *set;
    struct buffer *out;
    struct view *view;
    struct regex_scratch *scratch;
    struct content_scanner *scanner;
    struct buffer how, raw, quoted;
    size_t count;
    int failed;
};

/* What a scan of one example tells about one YARA rule. */
struct content_answer {
    size_t rule;
    bool hit, undecided;
};

static bool is_hit_list(const char *list)
{
    return list[0] == 'h';
}

/* One TAP line; `problem` is NULL when the test passed. */
static void tell(struct test_run *run, const struct rule *rule, const char *what, size_t number,
                 const char *problem)
{
    buffer_format(run->out, "%s %zu - %s %s", problem ? "not ok" : "ok", ++run->count, rule->name,
                  what);
    if (number)
        buffer_format(run->out, " %zu", number);
    buffer_format(run->out, " (%s:%u)%s%s\n", rule->path, rule->line, problem ? ": " : "",
                  problem ? problem : "");
    run->failed += problem != NULL;
}

/* As a W3C log has it, with blanks between, and as a CSV log has it, quoted. */
static void add_raw(struct test_run *run, struct slice text)
{
    if (run->raw.size) {
        buffer_add_byte(&run->raw, ' ');
        buffer_add_byte(&run->quoted, ',');
    }
    buffer_add(&run->raw, text);
    buffer_add_byte(&run->quoted, '"');
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] == '"')
            buffer_add_byte(&run->quoted, '"');
        buffer_add_byte(&run->quoted, text.data[i]);
    }
    buffer_add_byte(&run->quoted, '"');
}

static const char *fill_values(struct test_run *run, const struct yaml_node *example,
                               struct value *values, size_t *count)
{
    for (size_t i = 0; i < example->count; i++) {
        const struct yaml_node *key = example->map[i].key, *value = example->map[i].value;
        if (key->type != YAML_TEXT || value->type != YAML_TEXT || *count == VALUES_MOST)
            return "an example must map fields to texts";
        if (yaml_is_null(value) || slice_is(key->text, time_key))
            continue;
        values[(*count)++] = (struct value){.name = (const char *)key->text.data,
                                            .field = field_from_name(key->text),
                                            .text = value->text};
        add_raw(run, value->text);
    }
    return NULL;
}

static bool is_web(const struct log_source *source)
{
    return source->category && slice_is_nocase(slice_of_text(source->category), "webserver");
}

static bool has_literal(const struct literal_set *literals, const struct buffer *record)
{
    struct prefilter *prefilter = NULL;

    if (prefilter_new(literals->list, literals->count, literals->count == 0, &prefilter) < 0)
        return false;
    const bool found = prefilter_next(prefilter, buffer_slice(record), 0) != SIZE_MAX;
    prefilter_free(prefilter);
    return found;
}

/* Whether the record has all that the rule is said to demand. */
static bool is_nominated(const struct literal_demands *demands, struct buffer *record)
{
    buffer_add_byte(record, '\n');
    for (size_t i = 0; i < demands->count; i++)
        if (!has_literal(&demands->sets[i], record))
            return false;
    return true;
}

/* A fault of shipped rules, a hint for others. */
static void check_count(struct test_run *run, const struct rule *rule, const char *what,
                        size_t count)
{
    if (count >= EXAMPLES_WANTED)
        return;
    if (run->set->examples_required)
        tell(run, rule, what, 0, "fewer than two examples");
    else
        buffer_format(run->out, "# %s %s (%s:%u): fewer than two examples\n", rule->name, what,
                      rule->path, rule->line);
}

static const char *judge(enum answer answer, bool wanted)
{
    if (answer == ANSWER_MAYBE)
        return "a pattern gave up";
    if (answer == ANSWER_YES && !wanted)
        return "it matched";
    return answer == ANSWER_NO && wanted ? "it did not match" : NULL;
}

static const char *test_event(struct test_run *run, const struct rule_entry *entry,
                              const struct event *event, bool wanted)
{
    struct evaluation evaluation = {
        .view = run->view, .scratch = run->scratch, .how = &run->how, .why = ""};

    buffer_clear(&run->how);
    view_set(run->view, event);
    const char *problem = judge(expression_test(entry->sigma.expression, &evaluation), wanted);
    if (!problem && wanted &&
        !(is_nominated(&entry->demands, &run->raw) &&
          ((event->marks & EVENT_REJECTED) || is_nominated(&entry->demands, &run->quoted))))
        return "the prefilter would not nominate it";
    return problem;
}

/* An example that is a text stands for a line that could not be split. */
static const char *test_example(struct test_run *run, const struct rule_entry *entry,
                                const struct yaml_node *example, bool wanted)
{
    const struct log_source sources[] = {entry->rule.source, {NULL, NULL, NULL}};
    struct value values[VALUES_MOST];
    struct event event = {.kind = is_web(sources) ? KIND_web_request : KIND_text_line,
                          .artifact = "example",
                          .sources = sources,
                          .values = values};
    const char *problem = NULL;

    buffer_clear(&run->raw);
    buffer_clear(&run->quoted);
    if (example->type == YAML_MAP) {
        problem = fill_values(run, example, values, &event.value_count);
    } else if (example->type == YAML_TEXT) {
        buffer_add(&run->raw, example->text);
        event.marks = EVENT_REJECTED;
    } else {
        problem = "an example must map fields to texts";
    }
    event.raw = buffer_slice(&run->raw);
    return problem ? problem : test_event(run, entry, &event, wanted);
}

static enum answer ask_event(void *context, const struct rule_entry *entry,
                             const struct event *event)
{
    struct test_run *run = context;
    struct evaluation evaluation = {
        .view = run->view, .scratch = run->scratch, .how = &run->how, .why = ""};

    buffer_clear(&run->how);
    run->asked = *event;
    run->asked.kind = is_web(&entry->rule.source) ? KIND_web_request : KIND_text_line;
    view_set(run->view, &run->asked);
    return expression_test(entry->sigma.expression, &evaluation);
}

static const char *fill_event(struct test_run *run, struct arena *arena,
                              const struct yaml_node *map, struct event *event)
{
    const char *time = yaml_get_text(map, time_key);
    struct value *values = arena_array(arena, VALUES_MOST, sizeof *values);

    if (!values)
        return "out of memory";
    if (map->type != YAML_MAP)
        return "an event must map fields to texts";
    if (time && !instant_parse(slice_of_text(time), &event->when, NULL))
        return "the event's _time is not understood";
    buffer_clear(&run->raw);
    buffer_clear(&run->quoted);
    event->values = values;
    const char *problem = fill_values(run, map, values, &event->value_count);
    event->raw = arena_copy(arena, buffer_slice(&run->raw));
    return problem;
}

/* A list of events, a second apart where they do not say their time. */
static const char *test_events(struct test_run *run, size_t rule, const struct yaml_node *list,
                               bool wanted)
{
    static const struct civil start = {.year = 2021, .month = 3, .day = 3};
    struct arena *arena = arena_new(0);
    struct event *events = arena ? arena_array(arena, EVENTS_MOST, sizeof *events) : NULL;
    struct example example = {.set = run->set,
                              .arena = arena,
                              .view = run->view,
                              .ask = ask_event,
                              .context = run,
                              .events = events};
    const char *problem = events ? NULL : "out of memory";
    int64_t ticks = instant_from_civil(start).ticks;

    if (list->type != YAML_LIST || list->count > EVENTS_MOST)
        problem = "an example of a correlation is a list of events";
    for (size_t i = 0; !problem && i < list->count; i++) {
        events[i] = (struct event){.artifact = "example", .when = {ticks + TICKS_PER_SECOND}};
        problem = fill_event(run, arena, list->list[i], &events[i]);
        ticks = events[i].when.ticks;
        example.count++;
    }
    if (!problem)
        problem = judge(example_correlate(&example, rule), wanted);
    arena_free(arena);
    return problem;
}

static const char *test_any_example(struct test_run *run, size_t rule,
                                    const struct yaml_node *example, bool wanted)
{
    const struct rule_entry *entry = run->set->entries[rule];
    const bool joins = entry->sigma.correlation &&
                       (entry->rule.kind == RULE_CORRELATION || example->type == YAML_LIST);

    return joins ? test_events(run, rule, example, wanted)
                 : test_example(run, entry, example, wanted);
}

static void test_list(struct test_run *run, size_t rule, const char *list)
{
    const struct rule_entry *entry = run->set->entries[rule];
    const struct yaml_node *examples = yaml_get(entry->sigma.examples, list);
    const size_t count = examples && examples->type == YAML_LIST ? examples->count : 0;

    for (size_t i = 0; i < count; i++)
        tell(run, &entry->rule, list, i + 1,
             test_any_example(run, rule, examples->list[i], is_hit_list(list)));
    check_count(run, &entry->rule, list, count);
}

static void content_hit(void *context, size_t rule, const char *detail)
{
    struct content_answer *answer = context;

    (void)detail;
    answer->hit |= rule == answer->rule;
}

static void content_undecided(void *context, size_t rule, const char *why)
{
    struct content_answer *answer = context;

    (void)why;
    answer->undecided |= rule == answer->rule;
}

/* Contents are judged as those of a file of which nothing is known. */
static const char *test_content(struct test_run *run, const struct rule_entry *entry,
                                const char *text, bool wanted)
{
    const struct content_file file = {0};
    struct content_answer answer = {.rule = entry->content};
    const struct content_sink sink = {&answer, content_hit, content_undecided, NULL};

    if (content_scan(run->scanner, slice_of_text(text), &file, &sink) < 0)
        return "the scan failed";
    const enum answer result = answer.hit         ? ANSWER_YES
                               : answer.undecided ? ANSWER_MAYBE
                                                  : ANSWER_NO;
    return judge(result, wanted);
}

static void test_metas(struct test_run *run, const struct rule_entry *entry, const char *list)
{
    const struct content_rule *rule = content_rule(run->set->content, entry->content);
    size_t count = 0;

    for (;;) {
        char name[META_NAME_SIZE];
        snprintf(name, sizeof name, "%s%zu", list, count + 1);
        const char *text = content_rule_meta(rule, name);
        if (!text)
            break;
        tell(run, &entry->rule, list, ++count, test_content(run, entry, text, is_hit_list(list)));
    }
    check_count(run, &entry->rule, list, count);
}

static void test_rule(struct test_run *run, size_t rule)
{
    const struct rule_entry *entry = run->set->entries[rule];

    if (entry->rule.state == RULE_NOT_LOADED) {
        tell(run, &entry->rule, "load", 0, entry->rule.reason);
    } else if (entry->rule.kind == RULE_FILTER) {
        return; /* shows in the examples of its rules */
    } else if (entry->rule.language == RULE_SIGMA) {
        test_list(run, rule, "hit");
        test_list(run, rule, "miss");
    } else if (entry->rule.language == RULE_YARA) {
        test_metas(run, entry, "hit");
        test_metas(run, entry, "miss");
    }
}

static void release(struct test_run *run)
{
    view_free(run->view);
    regex_scratch_free(run->scratch);
    content_scanner_free(run->scanner);
    buffer_release(&run->how);
    buffer_release(&run->raw);
    buffer_release(&run->quoted);
}

int rule_set_test(struct rule_set *set, struct buffer *out)
{
    struct test_run run = {.set = set, .out = out};

    if (!set->compiled)
        return error_set("the rules are not compiled");
    if (view_new(set->memory.fields, &run.view) < 0 || regex_scratch_new(&run.scratch) < 0 ||
        (set->content_count && content_scanner_new(set->content, &run.scanner) < 0)) {
        release(&run);
        return -1;
    }
    for (size_t i = 0; i < set->count; i++)
        test_rule(&run, i);
    buffer_format(out, "1..%zu\n", run.count);
    release(&run);
    return buffer_failed(out) ? error_set("out of memory") : run.failed;
}

void rule_set_require_examples(struct rule_set *set)
{
    set->examples_required = true;
}
