/* All outputs of a case that are asked for, side by side, and their hashes. */
#ifndef TRIAGE_REPORT_OUTPUTS_H
#define TRIAGE_REPORT_OUTPUTS_H

#include "triage/case/custody.h"
#include "triage/report/writer.h"

struct outputs {
    bool (*is_wanted)(const void *context, const struct writer *writer);
    const void *context;
    unsigned lanes; /* writers at work at once; 0 and 1: one after the other */
    /* What is known afterwards: for custody_write_sums_knowing(). */
    struct custody_known *known;
    size_t known_count;
};

/* Writes them from the finished case, and hashes each, and case.db, while its bytes are still in
 * memory. -1 with the error_text of the first that failed. */
int outputs_write(struct outputs *outputs, struct case_file *file);
void outputs_release(struct outputs *outputs);

#endif
