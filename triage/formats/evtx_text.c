#include "triage/formats/evtx_text.h"

#include "triage/base/utf16.h"

#include "triage/base/instant.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { GUID_SIZE = 16, SYSTEMTIME_SIZE = 16, SID_PARTS_MOST = 15 };

static uint8_t *room_for(struct evtx_text *text, size_t size)
{
    if (size <= text->room - text->size)
        return text->data + text->size;
    text->full = true;
    return NULL;
}

void evtx_text_add(struct evtx_text *text, struct slice bytes)
{
    uint8_t *out = room_for(text, bytes.size);

    if (out && bytes.size) {
        memcpy(out, bytes.data, bytes.size);
        text->size += bytes.size;
    }
}

static uint32_t unit_at(const uint8_t *bytes)
{
    return bytes[0] | (uint32_t)bytes[1] << 8;
}

/* The code point at `at`, which moves behind it. */
static uint32_t take_point(struct slice utf16, size_t *at)
{
    const uint32_t unit = unit_at(utf16.data + *at);

    *at += 2;
    if (unit < 0xD800 || unit > 0xDFFF)
        return unit;
    if (unit > 0xDBFF || utf16.size - *at < 2)
        return 0xFFFD;
    const uint32_t low = unit_at(utf16.data + *at);
    if (low < 0xDC00 || low > 0xDFFF)
        return 0xFFFD;
    *at += 2;
    return 0x10000 + ((unit - 0xD800) << 10 | (low - 0xDC00));
}

/* Four ASCII units at once; most text of event logs is ASCII. Gives the bytes of UTF-16 that were
 * done. */
static size_t copy_ascii(struct slice utf16, uint8_t *out)
{
    size_t at = 0;

    while (utf16.size - at >= 8) {
        uint64_t units;
        memcpy(&units, utf16.data + at, sizeof units);
        if (units & UINT64_C(0xFF80FF80FF80FF80))
            break;
        units = (units | units >> 8) & UINT64_C(0x0000FFFF0000FFFF);
        const uint32_t packed = (uint32_t)(units | units >> 16);
        memcpy(out + at / 2, &packed, sizeof packed);
        at += 8;
    }
    return at;
}

void evtx_text_add_utf16(struct evtx_text *text, struct slice utf16)
{
    utf16.size &= ~(size_t)1;
    while (utf16.size && unit_at(utf16.data + utf16.size - 2) == 0)
        utf16.size -= 2;
    uint8_t *out = room_for(text, utf16.size / 2 * 3); /* a unit needs three bytes at most */
    if (!out || !utf16.size)
        return;
    size_t at = copy_ascii(utf16, out), used = at / 2;
    while (at < utf16.size) {
        const uint8_t *unit = utf16.data + at;
        if (unit[1] == 0 && unit[0] < 0x80) {
            out[used++] = unit[0];
            at += 2;
        } else {
            used += utf8_encode(take_point(utf16, &at), out + used);
        }
    }
    text->size += used;
}

/* --- numbers --- */

static uint64_t number_of(struct slice bytes)
{
    uint64_t number = 0;

    for (size_t i = 0; i < bytes.size && i < 8; i++)
        number |= (uint64_t)bytes.data[i] << (8 * i);
    return number;
}

static void add_decimal(struct evtx_text *text, uint64_t number, bool negative)
{
    uint8_t digits[24];
    size_t at = sizeof digits;

    do {
        digits[--at] = (uint8_t)('0' + number % 10);
        number /= 10;
    } while (number);
    if (negative)
        digits[--at] = '-';
    evtx_text_add(text, slice_of(digits + at, sizeof digits - at));
}

static void add_signed(struct evtx_text *text, struct slice bytes)
{
    const unsigned bits = (unsigned)bytes.size * 8;
    const uint64_t number = number_of(bytes);

    if (!(number >> (bits - 1) & 1))
        add_decimal(text, number, false);
    else
        add_decimal(text, ((bits < 64 ? UINT64_C(1) << bits : 0) - number), true);
}

/* The number's lowest digits, padded with zeros. */
static void add_padded(struct evtx_text *text, uint64_t number, size_t digits)
{
    uint8_t *out = room_for(text, digits);

    if (!out)
        return;
    for (size_t i = digits; i > 0; i--, number /= 10)
        out[i - 1] = (uint8_t)('0' + number % 10);
    text->size += digits;
}

