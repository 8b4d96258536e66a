#include "triage/match/correlation_window.h"

#include "triage/base/error.h"
#include "triage/match/ranked.h"

#include <stdlib.h>
#include <string.h>

enum { HEADS = 1 << 16, NO_NODE = UINT32_MAX };

/* How often a value stands in the window. */
struct distinct {
    uint64_t value;
    uint32_t count, next;
};

/* Where the chain of the first so many rules may begin at the latest. */
struct chain {
    int64_t ticks;
    uint64_t number;
    bool there;
};

struct correlation_window {
    const struct correlation *correlation;
    int (*told)(void *context, const struct correlation_result *result);
    void *context;
    struct correlation_event *ring;        /* of CORRELATION_WINDOW_MOST + 1 */
    uint64_t first, end;                   /* running numbers of the events held: [first, end) */
    uint64_t seen[CORRELATION_RULES_MOST]; /* how many of each rule */
    struct distinct *nodes;                /* value_count */
    uint32_t *heads, free_node;
    size_t distinct;
    /* value_sum, value_avg: of the events [first, split) the sums from each to the split, and the
     * sum of those behind it. Nothing is ever subtracted, so that one huge number leaves no trace.
     */
    long double *to_split, behind;
    uint64_t split;
    struct ranked *ranked; /* value_percentile */
    struct chain chains[CORRELATION_RULES_MOST];
    bool cut;
    bool open; /* result is at work: windows may still join it */
    struct correlation_result result;
    uint64_t told_end; /* running number behind the last event of the result */
};

static struct correlation_event *event_at(struct correlation_window *window, uint64_t number)
{
    return &window->ring[number % (CORRELATION_WINDOW_MOST + 1)];
}

static size_t held(const struct correlation_window *window)
{
    return (size_t)(window->end - window->first);
}

/* --- what is kept of the events held --- */

static void free_all_nodes(struct correlation_window *window)
{
    for (size_t i = 0; i < HEADS; i++)
        window->heads[i] = NO_NODE;
    for (uint32_t i = 0; i <= CORRELATION_WINDOW_MOST; i++)
        window->nodes[i].next = i < CORRELATION_WINDOW_MOST ? i + 1 : NO_NODE;
    window->free_node = 0;
    window->distinct = 0;
}

/* The link that leads to the value's node, or to the end of its list. */
static uint32_t *find_value(struct correlation_window *window, uint64_t value)
{
    uint32_t *link = &window->heads[value % HEADS];

    while (*link != NO_NODE && window->nodes[*link].value != value)
        link = &window->nodes[*link].next;
    return link;
}

static void add_value(struct correlation_window *window, uint64_t value)
{
    uint32_t *link = find_value(window, value);

    if (*link == NO_NODE) {
        const uint32_t node = window->free_node;
        window->free_node = window->nodes[node].next;
        window->nodes[node] = (struct distinct){value, 0, NO_NODE};
        *link = node;
        window->distinct++;
    }
    window->nodes[*link].count++;
}

static void drop_value(struct correlation_window *window, uint64_t value)
{
    uint32_t *link = find_value(window, value);
    const uint32_t node = *link;

    if (node == NO_NODE || --window->nodes[node].count > 0)
        return;
    *link = window->nodes[node].next;
    window->nodes[node].next = window->free_node;
    window->free_node = node;
    window->distinct--;
}

static long double *to_split_at(struct correlation_window *window, uint64_t number)
{
    return &window->to_split[number % (CORRELATION_WINDOW_MOST + 1)];
}

/* The split goes to the end: each event is summed up once more, at most, in its life. */
static void move_split(struct correlation_window *window)
{
    long double sum = 0;

    for (uint64_t i = window->end; i-- > window->first;) {
        sum += event_at(window, i)->number;
        *to_split_at(window, i) = sum;
    }
    window->split = window->end;
    window->behind = 0;
}

static long double sum_of(struct correlation_window *window)
{
    return window->first < window->split ? *to_split_at(window, window->first) + window->behind
                                         : window->behind;
}

