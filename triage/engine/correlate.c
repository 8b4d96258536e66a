#include "triage/engine/correlate.h"

#include "triage/base/error.h"
#include "triage/base/hash.h"
#include "triage/match/correlation_window.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { KEY_MOST = 1024, VALUE_SEPARATOR = 0x1F, SKIPPED_TIME = 1, SKIPPED_VALUE = 2 };

/* A record of one time, by its content; the newest of its slot. */
struct seen {
    uint64_t content, group;
    int64_t ticks, rule;
    char source[SHA256_TEXT_SIZE];
};

enum { SEEN_SLOTS = 1024 };

/* One correlation at work. */
struct work {
    const struct correlate *correlate;
    size_t rule;
    const struct correlation *correlation;
    struct correlation_window *window;
    struct buffer group; /* that of the rows at hand */
    bool in_group;
    uint64_t group_number;
    struct buffer events, rules, groups; /* of a result: what it rests on, in words */
    struct seen seen[SEEN_SLOTS];
};

/* --- keeping --- */

static struct slice value_named(const struct event *event, const char *name)
{
    for (size_t i = 0; i < event->value_count; i++)
        if (strcasecmp(event->values[i].name, name) == 0)
            return event->values[i].text;
    return slice_of(NULL, 0);
}

static void add_part(struct buffer *out, struct slice text)
{
    for (size_t i = 0; i < text.size; i++) {
        const uint8_t byte = text.data[i];
        buffer_add_byte(out, byte == VALUE_SEPARATOR || byte == 0 ? ' ' : byte);
    }
}

/* The values with separators between; false when the event lacks one. */
static bool join_values(const struct correlate *correlate, size_t number, size_t position,
                        const char *const *fields, size_t count, const struct event *event,
                        struct buffer *out)
{
    buffer_clear(out);
    for (size_t i = 0; i < count; i++) {
        const struct slice text = value_named(
            event, rule_set_correlated_field(correlate->rules, number, position, fields[i]));
        if (!text.size)
            return false;
        if (i)
            buffer_add_byte(out, VALUE_SEPARATOR);
        add_part(out, text);
    }
    return true;
}

/* Sigma compares without case. A very long key is told apart by its hash. */
static void make_key(struct buffer *text)
{
    char sha256[SHA256_TEXT_SIZE];

    for (size_t i = 0; i < text->size; i++)
        if (text->data[i] >= 'A' && text->data[i] <= 'Z')
            text->data[i] |= 0x20;
    if (text->size <= KEY_MOST)
        return;
    hash_sha256(buffer_slice(text), sha256);
    text->size = KEY_MOST;
    buffer_add_text(text, sha256);
}

static size_t position_of(const struct correlation *correlation, size_t rule)
{
    size_t position = 0;

    while (position + 1 < correlation->rule_count && correlation->rules[position] != rule)
        position++;
    return position;
}

struct texts {
    struct buffer group, shown, value;
};

static int keep_for(const struct correlate *correlate, struct texts *texts, const char *task,
                    size_t number, struct case_correlated row, const struct event *event)
{
    const struct correlation *c = rule_set_correlation(correlate->rules, number);
    const size_t position = position_of(c, (size_t)row.rule);
    const bool whole =
        join_values(correlate, number, position, c->group_by, c->group_count, event,
                    &texts->shown) &&
        join_values(correlate, number, position, c->fields, c->field_count, event, &texts->value);

    buffer_clear(&texts->group);
    buffer_add(&texts->group, buffer_slice(&texts->shown));
    make_key(&texts->group);
    if (c->type == CORRELATION_VALUE_COUNT)
        make_key(&texts->value);
    row.correlation = (int64_t)number;
    row.skipped = !instant_known(event->when) ? SKIPPED_TIME : !whole ? SKIPPED_VALUE : 0;
    row.grp = row.skipped ? "" : buffer_text(&texts->group);
    row.shown = row.skipped ? "" : buffer_text(&texts->shown);
    row.value = row.skipped ? "" : buffer_text(&texts->value);
    return case_add_correlated(correlate->file, task, &row);
}

