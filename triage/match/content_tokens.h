/* The words of a YARA rule file that libyara compiled already: nothing is checked again. */
#ifndef TRIAGE_MATCH_CONTENT_TOKENS_H
#define TRIAGE_MATCH_CONTENT_TOKENS_H

#include "triage/base/arena.h"

enum token_kind {
    TOKEN_END,
    TOKEN_WORD,   /* also $name, $name*, #name, @name, !name */
    TOKEN_TEXT,   /* what stands between the quotes, its escapes as they are */
    TOKEN_REGEX,  /* what stands between the slashes; its options are a word behind it */
    TOKEN_NUMBER, /* KB and MB multiplied out */
    TOKEN_SIGN,   /* ==, !=, <=, >=, <<, >>, .. or one byte */
};

struct token {
    enum token_kind kind;
    struct slice text;
    uint64_t number;
};

/* All tokens of the text, which is borrowed, with a TOKEN_END behind; NULL when memory is out. */
const struct token *content_tokens(struct arena *arena, struct slice text);

bool token_is_word(const struct token *token, const char *text);
bool token_is_sign(const struct token *token, const char *text);
/* "$name", "$name*" */
bool token_is_string_name(const struct token *token);

#endif
