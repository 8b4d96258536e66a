/* https://sigmahq.io/sigma-specification/specification/sigma-correlation-rules-specification.html
 */
#include "triage/match/correlation.h"

#include "triage/base/error.h"
#include "triage/match/condition.h"

#include <stdlib.h>
#include <string.h>

static const char *const type_names[] = {"event_count",     "value_count",      "value_sum",
                                         "value_avg",       "value_percentile", "temporal",
                                         "temporal_ordered"};

const char *correlation_type_name(enum correlation_type type)
{
    return type_names[type];
}

static int read_type(const struct yaml_node *node, enum correlation_type *type)
{
    const char *text = yaml_get_text(node, "type");

    for (size_t i = 0; text && i < sizeof type_names / sizeof *type_names; i++)
        if (slice_is_nocase(slice_of_text(text), type_names[i])) {
            *type = (enum correlation_type)i;
            return 0;
        }
    /* Said of its condition's form, which tells itself. */
    if (text && strcmp(text, "temporal_extended") == 0)
        *type = CORRELATION_TEMPORAL;
    else if (text && strcmp(text, "temporal_ordered_extended") == 0)
        *type = CORRELATION_TEMPORAL_ORDERED;
    else
        return text ? error_set("correlation type '%.50s' is not known", text)
                    : error_set("the correlation's type is missing");
    return 0;
}

/* One text or a list of them; an absent node is an empty list. */
static int read_names(struct arena *arena, const struct yaml_node *node, const char *what,
                      size_t most, const char *const **names, size_t *count)
{
    const size_t all = !node ? 0 : node->type == YAML_LIST ? node->count : 1;
    const char **list = arena_array(arena, all + 1, sizeof(*list));

    if (!list)
        return -1;
    if (all > most)
        return error_set("correlation: more than %zu %s", most, what);
    for (size_t i = 0; i < all; i++) {
        const struct yaml_node *item = node->type == YAML_LIST ? node->list[i] : node;
        if (item->type != YAML_TEXT || item->text.size == 0)
            return error_set("correlation: %s must be texts", what);
        list[i] = (const char *)item->text.data;
    }
    *names = list;
    *count = all;
    return 0;
}

/* "90m": a number and its unit. */
static int read_timespan(struct slice text, int64_t *ticks)
{
    static const struct {
        char unit;
        int64_t seconds;
    } units[] = {{'s', 1},      {'m', 60},         {'h', 3600},    {'d', 86400},
                 {'w', 604800}, {'M', 30 * 86400}, {'y', 31536000}};
    uint64_t number;

    text = slice_trim(text);
    if (text.size < 2 || !slice_to_u64(slice_part(text, 0, text.size - 1), &number) ||
        number == 0 || number > 1000000)
        return error_set("timespan '%.*s' is not understood",
                         (int)(text.size < 40 ? text.size : 40), (const char *)text.data);
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (text.data[text.size - 1] == units[i].unit) {
            *ticks = (int64_t)number * units[i].seconds * TICKS_PER_SECOND;
            return 0;
        }
    return error_set("the timespan's unit is none of s m h d w M y");
}

static int add_limit(struct correlation *correlation, struct slice name, struct slice number)
{
    static const struct {
        const char *name;
        struct correlation_limit limit;
    } known[] = {
        {"gt", {COMPARE_GREATER, false, 0}}, {"gte", {COMPARE_GREATER_EQUAL, false, 0}},
        {"lt", {COMPARE_LESS, false, 0}},    {"lte", {COMPARE_LESS_EQUAL, false, 0}},
        {"eq", {COMPARE_EQUAL, false, 0}},   {"neq", {COMPARE_EQUAL, true, 0}},
        {">", {COMPARE_GREATER, false, 0}},  {">=", {COMPARE_GREATER_EQUAL, false, 0}},
        {"<", {COMPARE_LESS, false, 0}},     {"<=", {COMPARE_LESS_EQUAL, false, 0}},
        {"==", {COMPARE_EQUAL, false, 0}},   {"=", {COMPARE_EQUAL, false, 0}},
        {"!=", {COMPARE_EQUAL, true, 0}},
    };

    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (!slice_is(name, known[i].name))
            continue;
        struct correlation_limit limit = known[i].limit;
        if (correlation->limit_count == CORRELATION_LIMITS_MOST ||
            !number_parse(number, &limit.number))
            return error_set("correlation: '%.20s' needs a number", known[i].name);
        correlation->limits[correlation->limit_count++] = limit;
        return 0;
    }
    return error_set("correlation: condition '%.*s' is not known",
                     (int)(name.size < 40 ? name.size : 40), (const char *)name.data);
}

