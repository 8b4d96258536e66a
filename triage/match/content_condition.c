#include "triage/match/content_condition.h"

#include "triage/match/content_literals.h"

#include <string.h>

enum { DEPTH_MOST = 40, PARTS_MOST = 512 };

enum test { TEST_MAYBE, TEST_STRING, TEST_SIZE, TEST_BYTES, TEST_NAME, TEST_AT_LEAST, TEST_NOT };

struct condition {
    enum test test;
    size_t string;                  /* TEST_STRING */
    size_t need, count;             /* TEST_AT_LEAST: so many of ... */
    struct condition *const *parts; /* ... these; TEST_NOT: of one */
    struct slice sign;              /* TEST_SIZE, TEST_BYTES: == < ... */
    uint64_t number, mask;          /* what is compared with; TEST_BYTES: after masking */
    uint64_t offset;                /* TEST_BYTES */
    unsigned width;                 /* TEST_BYTES: 1, 2, 4 */
    bool big_endian;
    const struct slice *text;  /* TEST_NAME: is this, or ... */
    const struct regex *regex; /* ... holds a match of this */
    enum condition_variable variable;
};

static const char *const variables[CONDITION_VARIABLES] = {"filename", "filepath", "extension"};
static const struct condition maybe = {.test = TEST_MAYBE};

const struct condition *condition_maybe(void)
{
    return &maybe;
}

/* --- reading --- */

static const struct condition *keep(struct condition_reader *reader, struct condition condition)
{
    struct condition *copy = arena_take(reader->arena, sizeof *copy);

    if (copy)
        *copy = condition;
    reader->failed |= !copy;
    return copy ? copy : &maybe;
}

static const struct condition *at_least(struct condition_reader *reader, size_t need,
                                        const struct condition *const *parts, size_t count)
{
    const struct condition **copy = arena_array(reader->arena, count + 1, sizeof(*copy));

    reader->failed |= !copy;
    if (!copy)
        return &maybe;
    memcpy(copy, parts, count * sizeof *copy);
    return keep(reader, (struct condition){.test = TEST_AT_LEAST,
                                           .need = need,
                                           .count = count,
                                           .parts = (struct condition *const *)copy});
}

/* The token behind the bracket that closes the one at `open`. */
static const struct token *behind_bracket(const struct token *open, const struct token *end)
{
    size_t depth = 0;

    for (; open < end; open++) {
        depth += token_is_sign(open, "(") || token_is_sign(open, "[");
        depth -= (token_is_sign(open, ")") || token_is_sign(open, "]")) && depth;
        if (depth == 0)
            return open + 1;
    }
    return end;
}

static const struct token *skip_term(const struct token *token, const struct token *end)
{
    return token_is_sign(token, "(") || token_is_sign(token, "[") ? behind_bracket(token, end)
                                                                  : token + 1;
}

/* The next such word outside of brackets, or the end. */
static const struct token *find_word(const struct token *token, const struct token *end,
                                     const char *word)
{
    while (token < end && !token_is_word(token, word))
        token = skip_term(token, end);
    return token;
}

static bool name_fits(struct slice name, const struct token *wanted)
{
    const struct slice text = wanted->text;
    const bool prefix = text.data[text.size - 1] == '*';

    return prefix ? name.size >= text.size - 1 && memcmp(name.data, text.data, text.size - 1) == 0
                  : slice_equal(name, text);
}

static const struct condition *string_test(struct condition_reader *reader, size_t number)
{
    return keep(reader, (struct condition){.test = TEST_STRING, .string = number});
}

/* Adds tests of the rule's strings that the token names; false when there are too many. */
static bool add_named(struct condition_reader *reader, const struct token *wanted, bool all,
                      const struct condition **parts, size_t *count)
{
    const struct condition_string *string = reader->own;

    for (size_t i = 0; i < reader->own_count; i++, string = string->next) {
        if (!all && !name_fits(string->name, wanted))
            continue;
        if (*count == PARTS_MOST)
            return false;
        parts[(*count)++] = string_test(reader, reader->own_first + i);
    }
    return true;
}

/* "them" or "($a, $b*)" at `token`; false for anything else. */
static bool read_set(struct condition_reader *reader, const struct token *token,
                     const struct token *end, const struct condition **parts, size_t *count)
{
    if (token >= end)
        return false;
    if (token_is_word(token, "them"))
        return add_named(reader, token, true, parts, count);
    if (!token_is_sign(token, "("))
        return false;
    for (token++; token < end && !token_is_sign(token, ")"); token++) {
        if (token_is_sign(token, ","))
            continue;
        if (!token_is_string_name(token) || !add_named(reader, token, false, parts, count))
            return false;
    }
    return true;
}

/* "any of ...", "all of ...", "2 of ..."; where they must stand is not asked. */
static const struct condition *read_of(struct condition_reader *reader, const struct token *token,
                                       const struct token *end)
{
    const struct condition *parts[PARTS_MOST];
    size_t count = 0;

    if (!read_set(reader, token + 2, end, parts, &count) || count == 0)
        return &maybe;
    if (token_is_word(token, "any"))
        return at_least(reader, 1, parts, count);
    if (token_is_word(token, "all"))
        return at_least(reader, count, parts, count);
    return token->kind == TOKEN_NUMBER && token->number
               ? at_least(reader, (size_t)token->number, parts, count)
               : &maybe;
}