static int keep(const struct correlate *correlate, const char *task, const char *source,
                size_t rule, const struct event *event, const char *sha256, bool raw_cut)
{
    struct buffer time_text = BUFFER_EMPTY;
    struct texts texts = {BUFFER_EMPTY, BUFFER_EMPTY, BUFFER_EMPTY};
    size_t count;
    const size_t *correlations = rule_set_correlations_on(correlate->rules, rule, &count);
    int result = 0;

    buffer_add(&time_text, event->time_text);
    const struct case_correlated row = {
        .rule = (int64_t)rule,
        .ticks = instant_known(event->when) ? event->when.ticks : 0,
        .source = source,
        .offset = (int64_t)event->offset,
        .record = (int64_t)event->number,
        .basis = event->basis,
        .marks = event->marks,
        .time_text = buffer_text(&time_text),
        .raw = event->raw,
        .raw_cut = raw_cut,
        .raw_sha256 = sha256,
    };
    for (size_t i = 0; i < count && result == 0; i++)
        result = keep_for(correlate, &texts, task, correlations[i], row, event);
    buffer_release(&time_text);
    buffer_release(&texts.group);
    buffer_release(&texts.shown);
    buffer_release(&texts.value);
    return result;
}

int correlate_keep(const struct correlate *correlate, const char *source, size_t rule,
                   const struct event *event, const char *sha256, bool raw_cut)
{
    return keep(correlate, source, source, rule, event, sha256, raw_cut);
}

/* --- results --- */

static int add_name(void *context, int64_t id, const struct case_correlated *row)
{
    struct work *work = context;
    const struct correlate *correlate = work->correlate;
    const struct rule *rule = rule_set_rule(correlate->rules, (size_t)row->rule);
    const char *path = correlate->path(correlate->context, row->source);
    char iso[INSTANT_TEXT_SIZE];

    (void)id;
    if (work->events.size)
        buffer_add_text(&work->events, "; ");
    buffer_format(&work->events, "%s %s in %s record %" PRId64 " at %" PRId64,
                  instant_format((struct instant){row->ticks}, iso), rule->name,
                  path ? path : "an unknown file", row->record, row->offset);
    return 0;
}

static void number_text(long double number, char text[48])
{
    const bool whole = number > -1e15L && number < 1e15L && number == (long double)(int64_t)number;

    if (whole)
        snprintf(text, 48, "%" PRId64, (int64_t)number);
    else
        snprintf(text, 48, "%.6Lg", number);
}

/* Names of the rules, each once, in the order in which the correlation lists them. */
static void list_rules(struct work *work)
{
    const struct correlation *c = work->correlation;

    buffer_clear(&work->rules);
    for (size_t i = 0; i < c->rule_count; i++) {
        if (position_of(c, c->rules[i]) != i)
            continue;
        if (i)
            buffer_add_text(&work->rules, ", ");
        buffer_add_text(&work->rules, rule_set_rule(work->correlate->rules, c->rules[i])->name);
    }
}

struct telling {
    struct work *work;
    const struct correlation_result *result;
};

enum { RESULT_VALUES = 9 };

static struct value value_of(const char *name, const char *text)
{
    return (struct value){name, field_from_name(slice_of_text(name)), false, slice_of_text(text)};
}

/* The values that it is grouped by, as the last event has them. */
static size_t add_groups(const struct correlation *correlation, struct slice shown,
                         struct value *values)
{
    size_t count = 0;

    for (; count < correlation->group_count; count++) {
        const size_t end = slice_find(shown, 0, VALUE_SEPARATOR);
        const char *name = correlation->group_by[count];
        values[count] = (struct value){name, field_from_name(slice_of_text(name)), false,
                                       slice_part(shown, 0, end)};
        shown = end == SIZE_MAX ? slice_of(NULL, 0) : slice_from(shown, end + 1);
    }
    return count;
}

/* "c-ip=192.0.2.1, User=anna" */
static const char *group_text(struct work *work, const struct value *values, size_t count)
{
    buffer_clear(&work->groups);
    for (size_t i = 0; i < count; i++) {
        buffer_format(&work->groups, "%s%s=", i ? ", " : "", values[i].name);
        buffer_add(&work->groups, values[i].text);
    }
    return buffer_text(&work->groups);
}

