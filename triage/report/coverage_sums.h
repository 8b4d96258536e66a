/* Coverage summed up per artifact: records, first and last time, days and hours with and without
 * records. */
#ifndef TRIAGE_REPORT_COVERAGE_SUMS_H
#define TRIAGE_REPORT_COVERAGE_SUMS_H

#include "triage/base/json.h"
#include "triage/case/case.h"

/* Writes the array `artifacts` of coverage.json, sorted by artifact; -1 with error_text. */
int coverage_sums_json(struct case_file *file, struct json *json);

#endif
