#include "triage/match/item_key.h"

#include "triage/base/error.h"

enum { CLAUSES_MOST = 100000 };

struct modifier {
    const char *name;
    bool (*apply)(struct item *item, int argument);
    int argument;
};

static bool set_type(struct item *item, enum value_type type)
{
    if (item->type != TYPE_TEXT && item->type != type)
        return false;
    item->type = type;
    return true;
}

static bool apply_type(struct item *item, int type)
{
    return set_type(item, (enum value_type)type);
}

static bool apply_transform(struct item *item, int transform)
{
    if (item->transform_count == TRANSFORMS_MOST)
        return false;
    item->transforms[item->transform_count++] = (enum transform)transform;
    return true;
}

static bool apply_comparison(struct item *item, int comparison)
{
    item->comparison = (enum comparison)comparison;
    return set_type(item, TYPE_COMPARE);
}

static bool apply_part(struct item *item, int part)
{
    item->part = (enum time_part)part;
    return set_type(item, TYPE_COMPARE);
}

static bool apply_regex_option(struct item *item, int option)
{
    item->regex_options |= (unsigned)option;
    return item->type == TYPE_REGEX;
}

static bool apply_all(struct item *item, int argument)
{
    (void)argument;
    item->all = true;
    return true;
}

static bool apply_cased(struct item *item, int argument)
{
    (void)argument;
    item->cased = true;
    return true;
}

static bool apply_negation(struct item *item, int argument)
{
    (void)argument;
    item->negated = true;
    return true;
}

static const struct modifier modifiers[] = {
    {"all", apply_all, 0},
    {"cased", apply_cased, 0},
    {"neq", apply_negation, 0},
    {"contains", apply_transform, TRANSFORM_CONTAINS},
    {"startswith", apply_transform, TRANSFORM_STARTS},
    {"endswith", apply_transform, TRANSFORM_ENDS},
    {"windash", apply_transform, TRANSFORM_WINDASH},
    {"wide", apply_transform, TRANSFORM_UTF16LE},
    {"utf16le", apply_transform, TRANSFORM_UTF16LE},
    {"utf16be", apply_transform, TRANSFORM_UTF16BE},
    {"utf16", apply_transform, TRANSFORM_UTF16},
    {"base64", apply_transform, TRANSFORM_BASE64},
    {"base64offset", apply_transform, TRANSFORM_BASE64OFFSET},
    {"expand", apply_transform, TRANSFORM_EXPAND},
    {"re", apply_type, TYPE_REGEX},
    {"i", apply_regex_option, REGEX_CASELESS},
    {"m", apply_regex_option, REGEX_MULTILINE},
    {"s", apply_regex_option, REGEX_DOTALL},
    {"cidr", apply_type, TYPE_NETWORK},
    {"exists", apply_type, TYPE_EXISTS},
    {"fieldref", apply_type, TYPE_FIELD},
    {"lt", apply_comparison, COMPARE_LESS},
    {"lte", apply_comparison, COMPARE_LESS_EQUAL},
    {"gt", apply_comparison, COMPARE_GREATER},
    {"gte", apply_comparison, COMPARE_GREATER_EQUAL},
    {"minute", apply_part, PART_MINUTE},
    {"hour", apply_part, PART_HOUR},
    {"day", apply_part, PART_DAY},
    {"week", apply_part, PART_WEEK},
    {"month", apply_part, PART_MONTH},
    {"year", apply_part, PART_YEAR},
};

static int apply_modifier(struct item *item, struct slice name)
{
    for (size_t i = 0; i < sizeof modifiers / sizeof *modifiers; i++) {
        if (!slice_is_nocase(name, modifiers[i].name))
            continue;
        if (modifiers[i].apply(item, modifiers[i].argument))
            return 0;
        return error_set("modifier '%s' does not fit here", modifiers[i].name);
    }
    return error_set("modifier '%.*s' is not known", (int)name.size, (const char *)name.data);
}

static bool transforms_fit(const struct item *item)
{
    for (size_t i = 0; i < item->transform_count; i++) {
        const enum transform transform = item->transforms[i];
        const bool places = transform == TRANSFORM_STARTS || transform == TRANSFORM_ENDS ||
                            transform == TRANSFORM_CONTAINS;
        const bool expands = transform == TRANSFORM_EXPAND && item->type != TYPE_FIELD;
        if (item->type != TYPE_TEXT && !expands && !(item->type == TYPE_FIELD && places))
            return false;
    }
    return true;
}

bool item_transforms(const struct item *item, enum transform transform)
{
    for (size_t i = 0; i < item->transform_count; i++)
        if (item->transforms[i] == transform)
            return true;
    return false;
}

static int read_modifiers(struct item *item, struct slice rest)
{
    for (;;) {
        const size_t end = slice_find(rest, 0, '|');
        if (apply_modifier(item, slice_part(rest, 0, end)) < 0)
            return -1;
        if (end == SIZE_MAX)
            return 0;
        rest = slice_from(rest, end + 1);
    }
}

int item_read_key(struct rule_memory *memory, struct slice key, struct item *item)
{
    const size_t end = slice_find(key, 0, '|');

    item->name = arena_text(memory->arena, slice_part(key, 0, end));
    if (!item->name || (end != SIZE_MAX && read_modifiers(item, slice_from(key, end + 1)) < 0))
        return -1;
    if (!transforms_fit(item))
        return error_set("these modifiers do not fit together");
    item->keyword = item->name[0] == 0;
    if (item->keyword && item->type != TYPE_TEXT && item->type != TYPE_REGEX)
        return error_set("this modifier needs a field");
    return item->keyword ? 0 : rule_memory_field(memory, item->name, &item->field);
}

const struct expression *item_clause(struct rule_memory *memory, const struct item *item,
                                     struct clause clause)
{
    struct clause *kept = arena_take(memory->arena, sizeof *kept);

    if (!kept)
        return NULL;
    if (++memory->clause_count > CLAUSES_MOST) {
        error_set("too many values");
        return NULL;
    }
    *kept = clause;
    kept->keyword = item->keyword;
    kept->field = item->field;
    kept->cased = item->cased;
    return expression_clause(memory->arena, kept);
}
