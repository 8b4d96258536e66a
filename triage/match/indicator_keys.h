/* Kinds of indicators, and the form in which their values are kept and looked up. */
#ifndef TRIAGE_MATCH_INDICATOR_KEYS_H
#define TRIAGE_MATCH_INDICATOR_KEYS_H

#include "triage/base/cursor.h"

enum indicator_kind {
    INDICATOR_MD5,
    INDICATOR_SHA1,
    INDICATOR_SHA256,
    INDICATOR_ADDRESS, /* one, or a network */
    INDICATOR_DOMAIN,  /* and all below it */
    INDICATOR_URL,
    INDICATOR_FILE_NAME,
    INDICATOR_PATH, /* from a drive's root on, or the end of one */
    INDICATOR_FILE_EXTENSION,
    INDICATOR_PATH_REGEX,
    INDICATOR_REGISTRY_KEY, /* and what is below it */
    INDICATOR_SERVICE,
    INDICATOR_USER_AGENT, /* counts with POST only */
    INDICATOR_POST_URI,   /* likewise */
    INDICATOR_EMAIL,
    INDICATOR_KINDS,
    INDICATOR_IGNORED = INDICATOR_KINDS, /* understood, but no disk shows it: names of mutexes */
};

enum {
    INDICATOR_KEY_MOST = 4096,
    INDICATOR_ADDRESS_KEY = 17, /* the address, cut to the network, and its bits */
};

const char *indicator_kind_name(enum indicator_kind kind);
/* Requests name no files and no keys of this server: what is a path in them is for the rules. */
bool indicator_in_requests(enum indicator_kind kind);

/* The key of a text of at most INDICATOR_KEY_MOST bytes: hashes and addresses as bytes, all else in
 * lower case with one kind of separator. NULL, or what is wrong with the text. */
const char *indicator_key(enum indicator_kind kind, struct slice text,
                          uint8_t key[INDICATOR_KEY_MOST], size_t *size);
/* Of the network of that many bits in which the address lies. */
void indicator_address_key(const uint8_t address[16], unsigned bits,
                           uint8_t key[INDICATOR_ADDRESS_KEY]);

#endif
