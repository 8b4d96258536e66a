/*
 * IIS from applicationHost.config: sites, bindings, virtual directories, logging. Settings of a
 * site stand above those of siteDefaults, these above the schema's. Source: the
 * system.applicationHost reference in the IIS documentation.
 */
#include "triage/base/error.h"
#include "triage/engine/survey_parts.h"
#include "triage/formats/xml.h"

#include <string.h>

enum {
    SITES_MOST = 1024,
    DIRECTORIES_MOST = 8192,
    CONFIG_SIZE_MOST = 16 * 1024 * 1024,
    CONFIG_MEMORY = 128 * 1024 * 1024, /* for the tree, which ends with this part of the survey */
};

static const char usual_log_folder[] = "%SystemDrive%\\inetpub\\logs\\LogFiles";
static const char schema_default[] = "assumed: the default of IIS";

struct config {
    struct survey *survey;
    const char *path; /* Windows path of the file */
    struct arena *memory;
    struct xml_document document;
    const struct xml_element *defaults; /* siteDefaults; may be NULL */
    size_t directory_count;
};

static const char *source_of(struct config *config, const struct xml_element *element)
{
    return survey_text(config->survey, "%s: line %u", config->path, element->line);
}

/* The attribute as a text of the host; NULL when the element has none. No Windows path or name is
 * longer. */
static const char *attribute(struct config *config, const struct xml_element *element,
                             const char *name)
{
    const char *value = xml_attribute(element, name);

    return value ? survey_text(config->survey, "%.1024s", value) : NULL;
}

/* The attribute of the first of the elements that has it, else the schema's default (NULL: not
 * known). */
static struct fact setting(struct config *config, const struct xml_element *own,
                           const struct xml_element *inherited, const char *name,
                           const char *fallback)
{
    const struct xml_element *const elements[] = {own, inherited};

    for (size_t i = 0; i < 2; i++) {
        const char *value = attribute(config, elements[i], name);
        if (value)
            return (struct fact){value, source_of(config, elements[i]), false};
    }
    return (struct fact){fallback, fallback ? schema_default : NULL, fallback != NULL};
}

static const char *expanded(struct survey *survey, const char *text)
{
    struct buffer buffer = BUFFER_EMPTY;

    host_expand(survey->host, text, &buffer);
    const char *copy = survey_text(survey, "%s", buffer_text(&buffer));
    buffer_release(&buffer);
    return copy;
}

/* The folder with its %variables% put in and `below` behind it. */
static struct fact folder_setting(struct config *config, struct fact folder, const char *below)
{
    const char *path = expanded(config->survey, folder.value);
    const size_t size = strlen(path);
    const bool ended = size && (path[size - 1] == '\\' || path[size - 1] == '/');

    folder.value = survey_text(config->survey, "%s%s%s", path, ended ? "" : "\\", below);
    return folder;
}

static bool is_true(const char *text)
{
    return text && slice_is_nocase(slice_of_text(text), "true");
}

static void read_bindings(struct config *config, const struct xml_element *element,
                          struct site *site)
{
    const struct xml_element *at = xml_find(element, "bindings/binding");

    for (; at; at = xml_again(at)) {
        struct binding *bindings =
            survey_grow(config->survey, site->bindings, site->binding_count, sizeof *bindings);
        if (!bindings)
            return;
        bindings[site->binding_count++] = (struct binding){
            attribute(config, at, "protocol"),
            attribute(config, at, "bindingInformation"),
        };
        site->bindings = bindings;
    }
}

/* The physical path may be inherited from the defaults of the site or of all sites. */
static const char *physical_path(struct config *config, const struct xml_element *directory)
{
    static const char defaults[] = "virtualDirectoryDefaults";
    const struct xml_element *site = directory->parent->parent;
    const char *path = xml_attribute(directory, "physicalPath");

    if (!path)
        path = xml_attribute(xml_child(directory->parent, defaults), "physicalPath");
    if (!path)
        path = xml_attribute(xml_child(site, defaults), "physicalPath");
    if (!path)
        path = xml_attribute(xml_child(site->parent, defaults), "physicalPath");
    return path ? expanded(config->survey, path) : NULL;
}

static void add_directory(struct config *config, struct site *site, const char *application,
                          const struct xml_element *element)
{
    if (config->directory_count >= DIRECTORIES_MOST)
        return;
    struct virtual_directory *directories =
        survey_grow(config->survey, site->directories, site->directory_count, sizeof *directories);
    const char *as_written = attribute(config, element, "physicalPath");

    if (!directories)
        return;
    if (++config->directory_count == DIRECTORIES_MOST)
        survey_notice(config->survey, "%s: virtual directories past the first %d were left out",
                      config->path, DIRECTORIES_MOST);
    directories[site->directory_count++] = (struct virtual_directory){
        .application = application,
        .path = attribute(config, element, "path"),
        .physical_path = physical_path(config, element),
        .why = {as_written, source_of(config, element), false},
    };
    site->directories = directories;
}

