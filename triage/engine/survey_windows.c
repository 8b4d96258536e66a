#include "triage/base/error.h"
#include "triage/engine/survey_parts.h"
#include "triage/formats/hive_log.h"

#include <string.h>

enum {
    CONTROL_SETS_MOST = 999,
    ENVIRONMENT_MOST = 256,
    NAME_SIZE_MOST = 512,
    TEXT_SIZE_MOST = 8192, /* bytes of a text that is believed */
    HIVE_WRITTEN_AT = 12,
};

static const uint64_t HIVE_CEILING = UINT64_C(1) << 30, LOG_CEILING = UINT64_C(64) << 20;
static const char *const windows_folders[] = {"Windows", "WINNT"};
static const char system_hive[] = "System32/config/SYSTEM";
static const char version_key[] = "Microsoft\\Windows NT\\CurrentVersion";

/* Registry values as facts */

static bool find_value(struct survey *survey, const struct registry_file *file, const char *key,
                       const char *name, struct hive_value *value, const char **source)
{
    struct hive_key at;

    if (!file->hive || !hive_find(file->hive, NULL, key, &at) ||
        !hive_find_value(file->hive, &at, name, value))
        return false;
    *source = survey_text(survey, "%s: %s\\%s", file->path, key, name);
    return true;
}

bool survey_registry_text(struct survey *survey, const struct registry_file *file, const char *key,
                          const char *value, struct fact *fact)
{
    struct hive_value found;
    const char *source;

    if (!find_value(survey, file, key, value, &found, &source))
        return false;
    const char *text =
        found.data_size <= TEXT_SIZE_MOST ? hive_text(file->hive, &found, survey->arena) : NULL;
    if (!text || !*text)
        return false;
    *fact = (struct fact){text, source, false};
    return true;
}

bool survey_registry_number(struct survey *survey, const struct registry_file *file,
                            const char *key, const char *value, uint64_t *number, struct fact *fact)
{
    struct hive_value found;
    const char *source;

    if (!find_value(survey, file, key, value, &found, &source) ||
        !hive_number(file->hive, &found, number))
        return false;
    *fact = (struct fact){survey_text(survey, "%llu", (unsigned long long)*number), source, false};
    return true;
}

const char *survey_name(struct survey *survey, struct hive_name name)
{
    return name.bytes.size <= NAME_SIZE_MOST ? hive_name_text(name, survey->arena) : NULL;
}

const char *survey_control_key(struct survey *survey, const char *key)
{
    return survey_text(survey, "%s\\%s", survey->control, key);
}

/* Finding Windows */

struct candidate {
    uint32_t volume;
    const char *folder;
    struct instant written; /* of its SYSTEM hive */
};

static struct instant hive_time(struct survey *survey, const struct file *file)
{
    uint8_t head[HIVE_WRITTEN_AT + 8];
    struct stream *stream = NULL;
    struct instant written = INSTANT_NONE;

    if (evidence_open_stream(survey->evidence, file, &stream) < 0)
        return INSTANT_NONE;
    if (stream_read(stream, 0, head, sizeof head) == sizeof head) {
        struct cursor c = cursor_over(slice_of(head, sizeof head), 0);
        cursor_skip(&c, HIVE_WRITTEN_AT);
        written = instant_from_filetime(cursor_u64le(&c));
    }
    stream_close(stream);
    return written;
}

static const char *candidate_text(struct survey *survey, const struct candidate *candidate)
{
    char time[INSTANT_TEXT_SIZE];

    return survey_text(survey, "volume %u \\%s (registry last written %s)", candidate->volume,
                       candidate->folder, instant_format(candidate->written, time));
}

/* Takes the newer of the two and tells of the other. */
static void consider(struct survey *survey, struct candidate *best, struct candidate other)
{
    if (best->folder) {
        const bool newer = other.written.ticks > best->written.ticks;
        const struct candidate *taken = newer ? &other : best, *left = newer ? best : &other;
        survey_notice(survey,
                      "several Windows installations: %s was taken as the newer one, %s was not",
                      candidate_text(survey, taken), candidate_text(survey, left));
        if (!newer)
            return;
    }
    *best = other;
}

static bool volume_is_readable(struct survey *survey, uint32_t volume)
{
    const struct volume *found = evidence_volume(survey->evidence, volume);

    return !found->problem;
}

