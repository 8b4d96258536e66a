#include "triage/match/matcher.h"

#include "triage/base/error.h"
#include "triage/match/ascii.h"
#include "triage/match/indicator_demands.h"
#include "triage/match/indicator_match.h"
#include "triage/match/percent.h"
#include "triage/match/rule_set.h"

#include <stdlib.h>
#include <string.h>

/* For fewer rules asking each is cheaper than asking who is concerned. */
enum { NOMINATOR_FROM = 4 };

struct prepared_group {
    struct rule_group group;
    struct nominator *nominator; /* of the rules, then of the lists; NULL: all are asked */
    size_t listed;               /* demands of the lists */
    uint64_t *marks, *rules;     /* its scratch */
};

/* The next place in a window that one of two searches knows, so that neither looks at bytes twice
 * when the other one stops more often. */
struct next_place {
    const uint8_t *window;
    size_t size, from, at; /* nothing stands in [from, at) */
};

struct matcher {
    const struct rule_set *set;
    struct indicator_matcher *indicators; /* NULL without lists */
    struct next_place literal, listed, wide[INDICATOR_GRAM_PASSES];
    const struct prefilter *asked; /* the last one, and whether it is of requests */
    bool asked_requests;
    struct arena *arena; /* groups */
    struct view *view;
    struct regex_scratch *scratch;
    struct content_scanner *scanner;
    struct buffer how, decoded;
    struct prepared_group *groups;
    size_t group_count, last;
};

/* What a content scan tells, passed on. */
struct content_relay {
    const struct rule_set *set;
    const struct match_sink *sink;
};

int matcher_new(const struct rule_set *set, struct matcher **out)
{
    struct matcher *matcher = calloc(1, sizeof *matcher);

    if (!matcher)
        return error_set("out of memory");
    matcher->set = set;
    matcher->arena = arena_new(0);
    if (!matcher->arena || view_new(set->memory.fields, &matcher->view) < 0 ||
        regex_scratch_new(&matcher->scratch) < 0 ||
        (set->indicators && indicator_matcher_new(set->indicators, &matcher->indicators) < 0) ||
        (set->content_count && content_scanner_new(set->content, &matcher->scanner) < 0)) {
        matcher_free(matcher);
        return error_prefix("matcher");
    }
    if (matcher->scanner)
        content_scanner_set_gate(matcher->scanner, !set->no_prefilter);
    *out = matcher;
    return 0;
}

void matcher_free(struct matcher *matcher)
{
    if (!matcher)
        return;
    for (size_t i = 0; i < matcher->group_count; i++)
        nominator_free(matcher->groups[i].nominator);
    free(matcher->groups);
    view_free(matcher->view);
    regex_scratch_free(matcher->scratch);
    content_scanner_free(matcher->scanner);
    indicator_matcher_free(matcher->indicators);
    buffer_release(&matcher->how);
    buffer_release(&matcher->decoded);
    arena_free(matcher->arena);
    free(matcher);
}

/* The demands of the rules and behind them those of the lists; NULL when memory is out. */
static const struct literal_demands **all_demands(struct matcher *matcher,
                                                  const struct rule_group *group, size_t *count)
{
    struct literal_demands *listed = NULL;
    size_t more = 0;

    if (matcher->indicators &&
        !(listed = indicator_demands(matcher->set->indicators, source_is_requests(group->sources),
                                     matcher->arena, &more)))
        return NULL;
    const struct literal_demands **all =
        arena_array(matcher->arena, group->count + more + 1, sizeof(*all));
    if (!all)
        return NULL;
    memcpy(all, group->demands, group->count * sizeof(*all));
    for (size_t i = 0; i < more; i++)
        all[group->count + i] = &listed[i];
    *count = group->count + more;
    return all;
}

static int prepare_group(struct matcher *matcher, const struct log_source *sources,
                         struct prepared_group *out)
{
    size_t count;

