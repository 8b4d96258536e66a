/*
 * STIX patterns ("STIX Version 2.1", part 9): one observation, "[a = 'x' OR (b = 'y' AND c IN
 * ('z'))]", or several joined by OR. What joins observations otherwise, or sets times, asks for
 * more than one record can show and is refused with its word.
 */
#include "triage/match/indicator_reader.h"

#include "triage/base/buffer.h"

enum { DEPTH_MOST = 32, TOKEN_MOST = 4096 };

enum token {
    TOKEN_END,
    TOKEN_WORD,   /* an object path, an operator, a number */
    TOKEN_STRING, /* without quotes and escapes */
    TOKEN_SIGN    /* one of [ ] ( ) , or = != < > <= >= */
};

struct parser {
    struct arena *arena;
    struct slice text;
    size_t at;
    enum token token;
    struct slice value;
    unsigned depth;
    unsigned ignored; /* comparisons of what a disk does not show */
    const char *problem;
};

static void take_string(struct parser *parser)
{
    struct buffer out = BUFFER_EMPTY;

    for (parser->at++; parser->at < parser->text.size && parser->text.data[parser->at] != '\'';
         parser->at++) {
        if (parser->text.data[parser->at] == '\\' && parser->at + 1 < parser->text.size)
            parser->at++;
        buffer_add_byte(&out, parser->text.data[parser->at]);
    }
    if (parser->at >= parser->text.size)
        parser->problem = "a text does not end";
    parser->at++;
    parser->token = TOKEN_STRING;
    parser->value = arena_copy(parser->arena, buffer_slice(&out));
    buffer_release(&out);
}

static bool is_sign(uint8_t c)
{
    return strchr("[](),=<>!", c) != NULL;
}

/* An object path may hold quotes and brackets of its own: file:hashes.'SHA-1',
 * extensions.'http-request-ext'.request_header.'User-Agent', refs[*]. */
static void take_word(struct parser *parser)
{
    const size_t start = parser->at;
    bool quoted = false;

    for (; parser->at < parser->text.size; parser->at++) {
        const uint8_t c = parser->text.data[parser->at];
        if (c == '\'')
            quoted = !quoted;
        else if (!quoted && (c <= ' ' || is_sign(c)))
            break;
    }
    parser->token = TOKEN_WORD;
    parser->value = slice_part(parser->text, start, parser->at - start);
}

static void next(struct parser *parser)
{
    while (parser->at < parser->text.size && parser->text.data[parser->at] <= ' ')
        parser->at++;
    const uint8_t c = parser->at < parser->text.size ? parser->text.data[parser->at] : 0;
    if (c == 0) {
        parser->token = TOKEN_END;
        parser->value = slice_of(NULL, 0);
    } else if (c == '\'') {
        take_string(parser);
    } else if (is_sign(c)) {
        const bool two = strchr("!<>", c) && parser->at + 1 < parser->text.size &&
                         parser->text.data[parser->at + 1] == '=';
        parser->token = TOKEN_SIGN;
        parser->value = slice_part(parser->text, parser->at, two ? 2 : 1);
        parser->at += two ? 2 : 1;
    } else {
        take_word(parser);
    }
}

static bool is(const struct parser *parser, enum token token, const char *text)
{
    return parser->token == token && slice_is_nocase(parser->value, text);
}

static bool fail(struct parser *parser, const char *problem)
{
    if (!parser->problem)
        parser->problem = problem;
    return false;
}

static bool expect(struct parser *parser, const char *sign)
{
    if (!is(parser, TOKEN_SIGN, sign))
        return fail(parser, arena_format(parser->arena, "'%s' is expected", sign));
    next(parser);
    return true;
}

