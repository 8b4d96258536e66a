/*
 * msert.log and msert.old.log of the Microsoft Safety Scanner, in the debug folder of Windows: each
 * scan with its threats and its return code. All lines of a scan have the local time of "Started
 * On Thu Feb 22 13:33:34 2024"; what stands below a threat belongs to it. A scan that found nothing
 * is no proof: the quick scan does not look everywhere. Source: public logs.
 */
#include "artifacts/setup_words.h"

#include <string.h>

static const struct setup_words telling[] = {
    {"Microsoft Safety Scanner v", true, "scanner version", {{"ProductVersion", "(build ", ")"}}},
    {"Started On ", true, "scan started", {{0}}},
    {"Microsoft Safety Scanner Finished On ", true, "scan finished", {{0}}},
    {"Threat Detected:",
     true,
     "threat",
     {{"Threat Name", "Detected: ", ","},
      {"Threat Name", "Detected: ", " and Removed"},
      {"Outcome", ", ", ""},
      {"Outcome", " and ", ""}}},
    {"Found ",
     true,
     "threat summary",
     {{"Threat Name", "Found ", ","},
      {"Threat Name", "Found ", " and Removed"},
      {"Outcome", ", ", ""},
      {"Outcome", " and ", ""}}},
    {"No infection found", true, "nothing found", {{0}}},
    {"Return code:", true, "return code", {{"ErrorCode", "code: ", " ("}}},
    {0},
};

struct scanner {
    struct job *job;
    struct setup_facts facts;
    struct instant started;
    struct slice started_text;
    char started_copy[40];
    bool told_zone;
};

/* "Thu Feb 22 13:33:34 2024" as asctime() has it. */
static struct instant read_time(struct slice text)
{
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    struct civil civil = {0};
    size_t at = 8;

    for (int i = 0; i < 12; i++)
        if (slice_equal_nocase(slice_part(text, 4, 3), slice_of(months + 3 * i, 3)))
            civil.month = i + 1;
    if (at < text.size && text.data[at] == ' ')
        at++;
    if (!civil.month || !text_number(text, &at, 1, 2, &civil.day) || at++ >= text.size ||
        !text_number(text, &at, 2, 2, &civil.hour) || at++ >= text.size ||
        !text_number(text, &at, 2, 2, &civil.minute) || at++ >= text.size ||
        !text_number(text, &at, 2, 2, &civil.second) || at++ >= text.size ||
        !text_number(text, &at, 4, 4, &civil.year))
        return INSTANT_NONE;
    return instant_from_civil(civil);
}

/* Lines that are set in belong to the line above. */
static bool starts(struct slice line)
{
    return line.size && line.data[0] != ' ' && line.data[0] != '\t' &&
           !slice_starts_nocase(line, "Action:") && !slice_starts_nocase(line, "file:") &&
           !slice_starts_nocase(line, "containerfile:") && !slice_starts_nocase(line, "SigSeq:");
}

/* The places below a threat, one after the other. */
static void add_places(struct entry *entry, struct slice text)
{
    struct slice place;

    if (text_between(text, "file://", "\n", &place) || text_between(text, "file://", "", &place))
        entry_add_slice(entry, "Path", place);
    if (text_between(text, "Action: ", ",", &place))
        entry_add_slice(entry, "Action Name", place);
}

static void note_start(struct scanner *scanner, struct slice text)
{
    struct slice part;

    if (!text_between(text, "Started On ", "", &part))
        return;
    part = slice_part(part, 0, sizeof scanner->started_copy);
    scanner->started = read_time(part);
    if (part.size)
        memcpy(scanner->started_copy, part.data, part.size);
    scanner->started_text = slice_of(scanner->started_copy, part.size);
}

static void take_record(void *context, const struct text_record *record)
{
    struct scanner *scanner = context;
    struct entry entry;
    const struct slice line = text_first_line(record->text);
    const struct setup_words *row = setup_words_find(telling, line);

    if (slice_starts_nocase(line, "Started On "))
        note_start(scanner, line);
    else if (slice_starts_nocase(line, "Microsoft Safety Scanner v"))
        scanner->started = INSTANT_NONE;
    text_entry_begin(&entry, scanner->job, KIND_safety_scanner, record);
    text_time_local(&entry, scanner->started, scanner->started_text, &scanner->told_zone);
    entry_add_slice(&entry, "Message", record->text);
    if (row)
        setup_words_tell(&entry, row, line, &scanner->facts);
    if (slice_starts_nocase(line, "Threat Detected:"))
        add_places(&entry, record->text);
    entry_emit(&entry);
}

static int parse(struct job *job)
{
    static const struct text_format format = {.starts = starts, .record = take_record};
    struct scanner scanner = {.job = job};

    return text_file_read(job, &format, &scanner);
}

static bool recognise(struct slice head, const char *name)
{
    (void)head;
    return slice_is_nocase(slice_of_text(name), "msert.log") ||
           slice_is_nocase(slice_of_text(name), "msert.old.log");
}

static const char *const paths[] = {"**/debug/msert*.log", NULL};
static const struct log_source sources[] = {{NULL, "windows", "safety-scanner"},
                                            {NULL, NULL, NULL}};

extern const struct artifact artifact_safety_scanner;
const struct artifact artifact_safety_scanner = {
    .name = "safety_scanner",
    .title = "Logs of the Microsoft Safety Scanner",
    .paths = paths,
    .sources = sources,
    .keep = true,
    .deleted = true,
    .recognise = recognise,
    .parse = parse,
};
