/* The tokens of YARA's language ("Writing YARA rules", YARA 4.2). */
#include "triage/match/content_tokens.h"

#include <ctype.h>
#include <stdlib.h>

struct lexer {
    struct slice text;
    size_t at;
};

static uint8_t peek(const struct lexer *lexer, size_t ahead)
{
    const size_t left = lexer->text.size - lexer->at;

    return ahead < left ? lexer->text.data[lexer->at + ahead] : 0;
}

static void skip_to_line_end(struct lexer *lexer)
{
    const size_t end = slice_find(lexer->text, lexer->at, '\n');

    lexer->at = end == SIZE_MAX ? lexer->text.size : end;
}

static void skip_block_comment(struct lexer *lexer)
{
    lexer->at += 2;
    while (lexer->at < lexer->text.size && !(peek(lexer, 0) == '*' && peek(lexer, 1) == '/'))
        lexer->at++;
    lexer->at += lexer->at < lexer->text.size ? 2 : 0;
}

static void skip_blanks(struct lexer *lexer)
{
    while (lexer->at < lexer->text.size) {
        if (isspace(peek(lexer, 0)))
            lexer->at++;
        else if (peek(lexer, 0) == '/' && peek(lexer, 1) == '/')
            skip_to_line_end(lexer);
        else if (peek(lexer, 0) == '/' && peek(lexer, 1) == '*')
            skip_block_comment(lexer);
        else
            break;
    }
}

static bool is_word_byte(uint8_t byte)
{
    return isalnum(byte) || byte == '_';
}

static bool starts_word(const struct lexer *lexer)
{
    const uint8_t byte = peek(lexer, 0), next = peek(lexer, 1);

    return isalpha(byte) || byte == '_' || byte == '$' ||
           ((byte == '#' || byte == '@' || byte == '!') && is_word_byte(next));
}

static struct token take_word(struct lexer *lexer)
{
    const size_t start = lexer->at++;

    while (is_word_byte(peek(lexer, 0)))
        lexer->at++;
    if (lexer->text.data[start] == '$' && peek(lexer, 0) == '*')
        lexer->at++;
    return (struct token){TOKEN_WORD, slice_part(lexer->text, start, lexer->at - start), 0};
}

/* To the next `end` that no backslash stands in front of. */
static struct token take_quoted(struct lexer *lexer, enum token_kind kind, uint8_t end)
{
    const size_t start = ++lexer->at;

    while (lexer->at < lexer->text.size && peek(lexer, 0) != end)
        lexer->at += peek(lexer, 0) == '\\' ? 2 : 1;
    const struct token token = {kind, slice_part(lexer->text, start, lexer->at - start), 0};
    lexer->at = lexer->at < lexer->text.size ? lexer->at + 1 : lexer->text.size;
    return token;
}

static struct token take_number(struct lexer *lexer)
{
    const char *start = (const char *)lexer->text.data + lexer->at;
    const bool octal = peek(lexer, 0) == '0' && peek(lexer, 1) == 'o';
    char *end = NULL;
    uint64_t number = octal ? strtoull(start + 2, &end, 8)
                            : strtoull(start, &end, peek(lexer, 1) == 'x' ? 16 : 10);
    const size_t first = lexer->at;

    lexer->at += end > start ? (size_t)(end - start) : 1;
    if (peek(lexer, 1) == 'B' && (peek(lexer, 0) == 'K' || peek(lexer, 0) == 'M')) {
        number *= peek(lexer, 0) == 'K' ? 1024 : 1024 * 1024;
        lexer->at += 2;
    }
    return (struct token){TOKEN_NUMBER, slice_part(lexer->text, first, lexer->at - first), number};
}

static struct token take_sign(struct lexer *lexer)
{
    static const char *const pairs[] = {"==", "!=", "<=", ">=", "<<", ">>", ".."};
    const size_t start = lexer->at;
    size_t size = 1;

    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
        if (slice_starts(slice_from(lexer->text, start), pairs[i]))
            size = 2;
    lexer->at += size;
    return (struct token){TOKEN_SIGN, slice_part(lexer->text, start, size), 0};
}

static struct token take_token(struct lexer *lexer)
{
    skip_blanks(lexer);
    if (lexer->at >= lexer->text.size)
        return (struct token){.kind = TOKEN_END};
    if (starts_word(lexer))
        return take_word(lexer);
    if (isdigit(peek(lexer, 0)))
        return take_number(lexer);
    if (peek(lexer, 0) == '"')
        return take_quoted(lexer, TOKEN_TEXT, '"');
    if (peek(lexer, 0) == '/')
        return take_quoted(lexer, TOKEN_REGEX, '/');
    return take_sign(lexer);
}

const struct token *content_tokens(struct arena *arena, struct slice text)
{
    const char *copy = arena_text(arena, text); /* numbers are read up to a NUL at the latest */
    struct lexer lexer = {slice_of_text(copy), 0};
    size_t count = 1;

    if (!copy)
        return NULL;
    while (take_token(&lexer).kind != TOKEN_END)
        count++;
    struct token *tokens = arena_array(arena, count, sizeof *tokens);
    lexer.at = 0;
    for (size_t i = 0; tokens && i < count; i++)
        tokens[i] = take_token(&lexer);
    return tokens;
}

bool token_is_word(const struct token *token, const char *text)
{
    return token->kind == TOKEN_WORD && slice_is(token->text, text);
}

bool token_is_sign(const struct token *token, const char *text)
{
    return token->kind == TOKEN_SIGN && slice_is(token->text, text);
}

bool token_is_string_name(const struct token *token)
{
    return token->kind == TOKEN_WORD && token->text.data[0] == '$';
}