static const struct {
    const char *path;
    int kind;
} paths[] = {
    {"file:hashes.md5", INDICATOR_MD5},
    {"file:hashes.'md5'", INDICATOR_MD5},
    {"file:hashes.sha1", INDICATOR_SHA1},
    {"file:hashes.'sha1'", INDICATOR_SHA1},
    {"file:hashes.'sha-1'", INDICATOR_SHA1},
    {"file:hashes.sha-1", INDICATOR_SHA1},
    {"file:hashes.sha256", INDICATOR_SHA256},
    {"file:hashes.'sha256'", INDICATOR_SHA256},
    {"file:hashes.'sha-256'", INDICATOR_SHA256},
    {"file:hashes.sha-256", INDICATOR_SHA256},
    {"file:name", INDICATOR_FILE_NAME},
    {"file:parent_directory_ref.path", INDICATOR_PATH_REGEX}, /* a folder of the file */
    {"directory:path", INDICATOR_PATH_REGEX},
    {"ipv4-addr:value", INDICATOR_ADDRESS},
    {"ipv6-addr:value", INDICATOR_ADDRESS},
    {"network-traffic:dst_ref.value", INDICATOR_KINDS},
    {"network-traffic:src_ref.value", INDICATOR_KINDS},
    {"domain-name:value", INDICATOR_DOMAIN},
    {"url:value", INDICATOR_URL},
    {"email-addr:value", INDICATOR_EMAIL},
    {"email-message:from_ref.value", INDICATOR_EMAIL},
    {"email-message:sender_ref.value", INDICATOR_EMAIL},
    {"windows-registry-key:key", INDICATOR_REGISTRY_KEY},
    {"process:name", INDICATOR_FILE_NAME},
    {"process:image_ref.name", INDICATOR_FILE_NAME},
    {"process:extensions.'windows-service-ext'.service_name", INDICATOR_SERVICE},
    {"network-traffic:extensions.'http-request-ext'.request_header.'user-agent'",
     INDICATOR_USER_AGENT},
    {"network-traffic:extensions.'http-request-ext'.request_header.user-agent",
     INDICATOR_USER_AGENT},
    {"mutex:name", INDICATOR_IGNORED + 1},
};

static int kind_of_path(struct slice path)
{
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
        if (slice_is_nocase(path, paths[i].path))
            return paths[i].kind;
    return -1;
}

/* LIKE's '%' and '_' as wildcards of paths. */
static struct slice like_text(struct parser *parser, struct slice text)
{
    uint8_t *copy = arena_take(parser->arena, text.size + 1);

    for (size_t i = 0; copy && i < text.size; i++)
        copy[i] = text.data[i] == '%' ? '*' : text.data[i] == '_' ? '?' : text.data[i];
    return slice_of(copy, copy ? text.size : 0);
}

static struct slice folder_regex(struct parser *parser, struct slice folder)
{
    while (folder.size && folder.data[folder.size - 1] == '\\')
        folder.size--;
    const struct slice plain = indicator_text_regex(parser->arena, folder, false, false);
    const char *text =
        arena_format(parser->arena, "%.*s\\\\[^\\\\]+$", (int)plain.size, (const char *)plain.data);

    return slice_of_text(text);
}

static bool is_name(int kind)
{
    return kind == INDICATOR_FILE_NAME || kind == INDICATOR_PATH;
}

/* One value compared by one operator. */
static bool take_value(struct parser *parser, int kind, struct slice operator, struct slice value,
                       struct indicator_terms *out)
{
    struct indicator_leaf *leaf = arena_take(parser->arena, sizeof *leaf);
    struct indicator_terms one, both = *out;
    const bool equal = slice_is(operator, "=") || slice_is_nocase(operator, "IN");

    if (!leaf)
        return fail(parser, "out of memory");
    *leaf = (struct indicator_leaf){(enum indicator_kind)kind, value};
    if (kind > (int)INDICATOR_IGNORED) {
        parser->ignored++;
        return true;
    }
    if (kind == INDICATOR_PATH_REGEX && equal)
        leaf->text = folder_regex(parser, value);
    else if (is_name(kind) && slice_is_nocase(operator, "LIKE"))
        leaf->text = like_text(parser, value);
    else if (is_name(kind) && slice_is_nocase(operator, "MATCHES"))
        leaf->kind = INDICATOR_PATH_REGEX;
    else if (!equal && !(kind == INDICATOR_ADDRESS && slice_is_nocase(operator, "ISSUBSET")))
        return fail(parser, arena_format(parser->arena, "operator %.*s is not understood here",
                                         operator.size < 20 ? (int) operator.size : 20,
                                         (const char *)operator.data));
    if (value.size == 0)
        return fail(parser, "an empty value");
    const char *problem = indicator_terms_leaf(parser->arena, leaf, &one);
    if (!problem)
        problem = indicator_terms_or(parser->arena, both, one, out);
    return problem ? fail(parser, problem) : true;
}

