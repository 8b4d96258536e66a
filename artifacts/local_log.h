/* Logs whose lines have a clock time only: the day stands once in front, in the order of the
 * country, and moves on at midnight. All in local time. */
#ifndef ARTIFACTS_LOCAL_LOG_H
#define ARTIFACTS_LOCAL_LOG_H

#include "artifacts/setup_words.h"

struct local_log {
    struct instant day, last; /* last: the local time that was read last */
    int64_t clock;            /* ticks of the day of it, -1: none yet */
    bool told_zone, told_order, told_file;
};

/* Takes the date at the start of `text` as the day of the lines that follow. Tells when day and
 * month could be either, and when only the file's times decided. */
void local_log_day(struct local_log *log, struct job *job, uint64_t offset, struct slice text);
/* Sets the entry's time from a clock time at the start of `text`; without one (or without a day)
 * the line has the time of the line in front. */
void local_log_time(struct local_log *log, struct entry *entry, struct slice text);

#endif
