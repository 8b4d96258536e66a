/* Texts of a page that are made of parts. */
#include "triage/formats/page_parts.h"
#include "triage/formats/page_words.h"

enum {
    LITERAL_MOST = 256 << 10,
    LITERAL_SHOWN = 512, /* longer ones that were decoded are left out where they stood */
    ARRAY_MOST = 64,
    ARRAY_TEXT_MOST = 1 << 10,
};

/* One way through a text. */
struct pass {
    struct slice in;
    size_t at;
    struct buffer *out, *held;
    bool changed;
    /* Up to here no text of single or double quotes ends: looking again would make the way through
     * a hostile page long. */
    size_t no_text[2];
};

static uint8_t peek(const struct pass *pass, size_t ahead)
{
    return page_byte(pass->in, pass->at + ahead);
}

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
    at = page_skip_blanks(in, at);
    if (at >= in.size)
        return SIZE_MAX;
    const bool joins = in.data[at] == '+' || in.data[at] == '&';
    const bool letters = in.data[at] == ',' && quote == '\'' && size == 1;
    if (!joins && !letters)
        return SIZE_MAX;
    at = page_skip_blanks(in, at + 1);
    if (joins && at < in.size && in.data[at] == '_')
        at = page_skip_blanks(in, at + 1);
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

/* Two texts with a comma between them, the second of which may be String.Empty, and a closing
 * bracket: replaces the one by the other. Gives the place behind, or `failed`. */
static size_t words_replaced_at(struct slice in, size_t open, size_t failed, struct buffer *text)
{
    struct buffer words = BUFFER_EMPTY;
    size_t end = SIZE_MAX, result = failed;

    open = page_skip_blanks(in, open);
    if (page_byte(in, open) == '"')
        end = literal_take(in, open, &words);
    const size_t from_size = words.size;
    if (end != SIZE_MAX && from_size && from_size < 64) {
        end = page_skip_blanks(in, end);
        end = page_byte(in, end) == ',' ? page_skip_blanks(in, end + 1) : SIZE_MAX;
        if (end != SIZE_MAX && page_byte(in, end) == '"')
            end = literal_take(in, end, &words);
        else if (end != SIZE_MAX && slice_starts_nocase(slice_part(in, end, 12), "string.empty"))
            end += 12;
        else
            end = SIZE_MAX;
    }
    if (end != SIZE_MAX && from_size && !buffer_failed(&words)) {
        const struct slice both = buffer_slice(&words);
        if (both.size - from_size <= from_size)
            replace_all(text, slice_part(both, 0, from_size), slice_from(both, from_size), 0);
        end = page_skip_blanks(in, end);
        result = page_byte(in, end) == ')' ? end + 1 : failed;
    }
    buffer_release(&words);
    return result;
}

/* .Replace("x", "") behind a text; gives the place behind it. */
static size_t replacement_take(struct slice in, size_t at, struct buffer *text)
{
    const size_t open = page_skip_blanks(in, at);

    return slice_starts_nocase(slice_part(in, open, 9), ".replace(")
               ? words_replaced_at(in, open + 9, at, text)
               : at;
}

/* Replace("text", "x", ""): the same behind a comma; the bracket stays. */
static size_t words_replaced(struct slice in, size_t at, size_t failed, struct buffer *text)
{
    const size_t comma = page_skip_blanks(in, at);
    const size_t end =
        page_byte(in, comma) == ',' ? words_replaced_at(in, comma + 1, failed, text) : failed;

    return end == failed ? failed : end - 1;
}

static bool ends_with(const struct buffer *out, const char *word)
{
    return slice_ends_nocase(buffer_slice(out), word);
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
    const size_t replaced = ends_with(pass->out, "replace(")
                                ? words_replaced(pass->in, end, end, text)
                                : replacement_take(pass->in, end, text);
    const bool reversed = ends_with(pass->out, "strreverse(");
    if (reversed)
        page_reverse(text);
    pass->changed |= parts > 1 || replaced != end || reversed;
    const bool held = page_held(buffer_slice(text), pass->held);
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

/* Array("ev", "al"): what its texts say together is added to what texts held. */
static void add_array(struct pass *pass)
{
    struct buffer text = BUFFER_EMPTY;
    size_t at = page_skip_blanks(pass->in, pass->at + strlen("array(")), parts = 0;

    for (; parts < ARRAY_MOST && page_byte(pass->in, at) == '"'; parts++) {
        const size_t end = literal_take(pass->in, at, &text);
        if (end == SIZE_MAX)
            break;
        at = page_skip_blanks(pass->in, end);
        if (page_byte(pass->in, at) != ',')
            break;
        at = page_skip_blanks(pass->in, at + 1);
    }
    if (text.size < ARRAY_TEXT_MOST && !buffer_failed(&text) &&
        slice_find_nocase(buffer_slice(&text), 0, SLICE_LITERAL("request")) != SIZE_MAX) {
        pass->changed = true;
        buffer_add_byte(pass->held, '\n');
        buffer_add(pass->held, buffer_slice(&text));
    }
    buffer_release(&text);
}

bool page_join_texts(struct slice in, struct buffer *out, struct buffer *held)
{
    struct pass scratch = {.in = in, .out = out, .held = held}, *const pass = &scratch;
    struct buffer text = BUFFER_EMPTY;

    while (pass->at < pass->in.size) {
        const uint8_t byte = peek(pass, 0);
        if ((byte == '"' || byte == '\'') && take_texts(pass, &text))
            continue;
        if ((byte | 0x20) == 'a' &&
            slice_starts_nocase(slice_part(pass->in, pass->at, 6), "array("))
            add_array(pass);
        buffer_add_byte(pass->out, byte);
        pass->at++;
    }
    buffer_release(&text);
    return pass->changed;
}
