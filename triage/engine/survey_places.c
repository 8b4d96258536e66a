/* The folders that artifacts name in braces, from what the other parts found. */
#include "triage/engine/survey_parts.h"

#include <string.h>

enum {
    PLACES_MOST = 4096,
    PLACES_KEPT = 256, /* for the folders of Windows and Exchange, however many sites IIS has */
    USUAL_SITE_IDS = 32
};

static const char usual_why[] = "assumed: the usual folder is there";

static size_t place_size(const char *path)
{
    const size_t size = strlen(path);

    return size && path[size - 1] == '/' ? size - 1 : size;
}

/* Whether `path` is `folder` or lies below it. */
static bool lies_in(const char *path, const char *folder)
{
    const size_t size = place_size(folder);

    return size == 0 ||
           (slice_starts_nocase(slice_of_text(path), folder) && (path[size] == '/' || !path[size]));
}

/* Whether a place of that name covers the path already. */
static bool is_covered(const struct host *host, const struct place *wanted)
{
    for (size_t i = 0; i < host->place_count; i++) {
        const struct place *place = &host->places[i];
        if (place->volume == wanted->volume && strcmp(place->name, wanted->name) == 0 &&
            lies_in(wanted->path, place->path))
            return true;
    }
    return false;
}

/* Drops places of that name that lie in the new one. */
static void drop_covered(struct host *host, const struct place *wider)
{
    size_t kept = 0;

    for (size_t i = 0; i < host->place_count; i++) {
        const struct place *place = &host->places[i];
        if (place->volume != wider->volume || strcmp(place->name, wider->name) != 0 ||
            !lies_in(place->path, wider->path))
            host->places[kept++] = *place;
    }
    host->place_count = kept;
}

static void add_place(struct survey *survey, struct place place)
{
    struct host *host = survey->host;

    if (is_covered(host, &place) || host->place_count >= PLACES_MOST)
        return;
    drop_covered(host, &place);
    struct place *places = survey_grow(survey, host->places, host->place_count, sizeof *places);
    if (!places)
        return;
    places[host->place_count++] = place;
    host->places = places;
}

/* A place at a Windows path; `what` names it in the notice when it is not part of the evidence. */
static void add_windows_path(struct survey *survey, const char *name, const char *what,
                             struct fact why)
{
    struct place place = {.name = name, .why = why};

    if (!why.value || !survey_locate(survey, what, why.value, &place.volume, &place.path))
        return;
    place.why.value = survey_windows_path(survey, place.volume, place.path);
    add_place(survey, place);
}

/* A place that nothing tells of: only when the folder is there. */
static void assume_place(struct survey *survey, const char *name, uint32_t volume, const char *path)
{
    if (evidence_volume(survey->evidence, volume)->problem || !survey_exists(survey, volume, path))
        return;
    const char *windows_path = survey_windows_path(survey, volume, path);
    add_place(survey, (struct place){name, volume, path, {windows_path, usual_why, true}});
}

/* Below a known folder, with that folder's source. */
static void add_below(struct survey *survey, const char *name, const struct place *folder,
                      const char *below)
{
    const char *path =
        survey_text(survey, "%s%s%s", folder->path, *folder->path && *below ? "/" : "", below);
    const char *windows_path = survey_windows_path(survey, folder->volume, path);

    add_place(survey, (struct place){name,
                                     folder->volume,
                                     path,
                                     {windows_path, folder->why.source, folder->why.assumed}});
}

static void add_windows_places(struct survey *survey)
{
    static const struct {
        const char *name, *path;
    } below[] = {
        {"windows", ""},
        {"system32", "System32"},
        {"event_logs", "System32/winevt/Logs"},
        {"registry", "System32/config"},
        {"tasks", "System32/Tasks"},
    };
    static const char *const temporary[] = {
        "Microsoft.NET/Framework64/v4.0.30319/Temporary ASP.NET Files",
        "Microsoft.NET/Framework64/v2.0.50727/Temporary ASP.NET Files",
        "Microsoft.NET/Framework/v4.0.30319/Temporary ASP.NET Files",
        "Microsoft.NET/Framework/v2.0.50727/Temporary ASP.NET Files",
    };
    const struct place windows = {"windows", survey->windows_volume, survey->windows_folder,
                                  survey->host->windows_root};

    for (size_t i = 0; i < sizeof below / sizeof below[0]; i++)
        add_below(survey, below[i].name, &windows, below[i].path);
    for (size_t i = 0; i < sizeof temporary / sizeof temporary[0]; i++)
        assume_place(survey, "temp_aspnet", windows.volume,
                     survey_text(survey, "%s/%s", windows.path, temporary[i]));
}

