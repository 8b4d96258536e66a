#include "artifacts/log_parts.h"

#include "triage/base/error.h"
#include "triage/base/utf16.h"
#include "triage/formats/csv.h"
#include "triage/formats/iis_text.h"
#include "triage/formats/w3c_log.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    NUL_RUN = 16,         /* so many NULs end a record: a hole that a crash left */
    PIECE_OVERLAP = 4096, /* pieces of one very long line share so much */
    NOTICE_SIZE = 256,
};

void log_notice(struct log *log, uint64_t offset, const char *format, ...)
{
    char text[NOTICE_SIZE];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    job_notice(log->job, offset, text);
}

uint64_t log_place(struct log *log, size_t at)
{
    return lines_place(log->lines, log->window.data + at);
}

/* --- events --- */

static size_t values_make(struct log *log)
{
    size_t count = 0;

    for (; count < log->columns.count; count++) {
        const struct column *column = &log->columns.column[count];
        log->values[count] = (struct value){
            .name = column->name, .field = column->field, .text = log->cells.text[count]};
    }
    for (size_t i = 0; i < log->alias_count; i++) {
        const struct log_alias *alias = &log->format->aliases[i];
        if (log->alias_column[i] == COLUMN_MISSING)
            continue;
        log->values[count++] = (struct value){.name = alias->name,
                                              .field = alias->field,
                                              .alias = true,
                                              .text = log->cells.text[log->alias_column[i]]};
    }
    return count;
}

static void emit(struct log *log, const struct log_entry *entry)
{
    struct event event = {
        .kind = log->format->kind,
        .artifact = log->job->artifact->name,
        .sources = log->job->artifact->sources,
        .when = entry->when,
        .basis = entry->basis,
        .time_text = entry->time_text,
        .file = log->job->file,
        .offset = log_place(log, entry->start),
        .number = log->number + 1,
        .raw = entry->raw,
        .values = log->values,
    };

    if (entry->state == RECORD_REJECTED) {
        event.kind = KIND_text_line;
        event.marks = EVENT_REJECTED;
    } else {
        event.value_count = values_make(log);
        event.marks = entry->state == RECORD_REPAIRED ? EVENT_REPAIRED : 0;
    }
    job_emit(log->job, &event);
}

/* Is a place nominated before `end`? Moves on to the next place behind it. */
static bool nominated(struct log *log, size_t end)
{
    if (log->candidate >= end)
        return false;
    log->candidate = end < log->whole
                         ? job_next_candidate(log->job, slice_part(log->window, 0, log->whole), end)
                         : SIZE_MAX;
    return true;
}

static void repair_tell(struct log *log, const struct log_entry *entry)
{
    const char *why = log->cells.repair;

    for (size_t i = 0; i < log->told_count; i++)
        if (log->told[i] == why)
            return;
    if (!why || log->told_count == LOG_REPAIRS_TOLD)
        return;
    log->told[log->told_count++] = why;
    log_notice(log, log_place(log, entry->start),
               "line %" PRIu64 ": %s; mended here and from here on", log->number + 1, why);
}

static void reject_tell(struct log *log, const struct log_entry *entry)
{
    if (!log->told_rejected)
        log_notice(log, log_place(log, entry->start),
                   "line %" PRIu64 " does not fit the columns; such lines are searched as text",
                   log->number + 1);
    log->told_rejected = true;
}

static void account(struct log *log, const struct log_entry *entry)
{
    struct tally *tally = log->job->tally;

    tally->records++;
    if (entry->state == RECORD_USED) {
        tally->used++;
    } else if (entry->state == RECORD_REPAIRED) {
        tally->repaired++;
        repair_tell(log, entry);
    } else {
        tally->rejected++;
        reject_tell(log, entry);
        job_reject(log->job, log_place(log, entry->start), log->number + 1, entry->raw);
        return;
    }
    tally_time(tally, instant_known(entry->counted) ? entry->counted : entry->when);
    if (log_volume_counts(log->volume))
        log_volume_cells(log->volume, &log->cells, entry->when);
    log->front_size = 0;
}

/* --- one record --- */

static bool is_directive(const struct log *log, struct slice line)
{
    return line.size && line.data[0] == '#' && log->format->shape <= LOG_CSV;
}

