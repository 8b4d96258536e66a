#include "triage/formats/page_words.h"

#include <ctype.h>

bool page_is_word(uint8_t byte)
{
    return isalnum(byte) || byte == '_' || byte >= 0x80;
}

uint8_t page_byte(struct slice text, size_t at)
{
    return at < text.size ? text.data[at] : 0;
}

size_t page_skip_blanks(struct slice text, size_t at)
{
    while (at < text.size && isspace(text.data[at]))
        at++;
    return at;
}

size_t page_word_end(struct slice text, size_t at)
{
    while (at < text.size && page_is_word(text.data[at]))
        at++;
    return at;
}

struct slice page_word_at(struct slice text, size_t at)
{
    return slice_part(text, at, page_word_end(text, at) - at);
}

struct slice page_word_before(struct slice text, size_t end)
{
    while (end && isspace(text.data[end - 1]))
        end--;
    size_t start = end;
    while (start && end - start < PAGE_NAME_MOST && page_is_word(text.data[start - 1]))
        start--;
    return slice_part(text, start, end - start);
}

bool page_is_one_of(struct slice word, const char *const *words, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (slice_is_nocase(word, words[i]))
            return true;
    return false;
}

size_t page_offset(struct slice text, struct slice part)
{
    return part.data ? (size_t)(part.data - text.data) : 0;
}

struct slice page_statement(struct slice text, size_t at)
{
    const size_t start = at;
    uint8_t quote = 0;
    int depth = 0;

    for (; at < text.size && at - start < PAGE_EXPRESSION_MOST; at++) {
        const uint8_t byte = text.data[at];
        if ((byte == '\n' && (quote || depth <= 0)) || (!quote && byte == ';') ||
            (byte == '%' && page_byte(text, at + 1) == '>'))
            break;
        if (quote)
            quote = byte == quote ? 0 : quote;
        else if (byte == '"')
            quote = byte;
        else if (byte == '(' || byte == '[')
            depth++;
        else if (byte == ')' || byte == ']')
            depth--;
        else if (byte == ':' && depth <= 0)
            break;
    }
    return slice_part(text, start, at - start);
}

struct slice page_bracketed(struct slice text, size_t open)
{
    size_t at = open + 1;

    for (int depth = 1; at < text.size && at - open < PAGE_EXPRESSION_MOST; at++) {
        const uint8_t byte = text.data[at];
        depth += byte == '(' ? 1 : byte == ')' ? -1 : 0;
        if (depth == 0)
            break;
    }
    return slice_part(text, open + 1, at - open - 1);
}

bool page_next_argument(struct slice arguments, size_t *at, struct slice *argument)
{
    const size_t start = *at;
    uint8_t quote = 0;
    int depth = 0;
    size_t end = start;

    if (start >= arguments.size)
        return false;
    for (; end < arguments.size; end++) {
        const uint8_t byte = arguments.data[end];
        if (quote)
            quote = byte == quote ? 0 : quote;
        else if (byte == '"')
            quote = byte;
        else if (strchr("([{", byte) && byte)
            depth++;
        else if (strchr(")]}", byte) && byte)
            depth--;
        else if (byte == ',' && depth <= 0)
            break;
    }
    *argument = slice_part(arguments, start, end - start);
    *at = end + 1;
    return true;
}

bool page_is_text_byte(uint8_t byte)
{
    return (byte >= 0x20 && byte < 0x7f) || byte == '\t' || byte == '\n' || byte == '\r';
}
