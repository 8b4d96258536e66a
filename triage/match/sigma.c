#include "triage/match/sigma.h"

#include "triage/base/error.h"
#include "triage/match/condition.h"

#include <string.h>
#include <strings.h>

static const char *const no_texts[] = {NULL};

/* A list of texts, or one text, as an array that ends with NULL. */
static const char *const *read_texts(struct arena *arena, const struct yaml_node *node)
{
    size_t count = 0;

    if (!node || node->type == YAML_MAP)
        return no_texts;
    const size_t most = node->type == YAML_LIST ? node->count : 1;
    const char **texts = arena_array(arena, most + 1, sizeof(*texts));
    if (!texts)
        return no_texts;
    for (size_t i = 0; i < most; i++) {
        const struct yaml_node *item = node->type == YAML_LIST ? node->list[i] : node;
        if (item->type == YAML_TEXT && !yaml_is_null(item))
            texts[count++] = (const char *)item->text.data;
    }
    return texts;
}

static const char *text_or(const struct yaml_node *document, const char *key, const char *other)
{
    const char *text = yaml_get_text(document, key);

    return text && *text ? text : other;
}

/* What the rule says of itself; nothing of it decides whether the rule is understood but the level.
 */
static void read_description(struct arena *arena, const struct yaml_node *document,
                             struct rule *rule)
{
    const struct yaml_node *source = yaml_get(document, "logsource");

    rule->language = RULE_SIGMA;
    rule->level = LEVEL_MEDIUM;
    rule->line = document->line;
    rule->title = text_or(document, "title", "");
    rule->id = text_or(document, "id", "");
    rule->name = text_or(document, "name", *rule->id ? rule->id : rule->title);
    rule->author = text_or(document, "author", "");
    rule->description = text_or(document, "description", "");
    rule->confidence = text_or(document, "confidence", NULL);
    rule->tags = read_texts(arena, yaml_get(document, "tags"));
    rule->references = read_texts(arena, yaml_get(document, "references"));
    rule->falsepositives = read_texts(arena, yaml_get(document, "falsepositives"));
    rule->source = (struct log_source){.category = text_or(source, "category", NULL),
                                       .product = text_or(source, "product", NULL),
                                       .service = text_or(source, "service", NULL)};
}

static int read_level(const struct yaml_node *document, struct rule *rule)
{
    const char *level = yaml_get_text(document, "level");

    if (!level || level_from_name(level, &rule->level))
        return 0;
    return error_set("level '%s' is not known", level);
}

static bool has_key_twice(const struct yaml_node *map)
{
    for (size_t i = 0; i < map->count; i++)
        for (size_t j = 0; j < i; j++)
            if (map->map[i].key->type == YAML_TEXT && map->map[j].key->type == YAML_TEXT &&
                slice_equal(map->map[i].key->text, map->map[j].key->text)) {
                error_set("line %u: '%s' stands there twice", map->map[i].key->line,
                          (const char *)map->map[i].key->text.data);
                return true;
            }
    return false;
}

/* A map: all of its items must hold. */
static const struct expression *compile_map(struct rule_memory *memory, const struct yaml_node *map)
{
    const struct expression **parts = arena_array(memory->arena, map->count + 1, sizeof(*parts));

    if (!parts)
        return NULL;
    if (map->count == 0) {
        error_set("line %u: the selection is empty", map->line);
        return NULL;
    }
    if (map->count < 1000 && has_key_twice(map))
        return NULL;
    for (size_t i = 0; i < map->count; i++)
        if (!(parts[i] = item_compile(memory, map->map[i].key, map->map[i].value)))
            return NULL;
    return expression_at_least(memory->arena, map->count, parts, map->count);
}

static const struct expression *compile_entry(struct rule_memory *memory,
                                              const struct yaml_node *entry)
{
    switch (entry->type) {
    case YAML_MAP:
        return compile_map(memory, entry);
    case YAML_TEXT:
        return keyword_compile(memory, entry);
    default:
        error_set("line %u: a list inside of a list", entry->line);
        return NULL;
    }
}

/* A list of maps and keywords: one of them must hold. */
static const struct expression *compile_selection(struct rule_memory *memory,
                                                  const struct yaml_node *node)
{
    if (node->type != YAML_LIST)
        return compile_entry(memory, node);
    const struct expression **parts = arena_array(memory->arena, node->count + 1, sizeof(*parts));
    if (!parts)
        return NULL;
    if (node->count == 0) {
        error_set("line %u: the selection is empty", node->line);
        return NULL;
    }
    for (size_t i = 0; i < node->count; i++)
        if (!(parts[i] = compile_entry(memory, node->list[i])))
            return NULL;
    return expression_at_least(memory->arena, 1, parts, node->count);
}

static bool is_setting(const struct yaml_node *key)
{
    return slice_is(key->text, "condition") || slice_is(key->text, "timeframe");
}

static int compile_selections(struct rule_memory *memory, const struct yaml_node *detection,
                              struct selection *selections, size_t *count)
{
    for (size_t i = 0; i < detection->count; i++) {
        const struct yaml_pair *pair = &detection->map[i];
        if (pair->key->type != YAML_TEXT)
            return error_set("line %u: a selection's name must be a text", pair->key->line);
        if (is_setting(pair->key))
            continue;
        struct selection *selection = &selections[(*count)++];
        selection->name = pair->key->text;
        selection->expression = compile_selection(memory, pair->value);
        if (!selection->expression)
            return error_prefix("selection '%.100s'", (const char *)pair->key->text.data);
    }
    return 0;
}

