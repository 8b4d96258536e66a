#include "triage/findings/incident_things.h"

#include "triage/base/error.h"

#include <stdlib.h>
#include <string.h>

enum { SAME_MOMENT = 60, FREE = UINT32_MAX };
static const int64_t MICROSECONDS = 1000000;

/* What the members of a thing share: a text that is kept once, and a number. */
struct key {
    const char *text;
    int64_t number;
};

struct thing {
    struct key key;
    uint32_t first; /* member; FREE: no thing */
    int64_t last;   /* time of the member that came last */
};

struct things {
    const struct sightings *sightings;
    const struct incident *incident;
    struct thing *table;
    size_t room;
    uint32_t *rarity;   /* members with a rule, by the number of its judgement */
    uint32_t *first_of; /* by member: the first of its thing */
};

static const struct sighting *member(const struct things *things, uint32_t at)
{
    return &things->sightings->list[things->incident->members[at]];
}

/* It tells which vulnerability was used, not only what is there now. */
static bool names_a_way(const struct sighting *sighting)
{
    return *sighting->judgement->proves || *sighting->judgement->suggests;
}

/* Negative when a says more than b. */
static int compare(const struct things *things, uint32_t a, uint32_t b)
{
    const struct sighting *x = member(things, a), *y = member(things, b);
    const size_t number_x = x->judgement->number, number_y = y->judgement->number;

    if (x->judgement->rung != y->judgement->rung)
        return x->judgement->rung > y->judgement->rung ? -1 : 1;
    if (names_a_way(x) != names_a_way(y))
        return names_a_way(x) ? -1 : 1;
    if (things->rarity[number_x] != things->rarity[number_y])
        return things->rarity[number_x] < things->rarity[number_y] ? -1 : 1;
    if (x->level != y->level)
        return x->level > y->level ? -1 : 1;
    return number_x != number_y ? (number_x < number_y ? -1 : 1) : (a > b) - (a < b);
}

static bool is_about_a_file(const struct sighting *sighting)
{
    return sighting->page &&
           (sighting->witness == WITNESS_FILE_SYSTEM || sighting->witness == WITNESS_SCANNER);
}

/* The logs of one request share its id; what a file system tells of a file within a minute is one
 * thing; everything else is one record. */
static struct key key_of(const struct sighting *sighting)
{
    enum { REQUEST = -1, FILE_ITSELF = -2 };

    if (sighting->request)
        return (struct key){sighting->request, REQUEST};
    if (is_about_a_file(sighting))
        return (struct key){sighting->page, FILE_ITSELF};
    return (struct key){sighting->path, sighting->offset};
}

/* Where the thing is, or would be. */
static struct thing *thing_at(const struct things *things, struct key key)
{
    size_t at = (((uintptr_t)key.text >> 4) + (uint64_t)key.number) * 0x9E3779B97F4A7C15 >> 20 &
                (things->room - 1);

    while (things->table[at].first != FREE &&
           (things->table[at].key.text != key.text || things->table[at].key.number != key.number))
        at = (at + 1) & (things->room - 1);
    return &things->table[at];
}

/* Members are in order of time. The best of a thing is kept at its first member. */
static void gather(struct things *things, const bool *tells, uint32_t *best)
{
    const uint32_t count = (uint32_t)things->incident->member_count;

    for (uint32_t i = 0; i < count; i++) {
        const struct sighting *sighting = member(things, i);
        best[i] = things->first_of[i] = i;
        if (!tells[i])
            continue;
        const struct key key = key_of(sighting);
        struct thing *thing = thing_at(things, key);
        const bool is_new =
            thing->first == FREE || sighting->time - thing->last > SAME_MOMENT * MICROSECONDS;
        *thing = (struct thing){key, is_new ? i : thing->first, sighting->time};
        things->first_of[i] = thing->first;
        if (compare(things, i, best[thing->first]) < 0)
            best[thing->first] = i;
    }
    for (uint32_t i = 0; i < count; i++)
        best[i] = best[things->first_of[i]];
}

static int count_rules(struct things *things, const bool *tells)
{
    size_t most = 0;

    for (uint32_t i = 0; i < things->incident->member_count; i++)
        if (member(things, i)->judgement->number > most)
            most = member(things, i)->judgement->number;
    things->rarity = calloc(most + 1, sizeof *things->rarity);
    for (uint32_t i = 0; i < things->incident->member_count && things->rarity; i++)
        things->rarity[member(things, i)->judgement->number] += tells[i];
    return things->rarity ? 0 : -1;
}

static int make_table(struct things *things)
{
    things->room = 64;
    while (things->room < 2 * things->incident->member_count)
        things->room *= 2;
    things->table = calloc(things->room, sizeof *things->table);
    for (size_t i = 0; i < things->room && things->table; i++)
        things->table[i].first = FREE;
    return things->table ? 0 : -1;
}

uint32_t *incident_things(const struct sightings *sightings, const struct incident *incident,
                          const bool *tells)
{
    struct things things = {.sightings = sightings, .incident = incident};
    uint32_t *best = calloc(incident->member_count + 1, sizeof *best);

    things.first_of = calloc(incident->member_count + 1, sizeof *things.first_of);
    if (best && things.first_of && count_rules(&things, tells) == 0 && make_table(&things) == 0) {
        gather(&things, tells, best);
    } else {
        error_set("out of memory");
        free(best);
        best = NULL;
    }
    free(things.table);
    free(things.rarity);
    free(things.first_of);
    return best;
}
