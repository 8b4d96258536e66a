/* Tables of the program's own data: tab-separated, a '#' line is a comment, the first other line
 * names the columns. */
#ifndef TRIAGE_BASE_TSV_H
#define TRIAGE_BASE_TSV_H

#include "triage/base/arena.h"

enum { TSV_MOST_COLUMNS = 16 };

/*
 * Calls `row` for each line behind the header with the texts of `names`' columns, wherever these
 * stand in the file; "" for a column that the file or the line lacks. The texts live in the arena.
 * -1 with error_text when the file cannot be read, lacks the first of the names, or row gave -1.
 */
int tsv_read(const char *path, const char *const *names, size_t count, struct arena *arena,
             int (*row)(void *context, const char *const *texts), void *context);

#endif
