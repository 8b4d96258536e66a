/*
 * PowerShell_transcript.HOST.CHARS.TIME.txt: what was typed and what came back. A header between
 * lines of asterisks tells start, user, machine and program; a line "PS C:\> command" or
 * "PS>command" is a command and what follows is its output. Commands have the local time of
 * "Command start time" where that is written, else that of the session's start. The words of the
 * header are in the language of Windows; times are known by their 14 digits. Source: Microsoft's
 * documentation of Start-Transcript.
 */
#include "artifacts/powershell_text.h"

#include <stdio.h>
#include <string.h>

enum { KEPT_SIZE = 512, OUTPUT_MOST = 2048 };

struct transcript {
    struct job *job;
    struct instant started;
    char time_text[16], user[KEPT_SIZE], machine[KEPT_SIZE], program[KEPT_SIZE];
    bool told_zone;
};

static bool is_rule(struct slice line)
{
    return slice_starts(line, "**********************");
}

/* The command behind the prompt: "PS C:\> whoami", "PS>whoami", "[EX01]: PS C:\> whoami". */
static bool read_prompt(struct slice line, struct slice *command)
{
    if (slice_starts(line, "[")) {
        const size_t close =
            slice_find_nocase(slice_part(line, 0, 300), 0, SLICE_LITERAL("]: PS "));
        if (close == SIZE_MAX)
            return false;
        line = slice_from(line, close + 3);
    }
    if (!slice_starts(line, "PS>") && !slice_starts(line, "PS "))
        return false;
    const size_t end = slice_find(slice_part(line, 0, 1024), 0, '>');
    if (end == SIZE_MAX)
        return false;
    *command = slice_trim(slice_from(line, end + 1));
    return true;
}

static bool starts(struct slice line)
{
    struct slice command;

    return is_rule(line) || read_prompt(line, &command);
}

/* --- header --- */

/* "20210303101519" */
static bool read_time(struct slice text, struct instant *when)
{
    struct civil civil = {0};
    size_t at = 0;

    if (text.size != 14 || !text_number(text, &at, 4, 4, &civil.year) ||
        !text_number(text, &at, 2, 2, &civil.month) || !text_number(text, &at, 2, 2, &civil.day) ||
        !text_number(text, &at, 2, 2, &civil.hour) ||
        !text_number(text, &at, 2, 2, &civil.minute) ||
        !text_number(text, &at, 2, 2, &civil.second))
        return false;
    *when = instant_from_civil(civil);
    return instant_known(*when);
}

static void keep(char *text, struct slice value)
{
    snprintf(text, KEPT_SIZE, "%.*s", (int)(value.size < KEPT_SIZE ? value.size : KEPT_SIZE - 1),
             (const char *)value.data);
}

/* A line of the header, `number` lines below that of the session's start: first the user, then whom
 * he runs as. Machine and program are known by what they hold. */
static void header_line(struct transcript *transcript, struct slice line, unsigned number)
{
    const size_t colon = slice_find(line, 0, ':');
    const struct slice value =
        colon == SIZE_MAX ? slice_of(NULL, 0) : slice_trim(slice_from(line, colon + 1));

    if (!value.size)
        return;
    if (number <= 2)
        keep(transcript->user, value);
    else if (text_holds(value, "(Microsoft Windows"))
        keep(transcript->machine, value);
    else if (text_holds(value, ".exe"))
        keep(transcript->program, value);
}

static bool header_time(struct transcript *transcript, struct slice line)
{
    const size_t colon = slice_find(line, 0, ':');
    struct instant when;

    if (colon == SIZE_MAX)
        return false;
    const struct slice value = slice_trim(slice_from(line, colon + 1));
    if (!read_time(value, &when))
        return false;
    transcript->started = when;
    memcpy(transcript->time_text, value.data, value.size);
    return true;
}

/* The time stands in the first or second line behind the asterisks, else these are no header. */
static void read_header(struct transcript *transcript, struct slice text)
{
    unsigned below = 0;

    text = slice_trim(text);
    for (size_t at = 0, count = 0; at < text.size && count < 32; count++) {
        size_t end = slice_find(text, at, '\n');
        end = end == SIZE_MAX ? text.size : end;
        const struct slice line = slice_trim(slice_part(text, at, end - at));
        if (below)
            header_line(transcript, line, below++);
        else if (header_time(transcript, line))
            below = 1;
        else if (count >= 1)
            return;
        at = end + 1;
    }
}

/* --- records --- */

/* A command goes on in lines that begin with ">>". */
static struct slice whole_command(struct slice text, struct slice command)
{
    const size_t start = (size_t)(command.data - text.data);
    size_t end = start + command.size;

    while (end + 3 <= text.size && text.data[end] == '\n' && text.data[end + 1] == '>' &&
           text.data[end + 2] == '>') {
        const size_t next = slice_find(text, end + 1, '\n');
        end = next == SIZE_MAX ? text.size : next;
    }
    return slice_part(text, start, end - start);
}

static void take_record(void *context, const struct text_record *record)
{
    struct transcript *transcript = context;
    struct entry entry;
    struct slice command = {0};
    const struct slice line = text_first_line(record->text);
    const struct slice rest = slice_from(record->text, line.size);

    if (is_rule(line))
        read_header(transcript, rest);
    text_entry_begin(&entry, transcript->job, KIND_powershell_command, record);
    text_time_local(&entry, transcript->started, slice_of_text(transcript->time_text),
                    &transcript->told_zone);
    if (read_prompt(line, &command))
        powershell_command(&entry, whole_command(record->text, command));
    entry_add(&entry, "AccountName", transcript->user);
    entry_add(&entry, "HostApplication", transcript->program);
    entry_add(&entry, "Machine", transcript->machine);
    entry_add_slice(&entry, "Output", slice_part(slice_trim(rest), 0, OUTPUT_MOST));
    entry_emit(&entry);
}

static int parse(struct job *job)
{
    static const struct text_format format = {.starts = starts, .record = take_record};
    struct transcript transcript = {.job = job};

    return text_file_read(job, &format, &transcript);
}

static bool recognise(struct slice head, const char *name)
{
    if (slice_starts(head, "\xef\xbb\xbf"))
        head = slice_from(head, 3);
    return slice_starts_nocase(slice_of_text(name), "PowerShell_transcript.") ||
           (is_rule(head) && text_holds(slice_part(head, 0, 512), "PowerShell transcript start"));
}

static const char *const paths[] = {"**/PowerShell_transcript.*.txt", NULL};
static const struct log_source sources[] = {
    {NULL, "windows", "powershell-history"}, {"ps_script", "windows", NULL}, {NULL, NULL, NULL}};

extern const struct artifact artifact_powershell_transcript;
const struct artifact artifact_powershell_transcript = {
    .name = "powershell_transcript",
    .title = "PowerShell transcripts",
    .paths = paths,
    .sources = sources,
    .keep = true,
    .deleted = true,
    .recognise = recognise,
    .parse = parse,
};
