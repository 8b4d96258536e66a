/* What joined cases say together. */
#ifndef TRIAGE_REPORT_FLEET_REPORT_H
#define TRIAGE_REPORT_FLEET_REPORT_H

#include "triage/case/case.h"

/* Writes fleet.json, fleet.md, timeline.jsonl and timeline.csv into the fleet's folder; -1 with
 * error_text. */
int fleet_report(struct case_file *fleet);

#endif