static int tell_last(void *context, int64_t id, const struct case_correlated *row)
{
    const struct telling *telling = context;
    struct work *work = telling->work;
    const struct correlation_result *result = telling->result;
    const struct correlate *correlate = work->correlate;
    struct value values[CORRELATION_FIELDS_MOST + RESULT_VALUES];
    char count[48], number[48], first[INSTANT_TEXT_SIZE], last[INSTANT_TEXT_SIZE];
    size_t used = add_groups(work->correlation, slice_of_text(row->shown), values);

    (void)id;
    if (used) {
        const char *groups = group_text(work, values, used);
        values[used++] = value_of("CorrelationGroup", groups);
    }
    snprintf(count, sizeof count, "%" PRIu64, result->events);
    number_text(result->value, number);
    values[used++] = value_of("CorrelationType", correlation_type_name(work->correlation->type));
    values[used++] = value_of("CorrelatedRules", buffer_text(&work->rules));
    values[used++] = value_of("EventCount", count);
    values[used++] = value_of("CorrelationValue", number);
    values[used++] = value_of("FirstEvent", instant_format((struct instant){result->first}, first));
    values[used++] = value_of("LastEvent", instant_format((struct instant){result->last}, last));
    values[used++] = value_of("CorrelatedEvents", buffer_text(&work->events));
    if (result->cut)
        values[used++] = value_of("CorrelationCut",
                                  "more events within the timespan than the 100000 that are held");
    const struct event event = {
        .kind = KIND_correlation,
        .artifact = "",
        .when = {result->last},
        .basis = (enum time_basis)row->basis,
        .time_text = slice_of_text(row->time_text),
        .offset = (uint64_t)row->offset,
        .number = (uint64_t)row->record,
        .raw = row->raw,
        .values = values,
        .value_count = used,
        .marks = (unsigned)row->marks,
    };
    const struct rule *rule = rule_set_rule(correlate->rules, work->rule);
    if (rule->kind == RULE_CORRELATION &&
        keep(correlate, "", row->source, work->rule, &event, row->raw_sha256, row->raw_cut) < 0)
        return -1;
    return rule->silent && rule->kind == RULE_CORRELATION
               ? 0
               : correlate->found(correlate->context, work->rule, row->source, &event,
                                  row->raw_sha256, row->raw_cut);
}

static int tell_result(void *context, const struct correlation_result *result)
{
    struct work *work = context;
    struct telling telling = {work, result};
    const int64_t last_listed = result->row_count ? result->rows[result->row_count - 1] : -1;

    buffer_clear(&work->events);
    for (size_t i = 0; i < result->row_count; i++)
        if (case_correlated_at(work->correlate->file, result->rows[i], add_name, work) < 0)
            return -1;
    if (last_listed != result->last_row) {
        buffer_format(&work->events, "; %" PRIu64 " more", result->events - result->row_count - 1);
        if (case_correlated_at(work->correlate->file, result->last_row, add_name, work) < 0)
            return -1;
    }
    return case_correlated_at(work->correlate->file, result->last_row, tell_last, &telling);
}

/* --- one correlation --- */

static uint64_t hash_value(const char *text)
{
    char sha256[SHA256_TEXT_SIZE];

    hash_sha256(slice_of_text(text), sha256);
    sha256[16] = 0;
    return strtoull(sha256, NULL, 16);
}

static uint64_t positions_of(const struct correlation *correlation, int64_t rule)
{
    uint64_t positions = 0;

    for (size_t i = 0; i < correlation->rule_count; i++)
        positions |= (uint64_t)(correlation->rules[i] == (size_t)rule) << i;
    return positions;
}

static bool needs_number(const struct correlation *correlation)
{
    return correlation->type > CORRELATION_VALUE_COUNT && correlation->type < CORRELATION_TEMPORAL;
}

/* The same record again: from a shadow copy, a second copy of the file, or carved out of slack.
 * Lines of one file that say the same are different events. */