static void count_rules(struct correlation_window *window, uint64_t positions, bool more)
{
    for (uint64_t bits = positions; bits; bits &= bits - 1)
        window->seen[__builtin_ctzll(bits)] += more ? 1 : UINT64_MAX;
}

static void push(struct correlation_window *window, const struct correlation_event *event)
{
    *event_at(window, window->end) = *event;
    count_rules(window, event->positions, true);
    if (window->nodes)
        add_value(window, event->value);
    if (window->ranked)
        ranked_add(window->ranked, event->number);
    window->behind += event->number;
    window->end++;
}

static void pop(struct correlation_window *window)
{
    const struct correlation_event *event = event_at(window, window->first);

    count_rules(window, event->positions, false);
    if (window->nodes)
        drop_value(window, event->value);
    if (window->ranked)
        ranked_drop(window->ranked, event->number);
    if (window->to_split && window->first >= window->split)
        move_split(window);
    window->first++;
    if (held(window) == 0)
        window->behind = 0;
}

/* --- results --- */

static int tell(struct correlation_window *window)
{
    if (!window->open)
        return 0;
    window->open = false;
    return window->told(window->context, &window->result);
}

static bool asks_for_less(const struct correlation *correlation)
{
    for (size_t i = 0; i < correlation->limit_count; i++)
        if (correlation->limits[i].comparison == COMPARE_GREATER ||
            correlation->limits[i].comparison == COMPARE_GREATER_EQUAL)
            return false;
    return true;
}

static void keep_value(struct correlation_window *window, long double value)
{
    struct correlation_result *result = &window->result;
    const bool less = asks_for_less(window->correlation);

    if (less ? value < result->value : value > result->value)
        result->value = value;
}

static void take_event(struct correlation_window *window, uint64_t number)
{
    const struct correlation_event *event = event_at(window, number);
    struct correlation_result *result = &window->result;

    if (result->row_count < CORRELATION_ROWS_MOST)
        result->rows[result->row_count++] = event->row;
    result->last_row = event->row;
    result->last = event->ticks;
    result->events++;
}

/* The events from `from` on, up to `to`, are what the rule asks for. */
static int take_window(struct correlation_window *window, uint64_t from, uint64_t to,
                       long double value)
{
    if (window->open && from >= window->told_end && tell(window) < 0)
        return -1;
    if (!window->open) {
        window->result =
            (struct correlation_result){.first = event_at(window, from)->ticks, .value = value};
        window->open = true;
        window->told_end = from;
    }
    for (uint64_t i = window->told_end; i < to; i++)
        take_event(window, i);
    window->told_end = to;
    keep_value(window, value);
    window->result.cut |= window->cut;
    return 0;
}

static uint64_t seen_rules(const struct correlation_window *window)
{
    uint64_t seen = 0;

    for (size_t i = 0; i < window->correlation->rule_count; i++)
        seen |= (uint64_t)(window->seen[i] > 0) << i;
    return seen;
}

/* Nearest rank. */
static long double percentile(const struct correlation_window *window)
{
    const size_t count = held(window);
    const double exact = window->correlation->percentile / 100 * (double)count;
    const size_t rank = (size_t)exact + ((double)(size_t)exact < exact);

    return ranked_at(window->ranked, rank < 1 ? 0 : rank > count ? count - 1 : rank - 1);
}

static long double measure(struct correlation_window *window)
{
    switch (window->correlation->type) {
    case CORRELATION_VALUE_COUNT:
        return window->distinct;
    case CORRELATION_VALUE_SUM:
        return sum_of(window);
    case CORRELATION_VALUE_AVG:
        return sum_of(window) / (long double)held(window);
    case CORRELATION_VALUE_PERCENTILE:
        return percentile(window);
    case CORRELATION_TEMPORAL:
        return __builtin_popcountll(seen_rules(window));
    default:
        return held(window);
    }
}

/* The window is as large as it gets. */
static int judge(struct correlation_window *window)
{
    const struct correlation *correlation = window->correlation;

    if (held(window) == 0 || correlation->type == CORRELATION_TEMPORAL_ORDERED)
        return 0;
    const long double value = measure(window);
    const bool holds = correlation->type == CORRELATION_TEMPORAL
                           ? correlation_present(correlation, seen_rules(window))
                           : correlation_holds(correlation, value);
    return holds ? take_window(window, window->first, window->end, value) : 0;
}

