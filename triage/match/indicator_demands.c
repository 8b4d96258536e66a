#include "triage/match/indicator_demands.h"

#include "triage/match/regex_literals.h"

enum { LITERAL_LEAST = 3 };

/* One demand: that one of these literals is there. None when they promise nothing. */
static int make_demand(struct arena *arena, const struct literal *list, size_t count,
                       struct literal_demands *out)
{
    struct literal_set *set = arena_take(arena, sizeof *set);

    if (!set)
        return -1;
    *set = (struct literal_set){.list = list, .count = count};
    if (count)
        *out = (struct literal_demands){set, 1};
    return 0;
}

/* What stands in a value that the indicator is found in, whatever its separators are: more than
 * what the prefilter may look for in records, which logs write in more than one way. */
static struct slice text_of(const struct indicator *indicator, struct slice literal)
{
    const struct slice key = indicator->key;
    size_t start = key.size;

    if (indicator->kind == INDICATOR_USER_AGENT || indicator->kind == INDICATOR_POST_URI ||
        indicator->kind == INDICATOR_URL)
        return literal;
    while (start > 0 && key.data[start - 1] != '\\' && key.data[start - 1] != '/')
        start--;
    return key.size - start < LITERAL_LEAST ? literal : slice_from(key, start);
}

static int demand_texts(const struct indicator_table *table, bool requests, struct arena *arena,
                        struct literal_demands *out)
{
    const size_t room = indicator_literal_count(table);
    struct literal *list = arena_array(arena, room + 1, sizeof *list);
    size_t count = 0;

    if (!list)
        return -1;
    for (size_t i = 0; i < room; i++) {
        uint32_t number;
        const struct slice literal = indicator_literal(table, i, &number);
        const struct indicator *indicator = indicator_at(table, number);
        const enum indicator_kind kind = (enum indicator_kind)indicator->kind;
        if (kind != INDICATOR_PATH_REGEX && (!requests || indicator_in_requests(kind)))
            list[count++].text = text_of(indicator, literal);
    }
    return make_demand(arena, list, count, out);
}

static int demand_regex(const struct indicator *indicator, struct arena *arena,
                        struct literal_demands *out)
{
    struct literal *list = NULL;
    const size_t count =
        regex_literals(indicator->key, REGEX_LITERAL_CASELESS, "\"", LITERAL_LEAST, arena, &list);

    return make_demand(arena, list, count, out);
}

struct literal_demands *indicator_demands(const struct indicator_table *table, bool requests,
                                          struct arena *arena, size_t *count)
{
    size_t regexes;
    const uint32_t *numbers = indicator_regexes(table, &regexes);
    struct literal_demands *demands = arena_array(arena, regexes + 1, sizeof *demands);

    *count = 0;
    if (!demands || indicator_literal_count(table) == 0)
        return demands;
    if (requests)
        regexes = 0;
    for (size_t i = 0; i < regexes; i++)
        if (demand_regex(indicator_at(table, numbers[i]), arena, &demands[i]) < 0)
            return NULL;
    if (demand_texts(table, requests, arena, &demands[regexes]) < 0)
        return NULL;
    /* Nothing demanded would mean that every event is one to look at. */
    *count = regexes + (demands[regexes].count || !indicator_wide(table, requests));
    return demands;
}
