/*
 * MPLog-*.log, the support log of Microsoft Defender: detections, command lines that it found odd,
 * processes that it watched, files it asked the cloud about. It outlives the event log. A record is
 * a line that begins with a UTC time, or a block ("Begin Resource Scan" and others), whose own time
 * is local. Source: artefacts.help (windows_defender_support_logs) and Microsoft's notes on MPLog.
 *
 * A command line that Defender reports is one of a process that ran: it is told under Sigma's
 * process_creation too.
 */
#include "artifacts/setup_words.h"

#include <string.h>

enum { NO_THREAT = 0 };

struct telling {
    struct setup_words words;
    unsigned threat; /* which word of the line, from 0, names the threat; NO_THREAT: none does */
    bool fact;
};

/* Of lines; the first that fits is taken. */
static const struct telling lines[] = {
    {{"DETECTION_ADD", true, "detection", {{0}}}, 1, true},
    {{"DETECTIONEVENT", true, "detection", {{0}}}, 2, true},
    {{"DETECTION_CLEANEVENT", true, "cleaned", {{0}}}, 4, true},
    {{"DETECTION ", true, "detection", {{0}}}, 1, true},
    {{"Engine VFZ block:", false, "blocked", {{"Path", "block: ", ". status"}}}, NO_THREAT, true},
    {{"Engine:EMS detection:",
      true,
      "detection in memory",
      {{"Threat Name", "detection: ", ","}, {"ProcessId", "pid=", ""}}},
     NO_THREAT,
     true},
    {{"Engine:EMS scan for process",
      true,
      "memory scanned",
      {{"Process Name", "process: ", " pid"}}},
     NO_THREAT,
     false},
    {{"Engine:command line reported as", true, "command line", {{"Level", "reported as ", ":"}}},
     NO_THREAT,
     false},
    {{"ProcessImageName:",
      true,
      "process",
      {{"Process Name", "ProcessImageName: ", ","},
       {"ProcessId", "Pid: ", ","},
       {"Path", "MaxTimeFile: ", ", EstimatedImpact"}}},
     NO_THREAT,
     false},
    {{"[Mini-filter] Blocked file",
      false,
      "blocked",
      {{"Path", "): ", ". Process:"}, {"Process Name", "Process: ", ", Status"}}},
     NO_THREAT,
     true},
    {{"SDN:Issuing SDN query for",
      true,
      "asked the cloud",
      {{"Path", "query for ", " ("}, {"SHA1", "sha1=", ","}, {"SHA256", "sha2=", ")"}}},
     NO_THREAT,
     false},
    {{"Engine:Setting original file name",
      true,
      "renamed file",
      {{"OriginalFileName", "name \"", "\" for"}, {"Path", "for \"", "\""}}},
     NO_THREAT,
     false},
    {{"Filter caching disabled for",
      true,
      "file watched",
      {{"Path", "disabled for ", " (runtime"}}},
     NO_THREAT,
     false},
    {{"excluded from scanning", false, "excluded", {{"Path", "volume ", " excluded"}}},
     NO_THREAT,
     false},
    {{"subtype=Lowfi", false, "weak signature", {{0}}}, NO_THREAT, false},
    {{0}, NO_THREAT, false},
};

/* Of blocks, by their first line. */
static const struct telling blocks[] = {
    {{"Begin Resource Scan",
      true,
      "scan",
      {{"Threat Name", "Threat Name:", "\n"}, {"Path", "Resource Path:", "\n"}}},
     NO_THREAT,
     false},
    {{"Beginning threat actions",
      true,
      "threat action",
      {{"Threat Name", "Threat Name:", "\n"},
       {"Path", "\nPath:", "\n"},
       {"Action Name", "\nAction:", "\n"},
       {"SHA1", "SHA1:", "\n"},
       {"Owner", "File owner:", "\n"}}},
     NO_THREAT,
     true},
    {{"BEGIN BM telemetry",
      true,
      "behaviour",
      {{"Process Name", "ImagePath:", "\n"},
       {"ProcessId", "ProcessID:", "\n"},
       {"Parents", "Parents: ", "\n"}}},
     NO_THREAT,
     false},
    {{"****************************RTP Perf Log",
      true,
      "state",
      {{"Path", "Path Exclusions:", "Ext Exclusions:"},
       {"Process Name", "Process Exclusions:", "Path Exclusions:"},
       {"Extension", "Ext Exclusions:", "Worker"}}},
     NO_THREAT,
     false},
    {{0}, NO_THREAT, false},
};

