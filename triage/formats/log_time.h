/* The times of log lines, read fast: most lines share their date, and many their second, with the
 * line in front. */
#ifndef TRIAGE_FORMATS_LOG_TIME_H
#define TRIAGE_FORMATS_LOG_TIME_H

#include "triage/base/instant.h"

enum { LOG_DAY_SIZE = 10 };

struct log_clock {
    uint8_t day[LOG_DAY_SIZE]; /* "2021-03-03" that was read last */
    struct instant midnight;   /* INSTANT_NONE: none yet */
};

/* "YYYY-MM-DD hh:mm:ss", with `joint` in the middle, a fraction and (after 'T') a Z behind it, at
 * the start of the line. On success `size` is how many bytes that is; a blank, a comma or the end
 * of the line has to follow. */
bool log_clock_read(struct log_clock *clock, char joint, struct slice line, struct instant *when,
                    size_t *size);

/* "03/20/01" or "03/20/2001" and "7:55:20": IIS native format, month first. */
bool log_native_time(struct slice date, struct slice time, struct instant *when);
/* "3/20/2021 7:55:20 AM": month first, as only a text with AM or PM is taken to have it. */
bool log_us_time(struct slice text, struct instant *when);
/* "08/Apr/2001:17:39:04 -0800"; the offset in minutes east of UTC. */
bool log_ncsa_time(struct slice text, struct instant *local, int *offset);

#endif