    if (rule_group_make(matcher->set, matcher->arena, sources, &out->group) < 0)
        return -1;
    if ((out->group.count < NOMINATOR_FROM && !matcher->indicators) || matcher->set->no_prefilter)
        return 0;
    const struct literal_demands **demands = all_demands(matcher, &out->group, &count);
    if (!demands || nominator_new(demands, count, &out->nominator) < 0)
        return -1;
    out->listed = count - out->group.count;
    out->marks =
        arena_array(matcher->arena, nominator_mark_words(out->nominator), sizeof *out->marks);
    out->rules =
        arena_array(matcher->arena, nominator_rule_words(out->nominator), sizeof *out->rules);
    return out->marks && out->rules ? 0 : -1;
}

/* NULL when memory is out. */
static struct prepared_group *add_group(struct matcher *matcher, const struct log_source *sources)
{
    struct prepared_group *groups =
        realloc(matcher->groups, (matcher->group_count + 1) * sizeof *groups);
    struct prepared_group group = {0};

    if (!groups)
        return NULL;
    matcher->groups = groups;
    if (prepare_group(matcher, sources, &group) < 0) {
        nominator_free(group.nominator);
        return NULL;
    }
    groups[matcher->group_count] = group;
    matcher->last = matcher->group_count;
    return &groups[matcher->group_count++];
}

static struct prepared_group *find_group(struct matcher *matcher, const struct log_source *sources)
{
    struct prepared_group *groups = matcher->groups;

    if (matcher->group_count && source_lists_equal(groups[matcher->last].group.sources, sources))
        return &groups[matcher->last];
    for (size_t i = 0; i < matcher->group_count; i++) {
        if (!source_lists_equal(groups[i].group.sources, sources))
            continue;
        matcher->last = i;
        return &groups[i];
    }
    return add_group(matcher, sources);
}

static void tell_hit(struct matcher *matcher, size_t rule, const struct match_sink *sink)
{
    struct hit hit = {.rule = rule, .how = "", .detail = ""};

    if (view_event(matcher->view)->marks & EVENT_REJECTED)
        hit.how = "text of a line that could not be split";
    else if (matcher->how.size)
        hit.how = buffer_text(&matcher->how);
    sink->hit(sink->context, &hit);
}

/* All texts that rules look at, but for those with '+' and blanks swapped. */
static struct forms texts_of(struct matcher *matcher)
{
    const bool rejected = view_event(matcher->view)->marks & EVENT_REJECTED;

    return rejected ? view_text(matcher->view) : view_everything(matcher->view);
}

static bool has_literal(struct forms forms, const struct literal_set *set)
{
    for (size_t i = 0; i < forms.count; i++)
        for (size_t j = 0; j < set->count; j++)
            if (slice_find_nocase(forms.list[i].text, 0, set->list[j].text) != SIZE_MAX)
                return true;
    return false;
}

/* Whether the event has all that the rule cannot match without. */
static bool meets_demands(struct matcher *matcher, const struct literal_demands *demands)
{
    const struct forms forms = texts_of(matcher);

    for (size_t i = 0; i < demands->count; i++)
        if (!has_literal(forms, &demands->sets[i]))
            return false;
    return true;
}

/* A pattern that gives up where the rule cannot match anyway decides nothing: so the prefilter does
 * not show in the output. */
static void tell_undecided(struct matcher *matcher, size_t rule, const char *why,
                           const struct match_sink *sink)
{
    if (meets_demands(matcher, &matcher->set->entries[rule]->demands))
        sink->undecided(sink->context, rule, why);
}

static void test_rule(struct matcher *matcher, size_t rule, const struct match_sink *sink)
{
    struct evaluation evaluation = {
        .view = matcher->view, .scratch = matcher->scratch, .how = &matcher->how, .why = ""};

    buffer_clear(&matcher->how);
    switch (expression_test(matcher->set->entries[rule]->sigma.expression, &evaluation)) {
    case ANSWER_YES:
        tell_hit(matcher, rule, sink);
        break;
    case ANSWER_MAYBE:
        tell_undecided(matcher, rule, evaluation.why, sink);
        break;
    default:
        break;
    }
}