static bool take_values(struct parser *parser, int kind, struct slice operator,
                        struct indicator_terms * out)
{
    const bool list = is(parser, TOKEN_SIGN, "(");

    if (list)
        next(parser);
    for (;;) {
        if (parser->token != TOKEN_STRING)
            return fail(parser, "a text in quotes is expected");
        if (!take_value(parser, kind, operator, parser->value, out))
            return false;
        next(parser);
        if (!list || !is(parser, TOKEN_SIGN, ","))
            break;
        next(parser);
    }
    return !list || expect(parser, ")");
}

static bool take_comparison(struct parser *parser, struct indicator_terms *out)
{
    const struct slice path = parser->value;
    const int kind = kind_of_path(path);

    *out = (struct indicator_terms){NULL, 0};
    if (parser->token != TOKEN_WORD)
        return fail(parser, "an object path is expected");
    if (kind < 0)
        return fail(parser,
                    arena_format(parser->arena, "'%.*s' is not looked for",
                                 path.size < 80 ? (int)path.size : 80, (const char *)path.data));
    next(parser);
    if (is(parser, TOKEN_WORD, "NOT") || is(parser, TOKEN_SIGN, "!="))
        return fail(parser, "what must not be there cannot be looked for");
    const struct slice operator= parser->value;
    if (parser->token != TOKEN_SIGN && parser->token != TOKEN_WORD)
        return fail(parser, "an operator is expected");
    next(parser);
    return take_values(parser, kind, operator, out);
}

static bool take_or(struct parser *parser, struct indicator_terms *out);

static bool take_operand(struct parser *parser, struct indicator_terms *out)
{
    if (!is(parser, TOKEN_SIGN, "("))
        return take_comparison(parser, out);
    if (parser->depth == DEPTH_MOST)
        return fail(parser, "brackets are nested too deep");
    parser->depth++;
    next(parser);
    const bool good = take_or(parser, out) && expect(parser, ")");
    parser->depth--;
    return good;
}

static bool take_and(struct parser *parser, struct indicator_terms *out)
{
    if (!take_operand(parser, out))
        return false;
    while (is(parser, TOKEN_WORD, "AND")) {
        struct indicator_terms other, left = *out;
        next(parser);
        if (!take_operand(parser, &other))
            return false;
        const char *problem = indicator_terms_and(parser->arena, left, other, out);
        if (problem)
            return fail(parser, problem);
    }
    return true;
}

static bool take_or(struct parser *parser, struct indicator_terms *out)
{
    if (!take_and(parser, out))
        return false;
    while (is(parser, TOKEN_WORD, "OR")) {
        struct indicator_terms other, left = *out;
        next(parser);
        if (!take_and(parser, &other))
            return false;
        const char *problem = indicator_terms_or(parser->arena, left, other, out);
        if (problem)
            return fail(parser, problem);
    }
    return true;
}

/* Observations joined by OR, in round brackets or not. */
static bool take_observations(struct parser *parser, struct indicator_terms *out)
{
    *out = (struct indicator_terms){NULL, 0};
    for (;;) {
        struct indicator_terms one, all = *out;
        unsigned opened = 0;
        for (; is(parser, TOKEN_SIGN, "("); opened++)
            next(parser);
        if (!expect(parser, "[") || !take_or(parser, &one) || !expect(parser, "]"))
            return false;
        for (; opened > 0 && is(parser, TOKEN_SIGN, ")"); opened--)
            next(parser);
        const char *problem = indicator_terms_or(parser->arena, all, one, out);
        if (problem)
            return fail(parser, problem);
        if (!is(parser, TOKEN_WORD, "OR"))
            break;
        next(parser);
    }
    if (parser->token == TOKEN_END)
        return true;
    return fail(parser,
                arena_format(parser->arena, "'%.*s' joins or times observations: not supported",
                             parser->value.size < 30 ? (int)parser->value.size : 30,
                             (const char *)parser->value.data));
}

const char *indicator_stix_pattern(struct arena *arena, struct slice pattern,
                                   struct indicator_terms *out, bool *ignored)
{
    struct parser parser = {.arena = arena, .text = pattern};

    next(&parser);
    if (!take_observations(&parser, out) || parser.problem)
        return parser.problem ? parser.problem : "out of memory";
    *ignored = out->count == 0;
    return NULL;
}