static void add_hex_number(struct evtx_text *text, uint64_t number)
{
    static const char digits[] = "0123456789abcdef";
    uint8_t out[18];
    size_t at = sizeof out;

    do {
        out[--at] = (uint8_t)digits[number & 15];
        number >>= 4;
    } while (number);
    out[--at] = 'x';
    out[--at] = '0';
    evtx_text_add(text, slice_of(out + at, sizeof out - at));
}

static void add_hex_bytes(struct evtx_text *text, struct slice bytes)
{
    static const char digits[] = "0123456789ABCDEF";
    uint8_t *out = room_for(text, bytes.size * 2);

    if (!out)
        return;
    for (size_t i = 0; i < bytes.size; i++) {
        out[2 * i] = (uint8_t)digits[bytes.data[i] >> 4];
        out[2 * i + 1] = (uint8_t)digits[bytes.data[i] & 15];
    }
    text->size += bytes.size * 2;
}

static void add_real(struct evtx_text *text, struct slice bytes)
{
    char digits[40];
    double real;
    float single;

    if (bytes.size == sizeof single) {
        memcpy(&single, bytes.data, sizeof single);
        real = (double)single;
    } else {
        memcpy(&real, bytes.data, sizeof real);
    }
    const int size = snprintf(digits, sizeof digits, "%g", real);
    evtx_text_add(text, slice_of(digits, size > 0 ? (size_t)size : 0));
}

/* --- structures --- */

static void add_guid(struct evtx_text *text, struct slice bytes)
{
    static const uint8_t order[] = {3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15};
    static const uint16_t dash_before = 1 << 4 | 1 << 6 | 1 << 8 | 1 << 10;

    evtx_text_add(text, SLICE_LITERAL("{"));
    for (size_t i = 0; i < sizeof order; i++) {
        if (dash_before >> i & 1)
            evtx_text_add(text, SLICE_LITERAL("-"));
        add_hex_bytes(text, slice_part(bytes, order[i], 1));
    }
    evtx_text_add(text, SLICE_LITERAL("}"));
}

/* MS-DTYP 2.4.2.2: revision, number of parts, authority big-endian, parts. */
static void add_sid(struct evtx_text *text, struct slice bytes)
{
    struct cursor c = cursor_over(bytes, 0);
    const uint8_t revision = cursor_u8(&c), parts = cursor_u8(&c);
    const uint64_t authority = (uint64_t)cursor_u16be(&c) << 32;
    const uint64_t low = cursor_u32be(&c);

    if (cursor_failed(&c) || parts > SID_PARTS_MOST || cursor_left(&c) < (size_t)parts * 4) {
        add_hex_bytes(text, bytes);
        return;
    }
    evtx_text_add(text, SLICE_LITERAL("S-"));
    add_decimal(text, revision, false);
    evtx_text_add(text, SLICE_LITERAL("-"));
    add_decimal(text, authority | low, false);
    for (unsigned i = 0; i < parts; i++) {
        evtx_text_add(text, SLICE_LITERAL("-"));
        add_decimal(text, cursor_u32le(&c), false);
    }
}

/* "2021-03-03T10:15:19.1620000Z"; `digits` of the fraction of a second. */
static void add_time(struct evtx_text *text, const struct civil *time, uint64_t fraction,
                     size_t digits)
{
    add_padded(text, (uint64_t)time->year, 4);
    evtx_text_add(text, SLICE_LITERAL("-"));
    add_padded(text, (uint64_t)time->month, 2);
    evtx_text_add(text, SLICE_LITERAL("-"));
    add_padded(text, (uint64_t)time->day, 2);
    evtx_text_add(text, SLICE_LITERAL("T"));
    add_padded(text, (uint64_t)time->hour, 2);
    evtx_text_add(text, SLICE_LITERAL(":"));
    add_padded(text, (uint64_t)time->minute, 2);
    evtx_text_add(text, SLICE_LITERAL(":"));
    add_padded(text, (uint64_t)time->second, 2);
    evtx_text_add(text, SLICE_LITERAL("."));
    add_padded(text, fraction, digits);
    evtx_text_add(text, SLICE_LITERAL("Z"));
}

static void add_filetime(struct evtx_text *text, struct slice bytes)
{
    const uint64_t ticks = number_of(bytes);
    const struct instant when = instant_from_filetime(ticks);

    if (!instant_known(when)) {
        add_decimal(text, ticks, false);
        return;
    }
    const struct civil civil = instant_to_civil(when);
    add_time(text, &civil, (uint64_t)civil.ticks, 7);
}