static void look_for_hives(struct survey *survey, struct candidate *best)
{
    for (uint32_t volume = 0; volume < evidence_volume_count(survey->evidence); volume++) {
        for (size_t i = 0; i < sizeof windows_folders / sizeof windows_folders[0]; i++) {
            const char *path = survey_text(survey, "%s/%s", windows_folders[i], system_hive);
            struct file file;
            if (volume_is_readable(survey, volume) &&
                evidence_find(survey->evidence, volume, path, survey->arena, &file))
                consider(survey, best,
                         (struct candidate){volume, windows_folders[i], hive_time(survey, &file)});
        }
    }
}

/* Without a hive: the first volume with the folder. */
static void look_for_folders(struct survey *survey, struct candidate *best)
{
    for (uint32_t volume = 0; volume < evidence_volume_count(survey->evidence); volume++) {
        for (size_t i = 0; i < sizeof windows_folders / sizeof windows_folders[0]; i++) {
            const char *path = survey_text(survey, "%s/System32", windows_folders[i]);
            if (best->folder || !volume_is_readable(survey, volume) ||
                !survey_exists(survey, volume, path))
                continue;
            *best = (struct candidate){volume, windows_folders[i], INSTANT_NONE};
            survey_notice(survey, "volume %u has a Windows folder without a SYSTEM registry hive",
                          volume);
        }
    }
}

static bool find_windows(struct survey *survey)
{
    struct candidate best = {0};

    look_for_hives(survey, &best);
    if (!best.folder)
        look_for_folders(survey, &best);
    if (!best.folder) {
        survey_notice(survey, "no Windows folder was found: computer, time zone and drive letters "
                              "are unknown");
        return false;
    }
    survey->windows_found = true;
    survey->windows_volume = best.volume;
    survey->windows_folder = best.folder;
    return true;
}

/* Opening hives */

static void tell_state(struct survey *survey, const struct registry_file *file)
{
    const char *damage;
    uint64_t offset;
    const uint64_t count = hive_damage(file->hive, &damage, &offset);

    if (hive_is_dirty(file->hive))
        survey_notice(
            survey,
            "%s was not closed cleanly and no transaction log fits: its last changes are missing",
            file->path);
    if (count)
        survey_notice(survey, "%s is damaged in %llu places; first at offset %llu: %s", file->path,
                      (unsigned long long)count, (unsigned long long)offset, damage);
}

/* A dirty hive with what waits in its transaction logs, in a copy that has room to grow. */
static void apply_logs(struct survey *survey, const char *path, struct slice *bytes)
{
    struct slice logs[HIVE_LOGS] = {{0}};
    struct hive_replay replay;

    if (!hive_log_is_needed(*bytes))
        return;
    for (size_t i = 0; i < HIVE_LOGS; i++)
        if (!survey_load(survey, survey->windows_volume,
                         survey_text(survey, "%s.LOG%zu", path, i + 1), LOG_CEILING, &logs[i]))
            logs[i] = slice_of(NULL, 0);
    struct hive_image image = {.size = bytes->size};
    image.room = bytes->size + bytes->size / 4 + logs[0].size + logs[1].size;
    image.bytes = arena_take(survey->arena, image.room);
    if (!image.bytes || bytes->size == 0)
        return;
    memcpy(image.bytes, bytes->data, bytes->size);
    hive_log_replay(&image, logs, &replay);
    if (replay.entries)
        *bytes = slice_of(image.bytes, image.size);
}

static void open_hive(struct survey *survey, const char *name, struct registry_file *file)
{
    const char *path = survey_text(survey, "%s/System32/config/%s", survey->windows_folder, name);
    struct slice bytes;

    file->path = survey_windows_path(survey, survey->windows_volume, path);
    if (!survey_load(survey, survey->windows_volume, path, HIVE_CEILING, &bytes)) {
        survey_notice(survey, "%s was not read: what it tells is unknown or assumed", file->path);
        return;
    }
    apply_logs(survey, path, &bytes);
    if (hive_open(bytes, survey->arena, &file->hive) < 0) {
        survey_notice(survey, "%s cannot be used: %s", file->path, error_text());
        file->hive = NULL;
    }
}

/* What the hives say */

/* Windows calls its own drive by the letter that SystemRoot starts with. */
static void name_windows_drive(struct survey *survey)
{
    const struct volume *volume = evidence_volume(survey->evidence, survey->windows_volume);
    struct fact root = {0}, why = {0};
    const char hint = volume->drive_hint;

    if (survey_registry_text(survey, &survey->software, version_key, "SystemRoot", &root) &&
        root.value[0] && root.value[1] == ':') {
        survey->host->windows_root = root;
        why = (struct fact){root.value, root.source, false};
        survey_add_drive(survey, root.value[0], survey->windows_volume, why);
        return;
    }
    why.source = hint ? "the folder is named like a drive" : "assumed: the volume with Windows";
    why.assumed = !hint;
    survey_add_drive(survey, hint ? hint : 'C', survey->windows_volume, why);
    survey->host->windows_root =
        (struct fact){survey_windows_path(survey, survey->windows_volume, survey->windows_folder),
                      "assumed: where the folder was found", true};
}

