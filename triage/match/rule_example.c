#include "triage/match/rule_example.h"

#include "triage/match/correlation_window.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { EVENTS_MOST = 4096, WALKS_MOST = 500, SEPARATOR = 0x1F };

/* An event of a rule, or what a correlation found: the values that others may want of it. */
struct sample {
    int64_t ticks;
    const struct value *values;
    size_t value_count;
};

struct samples {
    struct sample *list;
    size_t count;
};

/* A sample as one correlation sees it. */
struct placed {
    const char *group; /* in lower case */
    const char *value;
    const struct sample *sample;
    size_t order; /* that of the example, for events of one time */
    struct correlation_event event;
};

struct finding {
    struct example *example;
    const struct correlation *correlation;
    const struct placed *placed;
    struct samples *out;
};

static bool collect(struct example *example, size_t rule, unsigned depth, struct samples *out);

static bool add_sample(struct samples *samples, struct sample sample)
{
    if (samples->count == EVENTS_MOST)
        return false;
    samples->list[samples->count++] = sample;
    return true;
}

/* The first value of each field that correlations want of the rule's events. */
static struct sample sample_of(struct example *example, const struct rule_entry *entry,
                               const struct event *event)
{
    struct value *values = arena_array(example->arena, entry->wanted_count + 1, sizeof *values);
    struct sample sample = {.ticks = event->when.ticks, .values = values};

    for (size_t i = 0; values && i < entry->wanted_count; i++) {
        const struct forms forms = view_values(example->view, &entry->wanted[i]);
        if (forms.count)
            values[sample.value_count++] =
                (struct value){.name = entry->wanted[i].name, .text = forms.list[0].text};
    }
    return sample;
}

static bool collect_events(struct example *example, size_t rule, struct samples *out)
{
    const struct rule_entry *entry = example->set->entries[rule];

    for (size_t i = 0; i < example->count; i++) {
        const enum answer answer = example->ask(example->context, entry, &example->events[i]);
        if (answer == ANSWER_MAYBE ||
            (answer == ANSWER_YES &&
             !add_sample(out, sample_of(example, entry, &example->events[i]))))
            return false;
    }
    return true;
}

/* NULL when the sample lacks one of the fields. */
static const char *join(struct example *example, size_t rule, size_t position,
                        const char *const *fields, size_t count, const struct sample *sample)
{
    char *text = arena_format(example->arena, "%s", "");

    for (size_t i = 0; i < count && text; i++) {
        const char *name = rule_set_correlated_field(example->set, rule, position, fields[i]);
        size_t at = 0;
        while (at < sample->value_count && strcasecmp(sample->values[at].name, name) != 0)
            at++;
        if (at == sample->value_count || sample->values[at].text.size == 0)
            return NULL;
        text = arena_format(example->arena, "%s%c%.*s", text, SEPARATOR,
                            (int)sample->values[at].text.size,
                            (const char *)sample->values[at].text.data);
    }
    for (char *byte = text; byte && *byte; byte++)
        if (*byte >= 'A' && *byte <= 'Z')
            *byte |= 0x20;
    return text;
}

static bool place(struct example *example, size_t rule, size_t position,
                  const struct sample *sample, struct placed *out)
{
    const struct correlation *c = example->set->entries[rule]->sigma.correlation;

    *out = (struct placed){.sample = sample};
    out->group = join(example, rule, position, c->group_by, c->group_count, sample);
    out->value = join(example, rule, position, c->fields, c->field_count, sample);
    if (!out->group || !out->value)
        return false;
    out->event.ticks = sample->ticks;
    for (size_t i = 0; i < c->rule_count; i++)
        out->event.positions |= (uint64_t)(c->rules[i] == c->rules[position]) << i;
    if (c->field_count)
        number_parse(slice_of_text(out->value + 1), &out->event.number);
    return true;
}

static int by_group_and_time(const void *a, const void *b)
{
    const struct placed *x = a, *y = b;
    const int order = strcmp(x->group, y->group);

    if (order)
        return order;
    if (x->event.ticks != y->event.ticks)
        return x->event.ticks < y->event.ticks ? -1 : 1;
    return (x->order > y->order) - (x->order < y->order);
}

