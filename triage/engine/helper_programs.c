#include "triage/engine/helper_programs.h"

#include "triage/base/error.h"
#include "triage/helpers/helper.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { REASON_SIZE = 200 };

static const struct {
    const char *name, *library;
} known[] = {
    {"ese", "libesedb"},
    {"evt", "libevt"},
};

enum { KNOWN = sizeof known / sizeof *known };

struct helper_programs {
    struct helper *started[KNOWN];
    char missing[KNOWN][REASON_SIZE]; /* why it was not started */
    uint64_t files;                   /* asked about: each has a number of its own */
};

struct helper_programs *helper_programs_start(bool (*wanted)(void *context, const char *name),
                                              void *context)
{
    struct helper_programs *programs = calloc(1, sizeof *programs);

    for (size_t i = 0; programs && i < KNOWN; i++)
        if (!wanted(context, known[i].name))
            snprintf(programs->missing[i], REASON_SIZE, "no file here asks for the helper '%s'",
                     known[i].name);
        else if (helper_start(known[i].name, known[i].library, &programs->started[i]) < 0)
            snprintf(programs->missing[i], REASON_SIZE, "%s", error_text());
    return programs;
}

void helper_programs_stop(struct helper_programs *programs)
{
    for (size_t i = 0; programs && i < KNOWN; i++)
        helper_stop(programs->started[i]);
    free(programs);
}

int helper_programs_ask(struct helper_programs *programs, const char *name, struct slice request,
                        const struct helper_file *file,
                        int (*take)(void *context, struct slice row), void *context)
{
    size_t i = 0;

    while (i < KNOWN && strcmp(name, known[i].name) != 0)
        i++;
    if (!programs || i == KNOWN)
        return error_set("there is no helper program '%s'", name);
    if (!programs->started[i])
        return error_set("%s", programs->missing[i]);
    const struct helper_source source = {
        .id = ++programs->files, .size = file->size, .read = file->read, .context = file->context};
    const struct helper_request asked = {
        .body = request, .source = &source, .row = take, .context = context};
    return helper_ask(programs->started[i], &asked) == 0 ? 0 : -1;
}
