#include "triage/base/uuid.h"

#include "triage/base/hash.h"

#include <stdio.h>

enum { UUID_BYTES = 16 };

/* The bytes of hexadecimal digits, dashes passed over. */
static void bytes_of(const char *text, uint8_t bytes[UUID_BYTES])
{
    for (size_t i = 0; i < UUID_BYTES && text[0] && text[1]; i++) {
        if (*text == '-')
            text++;
        bytes[i] = (uint8_t)(hex_digit((uint8_t)text[0]) << 4 | hex_digit((uint8_t)text[1]));
        text += 2;
    }
}

const char *uuid_of_name(const char *space, struct slice name, char text[UUID_TEXT_SIZE])
{
    struct hasher *hasher = hasher_new(HASH_SHA1);
    uint8_t b[UUID_BYTES] = {0};

    bytes_of(space, b);
    if (hasher) {
        hasher_add(hasher, slice_of(b, sizeof b));
        hasher_add(hasher, name);
        const struct digests digests = hasher_finish(hasher);
        bytes_of(digests.sha1, b);
        hasher_free(hasher);
    }
    b[6] = (uint8_t)((b[6] & 0x0F) | 0x50);
    b[8] = (uint8_t)((b[8] & 0x3F) | 0x80);
    snprintf(text, UUID_TEXT_SIZE,
             "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0], b[1],
             b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13], b[14],
             b[15]);
    return text;
}
