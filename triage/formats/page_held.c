/* What texts of a page hold in another form. */
#include "triage/base/base64.h"
#include "triage/formats/page_parts.h"
#include "triage/formats/page_words.h"

enum {
    LITERAL_LONG = 16,      /* from here on a text may hold something encoded */
    DECODED_MOST = 1 << 20, /* bytes added, all in all */
};

void page_reverse(struct buffer *text)
{
    for (size_t i = 0; i < text->size / 2; i++) {
        const uint8_t byte = text->data[i];
        text->data[i] = text->data[text->size - 1 - i];
        text->data[text->size - 1 - i] = byte;
    }
}

static bool reads_as_text(struct slice bytes)
{
    size_t good = 0;

    for (size_t i = 0; i < bytes.size; i++)
        good += page_is_text_byte(bytes.data[i]);
    return bytes.size >= 6 && good * 10 >= bytes.size * 9;
}

static bool from_base64(struct slice text, struct buffer *bytes)
{
    const struct slice digits = slice_part(text, 0, slice_find(text, 0, '='));

    for (size_t i = 0; i < digits.size; i++)
        if (base64_digit(digits.data[i]) < 0)
            return false;
    base64_read(bytes, digits, base64_digit);
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
    page_reverse(bytes);
    return true;
}

/* UTF-16 becomes UTF-8. */
bool page_held(struct slice text, struct buffer *held)
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
            if (page_is_utf16(buffer_slice(&bytes), &big))
                page_add_units(&narrow, buffer_slice(&bytes), big);
            const struct slice plain = buffer_slice(narrow.size ? &narrow : &bytes);
            found = reads_as_text(plain) && held->size + plain.size < DECODED_MOST;
            if (found) {
                buffer_add_byte(held, '\n');
                buffer_add(held, plain);
            }
        }
        buffer_release(&bytes);
        buffer_release(&narrow);
    }
    return found;
}
