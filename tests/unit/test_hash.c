/* Digests of both ways to compute them, stitched and by OpenSSL alone, against OpenSSL's other
 * interface. */
#include "triage/base/error.h"
#include "triage/base/hash.h"

#include <openssl/evp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { SHORT = 300, LONG = (1 << 20) + 77 };

typedef struct hasher *maker(unsigned kinds);

static maker *const makers[] = {hasher_new, hasher_new_unstitched};

/* Any sequence does; the same in each run. */
static uint32_t next_number(uint32_t *seed)
{
    *seed = *seed * 1664525 + 1013904223;
    return *seed >> 8;
}

static uint8_t *noise(size_t size, uint32_t seed)
{
    uint8_t *bytes = malloc(size + 1);

    assert_non_null(bytes);
    for (size_t i = 0; i < size; i++)
        bytes[i] = (uint8_t)next_number(&seed);
    return bytes;
}

static void evp_text(const EVP_MD *method, struct slice bytes, char *text)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned size = 0;

    assert_int_equal(EVP_Digest(bytes.data, bytes.size, digest, &size, method, NULL), 1);
    for (unsigned i = 0; i < size; i++)
        snprintf(text + 2 * (size_t)i, 3, "%02x", digest[i]);
}

static struct digests expected_of(struct slice bytes, unsigned kinds)
{
    struct digests digests = {"", "", ""};

    if (kinds & HASH_MD5)
        evp_text(EVP_md5(), bytes, digests.md5);
    if (kinds & HASH_SHA1)
        evp_text(EVP_sha1(), bytes, digests.sha1);
    if (kinds & HASH_SHA256)
        evp_text(EVP_sha256(), bytes, digests.sha256);
    return digests;
}

static void assert_same(const struct digests *digests, const struct digests *expected)
{
    assert_string_equal(digests->md5, expected->md5);
    assert_string_equal(digests->sha1, expected->sha1);
    assert_string_equal(digests->sha256, expected->sha256);
}

static void add_in_pieces(struct hasher *hasher, struct slice bytes, uint32_t most, uint32_t *seed)
{
    for (size_t at = 0, size; at < bytes.size; at += size) {
        size = next_number(seed) % most;
        hasher_add(hasher, slice_part(bytes, at, size));
        size = size < bytes.size - at ? size : bytes.size - at;
    }
}

static void short_bytes_of_every_length_hash_as_openssl_says(void **state)
{
    uint8_t *bytes = noise(SHORT, 1);
    uint32_t seed = 2;

    (void)state;
    for (unsigned kinds = 1; kinds <= HASH_ALL; kinds++)
        for (size_t way = 0; way < 2; way++) {
            struct hasher *hasher = makers[way](kinds);
            for (size_t size = 0; size <= SHORT; size++) {
                const struct digests expected = expected_of(slice_of(bytes, size), kinds);
                hasher_add(hasher, slice_of(bytes, size));
                struct digests digests = hasher_finish(hasher);
                assert_same(&digests, &expected);
                add_in_pieces(hasher, slice_of(bytes, size), 150, &seed);
                digests = hasher_finish(hasher);
                assert_same(&digests, &expected);
            }
            hasher_free(hasher);
        }
    free(bytes);
}

static void long_bytes_in_pieces_hash_as_openssl_says(void **state)
{
    static const uint32_t most[] = {70, 1000, 100000};
    uint8_t *bytes = noise(LONG, 3);
    uint32_t seed = 4;

    (void)state;
    for (unsigned kinds = 1; kinds <= HASH_ALL; kinds++)
        for (size_t way = 0; way < 2; way++) {
            struct hasher *hasher = makers[way](kinds);
            for (size_t i = 0; i < sizeof most / sizeof *most; i++) {
                const struct slice unaligned = slice_of(bytes + i, LONG - i);
                const struct digests expected = expected_of(unaligned, kinds);
                add_in_pieces(hasher, unaligned, most[i], &seed);
                const struct digests digests = hasher_finish(hasher);
                assert_same(&digests, &expected);
            }
            hasher_free(hasher);
        }
    free(bytes);
}

/* The number of bits passes 32 bits at 512 MiB. */
static void half_a_gigabyte_is_counted_in_both_halves(void **state)
{
    enum { PIECE = 1 << 20, PIECES = 513 };
    uint8_t *bytes = noise(PIECE, 5);
    struct digests digests[2];

    (void)state;
    for (size_t way = 0; way < 2; way++) {
        struct hasher *hasher = makers[way](HASH_SHA1 | HASH_SHA256);
        for (size_t i = 0; i < PIECES; i++)
            hasher_add(hasher, slice_of(bytes, PIECE));
        digests[way] = hasher_finish(hasher);
        hasher_free(hasher);
    }
    assert_same(&digests[0], &digests[1]);
    free(bytes);
}

static void either_way_goes_on_from_the_state_of_the_other(void **state)
{
    enum { SIZE = 6400, HALF = 3200 };
    uint8_t *bytes = noise(SIZE, 6);

    (void)state;
    for (unsigned kinds = 1; kinds <= HASH_ALL; kinds++)
        for (size_t way = 0; way < 4; way++) {
            struct hasher *first = makers[way / 2](kinds), *second = makers[way % 2](kinds);
            const struct digests expected = expected_of(slice_of(bytes, SIZE), kinds);

            hasher_add(first, slice_of(bytes, HALF));
            assert_int_equal(hasher_restore(second, hasher_state(first)), 0);
            hasher_add(second, slice_of(bytes + HALF, SIZE - HALF));
            const struct digests digests = hasher_finish(second);
            assert_same(&digests, &expected);
            hasher_free(first);
            hasher_free(second);
        }
    free(bytes);
}

static void a_state_inside_a_block_or_of_other_kinds_is_refused(void **state)
{
    struct hasher *all = hasher_new(HASH_ALL), *two = hasher_new(HASH_SHA1 | HASH_SHA256);
    const uint8_t bytes[65] = {0};

    (void)state;
    assert_int_equal(hasher_restore(two, hasher_state(all)), -1);
    assert_non_null(strstr(error_text(), "no state of this hash"));
    assert_int_equal(hasher_restore(two, slice_part(hasher_state(two), 0, 64)), -1);
    hasher_add(all, slice_of(bytes, sizeof bytes));
    assert_int_equal(hasher_restore(all, hasher_state(all)), -1);
    hasher_free(all);
    hasher_free(two);
}

static void one_kind_alone_is_never_stitched(void **state)
{
    (void)state;
    assert_false(hash_is_stitched(HASH_MD5));
    assert_false(hash_is_stitched(HASH_SHA1));
    assert_false(hash_is_stitched(HASH_SHA256));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(short_bytes_of_every_length_hash_as_openssl_says),
        cmocka_unit_test(long_bytes_in_pieces_hash_as_openssl_says),
        cmocka_unit_test(half_a_gigabyte_is_counted_in_both_halves),
        cmocka_unit_test(either_way_goes_on_from_the_state_of_the_other),
        cmocka_unit_test(a_state_inside_a_block_or_of_other_kinds_is_refused),
        cmocka_unit_test(one_kind_alone_is_never_stitched),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
