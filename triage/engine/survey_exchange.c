/* Exchange: where it is installed, which version, which roles. 2013 and later call themselves v15,
 * 2010 is v14. */
#include "triage/base/error.h"
#include "triage/engine/survey_parts.h"
#include "triage/formats/pe.h"

#include <stdio.h>
#include <string.h>

enum { ROLES_MOST = 256, FIRST_SUBSCRIPTION_BUILD = 2562 };

static const uint64_t SETUP_CEILING = 64 * 1024 * 1024;

static const struct generation {
    const char *key, *usual_path;
} generations[] = {
    {"Microsoft\\ExchangeServer\\v15", "Program Files/Microsoft/Exchange Server/V15"},
    {"Microsoft\\ExchangeServer\\v14", "Program Files/Microsoft/Exchange Server/V14"},
};

enum { GENERATIONS = sizeof generations / sizeof generations[0] };

/* Registry first, then the environment. */
static const struct generation *find_in_registry(struct survey *survey)
{
    const char *environment = survey_control_key(survey, "Control\\Session Manager\\Environment");
    struct fact *path = &survey->host->exchange_path;

    for (size_t i = 0; i < GENERATIONS; i++) {
        const char *setup = survey_text(survey, "%s\\Setup", generations[i].key);
        if (survey_registry_text(survey, &survey->software, setup, "MsiInstallPath", path))
            return &generations[i];
    }
    survey_registry_text(survey, &survey->system, environment, "ExchangeInstallPath", path);
    return NULL;
}

/* The usual folder on any volume. */
static bool find_usual_folder(struct survey *survey)
{
    for (uint32_t volume = 0; volume < evidence_volume_count(survey->evidence); volume++) {
        for (size_t i = 0; i < GENERATIONS; i++) {
            const char *path = generations[i].usual_path;
            if (evidence_volume(survey->evidence, volume)->problem ||
                !survey_exists(survey, volume, path))
                continue;
            survey->host->exchange_path = (struct fact){survey_windows_path(survey, volume, path),
                                                        "assumed: the usual folder is there", true};
            return true;
        }
    }
    return false;
}

/* "15.1.2106.2" from the four numbers that setup leaves; the revision is that of the cumulative
 * update. */
static bool read_registered_version(struct survey *survey, const struct generation *generation,
                                    struct fact *version)
{
    static const char *const names[] = {"MsiProductMajor", "MsiProductMinor", "MsiBuildMajor",
                                        "MsiBuildMinor"};
    const char *setup = survey_text(survey, "%s\\Setup", generation->key);
    unsigned parts[4];

    for (size_t i = 0; i < 4; i++) {
        uint64_t number;
        if (!survey_registry_number(survey, &survey->software, setup, names[i], &number, version))
            return false;
        parts[i] = (unsigned)number;
    }
    version->value = survey_text(survey, "%u.%u.%u.%u", parts[0], parts[1], parts[2], parts[3]);
    version->source = survey_text(survey, "%s: %s\\MsiProductMajor ... MsiBuildMinor",
                                  survey->software.path, setup);
    return true;
}

static void read_roles(struct survey *survey, const struct generation *generation)
{
    struct hive *hive = survey->software.hive;
    struct host *host = survey->host;
    struct hive_key parent, key;

    if (!hive || !hive_find(hive, NULL, generation->key, &parent))
        return;
    struct hive_subkeys subkeys = hive_subkeys(hive, &parent);
    for (size_t i = 0; i < ROLES_MOST && hive_next_subkey(&subkeys, &key); i++) {
        const char *name = survey_name(survey, key.name);
        const char *path = survey_text(survey, "%s\\%s", generation->key, name ? name : "");
        struct fact version;
        if (!name)
            continue;
        if (!survey_registry_text(survey, &survey->software, path, "ConfiguredVersion", &version) &&
            !survey_registry_text(survey, &survey->software, path, "UnpackedVersion", &version))
            continue;
        struct named_fact *roles =
            survey_grow(survey, host->roles, host->role_count, sizeof *roles);
        if (!roles)
            return;
        roles[host->role_count++] = (struct named_fact){name, version};
        host->roles = roles;
    }
}

/* The version of Bin\ExSetup.exe: the only one that follows each security update. */
static bool read_setup_program(struct survey *survey, struct fact *version)
{
    const char *folder, *path, *text;
    char numbers[PE_VERSION_TEXT_SIZE];
    struct pe_version found;
    struct slice bytes;
    uint32_t volume;

    if (!survey_locate(survey, "the Exchange folder", survey->host->exchange_path.value, &volume,
                       &folder))
        return false;
    path = survey_text(survey, "%s/Bin/ExSetup.exe", folder);
    text = survey_windows_path(survey, volume, path);
    if (!survey_load(survey, volume, path, SETUP_CEILING, &bytes)) {
        survey_notice(
            survey,
            "%s is not there: the installed Exchange build is known from the registry at most",
            text);
        return false;
    }
    if (pe_file_version(bytes, &found) < 0) {
        survey_notice(survey, "%s tells no version: %s", text, error_text());
        return false;
    }
    version->value = survey_text(survey, "%s", pe_version_format(found, numbers));
    version->source = survey_text(survey, "%s: FILEVERSION", text);
    version->assumed = false;
    return true;
}

/* The year that Exchange is called by: 14 is 2010, 15.0 is 2013, 15.1 is 2016, 15.2 is 2019 and the
 * subscription edition. */
static const char *family_of(const char *version)
{
    unsigned major = 0, minor = 0, build = 0;

    if (sscanf(version, "%2u.%2u.%5u", &major, &minor, &build) < 2)
        return NULL;
    if (major == 14)
        return "2010";
    if (major != 15 || minor > 2)
        return NULL;
    if (minor < 2)
        return minor == 0 ? "2013" : "2016";
    return build < FIRST_SUBSCRIPTION_BUILD ? "2019" : "SE";
}

static void name_family(struct survey *survey)
{
    const struct fact *version = &survey->host->exchange_version;
    const char *family = version->value ? family_of(version->value) : NULL;

    if (family)
        survey->host->exchange_family = (struct fact){
            family, survey_text(survey, "version %s", version->value), version->assumed};
}

static void read_versions(struct survey *survey, const struct generation *generation)
{
    const char *setup = survey_text(survey, "%s\\Setup", generation->key);
    struct fact *version = &survey->host->exchange_version;
    struct fact registered, owa;

    const bool is_registered = read_registered_version(survey, generation, &registered);
    if (is_registered)
        survey_more(survey, "Exchange version in the registry", registered);
    if (survey_registry_text(survey, &survey->software, setup, "OwaVersion", &owa))
        survey_more(survey, "Exchange OwaVersion", owa);
    if (!read_setup_program(survey, version) && is_registered)
        *version = registered;
}

void survey_exchange(struct survey *survey)
{
    struct host *host = survey->host;
    const struct generation *generation = find_in_registry(survey);

    if (!host->exchange_path.value && !find_usual_folder(survey)) {
        survey_notice(survey, "no sign of Exchange was found");
        return;
    }
    if (generation) {
        read_versions(survey, generation);
        read_roles(survey, generation);
    } else {
        read_setup_program(survey, &host->exchange_version);
    }
    name_family(survey);
}
