/* Values of binary XML as UTF-8 text, as Windows shows them (MS-EVEN6 2.2.18, libevtx' notes on
 * EVTX). */
#ifndef TRIAGE_FORMATS_EVTX_TEXT_H
#define TRIAGE_FORMATS_EVTX_TEXT_H

#include "triage/base/cursor.h"

enum evtx_type {
    EVTX_NULL = 0x00,
    EVTX_STRING = 0x01,
    EVTX_ANSI = 0x02,
    EVTX_INT8 = 0x03,
    EVTX_UINT8 = 0x04,
    EVTX_INT16 = 0x05,
    EVTX_UINT16 = 0x06,
    EVTX_INT32 = 0x07,
    EVTX_UINT32 = 0x08,
    EVTX_INT64 = 0x09,
    EVTX_UINT64 = 0x0A,
    EVTX_REAL32 = 0x0B,
    EVTX_REAL64 = 0x0C,
    EVTX_BOOL = 0x0D,
    EVTX_BINARY = 0x0E,
    EVTX_GUID = 0x0F,
    EVTX_POINTER = 0x10,
    EVTX_FILETIME = 0x11,
    EVTX_SYSTEMTIME = 0x12,
    EVTX_SID = 0x13,
    EVTX_HEX32 = 0x14,
    EVTX_HEX64 = 0x15,
    EVTX_HANDLE = 0x20,
    EVTX_BINXML = 0x21,
    EVTX_XML = 0x23,
    EVTX_ARRAY = 0x80, /* added to a type: a run of values, or of strings that NULs end */
};

/* Text that grows within fixed room, so that slices of it stay where they are. */
struct evtx_text {
    uint8_t *data;
    size_t size, room;
    bool full; /* something did not fit and was left out */
};

void evtx_text_add(struct evtx_text *text, struct slice bytes);
/* UTF-16LE without the NULs at its end; lone surrogates become U+FFFD. */
void evtx_text_add_utf16(struct evtx_text *text, struct slice utf16);
/* One value; bytes that are too few for its type give nothing. Types that are not known are shown
 * as hexadecimal digits. */
void evtx_text_add_value(struct evtx_text *text, uint8_t type, struct slice bytes);
/* Takes the first item off an array's bytes; false at the end. `type` is without EVTX_ARRAY. */
bool evtx_array_next(uint8_t type, struct slice *rest, struct slice *item);

#endif
