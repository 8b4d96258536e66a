#include "triage/findings/known_networks.h"

#include <arpa/inet.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

static const char exchange_online[] = "Exchange Online";

/* The addresses that Microsoft publishes for Exchange Online and its mail protection ("Office 365
 * URLs and IP address ranges", endpoint sets 1, 2, 9 and 10). */
static const struct {
    const char *network;
    unsigned bits;
    const char *name;
} known[] = {
    {"13.107.6.152", 31, exchange_online},    {"13.107.18.10", 31, exchange_online},
    {"13.107.128.0", 22, exchange_online},    {"23.103.160.0", 20, exchange_online},
    {"40.92.0.0", 15, exchange_online},       {"40.96.0.0", 13, exchange_online},
    {"40.104.0.0", 15, exchange_online},      {"40.107.0.0", 16, exchange_online},
    {"52.96.0.0", 14, exchange_online},       {"52.100.0.0", 14, exchange_online},
    {"52.238.78.88", 32, exchange_online},    {"104.47.0.0", 17, exchange_online},
    {"131.253.33.215", 32, exchange_online},  {"132.245.0.0", 16, exchange_online},
    {"150.171.32.0", 22, exchange_online},    {"204.79.197.215", 32, exchange_online},
    {"2603:1006::", 40, exchange_online},     {"2603:1016::", 36, exchange_online},
    {"2603:1026::", 36, exchange_online},     {"2603:1036::", 36, exchange_online},
    {"2603:1046::", 36, exchange_online},     {"2603:1056::", 36, exchange_online},
    {"2620:1ec:8f0::", 46, exchange_online},  {"2620:1ec:900::", 46, exchange_online},
    {"2a01:111:f400::", 48, exchange_online}, {"2a01:111:f403::", 48, exchange_online},
};

enum { BYTES_MOST = 16 };

/* Bytes of the address, 4 or 16; 0: it is none. */
static unsigned bytes_of(const char *text, uint8_t bytes[BYTES_MOST])
{
    if (inet_pton(AF_INET, text, bytes) == 1)
        return 4;
    return inet_pton(AF_INET6, text, bytes) == 1 ? 16 : 0;
}

static bool shares(const uint8_t *a, const uint8_t *b, unsigned bits)
{
    const unsigned whole = bits / 8, rest = bits % 8;

    return memcmp(a, b, whole) == 0 && (rest == 0 || (a[whole] ^ b[whole]) >> (8 - rest) == 0);
}

const char *known_network_of(const char *address)
{
    uint8_t own[BYTES_MOST], network[BYTES_MOST];
    const unsigned size = bytes_of(address, own);

    for (unsigned i = 0; size && i < sizeof known / sizeof *known; i++)
        if (bytes_of(known[i].network, network) == size && shares(own, network, known[i].bits))
            return known[i].name;
    return NULL;
}
