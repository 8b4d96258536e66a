/*
 * Keys and values wait as lines of text until many are there: the prefilter looks at all of them in
 * one pass, and only those that a rule could match become events.
 */
#ifndef ARTIFACTS_REGISTRY_LINES_H
#define ARTIFACTS_REGISTRY_LINES_H

#include "artifacts/artifact.h"

enum { REGISTRY_LINES_MOST = 512 };

#define REGISTRY_FOUND_MARK " : "

/* A line: "target", or "target = details", or "target = details : found" with what can be read
 * within binary data. */
struct registry_line {
    size_t target_end, details, details_end, end; /* places in the text; no details: all the same */
    struct instant when;
    uint64_t offset, number;
    bool deleted, is_value;
};

struct registry_lines {
    struct job *job;
    struct buffer text;
    enum answer { NOT_ASKED, NOT_ALWAYS, ALWAYS } answers[2][2]; /* by sort of line */
    struct registry_line list[REGISTRY_LINES_MOST];
    size_t count;
};

void registry_lines_release(struct registry_lines *lines);
/* The line that was added to the text behind the others is whole; many are looked at now. */
void registry_lines_end(struct registry_lines *lines, const struct registry_line *line);
/* Has the prefilter look at the lines, tells those that it nominates, and forgets them all. */
void registry_lines_flush(struct registry_lines *lines);

#endif
