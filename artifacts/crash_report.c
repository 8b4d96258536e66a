/*
 * Report.wer of Windows Error Reporting: which program failed, where, with what code, and which
 * modules were loaded. UTF-16LE lines "Key=Value"; EventTime is a FILETIME in decimal. A report is
 * one record. What Sig[n] means depends on the kind of event, so it is taken by its name; in
 * Windows of another language the places that APPCRASH has are used. Source: published reports.
 */
#include "artifacts/text_file.h"

#include <stdio.h>
#include <string.h>

enum { SIGNATURES = 16, VALUE_SIZE = 1024, MODULES_SIZE = 16 * 1024 };

struct report {
    struct job *job;
    bool repaired;
    uint64_t time;
    char type[VALUE_SIZE], program[VALUE_SIZE], path[VALUE_SIZE], friendly[VALUE_SIZE],
        identifier[VALUE_SIZE], pool[VALUE_SIZE];
    struct {
        char name[128], value[256];
    } signatures[SIGNATURES];
    struct buffer modules, others;
};

static void keep(char *text, size_t size, struct slice value)
{
    snprintf(text, size, "%.*s", (int)(value.size < size ? value.size : size - 1),
             (const char *)value.data);
}

static void add_part(struct buffer *list, struct slice part)
{
    if (list->size + part.size > MODULES_SIZE)
        return;
    if (list->size)
        buffer_add_text(list, "; ");
    buffer_add(list, part);
}

/* Not of Windows, and not where programs are installed. */
static bool is_elsewhere(struct slice path)
{
    return slice_find(path, 0, '\\') != SIZE_MAX && !text_holds(path, ":\\Windows\\System32\\") &&
           !text_holds(path, ":\\Windows\\SysWOW64\\") &&
           !text_holds(path, ":\\Windows\\WinSxS\\") &&
           !text_holds(path, ":\\Windows\\assembly\\") &&
           !text_holds(path, ":\\Windows\\Microsoft.NET\\") &&
           !text_holds(path, ":\\Program Files") && !text_holds(path, "\\Exchange Server\\");
}

/* "Sig[3].Name=Fault Module Name" */
static void take_signature(struct report *report, struct slice key, struct slice value)
{
    int number;
    size_t at = 4;

    if (!text_number(key, &at, 1, 2, &number) || number >= SIGNATURES)
        return;
    if (slice_ends_nocase(key, "].Name"))
        keep(report->signatures[number].name, sizeof report->signatures[number].name, value);
    else if (slice_ends_nocase(key, "].Value"))
        keep(report->signatures[number].value, sizeof report->signatures[number].value, value);
}

static void take_pair(struct report *report, struct slice key, struct slice value)
{
    static const struct {
        const char *name;
        size_t at;
    } plain[] = {
        {"EventType", offsetof(struct report, type)},
        {"AppName", offsetof(struct report, friendly)},
        {"AppPath", offsetof(struct report, path)},
        {"NsAppName", offsetof(struct report, program)},
        {"ReportIdentifier", offsetof(struct report, identifier)},
    };

    for (size_t i = 0; i < sizeof plain / sizeof plain[0]; i++)
        if (slice_is_nocase(key, plain[i].name))
            keep((char *)report + plain[i].at, VALUE_SIZE, value);
    if (slice_is_nocase(key, "EventTime") && !slice_to_u64(value, &report->time))
        report->repaired = true;
    else if (slice_starts_nocase(key, "Sig["))
        take_signature(report, key, value);
    else if (slice_starts_nocase(key, "LoadedModule["))
        add_part(is_elsewhere(value) ? &report->others : &report->modules, value);
    if (text_holds(value, "AppPool") && !*report->pool)
        keep(report->pool, sizeof report->pool, value);
}

static void take_line(void *context, const struct text_record *record)
{
    struct report *report = context;
    const size_t equals = slice_find(record->text, 0, '=');

    report->repaired |= record->repaired;
    if (equals != SIZE_MAX && equals < 128)
        take_pair(report, slice_trim(slice_part(record->text, 0, equals)),
                  slice_trim(slice_from(record->text, equals + 1)));
}

/* The value of the signature of that name, else, in another language, of that place. */
static const char *signature(const struct report *report, const char *name, size_t place)
{
    bool english = false;

    for (size_t i = 0; i < SIGNATURES; i++) {
        const struct slice found = slice_of_text(report->signatures[i].name);
        if (slice_is_nocase(found, name))
            return report->signatures[i].value;
        english |= slice_is_nocase(found, "Application Name");
    }
    const bool crash = strncmp(report->type, "APPCRASH", 8) == 0;
    return crash && !english && place < SIGNATURES ? report->signatures[place].value : NULL;
}

static void add_signatures(struct buffer *text, const struct report *report)
{
    for (size_t i = 0; i < SIGNATURES; i++)
        if (*report->signatures[i].value)
            buffer_format(text, "%s%s=%s", text->size ? "; " : "", report->signatures[i].name,
                          report->signatures[i].value);
}

static void report_tell(struct report *report)
{
    struct buffer text = BUFFER_EMPTY;
    struct entry entry;
    const struct instant when = instant_from_filetime(report->time);

    add_signatures(&text, report);
    entry_begin(&entry, report->job, KIND_crash_report);
    entry_time(&entry, when);
    entry.event.number = 1;
    if (report->repaired || !instant_known(when))
        entry.event.marks |= EVENT_REPAIRED;
    if (!*report->type)
        text_entry_reject(&entry, "no EventType: this is no error report");
    entry_add(&entry, "EventType", report->type);
    entry_add(&entry, "Application",
              *report->program ? report->program : signature(report, "Application Name", 0));
    entry_add(&entry, "ImagePath", report->path);
    entry_add(&entry, "Module", signature(report, "Fault Module Name", 3));
    entry_add(&entry, "ExceptionCode", signature(report, "Exception Code", 6));
    entry_add(&entry, "AppPool", report->pool);
    entry_add(&entry, "Description", report->friendly);
    entry_add_slice(&entry, "Signature", buffer_slice(&text));
    entry_add_slice(&entry, "OtherModules", buffer_slice(&report->others));
    entry_add_slice(&entry, "LoadedModules", buffer_slice(&report->modules));
    entry_add(&entry, "ReportId", report->identifier);
    entry.event.raw = text.size ? buffer_slice(&text) : slice_of_text(report->job->file->path);
    entry_emit(&entry);
    buffer_release(&text);
}

static int parse(struct job *job)
{
    static const struct text_format format = {.record = take_line};
    struct report report = {.job = job};

    const int result = text_file_read(job, &format, &report);
    if (result == 0)
        report_tell(&report);
    buffer_release(&report.modules);
    buffer_release(&report.others);
    return result;
}

static bool recognise(struct slice head, const char *name)
{
    (void)head;
    return slice_is_nocase(slice_of_text(name), "Report.wer");
}

static const char *const paths[] = {"**/WER/**/*.wer", NULL};
static const struct log_source sources[] = {{NULL, "windows", "wer"}, {NULL, NULL, NULL}};

extern const struct artifact artifact_crash_report;
const struct artifact artifact_crash_report = {
    .name = "crash_report",
    .title = "Windows Error Reporting",
    .paths = paths,
    .sources = sources,
    .keep = true,
    .deleted = true,
    .recognise = recognise,
    .parse = parse,
};
