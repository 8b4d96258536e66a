/* MD5, SHA-1 and SHA-256 of one run of bytes in one pass (OpenSSL; this is its only home, or
 * hash_stitched.c). */
#ifndef TRIAGE_BASE_HASH_H
#define TRIAGE_BASE_HASH_H

#include "triage/base/cursor.h"

enum hash_kind { HASH_MD5 = 1, HASH_SHA1 = 2, HASH_SHA256 = 4, HASH_ALL = 7 };
enum { MD5_TEXT_SIZE = 33, SHA1_TEXT_SIZE = 41, SHA256_TEXT_SIZE = 65 };

struct hasher;

struct digests { /* lower-case hex; the empty text for a kind that was not asked for */
    char md5[MD5_TEXT_SIZE], sha1[SHA1_TEXT_SIZE], sha256[SHA256_TEXT_SIZE];
};

/* `kinds`: hash_kind bits. NULL when memory is out. */
struct hasher *hasher_new(unsigned kinds);
/* The same by OpenSSL alone, as where the processor lacks the SHA instructions: for tests. */
struct hasher *hasher_new_unstitched(unsigned kinds);
/* Whether these kinds together cost about as much as the slowest of them; otherwise their sum. */
bool hash_is_stitched(unsigned kinds);
void hasher_free(struct hasher *hasher);
void hasher_add(struct hasher *hasher, struct slice bytes);
/* The digests of all bytes added since the start or the last finish; the hasher can be used again.
 */
struct digests hasher_finish(struct hasher *hasher);
/* What was hashed so far, for hasher_restore in a program of the same build: borrowed, until the
 * hasher goes on. */
struct slice hasher_state(const struct hasher *hasher);
/* Goes on from there, which has to be a multiple of 64 bytes; -1 with error_text when the bytes are
 * no such state of a hasher of the same kinds. */
int hasher_restore(struct hasher *hasher, struct slice state);
/* SHA-256 of one slice as lower-case hex. */
void hash_sha256(struct slice bytes, char text[SHA256_TEXT_SIZE]);

#endif
