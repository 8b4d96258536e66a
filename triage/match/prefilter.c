#include "triage/match/prefilter.h"

#include <stdlib.h>
#include <string.h>

#include "triage/base/error.h"
#include "triage/match/ascii.h"
#include "triage/match/escape_filter.h"
#include "triage/match/gram_filter.h"
#include "triage/match/log_model.h"
#include "triage/match/percent.h"

enum {
    LITERAL_MIN = 3,
    STRIDE_MIN = 3,  /* a shorter one is not worth it: literals too short for it go the other way */
    SHORT_ONES = 32, /* so many literals are looked for at every byte when that helps the others */
    COMMON = 100,    /* comparisons per megabyte that are too many for one literal */
    STEP_FIRST = 512,
    STEP_LARGEST = 32768, /* stays in the fastest cache while the filters take turns */
    DECODE_ROOM = 16384,
    /* A byte that was encoded twice takes up to nine: every byte of %XX as an escape. */
    DECODE_OVERLAP = 9 * (LITERAL_MAX + 1),
};

/* Measured, in nanoseconds per megabyte: the pass over all at a stride of one, each literal looked
 * for at every byte, and each comparison in vain. */
static const double SCAN_COST = 500000, SHORT_COST = 2000, COMPARE_COST = 20;

struct prefilter {
    bool all;
    uint8_t *texts;           /* of all literals, in lower case */
    struct literal *literals; /* the shortest first */
    size_t count;
    struct gram_filter *short_ones, *long_ones; /* NULL when there are none */
    struct escape_filter *escapes;
};

static int by_size(const void *a, const void *b)
{
    const struct slice x = ((const struct literal *)a)->text, y = ((const struct literal *)b)->text;

    if (x.size != y.size)
        return x.size < y.size ? -1 : 1;
    return memcmp(x.data, y.data, x.size);
}

static bool is_twice(const struct literal *literal, const struct literal *kept)
{
    return slice_equal(literal->text, kept->text);
}

/* Copies the literals in lower case, sorted, each once. */
static int copy_literals(struct prefilter *prefilter, const struct literal *list, size_t count)
{
    size_t room = 0, used = 0, kept = 0;

    for (size_t i = 0; i < count; i++)
        room += list[i].text.size < LITERAL_MAX ? list[i].text.size : LITERAL_MAX;
    prefilter->texts = malloc(room + 1);
    prefilter->literals = calloc(count + 1, sizeof *prefilter->literals);
    if (!prefilter->texts || !prefilter->literals)
        return error_set("out of memory");
    for (size_t i = 0; i < count; i++) {
        const struct slice text = slice_part(list[i].text, 0, LITERAL_MAX);

        for (size_t k = 0; k < text.size; k++)
            prefilter->texts[used + k] = ascii_lower(text.data[k]);
        prefilter->literals[i].text = slice_of(prefilter->texts + used, text.size);
        used += text.size;
    }
    qsort(prefilter->literals, count, sizeof *prefilter->literals, by_size);
    for (size_t i = 0; i < count; i++)
        if (kept == 0 || !is_twice(&prefilter->literals[i], &prefilter->literals[kept - 1]))
            prefilter->literals[kept++] = prefilter->literals[i];
    prefilter->count = kept;
    return 0;
}

static size_t count_below(const struct prefilter *prefilter, size_t size)
{
    size_t count = 0;

    while (count < prefilter->count && prefilter->literals[count].text.size < size)
        count++;
    return count;
}

/* A literal and what it costs more among the long ones than among the short. */
struct costly {
    struct literal literal;
    double cost;
};

static int by_cost(const void *a, const void *b)
{
    const struct costly *x = a, *y = b;

    if (x->cost != y->cost)
        return x->cost > y->cost ? -1 : 1;
    return by_size(&x->literal, &y->literal);
}

/* How the literals are divided: those that are looked for at every byte come first. */
struct plan {
    struct costly *sorted; /* all literals */
    size_t short_count;
    unsigned stride; /* for the others */
    double cost;     /* nanoseconds per megabyte, very roughly */
};

