#include "triage/match/indicator_texts.h"

#include "triage/base/error.h"
#include "triage/match/regex_literals.h"

#include <stdlib.h>

enum {
    LITERAL_LEAST = 3,
    LITERALS_FEW = 5000, /* more would slow the prefilter down for everybody */
};

void indicator_texts_release(struct indicator_texts *texts)
{
    free(texts->list);
    for (int i = 0; i < 2; i++) {
        indicator_grams_free(texts->wide[i]);
        free(texts->wide_lists[i]);
    }
}

/* --- adding --- */

/* Bytes that logs write in more than one way. */
static bool breaks_literal(uint8_t c)
{
    return c <= ' ' || c >= 0x7F || strchr("\\/+%\"'<>&?=", c);
}

static struct slice rarest_run(struct slice text)
{
    struct slice best = {0};
    double least = 1e300;

    for (size_t at = 0; at < text.size;) {
        size_t end = at;
        while (end < text.size && !breaks_literal(text.data[end]))
            end++;
        const struct slice run = slice_part(text, at, end - at);
        const double cost = run.size < LITERAL_LEAST ? 1e300 : literal_cost(run);
        if (cost < least)
            best = run;
        least = cost < least ? cost : least;
        at = end + 1;
    }
    return best;
}

static const char *add_literal(struct indicator_texts *texts, struct text_literal literal)
{
    if (literal.text.size < LITERAL_LEAST)
        return "too short to be looked for";
    if (texts->count == texts->room) {
        const size_t room = texts->room ? 2 * texts->room : 256;
        struct text_literal *larger = realloc(texts->list, room * sizeof *larger);
        if (!larger)
            return "out of memory";
        texts->list = larger;
        texts->room = room;
    }
    texts->list[texts->count++] = literal;
    return NULL;
}

/* User agents are made of what all of them have: the whole is looked for, as CSV logs write it and
 * as IIS does. */
static const char *add_agent(struct indicator_texts *texts, struct slice key, uint32_t number)
{
    uint8_t *plus = arena_take(texts->arena, key.size + 1);
    struct text_literal literal = {key, INDICATOR_USER_AGENT, number};

    if (!plus)
        return "out of memory";
    for (size_t i = 0; i < key.size; i++)
        plus[i] = key.data[i] == ' ' ? '+' : key.data[i];
    const char *problem = add_literal(texts, literal);
    literal.text = slice_of(plus, key.size);
    return problem ? problem : add_literal(texts, literal);
}

const char *indicator_texts_add(struct indicator_texts *texts, enum indicator_kind kind,
                                struct slice key, uint32_t number)
{
    return kind == INDICATOR_USER_AGENT
               ? add_agent(texts, key, number)
               : add_literal(texts, (struct text_literal){rarest_run(key), kind, number});
}

const char *indicator_texts_add_regex(struct indicator_texts *texts, struct slice pattern,
                                      uint32_t number)
{
    struct literal *list;
    const size_t count = regex_literals(pattern, REGEX_LITERAL_CASELESS,
                                        "\\/+%\"'<>&?= ", LITERAL_LEAST, texts->arena, &list);
    const char *problem =
        count ? NULL : "the expression has no fixed text that could be looked for";

    for (size_t i = 0; i < count && !problem; i++)
        problem =
            add_literal(texts, (struct text_literal){list[i].text, INDICATOR_PATH_REGEX, number});
    return problem;
}

/* --- dividing --- */

bool text_literal_counts(const struct text_literal *literal, bool requests)
{
    return !requests || indicator_in_requests(literal->kind);
}

/* Brings the literals that the prefilter is to look for to the front; gives their count. Those
 * without a dot are among them as long as they are few, for a pass of their own costs more. */
static size_t put_narrow_first(struct indicator_texts *texts)
{
    size_t first = 0, plain = 0;

    for (size_t i = 0; i < texts->count; i++)
        plain += !indicator_grams_cheap(texts->list[i].text);
    for (size_t i = 0; i < texts->count; i++) {
        const struct text_literal literal = texts->list[i];
        if (literal.kind != INDICATOR_PATH_REGEX &&
            (plain > LITERALS_FEW || indicator_grams_cheap(literal.text)))
            continue;
        texts->list[i] = texts->list[first];
        texts->list[first++] = literal;
    }
    return first;
}

static int make_wide(struct indicator_texts *texts, size_t first, bool requests)
{
    struct literal *list = calloc(texts->count - first + 1, sizeof *list);
    size_t count = 0;

    if (!list)
        return error_set("out of memory");
    texts->wide_lists[requests] = list;
    for (size_t i = first; i < texts->count; i++)
        if (text_literal_counts(&texts->list[i], requests))
            list[count++].text = texts->list[i].text;
    return indicator_grams_new(list, count, &texts->wide[requests]);
}

/* Of very many literals the prefilter is left a few. */
int indicator_texts_divide(struct indicator_texts *texts)
{
    if (texts->count <= LITERALS_FEW)
        return 0;
    const size_t narrow = put_narrow_first(texts);
    if (make_wide(texts, narrow, false) < 0 || make_wide(texts, narrow, true) < 0)
        return -1;
    texts->count = narrow;
    return 0;
}