static bool lies_within(struct slice part, struct slice whole)
{
    const uintptr_t start = (uintptr_t)whole.data, at = (uintptr_t)part.data;

    return at >= start && at - start <= whole.size && part.size <= whole.size - (at - start);
}

/* Whether the search through the record finds all that the value's own would: it is a part of it
 * that nothing goes on behind. */
static bool is_searched(struct slice value, struct slice record)
{
    if (!lies_within(value, record))
        return false;
    const size_t end = (size_t)(value.data - record.data) + value.size;
    return end == record.size || !is_alnum(record.data[end]);
}

/* The text that holds most of the event's values. */
static struct slice record_of(const struct event *event)
{
    return event->text.size ? event->text : event->raw;
}

/* Of a record that could not be split rules look at the text alone, lists at its values too. */
static void nominate_rejected(struct matcher *matcher, const struct prepared_group *group)
{
    const struct event *event = view_event(matcher->view);
    const struct forms forms = view_text(matcher->view);

    for (size_t i = 0; i < forms.count; i++)
        nominator_add_loose(group->nominator, forms.list[i].text, group->marks);
    for (size_t i = 0; i < event->value_count; i++)
        nominator_add(group->nominator, event->values[i].text, group->marks);
}

/* All forms of the values of a request; the first is the raw record. */
static void nominate_request(struct matcher *matcher, const struct prepared_group *group)
{
    const struct forms forms = view_everything(matcher->view);

    for (size_t i = 0; i < forms.count; i++)
        if (i == 0 || !is_searched(forms.list[i].text, forms.list[0].text))
            nominator_add(group->nominator, forms.list[i].text, group->marks);
}

static void nominate_record(const struct event *event, const struct prepared_group *group)
{
    const struct slice record = record_of(event);

    nominator_add(group->nominator, record, group->marks);
    for (size_t i = 0; i < event->value_count; i++)
        if (!is_searched(event->values[i].text, record))
            nominator_add(group->nominator, event->values[i].text, group->marks);
}

/* Values are mostly slices of the record, which is searched first. */
static void nominate(struct matcher *matcher, const struct prepared_group *group)
{
    const struct event *event = view_event(matcher->view);

    nominator_start(group->nominator, group->marks);
    if (event->marks & EVENT_REJECTED)
        nominate_rejected(matcher, group);
    else if (view_is_request(matcher->view))
        nominate_request(matcher, group);
    else
        nominate_record(event, group);
    nominator_rules(group->nominator, group->marks, group->rules);
}

static void test_nominated(struct matcher *matcher, const struct prepared_group *group,
                           const struct match_sink *sink)
{
    for (size_t word = 0; 64 * word < group->group.count; word++)
        for (uint64_t bits = group->rules[word]; bits; bits &= bits - 1) {
            const size_t number = 64 * word + (size_t)__builtin_ctzll(bits);
            if (number < group->group.count)
                test_rule(matcher, group->group.rules[number], sink);
        }
}

static const struct prepared_group *group_of(struct matcher *matcher,
                                             const struct log_source *sources)
{
    const struct prepared_group *group =
        find_group(matcher, rule_set_expand(matcher->set, sources));

    if (!group)
        abort(); /* out of memory: the end of a worker is noticed, a rule that was not asked is not
                  */
    return group;
}

/* Searches the record with its escapes decoded, once and twice. False when memory is out. */
static bool search_decoded(struct matcher *matcher, const struct prepared_group *group,
                           struct slice record)
{
    for (int times = 0; times < 2 && percent_find(record, 0) != SIZE_MAX; times++) {
        buffer_clear(&matcher->decoded);
        uint8_t *room = buffer_reserve(&matcher->decoded, record.size);
        if (!room)
            return false;
        record = slice_of(room, percent_decode(record, room));
        nominator_add(group->nominator, record, group->marks);
    }
    return true;
}

