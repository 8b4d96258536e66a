#include "triage/findings/findings.h"

#include "triage/base/error.h"

#include <stdlib.h>
#include <string.h>

static bool rule_starts(const struct sighting *sighting, const char *prefix)
{
    return strncmp(sighting->rule, prefix, strlen(prefix)) == 0;
}

static bool rule_is_one_of(const struct sighting *sighting, const char *const *rules)
{
    for (; *rules; rules++)
        if (strcmp(sighting->rule, *rules) == 0)
            return true;
    return false;
}

/* --- what was taken --- */

static const char *const staging[] = {"PE-02", "PE-11", "PE-13", "MB-02", "MB-12", NULL};
static const char *const mail[] = {"MB-01", "MB-03", "MB-04", "MB-05", "MB-06", "MB-07",
                                   "MB-08", "MB-09", "MB-10", "MB-13", NULL};

static size_t count_files(const struct findings *findings)
{
    size_t count = 0;

    for (size_t i = 0; i < findings->incidents.count; i++)
        count += findings->incidents.list[i].file_count;
    return count;
}

/* The first sightings of a file that show it packed, and fetched; SIZE_MAX: none does. */
struct signs {
    size_t packed, fetched;
};

static int by_page(const void *page, const void *file)
{
    return strcmp(page, ((const struct incident_file *)file)->page);
}

static void note_sign(const struct findings *findings, const struct incident *incident,
                      size_t index, struct signs *signs)
{
    static const char *const fetching[] = {"PE-14", NULL};
    const struct sighting *sighting = &findings->sightings.list[index];
    const bool packed = rule_is_one_of(sighting, staging);

    if (!sighting->page || !sighting_succeeded(sighting) ||
        (!packed && !rule_is_one_of(sighting, fetching)))
        return;
    const struct incident_file *file =
        bsearch(sighting->page, incident->files, incident->file_count, sizeof *file, by_page);
    if (!file)
        return;
    struct signs *own = &signs[file - incident->files];
    size_t *first = packed ? &own->packed : &own->fetched;
    if (*first == SIZE_MAX)
        *first = index;
}

/* The signs of each file of the incident, in one walk over its sightings. */
static struct signs *list_signs(const struct findings *findings, const struct incident *incident)
{
    struct signs *signs =
        arena_array(findings->arena, incident->file_count + 1, sizeof(struct signs));

    for (size_t i = 0; i < incident->file_count && signs; i++)
        signs[i] = (struct signs){SIZE_MAX, SIZE_MAX};
    for (size_t i = 0; i < incident->member_count && signs && incident->file_count; i++)
        note_sign(findings, incident, incident->members[i], signs);
    return signs;
}

/* An archive or a dump in the file system, and whether it was fetched through the web server. */
static void tell_file(struct findings *findings, const struct incident *incident,
                      const struct incident_file *file, const struct signs *signs)
{
    const size_t packed = signs->packed, fetch = signs->fetched;
    const size_t shown = fetch != SIZE_MAX ? fetch : packed;

    if (shown == SIZE_MAX)
        return;
    const struct sighting *sighting = &findings->sightings.list[shown];
    findings->taken[findings->taken_count++] = (struct taken){
        .status = fetch != SIZE_MAX ? TAKEN_CONFIRMED : TAKEN_PREPARED,
        .what = file->path ? file->path : file->page,
        .by = fetch != SIZE_MAX ? sighting->actor : NULL,
        .how = fetch == SIZE_MAX
                   ? "packed on the server; no log that is there shows that it was fetched"
               : packed == SIZE_MAX
                   ? "fetched through the web server; the file itself was not found"
                   : "packed on the server, then fetched through the web server",
        .size = file->size,
        .dated = sighting->dated,
        .time = sighting->time,
        .sighting = shown,
        .incident = incident->number,
    };
}

/* Mailboxes that were exported or read: that something left the server is likely, no more. Each
 * rule, object and user once. */
