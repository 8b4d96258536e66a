/* The helper programs that read files for a worker (triage/helpers/): started before its sandbox,
 * asked by their name. */
#ifndef TRIAGE_ENGINE_HELPER_PROGRAMS_H
#define TRIAGE_ENGINE_HELPER_PROGRAMS_H

#include "triage/base/cursor.h"

#include <sys/types.h>

struct helper_programs;

/* Starts those that are wanted; what is missing says so when it is asked. NULL when memory is out.
 */
struct helper_programs *helper_programs_start(bool (*wanted)(void *context, const char *name),
                                              void *context);
void helper_programs_stop(struct helper_programs *programs);

/* The file that a request is about. */
struct helper_file {
    uint64_t size;
    ssize_t (*read)(void *context, uint64_t offset, void *buffer, size_t size);
    void *context;
};

/* Each row of the answer goes to `take`. -1 with error_text, also what `take` left. `programs` may
 * be NULL. */
int helper_programs_ask(struct helper_programs *programs, const char *name, struct slice request,
                        const struct helper_file *file,
                        int (*take)(void *context, struct slice row), void *context);

#endif
