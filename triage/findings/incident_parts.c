#include "triage/findings/incident_parts.h"

#include "triage/base/error.h"
#include "triage/findings/incident_things.h"

#include <stdlib.h>
#include <string.h>

enum { STEP_GAP = 10 * 60, OPEN_STEPS = 64 };
static const int64_t MICROSECONDS = 1000000;

static const struct sighting *member(const struct sightings *sightings,
                                     const struct incident *incident, size_t at)
{
    return &sightings->list[incident->members[at]];
}

/* --- who --- */

/* Runs of members with the same text, each once: equal texts have equal pointers, so sorting by
 * them brings them together; what is told is sorted again by what it says. */
struct keyed {
    const char *key;
    size_t member;
};

static int by_key(const void *a, const void *b)
{
    const struct keyed *x = a, *y = b;

    if (x->key != y->key)
        return strcmp(x->key, y->key);
    return (x->member > y->member) - (x->member < y->member);
}

static struct keyed *keyed_members(const struct sightings *sightings,
                                   const struct incident *incident,
                                   const char *(*key)(const struct sighting *), size_t *count)
{
    struct keyed *list = calloc(incident->member_count + 1, sizeof *list);

    *count = 0;
    if (!list) {
        error_set("out of memory");
        return NULL;
    }
    for (size_t i = 0; i < incident->member_count; i++) {
        const char *text = key(member(sightings, incident, i));
        if (text)
            list[(*count)++] = (struct keyed){text, i};
    }
    qsort(list, *count, sizeof *list, by_key);
    return list;
}

static size_t distinct(const struct keyed *list, size_t count)
{
    size_t runs = 0;

    for (size_t i = 0; i < count; i++)
        runs += i == 0 || list[i].key != list[i - 1].key;
    return runs;
}

static const char *actor_key(const struct sighting *sighting)
{
    return sighting->actor;
}

static void add_to_actor(struct actor *actor, const struct sighting *sighting)
{
    const enum rung rung = sighting_succeeded(sighting) ? sighting->judgement->rung : RUNG_PROBED;

    if (sighting->dated && !sighting->loose_time) {
        if (!actor->first)
            actor->first = sighting->time;
        actor->last = sighting->time;
    }
    actor->count++;
    if (rung > actor->rung)
        actor->rung = rung;
}

static int by_first_seen(const void *a, const void *b)
{
    const struct actor *x = a, *y = b;

    if (x->first != y->first)
        return x->first < y->first ? -1 : 1;
    return strcmp(x->address, y->address);
}

int incident_tell_actors(const struct sightings *sightings, struct incident *incident,
                         struct arena *arena)
{
    size_t count;
    struct keyed *list = keyed_members(sightings, incident, actor_key, &count);

    if (!list)
        return -1;
    incident->actors = arena_array(arena, distinct(list, count) + 1, sizeof *incident->actors);
    for (size_t i = 0; i < count && incident->actors; i++) {
        const struct sighting *sighting = member(sightings, incident, list[i].member);
        if (i == 0 || list[i].key != list[i - 1].key)
            incident->actors[incident->actor_count++] =
                (struct actor){.address = sighting->actor, .is_private = sighting->actor_private};
        add_to_actor(&incident->actors[incident->actor_count - 1], sighting);
    }
    free(list);
    if (!incident->actors)
        return -1;
    qsort(incident->actors, incident->actor_count, sizeof *incident->actors, by_first_seen);
    return 0;
}

static const char *passage_key(const struct sighting *sighting)
{
    return sighting->through;
}

int incident_tell_passages(const struct sightings *sightings, struct incident *incident,
                           struct arena *arena)
{
    size_t count;
    struct keyed *list = keyed_members(sightings, incident, passage_key, &count);

    if (!list)
        return -1;
    incident->passages = arena_array(arena, distinct(list, count) + 1, sizeof *incident->passages);
    for (size_t i = 0; i < count && incident->passages; i++) {
        if (i == 0 || list[i].key != list[i - 1].key)
            incident->passages[incident->passage_count++] =
                (struct passage){.address = list[i].key};
        incident->passages[incident->passage_count - 1].count++;
    }
    free(list);
    return incident->passages ? 0 : -1;
}

/* --- which files --- */

static const char *page_key(const struct sighting *sighting)
{
    return sighting->page;
}

static void add_request(struct incident_file *file, const struct sighting *sighting)
{
    if (sighting->status < 200 || sighting->status >= 300)
        return;
    if (file->requests++ == 0) {
        file->first_request = sighting->time;
        file->requested_by = sighting->actor;
    }
    file->last_request = sighting->time;
}

