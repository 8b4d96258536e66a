/*
 * W3C extended log files as IIS, http.sys and their relatives write them: '#' directives, columns
 * by name, one blank between cells. Format: https://www.w3.org/TR/WD-logfile and "IIS Log File
 * Format" in Microsoft's documentation.
 */
#ifndef TRIAGE_FORMATS_W3C_LOG_H
#define TRIAGE_FORMATS_W3C_LOG_H

#include "triage/formats/columns.h"

/* The value of a directive ("#Fields: ..."), trimmed; false when the line is not that directive.
 * Any letter case. */
bool log_directive(struct slice line, const char *name, struct slice *value);

/* Columns from the value of a #Fields directive. "cs(User-Agent)" becomes "cs-user-agent" and so
 * on. */
void w3c_header(struct columns *columns, struct slice names);

/*
 * The cells of a line that is neither empty nor a directive, with its state. `quoted`: cells may
 * stand in quotes and be padded with blanks (IIS Advanced Logging and others; IIS itself never
 * quotes). Repairs: doubled blanks, blanks within one cell, a line cut short behind method and
 * path.
 */
enum record_state w3c_record(const struct columns *columns, bool quoted, struct slice line,
                             struct cells *cells);

#endif
