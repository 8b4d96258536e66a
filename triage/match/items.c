#include "triage/match/items.h"

#include "triage/base/error.h"
#include "triage/match/item_text.h"
#include "triage/match/placeholders.h"

static const struct expression *regex_clause(struct rule_memory *memory, const struct item *item,
                                             struct slice text)
{
    struct clause clause = {.regex_options = item->regex_options};

    for (size_t i = 0; i < text.size; i++)
        clause.regex_options |= text.data[i] >= 0x80 ? REGEX_UNICODE : 0;
    if (rule_memory_regex(memory, text, &clause) < 0)
        return NULL;
    return item_clause(memory, item, clause);
}

static bool is_number(const struct yaml_node *value, long double *number)
{
    return value->plain && number_parse(value->text, number);
}

static const struct expression *text_value(struct rule_memory *memory, const struct item *item,
                                           const struct yaml_node *value)
{
    struct clause clause = {.kind = CLAUSE_NUMBER, .text = value->text};

    if (value->text.size == 0 && (item->keyword || item->transform_count)) {
        error_set("an empty text matches everything");
        return NULL;
    }
    if (value->text.size == 0)
        return item_clause(memory, item, (struct clause){.kind = CLAUSE_EMPTY});
    if (!item->keyword && item->transform_count == 0 && is_number(value, &clause.number))
        return item_clause(memory, item, clause);
    return item_text_clause(memory, item, value->text);
}

static const struct expression *network_value(struct rule_memory *memory, const struct item *item,
                                              const struct yaml_node *value)
{
    struct clause clause = {.kind = CLAUSE_NETWORK};

    if (network_parse(value->text, &clause.network))
        return item_clause(memory, item, clause);
    error_set("'%s' is no network", (const char *)value->text.data);
    return NULL;
}

static const struct expression *exists_value(struct rule_memory *memory, const struct item *item,
                                             const struct yaml_node *value)
{
    struct clause clause = {.kind = CLAUSE_EXISTS};

    clause.wanted = slice_is_nocase(value->text, "true") || slice_is_nocase(value->text, "yes");
    if (clause.wanted || slice_is_nocase(value->text, "false") ||
        slice_is_nocase(value->text, "no"))
        return item_clause(memory, item, clause);
    error_set("modifier 'exists' needs true or false");
    return NULL;
}

static const struct expression *field_value(struct rule_memory *memory, const struct item *item,
                                            const struct yaml_node *value)
{
    struct clause clause = {.kind = CLAUSE_FIELD};

    for (size_t i = 0; i < item->transform_count; i++)
        clause.relation = item->transforms[i] == TRANSFORM_STARTS ? RELATION_STARTS
                          : item->transforms[i] == TRANSFORM_ENDS ? RELATION_ENDS
                                                                  : RELATION_CONTAINS;
    if (rule_memory_field(memory, (const char *)value->text.data, &clause.other) < 0)
        return NULL;
    return item_clause(memory, item, clause);
}

static const struct expression *compare_value(struct rule_memory *memory, const struct item *item,
                                              const struct yaml_node *value)
{
    struct clause clause = {
        .kind = CLAUSE_COMPARE, .comparison = item->comparison, .part = item->part};

    if (number_parse(value->text, &clause.number))
        return item_clause(memory, item, clause);
    error_set("'%s' is no number", (const char *)value->text.data);
    return NULL;
}

static const struct expression *known_value(struct rule_memory *memory, const struct item *item,
                                            const struct yaml_node *value)
{
    if (value->type != YAML_TEXT) {
        error_set("a value must be a text or a number");
        return NULL;
    }
    if (yaml_is_null(value) &&
        (item->keyword || item->type != TYPE_TEXT || item->transform_count)) {
        error_set("null does not fit here");
        return NULL;
    }
    if (yaml_is_null(value))
        return item_clause(memory, item, (struct clause){.kind = CLAUSE_NULL});
    switch (item->type) {
    case TYPE_REGEX:
        return regex_clause(memory, item, value->text);
    case TYPE_NETWORK:
        return network_value(memory, item, value);
    case TYPE_EXISTS:
        return exists_value(memory, item, value);
    case TYPE_FIELD:
        return field_value(memory, item, value);
    case TYPE_COMPARE:
        return compare_value(memory, item, value);
    default:
        return text_value(memory, item, value);
    }
}

static const struct expression *scalar_value(struct rule_memory *memory, const struct item *item,
                                             const struct yaml_node *value)
{
    return item_transforms(item, TRANSFORM_EXPAND)
               ? placeholders_compile(memory, item, value, known_value)
               : known_value(memory, item, value);
}

static const struct expression *list_value(struct rule_memory *memory, const struct item *item,
                                           const struct yaml_node *list)
{
    const struct expression **parts = arena_array(memory->arena, list->count + 1, sizeof(*parts));

    if (!parts)
        return NULL;
    if (list->count == 0) {
        error_set("the list of values is empty");
        return NULL;
    }
    for (size_t i = 0; i < list->count; i++)
        if (!(parts[i] = scalar_value(memory, item, list->list[i])))
            return NULL;
    return expression_at_least(memory->arena, item->all ? list->count : 1, parts, list->count);
}

/* Differs from all of the values, and is there. */
static const struct expression *negate(struct rule_memory *memory, const struct item *item,
                                       const struct expression *expression)
{
    struct clause clause = {.kind = CLAUSE_EXISTS, .wanted = true};
    const struct expression *parts[2] = {expression_not(memory->arena, expression), NULL};

    if (item->keyword)
        return parts[0];
    parts[1] = item_clause(memory, item, clause);
    return parts[0] && parts[1] ? expression_at_least(memory->arena, 2, parts, 2) : NULL;
}

static const struct expression *compile_values(struct rule_memory *memory, const struct item *item,
                                               const struct yaml_node *value)
{
    const struct expression *expression = value->type == YAML_LIST
                                              ? list_value(memory, item, value)
                                              : scalar_value(memory, item, value);

    return expression && item->negated ? negate(memory, item, expression) : expression;
}

const struct expression *item_compile(struct rule_memory *memory, const struct yaml_node *key,
                                      const struct yaml_node *value)
{
    struct item item = {0};
    const struct expression *expression = NULL;

    if (key->type != YAML_TEXT) {
        error_set("line %u: a field name must be a text", key->line);
        return NULL;
    }
    if (item_read_key(memory, key->text, &item) == 0)
        expression = compile_values(memory, &item, value);
    if (!expression)
        error_prefix("line %u: '%.200s'", key->line, (const char *)key->text.data);
    return expression;
}

const struct expression *keyword_compile(struct rule_memory *memory, const struct yaml_node *value)
{
    const struct item item = {.name = "", .keyword = true};
    const struct expression *expression = scalar_value(memory, &item, value);

    if (!expression)
        error_prefix("line %u: keyword", value->line);
    return expression;
}
