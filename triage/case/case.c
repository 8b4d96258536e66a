#include "triage/case/case.h"

#include "triage/base/error.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { FLUSH_ROWS = 50000, FLUSH_SECONDS = 5 };

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

/* clang-format off */
#define COLUMN(row, type, member) {#member, type, offsetof(struct row, member)}
#define ARRAY_COLUMN(row, name, member) {name, TEXT, offsetof(struct row, member)}

static const struct column rule_columns[] = {
    {"\"index\"", INTEGER, offsetof(struct case_rule, index)},
    COLUMN(case_rule, TEXT, name), COLUMN(case_rule, TEXT, id), COLUMN(case_rule, TEXT, title),
    COLUMN(case_rule, TEXT, language), COLUMN(case_rule, TEXT, level), COLUMN(case_rule, TEXT, confidence),
    COLUMN(case_rule, TEXT, author),
    COLUMN(case_rule, TEXT, tags), COLUMN(case_rule, TEXT, path), COLUMN(case_rule, INTEGER, line),
    COLUMN(case_rule, TEXT, sha256), COLUMN(case_rule, TEXT, state), COLUMN(case_rule, TEXT, reason),
};
static const struct column indicator_columns[] = {
    COLUMN(case_indicator, BOOLEAN, dated), COLUMN(case_indicator, INTEGER, timestamp),
    COLUMN(case_indicator, TEXT, timestamp_desc), COLUMN(case_indicator, TEXT, time_text),
    COLUMN(case_indicator, TEXT, time_basis), COLUMN(case_indicator, TEXT, message),
    COLUMN(case_indicator, INTEGER, level), COLUMN(case_indicator, INTEGER, rule),
    COLUMN(case_indicator, TEXT, host), COLUMN(case_indicator, TEXT, artifact),
    COLUMN(case_indicator, TEXT, path), COLUMN(case_indicator, TEXT, evidence),
    COLUMN(case_indicator, INTEGER, volume), COLUMN(case_indicator, INTEGER, snapshot),
    COLUMN(case_indicator, TEXT, mft_entry), COLUMN(case_indicator, INTEGER, offset),
    COLUMN(case_indicator, INTEGER, record), COLUMN(case_indicator, BYTES, raw),
    COLUMN(case_indicator, BOOLEAN, raw_cut), COLUMN(case_indicator, TEXT, raw_sha256),
    COLUMN(case_indicator, TEXT, fields), COLUMN(case_indicator, TEXT, how),
    COLUMN(case_indicator, TEXT, marks),
};
static const struct column coverage_columns[] = {
    COLUMN(case_coverage, TEXT, path), COLUMN(case_coverage, TEXT, artifact),
    COLUMN(case_coverage, TEXT, evidence), COLUMN(case_coverage, INTEGER, volume),
    COLUMN(case_coverage, INTEGER, snapshot), COLUMN(case_coverage, INTEGER, bytes),
    COLUMN(case_coverage, INTEGER, records), COLUMN(case_coverage, INTEGER, used),
    COLUMN(case_coverage, INTEGER, repaired), COLUMN(case_coverage, INTEGER, rejected),
    COLUMN(case_coverage, INTEGER, backward), COLUMN(case_coverage, BOOLEAN, continuous),
    COLUMN(case_coverage, INTEGER, gaps),
    COLUMN(case_coverage, INTEGER, missing), COLUMN(case_coverage, TEXT, first),
    COLUMN(case_coverage, TEXT, last), COLUMN(case_coverage, TEXT, days), COLUMN(case_coverage, TEXT, hours),
    COLUMN(case_coverage, TEXT, damage),
};
static const struct column rejected_columns[] = {
    COLUMN(case_rejected, TEXT, path), COLUMN(case_rejected, TEXT, artifact),
    COLUMN(case_rejected, TEXT, evidence), COLUMN(case_rejected, INTEGER, volume),
    COLUMN(case_rejected, INTEGER, snapshot), COLUMN(case_rejected, INTEGER, offset),
    COLUMN(case_rejected, INTEGER, record), COLUMN(case_rejected, BYTES, raw),
    COLUMN(case_rejected, BOOLEAN, raw_cut),
};
static const struct column fact_columns[] = {
    COLUMN(case_fact, TEXT, kind), COLUMN(case_fact, BOOLEAN, dated),
    COLUMN(case_fact, INTEGER, timestamp), COLUMN(case_fact, TEXT, timestamp_desc),
    COLUMN(case_fact, TEXT, time_text), COLUMN(case_fact, TEXT, time_basis),
    COLUMN(case_fact, TEXT, message), COLUMN(case_fact, TEXT, artifact), COLUMN(case_fact, TEXT, path),
    COLUMN(case_fact, TEXT, evidence), COLUMN(case_fact, INTEGER, volume),
    COLUMN(case_fact, INTEGER, snapshot), COLUMN(case_fact, TEXT, mft_entry),
    COLUMN(case_fact, INTEGER, offset), COLUMN(case_fact, INTEGER, record),
    COLUMN(case_fact, TEXT, fields), COLUMN(case_fact, TEXT, marks),
};
#define CONTEXT_COLUMN(type, member) {#member, type, offsetof(struct case_context, event.member)}
static const struct column context_columns[] = {
    {"dated", BOOLEAN, offsetof(struct case_context, event.dated)},
    CONTEXT_COLUMN(INTEGER, timestamp), CONTEXT_COLUMN(TEXT, timestamp_desc),
    CONTEXT_COLUMN(TEXT, time_text), CONTEXT_COLUMN(TEXT, time_basis),
    CONTEXT_COLUMN(TEXT, message), CONTEXT_COLUMN(TEXT, host),
    CONTEXT_COLUMN(TEXT, artifact), CONTEXT_COLUMN(TEXT, path),
    CONTEXT_COLUMN(TEXT, evidence), CONTEXT_COLUMN(INTEGER, volume),
    CONTEXT_COLUMN(INTEGER, snapshot), CONTEXT_COLUMN(TEXT, mft_entry),
    CONTEXT_COLUMN(INTEGER, offset), CONTEXT_COLUMN(INTEGER, record),
    CONTEXT_COLUMN(BYTES, raw), CONTEXT_COLUMN(BOOLEAN, raw_cut),
    CONTEXT_COLUMN(TEXT, raw_sha256), CONTEXT_COLUMN(TEXT, fields),
    CONTEXT_COLUMN(TEXT, marks),
    COLUMN(case_context, INTEGER, near),
};
static const struct column note_columns[] = {
    COLUMN(case_note, TEXT, evidence), COLUMN(case_note, INTEGER, volume),
    COLUMN(case_note, INTEGER, snapshot), COLUMN(case_note, TEXT, path),
    COLUMN(case_note, TEXT, artifact), COLUMN(case_note, INTEGER, offset), COLUMN(case_note, TEXT, text),
};
static const struct column stored_columns[] = {
    COLUMN(case_stored, TEXT, path), COLUMN(case_stored, TEXT, evidence),
    COLUMN(case_stored, INTEGER, volume), COLUMN(case_stored, INTEGER, snapshot),
    COLUMN(case_stored, TEXT, mft_entry), COLUMN(case_stored, INTEGER, size),
    COLUMN(case_stored, TEXT, attributes), COLUMN(case_stored, TEXT, owner),
    ARRAY_COLUMN(case_stored, "si_modified", si[0]), ARRAY_COLUMN(case_stored, "si_accessed", si[1]),
    ARRAY_COLUMN(case_stored, "si_changed", si[2]), ARRAY_COLUMN(case_stored, "si_created", si[3]),
    ARRAY_COLUMN(case_stored, "fn_modified", fn[0]), ARRAY_COLUMN(case_stored, "fn_accessed", fn[1]),
    ARRAY_COLUMN(case_stored, "fn_changed", fn[2]), ARRAY_COLUMN(case_stored, "fn_created", fn[3]),
    COLUMN(case_stored, TEXT, md5), COLUMN(case_stored, TEXT, sha1), COLUMN(case_stored, TEXT, sha256),
    COLUMN(case_stored, TEXT, stored), COLUMN(case_stored, TEXT, why),
    COLUMN(case_stored, BOOLEAN, damaged), COLUMN(case_stored, BOOLEAN, deleted),
};
static const struct column correlated_columns[] = {
    COLUMN(case_correlated, INTEGER, correlation), COLUMN(case_correlated, INTEGER, rule),
    COLUMN(case_correlated, INTEGER, skipped), COLUMN(case_correlated, TEXT, grp),
    COLUMN(case_correlated, INTEGER, ticks), COLUMN(case_correlated, TEXT, value),
    COLUMN(case_correlated, TEXT, shown), COLUMN(case_correlated, TEXT, source),
    COLUMN(case_correlated, INTEGER, offset), COLUMN(case_correlated, INTEGER, record),
    COLUMN(case_correlated, INTEGER, basis), COLUMN(case_correlated, INTEGER, marks),
    COLUMN(case_correlated, TEXT, time_text), COLUMN(case_correlated, BYTES, raw),
    COLUMN(case_correlated, BOOLEAN, raw_cut), COLUMN(case_correlated, TEXT, raw_sha256),
};
#define COLUMNS(list) list, sizeof list / sizeof *list

