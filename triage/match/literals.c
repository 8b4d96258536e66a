#include "triage/match/literals.h"

#include "triage/match/ascii.h"
#include "triage/match/log_model.h"
#include "triage/match/regex_literals.h"

#include <stdio.h>
#include <stdlib.h>

enum { BREAKS_SIZE = 32 };

static const struct literal_set nothing = {NULL, 0, 0};
static const struct literal_demands no_demands = {NULL, 0};

/*
 * What a literal costs the program: each place where it stands is a line that is split and matched,
 * which is far dearer than the search; a short literal makes the search a little slower.
 */
static double nomination_cost(struct slice text)
{
    enum { GRAM = 4, LONG_ENOUGH = 6, COST_OF_SHORT = 10 };
    const size_t width = text.size < GRAM ? text.size : GRAM;
    double cost = log_model_frequency(text.data, width);

    for (size_t at = 1; at + width <= text.size; at++) {
        const double frequency = log_model_frequency(text.data + at, width);
        cost = frequency < cost ? frequency : cost;
    }
    return text.size < LONG_ENOUGH ? cost + COST_OF_SHORT * (double)(LONG_ENOUGH - text.size)
                                   : cost;
}

static struct literal_set make_set(struct arena *arena, const struct literal *list, size_t count)
{
    struct literal *copy = count ? arena_array(arena, count, sizeof *copy) : NULL;
    struct literal_set set = {copy, count, 0};

    if (!copy)
        return nothing;
    for (size_t i = 0; i < count; i++) {
        copy[i] = list[i];
        set.cost += nomination_cost(list[i].text);
    }
    return set;
}

/* Bytes that a literal of this clause must not have. K and S fold to letters beyond ASCII too
 * (U+212A, U+017F). */
static void clause_breaks(const struct clause *clause, char breaks[BREAKS_SIZE])
{
    const bool unicode = clause->kind == CLAUSE_REGEX && clause->regex_options & REGEX_UNICODE;
    /* Keywords are searched in path?query too. */
    const enum form_family family = clause->keyword ? FORMS_URI_QUERY : clause->field.family;

    snprintf(breaks, BREAKS_SIZE, "%s%s", form_breaks(family), unicode ? "kKsS" : "");
}

static struct literal_set regex_set(struct arena *arena, const struct clause *clause,
                                    const char *breaks)
{
    const unsigned options = clause->regex_options & REGEX_CASELESS ? REGEX_LITERAL_CASELESS : 0;
    struct literal *list = NULL;
    const size_t count =
        regex_literals(clause->text, options, breaks, LITERAL_SHORTEST, arena, &list);

    return make_set(arena, list, count);
}

/* A whole number stands in the record with its digits, whatever surrounds them. */
static struct literal_set number_set(struct arena *arena, const struct clause *clause)
{
    const struct literal literal = {.text = clause->text};
    uint64_t value;

    if (clause->text.size < LITERAL_SHORTEST || clause->text.data[0] == '0' ||
        !slice_to_u64(clause->text, &value))
        return nothing;
    return make_set(arena, &literal, 1);
}

/* "/owa/" and the like, alone or at the end of a value, stand in front of whatever separates
 * values; amid a longer path a name goes on behind it. */
static bool ends_value(const struct clause *clause, struct slice literal)
{
    return literal.size && !clause->keyword && !is_alnum(literal.data[literal.size - 1]) &&
           pattern_ends_with(clause->pattern, literal);
}

static struct literal_set clause_set(struct arena *arena, const struct clause *clause)
{
    char breaks[BREAKS_SIZE];
    struct literal literal;

    clause_breaks(clause, breaks);
    if (clause->kind == CLAUSE_NUMBER)
        return number_set(arena, clause);
    if (clause->pattern) {
        literal.text = pattern_literal(clause->pattern, breaks, LITERAL_SHORTEST);
        literal.ends = ends_value(clause, literal.text);
        return literal.text.size ? make_set(arena, &literal, 1) : nothing;
    }
    return clause->kind == CLAUSE_REGEX ? regex_set(arena, clause, breaks) : nothing;
}

