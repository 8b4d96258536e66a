/*
 * Microsoft's Exchange On-premises Mitigation Tool: EOMT.log ("yyyy-MM-dd HH:mm:ss Level: text",
 * local time) in a folder msert below a temporary one, and EOMTSummary.txt at the root of the
 * system drive, which has no time of its own. They tell when an administrator answered, and
 * whether the mitigation was applied, taken back or failed. Source: the script EOMT.ps1 in
 * Microsoft's CSS-Exchange.
 */
#include "artifacts/setup_words.h"

static const struct setup_words telling[] = {
    {"Starting mitigation process", false, "mitigation started", {{0}}},
    {"Mitigation complete", false, "mitigation applied", {{0}}},
    {"Rollback of", false, "mitigation rolled back", {{0}}},
    {"rollback complete", false, "mitigation rolled back", {{0}}},
    {"Rolled back", false, "mitigation rolled back", {{0}}},
    {"Mitigation failed", false, "mitigation failed", {{0}}},
    {"is not vulnerable", false, "already patched", {{0}}},
    {"already mitigated", false, "already patched", {{0}}},
    {"KB5000871", false, "update seen", {{0}}},
    {"Threats detected", false, "threats detected", {{0}}},
    {"Microsoft Safety Scanner is complete", false, "no threats", {{0}}},
    {"Running Microsoft Safety Scanner", false, "scan started", {{"Operation", "Mode: ", " on "}}},
    {"EOMT precheck", false, "checked", {{0}}},
    {"EOMT.ps1 complete", false, "completed", {{0}}},
    {"EOMT.ps1 failed", false, "failed", {{0}}},
    {"This attempt was unsuccessful", false, "failed", {{0}}},
    {"mitigation summary", false, "summary", {{0}}},
    {"Error:", false, "error", {{"Error", "Error:", ""}}},
    {0},
};

struct eomt {
    struct job *job;
    struct setup_facts facts;
    bool told_zone;
};

static bool read_front(struct slice line, struct instant *when)
{
    const struct slice text = slice_part(line, 0, 19);

    return text.size == 19 && text.data[10] == ' ' && instant_parse(text, when, NULL);
}

static bool starts(struct slice line)
{
    struct instant when;

    return read_front(line, &when);
}

static void take_record(void *context, const struct text_record *record)
{
    struct eomt *eomt = context;
    struct entry entry;
    struct instant when;
    struct slice text = record->text;
    const struct setup_words *row = setup_words_find(telling, text);

    text_entry_begin(&entry, eomt->job, KIND_eomt, record);
    if (read_front(text, &when)) {
        text_time_local(&entry, when, slice_part(text, 0, 19), &eomt->told_zone);
        text = slice_trim(slice_from(text, 19));
    }
    entry_add_slice(&entry, "Message", text);
    if (row)
        setup_words_tell(&entry, row, text, &eomt->facts);
    entry_emit(&entry);
}

static int parse(struct job *job)
{
    static const struct text_format format = {.starts = starts, .record = take_record};
    struct eomt eomt = {.job = job};

    return text_file_read(job, &format, &eomt);
}

static bool recognise(struct slice head, const char *name)
{
    (void)head;
    return slice_is_nocase(slice_of_text(name), "EOMT.log") ||
           slice_is_nocase(slice_of_text(name), "EOMTSummary.txt");
}

static const char *const paths[] = {"**/EOMT.log", "EOMTSummary.txt", "*/EOMTSummary.txt", NULL};
static const struct log_source sources[] = {{NULL, "exchange", "eomt"}, {NULL, NULL, NULL}};

extern const struct artifact artifact_eomt;
const struct artifact artifact_eomt = {
    .name = "eomt",
    .title = "Exchange On-premises Mitigation Tool",
    .paths = paths,
    .sources = sources,
    .keep = true,
    .deleted = true,
    .recognise = recognise,
    .parse = parse,
};