/* A bare line of column names in an Exchange log. */
static bool header_line(struct log *log, struct slice line)
{
    if (log->format->shape != LOG_CSV || !csv_is_header(&log->columns, line))
        return false;
    log_header_take(log, line);
    return true;
}

/* The first line of `text`, which ends at LF, at a lone CR that the scan saw, or with the text. */
static struct slice line_of(struct slice text, size_t seen)
{
    const size_t lf = slice_find(slice_part(text, 0, seen), 0, '\n');
    struct slice line = slice_part(text, 0, lf == SIZE_MAX ? seen : lf);

    while (line.size && line.data[line.size - 1] == '\r')
        line.size--;
    return line;
}

static enum record_state record_split(struct log *log, struct slice text, struct slice line,
                                      bool final, struct log_entry *entry, size_t *breaks)
{
    size_t size = line.size;
    enum record_state state;

    switch (log->format->shape) {
    case LOG_W3C:
        state = w3c_record(&log->columns, log->quoted, line, &log->cells);
        break;
    case LOG_NATIVE:
        state = iis_native_record(&log->columns, line, &log->cells);
        break;
    case LOG_NCSA:
        state = ncsa_record(line, &log->cells);
        log_header_take(log, slice_of_text(ncsa_columns(&log->cells)));
        break;
    default:
        state = csv_record(&log->columns, text, entry->raw.size, final, log->needed, &log->cells,
                           &size, breaks);
    }
    entry->raw = slice_part(text, 0, size);
    return state;
}

/* UTF-8, with the plain letters in front passed over fast. */
static bool is_utf8(struct slice text)
{
    size_t at = 0;
    uint64_t word;

    for (; at + sizeof word <= text.size; at += sizeof word) {
        memcpy(&word, text.data + at, sizeof word);
        if (word & UINT64_C(0x8080808080808080))
            break;
    }
    return utf8_valid(slice_from(text, at));
}

/* What is left to judge once the cells are there: the time, and bytes that are no UTF-8. */
static void record_finish(struct log *log, struct log_entry *entry)
{
    if (entry->state == RECORD_REJECTED)
        return;
    const char *defect = NULL;
    if (!log_time_read(log, entry))
        defect = "a time that cannot be read, left undated";
    else if (!is_utf8(entry->raw))
        defect = "bytes that are not UTF-8, kept as they are";
    else if (log->continuing)
        defect = "a line that is longer than a window";
    if (defect && entry->state == RECORD_USED) {
        entry->state = RECORD_REPAIRED;
        log->cells.repair = defect;
    }
}

/* Where the line behind the line end at `at` starts. */
static size_t record_end(const struct log *log, size_t at)
{
    const struct slice window = log->window;

    if (at < window.size && window.data[at] == '\r')
        at++;
    if (at < window.size && window.data[at] == '\n')
        at++;
    return at;
}

/*
 * Takes the record at `start`, whose text the scan saw as `seen` bytes; `limit` is where its text
 * has to end. False when more of the file is needed. `next` is where the next line starts.
 */
static bool record_take(struct log *log, size_t start, size_t seen, size_t limit, bool final,
                        size_t *next)
{
    const struct slice text = slice_part(log->window, start, limit - start);
    const struct slice line = line_of(text, seen);
    struct log_entry entry = {.start = start, .raw = slice_part(text, 0, seen)};
    size_t breaks = 0;

    *next = record_end(log, start + line.size);
    if (slice_trim(line).size == 0 || is_directive(log, line)) {
        log_take_directive(log, line);
        nominated(log, *next);
        log->number++;
        return true;
    }
    if (header_line(log, line)) {
        log->job->tally->records++;
        log->job->tally->used++;
        nominated(log, *next);
        log->number++;
        return true;
    }
    if (!log->columns.count && log->format->assumed)
        log_header_assume(log, line, start);
    entry.state = record_split(log, text, line, final, &entry, &breaks);
    if (entry.state == RECORD_MORE)
        return false;
    *next = record_end(log, start + entry.raw.size);
    record_finish(log, &entry);
    account(log, &entry);
    if (nominated(log, *next))
        emit(log, &entry);
    log->number += breaks + (*next > start + entry.raw.size);
    return true;
}

/* --- odd lines --- */

static size_t nul_run(struct slice text, size_t at)
{
    size_t end = at;

    while (end < text.size && text.data[end] == 0)
        end++;
    return end - at;
}

