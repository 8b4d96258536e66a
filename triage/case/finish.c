#include "triage/case/database.h"

#include "triage/base/error.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int copy_sorted(struct case_file *file, const struct table *table)
{
    struct buffer sql = BUFFER_EMPTY;

    buffer_format(&sql, "INSERT INTO main.%s (", table->name);
    table_column_list(table, &sql);
    buffer_add_text(&sql, ") SELECT ");
    table_column_list(table, &sql);
    buffer_format(&sql, " FROM partial.%s ORDER BY %s", table->name, table->order);
    const int result = database_execute(file, buffer_text(&sql));
    buffer_release(&sql);
    return result;
}

static int attach_partial(struct case_file *file)
{
    sqlite3_stmt *statement = NULL;

    if (sqlite3_prepare_v2(file->database, "ATTACH DATABASE ? AS partial", -1, &statement, NULL) !=
        SQLITE_OK)
        return database_error(file, "the case database refuses");
    sqlite3_bind_text(statement, 1, file->partial_path, -1, SQLITE_STATIC);
    const int result = sqlite3_step(statement);
    sqlite3_finalize(statement);
    return result == SQLITE_DONE ? 0 : database_error(file, "the case database cannot be finished");
}

/* A file that was listed first and copied later has two rows: the copy's says more. */
static int drop_listed_twice(struct case_file *file)
{
    return database_execute(
        file, "CREATE INDEX partial.file_key ON file (path, mft_entry, evidence);"
              "DELETE FROM partial.file WHERE stored = '' AND EXISTS (SELECT 1 FROM "
              "partial.file s WHERE s.path = file.path AND s.mft_entry = file.mft_entry AND "
              "s.evidence = file.evidence AND s.volume = file.volume AND "
              "s.snapshot = file.snapshot AND s.stored <> '')");
}

/* Of the last indicator before each row of context and the first one after it, the nearer one; of
 * those of one time the first. The times are asked for by themselves: any number of indicators may
 * have the same one. */
#define INDICATORS_AT(time, distance)                                                              \
    "SELECT * FROM (SELECT i.rowid AS r, " distance " AS d FROM main.indicator i WHERE "           \
    "i.dated = 1 AND i.timestamp = (SELECT " time ") ORDER BY i.rowid LIMIT 1)"
#define NEAREST_INDICATOR                                                                          \
    "UPDATE main.context SET near = (SELECT r FROM (" INDICATORS_AT(                               \
        "MAX(b.timestamp) FROM main.indicator b WHERE b.dated = 1 AND "                            \
        "b.timestamp <= context.timestamp",                                                        \
        "context.timestamp - i.timestamp") " UNION ALL " INDICATORS_AT("MIN(b.timestamp) FROM "    \
                                                                       "main.indicator b WHERE "   \
                                                                       "b.dated = 1 AND "          \
                                                                       "b.timestamp >= "           \
                                                                       "context.timestamp",        \
                                                                       "i.timestamp - "            \
                                                                       "context.timestamp") ") "   \
                                                                                            "ORDE" \
                                                                                            "R "   \
                                                                                            "BY "  \
                                                                                            "d, "  \
                                                                                            "r "   \
                                                                                            "LIMI" \
                                                                                            "T "   \
                                                                                            "1);"

static int build_sorted(struct case_file *file)
{
    char pragmas[160];

    snprintf(pragmas, sizeof pragmas,
             DATABASE_PAGES
             "PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; PRAGMA application_id=%d; "
             "PRAGMA user_version=%d",
             CASE_APPLICATION_ID, CASE_SCHEMA_VERSION);
    if (database_execute(file, pragmas) < 0 || attach_partial(file) < 0 ||
        database_execute(file, "BEGIN") < 0 || tables_create(file, false) < 0)
        return -1;
    if (drop_listed_twice(file) < 0)
        return -1;
    for (size_t i = 0; i < TABLE_COUNT; i++)
        if (case_tables[i].order && copy_sorted(file, &case_tables[i]) < 0)
            return -1;
    return database_execute(
        file, "INSERT INTO main.document SELECT name, body FROM partial.document WHERE name <> "
              "'" CASE_RUN_DOCUMENT "' ORDER BY name;"
              "CREATE INDEX main.indicator_time ON indicator (dated, timestamp);" NEAREST_INDICATOR
              "COMMIT; DETACH DATABASE partial");
}

/* Lines of schema.sql. */
static const char *const schema[] = {
#include "triage/case/schema.inc"
};

/* The tables that are made of the findings, the indexes and the views. */
static int add_derived(struct case_file *file)
{
    struct buffer sql = BUFFER_EMPTY;

    buffer_add_text(&sql, "BEGIN;\n");
    for (size_t i = 0; i < sizeof schema / sizeof *schema; i++)
        buffer_format(&sql, "%s\n", schema[i]);
    buffer_add_text(&sql, "COMMIT");
    const int result = buffer_failed(&sql) ? error_set("out of memory")
                                           : database_execute(file, buffer_text(&sql));
    buffer_release(&sql);
    return result;
}

/* What was just written is read back once; of a huge database that would take minutes. */
static int check_whole(struct case_file *file)
{
    static const int64_t most = (int64_t)2 << 30;
    sqlite3_stmt *statement = NULL;
    struct stat status;
    int result = 0;

    if (stat(file->database_path, &status) != 0 || status.st_size > most)
        return 0;
    if (sqlite3_prepare_v2(file->database, "PRAGMA quick_check(1)", -1, &statement, NULL) !=
            SQLITE_OK ||
        sqlite3_step(statement) != SQLITE_ROW)
        result = database_error(file, "the case database cannot be checked");
    else if (strcmp((const char *)sqlite3_column_text(statement, 0), "ok") != 0)
        result = error_set("the case database is damaged: %s",
                           (const char *)sqlite3_column_text(statement, 0));
    sqlite3_finalize(statement);
    return result;
}

static void remove_partial(const struct case_file *file)
{
    char *side = NULL;

    unlink(file->partial_path);
    if ((side = database_join(file->folder, "case.db.partial-journal")))
        unlink(side);
    free(side);
}

int case_finish(struct case_file *file, int (*complete)(void *context, struct case_file *file),
                void *context)
{
    char *new_path = database_join(file->folder, "case.db.new");
    int result = new_path ? database_execute(file, "COMMIT") : error_set("out of memory");

    database_close(file);
    if (result == 0)
        unlink(new_path);
    if (result == 0)
        result = database_open(file, new_path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
    if (result == 0)
        result = build_sorted(file);
    if (result == 0 && complete)
        result = complete(context, file);
    if (result == 0)
        result = add_derived(file);
    database_close(file);
    if (result == 0 && rename(new_path, file->database_path) != 0)
        result = error_set_errno("cannot finish '%s'", file->database_path);
    if (result == 0)
        remove_partial(file);
    if (result == 0)
        result = database_open(file, file->database_path, SQLITE_OPEN_READONLY);
    if (result == 0)
        result = check_whole(file);
    free(new_path);
    return result;
}
