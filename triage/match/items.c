#include "triage/match/items.h"

#include "triage/base/base64.h"
#include "triage/base/error.h"
#include "triage/base/utf16.h"

#include <stdlib.h>
#include <string.h>

enum { CLAUSE_LIMIT = 100000, TRANSFORM_LIMIT = 8, BASE64_OFFSETS = 3 };

enum transform {
    TRANSFORM_CONTAINS,
    TRANSFORM_STARTS,
    TRANSFORM_ENDS,
    TRANSFORM_WINDASH,
    TRANSFORM_UTF16LE,
    TRANSFORM_UTF16BE,
    TRANSFORM_UTF16,
    TRANSFORM_BASE64,
    TRANSFORM_BASE64OFFSET,
    TRANSFORM_EXPAND,
};

/* What a value is taken for. */
enum value_type { TYPE_TEXT, TYPE_REGEX, TYPE_NETWORK, TYPE_EXISTS, TYPE_FIELD, TYPE_COMPARE };

/* An item's key, read. */
struct item {
    const char *name; /* the field; empty for keywords */
    struct field_use field;
    bool keyword, all, cased, negated;
    enum value_type type;
    enum transform transforms[TRANSFORM_LIMIT];
    size_t transform_count;
    unsigned regex_options;
    enum comparison comparison;
    enum time_part part;
};

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
    if (item->transform_count == TRANSFORM_LIMIT)
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

void rule_memory_release(struct rule_memory *memory)
{
    for (size_t i = 0; i < memory->regex_count; i++)
        regex_free(memory->regexes[i]);
    free(memory->regexes);
    memory->regexes = NULL;
    memory->regex_count = memory->regex_room = 0;
}

static bool keep_regex(struct rule_memory *memory, struct regex *regex)
{
    if (memory->regex_count == memory->regex_room) {
        const size_t room = memory->regex_room ? 2 * memory->regex_room : 64;
        struct regex **list = realloc(memory->regexes, room * sizeof(*list));
        if (!list) {
            error_set("out of memory");
            return false;
        }
        memory->regexes = list;
        memory->regex_room = room;
    }
    memory->regexes[memory->regex_count++] = regex;
    return true;
}

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

/* Chains another name behind those that are there, each once. */
static int add_other(struct rule_memory *memory, struct field_use *first, const char *name)
{
    struct field_use *other = arena_take(memory->arena, sizeof *other);
    struct field_use *last = first;

    if (!other || field_list_use(memory->fields, name, other) < 0)
        return -1;
    for (; last->slot != other->slot && last->other; last = (struct field_use *)last->other)
        ;
    if (last->slot != other->slot)
        last->other = other;
    return 0;
}

int rule_memory_field(struct rule_memory *memory, const char *name, struct field_use *out)
{
    enum { SCOPES = 2 }; /* category and service */
    const char *common = memory->sources ? logsources_common_name(memory->sources, name) : name;

    if (field_list_use(memory->fields, common, out) < 0)
        return -1;
    out->name = name;
    for (unsigned scope = 0; memory->sources && memory->source && scope < SCOPES; scope++) {
        const struct yaml_node *names =
            logsources_other_names(memory->sources, memory->source, common, scope);
        const size_t count = !names ? 0 : names->type == YAML_LIST ? names->count : 1;
        for (size_t i = 0; i < count; i++) {
            const struct yaml_node *other = names->type == YAML_LIST ? names->list[i] : names;
            if (add_other(memory, out, (const char *)other->text.data) < 0)
                return -1;
        }
    }
    return 0;
}

static int item_parse(struct rule_memory *memory, struct slice key, struct item *item)
{
    size_t end = slice_find(key, 0, '|');

    item->name = arena_text(memory->arena, slice_part(key, 0, end));
    if (!item->name)
        return -1;
    while (end != SIZE_MAX) {
        const size_t start = end + 1;
        end = slice_find(key, start, '|');
        const size_t size = (end == SIZE_MAX ? key.size : end) - start;
        if (apply_modifier(item, slice_part(key, start, size)) < 0)
            return -1;
    }
    if (!transforms_fit(item))
        return error_set("these modifiers do not fit together");
    item->keyword = item->name[0] == 0;
    if (item->keyword && item->type != TYPE_TEXT && item->type != TYPE_REGEX)
        return error_set("this modifier needs a field");
    return item->keyword ? 0 : rule_memory_field(memory, item->name, &item->field);
}

