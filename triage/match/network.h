/* IPv4 and IPv6 addresses and networks (CIDR, RFC 4632 and RFC 4291). */
#ifndef TRIAGE_MATCH_NETWORK_H
#define TRIAGE_MATCH_NETWORK_H

#include "triage/base/cursor.h"

struct network {
    uint8_t address[16]; /* IPv4 as IPv4-mapped IPv6 */
    unsigned bits;       /* of the prefix, 0 to 128 */
};

/* "10.0.0.0/8", "fe80::/10", or one address; false when it is none of these. */
bool network_parse(struct slice text, struct network *out);
/* Whether the text is an address of the network; a port, brackets and a zone ("[fe80::1%12]:443")
 * are left out. */
bool network_holds(const struct network *network, struct slice text);

#endif