/* http.sys puts its own folder below the one that the registry names. */
static void add_http_errors(struct survey *survey)
{
    const char *key = survey_control_key(survey, "Services\\HTTP\\Parameters");
    struct fact folder = {"%SystemRoot%\\System32\\LogFiles", "assumed: the default of http.sys",
                          true};

    survey_registry_text(survey, &survey->system, key, "ErrorLoggingDir", &folder);
    folder.value = survey_text(survey, "%s\\HTTPERR", folder.value);
    add_windows_path(survey, "httperr", "the folder of the http.sys error log", folder);
}

/* The folder that holds `path`. */
static const char *parent_of(struct survey *survey, const char *windows_path)
{
    const char *last = strrchr(windows_path, '\\');

    return last ? survey_text(survey, "%.*s", (int)(last - windows_path), windows_path)
                : windows_path;
}

/* IIS may not crowd out what else is looked for: its configuration is the intruder's, too. */
static bool has_room_for_iis(struct survey *survey)
{
    if (survey->host->place_count < PLACES_MOST - PLACES_KEPT)
        return true;
    survey_notice(survey,
                  "IIS names more folders than are looked into: those past the first %d were left "
                  "out",
                  PLACES_MOST - PLACES_KEPT);
    return false;
}

static void add_site(struct survey *survey, const struct site *site)
{
    if (!has_room_for_iis(survey))
        return;
    add_windows_path(survey, "iis_logs", "the log folder of a site", site->log_folder);
    for (size_t i = 0; i < site->directory_count && has_room_for_iis(survey); i++) {
        const struct virtual_directory *directory = &site->directories[i];
        const struct fact why = {directory->physical_path, directory->why.source,
                                 directory->why.assumed};
        add_windows_path(survey, "web_root", "the folder of a virtual directory", why);
    }
}

static void add_iis_places(struct survey *survey)
{
    struct host *host = survey->host;
    struct fact central = host->central_log;

    for (size_t i = 0; i < host->site_count; i++)
        add_site(survey, &host->sites[i]);
    for (size_t i = 0; i < host->more_count; i++)
        if (strcmp(host->more[i].name, "FTP log folder") == 0 && has_room_for_iis(survey))
            add_windows_path(survey, "iis_logs", "an FTP log folder", host->more[i].fact);
    if (central.value) {
        central.value = parent_of(survey, central.value);
        add_windows_path(survey, "iis_logs", "the folder of the central log", central);
    }
}

static void add_exchange_places(struct survey *survey)
{
    static const struct {
        const char *name, *path;
    } below[] = {
        {"exchange", ""},
        {"exchange_logging", "Logging"},
        {"message_tracking", "TransportRoles/Logs"},
        {"web_root", "FrontEnd/HttpProxy"},
        {"web_root", "ClientAccess"},
    };
    struct place exchange = {.name = "exchange", .why = survey->host->exchange_path};

    if (!exchange.why.value || !survey_locate(survey, "the Exchange folder", exchange.why.value,
                                              &exchange.volume, &exchange.path))
        return;
    for (size_t i = 0; i < sizeof below / sizeof below[0]; i++)
        add_below(survey, below[i].name, &exchange, below[i].path);
}

/* What lies where it usually does without being told anywhere, also what earlier settings left
 * behind. */
static void assume_usual_places(struct survey *survey)
{
    static const struct {
        const char *name, *path;
    } usual[] = {
        {"iis_logs", "inetpub/logs/LogFiles"},
        {"web_root", "inetpub/wwwroot"},
        {"iis_history", "inetpub/history"},
        {"setup_logs", "ExchangeSetupLogs"},
    };

    for (uint32_t volume = 0; volume < evidence_volume_count(survey->evidence); volume++)
        for (size_t i = 0; i < sizeof usual / sizeof usual[0]; i++)
            assume_place(survey, usual[i].name, volume, usual[i].path);
}

/* IIS 6 and earlier, and some later servers, log below System32. */
static void assume_old_log_folders(struct survey *survey)
{
    const char *folder = survey_text(survey, "%s/System32/LogFiles", survey->windows_folder);

    assume_place(survey, "iis_logs", survey->windows_volume,
                 survey_text(survey, "%s/W3SVC", folder));
    for (unsigned id = 1; id <= USUAL_SITE_IDS; id++)
        assume_place(survey, "iis_logs", survey->windows_volume,
                     survey_text(survey, "%s/W3SVC%u", folder, id));
}

void survey_places(struct survey *survey)
{
    if (survey->windows_found) {
        add_windows_places(survey);
        add_http_errors(survey);
        add_iis_places(survey);
        assume_old_log_folders(survey);
    }
    add_exchange_places(survey);
    assume_usual_places(survey);
}