static const struct log_source sources[] = {{NULL, "windows", "mplog"}, {NULL, NULL, NULL}};
static const struct log_source process_sources[] = {
    {NULL, "windows", "mplog"}, {"process_creation", "windows", NULL}, {NULL, NULL, NULL}};

struct defender_log {
    struct job *job;
    struct setup_facts facts;
    bool told_zone;
};

/* --- time --- */

/* "2022-12-15T11:24:18.854Z " in front; newer versions leave the Z out and mean UTC too. `size`
 * counts the blank. */
static bool read_front(struct slice line, struct instant *when, size_t *size)
{
    const size_t blank = slice_find(slice_part(line, 0, 40), 0, ' ');

    if (blank == SIZE_MAX || blank < 19 || line.data[4] != '-' || line.data[10] != 'T')
        return false;
    *size = blank + 1;
    return instant_parse(slice_part(line, 0, blank), when, NULL);
}

/* "Start Time:12-15-2022 11:24:33" of a block, month first. Local time: CreationTime lies beside
 * ProcessCreationTime, a FILETIME, and differs from it by the zone. */
static struct instant block_time(struct slice text)
{
    static const char *const names[] = {"Start Time:", "CreationTime:"};
    struct slice part = {0};
    struct civil civil = {0};

    for (size_t i = 0; i < 2 && !part.size; i++) {
        const size_t at =
            slice_find_nocase(text, 0, slice_of_text(i ? "\nCreationTime:" : names[0]));
        if (at != SIZE_MAX)
            text_between(slice_from(text, at), names[i], "\n", &part);
    }
    size_t at = 0;
    if (part.size < 19 || !text_number(part, &at, 2, 2, &civil.month) || part.data[at++] != '-' ||
        !text_number(part, &at, 2, 2, &civil.day) || part.data[at++] != '-' ||
        !text_number(part, &at, 4, 4, &civil.year) || part.data[at++] != ' ' ||
        !text_number(part, &at, 2, 2, &civil.hour) || part.data[at++] != ':' ||
        !text_number(part, &at, 2, 2, &civil.minute) || part.data[at++] != ':' ||
        !text_number(part, &at, 2, 2, &civil.second))
        return INSTANT_NONE;
    return instant_from_civil(civil);
}

/* --- records --- */

static const struct telling *find(const struct telling *table, struct slice text)
{
    for (; table->words.words; table++)
        if (table->words.front ? slice_starts_nocase(text, table->words.words)
                               : text_holds(text, table->words.words))
            return table;
    return NULL;
}

static bool starts(struct slice line)
{
    struct instant when;
    size_t size;

    return read_front(line, &when, &size) || find(blocks, line);
}

/* The word of that number, and where it ends. */
static struct slice word_at(struct slice text, unsigned number, size_t *end)
{
    size_t at = 0;

    for (;; number--) {
        while (at < text.size && text.data[at] == ' ')
            at++;
        size_t stop = slice_find(text, at, ' ');
        stop = stop == SIZE_MAX ? text.size : stop;
        *end = stop;
        if (number == 0 || stop == text.size)
            return number == 0 ? slice_part(text, at, stop - at) : slice_of(NULL, 0);
        at = stop;
    }
}

