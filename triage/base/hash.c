/* This interface of OpenSSL is marked as old, but no other shows the chaining values, or lets the
 * digests take turns: see add_stitched() and add_in_turns(). */
#define OPENSSL_SUPPRESS_DEPRECATED

#include "triage/base/hash.h"

#include "triage/base/error.h"
#include "triage/base/hash_stitched.h"

#include <openssl/md5.h>
#include <openssl/sha.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK = 64 /* of each of the three */ };

struct hasher {
    unsigned kinds;
    bool stitched; /* whole blocks go to hash_stitched.c: the state is the same either way */
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

struct hasher *hasher_new_unstitched(unsigned kinds)
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

/* One kind alone is left to OpenSSL. */
bool hash_is_stitched(unsigned kinds)
{
    return (kinds & (kinds - 1)) && hash_stitched_possible();
}

struct hasher *hasher_new(unsigned kinds)
{
    struct hasher *hasher = hasher_new_unstitched(kinds);

    if (hasher)
        hasher->stitched = hash_is_stitched(kinds);
    return hasher;
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

/* How many bytes of a block that is not whole are held back: the same for all kinds. */
static size_t held_back(const struct hasher *hasher)
{
    return hasher->kinds & HASH_MD5 ? hasher->md5.num : hasher->sha1.num;
}

/* Two 32-bit halves of the number of bits. */
static void count_bits(unsigned *low, unsigned *high, size_t bytes)
{
    const uint64_t bits = ((uint64_t)*high << 32 | *low) + (uint64_t)bytes * 8;

    *low = (unsigned)bits;
    *high = (unsigned)(bits >> 32);
}

static void get_words(const struct hasher *hasher, struct hash_words *words)
{
    const MD5_CTX *md5 = &hasher->md5;
    const SHA_CTX *sha1 = &hasher->sha1;

    *words = (struct hash_words){.md5 = {md5->A, md5->B, md5->C, md5->D},
                                 .sha1 = {sha1->h0, sha1->h1, sha1->h2, sha1->h3, sha1->h4}};
    memcpy(words->sha256, hasher->sha256.h, sizeof words->sha256);
}

static void set_words(struct hasher *hasher, const struct hash_words *words)
{
    MD5_CTX *md5 = &hasher->md5;
    SHA_CTX *sha1 = &hasher->sha1;

    md5->A = words->md5[0], md5->B = words->md5[1], md5->C = words->md5[2], md5->D = words->md5[3];
    sha1->h0 = words->sha1[0], sha1->h1 = words->sha1[1], sha1->h2 = words->sha1[2];
    sha1->h3 = words->sha1[3], sha1->h4 = words->sha1[4];
    memcpy(hasher->sha256.h, words->sha256, sizeof words->sha256);
}

static void add_blocks(struct hasher *hasher, const uint8_t *blocks, size_t count)
{
    struct hash_words words;

    get_words(hasher, &words);
    hash_stitched_add(&words, hasher->kinds, blocks, count);
    set_words(hasher, &words);
    count_bits(&hasher->md5.Nl, &hasher->md5.Nh, count * BLOCK);
    count_bits(&hasher->sha1.Nl, &hasher->sha1.Nh, count * BLOCK);
    count_bits(&hasher->sha256.Nl, &hasher->sha256.Nh, count * BLOCK);
}

/* OpenSSL keeps the contexts, begins and ends, and holds back what is no whole block. */
static void add_stitched(struct hasher *hasher, struct slice bytes)
{
    const size_t missing = (BLOCK - held_back(hasher)) % BLOCK;
    const size_t first = missing < bytes.size ? missing : bytes.size;
    const size_t whole = (bytes.size - first) / BLOCK;
    const size_t last = bytes.size - first - whole * BLOCK;

    if (first)
        add_part(hasher, bytes.data, first);
    if (whole)
        add_blocks(hasher, bytes.data + first, whole);
    if (last)
        add_part(hasher, bytes.data + bytes.size - last, last);
}

/* MD5 waits for itself at each step: block by block the processor computes the others meanwhile,
 * which takes three quarters of the time that one after the other does. */
static void add_in_turns(struct hasher *hasher, struct slice bytes)
{
    const size_t whole = bytes.size - bytes.size % BLOCK;

    for (size_t at = 0; at < whole; at += BLOCK) {
        MD5_Update(&hasher->md5, bytes.data + at, BLOCK);
        SHA1_Update(&hasher->sha1, bytes.data + at, BLOCK);
        SHA256_Update(&hasher->sha256, bytes.data + at, BLOCK);
    }
    if (whole < bytes.size)
        add_part(hasher, bytes.data + whole, bytes.size - whole);
}

void hasher_add(struct hasher *hasher, struct slice bytes)
{
    if (!bytes.size)
        return;
    if (hasher->stitched)
        add_stitched(hasher, bytes);
    else if (hasher->kinds == HASH_ALL)
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
    restored.stitched = hasher->stitched;
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
