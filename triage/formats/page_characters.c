/* What hides single characters of a page: comments, escapes, characters without a shape, calls and
 * lists of numbers that stand for characters. */
#include "triage/formats/page_parts.h"
#include "triage/formats/page_words.h"

#include <ctype.h>
#include <stdlib.h>

enum {
    COMMENT_MOST = 64 << 10,
    LIST_LEAST = 6, /* numbers that make a text */
};

/* One way through a text. */
struct pass {
    struct slice in;
    size_t at;
    struct buffer *out;
    bool changed;
    /* Up to here no comment ends: looking again would make the way through a hostile page long. */
    size_t no_comment;
};

static uint8_t peek(const struct pass *pass, size_t ahead)
{
    return page_byte(pass->in, pass->at + ahead);
}

static bool is_word(uint8_t byte)
{
    return isalnum(byte) || byte == '_';
}

static bool skip_comment(struct pass *pass)
{
    size_t end = pass->at + 2;

    if (peek(pass, 0) != '/' || peek(pass, 1) != '*' || pass->at < pass->no_comment)
        return false;
    while (end + 1 < pass->in.size && end - pass->at < COMMENT_MOST &&
           !(pass->in.data[end] == '*' && pass->in.data[end + 1] == '/'))
        end++;
    if (end + 1 >= pass->in.size || end - pass->at >= COMMENT_MOST) {
        pass->no_comment = end;
        return false;
    }
    pass->at = end + 2;
    return true;
}

/* Characters without a shape, which C# leaves out of names. */
static bool is_shapeless(uint32_t point)
{
    return point == 0xAD || (point >= 0x200B && point <= 0x200F) ||
           (point >= 0x202A && point <= 0x202E) || (point >= 0x2060 && point <= 0x206F) ||
           point == 0xFEFF;
}

static bool skip_shapeless(struct pass *pass)
{
    const uint8_t a = peek(pass, 0), b = peek(pass, 1), c = peek(pass, 2);

    if (a == 0xC2 && b == 0xAD) {
        pass->at += 2;
        return true;
    }
    if ((a & 0xF0) != 0xE0 ||
        !is_shapeless((uint32_t)((a & 0x0F) << 12 | (b & 0x3F) << 6 | (c & 0x3F))))
        return false;
    pass->at += 3;
    return true;
}

/* \u0065 \U00000065 \x65 */
static bool take_escape(struct pass *pass)
{
    const uint8_t kind = peek(pass, 1);
    const size_t digits = kind == 'u' ? 4 : kind == 'U' ? 8 : kind == 'x' ? 2 : 0;
    uint32_t point = 0;

    if (peek(pass, 0) != '\\' || !digits)
        return false;
    for (size_t i = 0; i < digits; i++) {
        const int digit = hex_digit(peek(pass, 2 + i));
        if (digit < 0)
            return false;
        point = point << 4 | (uint32_t)digit;
    }
    if (!is_shapeless(point)) {
        if (point < 0x20 || point > 0x7E || point == '"' || point == '\'' || point == '\\')
            return false;
        buffer_add_byte(pass->out, (uint8_t)point);
    }
    pass->at += 2 + digits;
    return true;
}

/* 101, 0x65, &H65, &0145, &O145 */
static bool take_number(const struct pass *pass, size_t *at, long *number)
{
    const struct slice in = pass->in;
    size_t from = *at;
    int base = 10;
    char digits[12];
    size_t count = 0;

    if (from + 1 < in.size && ((in.data[from] == '0' && (in.data[from + 1] | 0x20) == 'x') ||
                               (in.data[from] == '&' && (in.data[from + 1] | 0x20) == 'h'))) {
        base = 16;
        from += 2;
    } else if (page_byte(in, from) == '&' &&
               (page_byte(in, from + 1) == '0' || (page_byte(in, from + 1) | 0x20) == 'o')) {
        base = 8;
        from += 2;
    }
    while (from < in.size && count < sizeof digits - 1 &&
           (base == 16 ? hex_digit(in.data[from]) >= 0 : isdigit(in.data[from])))
        digits[count++] = (char)in.data[from++];
    digits[count] = 0;
    *number = strtol(digits, NULL, base);
    *at = from;
    return count > 0;
}

