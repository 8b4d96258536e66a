#include "triage/base/hash.h"

#include "triage/base/error.h"

#include <assert.h>
#include <openssl/evp.h>
#include <stdlib.h>

enum { KINDS = 3 };

struct hasher {
    EVP_MD_CTX *contexts[KINDS]; /* NULL for a kind that was not asked for */
};

static const EVP_MD *method(size_t kind)
{
    switch (kind) {
    case 0:
        return EVP_md5();
    case 1:
        return EVP_sha1();
    default:
        return EVP_sha256();
    }
}

struct hasher *hasher_new(unsigned kinds)
{
    struct hasher *hasher = calloc(1, sizeof *hasher);

    if (!hasher) {
        error_set("out of memory");
        return NULL;
    }
    for (size_t i = 0; i < KINDS; i++) {
        if (!(kinds & 1u << i))
            continue;
        hasher->contexts[i] = EVP_MD_CTX_new();
        if (!hasher->contexts[i] || !EVP_DigestInit_ex(hasher->contexts[i], method(i), NULL)) {
            hasher_free(hasher);
            error_set("no hash can be computed: OpenSSL refuses or memory is out");
            return NULL;
        }
    }
    return hasher;
}

void hasher_free(struct hasher *hasher)
{
    if (!hasher)
        return;
    for (size_t i = 0; i < KINDS; i++)
        EVP_MD_CTX_free(hasher->contexts[i]);
    free(hasher);
}

void hasher_add(struct hasher *hasher, struct slice bytes)
{
    for (size_t i = 0; i < KINDS; i++)
        if (hasher->contexts[i])
            EVP_DigestUpdate(hasher->contexts[i], bytes.data, bytes.size);
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
    char *const texts[KINDS] = {digests.md5, digests.sha1, digests.sha256};

    for (size_t i = 0; i < KINDS; i++) {
        unsigned char bytes[EVP_MAX_MD_SIZE];
        unsigned size = 0;
        if (!hasher->contexts[i])
            continue;
        EVP_DigestFinal_ex(hasher->contexts[i], bytes, &size);
        assert(size <= 32);
        to_hex(bytes, size, texts[i]);
        EVP_DigestInit_ex(hasher->contexts[i], method(i), NULL);
    }
    return digests;
}

void hash_sha256(struct slice bytes, char text[SHA256_TEXT_SIZE])
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned size = 0;

    text[0] = 0;
    if (EVP_Digest(bytes.data, bytes.size, digest, &size, EVP_sha256(), NULL) && size == 32)
        to_hex(digest, size, text);
}