/* "$a", "$a at 0", "$a in (0..100)". */
static const struct condition *read_string(struct condition_reader *reader,
                                           const struct token *token, const struct token *end)
{
    const struct condition_string *string = reader->own;

    if (token + 1 < end && !token_is_word(token + 1, "at") && !token_is_word(token + 1, "in"))
        return &maybe;
    for (size_t i = 0; i < reader->own_count; i++, string = string->next)
        if (slice_equal(string->name, token->text))
            return string_test(reader, reader->own_first + i);
    return &maybe;
}

static bool is_comparison(const struct token *token)
{
    return token_is_sign(token, "==") || token_is_sign(token, "!=") || token_is_sign(token, "<") ||
           token_is_sign(token, "<=") || token_is_sign(token, ">") || token_is_sign(token, ">=");
}

/* "uint16be(4)" and its like: fills in what is read; gives the token behind it, NULL when it is
 * something else. */
static const struct token *read_number_at(const struct token *token, const struct token *end,
                                          struct condition *to)
{
    static const struct {
        const char *name;
        unsigned width;
        bool big_endian;
    } readers[] = {{"uint8", 1, false},   {"uint8be", 1, true}, {"uint16", 2, false},
                   {"uint16be", 2, true}, {"uint32", 4, false}, {"uint32be", 4, true}};

    if (end - token < 4 || !token_is_sign(token + 1, "(") || token[2].kind != TOKEN_NUMBER ||
        !token_is_sign(token + 3, ")"))
        return NULL;
    for (size_t i = 0; i < sizeof readers / sizeof *readers; i++) {
        if (!token_is_word(token, readers[i].name))
            continue;
        to->width = readers[i].width;
        to->big_endian = readers[i].big_endian;
        to->offset = token[2].number;
        return token + 4;
    }
    return NULL;
}

/* "uint32be(0) == N" and "(uint32be(0) & N) == N". */
static const struct condition *read_bytes(struct condition_reader *reader,
                                          const struct token *token, const struct token *end)
{
    struct condition test = {.test = TEST_BYTES, .mask = UINT64_MAX};
    const bool masked = token_is_sign(token, "(");

    token = read_number_at(token + masked, end, &test);
    if (token && masked) {
        if (end - token < 3 || !token_is_sign(token, "&") || token[1].kind != TOKEN_NUMBER ||
            !token_is_sign(token + 2, ")"))
            return &maybe;
        test.mask = token[1].number;
        token += 3;
    }
    if (!token || end - token != 2 || !is_comparison(token) || token[1].kind != TOKEN_NUMBER)
        return &maybe;
    test.sign = token->text;
    test.number = token[1].number;
    return keep(reader, test);
}

static const struct condition *read_size(struct condition_reader *reader, const struct token *token,
                                         const struct token *end)
{
    if (end - token != 3 || !is_comparison(token + 1) || token[2].kind != TOKEN_NUMBER)
        return &maybe;
    return keep(reader, (struct condition){.test = TEST_SIZE,
                                           .sign = token[1].text,
                                           .number = token[2].number,
                                           .mask = UINT64_MAX});
}

/* The pattern compiled, owned by the gate; NULL when it promises nothing. */
static const struct regex *keep_regex(struct condition_reader *reader, const struct token *token,
                                      const struct token *end)
{
    struct condition_regex *kept = arena_take(reader->arena, sizeof *kept);
    unsigned options = 0;

    reader->failed |= !kept;
    if (token + 1 < end && token[1].kind == TOKEN_WORD)
        options = (slice_find(token[1].text, 0, 'i') != SIZE_MAX ? REGEX_CASELESS : 0) |
                  (slice_find(token[1].text, 0, 's') != SIZE_MAX ? REGEX_DOTALL : 0);
    if (!kept || content_regex_is_odd(token->text) ||
        regex_new(token->text, options, &kept->regex) < 0)
        return NULL;
    kept->next = *reader->regexes;
    *reader->regexes = kept;
    return kept->regex;
}

/* "extension matches /.../i", "filename == "..."". */
static const struct condition *read_name(struct condition_reader *reader,
                                         enum condition_variable variable,
                                         const struct token *token, const struct token *end)
{
    struct condition test = {.test = TEST_NAME, .variable = variable};

    if (end - token < 3)
        return &maybe;
    if (token_is_word(token + 1, "matches") && token[2].kind == TOKEN_REGEX && end - token <= 4)
        test.regex = keep_regex(reader, token + 2, end);
    else if (token_is_sign(token + 1, "==") && token[2].kind == TOKEN_TEXT && end - token == 3 &&
             slice_find(token[2].text, 0, '\\') == SIZE_MAX)
        test.text = &token[2].text;
    return test.regex || test.text ? keep(reader, test) : &maybe;
}

