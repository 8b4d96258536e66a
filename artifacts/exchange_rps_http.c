/* CmdletInfra, Http: the web requests behind remote PowerShell sessions. */
#include "artifacts/exchange_log.h"
#include "artifacts/log_file.h"

static const char columns[] =
    "DateTime,StartTime,RequestId,MajorVersion,MinorVersion,BuildVersion,RevisionVersion,"
    "ClientRequestId,UrlHost,UrlStem,AuthenticationType,IsAuthenticated,AuthenticatedUser,"
    "Organization,ManagedOrganization,ClientIpAddress,ServerHostName,FrontEndServer,"
    "HttpStatus,SubStatus,ErrorCode,Action,CommandId,CommandName,SessionId,ShellId,FailFast,"
    "ContributeToFailFast,RequestBytes,ClientInfo,CPU,Memory,ActivityContextLifeTime,"
    "TotalTime,UrlQuery,GenericLatency,GenericInfo,GenericErrors";

static const char *const assumed[] = {columns, NULL};

static const struct log_format format = {
    .shape = LOG_CSV,
    .kind = KIND_exchange_rps,
    .assumed = assumed,
    .needed = "UrlStem",
};

static const struct exchange_log look = {
    .type = "Rps Http",
    .columns = {"ManagedOrganization", "UrlStem", "ClientInfo"},
    .file = "Rps_Http_",
};

static bool recognise(struct slice head, const char *name)
{
    return exchange_log_recognise(&look, head, name);
}

static int parse(struct job *job)
{
    return log_parse(job, &format);
}

static const char *const paths[] = {"{exchange_logging}/CmdletInfra/**/Http/**/*.LOG",
                                    "**/Rps_Http_*.LOG", NULL};
static const struct log_source sources[] = {{NULL, "exchange", "rps-http"}, {NULL, NULL, NULL}};

extern const struct artifact artifact_exchange_rps_http;
const struct artifact artifact_exchange_rps_http = {
    .name = "exchange_rps_http",
    .title = "Exchange remote PowerShell requests",
    .paths = paths,
    .sources = sources,
    .recognise = recognise,
    .parse = parse,
};