/* Those too short for the stride have to be among the short ones; those made of common parts may,
 * as many as there is room for. */
static int make_plan(const struct prefilter *prefilter, unsigned stride, struct plan *out)
{
    struct plan plan = {.stride = stride, .cost = SCAN_COST / stride};
    const size_t below = count_below(prefilter, stride + 3);

    plan.sorted = calloc(prefilter->count + 1, sizeof *plan.sorted);
    if (!plan.sorted)
        return error_set("out of memory");
    for (size_t i = 0; i < prefilter->count; i++) {
        const struct slice text = prefilter->literals[i].text;

        plan.sorted[i].literal = prefilter->literals[i];
        plan.sorted[i].cost =
            i < below ? 0 : gram_filter_cost(text, stride) - gram_filter_cost(text, 0);
    }
    qsort(plan.sorted + below, prefilter->count - below, sizeof *plan.sorted, by_cost);
    plan.short_count = below;
    while (plan.short_count < prefilter->count && plan.short_count < SHORT_ONES &&
           plan.sorted[plan.short_count].cost > COMMON)
        plan.short_count++;
    for (size_t i = plan.short_count; i < prefilter->count; i++)
        plan.cost += COMPARE_COST * gram_filter_cost(plan.sorted[i].literal.text, stride);
    plan.cost += SHORT_COST * (double)plan.short_count;
    *out = plan;
    return 0;
}

/* Takes the cheapest plan: sorts the literals accordingly. */
static int choose_plan(struct prefilter *prefilter, struct plan *out)
{
    struct plan best = {.sorted = NULL};

    for (unsigned stride = STRIDE_MIN; stride <= GRAM_STRIDE_MAX; stride++) {
        struct plan plan = {.sorted = NULL};

        if (make_plan(prefilter, stride, &plan) < 0) {
            free(best.sorted);
            return -1;
        }
        if (!best.sorted || plan.cost < best.cost) {
            free(best.sorted);
            best = plan;
        } else {
            free(plan.sorted);
        }
    }
    for (size_t i = 0; i < prefilter->count; i++)
        prefilter->literals[i] = best.sorted[i].literal;
    free(best.sorted);
    best.sorted = NULL;
    *out = best;
    return 0;
}

static int build_filters(struct prefilter *prefilter)
{
    struct plan plan = {.sorted = NULL};

    if (choose_plan(prefilter, &plan) < 0)
        return -1;
    const size_t few = plan.short_count;

    if (few > 0 && gram_filter_new(prefilter->literals, few, 1, true, &prefilter->short_ones) < 0)
        return -1;
    if (few < prefilter->count && gram_filter_new(prefilter->literals + few, prefilter->count - few,
                                                  plan.stride, false, &prefilter->long_ones) < 0)
        return -1;
    return escape_filter_new(prefilter->literals, prefilter->count, &prefilter->escapes);
}

int prefilter_new(const struct literal *list, size_t count, bool nominate_all,
                  struct prefilter **out)
{
    struct prefilter *prefilter = calloc(1, sizeof *prefilter);

    if (!prefilter)
        return error_set("out of memory");
    for (size_t i = 0; i < count; i++)
        nominate_all |= list[i].text.size < LITERAL_MIN;
    prefilter->all = nominate_all;
    if (!nominate_all &&
        (copy_literals(prefilter, list, count) < 0 || build_filters(prefilter) < 0)) {
        prefilter_free(prefilter);
        return -1;
    }
    *out = prefilter;
    return 0;
}

void prefilter_free(struct prefilter *prefilter)
{
    if (!prefilter)
        return;
    gram_filter_free(prefilter->short_ones);
    gram_filter_free(prefilter->long_ones);
    escape_filter_free(prefilter->escapes);
    free(prefilter->literals);
    free(prefilter->texts);
    free(prefilter);
}

bool prefilter_nominates_all(const struct prefilter *prefilter)
{
    return prefilter->all;
}