static const struct expression *compile_condition(struct rule_memory *memory,
                                                  const struct yaml_node *text,
                                                  const struct selection *selections, size_t count)
{
    const struct expression *expression = NULL;

    if (text->type != YAML_TEXT)
        error_set("the condition must be a text");
    else if (condition_parse(memory->arena, text->text, selections, count, &expression) < 0)
        expression = NULL;
    if (!expression)
        error_prefix("line %u", text->line);
    return expression;
}

/* A list of conditions: one of them must hold. */
static const struct expression *compile_conditions(struct rule_memory *memory,
                                                   const struct yaml_node *node,
                                                   const struct selection *selections, size_t count)
{
    if (node->type != YAML_LIST)
        return compile_condition(memory, node, selections, count);
    const struct expression **parts = arena_array(memory->arena, node->count + 1, sizeof(*parts));
    if (!parts)
        return NULL;
    if (node->count == 0) {
        error_set("line %u: the list of conditions is empty", node->line);
        return NULL;
    }
    for (size_t i = 0; i < node->count; i++)
        if (!(parts[i] = compile_condition(memory, node->list[i], selections, count)))
            return NULL;
    return expression_at_least(memory->arena, 1, parts, node->count);
}

/* "selection | count() by field > 5": what stands behind the bar joins the rule's own events. */
static int split_condition(struct rule_memory *memory, const struct yaml_node *detection,
                           const char *name, struct yaml_node *condition, struct sigma *sigma)
{
    const size_t bar =
        condition->type == YAML_TEXT ? slice_find(condition->text, 0, '|') : SIZE_MAX;

    if (bar == SIZE_MAX)
        return yaml_get(detection, "timeframe") && condition->type == YAML_TEXT
                   ? error_set("a timeframe without a condition that counts events")
                   : 0;
    sigma->correlation =
        correlation_from_condition(memory->arena, slice_from(condition->text, bar + 1), name,
                                   yaml_get(detection, "timeframe"));
    condition->text = slice_trim(slice_part(condition->text, 0, bar));
    return sigma->correlation ? 0 : error_prefix("line %u", condition->line);
}

static int compile_detection(struct rule_memory *memory, const struct yaml_node *detection,
                             const char *name, struct sigma *sigma)
{
    const struct yaml_node *condition = yaml_get(detection, "condition");
    size_t count = 0;

    if (!detection || detection->type != YAML_MAP)
        return error_set("there is no detection");
    if (!condition)
        return error_set("line %u: the condition is missing", detection->line);
    struct yaml_node own = *condition;
    struct selection *selections =
        arena_array(memory->arena, detection->count + 1, sizeof *selections);
    if (!selections || compile_selections(memory, detection, selections, &count) < 0 ||
        split_condition(memory, detection, name, &own, sigma) < 0)
        return -1;
    sigma->expression = compile_conditions(memory, &own, selections, count);
    return sigma->expression ? 0 : -1;
}

/* The map without one of its keys; NULL when memory is out. */
static const struct yaml_node *without(struct arena *arena, const struct yaml_node *map,
                                       const char *key)
{
    struct yaml_node *copy = arena_take(arena, sizeof *copy);
    struct yaml_pair *pairs = arena_array(arena, map->count + 1, sizeof *pairs);

    if (!copy || !pairs)
        return NULL;
    *copy = *map;
    copy->map = pairs;
    copy->count = 0;
    for (size_t i = 0; i < map->count; i++)
        if (map->map[i].key->type != YAML_TEXT || !slice_is(map->map[i].key->text, key))
            pairs[copy->count++] = map->map[i];
    return copy;
}

static int compile_filter(struct rule_memory *memory, const struct yaml_node *filter,
                          struct rule *rule, struct sigma *sigma)
{
    const struct yaml_node *rules = yaml_get(filter, "rules");

    rule->kind = RULE_FILTER;
    sigma->filtered = read_texts(memory->arena, rules);
    if (filter->type != YAML_MAP || !*sigma->filtered)
        return error_set("the filter names no rules");
    const struct yaml_node *selections = without(memory->arena, filter, "rules");
    if (!selections || compile_detection(memory, selections, "", sigma) < 0)
        return error_prefix("filter");
    return sigma->correlation ? error_set("a filter cannot count events") : 0;
}

static int compile_correlation(struct rule_memory *memory, const struct yaml_node *correlation,
                               struct rule *rule, struct sigma *sigma)
{
    rule->kind = RULE_CORRELATION;
    sigma->correlation = correlation_compile(memory->arena, correlation);
    return sigma->correlation ? 0 : error_prefix("line %u", correlation->line);
}

static bool says_yes(const char *text)
{
    return text && (strcasecmp(text, "true") == 0 || strcasecmp(text, "yes") == 0);
}

int sigma_compile(struct rule_memory *memory, const struct yaml_node *document, struct rule *rule,
                  struct sigma *sigma)
{
    const struct yaml_node *correlation = yaml_get(document, "correlation");
    const struct yaml_node *filter = yaml_get(document, "filter");

    *sigma = (struct sigma){.examples = yaml_get(document, "examples"),
                            .generate = says_yes(yaml_get_text(document, "generate"))};
    memory->clause_count = 0;
    read_description(memory->arena, document, rule);
    memory->source = &rule->source;
    if (document->type != YAML_MAP)
        return error_set("this is no Sigma rule");
    if (!*rule->title)
        return error_set("the title is missing");
    if (read_level(document, rule) < 0)
        return -1;
    if (correlation)
        return compile_correlation(memory, correlation, rule, sigma);
    if (!rule->source.category && !rule->source.product && !rule->source.service)
        return error_set("the logsource is missing");
    return filter ? compile_filter(memory, filter, rule, sigma)
                  : compile_detection(memory, yaml_get(document, "detection"), rule->name, sigma);
}
