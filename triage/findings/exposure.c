#include "triage/findings/exposure.h"

#include "triage/base/error.h"
#include "triage/base/tsv.h"
#include "triage/findings/build_history.h"
#include "triage/findings/protection.h"
#include "triage/formats/json_reader.h"

#include <stdlib.h>
#include <string.h>

const char *exposure_name(enum exposure_state state)
{
    static const char *const names[] = {"unknown", "not_affected", "fixed", "indeterminate",
                                        "vulnerable"};

    return names[state];
}

const char *update_name(enum update_state state)
{
    static const char *const names[] = {"unknown", "none", "failed", "partial", "complete"};

    return names[state];
}

/* --- fixes --- */

struct fix { /* a line of cve_fixes.tsv */
    const char *cve, *family, *update, *build;
};

struct fixes {
    struct exposure *exposure;
    const struct exchange_builds *builds;
    struct arena *arena;
    struct fix *rows;
    size_t count, room;
};

enum { CVE, FAMILY, UPDATE, FIX, COLUMNS };

static int add_fix(void *context, const char *const *texts)
{
    struct fixes *fixes = context;

    if (fixes->count == fixes->room) {
        const size_t room = fixes->room ? 2 * fixes->room : 1024;
        struct fix *grown = arena_array(fixes->arena, room, sizeof *grown);
        if (!grown)
            return -1;
        if (fixes->count)
            memcpy(grown, fixes->rows, fixes->count * sizeof *grown);
        fixes->rows = grown;
        fixes->room = room;
    }
    fixes->rows[fixes->count++] =
        (struct fix){texts[CVE], texts[FAMILY], texts[UPDATE], texts[FIX]};
    return 0;
}

/* "" when the table does not say. */
static const char *fix_of(const struct fixes *fixes, const char *cve, const char *family,
                          const char *update)
{
    for (size_t i = 0; family && i < fixes->count; i++)
        if (strcmp(fixes->rows[i].cve, cve) == 0 && strcmp(fixes->rows[i].family, family) == 0 &&
            strcmp(fixes->rows[i].update, update) == 0)
            return fixes->rows[i].build;
    return "";
}

/* Rows of one vulnerability stand together in the table. */
static int list_cves(const struct fixes *fixes)
{
    struct exposure *exposure = fixes->exposure;

    exposure->cves = arena_array(fixes->arena, fixes->count + 1, sizeof *exposure->cves);
    if (!exposure->cves)
        return -1;
    for (size_t i = 0; i < fixes->count; i++)
        if (i == 0 || strcmp(fixes->rows[i].cve, fixes->rows[i - 1].cve) != 0)
            exposure->cves[exposure->cve_count++] = (struct cve_exposure){
                .cve = fixes->rows[i].cve,
                .fix = fix_of(fixes, fixes->rows[i].cve, exposure->family, exposure->update)};
    return 0;
}

/* A build against what the table says of its own cumulative update. */
static enum exposure_state state_by_fix(const char *fix, const uint16_t number[4])
{
    uint16_t low[4], high[4];
    const char *range = strstr(fix, "..");

    if (!*fix)
        return EXPOSURE_UNKNOWN;
    if (strcmp(fix, "NEVER") == 0)
        return EXPOSURE_VULNERABLE;
    if (strcmp(fix, "NOT_AFFECTED") == 0)
        return EXPOSURE_NOT_AFFECTED;
    if (strcmp(fix, "CONFIG_ONLY") == 0)
        return EXPOSURE_INDETERMINATE;
    const struct slice first = range ? slice_of(fix, (size_t)(range - fix)) : slice_of_text(fix);
    if (!exchange_build_parse(first, low) ||
        !exchange_build_parse(slice_of_text(range ? range + 2 : fix), high))
        return EXPOSURE_UNKNOWN;
    if (exchange_build_compare(number, high) >= 0)
        return EXPOSURE_FIXED;
    return exchange_build_compare(number, low) >= 0 ? EXPOSURE_INDETERMINATE : EXPOSURE_VULNERABLE;
}

/* --- one vulnerability over time --- */

