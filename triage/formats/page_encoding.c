/* Encodings of whole pages: UTF-16, UTF-7. */
#include "triage/base/base64.h"
#include "triage/base/utf16.h"
#include "triage/formats/page_parts.h"
#include "triage/formats/page_words.h"

void page_add_units(struct buffer *out, struct slice units, bool big)
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
            page_add_units(out, slice_of(unit, 2), true);
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

bool page_is_utf16(struct slice bytes, bool *big)
{
    if (bytes.size < 4)
        return false;
    *big = bytes.data[0] == 0xFE || bytes.data[0] == 0;
    return (bytes.data[0] == 0xFF && bytes.data[1] == 0xFE) ||
           (bytes.data[0] == 0xFE && bytes.data[1] == 0xFF) ||
           (!bytes.data[0] && bytes.data[1] && !bytes.data[2] && bytes.data[3]) ||
           (bytes.data[0] && !bytes.data[1] && bytes.data[2] && !bytes.data[3]);
}

bool page_is_utf7(struct slice bytes)
{
    const struct slice head = slice_part(bytes, 0, 1024);
    const size_t at = slice_find_nocase(head, 0, SLICE_LITERAL("65000"));

    return at != SIZE_MAX && slice_find_nocase(head, 0, SLICE_LITERAL("codepage")) < at;
}

bool page_decode(struct slice bytes, struct buffer *out)
{
    bool big;

    if (page_is_utf16(bytes, &big))
        page_add_units(out, bytes, big);
    else if (page_is_utf7(bytes))
        add_utf7(out, bytes);
    else
        return false;
    return true;
}
