#include "triage/match/expression.h"

#include "triage/base/error.h"

#include <string.h>

const struct expression *expression_clause(struct arena *arena, const struct clause *clause)
{
    struct expression *expression = arena_take(arena, sizeof *expression);

    if (expression)
        *expression = (struct expression){.kind = EXPRESSION_CLAUSE, .clause = clause};
    return expression;
}

static const struct expression *join(struct arena *arena, enum expression_kind kind, size_t need,
                                     const struct expression *const *parts, size_t count)
{
    struct expression *expression = arena_take(arena, sizeof *expression);
    const struct expression **copy = arena_array(arena, count + 1, sizeof(*copy));

    if (!expression || !copy)
        return NULL;
    *expression =
        (struct expression){.kind = kind, .parts = copy, .count = count, .need = need, .depth = 1};
    for (size_t i = 0; i < count; i++) {
        copy[i] = parts[i];
        if (parts[i]->depth >= expression->depth)
            expression->depth = parts[i]->depth + 1;
    }
    if (expression->depth > EXPRESSION_DEPTH) {
        error_set("the condition is nested too deeply");
        return NULL;
    }
    return expression;
}

const struct expression *expression_at_least(struct arena *arena, size_t need,
                                             const struct expression *const *parts, size_t count)
{
    return count == 1 && need == 1 ? parts[0]
                                   : join(arena, EXPRESSION_AT_LEAST, need, parts, count);
}

const struct expression *expression_not(struct arena *arena, const struct expression *part)
{
    return join(arena, EXPRESSION_NOT, 1, &part, 1);
}

/* "cs-uri-query rule matched the percent-decoded stem", each sentence once. */
static void tell_form(struct buffer *how, const struct clause *clause, const char *form)
{
    const size_t start = how->size;
    const char *name = clause->keyword ? "keyword" : clause->field.name;

    if (start)
        buffer_add_text(how, "; ");
    const size_t sentence = how->size;
    buffer_format(how, "%s rule matched the %s", name, form);
    if (buffer_failed(how))
        return;
    const size_t size = how->size - sentence;
    if (start && memmem(how->data, start, how->data + sentence, size))
        how->size = start;
}

static enum answer test_clause(const struct clause *clause, struct evaluation *evaluation)
{
    struct clause_proof proof;
    const enum answer answer = clause_test(clause, evaluation->view, evaluation->scratch, &proof);

    if (answer == ANSWER_YES && proof.form)
        tell_form(evaluation->how, clause, proof.form);
    if (answer == ANSWER_MAYBE)
        evaluation->why = proof.why;
    return answer;
}

static enum answer test_at_least(const struct expression *expression, struct evaluation *evaluation)
{
    size_t yes = 0, open = expression->count;

    for (size_t i = 0; i < expression->count && yes < expression->need && open >= expression->need;
         i++) {
        const enum answer answer = expression_test(expression->parts[i], evaluation);
        yes += answer == ANSWER_YES;
        open -= answer == ANSWER_NO;
    }
    if (yes >= expression->need)
        return ANSWER_YES;
    return open >= expression->need ? ANSWER_MAYBE : ANSWER_NO;
}

static enum answer test_not(const struct expression *expression, struct evaluation *evaluation)
{
    const size_t told = evaluation->how->size;
    const enum answer answer = expression_test(expression->parts[0], evaluation);

    evaluation->how->size = told;
    return answer == ANSWER_YES ? ANSWER_NO : answer == ANSWER_NO ? ANSWER_YES : ANSWER_MAYBE;
}

/* Bounded by EXPRESSION_DEPTH. What a part told that did not help is taken back. */
enum answer expression_test(const struct expression *expression, struct evaluation *evaluation)
{
    const size_t told = evaluation->how->size;
    enum answer answer;

    switch (expression->kind) {
    case EXPRESSION_CLAUSE:
        return test_clause(expression->clause, evaluation);
    case EXPRESSION_NOT:
        return test_not(expression, evaluation);
    default:
        answer = test_at_least(expression, evaluation);
        if (answer != ANSWER_YES)
            evaluation->how->size = told;
        return answer;
    }
}
