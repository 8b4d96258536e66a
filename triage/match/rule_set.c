/* Log sources, groups of rules and their prefilters. */
#include "triage/match/rule_set.h"

#include "triage/base/error.h"

#include <stdlib.h>
#include <string.h>

bool source_is_end(const struct log_source *source)
{
    return !source->category && !source->product && !source->service;
}

static bool member_fits(const char *wanted, const char *given)
{
    return !wanted || (given && slice_is_nocase(slice_of_text(given), wanted));
}

bool source_applies(const struct log_source *rule, const struct log_source *sources)
{
    for (; sources && !source_is_end(sources); sources++)
        if (member_fits(rule->category, sources->category) &&
            member_fits(rule->product, sources->product) &&
            member_fits(rule->service, sources->service))
            return true;
    return false;
}

static bool same_text(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

bool source_lists_equal(const struct log_source *a, const struct log_source *b)
{
    for (;; a++, b++) {
        if (!same_text(a->category, b->category) || !same_text(a->product, b->product) ||
            !same_text(a->service, b->service))
            return false;
        if (source_is_end(a))
            return true;
    }
}

static const struct log_source *copy_sources(struct arena *arena, const struct log_source *sources)
{
    size_t count = 1;

    while (!source_is_end(&sources[count - 1]))
        count++;
    struct log_source *copy = arena_array(arena, count, sizeof *copy);
    if (copy)
        memcpy(copy, sources, count * sizeof *copy);
    return copy;
}

const struct source_map *rule_set_source_map(const struct rule_set *set)
{
    return logsources_map(set->sources);
}

const struct log_source *rule_set_expand(const struct rule_set *set,
                                         const struct log_source *sources)
{
    static const struct log_source none[] = {{NULL, NULL, NULL}};

    if (!sources)
        return none;
    return sources->service == source_map_any->service ? source_map_all(rule_set_source_map(set))
                                                       : sources;
}

static bool is_wanted(const struct rule_entry *entry, const struct log_source *sources)
{
    return entry->rule.kind == RULE_DETECTION && entry->sigma.expression &&
           entry->rule.state == RULE_ACTIVE && source_applies(&entry->rule.source, sources);
}

int rule_group_make(const struct rule_set *set, struct arena *arena,
                    const struct log_source *sources, struct rule_group *out)
{
    size_t *rules = arena_array(arena, set->count + 1, sizeof *rules);
    const struct literal_demands **demands = arena_array(arena, set->count + 1, sizeof(*demands));
    struct rule_group group = {.rules = rules, .demands = demands};

    group.sources = copy_sources(arena, sources);
    if (!rules || !demands || !group.sources)
        return -1;
    for (size_t i = 0; i < set->count; i++) {
        if (!is_wanted(set->entries[i], sources))
            continue;
        rules[group.count] = i;
        demands[group.count++] = &set->entries[i]->demands;
    }
    *out = group;
    return 0;
}

static bool contains(struct slice whole, struct slice part)
{
    return slice_find_nocase(whole, 0, part) != SIZE_MAX;
}

static int by_text(const void *a, const void *b)
{
    const struct slice first = ((const struct literal *)a)->text;
    const struct slice second = ((const struct literal *)b)->text;
    const size_t shared = first.size < second.size ? first.size : second.size;
    const int order = strncasecmp((const char *)first.data, (const char *)second.data, shared);

    return order ? order : (first.size > second.size) - (first.size < second.size);
}

/* Sorts the list and leaves each literal once; gives their count. */
static size_t drop_twins(struct literal *list, size_t count)
{
    size_t kept = 0;

    if (count)
        qsort(list, count, sizeof *list, by_text);
    for (size_t i = 0; i < count; i++)
        if (kept == 0 || !slice_equal_nocase(list[kept - 1].text, list[i].text))
            list[kept++] = list[i];
    return kept;
}

/* Whether another literal of the list, which has no twins, is a part of this one. */
static bool is_needless(const struct literal *list, size_t count, size_t at)
{
    for (size_t i = 0; i < count; i++)
        if (i != at && contains(list[at].text, list[i].text))
            return true;
    return false;
}

/* Copies what must be looked for into `out`; gives its count. Of very many literals all are kept:
 * comparing them costs more. */
static size_t drop_needless(struct literal *list, size_t count, struct literal *out)
{
    enum { COMPARED_MOST = 2000 };
    size_t kept = 0;

    count = drop_twins(list, count);
    for (size_t i = 0; i < count; i++)
        if (count > COMPARED_MOST || !is_needless(list, count, i))
            out[kept++] = list[i];
    return kept;
}

bool source_is_requests(const struct log_source *sources)
{
    for (; !source_is_end(sources); sources++)
        if (sources->category && strcmp(sources->category, "webserver") == 0)
            return true;
    return false;
}

static int make_prefilter(const struct rule_set *set, struct arena *arena,
                          const struct rule_group *group, struct prefilter **out)
{
    size_t room = set->indicators ? indicator_literal_count(set->indicators) : 0, total = 0;
    bool all = false;

    for (size_t i = 0; i < group->count; i++) {
        room += demands_first(group->demands[i]).count;
        all |= group->demands[i]->count == 0;
    }
    struct literal *list = arena_array(arena, room + 1, sizeof *list);
    struct literal *needed = arena_array(arena, room + 1, sizeof *needed);
    if (!list || !needed)
        return -1;
    if (set->indicators)
        indicator_literals(set->indicators, source_is_requests(group->sources), list, &total);
    for (size_t i = 0; i < group->count; i++) {
        const struct literal_set wanted = demands_first(group->demands[i]);
        for (size_t j = 0; j < wanted.count; j++)
            list[total++] = wanted.list[j];
    }
    return prefilter_new(needed, all ? 0 : drop_needless(list, total, needed), all, out);
}

/* NULL when memory is out. */
static const struct prefilter *add_filter(struct rule_set *set, const struct log_source *sources)
{
    struct group_filter filter = {0};
    struct group_filter *list =
        realloc(set->filters, (set->filter_count + 1) * sizeof *set->filters);

    if (!list)
        return NULL;
    set->filters = list;
    if (rule_group_make(set, set->arena, sources, &filter.group) < 0 ||
        make_prefilter(set, set->arena, &filter.group, &filter.prefilter) < 0)
        return NULL;
    list[set->filter_count++] = filter;
    return filter.prefilter;
}

const struct prefilter *rule_set_prefilter(struct rule_set *set, const struct log_source *sources)
{
    const struct prefilter *found = NULL;

    sources = rule_set_expand(set, sources);
    if (set->no_prefilter || !set->compiled)
        return set->all;
    for (size_t i = 0; i < set->filter_count && !found; i++)
        if (source_lists_equal(set->filters[i].group.sources, sources))
            found = set->filters[i].prefilter;
    if (!found)
        found = add_filter(set, sources);
    return found ? found : set->all;
}

bool rule_set_is_of_requests(const struct rule_set *set, const struct prefilter *prefilter)
{
    for (size_t i = 0; i < set->filter_count; i++)
        if (set->filters[i].prefilter == prefilter)
            return source_is_requests(set->filters[i].group.sources);
    return false;
}

void rule_set_disable_prefilter(struct rule_set *set)
{
    set->no_prefilter = true;
}