static void add_to_file(struct incident_file *file, const struct sighting *sighting)
{
    if (sighting->witness == WITNESS_WEB_LOG) {
        add_request(file, sighting);
    } else {
        if (!file->seen || !file->path)
            file->path = sighting->object;
        if (sighting->dated && !sighting->loose_time &&
            (!file->first || sighting->time < file->first))
            file->first = sighting->time;
        if (sighting->size >= 0)
            file->size = sighting->size;
        if (sighting->sha256)
            file->sha256 = sighting->sha256;
        file->deleted |= sighting->deleted;
        file->seen = true;
    }
    if (sighting_succeeded(sighting) && sighting->judgement->rung > file->rung)
        file->rung = sighting->judgement->rung;
}

/* Carriers of a forged request, such as /ecp/y.js, are no files of the incident: nobody has seen
 * them, and what they showed is told by the steps. */
static bool is_worth_telling(const struct incident_file *file)
{
    return file->seen || file->rung == RUNG_USED || file->rung == RUNG_STOLEN;
}

int incident_tell_files(const struct sightings *sightings, struct incident *incident,
                        struct arena *arena)
{
    size_t count, kept = 0;
    struct keyed *list = keyed_members(sightings, incident, page_key, &count);

    if (!list)
        return -1;
    incident->files = arena_array(arena, distinct(list, count) + 1, sizeof *incident->files);
    for (size_t i = 0; i < count && incident->files; i++) {
        const struct sighting *sighting = member(sightings, incident, list[i].member);
        if (i == 0 || list[i].key != list[i - 1].key)
            incident->files[incident->file_count++] =
                (struct incident_file){.page = sighting->page, .size = -1};
        add_to_file(&incident->files[incident->file_count - 1], sighting);
    }
    free(list);
    if (!incident->files)
        return -1;
    for (size_t i = 0; i < incident->file_count; i++)
        if (is_worth_telling(&incident->files[i]))
            incident->files[kept++] = incident->files[i];
    incident->file_count = kept;
    return 0;
}

/* --- step by step --- */

/* Steps at work: each member goes to the step of its sentence, unless that ended some time ago. */
struct stepping {
    const struct sightings *sightings;
    const struct incident *incident;
    uint32_t *best; /* by member: who tells its thing */
    struct step *steps;
    size_t count, room;
    uint32_t *step_of; /* by member */
    size_t open[OPEN_STEPS];
    size_t open_count;
};

static const char *sentence_of(const struct sighting *sighting)
{
    return *sighting->judgement->step ? sighting->judgement->step : sighting->title;
}

static const struct sighting *best_at(const struct stepping *stepping, size_t at)
{
    return member(stepping->sightings, stepping->incident, stepping->best[at]);
}

/* Sentences tell what an indicator of weight shows; a request without success only tried it. */
static bool is_try(const struct sighting *sighting)
{
    return sighting->witness == WITNESS_WEB_LOG && !sighting_succeeded(sighting) &&
           sighting->judgement->rung >= RUNG_EXPLOITED;
}

static size_t find_step(const struct stepping *stepping, size_t at)
{
    const char *what = sentence_of(best_at(stepping, at));
    const bool tried = is_try(best_at(stepping, at));
    const int64_t time = member(stepping->sightings, stepping->incident, at)->time;

    for (size_t i = stepping->open_count; i-- > 0;) {
        const struct step *step = &stepping->steps[stepping->open[i]];
        if (step->tried == tried && strcmp(step->what, what) == 0)
            return time - step->until <= STEP_GAP * MICROSECONDS ? stepping->open[i] : SIZE_MAX;
    }
    return SIZE_MAX;
}

/* SIZE_MAX with error_text when memory is out. */
static size_t open_step(struct stepping *stepping, size_t at)
{
    const struct sighting *sighting = member(stepping->sightings, stepping->incident, at);
    const size_t number = stepping->count;

    if (number == stepping->room) {
        const size_t room = stepping->room ? 2 * stepping->room : 64;
        struct step *grown = realloc(stepping->steps, room * sizeof *grown);
        if (!grown) {
            error_set("out of memory");
            return SIZE_MAX;
        }
        stepping->steps = grown;
        stepping->room = room;
    }
    stepping->count++;
    stepping->steps[number] = (struct step){
        .time = sighting->time,
        .until = sighting->time,
        .what = sentence_of(best_at(stepping, at)),
        .tried = is_try(best_at(stepping, at)),
        .loose_time = true,
    };
    if (stepping->open_count == OPEN_STEPS)
        memmove(stepping->open, stepping->open + 1,
                --stepping->open_count * sizeof *stepping->open);
    stepping->open[stepping->open_count++] = number;
    return number;
}

