/* Outputs that have one line for each row: the buffer, the stream and the error are handled once.
 */
#ifndef TRIAGE_REPORT_LINES_H
#define TRIAGE_REPORT_LINES_H

#include "triage/base/buffer.h"
#include "triage/case/case.h"

#include <stdio.h>

/* Puts one indicator into the buffer, line end included; may add nothing. */
typedef void lines_indicator(struct buffer *out, const struct case_indicator *row,
                             const struct case_rule *rule);
typedef void lines_stored(struct buffer *out, const struct case_stored *row);

/* The header (may be NULL), then a line for each dated indicator, or each listed file. -1 with
 * error_text. */
int lines_write_indicators(struct case_file *file, const char *header, lines_indicator *line,
                           FILE *out);
int lines_write_stored(struct case_file *file, const char *header, lines_stored *line, FILE *out);

/* Text without control characters, each of `bad` and each line break as a blank; UTF-8 repaired. */
void lines_add_plain(struct buffer *out, struct slice text, const char *bad);
/* The same as a cell that no spreadsheet takes for a formula: an apostrophe before = + - @ . */
void lines_add_cell(struct buffer *out, const char *text, const char *bad);
/* "2021-03-03T04:37:12.118000+00:00" of microseconds since 1970. */
void lines_add_time(struct buffer *out, int64_t microseconds);
/* plaso's short names for where an event was read: FILE REG EVTX LOG WEBHIST. */
const char *lines_source(const struct case_indicator *row);
/* "NTFS:\inetpub\x.aspx", with "VSS1:" in front for a shadow copy. */
void lines_add_display_name(struct buffer *out, const struct case_indicator *row);

#endif