static int read_percentile(const struct yaml_node *value, double *out)
{
    long double number;

    if (value->type != YAML_TEXT || !number_parse(value->text, &number) || number < 0 ||
        number > 100)
        return error_set("correlation: the percentile must be a number from 0 to 100");
    *out = (double)number;
    return 0;
}

static int read_limits(struct arena *arena, const struct yaml_node *map, struct correlation *out)
{
    for (size_t i = 0; i < map->count; i++) {
        const struct yaml_node *key = map->map[i].key, *value = map->map[i].value;
        int result;
        if (key->type != YAML_TEXT)
            return error_set("correlation: the condition is not understood");
        if (slice_is(key->text, "field"))
            result = read_names(arena, value, "fields", CORRELATION_FIELDS_MOST, &out->fields,
                                &out->field_count);
        else if (slice_is(key->text, "percentile"))
            result = read_percentile(value, &out->percentile);
        else if (value->type == YAML_TEXT)
            result = add_limit(out, key->text, value->text);
        else
            result = error_set("correlation: the condition is not understood");
        if (result < 0)
            return -1;
    }
    return 0;
}

/* "a and (b or not c)" over the rules' names: each becomes a clause whose number is its place. */
static int read_presence(struct arena *arena, struct slice text, struct correlation *out)
{
    struct selection *selections = arena_array(arena, out->rule_count + 1, sizeof *selections);

    if (!selections)
        return -1;
    for (size_t i = 0; i < out->rule_count; i++) {
        struct clause *clause = arena_take(arena, sizeof *clause);
        if (!clause)
            return -1;
        clause->kind = CLAUSE_NUMBER;
        clause->number = i;
        selections[i].name = slice_of_text(out->names[i]);
        if (!(selections[i].expression = expression_clause(arena, clause)))
            return -1;
    }
    return condition_parse(arena, text, selections, out->rule_count, &out->presence);
}

static bool is_temporal(const struct correlation *correlation)
{
    return correlation->type >= CORRELATION_TEMPORAL;
}

static bool counts_values(const struct correlation *correlation)
{
    return correlation->type >= CORRELATION_VALUE_COUNT &&
           correlation->type <= CORRELATION_VALUE_PERCENTILE;
}

static int read_condition(struct arena *arena, const struct yaml_node *node,
                          struct correlation *out)
{
    if (!node && is_temporal(out)) { /* all of the rules */
        out->limits[out->limit_count++] =
            (struct correlation_limit){COMPARE_GREATER_EQUAL, false, out->rule_count};
        return 0;
    }
    if (node && node->type == YAML_TEXT && is_temporal(out))
        return read_presence(arena, node->text, out);
    if (!node || node->type != YAML_MAP)
        return error_set("correlation: the condition is missing");
    return read_limits(arena, node, out);
}

/* Only a chain of all rules has an order. */
static int check_order(const struct correlation *correlation)
{
    const uint64_t all =
        correlation->rule_count == 64 ? UINT64_MAX : (UINT64_C(1) << correlation->rule_count) - 1;

    if (correlation->type != CORRELATION_TEMPORAL_ORDERED)
        return 0;
    if (!correlation_present(correlation, all))
        return error_set("correlation: the condition excludes what temporal_ordered asks for");
    for (size_t i = 0; i < correlation->rule_count; i++)
        if (correlation_present(correlation, all & ~(UINT64_C(1) << i)))
            return error_set("correlation: temporal_ordered needs all of its rules: a condition "
                             "with 'or', 'not' or a smaller number has no order");
    return 0;
}

