/* What to do next, each with what it rests on. */
#include "triage/findings/findings.h"
#include "triage/findings/known_networks.h"

#include <string.h>

static int add_lead(struct findings *findings, const char *what, const char *why,
                    const size_t *sightings, size_t count)
{
    size_t *list = arena_array(findings->arena, count + 1, sizeof *list);

    if (!what || !why || !list)
        return -1;
    if (count)
        memcpy(list, sightings, count * sizeof *list);
    findings->leads[findings->lead_count++] = (struct lead){what, why, list, count};
    return 0;
}

/* Members of the incident about a file, at most a handful. */
static size_t about_file(const struct findings *findings, const struct incident *incident,
                         const char *page, size_t out[8])
{
    size_t count = 0;

    for (size_t i = 0; i < incident->member_count && count < 8; i++) {
        const struct sighting *sighting = &findings->sightings.list[incident->members[i]];
        if (sighting->page == page && sighting->witness != WITNESS_WEB_LOG)
            out[count++] = incident->members[i];
    }
    return count;
}

static const char *times_words(size_t count, struct arena *arena)
{
    const char *text = count == 1 ? "once" : arena_format(arena, "%zu times", count);

    return text ? text : "";
}

static int lead_of_file(struct findings *findings, const struct incident *incident,
                        const struct incident_file *file)
{
    size_t sightings[8];

    if (!file->seen || file->rung < RUNG_PLACED || !file->path)
        return 0;
    const char *what =
        file->deleted
            ? arena_format(findings->arena, "Recover and analyse the deleted file %s", file->path)
            : arena_format(findings->arena, "Secure, analyse and then remove %s", file->path);
    const char *why = file->requests
                          ? arena_format(findings->arena, "it was requested with success %s%s%s",
                                         times_words(file->requests, findings->arena),
                                         file->requested_by ? ", first by " : "",
                                         file->requested_by ? file->requested_by : "")
                          : "no log that is there shows that it was requested";
    return add_lead(findings, what, why, sightings,
                    about_file(findings, incident, file->page, sightings));
}

static int lead_of_actor(struct findings *findings, const struct incident *incident,
                         const struct actor *actor)
{
    size_t sightings[8], count = 0;

    if (actor->rung < RUNG_EXPLOITED || known_network_of(actor->address))
        return 0;
    for (size_t i = 0; i < incident->member_count && count < 8; i++)
        if (findings->sightings.list[incident->members[i]].actor == actor->address)
            sightings[count++] = incident->members[i];
    return add_lead(findings,
                    arena_format(findings->arena,
                                 "Look for %s in the logs of firewalls, proxies and other servers",
                                 actor->address),
                    arena_format(findings->arena, "its requests show: %s%s", rung_name(actor->rung),
                                 actor->is_private
                                     ? " (an address of the own network: a proxy, or a machine "
                                       "that is broken into as well)"
                                     : ""),
                    sightings, count);
}

static int leads_of_incident(struct findings *findings, const struct incident *incident)
{
    const size_t files = incident->file_count < 200 ? incident->file_count : 200;
    const size_t actors = incident->actor_count < 200 ? incident->actor_count : 200;

    if (incident->rung < RUNG_EXPLOITED)
        return 0;
    for (size_t i = 0; i < files; i++)
        if (lead_of_file(findings, incident, &incident->files[i]) < 0)
            return -1;
    for (size_t i = 0; i < actors; i++)
        if (lead_of_actor(findings, incident, &incident->actors[i]) < 0)
            return -1;
    return 0;
}

/* Weighty indicators that no incident of weight explains. */
static int lead_of_rest(struct findings *findings)
{
    enum { SHOWN = 50 };
    size_t sightings[SHOWN], count = 0, all = 0;

    for (size_t i = 0; i < findings->sightings.count; i++) {
        const struct sighting *sighting = &findings->sightings.list[i];
        const struct incident *incident =
            sighting->incident ? &findings->incidents.list[sighting->incident - 1] : NULL;
        if (sighting->level < 3 || (incident && incident->rung >= RUNG_EXPLOITED))
            continue;
        if (count < SHOWN)
            sightings[count++] = i;
        all++;
    }
    if (!all)
        return 0;
    return add_lead(
        findings,
        arena_format(findings->arena,
                     "Explain %zu indicators of weight that belong to no intrusion that "
                     "was recognised",
                     all),
        "they may be the work of administrators, or of somebody whose way in left no traces",
        sightings, count);
}

static int lead_of_updates(struct findings *findings)
{
    const struct exposure *exposure = &findings->exposure;
    size_t open = 0;

    for (size_t i = 0; i < exposure->cve_count; i++)
        open += exposure->cves[i].state == EXPOSURE_VULNERABLE;
    if (!open)
        return 0;
    return add_lead(findings,
                    arena_format(findings->arena,
                                 "Update Exchange, after the evidence is secured: %zu known "
                                 "vulnerabilities are open",
                                 open),
                    arena_format(findings->arena,
                                 "installed is %s (%s); an update does not remove "
                                 "what an intruder has left",
                                 exposure->name ? exposure->name : "an unknown version",
                                 exposure->build),
                    NULL, 0);
}

static int leads_of_state(struct findings *findings)
{
    const struct exposure *exposure = &findings->exposure;
    enum rung rung = RUNG_NOTHING;

    for (size_t i = 0; i < findings->incidents.count; i++)
        if (findings->incidents.list[i].rung > rung)
            rung = findings->incidents.list[i].rung;
    if (rung >= RUNG_USED &&
        add_lead(
            findings,
            "Treat the server's own account and every account that logged on to it as known "
            "to the intruder",
            "commands ran with the rights of the web server, which on Exchange are those of the "
            "system",
            NULL, 0) < 0)
        return -1;
    if ((exposure->update_state == UPDATE_FAILED || exposure->update_state == UPDATE_PARTIAL) &&
        add_lead(findings, "Install the last update again, from an elevated command prompt",
                 exposure->update_why, NULL, 0) < 0)
        return -1;
    return lead_of_updates(findings);
}

int findings_tell_leads(struct findings *findings)
{
    size_t most = 8;

    for (size_t i = 0; i < findings->incidents.count; i++)
        most += findings->incidents.list[i].file_count + findings->incidents.list[i].actor_count;
    findings->leads = arena_array(findings->arena, most, sizeof *findings->leads);
    if (!findings->leads)
        return -1;
    for (size_t i = 0; i < findings->incidents.count; i++)
        if (leads_of_incident(findings, &findings->incidents.list[i]) < 0)
            return -1;
    return leads_of_state(findings) < 0 ? -1 : lead_of_rest(findings);
}
