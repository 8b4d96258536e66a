#include "triage/match/placeholders.h"

#include "triage/base/error.h"

enum { PLACEHOLDERS_MOST = 8 }; /* in one text */

struct expansion {
    struct rule_memory *memory;
    const struct item *item;
    value_compiler *compile;
};

/* A backslash in front that is not itself behind one. */
static bool is_escaped(struct slice text, size_t at)
{
    size_t count = 0;

    while (count < at && text.data[at - 1 - count] == '\\')
        count++;
    return count % 2;
}

/* The first "%name%" of the text: where its first '%' stands and how long it is; false when there
 * is none. */
static bool find_placeholder(struct slice text, size_t *start, struct slice *name)
{
    for (size_t at = 0; (at = slice_find(text, at, '%')) != SIZE_MAX; at++) {
        const size_t end = slice_find(text, at + 1, '%');
        if (end == SIZE_MAX)
            return false;
        const struct slice inside = slice_part(text, at + 1, end - at - 1);
        if (inside.size == 0 || is_escaped(text, at) || slice_find(inside, 0, ' ') != SIZE_MAX)
            continue;
        *start = at;
        *name = slice_part(text, at + 1, end - at - 1);
        return true;
    }
    return false;
}

static const struct expression *expand(const struct expansion *expansion,
                                       const struct yaml_node *value, unsigned depth);

/* The text with one value in the place of the placeholder `name`, which begins at `start`. */
static const struct expression *expand_with(const struct expansion *expansion,
                                            const struct yaml_node *value, size_t start,
                                            struct slice name, const struct yaml_node *with,
                                            unsigned depth)
{
    const struct slice front = slice_part(value->text, 0, start);
    const struct slice behind = slice_from(value->text, start + name.size + 2);
    struct yaml_node whole = *value;

    if (with->type != YAML_TEXT) {
        error_set("line %u: a placeholder's values must be texts", with->line);
        return NULL;
    }
    const char *text =
        arena_format(expansion->memory->arena, "%.*s%.*s%.*s", (int)front.size,
                     (const char *)front.data, (int)with->text.size, (const char *)with->text.data,
                     (int)behind.size, (const char *)behind.data);
    if (!text)
        return NULL;
    whole.text = slice_of_text(text);
    return expand(expansion, &whole, depth + 1);
}

static const struct expression *expand_list(const struct expansion *expansion,
                                            const struct yaml_node *value, size_t start,
                                            struct slice name, const struct yaml_node *values,
                                            unsigned depth)
{
    struct arena *arena = expansion->memory->arena;
    const size_t count = values->type == YAML_LIST ? values->count : 1;
    const struct expression **parts = arena_array(arena, count + 1, sizeof(*parts));

    for (size_t i = 0; parts && i < count; i++)
        if (!(parts[i] = expand_with(expansion, value, start, name,
                                     values->type == YAML_LIST ? values->list[i] : values, depth)))
            return NULL;
    if (count == 0)
        error_set("placeholder '%.*s' has an empty list of values",
                  name.size < 100 ? (int)name.size : 100, (const char *)name.data);
    return parts && count ? expression_at_least(arena, 1, parts, count) : NULL;
}

/* The limit of clauses in a rule bounds the combinations. */
static const struct expression *expand(const struct expansion *expansion,
                                       const struct yaml_node *value, unsigned depth)
{
    struct rule_memory *memory = expansion->memory;
    struct slice name;
    size_t start;

    if (value->type != YAML_TEXT || !find_placeholder(value->text, &start, &name))
        return expansion->compile(memory, expansion->item, value);
    const char *known = arena_text(memory->arena, name);
    const struct yaml_node *values = known ? yaml_get(memory->placeholders, known) : NULL;
    if (!values || depth == PLACEHOLDERS_MOST) {
        error_set(values ? "too many placeholders in a text"
                         : "placeholder '%.100s' has no values (--placeholders FILE gives them)",
                  known ? known : "");
        return NULL;
    }
    return expand_list(expansion, value, start, name, values, depth);
}

const struct expression *placeholders_compile(struct rule_memory *memory, const struct item *item,
                                              const struct yaml_node *value,
                                              value_compiler *compile)
{
    const struct expansion expansion = {memory, item, compile};

    return expand(&expansion, value, 0);
}