static bool is_copy(struct work *work, const struct case_correlated *row)
{
    struct seen now = {.group = work->group_number, .ticks = row->ticks, .rule = row->rule};
    char digits[17];

    snprintf(digits, sizeof digits, "%s", row->raw_sha256);
    now.content = strtoull(digits, NULL, 16);
    hash_sha256(slice_of_text(row->source), now.source);
    struct seen *known = &work->seen[now.content % SEEN_SLOTS];
    const bool again = known->content == now.content && known->group == now.group &&
                       known->ticks == now.ticks && known->rule == now.rule && *digits;
    const bool elsewhere = strcmp(known->source, now.source) != 0;
    if (again && (elsewhere || row->marks & EVENT_RECOVERED))
        return true;
    *known = now;
    return false;
}

static int take_row(void *context, int64_t id, const struct case_correlated *row)
{
    struct work *work = context;
    const struct correlation *c = work->correlation;
    struct correlation_event event = {
        .ticks = row->ticks, .positions = positions_of(c, row->rule), .row = id};

    if (work->in_group && !slice_is(buffer_slice(&work->group), row->grp)) {
        if (correlation_window_end(work->window) < 0)
            return -1;
        work->in_group = false;
    }
    if (!work->in_group) {
        buffer_clear(&work->group);
        buffer_add_text(&work->group, row->grp);
        work->in_group = true;
        work->group_number++;
    }
    if (is_copy(work, row))
        return 0;
    if (needs_number(c) && !number_parse(slice_of_text(row->value), &event.number))
        return 0;
    if (c->type == CORRELATION_VALUE_COUNT)
        event.value = hash_value(row->value);
    return correlation_window_add(work->window, &event);
}

static int run_one(const struct correlate *correlate, size_t rule)
{
    struct work work = {.correlate = correlate,
                        .rule = rule,
                        .correlation = rule_set_correlation(correlate->rules, rule)};
    int result = correlation_window_new(work.correlation, tell_result, &work, &work.window);

    list_rules(&work);
    if (result == 0)
        result = case_each_correlated(correlate->file, (int64_t)rule, take_row, &work);
    if (result == 0)
        result = correlation_window_end(work.window);
    correlation_window_free(work.window);
    buffer_release(&work.group);
    buffer_release(&work.events);
    buffer_release(&work.rules);
    buffer_release(&work.groups);
    return result;
}

/* Those that a correlation rests on come first. Circles were refused when rules were loaded. */
static int run_in_order(const struct correlate *correlate, size_t rule, bool *done)
{
    const struct correlation *c = rule_set_correlation(correlate->rules, rule);

    if (!c || done[rule])
        return 0;
    done[rule] = true;
    for (size_t i = 0; i < c->rule_count; i++)
        if (run_in_order(correlate, c->rules[i], done) < 0)
            return -1;
    return case_has_correlated(correlate->file, (int64_t)rule) ? run_one(correlate, rule) : 0;
}

static int tell_skipped(void *context, const struct case_correlated *row, uint64_t count)
{
    const struct correlate *correlate = context;
    char text[500];

    snprintf(text, sizeof text,
             "correlation %s: %" PRIu64 " events of rule %s were left out, as they have no %s",
             rule_set_rule(correlate->rules, (size_t)row->correlation)->name, count,
             rule_set_rule(correlate->rules, (size_t)row->rule)->name,
             row->skipped == SKIPPED_TIME ? "time" : "value of a field that it needs");
    return correlate->notice(correlate->context, text);
}

int correlate_run(const struct correlate *correlate)
{
    const size_t count = rule_set_count(correlate->rules);
    bool *done = calloc(count + 1, sizeof *done);
    size_t correlations = 0;
    int result = done ? 0 : error_set("out of memory");

    for (size_t i = 0; i < count; i++)
        correlations += rule_set_correlation(correlate->rules, i) != NULL;
    if (result == 0 && correlations)
        result = case_index_correlated(correlate->file);
    for (size_t i = 0; i < count && correlations && result == 0; i++)
        result = run_in_order(correlate, i, done);
    if (result == 0 && correlations)
        result = case_count_skipped(correlate->file, tell_skipped, (void *)correlate);
    free(done);
    return result;
}
