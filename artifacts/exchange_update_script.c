/*
 * Logs of the scripts that an Exchange update runs, in ExchangeSetupLogs: ServiceControl.log stops
 * and starts the services, UpdateCas.log and UpdateConfigFiles.log bring web pages and web.config
 * files to the new build. "[20:35:17] text", local time; the day stands in "* UpdateCas.ps1: DATE",
 * in the order of the country. An update whose scripts left no log, or an error in it, may have
 * been registered without having worked. The generated Install-*.ps1 are told as files. Source:
 * Microsoft's published notes on failed security updates; the script's own log function.
 */
#include "artifacts/local_log.h"

static const struct setup_words telling[] = {
    {".ps1:", false, "script started", {{"Name", "* ", ":"}}},
    {"[Error]", false, "error", {{"Error", "[Error]", ""}}},
    {"Exception", false, "error", {{"Error", "] ", ""}}},
    {"failed", false, "error", {{"Error", "] ", ""}}},
    {"could not", false, "error", {{"Error", "] ", ""}}},
    {"Cannot", false, "error", {{"Error", "] ", ""}}},
    {"to version", false, "version", {{"ProductVersion", "to version ", ""}}},
    {"BeforePatch", false, "services before the update", {{0}}},
    {"AfterPatch", false, "services after the update", {{0}}},
    {"Disabling services", false, "services disabled", {{0}}},
    {"Enabling services", false, "services enabled", {{0}}},
    {"Updating OWA", false, "pages updated", {{0}}},
    {"Updating ECP", false, "pages updated", {{0}}},
    {"done.", false, "script done", {{0}}},
    {"finished", false, "script done", {{0}}},
    {0},
};

struct update_script {
    struct job *job;
    struct setup_facts facts;
    struct local_log time;
};

static bool starts(struct slice line)
{
    int64_t ticks;

    return line.size && line.data[0] == '[' && setup_clock_read(slice_from(line, 1), &ticks);
}

/* "* UpdateCas.ps1: 3/2/2021 8:35:17 PM" */
static void read_day(struct update_script *script, const struct text_record *record)
{
    struct slice date;

    if (text_between(record->text, ".ps1: ", "", &date) && date.size && date.data[0] >= '0' &&
        date.data[0] <= '9')
        local_log_day(&script->time, script->job, record->offset, date);
}

static void take_record(void *context, const struct text_record *record)
{
    struct update_script *script = context;
    struct entry entry;
    const struct slice line = text_first_line(record->text);

    text_entry_begin(&entry, script->job, KIND_exchange_setup, record);
    read_day(script, record);
    entry_add_slice(&entry, "Message", record->text);
    if (record->first_line) {
        const struct setup_words *row = setup_words_find(telling, line);
        local_log_time(&script->time, &entry, slice_from(record->text, 1));
        if (row)
            setup_words_tell(&entry, row, line, &script->facts);
    } else {
        text_undated(&entry);
        text_entry_reject(&entry, "a line without a time");
    }
    entry_emit(&entry);
}

static void tell_file(struct job *job)
{
    struct entry entry;

    entry_begin(&entry, job, KIND_exchange_setup);
    entry_time(&entry, file_appeared(job->file));
    entry_add(&entry, "Step", "script left");
    entry.event.marks |= EVENT_FACT;
    entry_emit(&entry);
}

static int parse(struct job *job)
{
    static const struct text_format format = {.starts = starts, .record = take_record};
    struct update_script script = {.job = job, .time.clock = -1};

    if (slice_ends_nocase(slice_of_text(job->file->path), ".ps1")) {
        tell_file(job);
        return 0;
    }
    return text_file_read(job, &format, &script);
}

static bool recognise(struct slice head, const char *name)
{
    const struct slice file = slice_of_text(name);

    return starts(head) &&
           (slice_starts_nocase(file, "ServiceControl") || slice_starts_nocase(file, "UpdateCas") ||
            slice_starts_nocase(file, "UpdateOwa") ||
            slice_starts_nocase(file, "UpdateConfigFiles"));
}

static const char *const paths[] = {"**/ExchangeSetupLogs/**/ServiceControl*.log",
                                    "**/ExchangeSetupLogs/**/Update*.log",
                                    "**/ExchangeSetupLogs/**/Install-*.ps1", NULL};
static const struct log_source sources[] = {{NULL, "exchange", "update-script"},
                                            {NULL, NULL, NULL}};

extern const struct artifact artifact_exchange_update_script;
const struct artifact artifact_exchange_update_script = {
    .name = "exchange_update_script",
    .title = "Logs of the scripts of Exchange updates",
    .paths = paths,
    .sources = sources,
    .keep = true,
    .deleted = true,
    .recognise = recognise,
    .parse = parse,
};
