/* What joined cases say together. */
#ifndef TRIAGE_REPORT_FLEET_REPORT_H
#define TRIAGE_REPORT_FLEET_REPORT_H

#include "triage/case/custody.h"

/* Writes fleet.html, fleet.json and fleet.md into the fleet's folder; -1 with error_text. */
int fleet_report(struct case_file *fleet);
/* One of the timelines, "jsonl" or "csv", and its hash. */
int fleet_timeline(struct case_file *fleet, const char *name, struct custody_known *written);

#endif
