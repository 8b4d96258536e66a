/*
 * Comma separated logs as Exchange writes them: RFC 4180 quoting for most, raw quotes in cells that
 * its HTTP modules do not escape, records that a crash cut in the middle of a quoted cell.
 */
#ifndef TRIAGE_FORMATS_CSV_H
#define TRIAGE_FORMATS_CSV_H

#include "triage/formats/columns.h"

enum {
    CSV_RECORD_CEILING = 1 << 20,
    CSV_BREAKS_CEILING = 512
}; /* of one record with line breaks in cells */

/* Columns from a line of names. */
void csv_header(struct columns *columns, struct slice names);

/* Does the line name the columns, rather than hold their values? Its first name is `first`, or that
 * of `columns`. */
bool csv_is_header(const struct columns *columns, struct slice line);

/*
 * The record at the start of `text`, with `line` the size of its first line as the scan saw it (a
 * quote opens and closes wherever it stands). On return `size` is what the record takes, without
 * its line end, and `breaks` the line ends in it. Whatever fits the number of columns wins, in this
 * order: quotes anywhere; quotes at the start of a cell only; quotes as plain bytes, when the next
 * line starts like a record; a quoted cell over several lines. What still does not fit: commas
 * within one cell, a record cut short behind column `needed`. RECORD_MORE when `final` is false and
 * the end is not in sight.
 */
enum record_state csv_record(const struct columns *columns, struct slice text, size_t line,
                             bool final, size_t needed, struct cells *cells, size_t *size,
                             size_t *breaks);

#endif
