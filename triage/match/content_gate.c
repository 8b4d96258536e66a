/*
 * A condition becomes a tree of "at least so many of" and "not" over strings, the file's size and
 * numbers at fixed offsets. Each string is a rule of a nominator, which says in one pass over the
 * file which of them could match. All else in a condition may be so or not.
 */
#include "triage/match/content_gate.h"

#include "triage/base/error.h"
#include "triage/match/content_literals.h"
#include "triage/match/nominator.h"
#include "triage/match/regex.h"

#include <stdlib.h>
#include <string.h>

enum { DEPTH_MOST = 40, PARTS_MOST = 512, STRINGS_MOST = 1 << 16 };

enum test { TEST_MAYBE, TEST_STRING, TEST_SIZE, TEST_BYTES, TEST_NAME, TEST_AT_LEAST, TEST_NOT };

enum variable { FILENAME, FILEPATH, EXTENSION, VARIABLE_COUNT };

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
    enum variable variable;
};

struct gate_rule {
    const struct condition *condition;
    struct gate_rule *next;
};

struct gate_string {
    struct slice name; /* with its '$' */
    struct literal_demands literals;
    struct gate_string *next;
};

struct gate_regex {
    struct regex *regex;
    struct gate_regex *next;
};

struct content_gate {
    struct arena *arena;
    struct gate_regex *regexes;
    struct gate_rule *rules, **rules_end;
    struct gate_string *strings, **strings_end;
    size_t rule_count, string_count;
    const struct literal_demands **demands; /* by string */
    struct nominator *nominator;
};

struct content_gate_scratch {
    const struct content_gate *gate;
    uint64_t *marks, *strings; /* strings: a bit for each that could match */
    bool *possible;            /* by rule */
    struct regex_scratch *regex;
    struct slice content, names[VARIABLE_COUNT]; /* of the file at hand */
};

/* The rule at hand. */
struct reader {
    struct content_gate *gate;
    const struct token *at;
    const struct gate_string *own; /* its first string ... */
    size_t own_first, own_count;   /* ... and their numbers */
    unsigned depth;
    bool failed; /* memory is out */
};

static const char *const variables[VARIABLE_COUNT] = {"filename", "filepath", "extension"};
static const struct condition maybe = {.test = TEST_MAYBE};

static const struct condition *read_either(struct reader *reader, const struct token *token,
                                           const struct token *end);

struct content_gate *content_gate_new(struct arena *arena)
{
    struct content_gate *gate = arena_take(arena, sizeof *gate);

    if (!gate)
        return NULL;
    *gate = (struct content_gate){.arena = arena};
    gate->rules_end = &gate->rules;
    gate->strings_end = &gate->strings;
    return gate;
}

void content_gate_free(struct content_gate *gate)
{
    if (!gate)
        return;
    for (const struct gate_regex *regex = gate->regexes; regex; regex = regex->next)
        regex_free(regex->regex);
    nominator_free(gate->nominator);
}

size_t content_gate_rule_count(const struct content_gate *gate)
{
    return gate->rule_count;
}

/* --- reading --- */

static bool is_word(const struct token *token, const char *text)
{
    return token->kind == TOKEN_WORD && slice_is(token->text, text);
}

static bool is_sign(const struct token *token, const char *text)
{
    return token->kind == TOKEN_SIGN && slice_is(token->text, text);
}

static bool is_string_name(const struct token *token)
{
    return token->kind == TOKEN_WORD && token->text.data[0] == '$';
}

static const struct condition *keep(struct reader *reader, struct condition condition)
{
    struct condition *copy = arena_take(reader->gate->arena, sizeof *copy);

    if (copy)
        *copy = condition;
    reader->failed |= !copy;
    return copy ? copy : &maybe;
}

static const struct condition *at_least(struct reader *reader, size_t need,
                                        const struct condition *const *parts, size_t count)
{
    const struct condition **copy = arena_array(reader->gate->arena, count + 1, sizeof(*copy));

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
        depth += is_sign(open, "(") || is_sign(open, "[");
        depth -= (is_sign(open, ")") || is_sign(open, "]")) && depth;
        if (depth == 0)
            return open + 1;
    }
    return end;
}

static const struct token *skip_term(const struct token *token, const struct token *end)
{
    return is_sign(token, "(") || is_sign(token, "[") ? behind_bracket(token, end) : token + 1;
}

