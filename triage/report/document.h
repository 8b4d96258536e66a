/* Outputs that are a document of the case, as it is. */
#ifndef TRIAGE_REPORT_DOCUMENT_H
#define TRIAGE_REPORT_DOCUMENT_H

#include "triage/case/case.h"

#include <stdio.h>

/* -1 with error_text when the case has no document of that name, or it cannot be written. */
int document_write(struct case_file *file, const char *name, FILE *out);

#endif
