/* The verdict on a terminal: what happened, step by step, and what to do next. */
#ifndef TRIAGE_COMMANDS_VERDICT_TEXT_H
#define TRIAGE_COMMANDS_VERDICT_TEXT_H

#include "triage/case/case.h"

#include <stdio.h>

/* A heading in the first column and text beside it, wrapped between words; control bytes are
 * left out. */
void text_beside(const char *heading, const char *text, FILE *out);
/* The verdict's sentences. */
void verdict_text_summary(struct case_file *file, FILE *out);
/* Each intrusion with its steps, when there is none what was tried or must be explained, and the
 * first leads; how many incidents there are. */
size_t verdict_text_incidents(struct case_file *file, FILE *out);

#endif