static const struct condition *read_negation(struct condition_reader *reader,
                                             const struct token *token, const struct token *end);

static const struct condition *read_operand(struct condition_reader *reader,
                                            const struct token *token, const struct token *end)
{
    if (token >= end || reader->depth == DEPTH_MOST)
        return &maybe;
    if (token_is_word(token, "not"))
        return read_negation(reader, token + 1, end);
    if (token_is_sign(token, "(") && behind_bracket(token, end) == end)
        return condition_read(reader, token + 1, end - 1);
    if (token + 1 < end && token_is_word(token + 1, "of"))
        return read_of(reader, token, end);
    if (token_is_string_name(token))
        return read_string(reader, token, end);
    if (token_is_word(token, "filesize"))
        return read_size(reader, token, end);
    for (size_t i = 0; i < CONDITION_VARIABLES; i++)
        if (token_is_word(token, variables[i]))
            return read_name(reader, (enum condition_variable)i, token, end);
    return read_bytes(reader, token, end);
}

static const struct condition *read_negation(struct condition_reader *reader,
                                             const struct token *token, const struct token *end)
{
    reader->depth++;
    const struct condition *part = read_operand(reader, token, end);
    reader->depth--;
    struct condition negation = *at_least(reader, 1, &part, 1);
    if (negation.test == TEST_AT_LEAST)
        negation.test = TEST_NOT;
    return keep(reader, negation);
}

/* Operands with `word` between them, each read by `read`; `all` of them are needed, or one. */
static const struct condition *
read_list(struct condition_reader *reader, const struct token *token, const struct token *end,
          const char *word, bool all,
          const struct condition *(*read)(struct condition_reader *reader,
                                          const struct token *token, const struct token *end))
{
    const struct condition *parts[PARTS_MOST];
    size_t count = 0;

    for (; token <= end && count < PARTS_MOST; token++) {
        const struct token *operand = token;
        token = find_word(token, end, word);
        parts[count++] = read(reader, operand, token);
    }
    if (token <= end)
        return &maybe;
    return count == 1 ? parts[0] : at_least(reader, all ? count : 1, parts, count);
}

static const struct condition *read_both(struct condition_reader *reader, const struct token *token,
                                         const struct token *end)
{
    return read_list(reader, token, end, "and", true, read_operand);
}

const struct condition *condition_read(struct condition_reader *reader, const struct token *token,
                                       const struct token *end)
{
    reader->depth++;
    const struct condition *either =
        reader->depth > DEPTH_MOST ? &maybe : read_list(reader, token, end, "or", false, read_both);
    reader->depth--;
    return either;
}

/* --- asking --- */

static bool compare(struct slice sign, uint64_t a, uint64_t b)
{
    const bool or_equal = sign.size == 2;

    switch (sign.data[0]) {
    case '=':
        return a == b;
    case '!':
        return a != b;
    case '<':
        return a < b || (or_equal && a == b);
    default:
        return a > b || (or_equal && a == b);
    }
}

/* What lies outside of the file is neither equal nor different: that may be so or not. */
static bool bytes_can_be(const struct condition *test, bool wanted, struct slice content)
{
    uint64_t number = 0;
    const struct slice bytes = slice_part(content, (size_t)test->offset, test->width);

    if (bytes.size != test->width)
        return true;
    for (unsigned i = 0; i < test->width; i++)
        number = number << 8 | bytes.data[test->big_endian ? i : test->width - 1 - i];
    return compare(test->sign, number & test->mask, test->number) == wanted;
}

/* A match may be one to PCRE2 only. */
static bool name_can_be(const struct condition *test, bool wanted,
                        const struct condition_facts *facts)
{
    const struct slice name = facts->names[test->variable];
    const char *why;

    if (test->text)
        return slice_equal(name, *test->text) == wanted;
    return !wanted || regex_search(test->regex, facts->regex, name, &why) != REGEX_NO;
}

static size_t count_parts(const struct condition *condition, bool wanted,
                          const struct condition_facts *facts)
{
    size_t count = 0;

    for (size_t i = 0; i < condition->count; i++)
        count += condition_can_be(condition->parts[i], wanted, facts);
    return count;
}

/* Bounded by DEPTH_MOST. */
bool condition_can_be(const struct condition *condition, bool wanted,
                      const struct condition_facts *facts)
{
    switch (condition->test) {
    case TEST_STRING:
        return !wanted || (facts->strings[condition->string / 64] >> condition->string % 64 & 1);
    case TEST_SIZE:
        return compare(condition->sign, facts->content.size, condition->number) == wanted;
    case TEST_BYTES:
        return bytes_can_be(condition, wanted, facts->content);
    case TEST_NAME:
        return name_can_be(condition, wanted, facts);
    case TEST_NOT:
        return condition_can_be(condition->parts[0], !wanted, facts);
    case TEST_AT_LEAST:
        return wanted ? count_parts(condition, true, facts) >= condition->need
                      : condition->count - count_parts(condition, false, facts) < condition->need;
    default:
        return true;
    }
}
