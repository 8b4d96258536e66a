#include "triage/engine/line_hits.h"

#include <inttypes.h>
#include <stdlib.h>

enum { PLACES_NAMED = 16 };

struct line_place {
    uint64_t offset;
    size_t rule;
    const char *string;
    bool told;
};

struct line_rule {
    size_t rule, lines;
    const char *places; /* as the scan named them */
};

struct line_hits {
    struct arena *arena;
    struct line_place places[LINE_PLACES_MOST];
    struct line_rule rules[LINE_RULES_MOST];
    size_t place_count, rule_count;
};

/* The second parse: an artifact sees a job like any other. */
struct second_parse {
    struct job job;
    struct job_services services;
    struct tally tally;
    struct line_hits *hits;
    const struct line_hits_sink *sink;
    struct buffer named;
    unsigned unit; /* bytes of the file for one of the record's text, at most */
};

struct line_hits *line_hits_new(struct arena *arena)
{
    struct line_hits *hits = arena_take(arena, sizeof *hits);

    if (hits)
        *hits = (struct line_hits){.arena = arena};
    return hits;
}

void line_hits_place(struct line_hits *hits, size_t rule, uint64_t offset, const char *string)
{
    if (hits->place_count < LINE_PLACES_MOST)
        hits->places[hits->place_count++] =
            (struct line_place){.offset = offset, .rule = rule, .string = string};
}

static struct line_rule *find_rule(struct line_hits *hits, size_t rule)
{
    for (size_t i = 0; i < hits->rule_count; i++)
        if (hits->rules[i].rule == rule)
            return &hits->rules[i];
    return NULL;
}

bool line_hits_add(struct line_hits *hits, size_t rule, const char *places)
{
    if (find_rule(hits, rule)) /* in an earlier piece of the file */
        return true;
    const char *kept =
        hits->rule_count < LINE_RULES_MOST ? arena_text(hits->arena, slice_of_text(places)) : NULL;
    if (!kept)
        return false;
    hits->rules[hits->rule_count++] = (struct line_rule){.rule = rule, .places = kept};
    return true;
}

static int by_offset(const void *a, const void *b)
{
    const struct line_place *first = a, *second = b;

    if (first->offset != second->offset)
        return first->offset < second->offset ? -1 : 1;
    return (first->rule > second->rule) - (first->rule < second->rule);
}

/* Index of the first place at or behind the offset. */
static size_t first_at(const struct line_hits *hits, uint64_t offset)
{
    size_t low = 0, high = hits->place_count;

    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (hits->places[middle].offset < offset)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Names and marks the places of one rule in [first, end). */
static void take_places(struct second_parse *second, size_t rule, size_t first, size_t end)
{
    size_t named = 0;

    buffer_clear(&second->named);
    for (size_t i = first; i < end; i++) {
        struct line_place *place = &second->hits->places[i];
        if (place->rule != rule)
            continue;
        place->told = true;
        if (named++ < PLACES_NAMED)
            buffer_format(&second->named, "%s%s at 0x%" PRIx64, named > 1 ? ", " : "",
                          place->string, place->offset);
    }
}

static void tell_places(struct second_parse *second, const struct event *event, size_t first,
                        size_t end)
{
    for (size_t i = first; i < end; i++) {
        if (second->hits->places[i].told)
            continue;
        const size_t number = second->hits->places[i].rule;
        struct line_rule *rule = find_rule(second->hits, number);
        take_places(second, number, i, end);
        if (rule && rule->lines++ < LINES_TOLD_MOST)
            second->sink->line(second->sink->context, number, buffer_text(&second->named), event);
    }
}

static struct second_parse *second_of(struct job *job)
{
    return (struct second_parse *)(void *)job; /* its first member */
}

static size_t every_record(struct job *job, struct slice window, size_t from)
{
    (void)job;
    return from < window.size ? from : SIZE_MAX;
}

static void emit(struct job *job, const struct event *event)
{
    struct second_parse *second = second_of(job);
    const uint64_t size =
        second->unit * (uint64_t)(event->record.size ? event->record.size : event->raw.size);
    const size_t first = first_at(second->hits, event->offset);
    size_t end = first;

    while (end < second->hits->place_count &&
           second->hits->places[end].offset - event->offset < size)
        end++;
    if (end > first)
        tell_places(second, event, first, end);
}

/* All of these were told when the file was parsed. */
static void tell_nothing(struct job *job, uint64_t offset, const char *text)
{
    (void)job, (void)offset, (void)text;
}

static void scan_nothing(struct job *job, const char *windows_path, uint64_t offset,
                         struct slice content, char md5[33], char sha1[41], char sha256[65])
{
    (void)job, (void)windows_path, (void)offset, (void)content;
    *md5 = *sha1 = *sha256 = 0;
}

static bool wants_nothing(struct job *job, struct instant when)
{
    (void)job, (void)when;
    return false;
}

static void parse_again(struct second_parse *second, const struct job *job)
{
    second->job = *job;
    second->services = *job->services;
    second->services.next_candidate = every_record;
    second->services.could_match = NULL;
    second->services.emit = emit;
    second->services.notice = tell_nothing;
    second->services.reject = NULL;
    second->services.scan = scan_nothing;
    second->services.wants = wants_nothing;
    second->job.services = &second->services;
    second->job.tally = &second->tally;
    job->artifact->parse(&second->job); /* what it cannot read was told before */
}

void line_hits_tell(struct line_hits *hits, const struct job *job, bool wide,
                    const struct line_hits_sink *sink)
{
    struct second_parse *second = hits->rule_count ? calloc(1, sizeof *second) : NULL;

    if (second && hits->place_count) {
        qsort(hits->places, hits->place_count, sizeof *hits->places, by_offset);
        second->hits = hits;
        second->sink = sink;
        second->unit = wide ? 2 : 1;
        parse_again(second, job);
        buffer_release(&second->named);
    }
    free(second);
    for (size_t i = 0; i < hits->rule_count; i++) {
        const struct line_rule *rule = &hits->rules[i];
        if (rule->lines == 0)
            sink->file(sink->context, rule->rule, rule->places);
        else if (rule->lines > LINES_TOLD_MOST)
            sink->more(sink->context, rule->rule, rule->lines);
    }
}
