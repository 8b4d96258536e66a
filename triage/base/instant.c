#include "triage/base/instant.h"

#include <stdio.h>

static const int64_t UNIX_EPOCH_SECONDS = INT64_C(11644473600); /* 1601-01-01 to 1970-01-01 */

/* Days from 1601-01-01 in the proleptic Gregorian calendar; March-based years put the leap day
 * last. */
static int64_t days_from_civil(int year, int month, int day)
{
    const int64_t y = month <= 2 ? year - 1 : year;
    const int64_t era = y / 400;
    const int64_t year_of_era = y - era * 400;
    const int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    const int64_t day_of_era =
        year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;

    return era * 146097 + day_of_era - 584694;
}

static void civil_from_days(int64_t days, struct civil *civil)
{
    days += 584694;
    const int64_t era = days / 146097;
    const int64_t day_of_era = days - era * 146097;
    const int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    const int64_t day_of_year =
        day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    const int64_t month = (5 * day_of_year + 2) / 153;

    civil->day = (int)(day_of_year - (153 * month + 2) / 5 + 1);
    civil->month = (int)(month < 10 ? month + 3 : month - 9);
    civil->year = (int)(year_of_era + era * 400 + (civil->month <= 2));
}

static int days_in_month(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    const bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

    return month == 2 && leap ? 29 : days[month - 1];
}

struct instant instant_from_filetime(uint64_t filetime)
{
    return (struct instant){filetime > INT64_MAX ? 0 : (int64_t)filetime};
}

struct instant instant_from_unix(int64_t seconds, int64_t nanoseconds)
{
    int64_t ticks;

    if (__builtin_add_overflow(seconds, UNIX_EPOCH_SECONDS, &ticks) ||
        __builtin_mul_overflow(ticks, TICKS_PER_SECOND, &ticks) ||
        __builtin_add_overflow(ticks, nanoseconds / 100, &ticks) || ticks <= 0)
        return INSTANT_NONE;
    return (struct instant){ticks};
}

struct instant instant_from_unix_us(int64_t us)
{
    const int64_t part = us % 1000000, rest = part < 0 ? part + 1000000 : part;

    return instant_from_unix(us / 1000000 - (part < 0), rest * 1000);
}

int64_t instant_to_unix_us(struct instant instant)
{
    return instant.ticks / 10 - UNIX_EPOCH_SECONDS * 1000000;
}

struct instant instant_from_civil(struct civil c)
{
    if (c.year < 1601 || c.year > 9999 || c.month < 1 || c.month > 12 || c.day < 1 ||
        c.day > days_in_month(c.year, c.month) || c.hour < 0 || c.hour > 23 || c.minute < 0 ||
        c.minute > 59 || c.second < 0 || c.second > 60 || c.ticks < 0 ||
        c.ticks >= TICKS_PER_SECOND)
        return INSTANT_NONE;
    const int64_t days = days_from_civil(c.year, c.month, c.day);
    const int64_t seconds = ((days * 24 + c.hour) * 60 + c.minute) * 60 + c.second;
    return (struct instant){seconds * TICKS_PER_SECOND + c.ticks};
}

struct civil instant_to_civil(struct instant instant)
{
    struct civil civil = {0};
    const int64_t seconds = instant.ticks / TICKS_PER_SECOND;
    const int second_of_day = (int)(seconds % 86400);

    civil_from_days(seconds / 86400, &civil);
    civil.hour = second_of_day / 3600;
    civil.minute = second_of_day / 60 % 60;
    civil.second = second_of_day % 60;
    civil.ticks = (int)(instant.ticks % TICKS_PER_SECOND);
    return civil;
}

const char *instant_format(struct instant instant, char text[INSTANT_TEXT_SIZE])
{
    if (instant.ticks <= 0) {
        text[0] = 0;
        return text;
    }
    const struct civil c = instant_to_civil(instant);
    snprintf(text, INSTANT_TEXT_SIZE, "%04d-%02d-%02dT%02d:%02d:%02d.%06d+00:00", c.year, c.month,
             c.day, c.hour, c.minute, c.second, c.ticks / 10);
    return text;
}

