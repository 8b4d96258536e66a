/*
 * IIS logs in each of its text formats: W3C extended (also of FTP, SMTP and Advanced Logging), IIS
 * native, NCSA. Which one a file has is told by its first lines. Format: "IIS Log File Format" in
 * Microsoft's documentation; W3C times are UTC, those of the native format are local.
 */
#include "artifacts/log_file.h"
#include "artifacts/log_head.h"
#include "triage/base/error.h"
#include "triage/formats/log_time.h"

#include <stdlib.h>

static const char *const assumed[] = {
    /* IIS 8.5 and later, IIS 7 to 8, IIS 6 */
    "date time s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip cs(User-Agent) "
    "cs(Referer) sc-status sc-substatus sc-win32-status time-taken",
    "date time s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip cs(User-Agent) "
    "sc-status sc-substatus sc-win32-status time-taken",
    "date time s-sitename s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip "
    "cs(User-Agent) sc-status sc-substatus sc-win32-status",
    /* every standard field */
    "date time s-sitename s-computername s-ip cs-method cs-uri-stem cs-uri-query s-port "
    "cs-username c-ip cs-version cs(User-Agent) cs(Cookie) cs(Referer) cs-host sc-status "
    "sc-substatus sc-win32-status sc-bytes cs-bytes time-taken",
    NULL,
};

/* IIS counts bytes only when told to. */
static const struct log_volume_columns volumes = {
    .client = "c-ip", .user = "cs-username", .sent = "sc-bytes", .received = "cs-bytes"};

static const struct log_format w3c = {
    .shape = LOG_W3C, .kind = KIND_web_request, .assumed = assumed, .volumes = &volumes};
static const struct log_format native = {.shape = LOG_NATIVE, .kind = KIND_web_request};
static const struct log_format ncsa = {.shape = LOG_NCSA, .kind = KIND_web_request};

/* The cell before the next `separator`, trimmed; `at` moves behind it. */
static struct slice cell(struct slice line, size_t *at, uint8_t separator)
{
    const size_t end = slice_find(line, *at, separator);
    const struct slice found = slice_part(line, *at, (end == SIZE_MAX ? line.size : end) - *at);

    *at = end == SIZE_MAX ? line.size : end + 1;
    return slice_trim(found);
}

static bool is_native(struct slice line)
{
    struct instant unused;
    size_t at = 0;

    const struct slice client = cell(line, &at, ',');
    cell(line, &at, ',');
    const struct slice date = cell(line, &at, ',');
    const struct slice time = cell(line, &at, ',');
    return column_fits(COLUMN_ADDRESS, client) && log_native_time(date, time, &unused);
}

static bool is_ncsa(struct slice line)
{
    struct instant unused;
    size_t at = 0;
    int offset;

    const struct slice client = cell(line, &at, ' ');
    const size_t open = slice_find(line, at, '['), close = slice_find(line, at, ']');
    return column_fits(COLUMN_ADDRESS, client) && open < close && close != SIZE_MAX &&
           log_ncsa_time(slice_part(line, open + 1, close - open - 1), &unused, &offset);
}

static bool is_w3c_record(struct slice line)
{
    size_t at = 0;

    const struct slice date = cell(line, &at, ' ');
    return column_fits(COLUMN_DATE, date) && column_fits(COLUMN_CLOCK, cell(line, &at, ' '));
}

/* NULL: none of the three for certain. */
static const struct log_format *format_of(const struct log_head *head)
{
    if (head->fields.size)
        return head->fields_commas ? NULL : &w3c;
    if (is_native(head->first))
        return &native;
    if (is_ncsa(head->first))
        return &ncsa;
    return is_w3c_record(head->first) ? &w3c : NULL;
}

static bool names_requests(const struct log_head *head)
{
    return log_head_names(head, "cs-uri-stem") || log_head_names(head, "cs-method") ||
           log_head_names(head, "c-ip");
}

static bool recognise(struct slice bytes, const char *name)
{
    struct log_head head;
    bool match = log_head_read(bytes, &head);
    const struct log_format *format = match ? format_of(&head) : NULL;

    match = format != NULL;
    if (format == &w3c && head.fields.size)
        match = names_requests(&head) && !log_head_names(&head, "s-reason");
    else if (format == &w3c)
        match = !slice_starts_nocase(slice_of_text(name), "httperr");
    log_head_release(&head);
    return match;
}

static int parse(struct job *job)
{
    const struct log_format *format = NULL;
    struct log_head head = {0};
    uint8_t *bytes = malloc(LOG_HEAD_SIZE);

    if (!bytes)
        return error_set("memory is out");
    const ssize_t size = job_read(job, 0, bytes, LOG_HEAD_SIZE);
    if (size > 0 && log_head_read(slice_of(bytes, (size_t)size), &head))
        format = format_of(&head);
    log_head_release(&head);
    free(bytes);
    return log_parse(job, format ? format : &w3c);
}

/* Below LogFiles only the folders of services: HTTPERR lies there too and is another log. */
static const char *const paths[] = {
    "{iis_logs}/*.log",
    "{iis_logs}/*SVC*/**/*.log",
    "{iis_logs}/W3C*/**/*.log",
    "**/AdvancedLogs/**/*.log",
    "**/u_ex*.log",
    "**/u_in*.log",
    "**/u_nc*.log",
    "**/W3SVC*/*.log",
    NULL,
};
static const struct log_source sources[] = {{"webserver", "windows", "iis"}, {NULL, NULL, NULL}};

extern const struct artifact artifact_iis_log;
const struct artifact artifact_iis_log = {
    .name = "iis_log",
    .title = "IIS logs",
    .paths = paths,
    .sources = sources,
    .recognise = recognise,
    .parse = parse,
};
