#include "triage/formats/log_time.h"

#include <string.h>

enum { CLOCK_SIZE = 19 };

static unsigned digit(uint8_t byte)
{
    return (unsigned)byte - '0';
}

/* Two digits below `limit`. */
static bool pair(const uint8_t *at, unsigned limit, unsigned *value)
{
    const unsigned tens = digit(at[0]), ones = digit(at[1]);

    *value = tens * 10 + ones;
    return tens < 10 && ones < 10 && *value < limit;
}

static bool day_read(struct log_clock *clock, const uint8_t *text)
{
    struct instant midnight;

    if (instant_known(clock->midnight) && memcmp(text, clock->day, LOG_DAY_SIZE) == 0)
        return true;
    if (!instant_parse(slice_of(text, LOG_DAY_SIZE), &midnight, NULL))
        return false;
    memcpy(clock->day, text, LOG_DAY_SIZE);
    clock->midnight = midnight;
    return true;
}

/* Ticks of ".162"; `at` moves behind it. */
static int64_t fraction(struct slice line, size_t *at)
{
    int64_t ticks = 0, scale = TICKS_PER_SECOND / 10;

    if (*at >= line.size || line.data[*at] != '.')
        return 0;
    for (++*at; *at < line.size && digit(line.data[*at]) < 10; ++*at) {
        ticks += digit(line.data[*at]) * scale;
        scale /= 10;
    }
    return ticks;
}

bool log_clock_read(struct log_clock *clock, char joint, struct slice line, struct instant *when,
                    size_t *size)
{
    const uint8_t *d = line.data;
    unsigned hour, minute, second;

    if (line.size < CLOCK_SIZE || d[10] != (uint8_t)joint || d[13] != ':' || d[16] != ':' ||
        !pair(d + 11, 24, &hour) || !pair(d + 14, 60, &minute) || !pair(d + 17, 61, &second) ||
        !day_read(clock, d))
        return false;
    size_t at = CLOCK_SIZE;
    const int64_t ticks = fraction(line, &at);
    at += joint == 'T' && at < line.size && line.data[at] == 'Z';
    if (at < line.size && line.data[at] != ' ' && line.data[at] != ',')
        return false;
    const int64_t seconds = (int64_t)hour * 3600 + minute * 60 + second;
    when->ticks = clock->midnight.ticks + seconds * TICKS_PER_SECOND + ticks;
    *size = at;
    return true;
}

/* One to `most` digits. */
static bool number(struct cursor *c, size_t most, int *value)
{
    size_t count = 0;

    for (*value = 0; count < most && cursor_left(c) && digit(c->bytes.data[c->at]) < 10; count++)
        *value = *value * 10 + (int)digit(cursor_u8(c));
    return count > 0;
}

static bool byte_is(struct cursor *c, char wanted)
{
    return cursor_left(c) && cursor_u8(c) == (uint8_t)wanted;
}

bool log_native_time(struct slice date, struct slice time, struct instant *when)
{
    struct cursor d = cursor_over(slice_trim(date), 0), t = cursor_over(slice_trim(time), 0);
    struct civil civil = {0};

    if (!number(&d, 2, &civil.month) || !byte_is(&d, '/') || !number(&d, 2, &civil.day) ||
        !byte_is(&d, '/') || !number(&d, 4, &civil.year) || cursor_left(&d))
        return false;
    if (!number(&t, 2, &civil.hour) || !byte_is(&t, ':') || !number(&t, 2, &civil.minute) ||
        !byte_is(&t, ':') || !number(&t, 2, &civil.second) || cursor_left(&t))
        return false;
    if (civil.year < 100)
        civil.year += civil.year < 80 ? 2000 : 1900;
    *when = instant_from_civil(civil);
    return instant_known(*when);
}

bool log_us_time(struct slice text, struct instant *when)
{
    struct cursor c = cursor_over(slice_trim(text), 0);
    struct civil civil = {0};

    if (!number(&c, 2, &civil.month) || !byte_is(&c, '/') || !number(&c, 2, &civil.day) ||
        !byte_is(&c, '/') || !number(&c, 4, &civil.year) || !byte_is(&c, ' ') ||
        !number(&c, 2, &civil.hour) || !byte_is(&c, ':') || !number(&c, 2, &civil.minute) ||
        !byte_is(&c, ':') || !number(&c, 2, &civil.second) || !byte_is(&c, ' '))
        return false;
    const struct slice half = cursor_take(&c, 2);
    const bool afternoon = slice_is_nocase(half, "PM");
    if (cursor_left(&c) || civil.hour < 1 || civil.hour > 12 ||
        (!afternoon && !slice_is_nocase(half, "AM")))
        return false;
    civil.hour = civil.hour % 12 + (afternoon ? 12 : 0);
    *when = instant_from_civil(civil);
    return instant_known(*when);
}

static bool month_read(struct cursor *c, int *month)
{
    static const char names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    const struct slice name = cursor_take(c, 3);

    for (int i = 0; i < 12; i++) {
        if (slice_equal_nocase(name, slice_of(names + 3 * i, 3))) {
            *month = i + 1;
            return true;
        }
    }
    return false;
}

static bool offset_read(struct cursor *c, int *minutes)
{
    int value;

    *minutes = 0;
    if (cursor_left(c) == 0)
        return true;
    if (!byte_is(c, ' '))
        return false;
    const uint8_t sign = cursor_u8(c);
    if ((sign != '+' && sign != '-') || !number(c, 4, &value) || cursor_left(c))
        return false;
    *minutes = (value / 100 * 60 + value % 100) * (sign == '-' ? -1 : 1);
    return true;
}

bool log_ncsa_time(struct slice text, struct instant *local, int *offset)
{
    struct cursor c = cursor_over(text, 0);
    struct civil civil = {0};

    if (!number(&c, 2, &civil.day) || !byte_is(&c, '/') || !month_read(&c, &civil.month) ||
        !byte_is(&c, '/') || !number(&c, 4, &civil.year) || !byte_is(&c, ':') ||
        !number(&c, 2, &civil.hour) || !byte_is(&c, ':') || !number(&c, 2, &civil.minute) ||
        !byte_is(&c, ':') || !number(&c, 2, &civil.second) || !offset_read(&c, offset))
        return false;
    *local = instant_from_civil(civil);
    return instant_known(*local);
}
