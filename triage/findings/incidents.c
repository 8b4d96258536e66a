#include "triage/findings/incidents.h"

#include "triage/base/error.h"
#include "triage/findings/incident_parts.h"
#include "triage/findings/joining.h"

#include <stdlib.h>
#include <string.h>

static const double CONFIRMED_SCORE = 80, PROBABLE_SCORE = 40, SUSPICIOUS_SCORE = 15;

const char *confidence_name(enum confidence confidence)
{
    static const char *const names[] = {"none", "suspicious", "probable", "confirmed"};

    return names[confidence];
}

/* --- groups become incidents --- */

struct making {
    struct sightings *sightings;
    uint32_t *groups;
    uint32_t *incident_of; /* by group; 0: none yet */
    struct arena *arena;
    struct incidents *incidents;
};

static bool is_certain(const struct sighting *sighting)
{
    return sighting->level == 4 && sighting->confidence &&
           (strcmp(sighting->confidence, "certain") == 0 ||
            strcmp(sighting->confidence, "high") == 0);
}

enum { ONLY_REQUESTS, HAS_OTHERS, SHOWS_INTRUSION };

static int shows(const struct sighting *sighting)
{
    const enum rung rung = sighting_succeeded(sighting) ? sighting->judgement->rung : RUNG_NOTHING;

    if ((rung >= RUNG_EXPLOITED && rung <= RUNG_USED) || (rung > RUNG_USED && is_certain(sighting)))
        return SHOWS_INTRUSION;
    return sighting_succeeded(sighting) || sighting->witness != WITNESS_WEB_LOG ? HAS_OTHERS
                                                                                : ONLY_REQUESTS;
}

/* Groups that show no intrusion are told together: as scanning when only logs of web requests tell
 * of them, else as what somebody must explain. There may be any number of them. */
static int send_away(struct making *making)
{
    const size_t count = making->sightings->count;
    uint8_t *shown = calloc(count + 1, sizeof *shown);

    if (!shown)
        return error_set("out of memory");
    for (size_t i = 0; i < count; i++) {
        const uint32_t group = making->groups[i];
        const int what = shows(&making->sightings->list[i]);
        if (group < JOINED_UNEXPLAINED && what > shown[group])
            shown[group] = (uint8_t)what;
    }
    for (size_t i = 0; i < count; i++) {
        const uint32_t group = making->groups[i];
        if (group < JOINED_UNEXPLAINED && shown[group] != SHOWS_INTRUSION)
            making->groups[i] =
                shown[group] == ONLY_REQUESTS ? JOINED_SCANNING : JOINED_UNEXPLAINED;
    }
    free(shown);
    return 0;
}

/* Numbers them in the order of their first sighting; the sightings are in order of time. */
static int number_incidents(struct making *making)
{
    const size_t count = making->sightings->count;
    uint32_t incidents = 0, scanning = 0, unexplained = 0;

    for (size_t i = 0; i < count; i++) {
        const uint32_t group = making->groups[i];
        uint32_t *number = group == JOINED_SCANNING      ? &scanning
                           : group == JOINED_UNEXPLAINED ? &unexplained
                           : group == JOINED_TO_NONE     ? NULL
                                                         : &making->incident_of[group];
        if (!number)
            continue;
        if (!*number)
            *number = ++incidents;
        making->sightings->list[i].incident = *number;
    }
    making->incidents->list = arena_array(making->arena, incidents + 1, sizeof(struct incident));
    if (!making->incidents->list)
        return -1;
    making->incidents->count = incidents;
    for (size_t i = 0; i < incidents; i++)
        making->incidents->list[i].number = (uint32_t)i + 1;
    if (scanning)
        making->incidents->list[scanning - 1].scanning = true;
    return 0;
}

static int collect_members(struct making *making)
{
    const struct sightings *sightings = making->sightings;
    size_t *members = arena_array(making->arena, sightings->count + 1, sizeof *members);
    size_t start = 0;

    if (!members)
        return -1;
    for (size_t i = 0; i < sightings->count; i++)
        if (sightings->list[i].incident)
            making->incidents->list[sightings->list[i].incident - 1].member_count++;
    for (size_t i = 0; i < making->incidents->count; i++) {
        struct incident *incident = &making->incidents->list[i];
        incident->members = members + start;
        start += incident->member_count;
        incident->member_count = 0;
    }
    for (size_t i = 0; i < sightings->count; i++) {
        if (!sightings->list[i].incident)
            continue;
        struct incident *incident = &making->incidents->list[sightings->list[i].incident - 1];
        members[(size_t)(incident->members - members) + incident->member_count++] = i;
    }
    return 0;
}

/* --- how far it went --- */

static const struct sighting *member(const struct sightings *sightings,
                                     const struct incident *incident, size_t at)
{
    return &sightings->list[incident->members[at]];
}

static bool has_rung(const struct sightings *sightings, const struct incident *incident,
                     enum rung low, enum rung high)
{
    for (size_t i = 0; i < incident->member_count; i++) {
        const struct sighting *sighting = member(sightings, incident, i);
        if (sighting_succeeded(sighting) && sighting->judgement->rung >= low &&
            sighting->judgement->rung <= high)
            return true;
    }
    return false;
}

/*
 * The highest rung whose required evidence is there. Requests to a page that nobody has seen on
 * disk show that a page was there, not more; and what only the host tells, without a way in, counts
 * when it can hardly be anything else.
 */
