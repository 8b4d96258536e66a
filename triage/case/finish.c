#include "triage/case/database.h"

#include "triage/base/durable.h"
#include "triage/base/error.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* A file that was listed first and copied later has two rows: the copy's says more. */
static const char but_listed_twice[] =
    " WHERE stored <> '' OR NOT EXISTS (SELECT 1 FROM partial.file s WHERE s.path = file.path AND "
    "s.mft_entry = file.mft_entry AND s.evidence = file.evidence AND s.volume = file.volume AND "
    "s.snapshot = file.snapshot AND s.stored <> '')";

static int index_copies(struct case_file *file)
{
    return database_execute(file, "CREATE INDEX IF NOT EXISTS partial.file_copied ON file (path, "
                                  "mft_entry, evidence, volume, snapshot) WHERE stored <> ''");
}

static int copy_sorted(struct case_file *file, enum table_id id)
{
    const struct table *table = &case_tables[id];
    struct buffer sql = BUFFER_EMPTY;

    buffer_format(&sql, "INSERT INTO main.%s (", table->name);
    table_column_list(table, &sql);
    buffer_add_text(&sql, ") SELECT ");
    table_column_list(table, &sql);
    buffer_format(&sql, " FROM partial.%s%s ORDER BY %s", table->name,
                  id == STORED ? but_listed_twice : "", table->order);
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

#define INDEX_BY_TIME "CREATE INDEX main.indicator_time ON indicator (dated, timestamp);"

static int build_sorted(struct case_file *file)
{
    char pragmas[240];

    snprintf(pragmas, sizeof pragmas,
             DATABASE_PAGES "PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=OFF; "
                            "PRAGMA synchronous=OFF; PRAGMA application_id=%d; "
                            "PRAGMA user_version=%d",
             CASE_APPLICATION_ID, CASE_SCHEMA_VERSION);
    if (database_execute(file, pragmas) < 0 || attach_partial(file) < 0 ||
        database_execute(file, "BEGIN") < 0 || tables_create(file, false) < 0)
        return -1;
    if (index_copies(file) < 0)
        return -1;
    for (size_t i = 0; i < TABLE_COUNT; i++)
        if (case_tables[i].order && copy_sorted(file, (enum table_id)i) < 0)
            return -1;
    return database_execute(
        file, "INSERT INTO main.document SELECT name, body FROM partial.document WHERE name NOT "
              "LIKE '" CASE_RUN_DOCUMENT "%' ORDER BY name;" INDEX_BY_TIME NEAREST_INDICATOR
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

int schema_create(struct case_file *file)
{
    return tables_create(file, false) < 0 || database_execute(file, INDEX_BY_TIME) < 0
               ? -1
               : add_derived(file);
}

/* What was just written is read back once. */
static int check_whole(struct case_file *file)
{
    char problem[200];

    return database_check(file, problem, sizeof problem) == DATABASE_DAMAGED
               ? error_set("the case database is damaged: %s", problem)
               : 0;
}

static int remove_partial(const struct case_file *file)
{
    static const char *const sides[] = {"", "-wal", "-shm", "-journal"};
    int result = 0;

    for (size_t i = sizeof sides / sizeof *sides; i > 0; i--) {
        char *path = NULL;
        if (asprintf(&path, "%s%s", file->partial_path, sides[i - 1]) < 0)
            return error_set("out of memory");
        if (unlink(path) != 0 && errno != ENOENT)
            result = error_set_errno("cannot remove '%s'", path);
        free(path);
    }
    return result;
}

int case_conclude(struct case_file *file)
{
    return durable_sync_all(file->folder) < 0 || remove_partial(file) < 0
               ? -1
               : durable_sync(file->folder);
}

static int build(struct case_file *file, const char *path,
                 int (*complete)(void *context, struct case_file *file), void *context)
{
    int result = database_open(file, path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);

    if (result == 0)
        result = build_sorted(file);
    if (result == 0 && complete)
        result = complete(context, file);
    if (result == 0)
        result = add_derived(file);
    database_close(file);
    return result;
}

/* Nothing of the new database is kept that is not whole. */
int case_finish(struct case_file *file, int (*complete)(void *context, struct case_file *file),
                void *context)
{
    char *new_path = database_join(file->folder, "case.db.new");
    int result = new_path ? database_execute(file, "COMMIT") : error_set("out of memory");

    database_close(file);
    if (result == 0) {
        unlink(new_path);
        result = build(file, new_path, complete, context);
        if (result == 0)
            result = durable_rename(new_path, file->database_path);
        if (result < 0)
            unlink(new_path);
    }
    if (result == 0)
        result = database_open(file, file->database_path, SQLITE_OPEN_READONLY);
    if (result == 0)
        result = check_whole(file);
    free(new_path);
    return result;
}
