#include "artifacts/text_file.h"

#include "triage/base/error.h"
#include "triage/base/utf16.h"
#include "triage/formats/lines.h"

#include <string.h>

struct text_file {
    struct job *job;
    const struct text_format *format;
    void *context;
    struct lines *lines;
    struct buffer kept; /* the record on its way */
    struct text_record record;
    bool open, cut, goes_on;
    uint64_t number; /* of the line at hand */
    bool told_bytes, told_nuls, told_cut;
};

static void tell_once(struct text_file *file, bool *told, uint64_t offset, const char *text)
{
    if (!*told)
        job_notice(file->job, offset, text);
    *told = true;
}

/* --- one record --- */

static void record_end(struct text_file *file)
{
    struct text_record *record = &file->record;

    if (!file->open)
        return;
    file->open = false;
    record->text = buffer_slice(&file->kept);
    while (record->text.size && strchr(" \t\r\n", record->text.data[record->text.size - 1]))
        record->text.size--;
    if (record->text.size)
        file->format->record(file->context, record);
}

static void record_start(struct text_file *file, uint64_t offset, bool first_line)
{
    buffer_clear(&file->kept);
    file->record =
        (struct text_record){.offset = offset, .number = file->number, .first_line = first_line};
    file->open = true;
    file->cut = false;
}

/* Bytes as valid UTF-8 without NULs. */
static void add_clean(struct text_file *file, struct slice text, uint64_t offset)
{
    for (size_t at = 0; at < text.size;) {
        const size_t nul = slice_find(text, at, 0);
        const size_t end = nul == SIZE_MAX ? text.size : nul;
        utf8_append_repaired(&file->kept, slice_part(text, at, end - at));
        at = end;
        while (at < text.size && text.data[at] == 0)
            at++;
        if (nul == SIZE_MAX)
            break;
        file->record.repaired = true;
        tell_once(file, &file->told_nuls, offset, "NUL bytes within text were left out");
    }
}

static void record_add(struct text_file *file, struct slice line, uint64_t offset, bool joined)
{
    if (file->cut)
        return;
    if (joined)
        buffer_add_byte(&file->kept, '\n');
    if (file->kept.size + line.size > TEXT_RECORD_MOST) {
        line.size = TEXT_RECORD_MOST > file->kept.size ? TEXT_RECORD_MOST - file->kept.size : 0;
        file->cut = file->record.repaired = true;
        tell_once(file, &file->told_cut, offset,
                  "a record of more than 1 MiB: only its start is kept");
    }
    if (!utf8_valid(line)) {
        file->record.repaired = true;
        tell_once(file, &file->told_bytes, offset, "bytes that are not UTF-8 were replaced");
    }
    add_clean(file, line, offset);
}

/* --- lines --- */

static bool is_blank(struct slice line)
{
    return slice_trim(line).size == 0;
}

/* NULs in front of a line are a hole that a crash left: what is behind starts anew. */
static size_t leading_nuls(struct text_file *file, struct slice line, uint64_t offset)
{
    size_t count = 0;

    while (count < line.size && line.data[count] == 0)
        count++;
    if (count)
        tell_once(file, &file->told_nuls, offset, "NUL bytes within text were left out");
    return count;
}

static void line_take(struct text_file *file, struct slice line, uint64_t offset)
{
    const struct text_format *format = file->format;
    const size_t nuls = leading_nuls(file, line, offset);

    if (nuls) {
        offset = lines_place(file->lines, line.data + nuls); /* there may be nothing behind them */
        line = slice_from(line, nuls);
        file->goes_on = false;
    }
    const bool starts = !file->goes_on && (!format->starts || format->starts(line));

    if (starts || !file->open) {
        record_end(file);
        if (is_blank(line))
            return;
        record_start(file, offset, starts);
        file->record.repaired = nuls > 0;
        record_add(file, line, offset, false);
    } else {
        record_add(file, line, offset, true);
    }
    file->goes_on = format->goes_on && format->goes_on(line);
}

/* The lines of the window; gives the bytes taken. A line that is longer than any window comes in
 * pieces of one record. */