static enum exposure_state state_of_event(const struct fixes *fixes, const char *cve,
                                          const struct build_event *event)
{
    const struct exchange_build *row = exchange_builds_find(fixes->builds, event->number);

    return row ? state_by_fix(fix_of(fixes, cve, row->family, row->update), event->number)
               : EXPOSURE_UNKNOWN;
}

/* A claim counts for the past; that an update is in force now, only the program itself can say. */
static void tell_span(const struct fixes *fixes, struct cve_exposure *cve)
{
    const struct exposure *exposure = fixes->exposure;
    bool vulnerable = false;

    for (size_t i = 0; i < exposure->history_count; i++) {
        const struct build_event *event = &exposure->history[i];
        if (!event->dated)
            continue;
        const bool open = state_of_event(fixes, cve->cve, event) == EXPOSURE_VULNERABLE;
        if (open && !vulnerable) {
            if (!cve->ever_vulnerable) {
                cve->from_known = true;
                cve->from = event->time;
            }
            cve->until_known = false;
            cve->ever_vulnerable = vulnerable = true;
        } else if (!open && vulnerable && cve->state != EXPOSURE_VULNERABLE) {
            cve->until_known = true;
            cve->until = event->time;
            vulnerable = false;
        }
    }
    cve->ever_vulnerable |= cve->state == EXPOSURE_VULNERABLE;
}

static bool is_by_configuration(const struct cve_exposure *cve)
{
    return strcmp(cve->fix, "CONFIG_ONLY") == 0;
}

static enum exposure_state state_by_configuration(const struct protection *protection)
{
    return protection->state == PROTECTION_ON        ? EXPOSURE_FIXED
           : protection->state == PROTECTION_UNKNOWN ? EXPOSURE_INDETERMINATE
                                                     : EXPOSURE_VULNERABLE;
}

static const char *why_of(const struct exposure *exposure, const struct cve_exposure *cve,
                          struct arena *arena)
{
    const char *build = exposure->build;

    if (is_by_configuration(cve))
        return arena_format(arena, "no update fixes it, it depends on the configuration: %s",
                            exposure->extended_protection.why);
    switch (cve->state) {
    case EXPOSURE_VULNERABLE:
        return strcmp(cve->fix, "NEVER") == 0
                   ? arena_format(arena,
                                  "no update with the fix was ever made for %s %s, which is "
                                  "installed (%s)",
                                  exposure->family, exposure->update, build)
                   : arena_format(arena,
                                  "%s is installed; the first build of %s %s with the fix is %s",
                                  build, exposure->family, exposure->update, cve->fix);
    case EXPOSURE_FIXED:
        return arena_format(arena, "%s is installed; the fix is in %s and later builds of %s %s",
                            build, cve->fix, exposure->family, exposure->update);
    case EXPOSURE_NOT_AFFECTED:
        return arena_format(arena, "%s %s never had it", exposure->family, exposure->update);
    case EXPOSURE_INDETERMINATE:
        return strstr(cve->fix, "..")
                   ? arena_format(arena,
                                  "%s is installed; sources name different builds for the fix: %s",
                                  build, cve->fix)
                   : arena_format(arena,
                                  "%s seems to be installed, which has the fix (%s), but the "
                                  "update is %s: %s",
                                  build, cve->fix, update_name(exposure->update_state),
                                  exposure->update_why);
    default:
        return exposure->build ? "the table of fixes does not know it for this version of Exchange"
                               : "the installed version of Exchange is not known";
    }
}

static int tell_cves(const struct fixes *fixes)
{
    struct exposure *exposure = fixes->exposure;
    uint16_t number[4];
    const bool known =
        exposure->build && exchange_build_parse(slice_of_text(exposure->build), number);

    for (size_t i = 0; i < exposure->cve_count; i++) {
        struct cve_exposure *cve = &exposure->cves[i];
        cve->state = known ? state_by_fix(cve->fix, number) : EXPOSURE_UNKNOWN;
        if (known && is_by_configuration(cve))
            cve->state = state_by_configuration(&exposure->extended_protection);
        else if (cve->state == EXPOSURE_FIXED && (exposure->update_state == UPDATE_PARTIAL ||
                                                  exposure->update_state == UPDATE_FAILED))
            cve->state = EXPOSURE_INDETERMINATE;
        tell_span(fixes, cve);
        cve->why = why_of(exposure, cve, fixes->arena);
        if (!cve->why)
            return -1;
    }
    return 0;
}