/* Whether the part stands where the search through its window found nothing. */
static bool lies_in_gap(const struct next_place *place, struct slice part)
{
    if (!lies_within(part, slice_of(place->window, place->size)))
        return false;
    const size_t start = (size_t)(part.data - place->window);
    return start >= place->from && (place->at == SIZE_MAX || start + part.size <= place->at);
}

/* Whether a listed address or digest stands in the record: mostly the search for the next one in
 * its window has told. */
static bool holds_listed(const struct matcher *matcher, struct slice record)
{
    return !lies_in_gap(&matcher->listed, record) &&
           indicator_next(matcher->indicators, record, 0) != SIZE_MAX;
}

/* The same for one of very many texts. */
static bool holds_text(const struct matcher *matcher, const struct log_source *sources,
                       struct slice record)
{
    const struct indicator_grams *wide =
        indicator_wide(matcher->set->indicators, source_is_requests(sources));

    for (size_t i = 0; wide && i < INDICATOR_GRAM_PASSES; i++)
        if (!lies_in_gap(&matcher->wide[i], record) &&
            indicator_grams_next(wide, i, record, 0) != SIZE_MAX)
            return true;
    return false;
}

bool matcher_could_match(struct matcher *matcher, const struct log_source *sources,
                         struct slice record)
{
    const struct prepared_group *group = group_of(matcher, sources);

    if (!group->nominator ||
        (matcher->indicators &&
         (holds_listed(matcher, record) || holds_text(matcher, group->group.sources, record))))
        return true;
    nominator_start(group->nominator, group->marks);
    nominator_add(group->nominator, record, group->marks);
    return nominator_any(group->nominator, group->marks) ||
           !search_decoded(matcher, group, record) || nominator_any(group->nominator, group->marks);
}

static bool place_known(const struct next_place *place, struct slice window, size_t from)
{
    return from > 0 && place->window == window.data && place->size == window.size &&
           from >= place->from && from <= place->at;
}

static const struct indicator_grams *wide_for(struct matcher *matcher,
                                              const struct prefilter *prefilter)
{
    if (matcher->asked != prefilter) {
        matcher->asked = prefilter;
        matcher->asked_requests = rule_set_is_of_requests(matcher->set, prefilter);
        memset(matcher->wide, 0, sizeof matcher->wide);
    }
    return indicator_wide(matcher->set->indicators, matcher->asked_requests);
}

/* The next of very many texts. */
static size_t next_text(struct matcher *matcher, const struct prefilter *prefilter,
                        struct slice window, size_t from)
{
    const struct indicator_grams *wide = wide_for(matcher, prefilter);
    size_t next = SIZE_MAX;

    for (size_t i = 0; wide && i < INDICATOR_GRAM_PASSES; i++) {
        struct next_place *place = &matcher->wide[i];
        if (!place_known(place, window, from))
            *place = (struct next_place){window.data, window.size, from,
                                         indicator_grams_next(wide, i, window, from)};
        next = place->at < next ? place->at : next;
    }
    return next;
}

size_t matcher_next(struct matcher *matcher, const struct prefilter *prefilter, struct slice window,
                    size_t from)
{
    if (!matcher || !matcher->indicators)
        return prefilter_next(prefilter, window, from);
    if (!place_known(&matcher->literal, window, from))
        matcher->literal = (struct next_place){window.data, window.size, from,
                                               prefilter_next(prefilter, window, from)};
    if (!place_known(&matcher->listed, window, from))
        matcher->listed = (struct next_place){window.data, window.size, from,
                                              indicator_next(matcher->indicators, window, from)};
    const size_t known =
        matcher->literal.at < matcher->listed.at ? matcher->literal.at : matcher->listed.at;
    const size_t wide = next_text(matcher, prefilter, window, from);
    return known < wide ? known : wide;
}

