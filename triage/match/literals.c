#include "triage/match/literals.h"

#include "triage/match/log_model.h"
#include "triage/match/regex_literals.h"

#include <stdio.h>
#include <stdlib.h>

enum { BREAKS_SIZE = 32 };

static const struct literal_set nothing = {NULL, 0, 0};

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
    const struct literal literal = {clause->text};
    uint64_t value;

    if (clause->text.size < LITERAL_SHORTEST || clause->text.data[0] == '0' ||
        !slice_to_u64(clause->text, &value))
        return nothing;
    return make_set(arena, &literal, 1);
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

/* When `need` of `count` parts hold, then one of any count-need+1 parts does: the cheapest ones are
 * taken. */
static struct literal_set parts_set(struct arena *arena, const struct expression *expression)
{
    struct literal_set *sets = arena_array(arena, expression->count + 1, sizeof *sets);
    const size_t wanted = expression->count - expression->need + 1;
    size_t count = 0;

    if (!sets)
        return nothing;
    for (size_t i = 0; i < expression->count; i++) {
        sets[count] = expression_literals(arena, expression->parts[i]);
        count += sets[count].count != 0;
    }
    if (count < wanted)
        return nothing;
    qsort(sets, count, sizeof *sets, by_cost);
    return join_sets(arena, sets, wanted);
}

struct literal_set expression_literals(struct arena *arena, const struct expression *expression)
{
    switch (expression->kind) {
    case EXPRESSION_CLAUSE:
        return clause_set(arena, expression->clause);
    case EXPRESSION_AT_LEAST:
        return parts_set(arena, expression);
    default:
        return nothing;
    }
}
