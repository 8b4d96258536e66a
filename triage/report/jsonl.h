/* Indicators as JSON lines. */
#ifndef TRIAGE_REPORT_JSONL_H
#define TRIAGE_REPORT_JSONL_H

#include "triage/case/case.h"

#include <stdio.h>

/* Writes the dated or the undated indicators; -1 with error_text. */
int jsonl_write(struct case_file *file, bool dated, FILE *out);

#endif