static size_t window_take(struct text_file *file, struct slice window, bool *piece)
{
    size_t at = 0;

    while (at < window.size) {
        const size_t lf = slice_find(window, at, '\n');
        if (lf == SIZE_MAX && !lines_full(file->lines) && !lines_final(file->lines))
            break;
        const size_t end = lf == SIZE_MAX ? window.size : lf;
        size_t size = end - at;
        const uint64_t offset = lines_place(file->lines, window.data + at);
        if (size && window.data[at + size - 1] == '\r')
            size--;
        if (*piece)
            record_add(file, slice_part(window, at, size), offset, false);
        else
            line_take(file, slice_part(window, at, size), offset);
        *piece = lf == SIZE_MAX && !lines_final(file->lines);
        file->number += !*piece;
        at = lf == SIZE_MAX ? end : end + 1;
    }
    return at;
}

static int windows_take(struct text_file *file)
{
    struct slice window;
    size_t consumed = 0;
    bool piece = false;
    int got;

    while ((got = lines_next(file->lines, consumed, &window)) > 0) {
        consumed = window_take(file, window, &piece);
        if (lines_final(file->lines))
            break;
    }
    return got < 0 ? -1 : 0;
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

int text_file_read(struct job *job, const struct text_format *format, void *context)
{
    const struct line_source source = {.read = source_read,
                                       .notice = source_notice,
                                       .data = source_data,
                                       .context = job,
                                       .size = job->size};
    struct text_file file = {
        .job = job, .format = format, .context = context, .number = 1, .lines = lines_new(&source)};

    if (!file.lines)
        return -1;
    int result = windows_take(&file);
    record_end(&file);
    if (buffer_failed(&file.kept))
        result = error_set("memory is out");
    lines_free(file.lines);
    buffer_release(&file.kept);
    return result;
}

/* --- entries --- */

void text_entry_begin(struct entry *entry, struct job *job, enum kind kind,
                      const struct text_record *record)
{
    entry_begin(entry, job, kind);
    entry->event.offset = record->offset;
    entry->event.number = record->number;
    entry->event.raw = record->text;
    if (record->repaired)
        entry->event.marks |= EVENT_REPAIRED;
}

void text_entry_reject(struct entry *entry, const char *why)
{
    struct job *job = entry->job;

    if (job->tally->rejected == 0)
        job_notice(job, entry->event.offset, why);
    entry->event.marks |= EVENT_REJECTED;
}

void text_undated(struct entry *entry)
{
    entry_time(entry, INSTANT_NONE);
}

void text_time_utc(struct entry *entry, struct instant when, struct slice text)
{
    entry_time(entry, when);
    entry->event.time_text = text;
}

void text_time_local(struct entry *entry, struct instant local, struct slice text, bool *told)
{
    const struct host *host = entry->job->host;
    const struct instant utc =
        host && instant_known(local) ? zone_to_utc(&host->zone, local) : INSTANT_NONE;

    entry->event.time_text = text;
    entry->event.when = utc;
    entry->event.basis = instant_known(utc) ? BASIS_LOCAL : BASIS_UNKNOWN;
    if (instant_known(utc) || !instant_known(local))
        return;
    if (!*told)
        job_notice(entry->job, entry->event.offset,
                   "local times, and the time zone is not known: its events are undated");
    *told = true;
}

/* --- words --- */

bool text_between(struct slice text, const char *before, const char *after, struct slice *part)
{
    const size_t found = slice_find_nocase(text, 0, slice_of_text(before));

    if (found == SIZE_MAX)
        return false;
    const size_t start = found + strlen(before);
    size_t end = *after ? slice_find_nocase(text, start, slice_of_text(after)) : text.size;
    if (end == SIZE_MAX)
        return false;
    *part = slice_trim(slice_part(text, start, end - start));
    return true;
}

bool text_holds(struct slice text, const char *words)
{
    return slice_find_nocase(text, 0, slice_of_text(words)) != SIZE_MAX;
}

struct slice text_first_line(struct slice text)
{
    const size_t end = slice_find(text, 0, '\n');

    return slice_trim(slice_part(text, 0, end == SIZE_MAX ? text.size : end));
}

bool text_number(struct slice text, size_t *at, size_t least, size_t most, int *number)
{
    size_t count = 0;
    int value = 0;

    while (count < most && count < 9 && *at + count < text.size && text.data[*at + count] >= '0' &&
           text.data[*at + count] <= '9')
        value = value * 10 + (text.data[*at + count++] - '0');
    if (count < least)
        return false;
    *at += count;
    *number = value;
    return true;
}