static const struct expression *add_clause(struct rule_memory *memory, const struct item *item,
                                           struct clause clause)
{
    struct clause *kept = arena_take(memory->arena, sizeof *kept);

    if (!kept)
        return NULL;
    if (++memory->clause_count > CLAUSE_LIMIT) {
        error_set("too many values");
        return NULL;
    }
    *kept = clause;
    kept->keyword = item->keyword;
    kept->field = item->field;
    kept->cased = item->cased;
    return expression_clause(memory->arena, kept);
}

/* Some patterns need character semantics (\x{2013}, \p{L}) to compile at all. */
static int compile_regex(struct rule_memory *memory, struct slice text, struct clause *clause)
{
    struct regex *regex;

    if (regex_new(text, clause->regex_options, &regex) < 0) {
        if (clause->regex_options & REGEX_UNICODE)
            return -1;
        clause->regex_options |= REGEX_UNICODE;
        return compile_regex(memory, text, clause);
    }
    if (!keep_regex(memory, regex)) {
        regex_free(regex);
        return -1;
    }
    clause->kind = CLAUSE_REGEX;
    clause->regex = regex;
    clause->text = text;
    return 0;
}

static const struct expression *regex_clause(struct rule_memory *memory, const struct item *item,
                                             struct slice text)
{
    struct clause clause = {.regex_options = item->regex_options};

    for (size_t i = 0; i < text.size; i++)
        clause.regex_options |= text.data[i] >= 0x80 ? REGEX_UNICODE : 0;
    if (compile_regex(memory, text, &clause) < 0)
        return NULL;
    return add_clause(memory, item, clause);
}

/* Letters beyond ASCII fold as Unicode says, which PCRE2 knows. */
static bool needs_unicode(struct rule_memory *memory, const struct item *item, struct tokens tokens)
{
    struct slice bytes;

    for (size_t i = 0; i < item->transform_count; i++)
        if (item->transforms[i] >= TRANSFORM_UTF16LE && item->transforms[i] != TRANSFORM_EXPAND)
            return false;
    if (item->cased || tokens_are_ascii(tokens))
        return false;
    return !tokens_bytes(memory->arena, tokens, &bytes) || utf8_valid(bytes);
}

static const struct expression *pattern_clause(struct rule_memory *memory, const struct item *item,
                                               struct tokens tokens)
{
    struct clause clause = {.kind = CLAUSE_PATTERN};
    struct buffer text = BUFFER_EMPTY;
    bool ok = true;

    clause.pattern = pattern_new(memory->arena, tokens, item->cased);
    if (!clause.pattern)
        return NULL;
    if (needs_unicode(memory, item, tokens)) {
        clause.regex_options = REGEX_CASELESS | REGEX_UNICODE;
        tokens_to_regex(tokens, true, &text);
        ok = compile_regex(memory, arena_copy(memory->arena, buffer_slice(&text)), &clause) == 0;
        buffer_release(&text);
    }
    return ok ? add_clause(memory, item, clause) : NULL;
}

/* The next character of valid UTF-8. */
static uint32_t next_point(struct slice bytes, size_t *at)
{
    const size_t size = utf8_sequence(slice_from(bytes, *at));
    uint32_t point = bytes.data[*at] & (size > 1 ? 0x7Fu >> size : 0x7Fu);

    for (size_t i = 1; i < size; i++)
        point = point << 6 | (bytes.data[*at + i] & 0x3F);
    *at += size ? size : 1;
    return point;
}

static size_t put_unit(uint8_t *wide, size_t size, uint32_t unit, bool big_endian)
{
    wide[size + !big_endian] = (uint8_t)(unit >> 8);
    wide[size + big_endian] = (uint8_t)unit;
    return size + 2;
}

/* One unit, or a pair of surrogates; a character takes no more bytes than twice those of UTF-8. */
static size_t put_point(uint8_t *wide, size_t size, uint32_t point, bool big_endian)
{
    if (point < 0x10000)
        return put_unit(wide, size, point, big_endian);
    point -= 0x10000;
    size = put_unit(wide, size, 0xD800 | point >> 10, big_endian);
    return put_unit(wide, size, 0xDC00 | (point & 0x3FF), big_endian);
}

