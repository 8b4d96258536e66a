/* Names of logs. See log_names.h. */
#include "artifacts/log_names.h"

#include <string.h>

/* Folders as they stand in paths, '/' for either slash. */
static const char *const folders[] = {
    "/logfiles/",
    "/iislogs/",
    "/winevt/logs/",
    "/logging/httpproxy/",
    "/logging/ecp/",
    "/logging/ews/",
    "/logging/owa/",
    "/logging/oabgeneratorlog/",
    "/logging/cmdletinfra/",
    "/logging/autodiscover/",
    "/logs/messagetracking/",
};

static uint8_t folded(uint8_t byte)
{
    return byte == '\\' ? '/' : byte >= 'A' && byte <= 'Z' ? (uint8_t)(byte | 0x20) : byte;
}

static bool holds(struct slice path, const char *folder)
{
    const size_t size = strlen(folder);

    for (size_t at = 0; at + size <= path.size; at++) {
        size_t same = 0;
        while (same < size && folded(path.data[at + same]) == (uint8_t)folder[same])
            same++;
        if (same == size)
            return true;
    }
    return false;
}

bool log_is_telling(struct slice path)
{
    if (slice_ends_nocase(path, ".evtx"))
        return true;
    if (!slice_ends_nocase(path, ".log"))
        return false;
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++)
        if (holds(path, folders[i]))
            return true;
    return false;
}

static int number(const uint8_t *digits, size_t count)
{
    int value = 0;

    for (size_t i = 0; i < count; i++)
        value = value * 10 + (digits[i] - '0');
    return value;
}

static bool is_digit(uint8_t byte)
{
    return byte >= '0' && byte <= '9';
}

/* IIS writes yymmdd and, for hourly logs, the hour; Exchange yyyymmdd and the hour. */
static struct civil day_of(struct slice name)
{
    const bool iis = slice_starts_nocase(name, "u_") || slice_starts_nocase(name, "ex");
    size_t at = 0, end;

    for (; at < name.size; at = end) {
        while (at < name.size && !is_digit(name.data[at]))
            at++;
        for (end = at; end < name.size && is_digit(name.data[end]);)
            end++;
        const uint8_t *digits = name.data + at;
        if (!iis && end - at >= 8)
            return (struct civil){.year = number(digits, 4),
                                  .month = number(digits + 4, 2),
                                  .day = number(digits + 6, 2)};
        if (iis && end - at >= 6)
            return (struct civil){.year = 2000 + number(digits, 2),
                                  .month = number(digits + 2, 2),
                                  .day = number(digits + 4, 2)};
    }
    return (struct civil){0};
}

int64_t log_age_days(struct slice name, struct instant when)
{
    const struct civil day = day_of(name);
    const struct instant start = day.year ? instant_from_civil(day) : INSTANT_NONE;

    if (!instant_known(start) || !instant_known(when) || when.ticks < start.ticks)
        return -1;
    return (when.ticks - start.ticks) / TICKS_PER_DAY;
}