static int check(const struct correlation *correlation)
{
    if (correlation->rule_count == 0)
        return error_set("correlation: the list of rules is missing");
    if (counts_values(correlation) && correlation->field_count == 0)
        return error_set("correlation: %s needs a field in its condition",
                         correlation_type_name(correlation->type));
    if (correlation->type > CORRELATION_VALUE_COUNT && !is_temporal(correlation) &&
        correlation->field_count > 1)
        return error_set("correlation: only value_count takes several fields");
    if (!is_temporal(correlation) && correlation->limit_count == 0)
        return error_set("correlation: the condition has no limit");
    return check_order(correlation);
}

static bool is_true(const struct yaml_node *node)
{
    return node && node->type == YAML_TEXT &&
           (slice_is_nocase(node->text, "true") || slice_is_nocase(node->text, "yes"));
}

static int read_parts(struct arena *arena, const struct yaml_node *node, struct correlation *out)
{
    const struct yaml_node *timespan = yaml_get(node, "timespan");

    if (!timespan)
        timespan = yaml_get(node, "timeframe");
    if (node->type != YAML_MAP)
        return error_set("correlation: a map is expected");
    if (read_type(node, &out->type) < 0 ||
        read_names(arena, yaml_get(node, "rules"), "rules", CORRELATION_RULES_MOST, &out->names,
                   &out->rule_count) < 0 ||
        read_names(arena, yaml_get(node, "group-by"), "group-by fields", CORRELATION_FIELDS_MOST,
                   &out->group_by, &out->group_count) < 0)
        return -1;
    if (!timespan || timespan->type != YAML_TEXT)
        return error_set("correlation: the timespan is missing");
    if (read_timespan(timespan->text, &out->timespan) < 0 ||
        read_condition(arena, yaml_get(node, "condition"), out) < 0)
        return -1;
    out->aliases = yaml_get(node, "aliases");
    out->generate = is_true(yaml_get(node, "generate"));
    return check(out);
}

static struct correlation *new_correlation(struct arena *arena)
{
    struct correlation *correlation = arena_take(arena, sizeof *correlation);

    if (correlation)
        correlation->percentile = 50;
    return correlation;
}

static const struct correlation *with_rules(struct arena *arena, struct correlation *correlation)
{
    correlation->rules =
        arena_array(arena, correlation->rule_count + 1, sizeof *correlation->rules);
    return correlation->rules ? correlation : NULL;
}

const struct correlation *correlation_compile(struct arena *arena, const struct yaml_node *node)
{
    struct correlation *correlation = new_correlation(arena);

    if (!correlation || read_parts(arena, node, correlation) < 0)
        return NULL;
    return with_rules(arena, correlation);
}

/* --- the deprecated form --- */

/* The next word; brackets and comparison signs stand alone. */
static struct slice next_word(struct slice *rest)
{
    size_t size = 0;

    *rest = slice_trim(*rest);
    while (size < rest->size && !strchr(" \t\r\n()<>=!,", rest->data[size]))
        size++;
    if (size == 0)
        while (size < rest->size && size < 2 && strchr("<>=!", rest->data[size]))
            size++;
    if (size == 0 && rest->size)
        size = 1;
    const struct slice word = slice_part(*rest, 0, size);
    *rest = slice_from(*rest, size);
    return word;
}

static int read_function(struct arena *arena, struct slice name, struct slice field,
                         struct correlation *out)
{
    const char **fields = arena_array(arena, 2, sizeof(*fields));

    if (slice_is_nocase(name, "count"))
        out->type = field.size ? CORRELATION_VALUE_COUNT : CORRELATION_EVENT_COUNT;
    else if (slice_is_nocase(name, "sum"))
        out->type = CORRELATION_VALUE_SUM;
    else if (slice_is_nocase(name, "avg"))
        out->type = CORRELATION_VALUE_AVG;
    else
        return error_set("the deprecated '%.*s' has no defined meaning: a correlation rule says it",
                         (int)(name.size < 40 ? name.size : 40), (const char *)name.data);
    if (!fields || (field.size && !(fields[0] = arena_text(arena, field))))
        return -1;
    out->fields = fields;
    out->field_count = field.size != 0;
    return 0;
}

/* Fields behind "by", up to the sign of comparison, which is given back. */
static int read_groups(struct arena *arena, struct slice *rest, struct slice *word,
                       struct correlation *out)
{
    const char **names = arena_array(arena, CORRELATION_FIELDS_MOST + 1, sizeof(*names));

