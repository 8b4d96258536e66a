/* Times of records in text logs. */
#include "artifacts/log_parts.h"

#include "triage/formats/iis_text.h"

/* Local time to UTC; stays undated when the zone is not known. */
static void localize(struct log *log, struct log_entry *entry)
{
    const struct host *host = log->job->host;
    const struct instant utc = host ? zone_to_utc(&host->zone, entry->when) : INSTANT_NONE;

    entry->basis = BASIS_LOCAL;
    entry->counted = instant_known(utc) ? utc : entry->when;
    if (!instant_known(utc)) {
        entry->basis = BASIS_UNKNOWN;
        if (!log->told_zone)
            log_notice(log, 0,
                       "local times, and the time zone is not known: its events are undated");
        log->told_zone = true;
    }
    entry->when = utc;
}

/* A clock time without a date: the day of #Date, and one more after each midnight that was passed
 * since. */
static bool day_of_directive(struct log *log, struct slice clock, struct log_entry *entry)
{
    struct instant when;

    entry->basis = BASIS_UNKNOWN;
    if (!instant_parse_columns(SLICE_LITERAL("2000-01-01"), clock, &when))
        return false;
    if (!instant_known(log->day))
        return true;
    const struct instant now = {when.ticks % TICKS_PER_DAY + 1};
    if (instant_known(log->day_clock) && now.ticks + TICKS_PER_DAY / 2 < log->day_clock.ticks)
        log->day.ticks += TICKS_PER_DAY;
    log->day_clock = now;
    entry->when.ticks = log->day.ticks + now.ticks - 1;
    entry->basis = BASIS_UTC;
    if (!log->told_day)
        log_notice(log, log_place(log, entry->start),
                   "no date column: the date is that of #Date or the file's name");
    log->told_day = true;
    return true;
}

static struct slice spanning(struct slice first, struct slice last)
{
    return first.data && last.data >= first.data /* an empty cell has no place */
               ? slice_of(first.data, (size_t)(last.data - first.data) + last.size)
               : last;
}

static bool time_of_columns(struct log *log, struct log_entry *entry)
{
    const struct time_columns *time = &log->time;
    const struct slice *cell = log->cells.text;

    if (time->clock == COLUMN_MISSING)
        return true;
    entry->time_text = cell[time->clock];
    if (time->date == COLUMN_MISSING)
        return day_of_directive(log, cell[time->clock], entry);
    if (time->clock == time->date + 1)
        entry->time_text = spanning(log->cells.raw[time->date], log->cells.raw[time->clock]);
    const bool read =
        log->format->shape == LOG_NATIVE
            ? log_native_time(cell[time->date], cell[time->clock], &entry->when)
            : instant_parse_columns(cell[time->date], cell[time->clock], &entry->when);
    if (!read)
        return false;
    entry->basis = BASIS_UTC;
    if (time->local)
        localize(log, entry);
    return true;
}

static bool time_of_ncsa(struct log *log, struct log_entry *entry)
{
    int offset;
    const size_t at = columns_find(&log->columns, "date-time");

    entry->time_text = log->cells.text[at];
    if (!log_ncsa_time(entry->time_text, &entry->when, &offset))
        return false;
    entry->when.ticks -= (int64_t)offset * 60 * TICKS_PER_SECOND;
    entry->basis = BASIS_UTC;
    return true;
}

static bool time_of_stamp(struct log *log, struct log_entry *entry)
{
    size_t size;

    entry->time_text = log->cells.text[log->time.stamp];
    if (!log_clock_read(&log->clock, 'T', entry->time_text, &entry->when, &size) &&
        !instant_parse(entry->time_text, &entry->when, NULL) &&
        !log_us_time(entry->time_text, &entry->when))
        return false;
    entry->basis = BASIS_UTC;
    return true;
}

bool log_time_read(struct log *log, struct log_entry *entry)
{
    if (log->format->shape == LOG_NCSA)
        return time_of_ncsa(log, entry);
    return log->time.stamp == COLUMN_MISSING ? time_of_columns(log, entry)
                                             : time_of_stamp(log, entry);
}
