/*
 * With --yara-all: every file that no other artifact wants, for the content rules alone. What is
 * larger than memory holds is told by a notice, mail is never opened.
 */
#include "artifacts/artifact.h"

static int parse(struct job *job)
{
    job->tally->records++;
    job->tally->used++;
    return 0;
}

static const char *const paths[] = {"**", NULL};

/* It has no events: rules that ask for this source match nothing. */
static const struct log_source sources[] = {{NULL, "windows", "anyfile"}, {NULL, NULL, NULL}};

extern const struct artifact artifact_any_file;
const struct artifact artifact_any_file = {
    .name = "any_file",
    .title = "All other files, for content rules",
    .paths = paths,
    .sources = sources,
    .scan = true,
    .deleted = true,
    .rest = true,
    .parse = parse,
};