enum table_id { RULE, INDICATOR, COVERAGE, REJECTED, FACT, CONTEXT, UNREAD, NOTICE, STORED, CORRELATED, TABLE_COUNT };

static const struct table tables[TABLE_COUNT] = {
    [RULE] = {"rule", COLUMNS(rule_columns), "\"index\""},
    [INDICATOR] = {"indicator", COLUMNS(indicator_columns),
        "dated DESC, timestamp, evidence, volume, snapshot, path, mft_entry, offset, record, rule, message, how, fields"},
    [COVERAGE] = {"coverage", COLUMNS(coverage_columns), "evidence, volume, snapshot, path, artifact, bytes, records"},
    [REJECTED] = {"rejected", COLUMNS(rejected_columns), "evidence, volume, snapshot, path, artifact, offset, record"},
    [FACT] = {"fact", COLUMNS(fact_columns),
        "kind, dated DESC, timestamp, evidence, volume, snapshot, path, mft_entry, offset, record, message, fields"},
    [CONTEXT] = {"context", COLUMNS(context_columns),
        "timestamp, evidence, volume, snapshot, path, mft_entry, offset, record, timestamp_desc, message, fields"},
    [UNREAD] = {"unread", COLUMNS(note_columns), "evidence, volume, snapshot, path, artifact, offset, text"},
    [NOTICE] = {"notice", COLUMNS(note_columns), "evidence, volume, snapshot, path, artifact, offset, text"},
    /* Only while collecting: it has no order of its own in a finished case. */
    [CORRELATED] = {"correlated", COLUMNS(correlated_columns), NULL},
    [STORED] = {"file", COLUMNS(stored_columns), "evidence, volume, snapshot, path, mft_entry, stored, why"},
};
/* clang-format on */

/* Rows have some KiB: several to a page, and fewer writes. */
#define PAGES "PRAGMA page_size=32768; PRAGMA cache_size=-8192; "

struct case_file {
    char *folder, *database_path, *partial_path;
    bool is_fleet;
    sqlite3 *database;
    sqlite3_stmt *inserts[TABLE_COUNT];
    sqlite3_stmt *task_query, *task_insert;
    size_t unflushed;
    time_t flushed; /* when, so that a run that is killed loses seconds */
};

static int database_error(struct case_file *file, const char *what)
{
    return error_set("%s: %s", what,
                     file->database ? sqlite3_errmsg(file->database) : "out of memory");
}

static int execute(struct case_file *file, const char *sql)
{
    if (sqlite3_exec(file->database, sql, NULL, NULL, NULL) != SQLITE_OK)
        return database_error(file, "the case database refuses");
    return 0;
}

static char *join(const char *folder, const char *name)
{
    char *path = NULL;

    return asprintf(&path, "%s/%s", folder, name) < 0 ? NULL : path;
}

static const char *sql_type(enum column_type type)
{
    return type == TEXT ? "TEXT" : type == BYTES ? "BLOB" : "INTEGER";
}

static void create_table_sql(const struct table *table, bool with_task, struct buffer *sql)
{
    buffer_clear(sql);
    buffer_format(sql, "CREATE TABLE %s (", table->name);
    if (with_task)
        buffer_add_text(sql, "task TEXT, ");
    for (size_t i = 0; i < table->column_count; i++)
        buffer_format(sql, "%s%s %s", i ? ", " : "", table->columns[i].name,
                      sql_type(table->columns[i].type));
    buffer_add_text(sql, ")");
}