static void tell_indicator(void *context, const struct indicator_hit *found)
{
    const struct match_sink *sink = context;
    const struct hit hit = {.rule = found->rule, .how = found->how, .detail = ""};

    sink->hit(sink->context, &hit);
}

/* No address and no digest goes on at such a byte. */
static bool is_separator(uint8_t c)
{
    return !is_alnum(c) && c != '.' && c != ':';
}

/* Whether the search through the record finds each address and digest of the value. */
static bool stands_alone(struct slice value, struct slice record)
{
    if (!lies_within(value, record))
        return false;
    const size_t start = (size_t)(value.data - record.data), end = start + value.size;
    return (start == 0 || is_separator(record.data[start - 1])) &&
           (end == record.size || is_separator(record.data[end]));
}

/* Whether a listed address or digest could stand in a value: the record is searched, and what it
 * lacks. */
static bool could_hold_listed(const struct matcher *matcher, const struct event *event)
{
    const struct slice record = record_of(event);

    if (indicator_next(matcher->indicators, record, 0) != SIZE_MAX)
        return true;
    for (size_t i = 0; i < event->value_count; i++) {
        const struct value *value = &event->values[i];
        if (!value->alias && !stands_alone(value->text, record) &&
            indicator_next(matcher->indicators, value->text, 0) != SIZE_MAX)
            return true;
    }
    return false;
}

static void ask_lists(struct matcher *matcher, const struct prepared_group *group,
                      const struct event *event, const struct match_sink *sink)
{
    const struct indicator_clues clues = {
        .nominated = group->nominator ? group->rules : NULL,
        .first = group->group.count,
        .count = group->listed,
        .scanned = !group->nominator || could_hold_listed(matcher, event),
    };

    indicator_event(matcher->indicators, event, &clues, tell_indicator, (void *)sink);
}

void matcher_event(struct matcher *matcher, const struct event *event,
                   const struct match_sink *sink)
{
    const struct prepared_group *group = group_of(matcher, event->sources);

    view_set(matcher->view, event);
    if (group->nominator) {
        nominate(matcher, group);
        test_nominated(matcher, group, sink);
    } else {
        for (size_t i = 0; i < group->group.count; i++)
            test_rule(matcher, group->group.rules[i], sink);
    }
    if (matcher->indicators)
        ask_lists(matcher, group, event, sink);
}

size_t matcher_correlated_values(struct matcher *matcher, size_t rule, struct value *values,
                                 size_t room)
{
    const struct rule_entry *entry = matcher->set->entries[rule];
    size_t count = 0;

    for (size_t i = 0; i < entry->wanted_count && count < room; i++) {
        const struct forms forms = view_values(matcher->view, &entry->wanted[i]);
        if (forms.count == 0 || view_is_absent(matcher->view, forms.list[0].text))
            continue;
        values[count++] = (struct value){
            .name = entry->wanted[i].name, .field = FIELD_OTHER, .text = forms.list[0].text};
    }
    return count;
}

static void relay_hit(void *context, size_t rule, const char *detail)
{
    const struct content_relay *relay = context;
    const struct hit hit = {.rule = relay->set->content_entries[rule], .how = "", .detail = detail};

    relay->sink->hit(relay->sink->context, &hit);
}

static void relay_undecided(void *context, size_t rule, const char *why)
{
    const struct content_relay *relay = context;

    relay->sink->undecided(relay->sink->context, relay->set->content_entries[rule], why);
}

static void relay_place(void *context, size_t rule, uint64_t offset, const char *string)
{
    const struct content_relay *relay = context;

    relay->sink->place(relay->sink->context, relay->set->content_entries[rule], offset, string);
}

int matcher_content(struct matcher *matcher, struct slice content, const struct content_file *file,
                    const struct match_sink *sink)
{
    struct content_relay relay = {matcher->set, sink};
    const struct content_sink relays = {&relay, relay_hit, relay_undecided,
                                        sink->place ? relay_place : NULL};

    return matcher->scanner ? content_scan(matcher->scanner, content, file, &relays) : 0;
}
