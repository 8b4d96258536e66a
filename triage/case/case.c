#include "triage/case/database.h"
#include "triage/case/folder.h"

#include "triage/base/error.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

int database_error(struct case_file *file, const char *what)
{
    const int reason = file->database ? sqlite3_system_errno(file->database) : 0;

    if (!file->database)
        return error_set("%s: out of memory", what);
    return error_set("%s: %s%s%s%s", what, sqlite3_errmsg(file->database), reason ? " (" : "",
                     reason ? strerror(reason) : "", reason ? ")" : "");
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
    /* A handle is used by one thread only. */
    if (sqlite3_open_v2(path, &file->database, flags | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK)
        return database_error(file, path);
    /* It may come from somebody else. */
    if (flags & SQLITE_OPEN_READONLY)
        sqlite3_db_config(file->database, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
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

/* A run that was killed at once has none yet. */
static bool has_tables(struct case_file *file)
{
    return sqlite3_table_column_metadata(file->database, NULL, "task", NULL, NULL, NULL, NULL, NULL,
                                         NULL) == SQLITE_OK;
}

enum { CHECK_SECONDS = 60 };

static int64_t seconds_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec;
}

static int is_late(void *until)
{
    return seconds_now() > *(const int64_t *)until;
}

enum database_state database_check(struct case_file *file, char *problem, size_t size)
{
    enum { INSTRUCTIONS = 100000 }; /* between looks at the clock */
    int64_t until = seconds_now() + CHECK_SECONDS;
    enum database_state state = DATABASE_DAMAGED;
    sqlite3_stmt *statement = NULL;

    sqlite3_progress_handler(file->database, INSTRUCTIONS, is_late, &until);
    int result = sqlite3_prepare_v2(file->database, "PRAGMA quick_check(1)", -1, &statement, NULL);
    if (result == SQLITE_OK)
        result = sqlite3_step(statement);
    if (result == SQLITE_ROW)
        snprintf(problem, size, "%s", (const char *)sqlite3_column_text(statement, 0));
    else
        snprintf(problem, size, "%s", sqlite3_errmsg(file->database));
    if (result == SQLITE_INTERRUPT)
        state = DATABASE_UNCHECKED;
    else if (result == SQLITE_ROW && strcmp(problem, "ok") == 0)
        state = DATABASE_WHOLE;
    sqlite3_finalize(statement);
    sqlite3_progress_handler(file->database, 0, NULL, NULL);
    return state;
}

/* Whether what was there is sound. A case that is resumed may have met a loss of power. */
static int check_partial(struct case_file *file)
{
    char problem[200];
    const enum database_state state = database_check(file, problem, sizeof problem);

    return state == DATABASE_DAMAGED ? error_set("'%s' is damaged (%s): start again with --clobber",
                                                 file->partial_path, problem)
                                     : 0;
}

/* The write-ahead log keeps the database whole whatever happens; each flush waits for the disk. The
 * lock, which is never given up, keeps a second run away and works without shared memory. */
static const char collecting[] =
    DATABASE_PAGES "PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=WAL; "
                   "PRAGMA synchronous=FULL; PRAGMA temp_store=MEMORY; BEGIN IMMEDIATE";

static int begin_collecting(struct case_file *file)
{
    const int result = sqlite3_exec(file->database, collecting, NULL, NULL, NULL);

    if (result == SQLITE_BUSY)
        return error_set("another run is at work on the case in '%s'", file->folder);
    return result == SQLITE_OK ? 0 : database_error(file, file->partial_path);
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
    if (database_open(file, file->partial_path, flags) < 0 || begin_collecting(file) < 0)
        return -1;
    const bool resumed = has_tables(file);
    if ((resumed && check_partial(file) < 0) ||
        (resumed ? tasks_drop_unfinished(file) : tables_create(file, true)) < 0 ||
        database_execute(file, "COMMIT; BEGIN") < 0)
        return -1;
    return case_prepare_inserts(file);
}

int case_create(const char *folder, enum case_mode mode, struct case_file **out)
{
    const bool was_there = access(folder, F_OK) == 0;

    if (case_folder_prepare(folder, mode) < 0)
        return -1;
    struct case_file *file = new_file(folder);
    if (!file)
        return error_set("out of memory");
    file->made_folder = !was_there;
    if (open_partial(file, mode) < 0 ||
        (mode == CASE_RESUME && case_folder_remove_outputs(folder) < 0)) {
        case_close(file);
        return -1;
    }
    *out = file;
    return 0;
}

/* The file belongs to `out`, or is closed. */
static int open_finished(struct case_file *file, struct case_file **out)
{
    struct stat status;

    if (access(file->database_path ? file->database_path : "", R_OK) != 0) {
        error_set_errno("'%s' holds no finished case", file->folder);
        case_close(file);
        return -1;
    }
    if (stat(file->database_path, &status) != 0 || !S_ISREG(status.st_mode)) {
        error_set("'%s' is no file", file->database_path);
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

    if (!file)
        return error_set("out of memory");
    if (open_finished(file, &file) < 0)
        return -1;
    if (database_check_foreign(file) < 0) {
        case_close(file);
        return -1;
    }
    *out = file;
    return 0;
}

int case_open_again(const struct case_file *open, struct case_file **out)
{
    struct case_file *file = new_file(open->folder);

    if (!file)
        return error_set("out of memory");
    if (open_finished(file, &file) < 0)
        return -1;
    if (open->is_foreign && database_guard_foreign(file) < 0) {
        case_close(file);
        return -1;
    }
    *out = file;
    return 0;
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

void case_discard(struct case_file *file)
{
    char *folder = strdup(file->folder);
    const bool made_folder = file->made_folder;

    case_close(file);
    if (folder)
        case_folder_take_back(folder, made_folder);
    free(folder);
}

const char *case_folder(const struct case_file *file)
{
    return file->folder;
}