static void column_list(const struct table *table, struct buffer *sql)
{
    for (size_t i = 0; i < table->column_count; i++)
        buffer_format(sql, "%s%s", i ? ", " : "", table->columns[i].name);
}

static int create_tables(struct case_file *file, bool with_task)
{
    struct buffer sql = BUFFER_EMPTY;
    int result = execute(file, "CREATE TABLE document (name TEXT PRIMARY KEY, body TEXT)");

    for (size_t i = 0; i < TABLE_COUNT && result == 0; i++) {
        if (!with_task && !tables[i].order)
            continue;
        create_table_sql(&tables[i], with_task, &sql);
        result = execute(file, buffer_text(&sql));
    }
    if (with_task && result == 0)
        result = execute(file, "CREATE TABLE task (key TEXT PRIMARY KEY) WITHOUT ROWID");
    buffer_release(&sql);
    return result;
}

static int open_database(struct case_file *file, const char *path, int flags)
{
    if (sqlite3_open_v2(path, &file->database, flags, NULL) != SQLITE_OK)
        return database_error(file, path);
    return 0;
}

static void close_database(struct case_file *file)
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

static int prepare_insert(struct case_file *file, enum table_id id)
{
    struct buffer sql = BUFFER_EMPTY;

    buffer_format(&sql, "INSERT INTO %s (task, ", tables[id].name);
    column_list(&tables[id], &sql);
    buffer_add_text(&sql, ") VALUES (?");
    for (size_t i = 0; i < tables[id].column_count; i++)
        buffer_add_text(&sql, ", ?");
    buffer_add_text(&sql, ")");
    const int result =
        sqlite3_prepare_v2(file->database, buffer_text(&sql), -1, &file->inserts[id], NULL);
    buffer_release(&sql);
    return result == SQLITE_OK ? 0 : database_error(file, "the case database refuses");
}

static int prepare_all(struct case_file *file)
{
    for (size_t i = 0; i < TABLE_COUNT; i++)
        if (prepare_insert(file, (enum table_id)i) < 0)
            return -1;
    if (sqlite3_prepare_v2(file->database, "SELECT 1 FROM task WHERE key = ?", -1,
                           &file->task_query, NULL) != SQLITE_OK ||
        sqlite3_prepare_v2(file->database, "INSERT OR IGNORE INTO task VALUES (?)", -1,
                           &file->task_insert, NULL) != SQLITE_OK)
        return database_error(file, "the case database refuses");
    return 0;
}

static int bind_member(sqlite3_stmt *statement, int at, const struct column *column,
                       const void *row)
{
    const char *member = (const char *)row + column->offset;
    struct slice bytes;
    int64_t integer;
    const char *text;
    bool boolean;

    switch (column->type) {
    case INTEGER:
        memcpy(&integer, member, sizeof integer);
        return sqlite3_bind_int64(statement, at, integer);
    case BOOLEAN:
        memcpy(&boolean, member, sizeof boolean);
        return sqlite3_bind_int64(statement, at, boolean);
    case TEXT:
        memcpy(&text, member, sizeof text);
        return sqlite3_bind_text(statement, at, text ? text : "", -1, SQLITE_STATIC);
    default:
        memcpy(&bytes, member, sizeof bytes);
        return sqlite3_bind_blob64(statement, at, bytes.data ? (const void *)bytes.data : "",
                                   bytes.size, SQLITE_STATIC);
    }
}

static int add_row(struct case_file *file, enum table_id id, const char *task, const void *row)
{
    const struct table *table = &tables[id];
    sqlite3_stmt *statement = file->inserts[id];

    sqlite3_bind_text(statement, 1, task, -1, SQLITE_STATIC);
    for (size_t i = 0; i < table->column_count; i++)
        bind_member(statement, (int)i + 2, &table->columns[i], row);
    const int result = sqlite3_step(statement);
    sqlite3_reset(statement);
    if (result != SQLITE_DONE)
        return database_error(file, "a row cannot be stored");
    return ++file->unflushed >= FLUSH_ROWS ? case_flush(file) : 0;
}

int case_add_rule(struct case_file *file, const struct case_rule *row)
{
    return add_row(file, RULE, "", row);
}

int case_add_indicator(struct case_file *file, const char *task, const struct case_indicator *row)
{
    return add_row(file, INDICATOR, task, row);
}

int case_add_coverage(struct case_file *file, const char *task, const struct case_coverage *row)
{
    return add_row(file, COVERAGE, task, row);
}

int case_add_rejected(struct case_file *file, const char *task, const struct case_rejected *row)
{
    return add_row(file, REJECTED, task, row);
}

int case_add_fact(struct case_file *file, const char *task, const struct case_fact *row)
{
    return add_row(file, FACT, task, row);
}

int case_add_context(struct case_file *file, const char *task, const struct case_context *row)
{
    return add_row(file, CONTEXT, task, row);
}

int case_add_unread(struct case_file *file, const char *task, const struct case_note *row)
{
    return add_row(file, UNREAD, task, row);
}

int case_add_notice(struct case_file *file, const char *task, const struct case_note *row)
{
    return add_row(file, NOTICE, task, row);
}

int case_add_stored(struct case_file *file, const char *task, const struct case_stored *row)
{
    return add_row(file, STORED, task, row);
}

int case_add_correlated(struct case_file *file, const char *task, const struct case_correlated *row)
{
    return add_row(file, CORRELATED, task, row);
}

static time_t seconds_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec;
}

bool case_task_is_done(struct case_file *file, const char *key)
{
    sqlite3_bind_text(file->task_query, 1, key, -1, SQLITE_STATIC);
    const bool found = sqlite3_step(file->task_query) == SQLITE_ROW;
    sqlite3_reset(file->task_query);
    return found;
}

int case_task_done(struct case_file *file, const char *key)
{
    sqlite3_bind_text(file->task_insert, 1, key, -1, SQLITE_STATIC);
    const int result = sqlite3_step(file->task_insert);
    sqlite3_reset(file->task_insert);
    if (result != SQLITE_DONE)
        return database_error(file, "a row cannot be stored");
    return seconds_now() - file->flushed >= FLUSH_SECONDS ? case_flush(file) : 0;
}

