/*
 * Inside of a case: the database behind struct case_file, for the files of this folder only. It
 * says what SQLite said in error_text.
 */
#ifndef TRIAGE_CASE_DATABASE_H
#define TRIAGE_CASE_DATABASE_H

#include "triage/case/case.h"
#include "triage/case/tables.h"

#include <sqlite3.h>
#include <time.h>

/* Rows have some KiB: several to a page, and fewer writes. */
#define DATABASE_PAGES "PRAGMA page_size=32768; PRAGMA cache_size=-8192; "

struct case_file {
    char *folder, *database_path, *partial_path;
    bool is_fleet, is_foreign;
    bool made_folder;
    sqlite3 *database;
    sqlite3_stmt *inserts[TABLE_COUNT];
    sqlite3_stmt *task_query /* NULL until tasks are sought by key */, *task_insert;
    bool has_tasks;            /* some are done */
    int64_t last[TABLE_COUNT]; /* rowids */
    bool failed;               /* a row could not be stored: what comes later would have a gap */
    size_t unflushed;
    time_t flushed; /* when, so that a run that is killed loses seconds */
};

/* -1, with what SQLite says behind `what`. */
int database_error(struct case_file *file, const char *what);
int database_execute(struct case_file *file, const char *sql);
int database_open(struct case_file *file, const char *path, int flags);
/* Reads the database once, for a minute at most. `problem` says what is wrong. */
enum database_state { DATABASE_WHOLE, DATABASE_UNCHECKED, DATABASE_DAMAGED };
enum database_state database_check(struct case_file *file, char *problem, size_t size);
/* With all statements that are kept with it. */
void database_close(struct case_file *file);
/* A path on the heap; NULL without memory. */
char *database_join(const char *folder, const char *name);
/* While collecting each row names its task, and there are the tables that only a run needs. */
int tables_create(struct case_file *file, bool with_task);
/* All that a finished case has, without rows. */
int schema_create(struct case_file *file);
/* A finished case may come from anybody: -1 with a sentence that names it when it is not one that
 * this version makes, or holds what no run writes. To be called before anything is read of it. */
int database_check_foreign(struct case_file *file);
/* What holds for each handle on such a case, whether it was checked or not. */
int database_guard_foreign(struct case_file *file);
/* The statements with which rows are collected. */
int case_prepare_inserts(struct case_file *file);
bool case_is_flush_due(const struct case_file *file);
/* SQLITE_DONE is 0; all else is an error, after which nothing more is stored. */
int case_stored(struct case_file *file, int result);
int tasks_prepare(struct case_file *file);
/* When a case is resumed: what an unfinished task left behind goes. */
int tasks_drop_unfinished(struct case_file *file);

#endif
