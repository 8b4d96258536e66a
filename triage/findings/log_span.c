#include "triage/findings/log_span.h"

#include "triage/base/error.h"
#include "triage/base/instant.h"

#include <stdlib.h>
#include <string.h>

enum { MOST_ARTIFACTS = 128, MOST_DAYS = 200 * 366 };

struct spans_making {
    struct log_spans *spans;
    struct arena *arena;
};

static struct log_span *span_for(struct spans_making *making, const char *artifact)
{
    struct log_spans *spans = making->spans;

    for (size_t i = 0; i < spans->count; i++)
        if (strcmp(spans->list[i].artifact, artifact) == 0)
            return &spans->list[i];
    if (spans->count == MOST_ARTIFACTS)
        return NULL;
    struct log_span *span = &spans->list[spans->count];
    *span = (struct log_span){
        .artifact = arena_text(making->arena, slice_of_text(artifact)), .first = "", .last = ""};
    if (!span->artifact)
        return NULL;
    spans->count++;
    return span;
}

static int64_t map_start(void)
{
    return instant_from_civil((struct civil){1990, 1, 1, 0, 0, 0, 0}).ticks / TICKS_PER_DAY;
}

/* Each day once: a map of bits of the years from 1990 on. What lies outside of it is a record with
 * a broken time, or one that somebody made up: it must not move the map. */
static int add_days(struct spans_making *making, struct log_span *span, const char *list)
{
    struct slice rest = slice_of_text(list);
    struct instant day;
    size_t quote;

    while ((quote = slice_find(rest, 0, '"')) != SIZE_MAX) {
        const struct slice text = slice_part(rest, quote + 1, 10);
        rest = slice_from(rest, quote + 12);
        if (!instant_parse(text, &day, NULL))
            continue;
        const int64_t number = day.ticks / TICKS_PER_DAY;
        const int64_t at = number - map_start();
        if (at < 0 || at >= MOST_DAYS)
            continue;
        if (!span->seen) {
            span->seen = arena_array(making->arena, MOST_DAYS / 64 + 1, sizeof *span->seen);
            if (!span->seen)
                return -1;
            span->first_day = span->last_day = number;
        }
        span->seen[at / 64] |= UINT64_C(1) << at % 64;
        if (number < span->first_day)
            span->first_day = number;
        if (number > span->last_day)
            span->last_day = number;
    }
    return 0;
}

static int add_coverage(void *context, const struct case_coverage *row)
{
    struct spans_making *making = context;
    struct log_span *span = span_for(making, row->artifact);

    if (!span)
        return 0;
    span->files++;
    span->continuous |= row->continuous;
    span->records += row->records;
    span->rejected += row->rejected;
    if (*row->first && (!*span->first || strcmp(row->first, span->first) < 0) &&
        !(span->first = arena_text(making->arena, slice_of_text(row->first))))
        return -1;
    if (*row->last && strcmp(row->last, span->last) > 0 &&
        !(span->last = arena_text(making->arena, slice_of_text(row->last))))
        return -1;
    return add_days(making, span, row->days);
}

static void count_days(struct log_span *span)
{
    span->days = 0;
    for (size_t i = 0; span->seen && i < MOST_DAYS / 64 + 1; i++)
        span->days += __builtin_popcountll(span->seen[i]);
}

int log_spans_make(struct case_file *file, struct arena *arena, struct log_spans *spans)
{
    struct spans_making making = {spans, arena};

    *spans = (struct log_spans){.list = arena_array(arena, MOST_ARTIFACTS, sizeof *spans->list)};
    if (!spans->list || case_each_coverage(file, add_coverage, &making) < 0)
        return -1;
    for (size_t i = 0; i < spans->count; i++)
        count_days(&spans->list[i]);
    return 0;
}

const struct log_span *log_span_of(const struct log_spans *spans, const char *artifact)
{
    for (size_t i = 0; i < spans->count; i++)
        if (strcmp(spans->list[i].artifact, artifact) == 0)
            return &spans->list[i];
    return NULL;
}

bool log_span_has_day(const struct log_span *span, int64_t day)
{
    const int64_t at = day - map_start();

    return span && span->seen && at >= 0 && at < MOST_DAYS && span->seen[at / 64] >> at % 64 & 1;
}

int64_t log_span_missing(const struct log_span *span)
{
    return span->days ? span->last_day - span->first_day + 1 - span->days : 0;
}
