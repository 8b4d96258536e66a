/* Extended Protection: what the configuration in force asks of clients, for vulnerabilities that no
 * update closes. For exposure.c. */
#ifndef TRIAGE_FINDINGS_PROTECTION_H
#define TRIAGE_FINDINGS_PROTECTION_H

#include "triage/findings/exposure.h"

/* -1 with error_text. */
int protection_make(struct case_file *file, struct arena *arena, struct protection *protection);

#endif