static int encode_utf16(struct rule_memory *memory, enum transform transform, struct tokens in,
                        struct tokens *out)
{
    struct slice bytes;
    const bool mark = transform == TRANSFORM_UTF16;

    if (!tokens_bytes(memory->arena, in, &bytes))
        return error_set("wildcards cannot be encoded");
    if (!utf8_valid(bytes))
        return error_set("only text can be encoded as UTF-16");
    uint8_t *wide = arena_array(memory->arena, bytes.size + 1, 2);
    if (!wide)
        return -1;
    size_t size = 0;
    if (mark) {
        wide[size++] = 0xFF;
        wide[size++] = 0xFE;
    }
    for (size_t at = 0; at < bytes.size;)
        size = put_point(wide, size, next_point(bytes, &at), transform == TRANSFORM_UTF16BE);
    return tokens_plain(memory->arena, slice_of(wide, size), out);
}

static int encode_base64(struct rule_memory *memory, struct tokens in, struct tokens *out)
{
    struct buffer digits = BUFFER_EMPTY;
    struct slice bytes;

    if (!tokens_bytes(memory->arena, in, &bytes))
        return error_set("wildcards cannot be encoded");
    base64_add(&digits, bytes);
    const struct slice kept = buffer_failed(&digits)
                                  ? slice_of(NULL, 0)
                                  : arena_copy(memory->arena, buffer_slice(&digits));
    buffer_release(&digits);
    return kept.data ? tokens_plain(memory->arena, kept, out) : error_set("out of memory");
}

static int transform_tokens(struct rule_memory *memory, enum transform transform,
                            struct tokens *tokens)
{
    const bool before = transform == TRANSFORM_CONTAINS || transform == TRANSFORM_ENDS;
    const bool behind = transform == TRANSFORM_CONTAINS || transform == TRANSFORM_STARTS;

    switch (transform) {
    case TRANSFORM_WINDASH:
        return tokens_windash(memory->arena, *tokens, tokens);
    case TRANSFORM_UTF16LE:
    case TRANSFORM_UTF16BE:
    case TRANSFORM_UTF16:
        return encode_utf16(memory, transform, *tokens, tokens);
    case TRANSFORM_BASE64:
        return encode_base64(memory, *tokens, tokens);
    case TRANSFORM_EXPAND:
        return 0; /* done before the text was read: expand_value() */
    default:
        return tokens_open(memory->arena, *tokens, before, behind, tokens);
    }
}

static const struct expression *text_clause(struct rule_memory *memory, const struct item *item,
                                            struct tokens tokens, size_t next);

/* Three strings, one for each place in a group of three bytes. */
static const struct expression *base64offset_clause(struct rule_memory *memory,
                                                    const struct item *item, struct tokens tokens,
                                                    size_t next)
{
    const struct expression *parts[BASE64_OFFSETS];
    struct slice bytes;

    if (!tokens_bytes(memory->arena, tokens, &bytes)) {
        error_set("wildcards cannot be encoded");
        return NULL;
    }
    for (size_t i = 0; i < BASE64_OFFSETS; i++) {
        const struct slice text = base64_within(memory->arena, bytes, i);
        if (text.size == 0) {
            error_set("the text is too short for base64offset");
            return NULL;
        }
        if (tokens_plain(memory->arena, text, &tokens) < 0 ||
            !(parts[i] = text_clause(memory, item, tokens, next)))
            return NULL;
    }
    return expression_at_least(memory->arena, 1, parts, BASE64_OFFSETS);
}

/* Applies the transforms from `next` on, in their order. */
static const struct expression *text_clause(struct rule_memory *memory, const struct item *item,
                                            struct tokens tokens, size_t next)
{
    for (size_t i = next; i < item->transform_count; i++) {
        if (item->transforms[i] == TRANSFORM_BASE64OFFSET)
            return base64offset_clause(memory, item, tokens, i + 1);
        if (transform_tokens(memory, item->transforms[i], &tokens) < 0)
            return NULL;
    }
    if (item->keyword && tokens_open(memory->arena, tokens, true, true, &tokens) < 0)
        return NULL;
    return pattern_clause(memory, item, tokens);
}

static bool is_number(const struct yaml_node *value, long double *number)
{
    return value->plain && number_parse(value->text, number);
}

