/* Words, brackets and statements of server pages, in whatever language: what the parts of page_text
 * and page_flow share. */
#ifndef TRIAGE_FORMATS_PAGE_WORDS_H
#define TRIAGE_FORMATS_PAGE_WORDS_H

#include "triage/base/cursor.h"

enum {
    PAGE_NAME_MOST = 48,
    PAGE_EXPRESSION_MOST = 400, /* of an assignment or of what a call gets */
};

/* Letters of other scripts count: VBScript and C# allow them in names. */
bool page_is_word(uint8_t byte);
/* 0 behind the end. */
uint8_t page_byte(struct slice text, size_t at);
size_t page_skip_blanks(struct slice text, size_t at);
size_t page_word_end(struct slice text, size_t at);
struct slice page_word_at(struct slice text, size_t at);
/* The word that ends at or, with blanks between, before `end`; empty when something else does. */
struct slice page_word_before(struct slice text, size_t end);
/* Is the word in the list, in any letter case? */
bool page_is_one_of(struct slice word, const char *const *words, size_t count);
#define PAGE_IS_ONE_OF(word, words) page_is_one_of(word, words, sizeof(words) / sizeof *(words))
/* Where a part of the text begins in it. */
size_t page_offset(struct slice text, struct slice part);

/* To the end of the statement: a semicolon or the end of the code, outside of brackets the end of
 * the line or a colon of VBScript. */
struct slice page_statement(struct slice text, size_t at);
/* What stands between the brackets, which may go over lines. */
struct slice page_bracketed(struct slice text, size_t open);
/* The next of several expressions with commas between; false when none is left. */
bool page_next_argument(struct slice arguments, size_t *at, struct slice *argument);

bool page_is_text_byte(uint8_t byte);

#endif
