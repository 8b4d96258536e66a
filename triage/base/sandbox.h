/* What a worker may still do once it holds its evidence: read it, compute, answer its parent. The
 * one home of seccomp and Landlock. */
#ifndef TRIAGE_BASE_SANDBOX_H
#define TRIAGE_BASE_SANDBOX_H

#include <stdbool.h>
#include <stddef.h>

struct sandbox {
    size_t memory;            /* bytes of address space it may add to what it has; 0: no limit */
    bool open_read_only;      /* may still open files for reading (folder evidence) */
    bool threads;             /* may still start threads (verification) */
    const char *const *roots; /* NULL-ended folders that open_read_only is limited to where the
                                 kernel has Landlock */
};

/* Raises the number of open files to what the system allows: E01 sets may have many hundred
 * segments. */
void sandbox_raise_file_limit(void);
/* -1 with error_text when a limit that exists on this system could not be set. What the system
 * lacks is left out. */
int sandbox_enter(const struct sandbox *sandbox);
/* In words, for run.json: "seccomp, landlock, memory limit". */
const char *sandbox_description(void);

#endif
