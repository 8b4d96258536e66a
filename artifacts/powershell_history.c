/*
 * ConsoleHost_history.txt, PSReadLine's history of what each user typed into PowerShell: a command
 * a line; one of several lines has a backtick at the end of all but its last. Nothing is dated: the
 * file's own times, which bound the first and the last command, are values of each. Source:
 * Microsoft's documentation of PSReadLine.
 */
#include "artifacts/powershell_text.h"

struct history {
    struct job *job;
    char created[INSTANT_TEXT_SIZE], modified[INSTANT_TEXT_SIZE];
};

static bool goes_on(struct slice line)
{
    return line.size && line.data[line.size - 1] == '`';
}

static void take_record(void *context, const struct text_record *record)
{
    struct history *history = context;
    struct entry entry;

    text_entry_begin(&entry, history->job, KIND_powershell_command, record);
    text_undated(&entry);
    entry_add_slice(&entry, "AccountName", powershell_owner(history->job->file->path));
    powershell_command(&entry, record->text);
    entry_add(&entry, "FileCreated", history->created);
    entry_add(&entry, "FileModified", history->modified);
    entry_emit(&entry);
}

static int parse(struct job *job)
{
    static const struct text_format format = {.goes_on = goes_on, .record = take_record};
    struct history history = {.job = job};

    instant_format(file_appeared(job->file), history.created);
    instant_format(job->file->si.modified, history.modified);
    return text_file_read(job, &format, &history);
}

static bool recognise(struct slice head, const char *name)
{
    (void)head;
    return slice_is_nocase(slice_of_text(name), "ConsoleHost_history.txt");
}

static const char *const paths[] = {"**/PSReadLine/*_history.txt", "**/ConsoleHost_history.txt",
                                    NULL};
static const struct log_source sources[] = {
    {NULL, "windows", "powershell-history"}, {"ps_script", "windows", NULL}, {NULL, NULL, NULL}};

extern const struct artifact artifact_powershell_history;
const struct artifact artifact_powershell_history = {
    .name = "powershell_history",
    .title = "PowerShell histories",
    .paths = paths,
    .sources = sources,
    .keep = true,
    .deleted = true,
    .recognise = recognise,
    .parse = parse,
};
