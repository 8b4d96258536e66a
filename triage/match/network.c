#include "triage/match/network.h"

#include <arpa/inet.h>
#include <string.h>

enum { ADDRESS_SIZE = 64, MAPPED_BITS = 96 };

static bool parse_address(struct slice text, uint8_t address[16], bool *is_v4)
{
    char copy[ADDRESS_SIZE];

    if (text.size == 0 || text.size >= sizeof copy)
        return false;
    memcpy(copy, text.data, text.size);
    copy[text.size] = 0;
    memset(address, 0, 16);
    address[10] = address[11] = 0xFF;
    *is_v4 = inet_pton(AF_INET, copy, address + 12) == 1;
    return *is_v4 || inet_pton(AF_INET6, copy, address) == 1;
}

bool network_parse(struct slice text, struct network *out)
{
    const size_t slash = slice_find(text, 0, '/');
    uint64_t bits = 0;
    bool is_v4;

    if (!parse_address(slice_part(text, 0, slash), out->address, &is_v4))
        return false;
    const unsigned most = is_v4 ? 32 : 128;
    if (slash == SIZE_MAX)
        bits = most;
    else if (!slice_to_u64(slice_from(text, slash + 1), &bits) || bits > most)
        return false;
    out->bits = (unsigned)bits + (is_v4 ? MAPPED_BITS : 0);
    return true;
}

/* The address alone: without brackets, port and zone. */
static struct slice bare_address(struct slice text)
{
    text = slice_trim(text);
    if (slice_starts(text, "[")) {
        text = slice_part(text, 1, slice_find(text, 0, ']') - 1);
    } else {
        const size_t colon = slice_find(text, 0, ':');
        if (colon != SIZE_MAX && slice_find(text, colon + 1, ':') == SIZE_MAX)
            text = slice_part(text, 0, colon);
    }
    return slice_part(text, 0, slice_find(text, 0, '%'));
}

bool network_holds(const struct network *network, struct slice text)
{
    uint8_t address[16];
    bool is_v4;

    if (!parse_address(bare_address(text), address, &is_v4))
        return false;
    const size_t whole = network->bits / 8;
    const unsigned rest = network->bits % 8;
    if (memcmp(address, network->address, whole) != 0)
        return false;
    return rest == 0 || (address[whole] ^ network->address[whole]) >> (8 - rest) == 0;
}