int case_set_document(struct case_file *file, const char *name, struct slice body)
{
    sqlite3_stmt *statement = NULL;

    if (sqlite3_prepare_v2(file->database, "INSERT OR REPLACE INTO document VALUES (?, ?)", -1,
                           &statement, NULL) != SQLITE_OK)
        return database_error(file, "the case database refuses");
    sqlite3_bind_text(statement, 1, name, -1, SQLITE_STATIC);
    sqlite3_bind_text64(statement, 2, body.size ? (const char *)body.data : "", body.size,
                        SQLITE_STATIC, SQLITE_UTF8);
    const int result = sqlite3_step(statement);
    sqlite3_finalize(statement);
    return result == SQLITE_DONE ? 0 : database_error(file, "a document cannot be stored");
}

int case_each_time(struct case_file *file, int (*visit)(void *context, int64_t timestamp),
                   void *context)
{
    sqlite3_stmt *statement = NULL;
    int result = 0, step = SQLITE_DONE;

    if (sqlite3_prepare_v2(file->database,
                           "SELECT DISTINCT timestamp FROM indicator WHERE dated = 1 ORDER BY 1",
                           -1, &statement, NULL) != SQLITE_OK)
        return database_error(file, "the case cannot be read");
    while (result == 0 && (step = sqlite3_step(statement)) == SQLITE_ROW)
        result = visit(context, sqlite3_column_int64(statement, 0));
    if (result == 0 && step != SQLITE_DONE)
        result = database_error(file, "the case cannot be read");
    sqlite3_finalize(statement);
    return result;
}

int case_flush(struct case_file *file)
{
    file->unflushed = 0;
    file->flushed = seconds_now();
    return execute(file, "COMMIT; BEGIN");
}

/* One row of numbers. */
static int query_numbers(struct case_file *file, const char *sql, uint64_t *numbers, int count)
{
    sqlite3_stmt *statement = NULL;
    int result = -1;

    if (sqlite3_prepare_v2(file->database, sql, -1, &statement, NULL) == SQLITE_OK &&
        sqlite3_step(statement) == SQLITE_ROW)
        for (result = 0; result < count; result++)
            numbers[result] = (uint64_t)sqlite3_column_int64(statement, result);
    if (result < 0)
        database_error(file, "the case cannot be read");
    sqlite3_finalize(statement);
    return result < 0 ? -1 : 0;
}

int case_count(struct case_file *file, struct case_counts *counts)
{
    uint64_t sums[6], others[7];

    *counts = (struct case_counts){0};
    if (query_numbers(file,
                      "SELECT COUNT(*), SUM(bytes), SUM(records), SUM(used), SUM(repaired), "
                      "SUM(rejected) FROM coverage WHERE task <> ''",
                      sums, 6) < 0 ||
        query_numbers(
            file,
            "SELECT SUM(level = 0), SUM(level = 1), SUM(level = 2), SUM(level = 3), SUM(level = "
            "4), "
            "SUM(NOT dated), (SELECT COUNT(*) FROM notice WHERE task <> '') FROM indicator "
            "WHERE task <> ''",
            others, 7) < 0)
        return -1;
    memcpy(counts->indicators, others, sizeof counts->indicators);
    counts->undated = others[5];
    counts->notices = others[6];
    counts->files = sums[0];
    counts->bytes = sums[1];
    counts->records = sums[2];
    counts->used = sums[3];
    counts->repaired = sums[4];
    counts->rejected = sums[5];
    return 0;
}

/* --- the folder --- */

static const char *const parts[] = {
    "report.html",
    "report-print.html",
    "timeline.jsonl",
    "timeline.csv",
    "undated.jsonl",
    "context.jsonl",
    "findings.json",
    "coverage.json",
    "host.json",
    "files.csv",
    "bodyfile.txt",
    "timeline.tln",
    "timeline.l2t.csv",
    "timeline.plaso.csv",
    "timeline.ecs.jsonl",
    "stix.json",
    "case-uco.jsonld",
    "dfxml.xml",
    "misp.json",
    "summary.md",
    "case.db",
    "case.db.new",
    "case.db.partial",
    "case.db.partial-journal",
    "run.json",
    "log.txt",
    "SHA256SUMS",
    "SHA256SUMS.asc",
    "SHA256SUMS.sig",
};

static bool folder_is_empty(const char *path)
{
    DIR *folder = opendir(path);
    struct dirent *entry;
    bool empty = true;

    if (!folder)
        return false;
    while (empty && (entry = readdir(folder)))
        empty = strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0;
    closedir(folder);
    return empty;
}

/* Removes `name` of `parent`, with all below it when it is a folder, never following a link. */
static void remove_tree(int parent, const char *name, unsigned depth)
{
    if (unlinkat(parent, name, 0) == 0)
        return;
    const int descriptor = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *folder = descriptor < 0 ? NULL : fdopendir(descriptor);
    struct dirent *entry;

    while (folder && (entry = readdir(folder))) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        if (unlinkat(descriptor, entry->d_name, 0) != 0 && depth < 512)
            remove_tree(descriptor, entry->d_name, depth + 1);
    }
    if (folder)
        closedir(folder);
    unlinkat(parent, name, AT_REMOVEDIR);
}

static void remove_files(const char *path)
{
    const int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (folder < 0)
        return;
    remove_tree(folder, "files", 0);
    close(folder);
}

/* Whether the folder holds a case, finished or not: all else in the world is not to be overwritten.
 */
static bool holds_case(const char *path)
{
    const int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool found = false;

    if (folder < 0)
        return false;
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        found |= strncmp(parts[i], "case.db", 7) == 0 &&
                 faccessat(folder, parts[i], F_OK, AT_SYMLINK_NOFOLLOW) == 0;
    close(folder);
    return found;
}

static void remove_parts(const char *path)
{
    const int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (folder < 0)
        return;
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        unlinkat(folder, parts[i], 0);
    close(folder);
    remove_files(path);
}

static int prepare_folder(const char *path, enum case_mode mode)
{
    if (mkdir(path, 0755) == 0)
        return mode == CASE_RESUME ? error_set("'%s' holds no case to resume", path) : 0;
    if (errno != EEXIST)
        return error_set_errno("cannot make the case folder '%s'", path);
    struct stat status;
    if (stat(path, &status) != 0 || !S_ISDIR(status.st_mode))
        return error_set("'%s' is not a folder", path);
    if (mode == CASE_CLOBBER && !folder_is_empty(path) && !holds_case(path))
        return error_set("'%s' is not empty and holds no case: --clobber overwrites nothing else",
                         path);
    if (mode == CASE_CLOBBER)
        remove_parts(path);
    if (mode == CASE_NEW && !folder_is_empty(path))
        return error_set("'%s' is not empty (use --clobber to overwrite the case in it)", path);
    return 0;
}