static void read_control_set(struct survey *survey)
{
    uint64_t number = 0;
    struct fact fact = {0};
    struct hive_key key;

    if (!survey->system.hive) {
        survey->control = "ControlSet001";
        return;
    }
    if (survey_registry_number(survey, &survey->system, "Select", "Current", &number, &fact) &&
        number >= 1 && number <= CONTROL_SETS_MOST) {
        survey->control = survey_text(survey, "ControlSet%03u", (unsigned)number);
        fact.value = survey->control;
        survey->host->control_set = fact;
    } else {
        survey->control = "ControlSet001";
        survey->host->control_set =
            (struct fact){survey->control, "assumed: the key Select does not tell", true};
    }
    if (!hive_find(survey->system.hive, NULL, survey->control, &key))
        survey_notice(survey, "%s has no key %s", survey->system.path, survey->control);
}

static void read_names(struct survey *survey)
{
    const char *parameters = survey_control_key(survey, "Services\\Tcpip\\Parameters");
    struct host *host = survey->host;

    if (!survey_registry_text(survey, &survey->system,
                              survey_control_key(survey, "Control\\ComputerName\\ComputerName"),
                              "ComputerName", &host->computer))
        survey_registry_text(survey, &survey->system, parameters, "Hostname", &host->computer);
    if (!survey_registry_text(survey, &survey->system, parameters, "NV Domain", &host->domain))
        survey_registry_text(survey, &survey->system, parameters, "Domain", &host->domain);
}

/* "Windows Server 2019 Standard (1809)" and "17763.1817". */
static void read_version(struct survey *survey)
{
    struct fact *version = &survey->host->windows_version, *build = &survey->host->windows_build;
    struct fact release, revision;
    uint64_t number;

    if (survey_registry_text(survey, &survey->software, version_key, "ProductName", version) &&
        (survey_registry_text(survey, &survey->software, version_key, "DisplayVersion", &release) ||
         survey_registry_text(survey, &survey->software, version_key, "ReleaseId", &release)))
        version->value = survey_text(survey, "%s (%s)", version->value, release.value);
    if (!survey_registry_text(survey, &survey->software, version_key, "CurrentBuildNumber",
                              build) &&
        !survey_registry_text(survey, &survey->software, version_key, "CurrentBuild", build))
        return;
    if (survey_registry_number(survey, &survey->software, version_key, "UBR", &number, &revision))
        build->value = survey_text(survey, "%s.%s", build->value, revision.value);
}

static void add_variable(struct survey *survey, const char *name, struct fact fact)
{
    const char *with_signs = survey_text(survey, "%%%s%%", name);

    for (size_t i = 0; i < survey->host->more_count; i++)
        if (slice_is_nocase(slice_of_text(with_signs), survey->host->more[i].name))
            return;
    survey_more(survey, with_signs, fact);
}

/* What Windows itself puts in the environment, and folders that are told elsewhere in the registry.
 */
static void add_known_variables(struct survey *survey)
{
    static const struct {
        const char *name, *key, *value;
    } known[] = {
        {"ProgramFiles", "Microsoft\\Windows\\CurrentVersion", "ProgramFilesDir"},
        {"ProgramW6432", "Microsoft\\Windows\\CurrentVersion", "ProgramFilesDir"},
        {"ProgramFiles(x86)", "Microsoft\\Windows\\CurrentVersion", "ProgramFilesDir (x86)"},
        {"CommonProgramFiles", "Microsoft\\Windows\\CurrentVersion", "CommonFilesDir"},
        {"ProgramData", "Microsoft\\Windows NT\\CurrentVersion\\ProfileList", "ProgramData"},
        {"ALLUSERSPROFILE", "Microsoft\\Windows NT\\CurrentVersion\\ProfileList", "ProgramData"},
        {"PUBLIC", "Microsoft\\Windows NT\\CurrentVersion\\ProfileList", "Public"},
    };
    const struct fact *root = &survey->host->windows_root;
    const struct fact drive = {survey_text(survey, "%.2s", root->value), root->source,
                               root->assumed};

    add_variable(survey, "SystemDrive", drive);
    add_variable(survey, "SystemRoot", *root);
    add_variable(survey, "windir", *root);
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        struct fact fact;
        if (survey_registry_text(survey, &survey->software, known[i].key, known[i].value, &fact))
            add_variable(survey, known[i].name, fact);
    }
}

