#include "triage/formats/page_text.h"

#include "triage/base/utf16.h"
#include "triage/formats/page_flow.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum {
    COMMENT_MOST = 64 << 10,
    LITERAL_MOST = 256 << 10,
    LITERAL_LONG = 16,      /* from here on a text may hold something encoded */
    LITERAL_SHOWN = 512,    /* longer ones that were decoded are left out where they stood */
    LIST_LEAST = 6,         /* numbers that make a text */
    DECODED_MOST = 1 << 20, /* bytes added, all in all */
    DEPTH_MOST = 3,         /* texts within texts */
};

/* One way through a text. */
struct pass {
    struct slice in;
    size_t at;
    struct buffer *out;
    struct buffer *decoded; /* what texts held */
    bool changed;
    /* Up to here no comment ends, no text of single or double quotes: looking again would make the
     * way through a hostile page long. */
    size_t no_comment, no_text[2];
};

static uint8_t peek(const struct pass *pass, size_t ahead)
{
    const size_t at = pass->at + ahead;

    return at < pass->in.size ? pass->in.data[at] : 0;
}

static bool is_word(uint8_t byte)
{
    return isalnum(byte) || byte == '_';
}

static int hex_digit(uint8_t byte)
{
    return isdigit(byte)                ? byte - '0'
           : byte >= 'a' && byte <= 'f' ? byte - 'a' + 10
           : byte >= 'A' && byte <= 'F' ? byte - 'A' + 10
                                        : -1;
}

static int base64_digit(uint8_t byte)
{
    return byte >= 'A' && byte <= 'Z'   ? byte - 'A'
           : byte >= 'a' && byte <= 'z' ? byte - 'a' + 26
           : isdigit(byte)              ? byte - '0' + 52
           : byte == '+'                ? 62
           : byte == '/'                ? 63
                                        : -1;
}

static bool is_text_byte(uint8_t byte)
{
    return (byte >= 0x20 && byte < 0x7f) || byte == '\t' || byte == '\n' || byte == '\r';
}

/* --- encodings of the whole page --- */

static void add_units(struct buffer *out, struct slice units, bool big)
{
    for (size_t at = 0; at + 1 < units.size; at += 2) {
        uint8_t bytes[4];
        const uint32_t unit = big ? (uint32_t)(units.data[at] << 8 | units.data[at + 1])
                                  : (uint32_t)(units.data[at] | units.data[at + 1] << 8);
        if (unit < 0x80)
            buffer_add_byte(out, (uint8_t)unit);
        else if (unit < 0xD800 || unit > 0xDFFF)
            buffer_add(out, slice_of(bytes, utf8_encode(unit, bytes)));
    }
}

/* "+AHM-": UTF-16 in base64 between a plus and a minus (RFC 2152). */
static size_t add_utf7_run(struct buffer *out, struct slice in, size_t at)
{
    uint32_t bits = 0;
    unsigned count = 0;

    for (; at < in.size && base64_digit(in.data[at]) >= 0; at++) {
        bits = bits << 6 | (uint32_t)base64_digit(in.data[at]);
        count += 6;
        if (count >= 16) {
            const uint8_t unit[2] = {(uint8_t)(bits >> (count - 8)),
                                     (uint8_t)(bits >> (count - 16))};
            add_units(out, slice_of(unit, 2), true);
            count -= 16;
        }
    }
    return at < in.size && in.data[at] == '-' ? at + 1 : at;
}

static void add_utf7(struct buffer *out, struct slice in)
{
    for (size_t at = 0; at < in.size;) {
        if (in.data[at] == '+' && at + 1 < in.size && in.data[at + 1] == '-') {
            buffer_add_byte(out, '+');
            at += 2;
        } else if (in.data[at] == '+') {
            at = add_utf7_run(out, in, at + 1);
        } else {
            buffer_add_byte(out, in.data[at++]);
        }
    }
}

static bool is_utf16(struct slice bytes, bool *big)
{
    if (bytes.size < 4)
        return false;
    *big = bytes.data[0] == 0xFE || bytes.data[0] == 0;
    return (bytes.data[0] == 0xFF && bytes.data[1] == 0xFE) ||
           (bytes.data[0] == 0xFE && bytes.data[1] == 0xFF) ||
           (!bytes.data[0] && bytes.data[1] && !bytes.data[2] && bytes.data[3]) ||
           (bytes.data[0] && !bytes.data[1] && bytes.data[2] && !bytes.data[3]);
}

static bool is_utf7(struct slice bytes)
{
    const struct slice head = slice_part(bytes, 0, 1024);
    const size_t at = slice_find_nocase(head, 0, SLICE_LITERAL("65000"));

    return at != SIZE_MAX && slice_find_nocase(head, 0, SLICE_LITERAL("codepage")) < at;
}

