/* HTTPERR: requests and connections that http.sys ended before IIS saw them. W3C format, UTC. */
#include "artifacts/log_file.h"
#include "artifacts/log_head.h"

/* Windows Server 2012 R2 and earlier; since 2016 with the stream ids of HTTP/2; since 2022 with the
 * transport. */
static const char *const assumed[] = {
    "date time c-ip c-port s-ip s-port cs-version cs-method cs-uri sc-status s-siteid s-reason "
    "s-queuename",
    "date time c-ip c-port s-ip s-port cs-version cs-method cs-uri streamid sc-status s-siteid "
    "s-reason s-queuename",
    "date time c-ip c-port s-ip s-port cs-version cs-method cs-uri streamid streamid_ex sc-status "
    "s-siteid s-reason s-queuename",
    "date time c-ip c-port s-ip s-port cs-version cs-method cs-uri streamid streamid_ex sc-status "
    "s-siteid s-reason s-queuename transport",
    NULL,
};

static const struct log_format format = {
    .shape = LOG_W3C,
    .kind = KIND_http_error,
    .assumed = assumed,
};

static bool recognise(struct slice bytes, const char *name)
{
    struct log_head head;
    bool match = log_head_read(bytes, &head);

    if (head.fields.size)
        match = match && log_head_names(&head, "s-reason") && log_head_names(&head, "s-queuename");
    else
        match = match && slice_starts_nocase(slice_of_text(name), "httperr");
    log_head_release(&head);
    return match;
}

static int parse(struct job *job)
{
    return log_parse(job, &format);
}

static const char *const paths[] = {"{httperr}/*.log", "**/HTTPERR/httperr*.log", NULL};
static const struct log_source sources[] = {{NULL, "windows", "httperr"}, {NULL, NULL, NULL}};

extern const struct artifact artifact_httperr;
const struct artifact artifact_httperr = {
    .name = "httperr",
    .title = "HTTPERR logs",
    .paths = paths,
    .sources = sources,
    .recognise = recognise,
    .parse = parse,
};
