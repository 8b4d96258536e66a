/*
 * Scheduled tasks: XML below System32/Tasks (UTF-16 as Windows writes it, or UTF-8) and NAME.job
 * below Windows/Tasks. One event for each action. The event's time is when the file came to its
 * place; what the task says of itself (Date, StartBoundary) is local unless it has an offset, can
 * be forged and stands in fields. Source: MS-TSCH 2.5 and the Task Scheduler schema.
 */
#include "artifacts/xml_file.h"
#include "triage/base/error.h"
#include "triage/formats/job_file.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { TRIGGERS_SIZE = 1024 };

/* What all actions of a task share. */
struct task {
    struct job *job;
    const char *name, *uri, *author, *description, *date, *run_as, *run_level, *hidden, *enabled,
        *triggers, *start;
};

static const char *last_text(const struct xml_element *from, const char *path)
{
    const struct xml_element *element = xml_find(from, path);

    return element ? element->text : "";
}

/* "\Microsoft\Windows\X": the path below the folder Tasks. */
static const char *task_name(struct job *job)
{
    const char *path = job->file->path, *name = path;

    for (const char *at = path; *at; at++)
        if (strncasecmp(at, "Tasks/", 6) == 0 && (at == path || at[-1] == '/')) {
            name = at + 6;
            break;
        }
    if (name == path)
        name = entry_last_part(path);
    char *text = arena_format(job->arena, "\\%s", name);
    for (char *c = text; c && *c; c++)
        if (*c == '/')
            *c = '\\';
    return text ? text : name;
}

/* The time in UTC as text; NULL when it cannot be told. */
static const char *utc_text(struct job *job, struct instant when, bool has_offset)
{
    char text[INSTANT_TEXT_SIZE];

    if (!has_offset)
        when = job->host ? zone_to_utc(&job->host->zone, when) : INSTANT_NONE;
    if (!instant_known(when))
        return NULL;
    return arena_text(job->arena, slice_of_text(instant_format(when, text)));
}

/* Adds the text, and under "nameUtc" the same time in UTC. */
static void add_time(struct entry *entry, const char *name, const char *name_utc, const char *text)
{
    struct instant when;
    bool has_offset;

    entry_add(entry, name, text);
    if (text && *text && instant_parse(slice_trim(slice_of_text(text)), &when, &has_offset))
        entry_add(entry, name_utc, utc_text(entry->job, when, has_offset));
}

static void add_task(struct entry *entry, const struct task *task)
{
    entry_time(entry, file_appeared(task->job->file));
    entry_add(entry, "TaskName", task->name);
    if (task->uri && strcasecmp(task->uri, task->name) != 0)
        entry_add(entry, "TaskUri", task->uri);
    entry_add(entry, "Author", task->author);
    entry_add(entry, "Description", task->description);
    add_time(entry, "Date", "DateUtc", task->date);
    entry_add(entry, "RunAs", task->run_as);
    entry_add(entry, "RunLevel", task->run_level);
    entry_add(entry, "Hidden", task->hidden);
    entry_add(entry, "Enabled", task->enabled);
    entry_add(entry, "Triggers", task->triggers);
    add_time(entry, "StartBoundary", "StartBoundaryUtc", task->start);
}

static void add_command(struct entry *entry, const char *command, const char *arguments)
{
    const bool both = *command && *arguments;

    entry_add(entry, "Command", command);
    entry_add(entry, "Arguments", arguments);
    entry_add(entry, "CommandLine",
              arena_format(entry->job->arena, "%s%s%s", command, both ? " " : "", arguments));
}

/* --- XML --- */

/* "LogonTrigger; TimeTrigger 2021-03-03T10:00:00 every PT5M". */
static const char *triggers_text(struct job *job, const struct xml_element *triggers)
{
    struct buffer text = BUFFER_EMPTY;
    const struct xml_element *at = triggers ? triggers->first : NULL;

    for (; at && text.size < TRIGGERS_SIZE; at = at->next) {
        const char *start = last_text(at, "StartBoundary");
        const char *every = last_text(at, "Repetition/Interval");
        buffer_format(&text, "%s%.64s%s%.64s%s%.64s", text.size ? "; " : "", at->name,
                      *start ? " " : "", start, *every ? " every " : "", every);
    }
    const char *kept = arena_text(job->arena, buffer_slice(&text));
    buffer_release(&text);
    return kept;
}

/* The account of the principal that the actions name, else of the first. */
static const struct xml_element *principal_of(const struct xml_element *root)
{
    const struct xml_element *first = xml_find(root, "Principals/Principal"), *at = first;
    const char *wanted = xml_attribute(xml_child(root, "Actions"), "Context");

    for (; at && wanted; at = xml_again(at)) {
        const char *id = xml_attribute(at, "id");
        if (id && strcmp(id, wanted) == 0)
            return at;
    }
    return first;
}

static struct task task_from_xml(struct job *job, const struct xml_element *root)
{
    const struct xml_element *principal = principal_of(root);
    const struct xml_element *start = xml_descendant(xml_child(root, "Triggers"), "StartBoundary");
    const char *user = last_text(principal, "UserId");

    return (struct task){
        .job = job,
        .name = task_name(job),
        .uri = last_text(root, "RegistrationInfo/URI"),
        .author = last_text(root, "RegistrationInfo/Author"),
        .description = last_text(root, "RegistrationInfo/Description"),
        .date = last_text(root, "RegistrationInfo/Date"),
        .run_as = *user ? user : last_text(principal, "GroupId"),
        .run_level = last_text(principal, "RunLevel"),
        .hidden = last_text(root, "Settings/Hidden"),
        .enabled = last_text(root, "Settings/Enabled"),
        .triggers = triggers_text(job, xml_child(root, "Triggers")),
        .start = start ? start->text : "",
    };
}

