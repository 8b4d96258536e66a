/* Inside of postgres.c: the rows of one table of a case into the table of the same name. */
#ifndef TRIAGE_CASE_POSTGRES_COPY_H
#define TRIAGE_CASE_POSTGRES_COPY_H

#include "triage/case/database.h"

/* Debian keeps it in a folder of its own, others do not. */
#if __has_include(<libpq-fe.h>)
#include <libpq-fe.h>
#else
#include <postgresql/libpq-fe.h>
#endif

/* -1, with the first line of what the server says behind `what`. */
int postgres_error(PGconn *connection, const char *what);
/* -1 for what is no plain name: it would be taken for SQL. */
int postgres_check_name(const char *name);
/* Makes the table of that name, with the server's number and the row's number in front. */
int postgres_create_table(PGconn *connection, struct case_file *file, const char *table);
/* Sends all rows, and makes sure that so many arrived. */
int postgres_copy_table(PGconn *connection, struct case_file *file, const char *table,
                        int64_t server);

#endif