static void read_directories(struct config *config, const struct xml_element *element,
                             struct site *site)
{
    const struct xml_element *application = xml_child(element, "application");

    for (; application; application = xml_again(application)) {
        const struct xml_element *directory = xml_child(application, "virtualDirectory");
        for (; directory; directory = xml_again(directory))
            add_directory(config, site, attribute(config, application, "path"), directory);
    }
}

static void read_custom_fields(struct config *config, const struct xml_element *log,
                               struct site *site)
{
    const struct xml_element *at = xml_find(log, "customFields/add");

    for (; at; at = xml_again(at)) {
        const char *name = attribute(config, at, "logFieldName");
        const char **names = survey_grow(config->survey, site->custom_fields,
                                         site->custom_field_count, sizeof *names);
        if (!names || !name)
            continue;
        names[site->custom_field_count++] = name;
        site->custom_fields = names;
    }
}

static void read_log(struct config *config, const struct xml_element *element, struct site *site)
{
    static const char usual_fields[] =
        "Date, Time, ClientIP, UserName, ServerIP, Method, UriStem, UriQuery, TimeTaken, "
        "HttpStatus, Win32Status, ServerPort, UserAgent, HttpSubStatus, Referer";
    const struct xml_element *own = xml_child(element, "logFile");
    const struct xml_element *inherited = xml_child(config->defaults, "logFile");
    const char *sub_folder = survey_text(config->survey, "W3SVC%u", site->id);
    const struct fact folder = setting(config, own, inherited, "directory", usual_log_folder);
    const struct fact rollover = setting(config, own, inherited, "localTimeRollover", NULL);

    site->log_folder = folder_setting(config, folder, sub_folder);
    site->log_format = setting(config, own, inherited, "logFormat", "W3C");
    site->log_fields = setting(config, own, inherited, "logExtFileFlags", usual_fields);
    site->log_period = setting(config, own, inherited, "period", "Daily");
    site->log_enabled = setting(config, own, inherited, "enabled", "true");
    site->local_time_rollover = is_true(rollover.value);
    read_custom_fields(config, inherited, site);
    read_custom_fields(config, own, site);
    if (!is_true(site->log_enabled.value))
        survey_notice(config->survey, "IIS does not log the requests to site %u '%s' (%s)",
                      site->id, site->name ? site->name : "", site->log_enabled.source);
}

static void read_site(struct config *config, const struct xml_element *element)
{
    struct host *host = config->survey->host;
    const char *id_text = xml_attribute(element, "id");
    uint64_t id = 0;

    if (!slice_to_u64(slice_of_text(id_text), &id) || id > UINT32_MAX) {
        survey_notice(config->survey, "%s: a site without a usable id was passed over",
                      source_of(config, element));
        return;
    }
    if (host->site_count >= SITES_MOST) {
        survey_notice(config->survey, "%s: sites past the first %d were left out", config->path,
                      SITES_MOST);
        return;
    }
    struct site *sites = survey_grow(config->survey, host->sites, host->site_count, sizeof *sites);
    if (!sites)
        return;
    host->sites = sites;
    struct site *site = &sites[host->site_count++];
    *site = (struct site){.id = (uint32_t)id, .name = attribute(config, element, "name")};
    read_bindings(config, element, site);
    read_directories(config, element, site);
    read_log(config, element, site);
}

/* FTP logs of a site have settings of their own; they are kept as further facts. */
static void read_ftp_log(struct config *config, const struct xml_element *element)
{
    static const char usual_folder[] = "%SystemDrive%\\inetpub\\logs\\LogFiles";
    const struct xml_element *ftp = xml_child(element, "ftpServer");
    const char *id = xml_attribute(element, "id");

    if (!ftp || !id)
        return;
    const struct fact folder =
        setting(config, xml_child(ftp, "logFile"), xml_find(config->defaults, "ftpServer/logFile"),
                "directory", usual_folder);
    survey_more(config->survey, "FTP log folder",
                folder_setting(config, folder, survey_text(config->survey, "FTPSVC%s", id)));
}

static void read_sites(struct config *config, const struct xml_element *sites)
{
    const struct xml_element *site = xml_child(sites, "site");

    config->defaults = xml_child(sites, "siteDefaults");
    for (; site; site = xml_again(site)) {
        read_site(config, site);
        read_ftp_log(config, site);
    }
}

