/* A point in time: 100 ns ticks since 1601-01-01 00:00 UTC, as FILETIME counts (MS-DTYP 2.3.3). */
#ifndef TRIAGE_BASE_INSTANT_H
#define TRIAGE_BASE_INSTANT_H

#include "triage/base/cursor.h"

struct instant {
    int64_t ticks; /* 0: no time is known */
};

#define INSTANT_NONE     ((struct instant){0})
#define TICKS_PER_SECOND INT64_C(10000000)
#define TICKS_PER_DAY    (INT64_C(86400) * TICKS_PER_SECOND)

enum { INSTANT_TEXT_SIZE = 48, INSTANT_MINUTE = 16, INSTANT_SECOND = 19 };

struct civil {
    int year, month, day, hour, minute, second; /* month and day from 1 */
    int ticks;                                  /* 100 ns within the second */
};

static inline bool instant_known(struct instant instant)
{
    return instant.ticks != 0;
}

struct instant instant_from_filetime(uint64_t filetime);
struct instant instant_from_unix(int64_t seconds, int64_t nanoseconds);
/* Of any number of microseconds since 1970. */
struct instant instant_from_unix_us(int64_t us);
/* Microseconds since 1970-01-01 UTC, rounded down: what Timesketch calls `timestamp`. */
int64_t instant_to_unix_us(struct instant instant);
/* INSTANT_NONE when a field is out of range (year 1601..9999). */
struct instant instant_from_civil(struct civil civil);
struct civil instant_to_civil(struct instant instant);
/* "2021-03-03T10:15:19.162000+00:00"; the empty text for INSTANT_NONE. Gives `text` back. */
const char *instant_format(struct instant instant, char text[INSTANT_TEXT_SIZE]);
/* Microseconds since 1970-01-01 UTC for sentences: "2021-03-03 10:15" (INSTANT_MINUTE) or
 * "2021-03-03 10:15:19" (INSTANT_SECOND); empty before 1601. Gives `text` back. */
const char *instant_words(int64_t unix_us, size_t size, char text[INSTANT_TEXT_SIZE]);
/*
 * Reads "YYYY-MM-DD", "YYYY-MM-DDTHH:MM:SS[.fraction]" (a blank for T is fine), with nothing, "Z"
 * or "+HH:MM" behind. False when it is none of these. `has_offset` (may be NULL) tells whether an
 * offset or Z was there.
 */
bool instant_parse(struct slice text, struct instant *instant, bool *has_offset);
/* "YYYY-MM-DD" and "HH:MM:SS" as two columns of a W3C log; false when malformed. */
bool instant_parse_columns(struct slice date, struct slice time, struct instant *instant);

#endif