/* Defaults for those that the registry did not tell. */
static void add_usual_variables(struct survey *survey)
{
    static const char why[] = "assumed: the default of Windows";
    static const struct {
        const char *name, *value;
    } usual[] = {
        {"SystemDrive", "C:"},
        {"SystemRoot", "%SystemDrive%\\Windows"},
        {"windir", "%SystemRoot%"},
        {"ProgramFiles", "%SystemDrive%\\Program Files"},
        {"ProgramFiles(x86)", "%SystemDrive%\\Program Files (x86)"},
        {"ProgramData", "%SystemDrive%\\ProgramData"},
        {"ALLUSERSPROFILE", "%SystemDrive%\\ProgramData"},
        {"PUBLIC", "%SystemDrive%\\Users\\Public"},
        {"IIS_SITES_HOME", "%SystemDrive%\\inetpub\\sites"},
        {"IIS_USER_HOME", "%SystemDrive%\\inetpub\\user"},
    };

    for (size_t i = 0; i < sizeof usual / sizeof usual[0]; i++)
        add_variable(survey, usual[i].name, (struct fact){usual[i].value, why, true});
}

static void read_environment(struct survey *survey)
{
    const char *path = survey_control_key(survey, "Control\\Session Manager\\Environment");
    struct hive *hive = survey->system.hive;
    struct hive_value value;
    struct hive_key key;

    if (!hive || !hive_find(hive, NULL, path, &key))
        return;
    struct hive_values values = hive_values(hive, &key);
    for (size_t i = 0; i < ENVIRONMENT_MOST && hive_next_value(&values, &value); i++) {
        const char *name = survey_name(survey, value.name);
        const char *text =
            value.data_size <= TEXT_SIZE_MOST ? hive_text(hive, &value, survey->arena) : NULL;
        if (!name || !text || !*name)
            continue;
        const char *source = survey_text(survey, "%s: %s\\%s", survey->system.path, path, name);
        add_variable(survey, name, (struct fact){text, source, false});
    }
}

/* FILETIMEs and the like that help to judge the evidence. */
static void read_times(struct survey *survey)
{
    const char *key = survey_control_key(survey, "Control\\Windows");
    char text[INSTANT_TEXT_SIZE];
    struct hive_value value;
    const char *source;

    if (survey->system.hive)
        survey_more(
            survey, "registry last written",
            (struct fact){
                survey_text(survey, "%s", instant_format(hive_written(survey->system.hive), text)),
                survey_text(survey, "%s: base block", survey->system.path), false});
    if (!find_value(survey, &survey->system, key, "ShutdownTime", &value, &source) ||
        value.data_size != 8)
        return;
    struct cursor c = cursor_over(hive_data(survey->system.hive, &value, survey->arena), 0);
    const struct instant shutdown = instant_from_filetime(cursor_u64le(&c));
    if (!cursor_failed(&c) && instant_known(shutdown))
        survey_more(survey, "last shutdown",
                    (struct fact){survey_text(survey, "%s", instant_format(shutdown, text)), source,
                                  false});
}

/* The letter that Windows gives its own volume. */
static char windows_letter(struct survey *survey)
{
    const char hint = evidence_volume(survey->evidence, survey->windows_volume)->drive_hint;
    struct fact root;

    if (survey_registry_text(survey, &survey->software, version_key, "SystemRoot", &root) &&
        root.value[1] == ':')
        return root.value[0];
    return hint ? hint : 'C';
}

static const char *hive_path(struct survey *survey, const char *name)
{
    return survey_text(survey, "%c:\\%s\\System32\\config\\%s", windows_letter(survey),
                       survey->windows_folder, name);
}

static void read_hives(struct survey *survey)
{
    open_hive(survey, "SOFTWARE", &survey->software);
    open_hive(survey, "SYSTEM", &survey->system);
    /* From here on the drive is known and sources are told with its letter. */
    survey->software.path = hive_path(survey, "SOFTWARE");
    survey->system.path = hive_path(survey, "SYSTEM");
    name_windows_drive(survey);
    read_control_set(survey);
    survey_drives(survey);
    add_known_variables(survey);
    read_environment(survey);
    read_names(survey);
    read_version(survey);
    survey_zone(survey);
    read_times(survey);
}

void survey_windows(struct survey *survey)
{
    survey->control = "ControlSet001";
    if (find_windows(survey))
        read_hives(survey);
    else
        survey_drives(survey);
    add_usual_variables(survey);
    if (survey->system.hive)
        tell_state(survey, &survey->system);
    if (survey->software.hive)
        tell_state(survey, &survey->software);
}