static bool is_within(const struct correlation_window *window, int64_t from, int64_t to)
{
    return (uint64_t)to - (uint64_t)from <= (uint64_t)window->correlation->timespan;
}

/* Longest chains first, so that one event is no two steps of a chain. */
static int follow_chains(struct correlation_window *window)
{
    const uint64_t number = window->end - 1;
    const struct correlation_event *event = event_at(window, number);
    const size_t last = window->correlation->rule_count - 1;
    int result = 0;

    for (size_t i = last + 1; i-- > 0;) {
        if (!(event->positions >> i & 1) || (i > 0 && !window->chains[i - 1].there))
            continue;
        window->chains[i] =
            i > 0 ? window->chains[i - 1] : (struct chain){event->ticks, number, true};
        const struct chain *chain = &window->chains[i];
        if (i == last && chain->number >= window->first &&
            is_within(window, chain->ticks, event->ticks))
            result =
                take_window(window, chain->number, window->end, window->correlation->rule_count);
    }
    return result;
}

static int make_room(struct correlation_window *window, int64_t ticks)
{
    const bool full = held(window) == CORRELATION_WINDOW_MOST;
    const bool old =
        held(window) && !is_within(window, event_at(window, window->first)->ticks, ticks);

    if (!full && !old)
        return 0;
    if (full && !old)
        window->cut = true;
    if (judge(window) < 0)
        return -1;
    if (full)
        pop(window);
    while (held(window) && !is_within(window, event_at(window, window->first)->ticks, ticks))
        pop(window);
    if (!full)
        window->cut = false;
    return 0;
}

int correlation_window_add(struct correlation_window *window, const struct correlation_event *event)
{
    if (make_room(window, event->ticks) < 0)
        return -1;
    push(window, event);
    return window->correlation->type == CORRELATION_TEMPORAL_ORDERED ? follow_chains(window) : 0;
}

int correlation_window_end(struct correlation_window *window)
{
    const int result = judge(window) < 0 || tell(window) < 0 ? -1 : 0;

    while (held(window))
        pop(window);
    memset(window->chains, 0, sizeof window->chains);
    window->open = window->cut = false;
    return result;
}

void correlation_window_free(struct correlation_window *window)
{
    if (!window)
        return;
    free(window->ring);
    free(window->nodes);
    free(window->heads);
    free(window->to_split);
    ranked_free(window->ranked);
    free(window);
}

static bool sums_up(const struct correlation *correlation)
{
    return correlation->type == CORRELATION_VALUE_SUM || correlation->type == CORRELATION_VALUE_AVG;
}

int correlation_window_new(const struct correlation *correlation,
                           int (*told)(void *context, const struct correlation_result *result),
                           void *context, struct correlation_window **out)
{
    struct correlation_window *window = calloc(1, sizeof *window);
    const size_t room = CORRELATION_WINDOW_MOST + 1;

    if (!window)
        return error_set("out of memory");
    window->correlation = correlation;
    window->told = told;
    window->context = context;
    window->ring = calloc(room, sizeof *window->ring);
    if (correlation->type == CORRELATION_VALUE_COUNT) {
        window->nodes = calloc(room, sizeof *window->nodes);
        window->heads = calloc(HEADS, sizeof *window->heads);
    }
    if (correlation->type == CORRELATION_VALUE_PERCENTILE)
        window->ranked = ranked_new(room);
    if (sums_up(correlation))
        window->to_split = calloc(room, sizeof *window->to_split);
    const bool lacks =
        !window->ring ||
        (correlation->type == CORRELATION_VALUE_COUNT && (!window->nodes || !window->heads)) ||
        (correlation->type == CORRELATION_VALUE_PERCENTILE && !window->ranked) ||
        (sums_up(correlation) && !window->to_split);
    if (lacks) {
        correlation_window_free(window);
        return error_set("out of memory");
    }
    if (window->nodes)
        free_all_nodes(window);
    *out = window;
    return 0;
}