static void add_other(struct step *step, const char *sentence)
{
    if (strcmp(sentence, step->what) == 0)
        return;
    for (size_t i = 0; i < step->other_count; i++)
        if (strcmp(step->others[i], sentence) == 0)
            return;
    if (step->other_count < STEP_OTHERS_MOST)
        step->others[step->other_count++] = sentence;
}

/* Beyond those that are listed, each run of the same object counts once. */
static void add_object(struct step *step, const struct sighting *sighting)
{
    const size_t listed =
        step->object_count < STEP_OBJECTS_MOST ? step->object_count : STEP_OBJECTS_MOST;

    if (!sighting->object || step->last_object == sighting->object)
        return;
    step->last_object = sighting->object;
    for (size_t i = 0; i < listed; i++)
        if (step->objects[i] == sighting->object)
            return;
    if (listed < STEP_OBJECTS_MOST)
        step->objects[listed] = sighting->object;
    step->object_count++;
}

static void add_to_step(struct step *step, const struct sighting *sighting)
{
    step->until = sighting->time;
    step->loose_time = step->loose_time && sighting->loose_time;
    step->count++;
    if (sighting->level > step->level)
        step->level = sighting->level;
    if (!step->actor)
        step->actor = sighting->actor;
    add_other(step, sentence_of(sighting));
    add_object(step, sighting);
}

/* Steps are about what weighs; a medium request among critical ones of the same moment adds
 * nothing. */
static bool belongs_into_steps(const struct incident *incident, const struct sighting *sighting)
{
    return sighting->dated &&
           (incident->scanning || incident->rung <= RUNG_PROBED || sighting_succeeded(sighting));
}

static int list_step_sightings(const struct incident *incident, struct stepping *stepping,
                               struct arena *arena)
{
    size_t *list = arena_array(arena, incident->member_count + 1, sizeof *list), start = 0;

    if (!list)
        return -1;
    for (size_t i = 0; i < stepping->count; i++) {
        stepping->steps[i].sightings = list + start;
        start += stepping->steps[i].count;
        stepping->steps[i].count = 0;
    }
    for (size_t i = 0; i < incident->member_count; i++) {
        if (stepping->step_of[i] == UINT32_MAX)
            continue;
        struct step *step = &stepping->steps[stepping->step_of[i]];
        list[(size_t)(step->sightings - list) + step->count++] = incident->members[i];
    }
    return 0;
}

static int put_into_steps(struct stepping *stepping, const bool *tells)
{
    for (size_t i = 0; i < stepping->incident->member_count; i++) {
        stepping->step_of[i] = UINT32_MAX;
        if (!tells[i])
            continue;
        size_t number = find_step(stepping, i);
        if (number == SIZE_MAX && (number = open_step(stepping, i)) == SIZE_MAX)
            return -1;
        add_to_step(&stepping->steps[number], member(stepping->sightings, stepping->incident, i));
        stepping->step_of[i] = (uint32_t)number;
    }
    return 0;
}

static int keep_steps(const struct stepping *stepping, struct incident *incident,
                      struct arena *arena)
{
    incident->steps = arena_array(arena, stepping->count + 1, sizeof *incident->steps);
    if (!incident->steps)
        return -1;
    if (stepping->count)
        memcpy(incident->steps, stepping->steps, stepping->count * sizeof *incident->steps);
    incident->step_count = stepping->count;
    for (size_t i = 0; i < stepping->count; i++) {
        struct step *step = &incident->steps[i];
        if (step->loose_time)
            step->what = arena_format(arena, "%s (dated by the file itself)", step->what);
        if (!step->what)
            return -1;
    }
    return 0;
}

int incident_tell_steps(const struct sightings *sightings, struct incident *incident,
                        struct arena *arena)
{
    struct stepping stepping = {.sightings = sightings, .incident = incident};
    bool *tells = calloc(incident->member_count + 1, sizeof *tells);
    int result = 0;

    stepping.step_of = calloc(incident->member_count + 1, sizeof *stepping.step_of);
    if (!tells || !stepping.step_of)
        result = error_set("out of memory");
    for (size_t i = 0; i < incident->member_count && result == 0; i++)
        tells[i] = belongs_into_steps(incident, member(sightings, incident, i));
    if (result == 0 && !(stepping.best = incident_things(sightings, incident, tells)))
        result = -1;
    if (result == 0)
        result = put_into_steps(&stepping, tells);
    if (result == 0)
        result = list_step_sightings(incident, &stepping, arena);
    if (result == 0)
        result = keep_steps(&stepping, incident, arena);
    free(stepping.steps);
    free(stepping.step_of);
    free(stepping.best);
    free(tells);
    return result;
}
