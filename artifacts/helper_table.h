/* A file read by a helper program as tables: what its answer comes to for an artifact. Damage that
 * the helper tells is passed on as notices, a helper that lies or dies is one too. */
#ifndef ARTIFACTS_HELPER_TABLE_H
#define ARTIFACTS_HELPER_TABLE_H

#include "artifacts/artifact.h"
#include "triage/record/helper_rows.h"

/* Each row, in the order of `tables` where the helper reads a database. Values live for the call.
 * -1 with error_text ends the reading. */
typedef int helper_row_taker(void *context, const struct helper_reader *row);

/*
 * `tables`: names that are wanted, ended by NULL; NULL: what the file has. -1 with error_text when
 * the file could not be read to its end; `rows` (may be NULL) tells how many came before that.
 */
int helper_table_read(struct job *job, const char *helper, const char *const *tables,
                      helper_row_taker *take, void *context, uint64_t *rows);

/* The text of a value, from bytes as UTF-16 too; empty when it is neither. In the arena. */
struct slice helper_text(const struct helper_value *value, struct arena *arena);
/* OLE's count of days since 1899-12-30, or a FILETIME where the column holds one. */
struct instant helper_time(const struct helper_value *value);

#endif
