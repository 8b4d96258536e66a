/* What all forms of the timeline share: one list of columns, the promise of INTERFACE.md. */
#ifndef TRIAGE_REPORT_TIMELINE_H
#define TRIAGE_REPORT_TIMELINE_H

#include "triage/base/json.h"
#include "triage/case/case.h"

/* Where the record stands in the evidence, and the record itself: members from `evidence` on. */
void timeline_record_json(const struct case_indicator *row, struct json *json);

/* One indicator as a JSON object on one line, '\n' included. Undated ones have no datetime and
 * timestamp. */
void timeline_json(const struct case_indicator *row, const struct case_rule *rule,
                   struct buffer *out);
/* An event from around an indicator: the same keys, those of a rule empty, and "near". */
void timeline_context_json(const struct case_context *row, const struct case_indicator *near,
                           const struct case_rule *rule, struct buffer *out);
/* The header of the CSV form, with the column `case` in front for a fleet, and one line of it,
 * "\r\n" included. */
void timeline_csv_header(bool with_case, struct buffer *out);
void timeline_csv(const struct case_indicator *row, const struct case_rule *rule,
                  struct buffer *out);
/* One CSV cell (RFC 4180): quoted where needed, line breaks as blanks, and a text that a
 * spreadsheet could take for a formula gets an apostrophe in front. */
void csv_cell(struct buffer *out, struct slice text);

#endif
