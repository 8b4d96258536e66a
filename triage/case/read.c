#include "triage/case/database.h"

#include "triage/base/arena.h"
#include "triage/base/error.h"

#include <stdlib.h>
#include <string.h>

/* Runs `visit` over a table in the order in which its rows were stored, which case_finish made the
 * sorted one. */
static int each_row(struct case_file *file, enum table_id id, void *row,
                    int (*visit)(void *context, const void *row), void *context)
{
    struct buffer sql = BUFFER_EMPTY;
    sqlite3_stmt *statement = NULL;
    int result = 0, step = SQLITE_DONE;

    buffer_add_text(&sql, "SELECT ");
    table_column_list(&case_tables[id], &sql);
    buffer_format(&sql, " FROM %s ORDER BY rowid", case_tables[id].name);
    if (sqlite3_prepare_v2(file->database, buffer_text(&sql), -1, &statement, NULL) != SQLITE_OK)
        result = database_error(file, "the case database refuses");
    while (result == 0 && (step = sqlite3_step(statement)) == SQLITE_ROW) {
        table_load_row(statement, 0, &case_tables[id], row);
        result = visit(context, row);
    }
    if (result == 0 && step != SQLITE_DONE)
        result = database_error(file, "the case cannot be read");
    sqlite3_finalize(statement);
    buffer_release(&sql);
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

enum { LEVEL_MOST = 4 };

/* A row of somebody else's case can have any level: none that hides it. */
static void load_indicator(sqlite3_stmt *statement, int first, struct case_indicator *row)
{
    table_load_row(statement, first, &case_tables[INDICATOR], row);
    if (row->level < 0 || row->level > LEVEL_MOST)
        row->level = LEVEL_MOST;
}

/* The rules of a case, read once: each indicator names one, and many name the same. */
struct rules {
    struct arena *arena;
    struct case_rule *list; /* in the order of their numbers, as they lie in a case */
    size_t count, room;
};

static int keep_texts(struct rules *rules, struct case_rule *rule)
{
    const struct table *table = &case_tables[RULE];

    for (size_t i = 0; i < table->column_count; i++) {
        char *member = (char *)rule + table->columns[i].offset;
        const char *text;
        if (table->columns[i].type != TEXT)
            continue;
        memcpy(&text, member, sizeof text);
        text = arena_text(rules->arena, slice_of_text(text));
        if (!text)
            return error_set("out of memory");
        memcpy(member, &text, sizeof text);
    }
    return 0;
}

static int keep_rule(void *context, const struct case_rule *row)
{
    struct rules *rules = context;

    if (rules->count == rules->room) {
        const size_t room = rules->room ? 2 * rules->room : 1024;
        struct case_rule *grown = realloc(rules->list, room * sizeof *grown);
        if (!grown)
            return error_set("out of memory");
        rules->list = grown;
        rules->room = room;
    }
    rules->list[rules->count] = *row;
    return keep_texts(rules, &rules->list[rules->count++]);
}

static int rules_read(struct rules *rules, struct case_file *file)
{
    *rules = (struct rules){.arena = arena_new(0)};
    return rules->arena ? case_each_rule(file, keep_rule, rules) : error_set("out of memory");
}

static void rules_release(struct rules *rules)
{
    free(rules->list);
    arena_free(rules->arena);
}

typedef int visit_indicator(void *context, const struct case_indicator *row,
                            const struct case_rule *rule);

/* The dated ones come first. Without the '+' they would be sought in the index by time, and sorted
 * again with all that they hold. */
#define AMONG_DATED   "+i.dated = 1"
#define AMONG_UNDATED "+i.dated = 0 AND i.rowid > (SELECT COUNT(*) FROM indicator WHERE dated = 1)"

static sqlite3_stmt *select_of_case(struct case_file *file, bool dated)
{
    struct buffer sql = BUFFER_EMPTY;
    sqlite3_stmt *statement = NULL;

    buffer_add_text(&sql, "SELECT ");
    table_prefixed_columns(&case_tables[INDICATOR], "i", &sql);
    buffer_format(&sql, " FROM indicator i WHERE %s ORDER BY i.rowid",
                  dated ? AMONG_DATED : AMONG_UNDATED);
    if (sqlite3_prepare_v2(file->database, buffer_text(&sql), -1, &statement, NULL) != SQLITE_OK)
        database_error(file, "the case database refuses");
    buffer_release(&sql);
    return statement;
}

static int each_of_case(struct case_file *file, bool dated, visit_indicator *visit, void *context)
{
    struct rules rules;
    struct case_indicator row = {0};
    int result = rules_read(&rules, file), step = SQLITE_DONE;
    sqlite3_stmt *statement = result == 0 ? select_of_case(file, dated) : NULL;

    if (!statement)
        result = -1;
    while (result == 0 && (step = sqlite3_step(statement)) == SQLITE_ROW) {
        load_indicator(statement, 0, &row);
        if (row.rule >= 0 && (uint64_t)row.rule < rules.count)
            result = visit(context, &row, &rules.list[row.rule]);
    }
    if (result == 0 && step != SQLITE_DONE)
        result = database_error(file, "the case cannot be read");
    sqlite3_finalize(statement);
    rules_release(&rules);
    return result;
}

static sqlite3_stmt *select_of_fleet(struct case_file *file, bool dated)
{
    struct buffer sql = BUFFER_EMPTY;
    sqlite3_stmt *statement = NULL;

    buffer_add_text(&sql, "SELECT ");
    table_prefixed_columns(&case_tables[INDICATOR], "i", &sql);
    buffer_add_text(&sql, ", ");
    table_prefixed_columns(&case_tables[RULE], "r", &sql);
    buffer_format(&sql,
                  ", i.\"case\" FROM indicator i JOIN rule r ON r.\"case\" = i.\"case\" AND "
                  "r.\"index\" = i.rule WHERE i.dated = %d "
                  "ORDER BY i.timestamp, i.\"case\", i.source_row",
                  dated);
    if (sqlite3_prepare_v2(file->database, buffer_text(&sql), -1, &statement, NULL) != SQLITE_OK)
        database_error(file, "the case database refuses");
    buffer_release(&sql);
    return statement;
}

static int each_of_fleet(struct case_file *file, bool dated, visit_indicator *visit, void *context)
{
    const int columns = (int)case_tables[INDICATOR].column_count;
    struct case_indicator row = {0};
    struct case_rule rule = {0};
    sqlite3_stmt *statement = select_of_fleet(file, dated);
    int result = statement ? 0 : -1, step = SQLITE_DONE;

    while (result == 0 && (step = sqlite3_step(statement)) == SQLITE_ROW) {
        load_indicator(statement, 0, &row);
        table_load_row(statement, columns, &case_tables[RULE], &rule);
        row.from_case = (const char *)sqlite3_column_text(
            statement, columns + (int)case_tables[RULE].column_count);
        result = visit(context, &row, &rule);
    }
    if (result == 0 && step != SQLITE_DONE)
        result = database_error(file, "the case cannot be read");
    sqlite3_finalize(statement);
    return result;
}

int case_each_indicator(struct case_file *file, bool dated,
                        int (*visit)(void *context, const struct case_indicator *row,
                                     const struct case_rule *rule),
                        void *context)
{
    return file->is_fleet ? each_of_fleet(file, dated, visit, context)
                          : each_of_case(file, dated, visit, context);
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
    table_prefixed_columns(&case_tables[CONTEXT], "c", &sql);
    buffer_add_text(&sql, ", ");
    table_prefixed_columns(&case_tables[INDICATOR], "i", &sql);
    buffer_add_text(&sql, ", ");
    table_prefixed_columns(&case_tables[RULE], "r", &sql);
    buffer_add_text(&sql, " FROM context c JOIN indicator i ON i.rowid = c.near "
                          "JOIN rule r ON r.rowid = i.rule + 1 ORDER BY c.rowid");
    if (sqlite3_prepare_v2(file->database, buffer_text(&sql), -1, &statement, NULL) != SQLITE_OK)
        result = database_error(file, "the case database refuses");
    while (result == 0 && (step = sqlite3_step(statement)) == SQLITE_ROW) {
        table_load_row(statement, 0, &case_tables[CONTEXT], &row);
        table_load_row(statement, (int)case_tables[CONTEXT].column_count, &case_tables[INDICATOR],
                       &near);
        table_load_row(
            statement,
            (int)(case_tables[CONTEXT].column_count + case_tables[INDICATOR].column_count),
            &case_tables[RULE], &rule);
        result = visit(context, &row, &near, &rule);
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

int case_query(struct case_file *file, const char *sql,
               int (*visit)(void *context, const char *const *cells), void *context)
{
    const char *cells[CASE_CELLS_MOST];
    sqlite3_stmt *statement = NULL;
    int result = 0, step = SQLITE_DONE;

    if (sqlite3_prepare_v2(file->database, sql, -1, &statement, NULL) != SQLITE_OK)
        return database_error(file, sqlite3_errcode(file->database) == SQLITE_ERROR
                                        ? "the case was made by another version"
                                        : "the case cannot be read");
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
