/* What a worker may still do once it holds its evidence: read it, compute, answer its parent. The
 * one home of seccomp and Landlock. */
#ifndef TRIAGE_BASE_SANDBOX_H
#define TRIAGE_BASE_SANDBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sandbox {
    size_t memory;            /* bytes of address space it may add to what it has; 0: no limit */
    uint64_t output;          /* size that a file which it was given to write may reach */
    bool open_read_only;      /* may still open files for reading (folder evidence) */
    bool threads;             /* may still start threads (verification) */
    const char *const *roots; /* NULL-ended folders that open_read_only is limited to where the
                                 kernel has Landlock */
};

/* Raises the number of open files to what the system allows: E01 sets may have many hundred
 * segments. */
void sandbox_raise_file_limit(void);
/* Closes what the process inherited and has no use for: all from `first` on but `keep`. Standard
 * input and output lead nowhere after that; with a sanitizer standard error stays. */
void sandbox_drop_descriptors(int first, int keep);
/*
 * -1 with error_text when a limit that exists on this system could not be set; what the system
 * lacks is left out. After this a call that no honest parser makes (a process, a socket, a file to
 * write) ends the process with SIGSYS, so that whoever waits for it sees the attempt; all else that
 * is not needed fails with EPERM.
 */
int sandbox_enter(const struct sandbox *sandbox);
/* Did this process enter one that forbids system calls? */
bool sandbox_is_entered(void);
/* In words, for run.json: "seccomp, landlock, memory limit". */
const char *sandbox_description(void);
/* A sentence when parts of the sandbox cannot be had here, for a notice; NULL when it is whole. */
const char *sandbox_lack(void);

#endif
