#include "triage/match/indicator_keys.h"

#include "triage/match/ascii.h"
#include "triage/match/indicator_scan.h"
#include "triage/match/network.h"

static const char *const kind_names[] = {
    [INDICATOR_MD5] = "md5",
    [INDICATOR_SHA1] = "sha1",
    [INDICATOR_SHA256] = "sha256",
    [INDICATOR_ADDRESS] = "address",
    [INDICATOR_DOMAIN] = "domain",
    [INDICATOR_URL] = "url",
    [INDICATOR_FILE_NAME] = "file name",
    [INDICATOR_PATH] = "path",
    [INDICATOR_FILE_EXTENSION] = "file extension",
    [INDICATOR_PATH_REGEX] = "path (regular expression)",
    [INDICATOR_REGISTRY_KEY] = "registry key",
    [INDICATOR_SERVICE] = "service",
    [INDICATOR_USER_AGENT] = "user agent",
    [INDICATOR_POST_URI] = "URI with POST",
    [INDICATOR_EMAIL] = "e-mail address",
};

const char *indicator_kind_name(enum indicator_kind kind)
{
    return kind < INDICATOR_KINDS ? kind_names[kind] : "ignored";
}

bool indicator_in_requests(enum indicator_kind kind)
{
    return kind <= INDICATOR_URL || kind == INDICATOR_USER_AGENT || kind == INDICATOR_POST_URI ||
           kind == INDICATOR_EMAIL;
}

static const char *hash_key(struct slice text, size_t size, uint8_t *key, size_t *key_size)
{
    if (text.size != 2 * size || !scan_hex(text, key))
        return "a hash has 32 (MD5), 40 (SHA-1) or 64 (SHA-256) hexadecimal digits";
    *key_size = size;
    return NULL;
}

static void mask_address(uint8_t *address, unsigned bits)
{
    for (unsigned i = 0; i < 16; i++) {
        const unsigned kept = bits > 8 * i ? bits - 8 * i : 0;
        if (kept < 8)
            address[i] = (uint8_t)(address[i] & (kept ? 0xFF << (8 - kept) : 0));
    }
}

void indicator_address_key(const uint8_t address[16], unsigned bits,
                           uint8_t key[INDICATOR_ADDRESS_KEY])
{
    memcpy(key, address, 16);
    mask_address(key, bits);
    key[16] = (uint8_t)bits;
}

static const char *address_key(struct slice text, uint8_t *key, size_t *size)
{
    struct network network;

    if (!network_parse(text, &network))
        return "no IPv4 or IPv6 address or network";
    if (network.bits == 0 || network.bits == 96)
        return "a network of all addresses says nothing";
    indicator_address_key(network.address, network.bits, key);
    *size = INDICATOR_ADDRESS_KEY;
    return NULL;
}

/* Lower case, with one kind of separator. */
static const char *text_key(enum indicator_kind kind, struct slice text, uint8_t *key, size_t *size)
{
    const bool folders = kind == INDICATOR_PATH || kind == INDICATOR_REGISTRY_KEY;

    for (size_t i = 0; i < text.size; i++) {
        const uint8_t c = ascii_lower(text.data[i]);
        key[i] = folders && c == '/' ? '\\' : kind == INDICATOR_USER_AGENT && c == '+' ? ' ' : c;
    }
    *size = text.size;
    while (*size > 1 &&
           (key[*size - 1] == '\\' || (kind == INDICATOR_URL && key[*size - 1] == '/') ||
            (kind == INDICATOR_DOMAIN && key[*size - 1] == '.')))
        --*size;
    return NULL;
}

const char *indicator_key(enum indicator_kind kind, struct slice text,
                          uint8_t key[INDICATOR_KEY_MOST], size_t *size)
{
    switch (kind) {
    case INDICATOR_MD5:
        return hash_key(text, 16, key, size);
    case INDICATOR_SHA1:
        return hash_key(text, 20, key, size);
    case INDICATOR_SHA256:
        return hash_key(text, 32, key, size);
    case INDICATOR_ADDRESS:
        return address_key(text, key, size);
    case INDICATOR_DOMAIN:
        if (slice_find(text, 0, '.') == SIZE_MAX || slice_find(text, 0, '/') != SIZE_MAX)
            return "no domain name";
        return text_key(kind, text, key, size);
    default:
        return text_key(kind, text, key, size);
    }
}
