#include "triage/findings/front_ends.h"

#include "triage/base/error.h"

#include <stdlib.h>

enum { MOST_FRONT_ENDS = 64 };

/* Texts are kept once, so that pointers say whether they are equal. */
struct front_ends {
    struct sightings *sightings;
    const struct sighting **told; /* table of the sightings that name the client of a request */
    size_t room;
    const char *list[MOST_FRONT_ENDS];
    size_t count;
};

static size_t place_of(const struct front_ends *ends, const char *request)
{
    size_t at = ((uintptr_t)request >> 4) * 0x9E3779B97F4A7C15 & (ends->room - 1);

    while (ends->told[at] && ends->told[at]->request != request)
        at = (at + 1) & (ends->room - 1);
    return at;
}

static int note_told(struct front_ends *ends)
{
    ends->room = 64;
    while (ends->room < 2 * ends->sightings->count)
        ends->room *= 2;
    ends->told = calloc(ends->room, sizeof *ends->told);
    if (!ends->told)
        return error_set("out of memory");
    for (size_t i = 0; i < ends->sightings->count; i++) {
        const struct sighting *sighting = &ends->sightings->list[i];
        if (!sighting->request || !sighting->actor || sighting->connected)
            continue;
        const size_t at = place_of(ends, sighting->request);
        if (!ends->told[at])
            ends->told[at] = sighting;
    }
    return 0;
}

static bool is_front_end(const struct front_ends *ends, const char *address)
{
    for (size_t i = 0; i < ends->count; i++)
        if (ends->list[i] == address)
            return true;
    return false;
}

static void learn(struct front_ends *ends, const char *address)
{
    if (ends->count < MOST_FRONT_ENDS && !is_front_end(ends, address))
        ends->list[ends->count++] = address;
}

/* The log of the front end names another client than the one that connected. Only addresses of the
 * own network count: what a stranger passes on may be forged. */
static void learn_all(struct front_ends *ends)
{
    for (size_t i = 0; i < ends->sightings->count; i++) {
        struct sighting *sighting = &ends->sightings->list[i];
        if (sighting->through) /* the record itself names both */
            learn(ends, sighting->through);
        if (!sighting->connected || !sighting->actor || !sighting->actor_private ||
            !sighting->request)
            continue;
        const struct sighting *told = ends->told[place_of(ends, sighting->request)];
        if (!told || told->actor == sighting->actor)
            continue;
        learn(ends, sighting->actor);
        sighting->through = sighting->actor;
        sighting->actor = told->actor;
        sighting->actor_private = told->actor_private;
    }
}

static void take_away(struct front_ends *ends)
{
    for (size_t i = 0; i < ends->sightings->count; i++) {
        struct sighting *sighting = &ends->sightings->list[i];
        if (sighting->witness != WITNESS_WEB_LOG || !sighting->actor ||
            !is_front_end(ends, sighting->actor))
            continue;
        sighting->through = sighting->actor;
        sighting->actor = NULL;
        sighting->actor_private = false;
    }
}

int front_ends_resolve(struct sightings *sightings)
{
    struct front_ends ends = {.sightings = sightings};
    const int result = note_told(&ends);

    if (result == 0) {
        learn_all(&ends);
        take_away(&ends);
    }
    free(ends.told);
    return result;
}