enum exposure_state exposure_at(const struct cve_exposure *cve, int64_t time)
{
    if (cve->state == EXPOSURE_NOT_AFFECTED || cve->state == EXPOSURE_UNKNOWN)
        return cve->state;
    if (cve->until_known && time >= cve->until)
        return cve->state;
    if (cve->from_known && time >= cve->from)
        return EXPOSURE_VULNERABLE;
    return cve->ever_vulnerable && !cve->from_known ? EXPOSURE_VULNERABLE
           : cve->state == EXPOSURE_VULNERABLE      ? EXPOSURE_VULNERABLE
                                                    : EXPOSURE_INDETERMINATE;
}

const struct cve_exposure *exposure_of(const struct exposure *exposure, const char *cve)
{
    for (size_t i = 0; i < exposure->cve_count; i++)
        if (strcmp(exposure->cves[i].cve, cve) == 0)
            return &exposure->cves[i];
    return NULL;
}

/* --- what is installed, by the host document --- */

static const char *host_text(const struct json_value *host, const char *name)
{
    const struct json_value *value =
        json_member(json_member(json_member(host, "exchange"), name), "value");

    return value && value->type == JSON_STRING ? (const char *)value->text.data : NULL;
}

static int tell_roles(const struct json_value *host, struct arena *arena, struct exposure *exposure)
{
    const struct json_value *roles = json_member(json_member(host, "exchange"), "roles");
    size_t count = 0;

    for (const struct json_value *role = roles ? roles->first : NULL; role; role = role->next)
        count++;
    if (!(exposure->roles = arena_array(arena, count + 1, sizeof *exposure->roles)))
        return -1;
    for (const struct json_value *role = roles ? roles->first : NULL; role; role = role->next) {
        const struct json_value *name = json_member(role, "name");
        if (!name)
            continue;
        exposure->roles[exposure->role_count++] = (const char *)name->text.data;
        exposure->front_end |=
            slice_is(name->text, "CafeRole") || slice_is(name->text, "ClientAccessRole");
    }
    return 0;
}

static int tell_installed(const struct exchange_builds *builds, const struct json_value *host,
                          struct arena *arena, struct exposure *exposure)
{
    uint16_t number[4];
    const char *version = host_text(host, "version");

    exposure->install_path = host_text(host, "path");
    exposure->name = host_text(host, "build");
    if (tell_roles(host, arena, exposure) < 0)
        return -1;
    if (!version || !exchange_build_parse(slice_of_text(version), number))
        return 0;
    exposure->build = exposure->found = version;
    const struct exchange_build *row = exchange_builds_find(builds, number);
    if (row) {
        exposure->family = row->family;
        exposure->update = row->update;
    }
    return 0;
}

static const char *const fix_columns[COLUMNS] = {"cve", "version_family", "cu",
                                                 "first_fixed_build"};

int exposure_make(struct case_file *file, const char *folder, struct slice host,
                  struct arena *arena, struct exposure *exposure)
{
    struct exchange_builds builds = {0};
    struct fixes fixes = {.exposure = exposure, .builds = &builds, .arena = arena};
    struct json_value *root = NULL;
    const char *builds_path = arena_format(arena, "%s/exchange_builds.tsv", folder);
    const char *fixes_path = arena_format(arena, "%s/cve_fixes.tsv", folder);
    const char *files_path = arena_format(arena, "%s/update_files.tsv", folder);

    *exposure = (struct exposure){0};
    if (!builds_path || !fixes_path || !files_path ||
        exchange_builds_load(builds_path, arena, &builds) < 0)
        return -1;
    if (host.size && json_read(host, arena, &root) < 0)
        return -1;
    if (tell_installed(&builds, root, arena, exposure) < 0 ||
        build_history_make(file, &builds, files_path, arena, exposure) < 0 ||
        protection_make(file, arena, &exposure->extended_protection) < 0 ||
        tsv_read(fixes_path, fix_columns, COLUMNS, arena, add_fix, &fixes) < 0 ||
        list_cves(&fixes) < 0)
        return -1;
    return tell_cves(&fixes);
}