/* Numbers in the place of values: equal for equal texts. */
static void number_values(struct placed *placed, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        placed[i].event.row = (int64_t)i;
        placed[i].event.value = i;
        for (size_t j = 0; j < i; j++)
            if (strcmp(placed[i].value, placed[j].value) == 0) {
                placed[i].event.value = placed[j].event.value;
                break;
            }
    }
}

static const struct value *find_value(const struct sample *sample, const char *name)
{
    for (size_t i = 0; i < sample->value_count; i++)
        if (strcasecmp(sample->values[i].name, name) == 0)
            return &sample->values[i];
    return NULL;
}

/* What a correlation over this one may ask: the values that its events share. */
static int keep_result(void *context, const struct correlation_result *result)
{
    struct finding *finding = context;
    const struct correlation *c = finding->correlation;
    const struct sample *last = finding->placed[result->last_row].sample;
    struct value *values = arena_array(finding->example->arena, c->group_count + 1, sizeof *values);
    struct sample sample = {.ticks = result->last, .values = values};

    for (size_t i = 0; values && i < c->group_count; i++) {
        const struct value *value = find_value(last, c->group_by[i]);
        if (value)
            values[sample.value_count++] =
                (struct value){.name = c->group_by[i], .text = value->text};
    }
    return values && add_sample(finding->out, sample) ? 0 : -1;
}

static bool run(struct finding *finding, const struct placed *placed, size_t count)
{
    struct correlation_window *window = NULL;
    bool good = correlation_window_new(finding->correlation, keep_result, finding, &window) == 0;

    for (size_t i = 0; i < count && good; i++) {
        if (i && strcmp(placed[i].group, placed[i - 1].group) != 0)
            good = correlation_window_end(window) == 0;
        good = good && correlation_window_add(window, &placed[i].event) == 0;
    }
    good = good && correlation_window_end(window) == 0;
    correlation_window_free(window);
    return good;
}

static bool is_repeated(const struct correlation *c, size_t position)
{
    for (size_t i = 0; i < position; i++)
        if (c->rules[i] == c->rules[position])
            return true;
    return false;
}

static bool collect_results(struct example *example, size_t rule, unsigned depth,
                            struct samples *out)
{
    const struct rule_entry *entry = example->set->entries[rule];
    const struct correlation *c = entry->sigma.correlation;
    struct placed *placed = arena_array(example->arena, EVENTS_MOST, sizeof *placed);
    struct finding finding = {example, c, placed, out};
    size_t count = 0;

    if (!placed || depth == CORRELATION_DEPTH)
        return false;
    for (size_t i = 0; i < c->rule_count; i++) {
        struct samples samples = {arena_array(example->arena, EVENTS_MOST, sizeof *samples.list),
                                  0};
        const bool own = entry->rule.kind == RULE_DETECTION;
        if (is_repeated(c, i))
            continue;
        if (!samples.list || !(own ? collect_events(example, rule, &samples)
                                   : collect(example, c->rules[i], depth + 1, &samples)))
            return false;
        for (size_t j = 0; j < samples.count && count < EVENTS_MOST; j++)
            if (place(example, rule, i, &samples.list[j], &placed[count])) {
                placed[count].order = count;
                count++;
            }
    }
    qsort(placed, count, sizeof *placed, by_group_and_time);
    number_values(placed, count);
    return run(&finding, placed, count);
}

/* Bounded by CORRELATION_DEPTH. */
static bool collect(struct example *example, size_t rule, unsigned depth, struct samples *out)
{
    const struct rule_entry *entry = example->set->entries[rule];

    if (++example->walks > WALKS_MOST)
        return false;
    return entry->sigma.correlation ? collect_results(example, rule, depth, out)
                                    : collect_events(example, rule, out);
}

enum answer example_correlate(struct example *example, size_t rule)
{
    struct samples found = {arena_array(example->arena, EVENTS_MOST, sizeof *found.list), 0};

    if (!found.list || !collect(example, rule, 0, &found))
        return ANSWER_MAYBE;
    return found.count ? ANSWER_YES : ANSWER_NO;
}
