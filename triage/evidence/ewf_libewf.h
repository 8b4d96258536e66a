/* What libewf reads of an E01 set's case metadata. */
#ifndef TRIAGE_EVIDENCE_EWF_LIBEWF_H
#define TRIAGE_EVIDENCE_EWF_LIBEWF_H

#include "triage/base/arena.h"
#include "triage/evidence/ewf.h"

struct ewf_answer {
    const char *values[EWF_KEYS]; /* in the arena, UTF-8; NULL when not there */
    char md5[MD5_TEXT_SIZE], sha1[SHA1_TEXT_SIZE];
};

/*
 * Asks libewf about the set whose files are at `paths`, in order. libewf runs in a process of its
 * own for that moment, with ceilings of time and memory: it crashes on some damaged sets, and it
 * keeps all files open. Times are UTC, without saying so. -1 with error_text when it refuses the
 * set, crashes, or takes too long; the caller has a reader of its own then.
 */
int ewf_ask_libewf(const char *const *paths, size_t count, struct arena *arena,
                   struct ewf_answer *answer);

#endif
