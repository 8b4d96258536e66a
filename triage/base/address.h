/* Addresses of clients as logs write them. */
#ifndef TRIAGE_BASE_ADDRESS_H
#define TRIAGE_BASE_ADDRESS_H

#include "triage/base/cursor.h"

enum { ADDRESS_TEXT_SIZE = 46 };

/* The usual spelling of an address that is not the server itself; "1.2.3.4:5678" and "fe80::1%12"
 * are understood. False when it is none. */
bool address_read(struct slice text, char out[ADDRESS_TEXT_SIZE], bool *is_private);

#endif
