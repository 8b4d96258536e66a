/* The one-block interface of OpenSSL is marked as old, but nothing else lets the digests take
 * turns: see add_in_turns(). */
#define OPENSSL_SUPPRESS_DEPRECATED

#include "triage/base/hash.h"

#include "triage/base/error.h"

#include <openssl/md5.h>
#include <openssl/sha.h>
#include <stdlib.h>
#include <string.h>

enum { TURN = 64 /* a block of each of the three */ };

struct hasher {
    unsigned kinds;
    MD5_CTX md5;
    SHA_CTX sha1;
    SHA256_CTX sha256;
};

static bool begin(struct hasher *hasher)
{
    return (!(hasher->kinds & HASH_MD5) || MD5_Init(&hasher->md5)) &&
           (!(hasher->kinds & HASH_SHA1) || SHA1_Init(&hasher->sha1)) &&
           (!(hasher->kinds & HASH_SHA256) || SHA256_Init(&hasher->sha256));
}

struct hasher *hasher_new(unsigned kinds)
{
    struct hasher *hasher = calloc(1, sizeof *hasher);

    if (hasher)
        hasher->kinds = kinds;
    if (hasher && begin(hasher))
        return hasher;
    free(hasher);
    error_set("no hash can be computed: OpenSSL refuses or memory is out");
    return NULL;
}

void hasher_free(struct hasher *hasher)
{
    free(hasher);
}

static void add_part(struct hasher *hasher, const uint8_t *data, size_t size)
{
    if (hasher->kinds & HASH_MD5)
        MD5_Update(&hasher->md5, data, size);
    if (hasher->kinds & HASH_SHA1)
        SHA1_Update(&hasher->sha1, data, size);
    if (hasher->kinds & HASH_SHA256)
        SHA256_Update(&hasher->sha256, data, size);
}

/* MD5 waits for itself at each step: block by block the processor computes the others meanwhile,
 * which takes three quarters of the time that one after the other does. */
static void add_in_turns(struct hasher *hasher, struct slice bytes)
{
    const size_t whole = bytes.size - bytes.size % TURN;

    for (size_t at = 0; at < whole; at += TURN) {
        MD5_Update(&hasher->md5, bytes.data + at, TURN);
        SHA1_Update(&hasher->sha1, bytes.data + at, TURN);
        SHA256_Update(&hasher->sha256, bytes.data + at, TURN);
    }
    if (whole < bytes.size)
        add_part(hasher, bytes.data + whole, bytes.size - whole);
}

void hasher_add(struct hasher *hasher, struct slice bytes)
{
    if (!bytes.size)
        return;
    if (hasher->kinds == HASH_ALL)
        add_in_turns(hasher, bytes);
    else
        add_part(hasher, bytes.data, bytes.size);
}

struct slice hasher_state(const struct hasher *hasher)
{
    return slice_of((const uint8_t *)hasher, sizeof *hasher);
}

/* OpenSSL trusts the number of bytes that it holds back: none, between two blocks. */
int hasher_restore(struct hasher *hasher, struct slice state)
{
    struct hasher restored;

    if (state.size != sizeof restored)
        return error_set("no state of a hash");
    memcpy(&restored, state.data, sizeof restored);
    if (restored.kinds != hasher->kinds || restored.md5.num || restored.sha1.num ||
        restored.sha256.num || restored.sha256.md_len != hasher->sha256.md_len)
        return error_set("no state of this hash");
    *hasher = restored;
    return 0;
}

static void to_hex(const unsigned char *bytes, size_t size, char *text)
{
    static const char hex[] = "0123456789abcdef";

    for (size_t i = 0; i < size; i++) {
        text[2 * i] = hex[bytes[i] >> 4];
        text[2 * i + 1] = hex[bytes[i] & 15];
    }
    text[2 * size] = 0;
}

struct digests hasher_finish(struct hasher *hasher)
{
    struct digests digests = {"", "", ""};
    unsigned char bytes[SHA256_DIGEST_LENGTH];

    if (hasher->kinds & HASH_MD5 && MD5_Final(bytes, &hasher->md5))
        to_hex(bytes, MD5_DIGEST_LENGTH, digests.md5);
    if (hasher->kinds & HASH_SHA1 && SHA1_Final(bytes, &hasher->sha1))
        to_hex(bytes, SHA_DIGEST_LENGTH, digests.sha1);
    if (hasher->kinds & HASH_SHA256 && SHA256_Final(bytes, &hasher->sha256))
        to_hex(bytes, SHA256_DIGEST_LENGTH, digests.sha256);
    begin(hasher);
    return digests;
}

void hash_sha256(struct slice bytes, char text[SHA256_TEXT_SIZE])
{
    unsigned char digest[SHA256_DIGEST_LENGTH];
    SHA256_CTX context; /* SHA256() would look the method up by its name each time */

    text[0] = 0;
    if (SHA256_Init(&context) && (!bytes.size || SHA256_Update(&context, bytes.data, bytes.size)) &&
        SHA256_Final(digest, &context))
        to_hex(digest, sizeof digest, text);
}
