#include "artifacts/artifact.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ARTIFACT(name) extern const struct artifact artifact_##name;
#include "artifacts/registry.inc"
#undef ARTIFACT

static const struct artifact *const artifacts[] = {
#define ARTIFACT(name) &artifact_##name,
#include "artifacts/registry.inc"
#undef ARTIFACT
};

/* Sets of them are kept as bits of 64. */
_Static_assert(sizeof artifacts / sizeof *artifacts <= 64, "more artifacts than bits");

const struct artifact *const *artifact_all(size_t *count)
{
    *count = sizeof artifacts / sizeof *artifacts;
    return artifacts;
}

const struct artifact *artifact_by_name(const char *name)
{
    for (size_t i = 0; i < sizeof artifacts / sizeof *artifacts; i++)
        if (strcmp(artifacts[i]->name, name) == 0)
            return artifacts[i];
    return NULL;
}

/* Where `day` is or belongs in the ascending list; nearly always at its end. */
static size_t day_place(const struct tally *tally, uint32_t day)
{
    size_t low = 0, high = tally->day_count;

    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (tally->days[middle] < day)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void hour_add(struct tally *tally, uint32_t day, unsigned hour)
{
    const size_t at = day_place(tally, day);

    if (at == tally->day_count || tally->days[at] != day) {
        if (tally->day_count == TALLY_DAYS)
            return;
        memmove(tally->days + at + 1, tally->days + at,
                (tally->day_count - at) * sizeof *tally->days);
        memmove(tally->hours + at + 1, tally->hours + at,
                (tally->day_count - at) * sizeof *tally->hours);
        tally->days[at] = day;
        tally->hours[at] = 0;
        tally->day_count++;
    }
    tally->hours[at] |= UINT32_C(1) << hour;
}

void tally_time(struct tally *tally, struct instant when)
{
    if (!instant_known(when))
        return;
    if (!instant_known(tally->first) || when.ticks < tally->first.ticks)
        tally->first = when;
    if (when.ticks > tally->last.ticks)
        tally->last = when;
    if (instant_known(tally->previous) && when.ticks < tally->previous.ticks)
        tally->backward++;
    tally->previous = when;
    const int64_t hour = when.ticks / (TICKS_PER_DAY / 24);
    if (when.ticks <= 0 || hour == tally->hour)
        return;
    tally->hour = hour;
    hour_add(tally, (uint32_t)(hour / 24), (unsigned)(hour % 24));
}

void job_notice_format(struct job *job, uint64_t offset, const char *format, ...)
{
    char text[512];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    job_notice(job, offset, text);
}
