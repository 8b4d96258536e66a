#include "artifacts/local_log.h"

static void tell_once(struct job *job, bool *told, uint64_t offset, const char *text)
{
    if (!*told)
        job_notice(job, offset, text);
    *told = true;
}

void local_log_day(struct local_log *log, struct job *job, uint64_t offset, struct slice text)
{
    struct instant day = INSTANT_NONE;
    size_t size = 0;

    const enum setup_date how = setup_date_read(text, job->file, &day, &size);
    log->day = day;
    log->last = INSTANT_NONE;
    log->clock = -1;
    if (how == SETUP_DATE_AMBIGUOUS)
        tell_once(job, &log->told_order, offset,
                  "the day could be the month or the other way round: the lines stay undated");
    else if (how == SETUP_DATE_BY_FILE)
        tell_once(job, &log->told_file, offset,
                  "the day could be the month or the other way round: the file's times decided");
}

void local_log_time(struct local_log *log, struct entry *entry, struct slice text)
{
    int64_t ticks;
    struct slice clock = {0};

    if (instant_known(log->day) && setup_clock_read(text, &ticks)) {
        if (log->clock >= 0 && ticks + TICKS_PER_DAY / 2 < log->clock)
            log->day.ticks += TICKS_PER_DAY;
        log->clock = ticks;
        log->last.ticks = log->day.ticks + ticks;
        clock = slice_part(text, 0, 8);
    }
    text_time_local(entry, log->last, clock, &log->told_zone);
}