/* The next such word outside of brackets, or the end. */
static const struct token *find_word(const struct token *token, const struct token *end,
                                     const char *word)
{
    while (token < end && !is_word(token, word))
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

static const struct condition *string_test(struct reader *reader, size_t number)
{
    return keep(reader, (struct condition){.test = TEST_STRING, .string = number});
}

/* Adds tests of the rule's strings that the token names; false when there are too many. */
static bool add_named(struct reader *reader, const struct token *wanted, bool all,
                      const struct condition **parts, size_t *count)
{
    const struct gate_string *string = reader->own;

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
static bool read_set(struct reader *reader, const struct token *token, const struct token *end,
                     const struct condition **parts, size_t *count)
{
    if (token >= end)
        return false;
    if (is_word(token, "them"))
        return add_named(reader, token, true, parts, count);
    if (!is_sign(token, "("))
        return false;
    for (token++; token < end && !is_sign(token, ")"); token++) {
        if (is_sign(token, ","))
            continue;
        if (!is_string_name(token) || !add_named(reader, token, false, parts, count))
            return false;
    }
    return true;
}

/* "any of ...", "all of ...", "2 of ..."; where they must stand is not asked. */
static const struct condition *read_of(struct reader *reader, const struct token *token,
                                       const struct token *end)
{
    const struct condition *parts[PARTS_MOST];
    size_t count = 0;

    if (!read_set(reader, token + 2, end, parts, &count) || count == 0)
        return &maybe;
    if (is_word(token, "any"))
        return at_least(reader, 1, parts, count);
    if (is_word(token, "all"))
        return at_least(reader, count, parts, count);
    return token->kind == TOKEN_NUMBER && token->number
               ? at_least(reader, (size_t)token->number, parts, count)
               : &maybe;
}

/* "$a", "$a at 0", "$a in (0..100)". */
static const struct condition *read_string(struct reader *reader, const struct token *token,
                                           const struct token *end)
{
    const struct gate_string *string = reader->own;

    if (token + 1 < end && !is_word(token + 1, "at") && !is_word(token + 1, "in"))
        return &maybe;
    for (size_t i = 0; i < reader->own_count; i++, string = string->next)
        if (slice_equal(string->name, token->text))
            return string_test(reader, reader->own_first + i);
    return &maybe;
}

static bool is_comparison(const struct token *token)
{
    return is_sign(token, "==") || is_sign(token, "!=") || is_sign(token, "<") ||
           is_sign(token, "<=") || is_sign(token, ">") || is_sign(token, ">=");
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

    if (end - token < 4 || !is_sign(token + 1, "(") || token[2].kind != TOKEN_NUMBER ||
        !is_sign(token + 3, ")"))
        return NULL;
    for (size_t i = 0; i < sizeof readers / sizeof *readers; i++) {
        if (!is_word(token, readers[i].name))
            continue;
        to->width = readers[i].width;
        to->big_endian = readers[i].big_endian;
        to->offset = token[2].number;
        return token + 4;
    }
    return NULL;
}

/* "uint32be(0) == N" and "(uint32be(0) & N) == N". */
static const struct condition *read_bytes(struct reader *reader, const struct token *token,
                                          const struct token *end)
{
    struct condition test = {.test = TEST_BYTES, .mask = UINT64_MAX};
    const bool masked = is_sign(token, "(");

    token = read_number_at(token + masked, end, &test);
    if (token && masked) {
        if (end - token < 3 || !is_sign(token, "&") || token[1].kind != TOKEN_NUMBER ||
            !is_sign(token + 2, ")"))
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

static const struct condition *read_size(struct reader *reader, const struct token *token,
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
static const struct regex *keep_regex(struct reader *reader, const struct token *token,
                                      const struct token *end)
{
    struct gate_regex *kept = arena_take(reader->gate->arena, sizeof *kept);
    unsigned options = 0;

    reader->failed |= !kept;
    if (token + 1 < end && token[1].kind == TOKEN_WORD)
        options = (slice_find(token[1].text, 0, 'i') != SIZE_MAX ? REGEX_CASELESS : 0) |
                  (slice_find(token[1].text, 0, 's') != SIZE_MAX ? REGEX_DOTALL : 0);
    if (!kept || content_regex_is_odd(token->text) ||
        regex_new(token->text, options, &kept->regex) < 0)
        return NULL;
    kept->next = reader->gate->regexes;
    reader->gate->regexes = kept;
    return kept->regex;
}

/* "extension matches /.../i", "filename == "..."". */
static const struct condition *read_name(struct reader *reader, enum variable variable,
                                         const struct token *token, const struct token *end)
{
    struct condition test = {.test = TEST_NAME, .variable = variable};

    if (end - token < 3)
        return &maybe;
    if (is_word(token + 1, "matches") && token[2].kind == TOKEN_REGEX && end - token <= 4)
        test.regex = keep_regex(reader, token + 2, end);
    else if (is_sign(token + 1, "==") && token[2].kind == TOKEN_TEXT && end - token == 3 &&
             slice_find(token[2].text, 0, '\\') == SIZE_MAX)
        test.text = &token[2].text;
    return test.regex || test.text ? keep(reader, test) : &maybe;
}

static const struct condition *read_negation(struct reader *reader, const struct token *token,
                                             const struct token *end);

static const struct condition *read_operand(struct reader *reader, const struct token *token,
                                            const struct token *end)
{
    if (token >= end || reader->depth == DEPTH_MOST)
        return &maybe;
    if (is_word(token, "not"))
        return read_negation(reader, token + 1, end);
    if (is_sign(token, "(") && behind_bracket(token, end) == end)
        return read_either(reader, token + 1, end - 1);
    if (token + 1 < end && is_word(token + 1, "of"))
        return read_of(reader, token, end);
    if (is_string_name(token))
        return read_string(reader, token, end);
    if (is_word(token, "filesize"))
        return read_size(reader, token, end);
    for (size_t i = 0; i < VARIABLE_COUNT; i++)
        if (is_word(token, variables[i]))
            return read_name(reader, (enum variable)i, token, end);
    return read_bytes(reader, token, end);
}

static const struct condition *read_negation(struct reader *reader, const struct token *token,
                                             const struct token *end)
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
static const struct condition *read_list(struct reader *reader, const struct token *token,
                                         const struct token *end, const char *word, bool all,
                                         const struct condition *(*read)(struct reader *reader,
                                                                         const struct token *token,
                                                                         const struct token *end))
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

static const struct condition *read_both(struct reader *reader, const struct token *token,
                                         const struct token *end)
{
    return read_list(reader, token, end, "and", true, read_operand);
}

static const struct condition *read_either(struct reader *reader, const struct token *token,
                                           const struct token *end)
{
    reader->depth++;
    const struct condition *either =
        reader->depth > DEPTH_MOST ? &maybe : read_list(reader, token, end, "or", false, read_both);
    reader->depth--;
    return either;
}

/* --- rules --- */

static int add_string(struct reader *reader)
{
    struct content_gate *gate = reader->gate;
    struct gate_string *string = arena_take(gate->arena, sizeof *string);

    if (!string || gate->string_count == STRINGS_MOST)
        return error_set("there are too many strings");
    *string = (struct gate_string){.name = reader->at->text};
    reader->at += 2;
    string->literals = content_literals(gate->arena, &reader->at);
    *gate->strings_end = string;
    gate->strings_end = &string->next;
    gate->string_count++;
    if (reader->own_count++ == 0)
        reader->own = string;
    return 0;
}

static int read_strings(struct reader *reader)
{
    reader->at += 2;
    while (is_string_name(reader->at) && is_sign(reader->at + 1, "="))
        if (add_string(reader) < 0)
            return -1;
    return 0;
}

static int add_rule(struct content_gate *gate, const struct condition *condition)
{
    struct gate_rule *rule = arena_take(gate->arena, sizeof *rule);

    if (!rule)
        return -1;
    *rule = (struct gate_rule){.condition = condition};
    *gate->rules_end = rule;
    gate->rules_end = &rule->next;
    gate->rule_count++;
    return 0;
}

static bool is_section(const struct token *token, const char *name)
{
    return is_word(token, name) && is_sign(token + 1, ":");
}

/* The '}' that ends the condition, or the end. */
static const struct token *rule_end(const struct token *token)
{
    while (token->kind != TOKEN_END && !is_sign(token, "}"))
        token++;
    return token;
}

/* From behind "rule" to behind the '}' that ends it. */
static int read_rule(struct content_gate *gate, const struct token **at)
{
    struct reader reader = {.gate = gate, .at = *at, .own_first = gate->string_count};

    while (reader.at->kind != TOKEN_END && !is_section(reader.at, "condition")) {
        if (!is_section(reader.at, "strings"))
            reader.at++;
        else if (read_strings(&reader) < 0)
            return -1;
    }
    if (reader.at->kind == TOKEN_END)
        return add_rule(gate, &maybe);
    const struct token *end = rule_end(reader.at);
    const struct condition *condition = read_either(&reader, reader.at + 2, end);
    *at = end->kind == TOKEN_END ? end : end + 1;
    return reader.failed ? -1 : add_rule(gate, condition);
}

int content_gate_add(struct content_gate *gate, struct slice text)
{
    const struct token *token = content_tokens(gate->arena, text);

    if (!token)
        return -1;
    while (token->kind != TOKEN_END) {
        const bool is_rule = is_word(token++, "rule");
        if (is_rule && read_rule(gate, &token) < 0)
            return -1;
    }
    return 0;
}

int content_gate_finish(struct content_gate *gate)
{
    size_t i = 0;

    gate->demands = arena_array(gate->arena, gate->string_count + 1, sizeof(*gate->demands));
    if (!gate->demands)
        return -1;
    for (const struct gate_string *string = gate->strings; string; string = string->next)
        gate->demands[i++] = &string->literals;
    return nominator_new(gate->demands, gate->string_count, &gate->nominator);
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
                        const struct content_gate_scratch *asked)
{
    const struct slice name = asked->names[test->variable];
    const char *why;

    if (test->text)
        return slice_equal(name, *test->text) == wanted;
    return !wanted || regex_search(test->regex, asked->regex, name, &why) != REGEX_NO;
}

static bool can_be(const struct condition *condition, bool wanted,
                   const struct content_gate_scratch *asked);

static size_t count_parts(const struct condition *condition, bool wanted,
                          const struct content_gate_scratch *asked)
{
    size_t count = 0;

    for (size_t i = 0; i < condition->count; i++)
        count += can_be(condition->parts[i], wanted, asked);
    return count;
}

/* Bounded by DEPTH_MOST. */
static bool can_be(const struct condition *condition, bool wanted,
                   const struct content_gate_scratch *asked)
{
    switch (condition->test) {
    case TEST_STRING:
        return !wanted || (asked->strings[condition->string / 64] >> condition->string % 64 & 1);
    case TEST_SIZE:
        return compare(condition->sign, asked->content.size, condition->number) == wanted;
    case TEST_BYTES:
        return bytes_can_be(condition, wanted, asked->content);
    case TEST_NAME:
        return name_can_be(condition, wanted, asked);
    case TEST_NOT:
        return can_be(condition->parts[0], !wanted, asked);
    case TEST_AT_LEAST:
        return wanted ? count_parts(condition, true, asked) >= condition->need
                      : condition->count - count_parts(condition, false, asked) < condition->need;
    default:
        return true;
    }
}

int content_gate_scratch_new(const struct content_gate *gate, struct content_gate_scratch **out)
{
    struct content_gate_scratch *scratch = calloc(1, sizeof *scratch);

    if (!scratch)
        return error_set("out of memory");
    scratch->gate = gate;
    scratch->marks = calloc(nominator_mark_words(gate->nominator), sizeof *scratch->marks);
    scratch->strings = calloc(nominator_rule_words(gate->nominator), sizeof *scratch->strings);
    scratch->possible = calloc(gate->rule_count + 1, sizeof *scratch->possible);
    if (!scratch->marks || !scratch->strings || !scratch->possible ||
        regex_scratch_new(&scratch->regex) < 0) {
        content_gate_scratch_free(scratch);
        return error_set("out of memory");
    }
    *out = scratch;
    return 0;
}

void content_gate_scratch_free(struct content_gate_scratch *scratch)
{
    if (!scratch)
        return;
    free(scratch->marks);
    free(scratch->strings);
    free(scratch->possible);
    regex_scratch_free(scratch->regex);
    free(scratch);
}

bool content_gate_ask(struct content_gate_scratch *scratch, struct slice content,
                      const struct content_file *file)
{
    const struct nominator *nominator = scratch->gate->nominator;
    bool any = false, *possible = scratch->possible;

    scratch->content = content;
    scratch->names[FILENAME] = slice_of_text(file->filename);
    scratch->names[FILEPATH] = slice_of_text(file->filepath);
    scratch->names[EXTENSION] = slice_of_text(file->extension);
    nominator_start(nominator, scratch->marks);
    nominator_add(nominator, content, scratch->marks);
    nominator_rules(nominator, scratch->marks, scratch->strings);
    for (const struct gate_rule *rule = scratch->gate->rules; rule; rule = rule->next) {
        *possible = can_be(rule->condition, true, scratch);
        any |= *possible++;
    }
    return any;
}

bool content_gate_possible(const struct content_gate_scratch *scratch, size_t rule)
{
    return scratch->possible[rule];
}
