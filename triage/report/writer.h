/*
 * A writer prints one output from a finished case: one const struct `writer_NAME` in
 * triage/report/NAME.c, listed in WRITERS of triage/local.mk, from which make generates the
 * registry.
 */
#ifndef TRIAGE_REPORT_WRITER_H
#define TRIAGE_REPORT_WRITER_H

#include "triage/case/case.h"

#include <stdio.h>

struct writer {
    const char *name, *file, *title; /* "jsonl", "timeline.jsonl", what it holds */
    bool optional;                   /* only written when it is asked for by name */
    int (*write)(struct case_file *file, FILE *out);
};

/* All writers, in the order of the list. */
const struct writer *const *writer_all(size_t *count);
const struct writer *writer_by_name(const char *name);
/* Runs one writer into its file in the case folder; -1 with error_text. */
int writer_run(const struct writer *writer, struct case_file *file);

#endif