/* One event; `action` is NULL for a task that does nothing. */
static void tell_action(const struct task *task, const struct xml_file *file,
                        const struct xml_element *action)
{
    struct entry entry;

    entry_begin(&entry, task->job, KIND_scheduled_task);
    xml_file_place(file, action ? action : file->document.root,
                   action ? xml_file_index(file, action) : 0, &entry);
    entry.event.raw = slice_of(NULL, 0);
    add_task(&entry, task);
    entry_add(&entry, "ActionType", action ? action->name : "none");
    entry_add(&entry, "WorkingDirectory", last_text(action, "WorkingDirectory"));
    entry_add(&entry, "ClassId", last_text(action, "ClassId"));
    entry_add(&entry, "ClassData", last_text(action, "Data"));
    add_command(&entry, last_text(action, "Command"), last_text(action, "Arguments"));
    entry_emit(&entry);
}

static int parse_xml(struct job *job)
{
    struct xml_file file;
    const int result = xml_file_read(job, KIND_scheduled_task, &file);

    if (result != 0)
        return result < 0 ? -1 : 0;
    const struct xml_element *root = file.document.root;
    if (strcmp(root->name, "Task") != 0) {
        entry_reject(job, KIND_scheduled_task, file.content, "it is XML, but not a task");
        return 0;
    }
    const struct task task = task_from_xml(job, root);
    const struct xml_element *actions = xml_child(root, "Actions");
    const struct xml_element *action = actions ? actions->first : NULL;
    if (!action)
        tell_action(&task, &file, NULL);
    for (; action; action = action->next)
        tell_action(&task, &file, action);
    return 0;
}

/* --- .job --- */

static const char *job_triggers(struct job *job, const struct job_file *file)
{
    struct buffer text = BUFFER_EMPTY;
    char start[INSTANT_TEXT_SIZE];

    for (size_t i = 0; i < file->trigger_count; i++) {
        instant_format(file->triggers[i].start, start);
        buffer_format(&text, "%s%s %.19s", i ? "; " : "",
                      job_file_trigger_name(file->triggers[i].type), start);
    }
    const char *kept = arena_text(job->arena, buffer_slice(&text));
    buffer_release(&text);
    return kept;
}

/* A local time without an offset, as the fields of XML tasks have it. */
static const char *local_text(struct job *job, struct instant local)
{
    char text[INSTANT_TEXT_SIZE];

    instant_format(local, text);
    return arena_format(job->arena, "%.19s", text);
}

static int parse_job(struct job *job)
{
    struct job_file file;
    struct slice content;
    struct entry entry;

    if (entry_content(job, &content) < 0)
        return -1;
    if (job_file_read(content, job->arena, &file) < 0) {
        entry_reject(job, KIND_scheduled_task, content, error_text());
        return 0;
    }
    const struct instant start = file.trigger_count ? file.triggers[0].start : INSTANT_NONE;
    const struct task task = {
        .job = job,
        .name = task_name(job),
        .author = file.author,
        .description = file.comment,
        .hidden = file.flags & JOB_FILE_HIDDEN ? "true" : "false",
        .enabled = file.flags & JOB_FILE_DISABLED ? "false" : "true",
        .triggers = job_triggers(job, &file),
        .start = local_text(job, start),
    };
    entry_begin(&entry, job, KIND_scheduled_task);
    add_task(&entry, &task);
    entry_add(&entry, "ActionType", "Exec");
    entry_add(&entry, "WorkingDirectory", file.folder);
    add_time(&entry, "LastRunTime", "LastRunTimeUtc", local_text(job, file.last_run));
    add_command(&entry, file.application, file.parameters);
    if (file.problem) {
        job_notice(job, 0, file.problem);
        entry.event.marks |= EVENT_REPAIRED;
    }
    entry_emit(&entry);
    return 0;
}

static int parse(struct job *job)
{
    return slice_ends_nocase(slice_of_text(job->file->path), ".job") ? parse_job(job)
                                                                     : parse_xml(job);
}

static bool recognise(struct slice head, const char *name)
{
    static const char narrow[] = "schemas.microsoft.com/windows/2004/02/mit/task";
    uint8_t wide[2 * sizeof narrow];

    for (size_t i = 0; i < sizeof narrow; i++) {
        wide[2 * i] = (uint8_t)narrow[i];
        wide[2 * i + 1] = 0;
    }
    if (slice_ends_nocase(slice_of_text(name), ".job"))
        return head.size >= 70 && head.data[2] == 1 && head.data[20] == 70;
    return slice_find_nocase(head, 0, slice_of_text(narrow)) != SIZE_MAX ||
           slice_find_nocase(head, 0, slice_of(wide, 2 * (sizeof narrow - 1))) != SIZE_MAX;
}

static const char *const paths[] = {"{tasks}/**", "{windows}/Tasks/*.job",
                                    "{windows}/SysWOW64/Tasks/**", NULL};
static const struct log_source sources[] = {{NULL, "windows", "schtasks"}, {NULL, NULL, NULL}};

extern const struct artifact artifact_scheduled_task;
const struct artifact artifact_scheduled_task = {
    .name = "scheduled_task",
    .title = "Scheduled tasks",
    .paths = paths,
    .sources = sources,
    .deleted = true,
    .recognise = recognise,
    .parse = parse,
};