static void add_systemtime(struct evtx_text *text, struct slice bytes)
{
    struct cursor c = cursor_over(bytes, 0);
    struct civil civil = {.year = cursor_u16le(&c), .month = cursor_u16le(&c)};

    cursor_skip(&c, 2); /* day of the week */
    civil.day = cursor_u16le(&c);
    civil.hour = cursor_u16le(&c);
    civil.minute = cursor_u16le(&c);
    civil.second = cursor_u16le(&c);
    add_time(text, &civil, cursor_u16le(&c), 3);
}

/* Bytes above 127 are taken for Latin-1. */
static void add_ansi(struct evtx_text *text, struct slice bytes)
{
    while (bytes.size && bytes.data[bytes.size - 1] == 0)
        bytes.size--;
    uint8_t *out = room_for(text, bytes.size * 2);
    for (size_t i = 0, used = 0; out && i < bytes.size; i++) {
        const size_t size = utf8_encode(bytes.data[i], out + used);
        used += size;
        text->size += size;
    }
}

/* Bytes that a value of that type has; 0: any number. */
static size_t size_of_type(uint8_t type)
{
    static const uint8_t sizes[] = {
        [EVTX_INT8] = 1,     [EVTX_UINT8] = 1,  [EVTX_INT16] = 2,
        [EVTX_UINT16] = 2,   [EVTX_INT32] = 4,  [EVTX_UINT32] = 4,
        [EVTX_INT64] = 8,    [EVTX_UINT64] = 8, [EVTX_REAL32] = 4,
        [EVTX_REAL64] = 8,   [EVTX_BOOL] = 4,   [EVTX_GUID] = GUID_SIZE,
        [EVTX_FILETIME] = 8, [EVTX_HEX32] = 4,  [EVTX_SYSTEMTIME] = SYSTEMTIME_SIZE,
        [EVTX_HEX64] = 8,
    };

    return type < sizeof sizes ? sizes[type] : 0;
}

void evtx_text_add_value(struct evtx_text *text, uint8_t type, struct slice bytes)
{
    const size_t size = size_of_type(type);

    if (size && bytes.size < size)
        return;
    if (size)
        bytes.size = size;
    switch (type) {
    case EVTX_NULL:
        break;
    case EVTX_STRING:
    case EVTX_XML:
        evtx_text_add_utf16(text, bytes);
        break;
    case EVTX_ANSI:
        add_ansi(text, bytes);
        break;
    case EVTX_UINT8:
    case EVTX_UINT16:
    case EVTX_UINT32:
    case EVTX_UINT64:
        add_decimal(text, number_of(bytes), false);
        break;
    case EVTX_INT8:
    case EVTX_INT16:
    case EVTX_INT32:
    case EVTX_INT64:
        add_signed(text, bytes);
        break;
    case EVTX_REAL32:
    case EVTX_REAL64:
        add_real(text, bytes);
        break;
    case EVTX_BOOL:
        evtx_text_add(text, number_of(bytes) ? SLICE_LITERAL("true") : SLICE_LITERAL("false"));
        break;
    case EVTX_GUID:
        add_guid(text, bytes);
        break;
    case EVTX_POINTER:
    case EVTX_HEX32:
    case EVTX_HEX64:
        if (bytes.size)
            add_hex_number(text, number_of(bytes));
        break;
    case EVTX_FILETIME:
        add_filetime(text, bytes);
        break;
    case EVTX_SYSTEMTIME:
        add_systemtime(text, bytes);
        break;
    case EVTX_SID:
        if (bytes.size)
            add_sid(text, bytes);
        break;
    default:
        add_hex_bytes(text, bytes);
    }
}

static size_t string_size(struct slice bytes, size_t unit)
{
    for (size_t at = 0; at + unit <= bytes.size; at += unit)
        if (bytes.data[at] == 0 && (unit == 1 || bytes.data[at + 1] == 0))
            return at;
    return bytes.size;
}

static size_t sid_size(struct slice bytes)
{
    return bytes.size < 2 ? bytes.size : 8 + (size_t)bytes.data[1] * 4;
}

bool evtx_array_next(uint8_t type, struct slice *rest, struct slice *item)
{
    size_t size = size_of_type(type), end = 0;

    if (rest->size == 0)
        return false;
    if (type == EVTX_STRING || type == EVTX_ANSI) {
        end = type == EVTX_STRING ? 2 : 1;
        size = string_size(*rest, end);
    } else if (type == EVTX_SID) {
        size = sid_size(*rest);
    } else if (size == 0) {
        size = rest->size;
    }
    *item = slice_part(*rest, 0, size);
    *rest = slice_from(*rest, size + end);
    return true;
}
