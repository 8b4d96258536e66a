#include "triage/base/address.h"

#include <arpa/inet.h>

_Static_assert(ADDRESS_TEXT_SIZE >= INET6_ADDRSTRLEN, "an IPv6 address fits");

static bool is_private4(const uint8_t *a)
{
    return a[0] == 10 || (a[0] == 172 && (a[1] & 0xF0) == 16) || (a[0] == 192 && a[1] == 168) ||
           (a[0] == 100 && (a[1] & 0xC0) == 64);
}

static bool is_own4(const uint8_t *a)
{
    return a[0] == 127 || a[0] == 0 || (a[0] == 169 && a[1] == 254);
}

bool address_read(struct slice text, char out[ADDRESS_TEXT_SIZE], bool *is_private)
{
    static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};
    static const uint8_t loopback[16] = {[15] = 1};
    char copy[64] = "";
    uint8_t bytes[16];

    text = slice_trim(text);
    if (text.size >= sizeof copy)
        return false;
    if (text.size)
        memcpy(copy, text.data, text.size);
    char *colon = strchr(copy, ':');
    if (colon && strchr(copy, '.') && !strchr(colon + 1, ':'))
        *colon = 0;
    copy[strcspn(copy, "%")] = 0;
    if (inet_pton(AF_INET, copy, bytes) == 1) {
        *is_private = is_private4(bytes);
        return !is_own4(bytes) && inet_ntop(AF_INET, bytes, out, ADDRESS_TEXT_SIZE);
    }
    if (inet_pton(AF_INET6, copy, bytes) != 1 || memcmp(bytes, loopback, 16) == 0 ||
        (bytes[0] == 0xFE && (bytes[1] & 0xC0) == 0x80))
        return false;
    if (memcmp(bytes, mapped, 12) == 0) {
        *is_private = is_private4(bytes + 12);
        return !is_own4(bytes + 12) && inet_ntop(AF_INET, bytes + 12, out, ADDRESS_TEXT_SIZE);
    }
    *is_private = (bytes[0] & 0xFE) == 0xFC;
    return inet_ntop(AF_INET6, bytes, out, ADDRESS_TEXT_SIZE) != NULL;
}
