/*
 * Logs of Windows Installer: ExchangeSetup.msilog, and those of updates (.msp) in temporary folders
 * and in Exchange's Logging/Update. Each line is a record; "MSI (s) (B4:20) [15:56:08:409]: " has
 * the clock, local time, the day stands in "=== Verbose logging started: 3/2/2021  20:33:55".
 * Whether files were replaced is what these logs tell best. Source: Microsoft's documentation of
 * msiexec /l and published logs.
 */
#include "artifacts/local_log.h"

#include <string.h>

/* "Product Name: X. Product Version: Y. Product Language: ..." */
#define PRODUCT_VALUES                                                                             \
    {                                                                                              \
        {"Product", "Product Name: ", ". Product Version"},                                        \
            {"ProductVersion", "Product Version: ", ". Product Language"},                         \
            {"UpdateName", "Update Name: ", ". "}, {"ErrorCode", "error status: ", ""},            \
    }

static const struct setup_words telling[] = {
    {"=== Verbose logging started:",
     true,
     "installer log started",
     {{"CommandLine", "Calling process: ", " ==="}}},
    {"=== Logging started:",
     true,
     "installer log started",
     {{"CommandLine", "Calling process: ", " ==="}}},
    {"=== Verbose logging stopped:", true, "installer log ended", {{0}}},
    {"=== Logging stopped:", true, "installer log ended", {{0}}},
    {"******* Product:", false, "package", {{"Package", "Product:", ""}}},
    {"******* CommandLine:", false, "command", {{"CommandLine", "CommandLine:", ""}}},
    {"Windows Installer installed the product.", false, "product installed", PRODUCT_VALUES},
    {"Windows Installer reconfigured the product.", false, "product updated", PRODUCT_VALUES},
    {"Windows Installer removed the product.", false, "product removed", PRODUCT_VALUES},
    {"Windows Installer installed an update.", false, "update installed", PRODUCT_VALUES},
    {"Windows Installer removed an update.", false, "update removed", PRODUCT_VALUES},
    {"Windows Installer requires a system restart", false, "restart needed", PRODUCT_VALUES},
    {"could not be installed. Error code",
     false,
     "update failed",
     {{"Product", "Product: ", " - "},
      {"UpdateName", "Update '", "'"},
      {"ErrorCode", "Error code ", "."}}},
    {"' installed successfully",
     false,
     "update installed",
     {{"Product", "Product: ", " - "}, {"UpdateName", "Update '", "'"}}},
    {"-- Configuration failed", false, "update failed", {{"Product", "Product: ", " --"}}},
    {"-- Installation failed", false, "installation failed", {{"Product", "Product: ", " --"}}},
    {"-- Configuration completed successfully",
     false,
     "product updated",
     {{"Product", "Product: ", " --"}}},
    {"-- Installation completed successfully",
     false,
     "product installed",
     {{"Product", "Product: ", " --"}}},
    {"MainEngineThread is returning", false, "result", {{"ErrorCode", "returning ", ""}}},
    {"but will be translated to success",
     false,
     "error passed over",
     {{"Name", "CustomAction ", " returned"}, {"ErrorCode", "error code ", " "}}},
    {"returned actual error code",
     false,
     "custom action failed",
     {{"Name", "CustomAction ", " returned"}, {"ErrorCode", "error code ", " "}}},
    {"CAQuietExec:  Error", true, "error", {{"Error", "CAQuietExec:  ", ""}}},
    {"is being held in use",
     false,
     "file in use",
     {{"FileInUse", "The file ", " is being held"}, {"ProcessName", "process: Name: ", ","}}},
    {"holds file[s] in use", false, "file in use", {{"ProcessName", "friendly name '", "'"}}},
    {"Existing file is a higher version",
     false,
     "file not replaced",
     {{"FileInUse", "File: ", ";"}}},
    {"will be replaced on reboot", false, "file waits for restart", {{"FileInUse", "File: ", ";"}}},
    {"scheduled for replacement on reboot", false, "file waits for restart", {{0}}},
    {"must be replaced on reboot", false, "file waits for restart", {{0}}},
    {"User policy value 'DisableMsi", false, "installer policy", {{0}}},
    {"Error 1", true, "error", {{"Error", "Error ", ""}}},
    {"Error 2", true, "error", {{"Error", "Error ", ""}}},
    {"Error 3", true, "error", {{"Error", "Error ", ""}}},
    {0},
};