/* Offset of the first run of NULs that ends a record, or the size of the text. */
static size_t nul_hole(struct slice text)
{
    for (size_t at = 0; (at = slice_find(text, at, 0)) != SIZE_MAX;) {
        const size_t run = nul_run(text, at);
        if (run >= NUL_RUN || at + run == text.size)
            return at;
        at += run;
    }
    return text.size;
}

static void nuls_skip(struct log *log, size_t start, size_t count)
{
    if (!log->nul_count)
        log->nul_first = log_place(log, start);
    log->nul_count += count;
}

/* The next piece of a line that is longer than any window: only searched, because its record is
 * counted already. */
static size_t piece_take(struct log *log)
{
    const size_t lf = slice_find(log->window, 0, '\n');
    const size_t end = lf == SIZE_MAX ? log->window.size : lf + 1;
    struct log_entry entry = {.raw = slice_part(log->window, 0, end), .state = RECORD_REJECTED};

    if (nominated(log, end))
        emit(log, &entry);
    log->continuing = lf == SIZE_MAX && !lines_final(log->lines);
    log->number += !log->continuing;
    return log->continuing ? end - PIECE_OVERLAP : end;
}

/* The start of such a line: counted once, as repaired at best. */
static size_t long_line_take(struct log *log)
{
    size_t next;

    if (!log->told_long)
        log_notice(log, log_place(log, 0), "a line of more than %d MiB: taken in pieces",
                   LINES_WINDOW_CEILING >> 20);
    log->told_long = true;
    log->continuing = true;
    record_take(log, 0, log->window.size, log->window.size, true, &next);
    return log->window.size - PIECE_OVERLAP;
}

/*
 * A line that is not plain: with NULs, with line breaks in quotes, not ended, or whose cells do not
 * fit. False when more of the file is needed.
 */
static bool odd_line(struct log *log, const struct line *line, size_t *next)
{
    const bool final = lines_final(log->lines);
    const struct slice rest = slice_from(log->window, line->start);
    size_t limit = log->window.size;

    if (line->marks & LINE_ODD) {
        const size_t leading = nul_run(rest, 0);
        if (leading) {
            nuls_skip(log, line->start, leading);
            *next = line->start + leading;
            return true;
        }
        limit = line->start + nul_hole(slice_part(rest, 0, line->size));
        if (limit < line->start + line->size)
            return record_take(log, line->start, limit - line->start, limit, true, next);
        limit = log->window.size;
    }
    size_t seen = line->size;
    if (line->marks & LINE_OPEN) {
        const size_t lf = slice_find(rest, 0, '\n');
        if (lf == SIZE_MAX && !final) {
            *next = line->start || !lines_full(log->lines) ? 0 : long_line_take(log);
            return *next > 0;
        }
        if (lf == SIZE_MAX)
            seen = rest.size;
        else
            seen = log->format->shape == LOG_CSV && seen > lf ? seen : lf + 1;
    }
    return record_take(log, line->start, seen, limit, final || lines_full(log->lines), next);
}

/* --- plain lines --- */

/* Reads the time in front of a line; the same text as in front of the line before costs one
 * comparison. */
static bool front_time(struct log *log, struct slice text)
{
    struct instant when;
    size_t size;

    if (log->front_size && text.size > log->front_size &&
        memcmp(text.data, log->front, log->front_size) == 0)
        return true;
    if (!log_clock_read(&log->clock, log->format->shape == LOG_CSV ? 'T' : ' ', text, &when, &size))
        return false;
    tally_time(log->job->tally, when);
    log->front_size = size < sizeof log->front ? size + 1 : 0;
    memcpy(log->front, text.data, log->front_size <= text.size ? log->front_size : 0);
    if (log->front_size > text.size)
        log->front_size = 0;
    return true;
}

/* Counts a line that is as it should be and that no rule could match; false for all others. */
static bool plain_line(struct log *log, const struct line *line)
{
    const struct slice text = slice_of(log->window.data + line->start, line->size);
    const bool candidate = log->candidate < line->next;

    if (!log->fast || line->separators + 1 != log->columns.count ||
        line->marks & (LINE_ODD | LINE_OPEN) || !line->size || text.data[0] == '#')
        return false;
    if (candidate && job_could_match(log->job, text))
        return false;
    if (line->marks & LINE_HIGH && !is_utf8(text))
        return false;
    if (!front_time(log, text))
        return false;
    if (candidate)
        nominated(log, line->next);
    if (log_volume_counts(log->volume))
        log_volume_line(log->volume, text, log->job->tally->previous);
    log->job->tally->records++;
    log->job->tally->used++;
    log->number++;
    return true;
}

