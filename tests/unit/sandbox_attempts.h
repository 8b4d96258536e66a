/* What a process in the sandbox may try, and what must come of it. */
#ifndef TESTS_UNIT_SANDBOX_ATTEMPTS_H
#define TESTS_UNIT_SANDBOX_ATTEMPTS_H

#include <stdbool.h>
#include <stddef.h>

enum { ATTEMPTS_MOST = 64, MEMORY = 256 << 20, DONE = 0 };

enum end {
    WORKS,   /* is allowed */
    REFUSED, /* gives an error, and the worker goes on */
    FATAL,   /* ends the worker, and the parent is told that it tried */
    SILENT,  /* the worker is ended for its silence */
    SIGNAL,  /* the worker is ended by the kernel */
};

struct attempt {
    const char *name;
    int (*run)(void);                  /* DONE when it worked, else errno */
    enum end parser, folder, verifier; /* for each kind of worker */
};

extern const struct attempt attempts[];
extern const size_t attempt_count;

/* Needs Landlock: seccomp cannot tell one name from another. */
bool is_about_names(const struct attempt *attempt);
/* Is about the file that a worker writes. */
bool writes_output(const struct attempt *attempt);
/* Is about a descriptor that workers have and helper programs have not. */
bool needs_inheritance(const struct attempt *attempt);

/* Where attempts are made: set before processes are forked. */
struct attempt_places {
    char root[100], inside[120], new_file[120], link_out[120];
    int output;   /* of the worker at hand; -1: it has none */
    int precious; /* a descriptor that no worker has to do with */
};

extern struct attempt_places places;

/* CMocka's group set-up and tear-down. */
int make_places(void **state);
int remove_places(void **state);
/* Takes more than MEMORY; DONE, or errno. */
int take_memory(void);

#endif
