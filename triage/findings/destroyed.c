/* What was encrypted or destroyed: a flood of files is one entry for each detection. */
#include "triage/findings/findings.h"

#include <string.h>

enum { KINDS_MOST = 64 };

static bool destroys(const struct sighting *sighting)
{
    return sighting_succeeded(sighting) &&
           (strncmp(sighting->rule, "RW-", 3) == 0 || sighting->judgement->rung == RUNG_DESTROYED);
}

/* Rules of one name may say different things: the title counts, too. NULL when there are too many.
 */
static struct destroyed *entry_of(struct findings *findings, const struct sighting *sighting)
{
    for (size_t i = 0; i < findings->destroyed_count; i++) {
        struct destroyed *entry = &findings->destroyed[i];
        if (entry->rule == sighting->rule && entry->how == sighting->title)
            return entry;
    }
    if (findings->destroyed_count == KINDS_MOST)
        return NULL;
    struct destroyed *entry = &findings->destroyed[findings->destroyed_count];
    size_t *list = arena_array(findings->arena, DESTROYED_LISTED_MOST, sizeof *list);
    if (!list)
        return NULL;
    findings->destroyed_count++;
    *entry = (struct destroyed){
        .what = sighting->object ? sighting->object : sighting->path,
        .how = sighting->title,
        .rule = sighting->rule,
        .sightings = list,
    };
    return entry;
}

static void add_to(struct destroyed *entry, const struct sighting *sighting, size_t index)
{
    if (entry->count < DESTROYED_LISTED_MOST)
        entry->sightings[entry->count] = index;
    entry->count++;
    if (!sighting->dated || sighting->loose_time)
        return;
    if (!entry->dated || sighting->time < entry->first)
        entry->first = sighting->time;
    if (!entry->dated || sighting->time > entry->last)
        entry->last = sighting->time;
    entry->dated = true;
}

int findings_tell_destroyed(struct findings *findings)
{
    findings->destroyed = arena_array(findings->arena, KINDS_MOST, sizeof *findings->destroyed);
    if (!findings->destroyed)
        return -1;
    for (size_t i = 0; i < findings->sightings.count; i++) {
        const struct sighting *sighting = &findings->sightings.list[i];
        struct destroyed *entry = destroys(sighting) ? entry_of(findings, sighting) : NULL;
        if (entry)
            add_to(entry, sighting, i);
    }
    return 0;
}