static const struct expression *text_value(struct rule_memory *memory, const struct item *item,
                                           const struct yaml_node *value)
{
    struct clause clause = {.kind = CLAUSE_NUMBER, .text = value->text};
    struct tokens tokens;

    if (value->text.size == 0 && (item->keyword || item->transform_count)) {
        error_set("an empty text matches everything");
        return NULL;
    }
    if (value->text.size == 0)
        return add_clause(memory, item, (struct clause){.kind = CLAUSE_EMPTY});
    if (!item->keyword && item->transform_count == 0 && is_number(value, &clause.number))
        return add_clause(memory, item, clause);
    if (tokens_parse(memory->arena, value->text, &tokens) < 0)
        return NULL;
    return text_clause(memory, item, tokens, 0);
}

static const struct expression *network_value(struct rule_memory *memory, const struct item *item,
                                              const struct yaml_node *value)
{
    struct clause clause = {.kind = CLAUSE_NETWORK};

    if (network_parse(value->text, &clause.network))
        return add_clause(memory, item, clause);
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
        return add_clause(memory, item, clause);
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
    return add_clause(memory, item, clause);
}

static const struct expression *compare_value(struct rule_memory *memory, const struct item *item,
                                              const struct yaml_node *value)
{
    struct clause clause = {
        .kind = CLAUSE_COMPARE, .comparison = item->comparison, .part = item->part};

    if (number_parse(value->text, &clause.number))
        return add_clause(memory, item, clause);
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
        return add_clause(memory, item, (struct clause){.kind = CLAUSE_NULL});
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

static const struct expression *expand_value(struct rule_memory *memory, const struct item *item,
                                             const struct yaml_node *value, unsigned depth);

/* The text with one value in the place of the placeholder at `start`. */
static const struct expression *expand_with(struct rule_memory *memory, const struct item *item,
                                            const struct yaml_node *value, size_t start,
                                            size_t size, const struct yaml_node *with,
                                            unsigned depth)
{
    struct yaml_node whole = *value;

    if (with->type != YAML_TEXT) {
        error_set("line %u: a placeholder's values must be texts", with->line);
        return NULL;
    }
    const char *text = arena_format(
        memory->arena, "%.*s%.*s%.*s", (int)start, (const char *)value->text.data,
        (int)with->text.size, (const char *)with->text.data, (int)(value->text.size - start - size),
        (const char *)value->text.data + start + size);
    if (!text)
        return NULL;
    whole.text = slice_of_text(text);
    return expand_value(memory, item, &whole, depth + 1);
}

/* One of the placeholder's values must fit; several placeholders in a text give all of their
 * combinations, which CLAUSE_LIMIT bounds. */
static const struct expression *expand_value(struct rule_memory *memory, const struct item *item,
                                             const struct yaml_node *value, unsigned depth)
{
    enum { PLACEHOLDERS_MOST = 8 };
    struct slice name;
    size_t start;

    if (value->type != YAML_TEXT || !find_placeholder(value->text, &start, &name))
        return known_value(memory, item, value);
    const char *known = arena_text(memory->arena, name);
    const struct yaml_node *values = known ? yaml_get(memory->placeholders, known) : NULL;
    if (!values || depth == PLACEHOLDERS_MOST) {
        error_set(values ? "too many placeholders in a text"
                         : "placeholder '%.100s' has no values (--placeholders FILE gives them)",
                  known ? known : "");
        return NULL;
    }
    const size_t count = values->type == YAML_LIST ? values->count : 1;
    const struct expression **parts = arena_array(memory->arena, count + 1, sizeof(*parts));
    for (size_t i = 0; parts && i < count; i++)
        if (!(parts[i] = expand_with(memory, item, value, start, name.size + 2,
                                     values->type == YAML_LIST ? values->list[i] : values, depth)))
            return NULL;
    if (count == 0)
        error_set("placeholder '%.100s' has an empty list of values", known);
    return parts && count ? expression_at_least(memory->arena, 1, parts, count) : NULL;
}

static bool expands(const struct item *item)
{
    for (size_t i = 0; i < item->transform_count; i++)
        if (item->transforms[i] == TRANSFORM_EXPAND)
            return true;
    return false;
}

static const struct expression *scalar_value(struct rule_memory *memory, const struct item *item,
                                             const struct yaml_node *value)
{
    return expands(item) ? expand_value(memory, item, value, 0) : known_value(memory, item, value);
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
    parts[1] = add_clause(memory, item, clause);
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
    if (item_parse(memory, key->text, &item) == 0)
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
