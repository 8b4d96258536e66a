#include "triage/base/keyed_hash.h"

#include <sys/random.h>
#include <time.h>

struct hash_key hash_key_new(void)
{
    struct hash_key key;
    struct timespec now;

    if (getrandom(&key, sizeof key, GRND_NONBLOCK) == (ssize_t)sizeof key)
        return key;
    clock_gettime(CLOCK_MONOTONIC, &now); /* just after the machine has started */
    return (struct hash_key){{(uint64_t)now.tv_nsec, (uint64_t)now.tv_sec ^ (uintptr_t)&key}};
}

static uint64_t rotated(uint64_t word, unsigned bits)
{
    return word << bits | word >> (64 - bits);
}

static void mix(uint64_t v[4])
{
    v[0] += v[1];
    v[1] = rotated(v[1], 13) ^ v[0];
    v[0] = rotated(v[0], 32);
    v[2] += v[3];
    v[3] = rotated(v[3], 16) ^ v[2];
    v[0] += v[3];
    v[3] = rotated(v[3], 21) ^ v[0];
    v[2] += v[1];
    v[1] = rotated(v[1], 17) ^ v[2];
    v[2] = rotated(v[2], 32);
}

uint64_t keyed_hash(const struct hash_key *key, struct slice bytes)
{
    uint64_t v[4] = {
        key->half[0] ^ UINT64_C(0x736F6D6570736575), key->half[1] ^ UINT64_C(0x646F72616E646F6D),
        key->half[0] ^ UINT64_C(0x6C7967656E657261), key->half[1] ^ UINT64_C(0x7465646279746573)};
    struct cursor c = cursor_over(bytes, 0);

    while (cursor_left(&c) >= 8) {
        const uint64_t word = cursor_u64le(&c);
        v[3] ^= word;
        mix(v);
        v[0] ^= word;
    }
    uint64_t last = (uint64_t)bytes.size << 56;
    for (unsigned shift = 0; cursor_left(&c); shift += 8)
        last |= (uint64_t)cursor_u8(&c) << shift;
    v[3] ^= last;
    mix(v);
    v[0] ^= last;
    v[2] ^= 0xFF;
    for (int i = 0; i < 3; i++)
        mix(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}