static enum rung rung_of(const struct sightings *sightings, const struct incident *incident)
{
    const bool placed = has_rung(sightings, incident, RUNG_PLACED, RUNG_PLACED);
    const bool way_in = has_rung(sightings, incident, RUNG_EXPLOITED, RUNG_USED);
    enum rung rung = incident->scanning ? RUNG_PROBED : RUNG_NOTHING;

    for (size_t i = 0; i < incident->member_count; i++) {
        const struct sighting *sighting = member(sightings, incident, i);
        enum rung shown = sighting->judgement->rung;
        if (!sighting_succeeded(sighting))
            shown = shown && sighting->witness == WITNESS_WEB_LOG ? RUNG_PROBED : RUNG_NOTHING;
        if (shown == RUNG_STOLEN && sighting->plants_page)
            shown = RUNG_PLACED;
        if (shown == RUNG_USED && !placed && sighting->witness == WITNESS_WEB_LOG)
            shown = RUNG_PLACED;
        if (shown > RUNG_USED && !way_in && !is_certain(sighting))
            shown = RUNG_NOTHING;
        if (shown > rung)
            rung = shown;
    }
    return rung;
}

static double weight_of(const struct sighting *sighting)
{
    static const double levels[] = {0, 5, 15, 40, 80};
    static const struct {
        const char *name;
        double factor;
    } confidences[] = {{"low", .4}, {"medium", .7}, {"high", .9}, {"certain", 1}};
    double factor = .7;

    for (size_t i = 0; i < sizeof confidences / sizeof *confidences && sighting->confidence; i++)
        if (strcmp(sighting->confidence, confidences[i].name) == 0)
            factor = confidences[i].factor;
    return levels[sighting->level] * factor;
}

static int by_rule(const void *a, const void *b)
{
    const struct sighting *const *x = a, *const *y = b;
    const int order = strcmp((*x)->rule, (*y)->rule);

    return order ? order : ((*x)->level < (*y)->level) - ((*x)->level > (*y)->level);
}

/* The sum of the weights; one rule counts twice at the most. */
static int score(const struct sightings *sightings, struct incident *incident)
{
    const struct sighting **list = calloc(incident->member_count + 1, sizeof(struct sighting *));
    size_t same = 0;

    if (!list)
        return error_set("out of memory");
    for (size_t i = 0; i < incident->member_count; i++)
        list[i] = member(sightings, incident, i);
    qsort(list, incident->member_count, sizeof(struct sighting *), by_rule);
    for (size_t i = 0; i < incident->member_count; i++) {
        same = i && list[i]->rule == list[i - 1]->rule ? same + 1 : 1;
        if (same <= 2)
            incident->score += weight_of(list[i]);
        if (sighting_succeeded(list[i]))
            incident->witnesses |= 1u << list[i]->witness;
    }
    free(list);
    return 0;
}

static enum confidence confidence_of(const struct incident *incident)
{
    const bool two = (incident->witnesses & (incident->witnesses - 1)) != 0;

    if (incident->scanning)
        return CONFIDENCE_CONFIRMED;
    return incident->score >= CONFIRMED_SCORE && two ? CONFIDENCE_CONFIRMED
           : incident->score >= PROBABLE_SCORE       ? CONFIDENCE_PROBABLE
           : incident->score >= SUSPICIOUS_SCORE     ? CONFIDENCE_SUSPICIOUS
                                                     : CONFIDENCE_NONE;
}

static void set_times(const struct sightings *sightings, struct incident *incident)
{
    for (int succeeded = 1; succeeded >= 0 && !incident->dated; succeeded--)
        for (size_t i = 0; i < incident->member_count; i++) {
            const struct sighting *sighting = member(sightings, incident, i);
            if (!sighting->dated || sighting->loose_time ||
                (succeeded && !sighting_succeeded(sighting)))
                continue;
            if (!incident->dated)
                incident->first = sighting->time;
            incident->dated = true;
            incident->last = sighting->time;
        }
}

static int judge(struct making *making)
{
    for (size_t i = 0; i < making->incidents->count; i++) {
        struct incident *incident = &making->incidents->list[i];
        if (score(making->sightings, incident) < 0)
            return -1;
        incident->rung = rung_of(making->sightings, incident);
        incident->confidence = confidence_of(incident);
        set_times(making->sightings, incident);
        if (incident_tell_actors(making->sightings, incident, making->arena) < 0 ||
            incident_tell_passages(making->sightings, incident, making->arena) < 0 ||
            incident_tell_files(making->sightings, incident, making->arena) < 0 ||
            incident_tell_steps(making->sightings, incident, making->arena) < 0)
            return -1;
    }
    return 0;
}

int incidents_make(struct sightings *sightings, struct arena *arena, struct incidents *incidents)
{
    struct making making = {.sightings = sightings, .arena = arena, .incidents = incidents};

    *incidents = (struct incidents){0};
    making.groups = calloc(sightings->count + 1, sizeof *making.groups);
    making.incident_of = calloc(sightings->count + 1, sizeof *making.incident_of);
    int result = making.groups && making.incident_of ? joining_groups(sightings, making.groups)
                                                     : error_set("out of memory");
    if (result == 0)
        result = send_away(&making);
    if (result == 0)
        result = number_incidents(&making);
    if (result == 0)
        result = collect_members(&making);
    if (result == 0)
        result = judge(&making);
    free(making.groups);
    free(making.incident_of);
    return result;
}