    if (!names)
        return -1;
    out->group_by = names;
    if (!slice_is_nocase(*word, "by"))
        return 0;
    for (*word = next_word(rest); word->size && !strchr("<>=!", word->data[0]);
         *word = next_word(rest)) {
        if (slice_is(*word, ","))
            continue;
        if (out->group_count == CORRELATION_FIELDS_MOST)
            return error_set("condition: too many fields behind 'by'");
        if (!(names[out->group_count++] = arena_text(arena, *word)))
            return -1;
    }
    return 0;
}

static int read_aggregation(struct arena *arena, struct slice text, struct correlation *out)
{
    const struct slice function = next_word(&text);
    struct slice field = slice_of(NULL, 0), word = next_word(&text);

    if (slice_is_nocase(function, "near"))
        return error_set(
            "the deprecated 'near' has no defined meaning: a temporal correlation rule says it");
    if (!slice_is(word, "("))
        return error_set("condition: a bracket is missing behind the counting function");
    word = next_word(&text);
    if (!slice_is(word, ")")) {
        field = word;
        word = next_word(&text);
    }
    if (!slice_is(word, ")"))
        return error_set("condition: the counting function is not understood");
    word = next_word(&text);
    if (read_function(arena, function, field, out) < 0 || read_groups(arena, &text, &word, out) < 0)
        return -1;
    const struct slice number = next_word(&text);
    return slice_trim(text).size ? error_set("condition: what stands behind the count is not "
                                             "understood")
                                 : add_limit(out, word, number);
}

const struct correlation *correlation_from_condition(struct arena *arena, struct slice text,
                                                     const char *name,
                                                     const struct yaml_node *timeframe)
{
    struct correlation *correlation = new_correlation(arena);
    const char **names = arena_array(arena, 2, sizeof(*names));

    if (!correlation || !names)
        return NULL;
    names[0] = name;
    correlation->names = names;
    correlation->rule_count = 1;
    correlation->timespan = INT64_MAX;
    if (timeframe && (timeframe->type != YAML_TEXT ||
                      read_timespan(timeframe->text, &correlation->timespan) < 0))
        return NULL;
    if (read_aggregation(arena, text, correlation) < 0 || check(correlation) < 0)
        return NULL;
    return with_rules(arena, correlation);
}

/* --- use --- */

const char *correlation_field(const struct correlation *correlation, size_t position,
                              const char *id, const char *name, const char *field)
{
    const struct yaml_node *alias = yaml_get(correlation->aliases, field);
    const char *own = yaml_get_text(alias, correlation->names[position]);

    if (!own && *name)
        own = yaml_get_text(alias, name);
    if (!own && *id)
        own = yaml_get_text(alias, id);
    return own ? own : field;
}

static bool compare(long double number, const struct correlation_limit *limit)
{
    switch (limit->comparison) {
    case COMPARE_LESS:
        return number < limit->number;
    case COMPARE_LESS_EQUAL:
        return number <= limit->number;
    case COMPARE_GREATER:
        return number > limit->number;
    case COMPARE_GREATER_EQUAL:
        return number >= limit->number;
    default:
        return (number == limit->number) != limit->unequal;
    }
}

bool correlation_holds(const struct correlation *correlation, long double number)
{
    for (size_t i = 0; i < correlation->limit_count; i++)
        if (!compare(number, &correlation->limits[i]))
            return false;
    return true;
}

/* Bounded by EXPRESSION_DEPTH. */
static bool presence_holds(const struct expression *expression, uint64_t seen)
{
    size_t held = 0;

    if (expression->kind == EXPRESSION_CLAUSE)
        return seen >> (unsigned)expression->clause->number & 1;
    for (size_t i = 0; i < expression->count; i++)
        held += presence_holds(expression->parts[i], seen);
    return expression->kind == EXPRESSION_NOT ? held == 0 : held >= expression->need;
}

bool correlation_present(const struct correlation *correlation, uint64_t seen)
{
    return correlation->presence ? presence_holds(correlation->presence, seen)
                                 : correlation_holds(correlation, __builtin_popcountll(seen));
}
