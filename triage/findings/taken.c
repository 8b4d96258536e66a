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

/* What an intruder's address was sent altogether: answers to requests, error pages included, so
 * that little says nothing. The front end's log counts for clients; IIS tells of the same requests.
 */
static void tell_volumes(struct findings *findings)
{
    static const uint64_t LEAST = UINT64_C(5) << 20;
    const struct log_bytes *volume = moved_by_log(&findings->volumes, "exchange_httpproxy");

    if (!volume)
        volume = moved_by_log(&findings->volumes, "iis_log");
    for (size_t i = 0; volume && i < volume->clients.count; i++) {
        const struct moved_row *row = &volume->clients.rows[i];
        if (!row->actor || row->sent < LEAST)
            continue;
        const struct sighting *sighting = &findings->sightings.list[row->first_sighting];
        findings->taken[findings->taken_count++] = (struct taken){
            .status = TAKEN_LIKELY,
            .what = "answers to requests of the intruder's address",
            .by = row->name,
            .how = "the web logs count the bytes of all answers to this address",
            .size = row->sent <= INT64_MAX ? (int64_t)row->sent : INT64_MAX,
            .answers = true,
            .dated = sighting->dated,
            .time = sighting->time,
            .sighting = row->first_sighting,
            .incident = sighting->incident,
        };
    }
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
        arena_array(findings->arena, count_files(findings) + MOST_TOLD + MOVED_ROWS_MOST + 1,
                    sizeof(struct taken));
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
    tell_volumes(findings);
    return 0;
}
