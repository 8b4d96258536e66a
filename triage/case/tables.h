/*
 * The tables of a case and what their columns are members of: the one place that knows both.
 */
#ifndef TRIAGE_CASE_TABLES_H
#define TRIAGE_CASE_TABLES_H

#include "triage/base/buffer.h"

#include <stddef.h>

struct sqlite3_stmt;

enum column_type { INTEGER, BOOLEAN, TEXT, BYTES };

struct column {
    const char *name;
    enum column_type type;
    size_t offset; /* of the member in the row's struct */
};

struct table {
    const char *name;
    const struct column *columns;
    size_t column_count;
    const char *order; /* a total order over what a row says, never over how it arrived */
};

enum table_id {
    RULE,
    INDICATOR,
    COVERAGE,
    REJECTED,
    FACT,
    CONTEXT,
    UNREAD,
    NOTICE,
    STORED,
    CORRELATED,
    DAMAGE,
    TABLE_COUNT
};

extern const struct table case_tables[TABLE_COUNT];

/* "name, name, ..." */
void table_column_list(const struct table *table, struct buffer *sql);
/* The columns of `table` as "PREFIX.name, ...". */
void table_prefixed_columns(const struct table *table, const char *prefix, struct buffer *sql);
/* A row's members to the statement's parameters from `first` on; texts are borrowed until it was
 * stepped. */
void table_bind_row(struct sqlite3_stmt *statement, int first, const struct table *table,
                    const void *row);
/* The statement's columns from `first` on to the row's members; texts are borrowed until the next
 * step. */
void table_load_row(struct sqlite3_stmt *statement, int first, const struct table *table,
                    void *row);

#endif
