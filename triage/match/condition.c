#include "triage/match/condition.h"

#include "triage/base/error.h"

#include <stdlib.h>

enum { NESTING_LIMIT = 32, PARTS_LIMIT = 4096, JOINED_LIMIT = 1 << 16 };

struct parser {
    struct arena *arena;
    struct slice rest;
    struct slice word; /* the next one; empty at the end */
    const struct selection *selections;
    size_t count;
    unsigned depth;
    size_t joined; /* selections that were looked through for each "of", all together */
};

/* Parts of one "and", "or" or "of", before their number is known. */
struct parts {
    const struct expression **list;
    size_t count;
};

static const struct expression *parse_or(struct parser *parser);

static bool is_blank(uint8_t byte)
{
    return byte == ' ' || (byte >= '\t' && byte <= '\r');
}

static bool stands_alone(uint8_t byte)
{
    return byte == '(' || byte == ')' || byte == '|';
}

static void next_word(struct parser *parser)
{
    struct slice *rest = &parser->rest;
    size_t size = 0;

    while (rest->size && is_blank(rest->data[0]))
        *rest = slice_from(*rest, 1);
    if (rest->size && stands_alone(rest->data[0]))
        size = 1;
    else
        while (size < rest->size && !is_blank(rest->data[size]) && !stands_alone(rest->data[size]))
            size++;
    parser->word = slice_part(*rest, 0, size);
    *rest = slice_from(*rest, size);
}

static bool take(struct parser *parser, const char *word)
{
    if (!slice_is_nocase(parser->word, word))
        return false;
    next_word(parser);
    return true;
}

static const struct expression *fail(const char *format, struct slice word)
{
    error_set(format, (int)word.size, word.size ? (const char *)word.data : "");
    return NULL;
}

/* '*' stands for any text. The names are a rule's own, so short that trying again is cheap. */
static bool name_matches(struct slice pattern, struct slice name)
{
    size_t at = 0, p = 0, star = SIZE_MAX, back = 0;

    while (at < name.size) {
        if (p < pattern.size && pattern.data[p] == '*') {
            star = p++;
            back = at;
        } else if (p < pattern.size && pattern.data[p] == name.data[at]) {
            p++;
            at++;
        } else if (star != SIZE_MAX) {
            p = star + 1;
            at = ++back;
        } else {
            return false;
        }
    }
    while (p < pattern.size && pattern.data[p] == '*')
        p++;
    return p == pattern.size;
}

/* "them" leaves out names that start with '_'; a pattern takes what it matches. */
static bool is_meant(struct slice pattern, struct slice name)
{
    return slice_is_nocase(pattern, "them") ? !slice_starts(name, "_")
                                            : name_matches(pattern, name);
}

static const struct expression *join_selections(struct parser *parser, struct slice quantity,
                                                struct slice pattern)
{
    size_t count = 0;
    uint64_t need = 1;

    if ((parser->joined += parser->count) > JOINED_LIMIT)
        return fail("condition: too many selections behind '%.*s of'", quantity);
    const struct expression **list = arena_array(parser->arena, parser->count + 1, sizeof(*list));
    if (!list)
        return NULL;
    for (size_t i = 0; i < parser->count; i++)
        if (is_meant(pattern, parser->selections[i].name))
            list[count++] = parser->selections[i].expression;
    if (count == 0)
        return fail("condition: no selection is meant by '%.*s'", pattern);
    if (slice_is_nocase(quantity, "all"))
        need = count;
    else if (!slice_is_nocase(quantity, "any") && (!slice_to_u64(quantity, &need) || need == 0))
        return fail("condition: '%.*s of' is not understood", quantity);
    if (need > count)
        return fail("condition: '%.*s of' demands more selections than there are", quantity);
    return expression_at_least(parser->arena, need, list, count);
}

static const struct expression *find_selection(struct parser *parser, struct slice name)
{
    for (size_t i = 0; i < parser->count; i++)
        if (slice_equal(parser->selections[i].name, name))
            return parser->selections[i].expression;
    return fail("condition: there is no selection '%.*s'", name);
}

static bool is_operator(struct slice word)
{
    static const char *const operators[] = {"and", "or", "of", ")", "|"};

    for (size_t i = 0; i < sizeof operators / sizeof *operators; i++)
        if (slice_is_nocase(word, operators[i]))
            return true;
    return word.size == 0;
}

/* A selection's name, or "1 of pattern". */
static const struct expression *parse_name(struct parser *parser)
{
    const struct slice word = parser->word;

    if (is_operator(word))
        return fail("condition: a selection is missing before '%.*s'", word);
    next_word(parser);
    if (!take(parser, "of"))
        return find_selection(parser, word);
    const struct slice pattern = parser->word;
    if (is_operator(pattern) || slice_is(pattern, "("))
        return fail("condition: a name is missing behind '%.*s of'", word);
    next_word(parser);
    return join_selections(parser, word, pattern);
}

static const struct expression *parse_brackets(struct parser *parser)
{
    const struct expression *inside = parse_or(parser);

    if (inside && !take(parser, ")"))
        return fail("condition: a closing bracket is missing%.*s", slice_of(NULL, 0));
    return inside;
}

static const struct expression *parse_not(struct parser *parser)
{
    const struct expression *part = NULL;

    if (++parser->depth > NESTING_LIMIT)
        return fail("condition: nested too deeply%.*s", slice_of(NULL, 0));
    if (take(parser, "not")) {
        part = parse_not(parser);
        part = part ? expression_not(parser->arena, part) : NULL;
    } else {
        part = take(parser, "(") ? parse_brackets(parser) : parse_name(parser);
    }
    parser->depth--;
    return part;
}

static bool parts_add(struct parts *parts, const struct expression *part)
{
    const struct expression **list = parts->count < PARTS_LIMIT
                                         ? realloc(parts->list, (parts->count + 1) * sizeof(*list))
                                         : NULL;

    if (!list) {
        error_set("condition: too many parts");
        return false;
    }
    parts->list = list;
    list[parts->count++] = part;
    return true;
}

/* Parts of one kind with `word` between them; all of them are needed or one. */
static const struct expression *parse_row(struct parser *parser, const char *word, bool all,
                                          const struct expression *(*parse)(struct parser *))
{
    const struct expression *joined = NULL;
    struct parts parts = {0};

    do {
        const struct expression *part = parse(parser);
        if (!part || !parts_add(&parts, part))
            goto out;
    } while (take(parser, word));
    joined = expression_at_least(parser->arena, all ? parts.count : 1, parts.list, parts.count);
out:
    free(parts.list);
    return joined;
}

static const struct expression *parse_and(struct parser *parser)
{
    return parse_row(parser, "and", true, parse_not);
}

static const struct expression *parse_or(struct parser *parser)
{
    return parse_row(parser, "or", false, parse_and);
}

int condition_parse(struct arena *arena, struct slice text, const struct selection *selections,
                    size_t count, const struct expression **out)
{
    struct parser parser = {.arena = arena, .rest = text, .selections = selections, .count = count};

    next_word(&parser);
    const struct expression *expression = parse_or(&parser);
    if (!expression)
        return -1;
    if (slice_is(parser.word, "|"))
        return error_set("needs correlation (the condition counts events)");
    if (parser.word.size)
        return error_set("condition: '%.*s' is not understood", (int)parser.word.size,
                         (const char *)parser.word.data);
    *out = expression;
    return 0;
}