/* "104-3" and the like. */
static bool take_sum(const struct pass *pass, size_t *at, long *sum)
{
    if (!take_number(pass, at, sum))
        return false;
    for (int terms = 0; terms < 8; terms++) {
        const size_t sign = page_skip_blanks(pass->in, *at);
        size_t next = page_skip_blanks(pass->in, sign + 1);
        long term;
        if (sign >= pass->in.size || !strchr("+-^", pass->in.data[sign]) ||
            !take_number(pass, &next, &term))
            break;
        *sum = pass->in.data[sign] == '+'   ? *sum + term
               : pass->in.data[sign] == '-' ? *sum - term
                                            : *sum ^ term;
        *at = next;
    }
    return true;
}

/* Chr(101), ChrW(&H65), Convert.ToChar(101), (char)101 as the text "e". */
static bool take_character(struct pass *pass)
{
    static const char *const calls[] = {"chr(", "chrw(", "chrb(", "convert.tochar(", "(char)"};
    const struct slice rest = slice_part(pass->in, pass->at, 32);
    long code;

    if (pass->at && is_word(pass->in.data[pass->at - 1]))
        return false;
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        size_t at = pass->at + strlen(calls[i]);
        if (!slice_starts_nocase(rest, calls[i]))
            continue;
        at = page_skip_blanks(pass->in, at);
        if (!take_sum(pass, &at, &code) || code < 0x20 || code > 0x7E || code == '"')
            return false;
        at = page_skip_blanks(pass->in, at);
        if (i < 4 && (at >= pass->in.size || pass->in.data[at++] != ')'))
            return false;
        const uint8_t text[] = {'"', (uint8_t)code, '"'};
        buffer_add(pass->out, slice_of(text, sizeof text));
        pass->at = at;
        return true;
    }
    return false;
}

/* "_" at the end of a line, by which VBScript goes on in the next. */
static bool skip_continuation(struct pass *pass)
{
    size_t end = pass->at + 1;

    while (page_byte(pass->in, end) == ' ' || page_byte(pass->in, end) == '\t' ||
           page_byte(pass->in, end) == '\r')
        end++;
    if (!pass->at || !strchr(" \t&+,(", pass->in.data[pass->at - 1]) ||
        page_byte(pass->in, end) != '\n')
        return false;
    pass->at = end + 1;
    return true;
}

/* (101,118,97,108 ...) and {0x65, 0x76 ...}: the characters, as a text in the same brackets. */
static bool take_list(struct pass *pass)
{
    const size_t before = pass->out->size;
    size_t at = pass->at + 1, count = 0;
    long code;

    if (!strchr("({[", peek(pass, 0)) || !peek(pass, 0))
        return false;
    buffer_add_byte(pass->out, peek(pass, 0));
    buffer_add_byte(pass->out, '"');
    for (;; at++, count++) {
        at = page_skip_blanks(pass->in, at);
        if (!take_number(pass, &at, &code) || !(page_is_text_byte((uint8_t)code) && code < 0x7F) ||
            code == '"')
            break;
        buffer_add_byte(pass->out, (uint8_t)code);
        at = page_skip_blanks(pass->in, at);
        if (at >= pass->in.size || pass->in.data[at] != ',') {
            count++;
            break;
        }
    }
    if (count < LIST_LEAST || at >= pass->in.size || !strchr(")}]", pass->in.data[at])) {
        if (!buffer_failed(pass->out))
            pass->out->size = before;
        return false;
    }
    buffer_add_byte(pass->out, '"');
    pass->at = at;
    return true;
}

bool page_uncover_characters(struct slice in, struct buffer *out)
{
    struct pass scratch = {.in = in, .out = out}, *const pass = &scratch;
    uint8_t quote = 0;

    while (pass->at < pass->in.size) {
        const uint8_t byte = peek(pass, 0);
        const bool taken = (byte == '\\' && take_escape(pass)) ||
                           (byte >= 0x80 && skip_shapeless(pass)) ||
                           (!quote && ((byte == '/' && skip_comment(pass)) ||
                                       (byte == '_' && skip_continuation(pass)) ||
                                       take_character(pass) || take_list(pass)));
        pass->changed |= taken;
        if (taken)
            continue;
        if (byte == '\n' || byte == quote)
            quote = 0;
        else if (!quote && byte == '"')
            quote = byte;
        buffer_add_byte(pass->out, byte);
        pass->at++;
    }
    return pass->changed;
}