const char *instant_words(int64_t unix_us, size_t size, char text[INSTANT_TEXT_SIZE])
{
    if (*instant_format(instant_from_unix(unix_us / 1000000, 0), text)) {
        text[10] = ' ';
        text[size] = 0;
    }
    return text;
}

/* Reads `size` digits; the cursor fails on anything else. */
static int digits(struct cursor *c, size_t size)
{
    const struct slice bytes = cursor_take(c, size);
    int value = 0;

    for (size_t i = 0; i < bytes.size; i++) {
        if (bytes.data[i] < '0' || bytes.data[i] > '9')
            c->failed = true;
        value = value * 10 + (bytes.data[i] - '0');
    }
    return value;
}

static bool byte_is(struct cursor *c, char wanted)
{
    const bool same = cursor_u8(c) == (uint8_t)wanted;

    if (!same)
        c->failed = true;
    return same;
}

static void read_date(struct cursor *c, struct civil *civil)
{
    civil->year = digits(c, 4);
    byte_is(c, '-');
    civil->month = digits(c, 2);
    byte_is(c, '-');
    civil->day = digits(c, 2);
}

static void read_time(struct cursor *c, struct civil *civil)
{
    civil->hour = digits(c, 2);
    byte_is(c, ':');
    civil->minute = digits(c, 2);
    byte_is(c, ':');
    civil->second = digits(c, 2);
}

static void read_fraction(struct cursor *c, struct civil *civil)
{
    int scale = (int)TICKS_PER_SECOND / 10;
    const struct slice rest = slice_from(c->bytes, c->at);

    if (c->failed || rest.size == 0 || (rest.data[0] != '.' && rest.data[0] != ','))
        return;
    cursor_skip(c, 1);
    while (cursor_left(c) && c->bytes.data[c->at] >= '0' && c->bytes.data[c->at] <= '9') {
        civil->ticks += (cursor_u8(c) - '0') * scale;
        scale /= 10;
    }
}

/* Minutes east of UTC; nothing left means 0. */
static int read_offset(struct cursor *c, bool *present)
{
    *present = cursor_left(c) > 0;
    if (!*present)
        return 0;
    const uint8_t sign = cursor_u8(c);
    if (sign == 'Z' || sign == 'z')
        return 0;
    const int hours = digits(c, 2);
    if (cursor_left(c) && c->bytes.data[c->at] == ':')
        cursor_skip(c, 1);
    const int minutes = digits(c, 2);
    if (sign != '+' && sign != '-')
        c->failed = true;
    return (sign == '-' ? -1 : 1) * (hours * 60 + minutes);
}

bool instant_parse(struct slice text, struct instant *instant, bool *has_offset)
{
    struct cursor c = cursor_over(slice_trim(text), 0);
    struct civil civil = {0};
    bool present = false;
    int offset = 0;

    read_date(&c, &civil);
    if (cursor_left(&c)) {
        const uint8_t separator = cursor_u8(&c);
        if (separator != 'T' && separator != 't' && separator != ' ')
            return false;
        read_time(&c, &civil);
        read_fraction(&c, &civil);
        offset = read_offset(&c, &present);
    }
    if (cursor_failed(&c) || cursor_left(&c))
        return false;
    const struct instant local = instant_from_civil(civil);
    if (!instant_known(local))
        return false;
    instant->ticks = local.ticks - (int64_t)offset * 60 * TICKS_PER_SECOND;
    if (has_offset)
        *has_offset = present;
    return true;
}

bool instant_parse_columns(struct slice date, struct slice time, struct instant *instant)
{
    struct cursor d = cursor_over(date, 0), t = cursor_over(time, 0);
    struct civil civil = {0};

    read_date(&d, &civil);
    read_time(&t, &civil);
    read_fraction(&t, &civil);
    if (cursor_failed(&d) || cursor_failed(&t) || cursor_left(&d) || cursor_left(&t))
        return false;
    const struct instant read = instant_from_civil(civil);
    if (!instant_known(read))
        return false;
    *instant = read;
    return true;
}