/* Takes the window's lines; gives the bytes taken. */
static size_t window_walk(struct log *log)
{
    struct line line;
    size_t consumed = 0, next;

    line_scan_init(&log->scan, log->window, log->format->shape == LOG_CSV ? ',' : ' ',
                   log->format->shape == LOG_CSV);
    while (line_scan_next(&log->scan, &line)) {
        if (log->continuing && line.start == 0) {
            next = piece_take(log);
            if (log->continuing)
                return next;
        } else if (plain_line(log, &line)) {
            consumed = line.next;
            continue;
        } else if (!odd_line(log, &line, &next)) {
            return consumed;
        }
        consumed = next;
        if (log->continuing)
            return consumed;
        if (next != line.next)
            line_scan_seek(&log->scan, next);
    }
    return consumed;
}

static void window_start(struct log *log)
{
    const uint8_t *last = memrchr(log->window.data, '\n', log->window.size);

    log->whole =
        last && !lines_full(log->lines) ? (size_t)(last - log->window.data) + 1 : log->window.size;
    log->candidate = job_next_candidate(log->job, slice_part(log->window, 0, log->whole), 0);
}

/* --- the file --- */

static ssize_t source_read(void *context, uint64_t offset, void *buffer, size_t size)
{
    return job_read(context, offset, buffer, size);
}

static bool source_data(void *context, uint64_t offset, uint64_t *start, uint64_t *size)
{
    return job_data(context, offset, start, size);
}

static void source_notice(void *context, uint64_t offset, const char *text)
{
    job_notice(context, offset, text);
}

/* "u_ex130730.log", "in981225.log", "u_ex13073015.log": the day in a log's name; INSTANT_NONE when
 * there is none. */
static struct instant day_of_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;
    const size_t digits = strcspn(name, "0123456789");
    struct instant day = INSTANT_NONE;
    char text[LOG_DAY_SIZE + 1];

    if (strspn(name + digits, "0123456789") < 6)
        return day;
    const char *d = name + digits;
    snprintf(text, sizeof text, "%s%.2s-%.2s-%.2s", d[0] >= '8' ? "19" : "20", d, d + 2, d + 4);
    return instant_parse(slice_of_text(text), &day, NULL) ? day : INSTANT_NONE;
}

static int windows_walk(struct log *log)
{
    size_t consumed = 0;
    int got;

    while ((got = lines_next(log->lines, consumed, &log->window)) > 0) {
        window_start(log);
        consumed = window_walk(log);
        if (lines_final(log->lines))
            break;
    }
    return got < 0 ? -1 : 0;
}

static void log_start(struct log *log, struct job *job, const struct log_format *format)
{
    log->job = job;
    log->format = format;
    log->day = job->file ? day_of_name(job->file->path) : INSTANT_NONE;
    log->columns.count = 0;
    columns_clear(&log->columns);
    if (format->shape == LOG_NATIVE)
        w3c_header(&log->columns, slice_of_text(IIS_NATIVE_COLUMNS));
    if (format->shape == LOG_NATIVE)
        log_columns_ready(log);
}

int log_parse(struct job *job, const struct log_format *format)
{
    const struct line_source source = {.read = source_read,
                                       .notice = source_notice,
                                       .data = source_data,
                                       .context = job,
                                       .size = job->size};
    struct log *log = calloc(1, sizeof *log);
    int result = -1;

    if (!log)
        return error_set("memory is out");
    log->lines = lines_new(&source);
    if (!log->lines)
        goto out;
    job->tally->continuous = true;
    log_start(log, job, format);
    result = windows_walk(log);
    log->nul_count += log->nul_count ? lines_skipped(log->lines) : 0;
    if (result == 0)
        log_volume_tell(log->volume, job);
    if (log->nul_count)
        log_notice(log, log->nul_first, "%" PRIu64 " NUL bytes instead of text were skipped",
                   log->nul_count);
out:
    lines_free(log->lines);
    cells_release(&log->cells);
    log_volume_free(log->volume);
    free(log);
    return result;
}