static void tell_mail(struct findings *findings, size_t index, size_t from)
{
    const struct sighting *sighting = &findings->sightings.list[index];

    for (size_t i = from; i < findings->taken_count; i++) {
        const struct sighting *known = &findings->sightings.list[findings->taken[i].sighting];
        if (known->rule == sighting->rule && known->object == sighting->object &&
            known->user == sighting->user)
            return;
    }
    findings->taken[findings->taken_count++] = (struct taken){
        .status = TAKEN_LIKELY,
        .what = sighting->object ? sighting->object : sighting->path,
        .by = sighting->user ? sighting->user : sighting->actor,
        .how = sighting->title,
        .size = -1,
        .dated = sighting->dated,
        .time = sighting->time,
        .sighting = index,
        .incident = sighting->incident,
    };
}

/* --- what was left behind --- */

static bool is_account(const struct sighting *sighting)
{
    return strcmp(sighting->rule, "PR-06") == 0 || strcmp(sighting->rule, "PR-07") == 0;
}

static bool is_remnant(const struct sighting *sighting)
{
    return sighting->level >= 2 && (rule_starts(sighting, "PR-") || rule_starts(sighting, "TA-") ||
                                    (rule_starts(sighting, "IM-") && sighting->level >= 3));
}

static void tell_remnant(struct findings *findings, size_t index)
{
    const struct sighting *sighting = &findings->sightings.list[index];

    for (size_t i = 0; i < findings->remnant_count; i++) {
        const struct sighting *known = &findings->sightings.list[findings->remnants[i].sighting];
        if (known->rule == sighting->rule && known->object == sighting->object &&
            known->user == sighting->user)
            return;
    }
    findings->remnants[findings->remnant_count++] = (struct remnant){
        .what = sighting->object ? sighting->object : sighting->path,
        .how = sighting->title,
        .rule = sighting->rule,
        .account = is_account(sighting),
        .dated = sighting->dated,
        .time = sighting->time,
        .sighting = index,
    };
}

enum { MOST_TOLD = 2000 }; /* of each kind; the indicators themselves are all in the timeline */

int findings_tell_taken(struct findings *findings)
{
    const size_t count = findings->sightings.count;

    findings->taken =
        arena_array(findings->arena, count_files(findings) + MOST_TOLD + 1, sizeof(struct taken));
    findings->remnants = arena_array(findings->arena, MOST_TOLD + 1, sizeof(struct remnant));
    if (!findings->taken || !findings->remnants)
        return -1;
    for (size_t i = 0; i < findings->incidents.count; i++) {
        const struct incident *incident = &findings->incidents.list[i];
        const struct signs *signs = list_signs(findings, incident);
        if (!signs)
            return -1;
        for (size_t j = 0; j < incident->file_count; j++)
            tell_file(findings, incident, &incident->files[j], &signs[j]);
    }
    const size_t files = findings->taken_count;
    for (size_t i = 0; i < count; i++) {
        const struct sighting *sighting = &findings->sightings.list[i];
        if (sighting->level >= 2 && rule_is_one_of(sighting, mail) && !sighting->plants_page &&
            findings->taken_count < files + MOST_TOLD)
            tell_mail(findings, i, files);
        if (is_remnant(sighting) && findings->remnant_count < MOST_TOLD)
            tell_remnant(findings, i);
    }
    return 0;
}

/* --- what to do next --- */

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
    const char *why =
        file->requests
            ? arena_format(findings->arena, "it was requested with success %zu times%s%s",
                           file->requests, file->requested_by ? ", first by " : "",
                           file->requested_by ? file->requested_by : "")
            : "no log that is there shows that it was requested";
    return add_lead(findings, what, why, sightings,
                    about_file(findings, incident, file->page, sightings));
}

static int lead_of_actor(struct findings *findings, const struct incident *incident,
                         const struct actor *actor)
{
    size_t sightings[8], count = 0;

    if (actor->rung < RUNG_EXPLOITED)
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
