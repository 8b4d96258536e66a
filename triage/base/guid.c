#include "triage/base/guid.h"

static const uint8_t order[GUID_SIZE] = {3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15};

static char *put(struct slice bytes, const char *digits, char *out)
{
    for (size_t i = 0; i < GUID_SIZE && bytes.size >= GUID_SIZE; i++) {
        const uint8_t byte = bytes.data[order[i]];
        if (i == 4 || i == 6 || i == 8 || i == 10)
            *out++ = '-';
        *out++ = digits[byte >> 4];
        *out++ = digits[byte & 15];
    }
    *out = 0;
    return out;
}

const char *guid_plain(struct slice bytes, char text[GUID_TEXT_SIZE])
{
    put(bytes, "0123456789abcdef", text);
    return text;
}

const char *guid_braced(struct slice bytes, char text[GUID_TEXT_SIZE])
{
    char *end = put(bytes, "0123456789ABCDEF", text + 1);

    if (end == text + 1) {
        text[0] = 0;
        return text;
    }
    text[0] = '{';
    end[0] = '}';
    end[1] = 0;
    return text;
}