struct msi_log {
    struct job *job;
    struct setup_facts facts;
    struct local_log time;
};

/* Where the clock stands in a line; the line itself when it has none. */
static struct slice clock_of(struct slice line, struct slice *date)
{
    const size_t bracket = slice_find(slice_part(line, 0, 32), 0, '[');
    struct slice part;

    *date = slice_of(NULL, 0);
    if (slice_starts(line, "MSI (") && bracket != SIZE_MAX)
        return slice_from(line, bracket + 1);
    if (slice_starts(line, "=== ") && text_between(line, "logging started: ", "  ", &part)) {
        *date = part;
        return slice_trim(slice_from(line, (size_t)(part.data - line.data) + part.size));
    }
    if (slice_starts(line, "Action ") && text_between(line, "Action ", ": ", &part)) {
        const size_t blank = slice_find(part, 0, ' ');
        return blank == SIZE_MAX ? part : slice_trim(slice_from(part, blank));
    }
    return slice_of(NULL, 0);
}

static const char *level_of(struct slice line)
{
    if (slice_starts(line, "Error ") || text_holds(line, "Return value 3."))
        return "error";
    return slice_starts(line, "Warning ") ? "warning" : NULL;
}

static void take_record(void *context, const struct text_record *record)
{
    struct msi_log *log = context;
    struct entry entry;
    struct slice date;
    const struct slice clock = clock_of(record->text, &date);
    const struct setup_words *row = setup_words_find(telling, record->text);

    text_entry_begin(&entry, log->job, KIND_exchange_setup, record);
    if (date.size)
        local_log_day(&log->time, log->job, record->offset, date);
    local_log_time(&log->time, &entry, clock);
    entry_add_slice(&entry, "Message", record->text);
    entry_add(&entry, "Level", level_of(record->text));
    if (row)
        setup_words_tell(&entry, row, record->text, &log->facts);
    entry_emit(&entry);
}

static int parse(struct job *job)
{
    static const struct text_format format = {.record = take_record};
    struct msi_log log = {.job = job, .time.clock = -1};

    return text_file_read(job, &format, &log);
}

/* In UTF-16 as msiexec writes it, or in the code page. */
static bool recognise(struct slice head, const char *name)
{
    static const uint8_t wide[] = {0xff, 0xfe, '=', 0, '=', 0, '=', 0, ' ', 0, 'V', 0};

    (void)name;
    return slice_starts(head, "=== Verbose logging started: ") ||
           slice_starts(head, "=== Logging started: ") ||
           (head.size >= sizeof wide && memcmp(head.data, wide, sizeof wide) == 0);
}

static const char *const paths[] = {"**/*.msilog",
                                    "**/ExchangeSetupLogs/**/*.msi*.log",
                                    "**/Temp/**/MSI*.log",
                                    "**/Temp/**/*.msp*.log",
                                    "**/Temp/**/*KB*.log",
                                    "**/Temp/**/Patch*.log",
                                    "{exchange_logging}/Update/**/*.log",
                                    NULL};
static const struct log_source sources[] = {{NULL, "windows", "msi-log"}, {NULL, NULL, NULL}};

extern const struct artifact artifact_msi_log;
const struct artifact artifact_msi_log = {
    .name = "msi_log",
    .title = "Logs of Windows Installer",
    .paths = paths,
    .sources = sources,
    .deleted = true,
    .recognise = recognise,
    .parse = parse,
};
