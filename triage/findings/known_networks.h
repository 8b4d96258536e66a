/* Networks of services that a server of Exchange talks to as a matter of course: their addresses
 * are told by name, so that nobody takes them for an attacker's. */
#ifndef TRIAGE_FINDINGS_KNOWN_NETWORKS_H
#define TRIAGE_FINDINGS_KNOWN_NETWORKS_H

/* "Exchange Online"; NULL: the address belongs to none of them, or is none. */
const char *known_network_of(const char *address);

#endif
