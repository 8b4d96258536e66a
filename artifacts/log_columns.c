/* Headers and directives of text logs. */
#include "artifacts/log_parts.h"
#include "triage/formats/csv.h"
#include "triage/formats/w3c_log.h"

#include <string.h>

static void time_columns_find(struct log *log)
{
    const struct columns *columns = &log->columns;
    struct time_columns *time = &log->time;
    const bool csv = log->format->shape == LOG_CSV;

    time->date = columns_find(columns, "date");
    time->clock = columns_find(columns, "time");
    time->local = log->format->shape == LOG_NATIVE;
    if (time->date == COLUMN_MISSING && columns_find(columns, "date-local") != COLUMN_MISSING) {
        time->date = columns_find(columns, "date-local");
        time->clock = columns_find(columns, "time-local");
        time->local = true;
    }
    time->stamp = COLUMN_MISSING;
    for (size_t i = 0; csv && i < columns->count && time->stamp == COLUMN_MISSING; i++)
        if (columns->column[i].type == COLUMN_STAMP)
            time->stamp = i;
    if (csv)
        time->in_front = time->stamp == 0;
    else
        time->in_front = time->date == 0 && time->clock == 1 && !time->local;
}

static void aliases_find(struct log *log)
{
    const struct log_alias *alias = log->format->aliases;

    log->alias_count = 0;
    for (; alias && alias->column && log->alias_count < LOG_ALIASES_CEILING; alias++)
        log->alias_column[log->alias_count++] = columns_find(&log->columns, alias->column);
}

void log_columns_ready(struct log *log)
{
    const size_t needed =
        log->format->needed ? columns_find(&log->columns, log->format->needed) : COLUMN_MISSING;

    log->needed = needed == COLUMN_MISSING ? 1 : needed;
    time_columns_find(log);
    aliases_find(log);
    log->front_size = 0;
    log->fast = log->columns.count && !log->columns.overflow && !log->quoted && log->time.in_front;
    if (log->columns.overflow && !log->told_overflow)
        log_notice(log, log_place(log, 0),
                   "a header with more than %d columns: its records are rejected", COLUMNS_CEILING);
    log->told_overflow = log->told_overflow || log->columns.overflow;
    log_volume_header(&log->volume, log->format->volumes, &log->columns,
                      log->format->shape == LOG_CSV ? ',' : ' ', log->format->shape == LOG_CSV);
}

void log_header_take(struct log *log, struct slice names)
{
    if (!log->columns.assumed && slice_equal(names, log->header))
        return;
    log->header = slice_of(log->header_text, 0);
    if (names.size && names.size <= sizeof log->header_text) {
        memcpy(log->header_text, names.data, names.size);
        log->header.size = names.size;
    }
    if (log->format->shape == LOG_CSV)
        csv_header(&log->columns, names);
    else
        w3c_header(&log->columns, names);
    log_columns_ready(log);
}

/* Cells by their separators, those within quotes left out when `quotes`. */
static size_t count_cells(struct slice line, uint8_t separator, bool quotes)
{
    size_t count = 1;
    bool within = false;

    for (size_t i = 0; i < line.size; i++) {
        within ^= quotes && line.data[i] == '"';
        count += line.data[i] == separator && !within;
    }
    return count;
}

void log_header_assume(struct log *log, struct slice line, size_t at)
{
    const bool csv = log->format->shape == LOG_CSV;
    const size_t cells = count_cells(line, csv ? ',' : ' ', csv);
    const struct slice first = slice_part(line, 0, slice_find(line, 0, csv ? ',' : ' '));

    for (const char *const *known = log->format->assumed; known && *known; known++) {
        const struct slice names = slice_of_text(*known);
        if (log->format->shape == LOG_CSV)
            csv_header(&log->columns, names);
        else
            w3c_header(&log->columns, names);
        if (log->columns.count != cells || !column_fits(log->columns.column[0].type, first))
            continue;
        log->columns.assumed = true;
        log_columns_ready(log);
        if (!log->told_assumed)
            log_notice(log, log_place(log, at),
                       "no header in front of this line: the usual %zu columns are assumed", cells);
        log->told_assumed = true;
        return;
    }
    columns_clear(&log->columns);
}

/* Only IIS and http.sys are known never to quote. */
static bool software_quotes(struct slice name)
{
    return slice_find_nocase(name, 0, SLICE_LITERAL("Internet Information")) == SIZE_MAX &&
           slice_find_nocase(name, 0, SLICE_LITERAL("HTTP")) == SIZE_MAX;
}

void log_take_directive(struct log *log, struct slice line)
{
    struct slice value;
    struct instant day;

    if (log_directive(line, "#Fields", &value)) {
        log_header_take(log, value);
    } else if (log_directive(line, "#Date", &value)) {
        if (instant_parse(slice_part(value, 0, LOG_DAY_SIZE), &day, NULL)) {
            log->day = day;
            log->day_clock = INSTANT_NONE;
        }
    } else if (log->format->shape == LOG_W3C && log_directive(line, "#Software", &value)) {
        log->quoted = software_quotes(value);
        log_columns_ready(log);
    }
}