static struct case_file *new_file(const char *folder)
{
    struct case_file *file = calloc(1, sizeof *file);

    if (!file)
        return NULL;
    file->folder = strdup(folder);
    file->database_path = join(folder, "case.db");
    file->partial_path = join(folder, "case.db.partial");
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
    int result = execute(file, "DELETE FROM task WHERE key IN (SELECT task FROM unread) OR "
                               "key IN (SELECT task FROM coverage WHERE damage <> '[]')");

    for (size_t i = 0; i < TABLE_COUNT && result == 0; i++) {
        buffer_clear(&sql);
        buffer_format(&sql, "DELETE FROM %s WHERE task NOT IN (SELECT key FROM task)",
                      tables[i].name);
        result = execute(file, buffer_text(&sql));
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
        remove_files(file->folder); /* copying begins anew */
    if (open_database(file, file->partial_path, flags) < 0 ||
        execute(file, PAGES "PRAGMA journal_mode=TRUNCATE; PRAGMA synchronous=OFF; "
                            "PRAGMA temp_store=MEMORY") < 0)
        return -1;
    if (execute(file, "BEGIN") < 0 ||
        (has_tables(file) ? drop_unfinished(file) : create_tables(file, true)) < 0 ||
        execute(file, "COMMIT; BEGIN") < 0)
        return -1;
    return prepare_all(file);
}

int case_create(const char *folder, enum case_mode mode, struct case_file **out)
{
    if (prepare_folder(folder, mode) < 0)
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
    if (open_database(file, file->database_path, SQLITE_OPEN_READONLY) < 0) {
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
    file->database_path = join(folder, "fleet.db");
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
    close_database(file);
    free(file->folder);
    free(file->database_path);
    free(file->partial_path);
    free(file);
}

const char *case_folder(const struct case_file *file)
{
    return file->folder;
}

/* --- finishing --- */

static int copy_sorted(struct case_file *file, const struct table *table)
{
    struct buffer sql = BUFFER_EMPTY;

    buffer_format(&sql, "INSERT INTO main.%s (", table->name);
    column_list(table, &sql);
    buffer_add_text(&sql, ") SELECT ");
    column_list(table, &sql);
    buffer_format(&sql, " FROM partial.%s ORDER BY %s", table->name, table->order);
    const int result = execute(file, buffer_text(&sql));
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
    return execute(file,
                   "CREATE INDEX partial.file_key ON file (path, mft_entry, evidence);"
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
             PAGES "PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; PRAGMA application_id=%d; "
                   "PRAGMA user_version=%d",
             CASE_APPLICATION_ID, CASE_SCHEMA_VERSION);
    if (execute(file, pragmas) < 0 || attach_partial(file) < 0 || execute(file, "BEGIN") < 0 ||
        create_tables(file, false) < 0)
        return -1;
    if (drop_listed_twice(file) < 0)
        return -1;
    for (size_t i = 0; i < TABLE_COUNT; i++)
        if (tables[i].order && copy_sorted(file, &tables[i]) < 0)
            return -1;
    return execute(
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
    const int result =
        buffer_failed(&sql) ? error_set("out of memory") : execute(file, buffer_text(&sql));
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
    if ((side = join(file->folder, "case.db.partial-journal")))
        unlink(side);
    free(side);
}

int case_finish(struct case_file *file, int (*complete)(void *context, struct case_file *file),
                void *context)
{
    char *new_path = join(file->folder, "case.db.new");
    int result = new_path ? execute(file, "COMMIT") : error_set("out of memory");

    close_database(file);
    if (result == 0)
        unlink(new_path);
    if (result == 0)
        result = open_database(file, new_path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
    if (result == 0)
        result = build_sorted(file);
    if (result == 0 && complete)
        result = complete(context, file);
    if (result == 0)
        result = add_derived(file);
    close_database(file);
    if (result == 0 && rename(new_path, file->database_path) != 0)
        result = error_set_errno("cannot finish '%s'", file->database_path);
    if (result == 0)
        remove_partial(file);
    if (result == 0)
        result = open_database(file, file->database_path, SQLITE_OPEN_READONLY);
    if (result == 0)
        result = check_whole(file);
    free(new_path);
    return result;
}

/* --- reading --- */

static void load_member(sqlite3_stmt *statement, int at, const struct column *column, void *row)
{
    char *member = (char *)row + column->offset;
    const int64_t integer = sqlite3_column_int64(statement, at);
    const bool boolean = integer != 0;

    switch (column->type) {
    case INTEGER:
        memcpy(member, &integer, sizeof integer);
        break;
    case BOOLEAN:
        memcpy(member, &boolean, sizeof boolean);
        break;
    case TEXT: {
        const char *text = (const char *)sqlite3_column_text(statement, at);
        if (!text)
            text = "";
        memcpy(member, &text, sizeof text);
        break;
    }
    default: {
        const void *data = sqlite3_column_blob(statement, at);
        const struct slice bytes = slice_of(data, (size_t)sqlite3_column_bytes(statement, at));
        memcpy(member, &bytes, sizeof bytes);
    }
    }
}

static void load_row(sqlite3_stmt *statement, int first, const struct table *table, void *row)
{
    for (size_t i = 0; i < table->column_count; i++)
        load_member(statement, first + (int)i, &table->columns[i], row);
}

/* Runs `visit` over a table in the order in which its rows were stored, which case_finish made the
 * sorted one. */
static int each_row(struct case_file *file, enum table_id id, void *row,
                    int (*visit)(void *context, const void *row), void *context)
{
    struct buffer sql = BUFFER_EMPTY;
    sqlite3_stmt *statement = NULL;
    int result = 0, step = SQLITE_DONE;

    buffer_add_text(&sql, "SELECT ");
    column_list(&tables[id], &sql);
    buffer_format(&sql, " FROM %s ORDER BY rowid", tables[id].name);
    if (sqlite3_prepare_v2(file->database, buffer_text(&sql), -1, &statement, NULL) != SQLITE_OK)
        result = database_error(file, "the case database refuses");
    while (result == 0 && (step = sqlite3_step(statement)) == SQLITE_ROW) {
        load_row(statement, 0, &tables[id], row);
        result = visit(context, row);
    }
    if (result == 0 && step != SQLITE_DONE)
        result = database_error(file, "the case cannot be read");
    sqlite3_finalize(statement);
    buffer_release(&sql);
    return result;
}

int case_index_correlated(struct case_file *file)
{
    return execute(file, "COMMIT; PRAGMA temp_store=FILE; BEGIN; CREATE INDEX IF NOT EXISTS "
                         "correlated_order ON correlated (correlation, skipped, grp, ticks)");
}

bool case_has_correlated(struct case_file *file, int64_t correlation)
{
    sqlite3_stmt *statement = NULL;

    if (sqlite3_prepare_v2(file->database,
                           "SELECT 1 FROM correlated WHERE correlation = ? AND skipped = 0 LIMIT 1",
                           -1, &statement, NULL) != SQLITE_OK)
        return true; /* who reads them finds out why */
    sqlite3_bind_int64(statement, 1, correlation);
    const bool found = sqlite3_step(statement) != SQLITE_DONE;
    sqlite3_finalize(statement);
    return found;
}

/* Ties are broken by what a row says, so that it does not matter which worker sent it first. */
int case_each_correlated(struct case_file *file, int64_t correlation,
                         int (*visit)(void *context, int64_t id, const struct case_correlated *row),
                         void *context)
{
    struct buffer sql = BUFFER_EMPTY;
    sqlite3_stmt *statement = NULL;
    struct case_correlated row = {0};
    int result = 0, step = SQLITE_DONE;

    buffer_add_text(&sql, "SELECT rowid, ");
    column_list(&tables[CORRELATED], &sql);
    buffer_add_text(&sql, " FROM correlated WHERE correlation = ? AND skipped = 0 ORDER BY grp, "
                          "ticks, source, offset, record, rule, value, shown");
    if (sqlite3_prepare_v2(file->database, buffer_text(&sql), -1, &statement, NULL) != SQLITE_OK)
        result = database_error(file, "the case database refuses");
    sqlite3_bind_int64(statement, 1, correlation);
    while (result == 0 && (step = sqlite3_step(statement)) == SQLITE_ROW) {
        load_row(statement, 1, &tables[CORRELATED], &row);
        result = visit(context, sqlite3_column_int64(statement, 0), &row);
    }
    if (result == 0 && step != SQLITE_DONE)
        result = database_error(file, "the case cannot be read");
    sqlite3_finalize(statement);
    buffer_release(&sql);
    return result;
}

int case_correlated_at(struct case_file *file, int64_t id,
                       int (*visit)(void *context, int64_t id, const struct case_correlated *row),
                       void *context)
{
    struct buffer sql = BUFFER_EMPTY;
    sqlite3_stmt *statement = NULL;
    struct case_correlated row = {0};
    int result = -1;

    buffer_add_text(&sql, "SELECT ");
    column_list(&tables[CORRELATED], &sql);
    buffer_add_text(&sql, " FROM correlated WHERE rowid = ?");
    if (sqlite3_prepare_v2(file->database, buffer_text(&sql), -1, &statement, NULL) == SQLITE_OK &&
        sqlite3_bind_int64(statement, 1, id) == SQLITE_OK &&
        sqlite3_step(statement) == SQLITE_ROW) {
        load_row(statement, 0, &tables[CORRELATED], &row);
        result = visit(context, id, &row);
    } else {
        database_error(file, "the case cannot be read");
    }
    sqlite3_finalize(statement);
    buffer_release(&sql);
    return result;
}

int case_count_skipped(struct case_file *file,
                       int (*visit)(void *context, const struct case_correlated *row,
                                    uint64_t count),
                       void *context)
{
    sqlite3_stmt *statement = NULL;
    struct case_correlated row = {0};
    int result = 0;

    if (sqlite3_prepare_v2(file->database,
                           "SELECT correlation, rule, skipped, COUNT(*) FROM correlated WHERE "
                           "skipped <> 0 GROUP BY 1, 2, 3 ORDER BY 1, 2, 3",
                           -1, &statement, NULL) != SQLITE_OK)
        return database_error(file, "the case database refuses");
    while (result == 0 && sqlite3_step(statement) == SQLITE_ROW) {
        row.correlation = sqlite3_column_int64(statement, 0);
        row.rule = sqlite3_column_int64(statement, 1);
        row.skipped = sqlite3_column_int64(statement, 2);
        result = visit(context, &row, (uint64_t)sqlite3_column_int64(statement, 3));
    }
    sqlite3_finalize(statement);
    return result;
}

struct typed_visit { /* lets each_row call a visitor of the row's own type */
    union {
        int (*rule)(void *, const struct case_rule *);
        int (*coverage)(void *, const struct case_coverage *);
        int (*fact)(void *, const struct case_fact *);
        int (*note)(void *, const struct case_note *);
        int (*stored)(void *, const struct case_stored *);
    } call;
    void *context;
};

static int visit_rule(void *context, const void *row)
{
    const struct typed_visit *visit = context;
    return visit->call.rule(visit->context, row);
}

static int visit_coverage(void *context, const void *row)
{
    const struct typed_visit *visit = context;
    return visit->call.coverage(visit->context, row);
}

static int visit_fact(void *context, const void *row)
{
    const struct typed_visit *visit = context;
    return visit->call.fact(visit->context, row);
}

static int visit_note(void *context, const void *row)
{
    const struct typed_visit *visit = context;
    return visit->call.note(visit->context, row);
}

static int visit_stored(void *context, const void *row)
{
    const struct typed_visit *visit = context;
    return visit->call.stored(visit->context, row);
}

int case_each_rule(struct case_file *file, int (*visit)(void *, const struct case_rule *),
                   void *context)
{
    struct typed_visit typed = {.call.rule = visit, .context = context};
    struct case_rule row = {0};

    return each_row(file, RULE, &row, visit_rule, &typed);
}

int case_each_coverage(struct case_file *file, int (*visit)(void *, const struct case_coverage *),
                       void *context)
{
    struct typed_visit typed = {.call.coverage = visit, .context = context};
    struct case_coverage row = {0};

    return each_row(file, COVERAGE, &row, visit_coverage, &typed);
}

int case_each_fact(struct case_file *file, int (*visit)(void *, const struct case_fact *),
                   void *context)
{
    struct typed_visit typed = {.call.fact = visit, .context = context};
    struct case_fact row = {0};

    return each_row(file, FACT, &row, visit_fact, &typed);
}

int case_each_unread(struct case_file *file, int (*visit)(void *, const struct case_note *),
                     void *context)
{
    struct typed_visit typed = {.call.note = visit, .context = context};
    struct case_note row = {0};

    return each_row(file, UNREAD, &row, visit_note, &typed);
}

int case_each_notice(struct case_file *file, int (*visit)(void *, const struct case_note *),
                     void *context)
{
    struct typed_visit typed = {.call.note = visit, .context = context};
    struct case_note row = {0};

    return each_row(file, NOTICE, &row, visit_note, &typed);
}

int case_each_stored(struct case_file *file, int (*visit)(void *, const struct case_stored *),
                     void *context)
{
    struct typed_visit typed = {.call.stored = visit, .context = context};
    struct case_stored row = {0};

    return each_row(file, STORED, &row, visit_stored, &typed);
}

/* The dated ones come first. Without the '+' they would be sought in the index by time, and sorted
 * again with all that they hold. */
#define AMONG_DATED   "+i.dated = 1"
#define AMONG_UNDATED "+i.dated = 0 AND i.rowid > (SELECT COUNT(*) FROM indicator WHERE dated = 1)"

int case_each_indicator(struct case_file *file, bool dated,
                        int (*visit)(void *context, const struct case_indicator *row,
                                     const struct case_rule *rule),
                        void *context)
{
    struct buffer sql = BUFFER_EMPTY;
    sqlite3_stmt *statement = NULL;
    struct case_indicator row = {0};
    struct case_rule rule = {0};
    int result = 0, step = SQLITE_DONE;

    buffer_add_text(&sql, "SELECT ");
    for (size_t i = 0; i < tables[INDICATOR].column_count; i++)
        buffer_format(&sql, "i.%s, ", tables[INDICATOR].columns[i].name);
    for (size_t i = 0; i < tables[RULE].column_count; i++)
        buffer_format(&sql, "%sr.%s", i ? ", " : "", tables[RULE].columns[i].name);
    /* Rules of a case lie in the order of their numbers. */
    if (file->is_fleet)
        buffer_format(&sql,
                      ", i.\"case\" FROM indicator i JOIN rule r ON r.\"case\" = i.\"case\" AND "
                      "r.\"index\" = i.rule WHERE i.dated = %d "
                      "ORDER BY i.timestamp, i.\"case\", i.source_row",
                      dated);
    else
        buffer_format(
            &sql, " FROM indicator i JOIN rule r ON r.rowid = i.rule + 1 WHERE %s ORDER BY i.rowid",
            dated ? AMONG_DATED : AMONG_UNDATED);
    if (sqlite3_prepare_v2(file->database, buffer_text(&sql), -1, &statement, NULL) != SQLITE_OK)
        result = database_error(file, "the case database refuses");
    while (result == 0 && (step = sqlite3_step(statement)) == SQLITE_ROW) {
        load_row(statement, 0, &tables[INDICATOR], &row);
        load_row(statement, (int)tables[INDICATOR].column_count, &tables[RULE], &rule);
        if (file->is_fleet)
            row.from_case = (const char *)sqlite3_column_text(
                statement, (int)(tables[INDICATOR].column_count + tables[RULE].column_count));
        result = visit(context, &row, &rule);
    }
    if (result == 0 && step != SQLITE_DONE)
        result = database_error(file, "the case cannot be read");
    sqlite3_finalize(statement);
    buffer_release(&sql);
    return result;
}

bool case_document(struct case_file *file, const char *name, struct buffer *body)
{
    sqlite3_stmt *statement = NULL;
    bool found = false;

    buffer_clear(body);
    if (sqlite3_prepare_v2(file->database, "SELECT body FROM document WHERE name = ?", -1,
                           &statement, NULL) != SQLITE_OK)
        return false;
    sqlite3_bind_text(statement, 1, name, -1, SQLITE_STATIC);
    if (sqlite3_step(statement) == SQLITE_ROW) {
        buffer_add(body, slice_of(sqlite3_column_text(statement, 0),
                                  (size_t)sqlite3_column_bytes(statement, 0)));
        found = true;
    }
    sqlite3_finalize(statement);
    return found;
}

int case_each_matched_task(struct case_file *file, int (*visit)(void *context, const char *task),
                           void *context)
{
    sqlite3_stmt *statement = NULL;
    int result = 0;

    if (sqlite3_prepare_v2(file->database, "SELECT DISTINCT task FROM indicator ORDER BY task", -1,
                           &statement, NULL) != SQLITE_OK)
        return database_error(file, "the case database refuses");
    while (result == 0 && sqlite3_step(statement) == SQLITE_ROW)
        result = visit(context, (const char *)sqlite3_column_text(statement, 0));
    sqlite3_finalize(statement);
    return result;
}

/* The columns of `table` as "PREFIX.name, ...". */
static void prefixed_columns(const struct table *table, const char *prefix, struct buffer *sql)
{
    for (size_t i = 0; i < table->column_count; i++)
        buffer_format(sql, "%s%s.%s", i ? ", " : "", prefix, table->columns[i].name);
}

int case_each_context(struct case_file *file,
                      int (*visit)(void *context, const struct case_context *row,
                                   const struct case_indicator *near, const struct case_rule *rule),
                      void *context)
{
    struct buffer sql = BUFFER_EMPTY;
    sqlite3_stmt *statement = NULL;
    struct case_context row = {0};
    struct case_indicator near = {0};
    struct case_rule rule = {0};
    int result = 0, step = SQLITE_DONE;

    buffer_add_text(&sql, "SELECT ");
    prefixed_columns(&tables[CONTEXT], "c", &sql);
    buffer_add_text(&sql, ", ");
    prefixed_columns(&tables[INDICATOR], "i", &sql);
    buffer_add_text(&sql, ", ");
    prefixed_columns(&tables[RULE], "r", &sql);
    buffer_add_text(&sql, " FROM context c JOIN indicator i ON i.rowid = c.near "
                          "JOIN rule r ON r.rowid = i.rule + 1 ORDER BY c.rowid");
    if (sqlite3_prepare_v2(file->database, buffer_text(&sql), -1, &statement, NULL) != SQLITE_OK)
        result = database_error(file, "the case database refuses");
    while (result == 0 && (step = sqlite3_step(statement)) == SQLITE_ROW) {
        load_row(statement, 0, &tables[CONTEXT], &row);
        load_row(statement, (int)tables[CONTEXT].column_count, &tables[INDICATOR], &near);
        load_row(statement, (int)(tables[CONTEXT].column_count + tables[INDICATOR].column_count),
                 &tables[RULE], &rule);
        result = visit(context, &row, &near, &rule);
    }
    if (result == 0 && step != SQLITE_DONE)
        result = database_error(file, "the case cannot be read");
    sqlite3_finalize(statement);
    buffer_release(&sql);
    return result;
}

int case_query(struct case_file *file, const char *sql,
               int (*visit)(void *context, const char *const *cells), void *context)
{
    const char *cells[CASE_CELLS_MOST];
    sqlite3_stmt *statement = NULL;
    int result = 0, step = SQLITE_DONE;

    if (sqlite3_prepare_v2(file->database, sql, -1, &statement, NULL) != SQLITE_OK)
        return database_error(file, "the case was made by another version");
    const int count = sqlite3_column_count(statement);
    while (result == 0 && (step = sqlite3_step(statement)) == SQLITE_ROW) {
        for (int i = 0; i < count && i < CASE_CELLS_MOST; i++)
            cells[i] = (const char *)sqlite3_column_text(statement, i);
        result = visit(context, cells);
    }
    if (result == 0 && step != SQLITE_DONE)
        result = database_error(file, "the case cannot be read");
    sqlite3_finalize(statement);
    return result;
}

/* --- rewriting --- */

struct rewrite {
    sqlite3_stmt *row, *update;
    const char *table;
    const char *const *columns;
    int count;
    int (*change)(void *context, const char *table, const char *column, struct slice text,
                  struct buffer *out);
    void *context;
};

static int prepare_rewrite(struct case_file *file, struct rewrite *rewrite)
{
    struct buffer select = BUFFER_EMPTY, update = BUFFER_EMPTY;

    buffer_add_text(&select, "SELECT rowid");
    buffer_format(&update, "UPDATE %s SET ", rewrite->table);
    for (int i = 0; i < rewrite->count; i++) {
        buffer_format(&select, ", %s", rewrite->columns[i]);
        buffer_format(&update, "%s%s = ?", i ? ", " : "", rewrite->columns[i]);
    }
    buffer_format(&select, " FROM %s ORDER BY rowid", rewrite->table);
    buffer_add_text(&update, " WHERE rowid = ?");
    const bool prepared = sqlite3_prepare_v2(file->database, buffer_text(&select), -1,
                                             &rewrite->row, NULL) == SQLITE_OK &&
                          sqlite3_prepare_v2(file->database, buffer_text(&update), -1,
                                             &rewrite->update, NULL) == SQLITE_OK;
    buffer_release(&select);
    buffer_release(&update);
    return prepared ? 0 : database_error(file, "the case database refuses");
}

static void bind_as(sqlite3_stmt *statement, int at, int type, struct slice text)
{
    const char *bytes = text.size ? (const char *)text.data : "";

    if (type == SQLITE_BLOB)
        sqlite3_bind_blob64(statement, at, bytes, text.size, SQLITE_TRANSIENT);
    else
        sqlite3_bind_text64(statement, at, bytes, text.size, SQLITE_TRANSIENT, SQLITE_UTF8);
}

/* The row that the query stands on. */
static int rewrite_row(struct case_file *file, const struct rewrite *rewrite, struct buffer *out)
{
    bool changed = false;
    int result = 0;

    for (int i = 0; i < rewrite->count && result >= 0; i++) {
        const int type = sqlite3_column_type(rewrite->row, i + 1);
        const void *data = sqlite3_column_blob(rewrite->row, i + 1);
        const struct slice text = slice_of(data, (size_t)sqlite3_column_bytes(rewrite->row, i + 1));
        buffer_clear(out);
        result = text.size ? rewrite->change(rewrite->context, rewrite->table, rewrite->columns[i],
                                             text, out)
                           : 0;
        changed |= result > 0;
        bind_as(rewrite->update, i + 1, type, result > 0 ? buffer_slice(out) : text);
    }
    if (result >= 0 && buffer_failed(out))
        result = error_set("out of memory");
    if (result < 0 || !changed)
        return result < 0 ? -1 : 0;
    sqlite3_bind_int64(rewrite->update, rewrite->count + 1, sqlite3_column_int64(rewrite->row, 0));
    const int step = sqlite3_step(rewrite->update);
    sqlite3_reset(rewrite->update);
    return step == SQLITE_DONE ? 0 : database_error(file, "a row cannot be changed");
}

static int rewrite_table(struct case_file *file, struct rewrite *rewrite)
{
    struct buffer out = BUFFER_EMPTY;
    int result = prepare_rewrite(file, rewrite), step = SQLITE_DONE;

    while (result == 0 && (step = sqlite3_step(rewrite->row)) == SQLITE_ROW)
        result = rewrite_row(file, rewrite, &out);
    if (result == 0 && step != SQLITE_DONE)
        result = database_error(file, "the case cannot be read");
    sqlite3_finalize(rewrite->row);
    sqlite3_finalize(rewrite->update);
    buffer_release(&out);
    return result;
}

int case_rewrite(struct case_file *file,
                 int (*change)(void *context, const char *table, const char *column,
                               struct slice text, struct buffer *out),
                 void *context)
{
    static const char *const body[] = {"body"};
    struct rewrite documents = {NULL, NULL, "document", body, 1, change, context};
    int result = execute(file, "BEGIN");

    for (size_t i = 0; i < TABLE_COUNT && result == 0; i++) {
        const char *columns[CASE_CELLS_MOST];
        struct rewrite rewrite = {NULL, NULL, tables[i].name, columns, 0, change, context};
        if (!tables[i].order || i == RULE)
            continue;
        for (size_t j = 0; j < tables[i].column_count; j++)
            if (tables[i].columns[j].type == TEXT || tables[i].columns[j].type == BYTES)
                columns[rewrite.count++] = tables[i].columns[j].name;
        result = rewrite_table(file, &rewrite);
    }
    if (result == 0)
        result = rewrite_table(file, &documents);
    return execute(file, "COMMIT") < 0 ? -1 : result;
}

int case_compact(struct case_file *file)
{
    return execute(file, "VACUUM");
}
