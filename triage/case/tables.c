#include "triage/case/tables.h"

#include "triage/case/database.h"

#include <string.h>

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
    COLUMN(case_coverage, INTEGER, missing),
    COLUMN(case_coverage, INTEGER, notices_left), COLUMN(case_coverage, INTEGER, facts_left),
    COLUMN(case_coverage, INTEGER, rejected_left), COLUMN(case_coverage, TEXT, first),
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
static const struct column damage_columns[] = {
    COLUMN(case_damage, INTEGER, item), COLUMN(case_damage, INTEGER, offset),
    COLUMN(case_damage, INTEGER, size), COLUMN(case_damage, TEXT, why),
};
#define COLUMNS(list) list, sizeof list / sizeof *list

const struct table case_tables[TABLE_COUNT] = {
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
    /* Only while collecting: they have no order of its own in a finished case. */
    [CORRELATED] = {"correlated", COLUMNS(correlated_columns), NULL},
    [DAMAGE] = {"damage", COLUMNS(damage_columns), NULL},
    [STORED] = {"file", COLUMNS(stored_columns), "evidence, volume, snapshot, path, mft_entry, stored, why"},
};
/* clang-format on */

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

void table_column_list(const struct table *table, struct buffer *sql)
{
    for (size_t i = 0; i < table->column_count; i++)
        buffer_format(sql, "%s%s", i ? ", " : "", table->columns[i].name);
}

/* The columns of `table` as "PREFIX.name, ...". */
void table_prefixed_columns(const struct table *table, const char *prefix, struct buffer *sql)
{
    for (size_t i = 0; i < table->column_count; i++)
        buffer_format(sql, "%s%s.%s", i ? ", " : "", prefix, table->columns[i].name);
}

int tables_create(struct case_file *file, bool with_task)
{
    struct buffer sql = BUFFER_EMPTY;
    int result = database_execute(file, "CREATE TABLE document (name TEXT PRIMARY KEY, body TEXT)");

    for (size_t i = 0; i < TABLE_COUNT && result == 0; i++) {
        if (!with_task && !case_tables[i].order)
            continue;
        create_table_sql(&case_tables[i], with_task, &sql);
        result = database_execute(file, buffer_text(&sql));
    }
    if (with_task && result == 0)
        result = database_execute(file, "CREATE TABLE task (key TEXT, note BLOB)");
    buffer_release(&sql);
    return result;
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

void table_bind_row(sqlite3_stmt *statement, int first, const struct table *table, const void *row)
{
    for (size_t i = 0; i < table->column_count; i++)
        bind_member(statement, first + (int)i, &table->columns[i], row);
}

static void load_member(sqlite3_stmt *statement, int at, const struct column *column, void *row)
{
    char *member = (char *)row + column->offset;

    switch (column->type) {
    case INTEGER: {
        const int64_t integer = sqlite3_column_int64(statement, at);
        memcpy(member, &integer, sizeof integer);
        break;
    }
    case BOOLEAN: {
        const bool boolean = sqlite3_column_int64(statement, at) != 0;
        memcpy(member, &boolean, sizeof boolean);
        break;
    }
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

void table_load_row(sqlite3_stmt *statement, int first, const struct table *table, void *row)
{
    for (size_t i = 0; i < table->column_count; i++)
        load_member(statement, first + (int)i, &table->columns[i], row);
}
