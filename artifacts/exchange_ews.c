/* EWS logs of the back end: one row for each SOAP request. */
#include "artifacts/exchange_log.h"
#include "artifacts/log_file.h"

static const char columns[] =
    "DateTime,RequestId,MajorVersion,MinorVersion,BuildVersion,RevisionVersion,Ring,"
    "ClientRequestId,AuthenticationType,IsAuthenticated,AuthenticatedUser,Organization,"
    "UserAgent,VersionInfo,ClientIpAddress,ServerHostName,FrontEndServer,SoapAction,"
    "HttpStatus,RequestSize,ResponseSize,ErrorCode,ImpersonatedUser,ProxyAsUser,ActAsUser,"
    "Cookie,CorrelationGuid,PrimaryOrProxyServer,TaskType,RemoteBackendCount,"
    "LocalMailboxCount,RemoteMailboxCount,LocalIdCount,RemoteIdCount,BeginBudgetConnections,"
    "EndBudgetConnections,BeginBudgetHangingConnections,EndBudgetHangingConnections,"
    "BeginBudgetAD,EndBudgetAD,BeginBudgetCAS,EndBudgetCAS,BeginBudgetRPC,EndBudgetRPC,"
    "BeginBudgetFindCount,EndBudgetFindCount,BeginBudgetSubscriptions,EndBudgetSubscriptions,"
    "MDBResource,MDBHealth,MDBHistoricalLoad,ThrottlingPolicy,ThrottlingDelay,"
    "ThrottlingRequestType,TotalDCRequestCount,TotalDCRequestLatency,TotalMBXRequestCount,"
    "TotalMBXRequestLatency,RecipientLookupLatency,ExchangePrincipalLatency,"
    "HttpPipelineLatency,CheckAccessCoreLatency,AuthModuleLatency,CallContextInitLatency,"
    "PreExecutionLatency,CoreExecutionLatency,TotalRequestTime,"
    "DetailedExchangePrincipalLatency,ClientStatistics,GenericInfo,AuthenticationErrors,"
    "GenericErrors,Puid,StartTime,ProcessId,TimeInGC,StartTotalMemory,EndTotalMemory,"
    "StartGCCounts,EndGCCounts,TokenBasedThrottlingPolicy,BudgetKey,CoinsCharged,"
    "CoinsChargedMethod,SidBudgetInfo,AppBudgetInfo,TenantBudgetInfo,ResourceAccessed,"
    "ResourceHealthBasedThreshold,ThrottledBy,BackoffHint,WorkClassification";

static const char *const assumed[] = {columns, NULL};

static const struct log_volume_columns volumes = {.client = "ClientIpAddress",
                                                  .user = "AuthenticatedUser",
                                                  .sent = "ResponseSize",
                                                  .received = "RequestSize"};

static const struct log_format format = {
    .shape = LOG_CSV,
    .kind = KIND_exchange_ews,
    .assumed = assumed,
    .needed = "UserAgent",
    .volumes = &volumes,
};

static const struct exchange_log look = {
    .type = "EWS",
    .columns = {"SoapAction", "ImpersonatedUser", "ProxyAsUser"},
    .file = "Ews_",
};

static bool recognise(struct slice head, const char *name)
{
    return exchange_log_recognise(&look, head, name);
}

static int parse(struct job *job)
{
    return log_parse(job, &format);
}

static const char *const paths[] = {"{exchange_logging}/Ews/**/*.LOG", NULL};
static const struct log_source sources[] = {{NULL, "exchange", "ews"}, {NULL, NULL, NULL}};

extern const struct artifact artifact_exchange_ews;
const struct artifact artifact_exchange_ews = {
    .name = "exchange_ews",
    .title = "Exchange Web Services logs",
    .paths = paths,
    .sources = sources,
    .recognise = recognise,
    .parse = parse,
};