static int by_cost(const void *a, const void *b)
{
    const struct literal_set *first = a, *second = b;

    return (first->cost > second->cost) - (first->cost < second->cost);
}

static struct literal_set join_sets(struct arena *arena, const struct literal_set *sets,
                                    size_t count)
{
    size_t total = 0;

    for (size_t i = 0; i < count; i++)
        total += sets[i].count;
    struct literal *list = arena_array(arena, total + 1, sizeof *list);
    if (!list)
        return nothing;
    size_t filled = 0;
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < sets[i].count; j++)
            list[filled++] = sets[i].list[j];
    return make_set(arena, list, filled);
}

/* Whole numbers that stand in nearly every record are demanded only where nothing else is: ids of
 * events in their logs, the port and the answers that most requests get. Other answers are rarer
 * than most paths. */
static bool is_weak(const struct literal_set *set)
{
    static const char *const common[] = {"200", "304", "443"};
    enum { STATUS_DIGITS = 3 };
    uint64_t value;

    if (!set->count || !slice_to_u64(set->list[0].text, &value))
        return false;
    for (size_t i = 0; i < sizeof common / sizeof *common; i++)
        if (slice_is(set->list[0].text, common[i]))
            return true;
    return set->list[0].text.size != STATUS_DIGITS;
}

static int by_strength(const void *a, const void *b)
{
    const bool first = is_weak(a), second = is_weak(b);

    return first == second ? by_cost(a, b) : first - second;
}

/* Sorts the sets, each of which must be met, and drops those that say little. */
static struct literal_demands choose_demands(struct literal_set *sets, size_t count)
{
    size_t kept = 0;

    if (count)
        qsort(sets, count, sizeof *sets, by_strength);
    while (kept < count && kept < LITERAL_DEMANDS_MOST && (kept == 0 || !is_weak(&sets[kept])))
        kept++;
    return (struct literal_demands){sets, kept};
}

/* All parts hold: what each of them demands is demanded. */
static struct literal_demands all_parts(struct arena *arena, const struct expression *expression)
{
    struct literal_set *sets =
        arena_array(arena, expression->count * LITERAL_DEMANDS_MOST + 1, sizeof *sets);
    size_t count = 0;

    if (!sets)
        return no_demands;
    for (size_t i = 0; i < expression->count; i++) {
        const struct literal_demands part = expression_demands(arena, expression->parts[i]);
        for (size_t j = 0; j < part.count; j++)
            sets[count++] = part.sets[j];
    }
    return choose_demands(sets, count);
}

/* When `need` of `count` parts hold, then one of any count-need+1 parts does: the cheapest ones are
 * taken. */
static struct literal_demands some_parts(struct arena *arena, const struct expression *expression)
{
    struct literal_set *sets = arena_array(arena, expression->count + 1, sizeof *sets);
    const size_t wanted = expression->count - expression->need + 1;
    size_t count = 0;

    if (!sets)
        return no_demands;
    for (size_t i = 0; i < expression->count; i++) {
        const struct literal_demands part = expression_demands(arena, expression->parts[i]);
        if (part.count)
            sets[count++] = part.sets[0];
    }
    if (count < wanted)
        return no_demands;
    qsort(sets, count, sizeof *sets, by_cost);
    sets[0] = join_sets(arena, sets, wanted);
    return (struct literal_demands){sets, sets[0].count != 0};
}

static struct literal_demands one_demand(struct arena *arena, struct literal_set set)
{
    struct literal_set *copy = set.count ? arena_take(arena, sizeof *copy) : NULL;

    if (!copy)
        return no_demands;
    *copy = set;
    return (struct literal_demands){copy, 1};
}

struct literal_demands expression_demands(struct arena *arena, const struct expression *expression)
{
    switch (expression->kind) {
    case EXPRESSION_CLAUSE:
        return one_demand(arena, clause_set(arena, expression->clause));
    case EXPRESSION_AT_LEAST:
        return expression->need == expression->count ? all_parts(arena, expression)
                                                     : some_parts(arena, expression);
    default:
        return no_demands;
    }
}

struct literal_set demands_first(const struct literal_demands *demands)
{
    return demands->count ? demands->sets[0] : nothing;
}