/* Start of the first literal that starts in [from, limit). */
static size_t find_plain(const struct prefilter *prefilter, struct slice window, size_t from,
                         size_t limit)
{
    size_t found = SIZE_MAX;

    if (prefilter->short_ones)
        found = gram_filter_find(prefilter->short_ones, window, from, limit);
    if (prefilter->long_ones) {
        const size_t other =
            gram_filter_find(prefilter->long_ones, window, from, found < limit ? found : limit);

        found = other < found ? other : found;
    }
    return found;
}

/* Whether a literal stands in the line's decoded text, decoded once or twice. A long line is
 * decoded in overlapping parts; what a part starts or ends with may be half an escape, but the next
 * part has it whole. */
static bool decoded_line_holds(const struct prefilter *prefilter, struct slice line)
{
    uint8_t text[DECODE_ROOM];

    for (size_t at = 0; at < line.size; at += DECODE_ROOM - DECODE_OVERLAP) {
        const struct slice part = slice_part(line, at, DECODE_ROOM);
        struct slice decoded = slice_of(text, percent_decode(part, text));

        if (find_plain(prefilter, decoded, 0, decoded.size) != SIZE_MAX)
            return true;
        if (percent_find(decoded, 0) != SIZE_MAX) {
            decoded.size = percent_decode(decoded, text);
            if (find_plain(prefilter, decoded, 0, decoded.size) != SIZE_MAX)
                return true;
        }
        if (part.size < DECODE_ROOM)
            break;
    }
    return false;
}

/* Start of the line that `at` is in, but not before `from`. */
static size_t line_start(struct slice window, size_t from, size_t at)
{
    const uint8_t *end = memrchr(window.data + from, '\n', at - from);

    return end ? (size_t)(end - window.data) + 1 : from;
}

static size_t line_end(struct slice window, size_t at)
{
    const size_t end = slice_find(window, at, '\n');

    return end == SIZE_MAX ? window.size : end;
}

/* A search through a window. */
struct walk {
    const struct prefilter *prefilter;
    struct slice window;
    size_t from;
    size_t decided; /* lines before this place hold no literal when decoded */
};

/* Start of the first line with an escape in [at, until) whose decoded text holds a literal. */
static size_t find_decoded(struct walk *walk, size_t at, size_t until)
{
    for (;;) {
        size_t escape, start;

        at = at > walk->decided ? at : walk->decided;
        escape = escape_filter_next(walk->prefilter->escapes, walk->window, walk->from, at, until);
        if (escape == SIZE_MAX)
            return SIZE_MAX;
        start = line_start(walk->window, walk->from, escape);
        walk->decided = line_end(walk->window, escape);
        if (decoded_line_holds(walk->prefilter,
                               slice_part(walk->window, start, walk->decided - start)))
            return start;
    }
}

/* Goes in steps that grow, so that a find costs little more than the bytes before it. */
size_t prefilter_next(const struct prefilter *prefilter, struct slice window, size_t from)
{
    struct walk walk = {.prefilter = prefilter, .window = window, .from = from, .decided = from};
    size_t step = STEP_FIRST;

    if (from >= window.size)
        return SIZE_MAX;
    if (prefilter->all)
        return from;
    for (size_t at = from; at < window.size; at += step, step *= step < STEP_LARGEST ? 2 : 1) {
        const size_t limit = window.size - at > step ? at + step : window.size;
        const size_t plain = find_plain(prefilter, window, at, limit);
        const size_t decoded = find_decoded(&walk, at, plain < limit ? plain : limit);

        if (decoded != SIZE_MAX)
            return decoded;
        if (plain != SIZE_MAX)
            return plain;
    }
    return SIZE_MAX;
}

double literal_cost(struct slice text)
{
    enum { COST_OF_SHORT = 100, SEEN = 40 };
    const size_t width = text.size < 4 ? text.size : 4;
    double cost = 1e9;

    if (text.size < LITERAL_MIN)
        return cost;
    for (size_t at = 0; at + width <= text.size && at < SEEN; at++) {
        const double frequency = log_model_frequency(text.data + at, width);

        cost = frequency < cost ? frequency : cost;
    }
    return text.size < STRIDE_MIN + 3 ? cost + COST_OF_SHORT * (double)(STRIDE_MIN + 3 - text.size)
                                      : cost;
}
