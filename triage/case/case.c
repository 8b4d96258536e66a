#include "triage/case/database.h"
#include "triage/case/folder.h"

#include "triage/base/error.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int database_error(struct case_file *file, const char *what)
{
    return error_set("%s: %s", what,
                     file->database ? sqlite3_errmsg(file->database) : "out of memory");
}

int database_execute(struct case_file *file, const char *sql)
{
    if (sqlite3_exec(file->database, sql, NULL, NULL, NULL) != SQLITE_OK)
        return database_error(file, "the case database refuses");
    return 0;
}

char *database_join(const char *folder, const char *name)
{
    char *path = NULL;

    return asprintf(&path, "%s/%s", folder, name) < 0 ? NULL : path;
}

int database_open(struct case_file *file, const char *path, int flags)
{
    if (sqlite3_open_v2(path, &file->database, flags, NULL) != SQLITE_OK)
        return database_error(file, path);
    return 0;
}

void database_close(struct case_file *file)
{
    for (size_t i = 0; i < TABLE_COUNT; i++) {
        sqlite3_finalize(file->inserts[i]);
        file->inserts[i] = NULL;
    }
    sqlite3_finalize(file->task_query);
    sqlite3_finalize(file->task_insert);
    file->task_query = file->task_insert = NULL;
    sqlite3_close(file->database);
    file->database = NULL;
}

static struct case_file *new_file(const char *folder)
{
    struct case_file *file = calloc(1, sizeof *file);

    if (!file)
        return NULL;
    file->folder = strdup(folder);
    file->database_path = database_join(folder, "case.db");
    file->partial_path = database_join(folder, "case.db.partial");
    if (!file->folder || !file->database_path || !file->partial_path) {
        case_close(file);
        return NULL;
    }
    return file;
}

/* What an unfinished task left behind goes: it will run again. So will those that could not read
 * all: damage is told by who meets it, and what a worker died of may have passed. */
static int drop_unfinished(struct case_file *file)
{
    struct buffer sql = BUFFER_EMPTY;
    int result =
        database_execute(file, "DELETE FROM task WHERE key IN (SELECT task FROM unread) OR "
                               "key IN (SELECT task FROM coverage WHERE damage <> '[]')");

    for (size_t i = 0; i < TABLE_COUNT && result == 0; i++) {
        buffer_clear(&sql);
        buffer_format(&sql, "DELETE FROM %s WHERE task NOT IN (SELECT key FROM task)",
                      case_tables[i].name);
        result = database_execute(file, buffer_text(&sql));
    }
    buffer_release(&sql);
    return result;
}

/* A run that was killed at once has none yet. */
static bool has_tables(struct case_file *file)
{
    return sqlite3_table_column_metadata(file->database, NULL, "task", NULL, NULL, NULL, NULL, NULL,
                                         NULL) == SQLITE_OK;
}

static int open_partial(struct case_file *file, enum case_mode mode)
{
    const int flags =
        mode == CASE_RESUME ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;

    if (mode == CASE_RESUME && access(file->partial_path, F_OK) != 0)
        return error_set(
            access(file->database_path, F_OK) == 0
                ? "the case in '%s' is finished: extriage report writes its outputs again"
                : "'%s' holds no interrupted case",
            file->folder);
    if (mode == CASE_RESUME)
        case_folder_remove_files(file->folder); /* copying begins anew */
    if (database_open(file, file->partial_path, flags) < 0 ||
        database_execute(file,
                         DATABASE_PAGES "PRAGMA journal_mode=TRUNCATE; PRAGMA synchronous=OFF; "
                                        "PRAGMA temp_store=MEMORY") < 0)
        return -1;
    if (database_execute(file, "BEGIN") < 0 ||
        (has_tables(file) ? drop_unfinished(file) : tables_create(file, true)) < 0 ||
        database_execute(file, "COMMIT; BEGIN") < 0)
        return -1;
    return case_prepare_inserts(file);
}

int case_create(const char *folder, enum case_mode mode, struct case_file **out)
{
    if (case_folder_prepare(folder, mode) < 0)
        return -1;
    struct case_file *file = new_file(folder);
    if (!file)
        return error_set("out of memory");
    if (open_partial(file, mode) < 0) {
        case_close(file);
        return -1;
    }
    *out = file;
    return 0;
}

/* The file belongs to `out`, or is closed. */
static int open_finished(struct case_file *file, struct case_file **out)
{
    if (access(file->database_path ? file->database_path : "", R_OK) != 0) {
        error_set_errno("'%s' holds no finished case", file->folder);
        case_close(file);
        return -1;
    }
    if (database_open(file, file->database_path, SQLITE_OPEN_READONLY) < 0) {
        case_close(file);
        return -1;
    }
    *out = file;
    return 0;
}

int case_open_fleet(const char *folder, struct case_file **out)
{
    struct case_file *file = new_file(folder);

    if (!file)
        return error_set("out of memory");
    file->is_fleet = true;
    free(file->database_path);
    file->database_path = database_join(folder, "fleet.db");
    return open_finished(file, out);
}

bool case_is_fleet(const struct case_file *file)
{
    return file->is_fleet;
}

int case_open(const char *folder, struct case_file **out)
{
    struct case_file *file = new_file(folder);

    return file ? open_finished(file, out) : error_set("out of memory");
}

void case_close(struct case_file *file)
{
    if (!file)
        return;
    if (file->database && !sqlite3_get_autocommit(file->database))
        sqlite3_exec(file->database, "COMMIT", NULL, NULL, NULL);
    database_close(file);
    free(file->folder);
    free(file->database_path);
    free(file->partial_path);
    free(file);
}

const char *case_folder(const struct case_file *file)
{
    return file->folder;
}