/* "THREAT file:C:\x.aspx PropBag [...]" or "THREAT file:C:\x.aspx;" */
static void add_threat(struct entry *entry, struct slice text, unsigned number)
{
    size_t end;
    const struct slice threat = word_at(text, number, &end);
    const size_t bag = slice_find_nocase(text, end, SLICE_LITERAL(" PropBag "));
    struct slice path = slice_part(text, end, (bag == SIZE_MAX ? text.size : bag) - end);

    path = slice_trim(text_first_line(path));
    while (path.size && path.data[path.size - 1] == ';')
        path.size--;
    entry_add_slice(entry, "Threat Name", threat);
    entry_add_slice(entry, "Path", path);
}

/* "lowfi: C:\Windows\System32\reg.exe(reg add ...)" */
static void add_command(struct entry *entry, struct slice text)
{
    struct slice whole;

    if (!text_between(text, "reported as ", "", &whole) || slice_find(whole, 0, ':') == SIZE_MAX)
        return;
    whole = slice_trim(slice_from(whole, slice_find(whole, 0, ':') + 1));
    const size_t open = slice_find(whole, 0, '(');
    if (open == SIZE_MAX || !whole.size || whole.data[whole.size - 1] != ')') {
        entry_add_slice(entry, "CommandLine", whole);
    } else {
        entry_add_slice(entry, "Image", slice_trim(slice_part(whole, 0, open)));
        entry_add_slice(entry, "CommandLine", slice_part(whole, open + 1, whole.size - open - 2));
    }
    entry->event.sources = process_sources;
}

static void tell(struct defender_log *log, struct entry *entry, const struct telling *row,
                 struct slice text)
{
    struct slice value;

    if (!row)
        return;
    if (row->fact)
        setup_words_tell(entry, &(struct setup_words){.step = row->words.step}, text, &log->facts);
    else
        entry_add(entry, "Step", row->words.step);
    for (size_t i = 0; i < SETUP_VALUES && row->words.values[i].name; i++)
        if (text_between(text, row->words.values[i].before, row->words.values[i].after, &value))
            entry_add_slice(entry, row->words.values[i].name, value);
    if (row->threat != NO_THREAT)
        add_threat(entry, text, row->threat);
    if (strcmp(row->words.step, "command line") == 0)
        add_command(entry, text);
}

static void take_record(void *context, const struct text_record *record)
{
    struct defender_log *log = context;
    struct entry entry;
    struct instant when = INSTANT_NONE;
    size_t size = 0;

    text_entry_begin(&entry, log->job, KIND_defender_log, record);
    text_undated(&entry);
    if (read_front(record->text, &when, &size)) {
        const struct slice text = slice_trim(slice_from(record->text, size));
        text_time_utc(&entry, when, slice_part(record->text, 0, size - 1));
        entry_add_slice(&entry, "Message", text);
        tell(log, &entry, find(lines, text), text);
    } else {
        entry_add_slice(&entry, "Message", record->text);
        when = block_time(record->text);
        if (instant_known(when))
            text_time_local(&entry, when, slice_of(NULL, 0), &log->told_zone);
        tell(log, &entry, find(blocks, record->text), record->text);
    }
    entry_emit(&entry);
}

static int parse(struct job *job)
{
    static const struct text_format format = {.starts = starts, .record = take_record};
    struct defender_log log = {.job = job};

    return text_file_read(job, &format, &log);
}

static bool recognise(struct slice head, const char *name)
{
    (void)head;
    return slice_starts_nocase(slice_of_text(name), "MPLog-");
}

static const char *const paths[] = {"**/Windows Defender/**/MPLog-*.log",
                                    "**/Windows Defender/**/MPLog-*.txt", NULL};

extern const struct artifact artifact_defender_log;
const struct artifact artifact_defender_log = {
    .name = "defender_log",
    .title = "Support logs of Microsoft Defender",
    .paths = paths,
    .sources = sources,
    .deleted = true,
    .recognise = recognise,
    .parse = parse,
};
