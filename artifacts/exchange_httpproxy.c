/*
 * HttpProxy logs: one row for each request that the Exchange front end (Client Access) answered or
 * passed on. Columns as in the header of Exchange 2016 CU23's own files; 2013 has fewer. Its
 * columns are told under their W3C names too, so that web-server rules see them.
 */
#include "artifacts/exchange_log.h"
#include "artifacts/log_file.h"

static const char columns_2016[] =
    "DateTime,RequestId,MajorVersion,MinorVersion,BuildVersion,RevisionVersion,"
    "ClientRequestId,Protocol,UrlHost,UrlStem,ProtocolAction,AuthenticationType,"
    "IsAuthenticated,AuthenticatedUser,Organization,AnchorMailbox,UserAgent,ClientIpAddress,"
    "ServerHostName,HttpStatus,BackEndStatus,ErrorCode,Method,ProxyAction,TargetServer,"
    "TargetServerVersion,RoutingType,RoutingHint,BackEndCookie,ServerLocatorHost,"
    "ServerLocatorLatency,RequestBytes,ResponseBytes,TargetOutstandingRequests,"
    "AuthModulePerfContext,HttpPipelineLatency,CalculateTargetBackEndLatency,"
    "GlsLatencyBreakup,TotalGlsLatency,AccountForestLatencyBreakup,TotalAccountForestLatency,"
    "ResourceForestLatencyBreakup,TotalResourceForestLatency,ADLatency,"
    "SharedCacheLatencyBreakup,TotalSharedCacheLatency,ActivityContextLifeTime,"
    "ModuleToHandlerSwitchingLatency,ClientReqStreamLatency,BackendReqInitLatency,"
    "BackendReqStreamLatency,BackendProcessingLatency,BackendRespInitLatency,"
    "BackendRespStreamLatency,ClientRespStreamLatency,KerberosAuthHeaderLatency,"
    "HandlerCompletionLatency,RequestHandlerLatency,HandlerToModuleSwitchingLatency,"
    "ProxyTime,CoreLatency,RoutingLatency,HttpProxyOverhead,TotalRequestTime,"
    "RouteRefresherLatency,UrlQuery,BackEndGenericInfo,GenericInfo,GenericErrors,EdgeTraceId,"
    "DatabaseGuid,UserADObjectGuid,PartitionEndpointLookupLatency,RoutingStatus";

static const char *const assumed[] = {columns_2016, NULL};

static const struct log_alias aliases[] = {
    {"Method", "cs-method", FIELD_cs_method},
    {"UrlStem", "cs-uri-stem", FIELD_cs_uri_stem},
    {"UrlQuery", "cs-uri-query", FIELD_cs_uri_query},
    {"HttpStatus", "sc-status", FIELD_sc_status},
    {"ClientIpAddress", "c-ip", FIELD_c_ip},
    {"UserAgent", "cs-user-agent", FIELD_cs_user_agent},
    {"AuthenticatedUser", "cs-username", FIELD_cs_username},
    {"UrlHost", "cs-host", FIELD_cs_host},
    {NULL, NULL, FIELD_OTHER},
};

static const struct log_volume_columns volumes = {.client = "ClientIpAddress",
                                                  .user = "AuthenticatedUser",
                                                  .sent = "ResponseBytes",
                                                  .received = "RequestBytes"};

static const struct log_format format = {
    .shape = LOG_CSV,
    .kind = KIND_exchange_proxy,
    .aliases = aliases,
    .assumed = assumed,
    .needed = "UrlStem",
    .volumes = &volumes,
};

static const struct exchange_log look = {
    .type = "HttpProxy",
    .columns = {"AnchorMailbox", "UrlStem", "ProxyAction"},
    .file = "HttpProxy_",
};

static bool recognise(struct slice head, const char *name)
{
    return exchange_log_recognise(&look, head, name);
}

static int parse(struct job *job)
{
    return log_parse(job, &format);
}

static const char *const paths[] = {"{exchange_logging}/HttpProxy/**/*.LOG", "**/HttpProxy_*.LOG",
                                    NULL};
static const struct log_source sources[] = {
    {"webserver", "windows", "httpproxy"}, {NULL, "exchange", "httpproxy"}, {NULL, NULL, NULL}};

extern const struct artifact artifact_exchange_httpproxy;
const struct artifact artifact_exchange_httpproxy = {
    .name = "exchange_httpproxy",
    .title = "Exchange HttpProxy logs (front end requests)",
    .paths = paths,
    .sources = sources,
    .recognise = recognise,
    .parse = parse,
};
