/*
 * Compiling YARA rule files, or taking them compiled from the cache. A rule that does not compile
 * costs itself and the rules that rest on it, not its file.
 */
#ifndef TRIAGE_MATCH_CONTENT_COMPILE_H
#define TRIAGE_MATCH_CONTENT_COMPILE_H

#include "triage/base/arena.h"
#include "triage/match/content.h"

struct YR_RULES;

/* A rule file as it was added; what did not compile is blanks. */
struct content_source {
    const char *path;
    char *text;
};

/* The external variables, in the order of struct content_file. */
enum { CONTENT_VARIABLES = 6 };
extern const char *const content_variables[CONTENT_VARIABLES];

/* Sets error_text; -1. */
int content_yara_error(const char *what, int code);
/* Compiles one file, telling what of it is left out. -1 with error_text and the line when nothing
 * of it can be used. */
int content_compile_file(struct arena *arena, struct content_source *source,
                         const struct content_refusals *refusals, unsigned *line,
                         struct YR_RULES **out);
/* Compiles files together that were compiled before, each in a namespace of its own. */
int content_compile_all(const struct content_source *sources, size_t count, struct YR_RULES **out);

#endif