/* The page in UTF-8 or a code page of single bytes; false when it was that already. */
static bool decode_page(struct slice bytes, struct buffer *out)
{
    bool big;

    if (is_utf16(bytes, &big))
        add_units(out, bytes, big);
    else if (is_utf7(bytes))
        add_utf7(out, bytes);
    else
        return false;
    return true;
}

/* --- first way: what hides single characters --- */

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

/* 101, 0x65, &H65 */
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
    }
    while (from < in.size && count < sizeof digits - 1 &&
           (base == 16 ? hex_digit(in.data[from]) >= 0 : isdigit(in.data[from])))
        digits[count++] = (char)in.data[from++];
    digits[count] = 0;
    *number = strtol(digits, NULL, base);
    *at = from;
    return count > 0;
}

static size_t blanks_end(struct slice in, size_t at)
{
    while (at < in.size && isspace(in.data[at]))
        at++;
    return at;
}

/* "104-3" and the like. */
static bool take_sum(const struct pass *pass, size_t *at, long *sum)
{
    if (!take_number(pass, at, sum))
        return false;
    for (int terms = 0; terms < 8; terms++) {
        const size_t sign = blanks_end(pass->in, *at);
        size_t next = blanks_end(pass->in, sign + 1);
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
        at = blanks_end(pass->in, at);
        if (!take_sum(pass, &at, &code) || code < 0x20 || code > 0x7E || code == '"')
            return false;
        at = blanks_end(pass->in, at);
        if (i < 4 && (at >= pass->in.size || pass->in.data[at++] != ')'))
            return false;
        const uint8_t text[] = {'"', (uint8_t)code, '"'};
        buffer_add(pass->out, slice_of(text, sizeof text));
        pass->at = at;
        return true;
    }
    return false;
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
        at = blanks_end(pass->in, at);
        if (!take_number(pass, &at, &code) || !(is_text_byte((uint8_t)code) && code < 0x7F) ||
            code == '"')
            break;
        buffer_add_byte(pass->out, (uint8_t)code);
        at = blanks_end(pass->in, at);
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

static void uncover_characters(struct pass *pass)
{
    uint8_t quote = 0;

    while (pass->at < pass->in.size) {
        const uint8_t byte = peek(pass, 0);
        const bool taken =
            (byte == '\\' && take_escape(pass)) || (byte >= 0x80 && skip_shapeless(pass)) ||
            (!quote &&
             ((byte == '/' && skip_comment(pass)) || take_character(pass) || take_list(pass)));
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
}

/* --- second way: texts made of parts --- */

/* A text in quotes at `at`, on one line; adds what it says and gives the place behind it, or
 * SIZE_MAX when it is none. */
static size_t literal_take(struct slice in, size_t at, struct buffer *text)
{
    const uint8_t quote = in.data[at];
    const size_t start = at++;

    for (; at < in.size && at - start < LITERAL_MOST && in.data[at] != '\n'; at++) {
        const uint8_t next = at + 1 < in.size ? in.data[at + 1] : 0;
        if (in.data[at] == quote && next == quote && at > start + 1) {
            at++;
        } else if (in.data[at] == '\\' && next == quote &&
                   !(at + 2 < in.size && strchr("),;&+ \r\n", in.data[at + 2]))) {
            at++;
        } else if (in.data[at] == quote) {
            return at + 1;
        }
        buffer_add_byte(text, in.data[at]);
    }
    return SIZE_MAX;
}

/* Behind a text: the quote of the next part, SIZE_MAX when it stands alone. VBScript goes on in the
 * next line after "_". */
static size_t next_part(struct slice in, size_t at, uint8_t quote, size_t size)
{
    at = blanks_end(in, at);
    if (at >= in.size)
        return SIZE_MAX;
    const bool joins = in.data[at] == '+' || in.data[at] == '&';
    const bool letters = in.data[at] == ',' && quote == '\'' && size == 1;
    if (!joins && !letters)
        return SIZE_MAX;
    at = blanks_end(in, at + 1);
    if (joins && at < in.size && in.data[at] == '_')
        at = blanks_end(in, at + 1);
    if (at >= in.size || (in.data[at] != '"' && in.data[at] != '\'') ||
        (letters && !(at + 2 < in.size && in.data[at] == quote && in.data[at + 2] == quote)))
        return SIZE_MAX;
    return at;
}

static void replace_all(struct buffer *text, struct slice from, struct slice to, size_t start)
{
    struct buffer result = BUFFER_EMPTY;

    for (size_t at = start; at < text->size;) {
        const struct slice here = slice_part(buffer_slice(text), at, from.size);
        const bool same = slice_equal(here, from);
        buffer_add(&result, same ? to : slice_part(buffer_slice(text), at, 1));
        at += same ? from.size : 1;
    }
    if (!buffer_failed(&result) && !buffer_failed(text)) {
        text->size = start;
        buffer_add(text, buffer_slice(&result));
    }
    buffer_release(&result);
}

/* .Replace("x", "") behind a text; gives the place behind it. */
static size_t replacement_take(struct slice in, size_t at, struct buffer *text)
{
    struct buffer words = BUFFER_EMPTY;
    size_t open = blanks_end(in, at), end = SIZE_MAX;

    if (!slice_starts_nocase(slice_part(in, open, 9), ".replace("))
        return at;
    open = blanks_end(in, open + 9);
    if (open < in.size && in.data[open] == '"')
        end = literal_take(in, open, &words);
    const size_t from_size = words.size;
    if (end != SIZE_MAX && from_size && from_size < 64) {
        end = blanks_end(in, end);
        end = end < in.size && in.data[end] == ',' ? blanks_end(in, end + 1) : SIZE_MAX;
        if (end < in.size && in.data[end] == '"')
            end = literal_take(in, end, &words);
        else if (slice_starts_nocase(slice_part(in, end, 12), "string.empty"))
            end += 12;
        else
            end = SIZE_MAX;
    }
    if (end != SIZE_MAX && from_size && !buffer_failed(&words)) {
        const struct slice both = buffer_slice(&words);
        if (both.size - from_size <= from_size)
            replace_all(text, slice_part(both, 0, from_size), slice_from(both, from_size), 0);
        end = blanks_end(in, end);
        at = end < in.size && in.data[end] == ')' ? end + 1 : at;
    }
    buffer_release(&words);
    return at;
}

static bool ends_with(const struct buffer *out, const char *word)
{
    return slice_ends_nocase(buffer_slice(out), word);
}

static void reverse(struct buffer *text)
{
    for (size_t i = 0; i < text->size / 2; i++) {
        const uint8_t byte = text->data[i];
        text->data[i] = text->data[text->size - 1 - i];
        text->data[text->size - 1 - i] = byte;
    }
}

/* --- what texts hold --- */

static bool reads_as_text(struct slice bytes)
{
    size_t good = 0;

    for (size_t i = 0; i < bytes.size; i++)
        good += is_text_byte(bytes.data[i]);
    return bytes.size >= 6 && good * 10 >= bytes.size * 9;
}

static bool from_base64(struct slice text, struct buffer *bytes)
{
    uint32_t bits = 0;
    unsigned count = 0;

    for (size_t i = 0; i < text.size && text.data[i] != '='; i++) {
        const int digit = base64_digit(text.data[i]);
        if (digit < 0)
            return false;
        bits = bits << 6 | (uint32_t)digit;
        if ((count += 6) >= 8)
            buffer_add_byte(bytes, (uint8_t)(bits >> (count -= 8)));
    }
    return true;
}

static bool from_hex(struct slice text, struct buffer *bytes)
{
    if (text.size % 2)
        return false;
    for (size_t i = 0; i < text.size; i += 2) {
        const int high = hex_digit(text.data[i]), low = hex_digit(text.data[i + 1]);
        if (high < 0 || low < 0)
            return false;
        buffer_add_byte(bytes, (uint8_t)(high << 4 | low));
    }
    return true;
}

static bool from_percent(struct slice text, struct buffer *bytes)
{
    size_t escapes = 0;

    for (size_t i = 0; i < text.size; i++) {
        const int high = i + 2 < text.size ? hex_digit(text.data[i + 1]) : -1;
        const int low = i + 2 < text.size ? hex_digit(text.data[i + 2]) : -1;
        if (text.data[i] == '%' && high >= 0 && low >= 0) {
            buffer_add_byte(bytes, (uint8_t)(high << 4 | low));
            escapes++;
            i += 2;
        } else {
            buffer_add_byte(bytes, text.data[i]);
        }
    }
    return escapes >= 4;
}

static bool from_reverse(struct slice text, struct buffer *bytes)
{
    if (slice_find_nocase(text, 0, SLICE_LITERAL("tseuqer")) == SIZE_MAX)
        return false;
    buffer_add(bytes, text);
    reverse(bytes);
    return true;
}

/* Adds what the text holds in one of the encodings; UTF-16 becomes UTF-8. */
static bool literal_decode(struct slice text, struct buffer *decoded)
{
    static bool (*const ways[])(struct slice, struct buffer *) = {from_hex, from_base64,
                                                                  from_percent, from_reverse};
    bool found = false;

    if (text.size < LITERAL_LONG)
        return false;
    for (size_t i = 0; i < sizeof ways / sizeof *ways && !found; i++) {
        struct buffer bytes = BUFFER_EMPTY, narrow = BUFFER_EMPTY;
        bool big;
        if (ways[i](text, &bytes) && !buffer_failed(&bytes)) {
            if (is_utf16(buffer_slice(&bytes), &big))
                add_units(&narrow, buffer_slice(&bytes), big);
            const struct slice plain = buffer_slice(narrow.size ? &narrow : &bytes);
            found = reads_as_text(plain) && decoded->size + plain.size < DECODED_MOST;
            if (found) {
                buffer_add_byte(decoded, '\n');
                buffer_add(decoded, plain);
            }
        }
        buffer_release(&bytes);
        buffer_release(&narrow);
    }
    return found;
}

/* The whole text with its further parts; false when no text starts here. */
static bool take_texts(struct pass *pass, struct buffer *text)
{
    const uint8_t quote = peek(pass, 0);
    size_t *const no_text = &pass->no_text[quote == '"'];
    size_t parts = 0, end = 0, part = pass->at;

    if (part < *no_text)
        return false;
    buffer_clear(text);
    do {
        const size_t before = text->size;
        const size_t behind = literal_take(pass->in, part, text);
        if (behind == SIZE_MAX) {
            if (!parts)
                *no_text = part + (text->size - before);
            text->size = before;
            break;
        }
        end = behind;
        parts++;
        part = next_part(pass->in, end, quote, text->size - before);
    } while (part != SIZE_MAX && text->size < LITERAL_MOST);
    if (!parts || buffer_failed(text))
        return false;
    const size_t replaced = replacement_take(pass->in, end, text);
    const bool reversed = ends_with(pass->out, "strreverse(");
    if (reversed)
        reverse(text);
    pass->changed |= parts > 1 || replaced != end || reversed;
    const bool held = literal_decode(buffer_slice(text), pass->decoded);
    pass->changed |= held;
    buffer_add_byte(pass->out, quote);
    if (parts == 1 && replaced == end && !reversed)
        buffer_add(pass->out, held && text->size > LITERAL_SHOWN
                                  ? slice_of(NULL, 0)
                                  : slice_part(pass->in, pass->at + 1, end - pass->at - 2));
    else
        buffer_add(pass->out, buffer_slice(text));
    buffer_add_byte(pass->out, quote);
    pass->at = replaced;
    return true;
}

static void join_texts(struct pass *pass)
{
    struct buffer text = BUFFER_EMPTY;

    while (pass->at < pass->in.size) {
        const uint8_t byte = peek(pass, 0);
        if ((byte == '"' || byte == '\'') && take_texts(pass, &text))
            continue;
        buffer_add_byte(pass->out, byte);
        pass->at++;
    }
    buffer_release(&text);
}

/* Both ways, then the same for what texts held. */
static bool uncover(struct slice in, struct buffer *out, int depth)
{
    struct buffer between = BUFFER_EMPTY, decoded = BUFFER_EMPTY;
    struct pass characters = {.in = in, .out = &between};

    uncover_characters(&characters);
    struct pass texts = {.in = buffer_slice(&between), .out = out, .decoded = &decoded};
    join_texts(&texts);
    if (decoded.size && depth < DEPTH_MOST)
        uncover(buffer_slice(&decoded), out, depth + 1);
    buffer_release(&between);
    buffer_release(&decoded);
    return characters.changed || texts.changed;
}

/* --- the page --- */

bool page_text_is_page(struct slice bytes)
{
    static const char *const marks[] = {"<%", "runat", "<\0%", "@{", "@using", "@functions"};
    static const size_t sizes[] = {2, 5, 3, 2, 6, 10};

    if (is_utf7(bytes))
        return true;
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++)
        if (slice_find_nocase(bytes, 0, slice_of(marks[i], sizes[i])) != SIZE_MAX)
            return true;
    return false;
}

bool page_text_plain(struct slice bytes, struct buffer *plain)
{
    struct buffer narrow = BUFFER_EMPTY, lines = BUFFER_EMPTY;
    const size_t start = plain->size;

    if (bytes.size > PAGE_TEXT_MOST || !page_text_is_page(bytes))
        return false;
    bool changed = decode_page(bytes, &narrow);
    changed |= uncover(changed ? buffer_slice(&narrow) : bytes, plain, 0);
    changed |= page_flow(slice_from(buffer_slice(plain), start), &lines);
    buffer_add(plain, buffer_slice(&lines));
    buffer_release(&narrow);
    buffer_release(&lines);
    return changed && !buffer_failed(plain);
}