/* One log for all sites: the folder of the kind that is switched on. */
static void read_central_log(struct config *config, const struct xml_element *log)
{
    static const struct {
        const char *mode, *element;
    } kinds[] = {{"CentralW3C", "centralW3CLogFile"}, {"CentralBinary", "centralBinaryLogFile"}};
    const char *mode = attribute(config, log, "centralLogFileMode");

    for (size_t i = 0; mode && i < 2; i++) {
        if (!slice_is_nocase(slice_of_text(mode), kinds[i].mode))
            continue;
        const struct fact folder =
            setting(config, xml_child(log, kinds[i].element), NULL, "directory", usual_log_folder);
        config->survey->host->central_log = folder_setting(config, folder, "W3SVC");
        survey_more(config->survey, "IIS central logging",
                    (struct fact){mode, source_of(config, log), false});
    }
}

/* Path of the <location> that holds the element; "" stands for all. */
static const char *location_of(const struct xml_element *at)
{
    while (at && strcmp(at->name, "location") != 0)
        at = at->parent;
    const char *path = xml_attribute(at, "path");
    return path ? path : "";
}

/* Settings that stand in another file are not followed; requests that leave no line are told. */
static void tell_gaps(struct config *config)
{
    const struct xml_element *at = config->document.root;

    for (; at; at = xml_walk(config->document.root, at)) {
        const char *other = xml_attribute(at, "configSource");
        if (strcmp(at->name, "httpLogging") == 0 && is_true(xml_attribute(at, "dontLog")))
            survey_notice(config->survey, "%s: requests below '%s' are not logged",
                          source_of(config, at), location_of(at));
        if (other)
            survey_notice(config->survey, "%s: <%s> is kept in '%s', which was not read",
                          source_of(config, at), at->name, other);
    }
}

static void read_config(struct config *config)
{
    const struct xml_element *root = config->document.root, *at = root;
    struct host *host = config->survey->host;

    /* In a damaged file the elements may stand deeper than they should. */
    for (; at; at = xml_walk(root, at)) {
        const bool in_place =
            at->parent && (strcmp(at->parent->name, "system.applicationHost") == 0);
        if (in_place && strcmp(at->name, "sites") == 0)
            read_sites(config, at);
        else if (in_place && strcmp(at->name, "log") == 0)
            read_central_log(config, at);
    }
    tell_gaps(config);
    if (config->document.problem)
        survey_notice(config->survey,
                      "%s: line %u: %s; what could be read nevertheless was used (%zu sites)",
                      config->path, config->document.problem_line, config->document.problem,
                      host->site_count);
    else if (host->site_count == 0)
        survey_notice(config->survey, "%s names no site", config->path);
}

/* Reads the file at config->path. */
static bool parse(struct config *config, const char *path)
{
    struct survey *survey = config->survey;
    struct slice bytes;

    config->path = survey_windows_path(survey, survey->windows_volume, path);
    if (!survey_load(survey, survey->windows_volume, path, CONFIG_SIZE_MOST, &bytes))
        return false;
    if (xml_parse(bytes, config->memory, &config->document) == 0)
        return true;
    survey_notice(survey, "%s cannot be used: %s", config->path, error_text());
    return false;
}

/* redirection.config can send IIS to a shared configuration elsewhere. */
static void tell_redirection(struct config *config, const char *folder)
{
    if (!parse(config, survey_text(config->survey, "%s/redirection.config", folder)))
        return;
    const struct xml_element *at =
        xml_descendant(config->document.root, "configurationRedirection");
    const char *target = xml_attribute(at, "path");
    if (target && is_true(xml_attribute(at, "enabled")))
        survey_notice(config->survey,
                      "%s sends IIS to the shared configuration in '%s', which was not read",
                      config->path, target);
}

/* What IIS has after its installation. */
static void assume_site(struct survey *survey)
{
    static const char root[] = "%SystemDrive%\\inetpub\\wwwroot";
    struct host *host = survey->host;
    struct config config = {.survey = survey, .path = ""};
    struct site *site = arena_take(survey->arena, sizeof *site);
    struct virtual_directory *directory = arena_take(survey->arena, sizeof *directory);

    if (!site || !directory) {
        survey->failed = true;
        return;
    }
    *directory =
        (struct virtual_directory){"/", "/", expanded(survey, root), {root, schema_default, true}};
    *site = (struct site){.id = 1, .name = "Default Web Site", .directories = directory};
    site->directory_count = 1;
    read_log(&config, NULL, site);
    host->sites = site;
    host->site_count = 1;
}

void survey_iis(struct survey *survey)
{
    struct config config = {.survey = survey};
    const char *folder;

    if (!survey->windows_found)
        return;
    config.memory = arena_new(CONFIG_MEMORY);
    if (!config.memory) {
        survey->failed = true;
        return;
    }
    folder = survey_text(survey, "%s/System32/inetsrv/config", survey->windows_folder);
    if (parse(&config, survey_text(survey, "%s/applicationHost.config", folder)))
        read_config(&config);
    else
        survey_notice(survey, "%s was not read: the defaults of IIS are assumed", config.path);
    tell_redirection(&config, folder);
    if (survey->host->site_count == 0)
        assume_site(survey);
    arena_free(config.memory);
}
