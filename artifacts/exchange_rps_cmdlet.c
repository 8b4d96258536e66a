/* CmdletInfra, Cmdlet: each cmdlet with its parameters, caller and result. */
#include "artifacts/exchange_log.h"
#include "artifacts/log_file.h"

static const char columns[] =
    "DateTime,StartTime,RequestId,ClientRequestId,MajorVersion,MinorVersion,BuildVersion,"
    "RevisionVersion,ServerHostName,ProcessId,ProcessName,ThreadId,CultureInfo,Organization,"
    "AuthenticatedUser,ExecutingUserSid,EffectiveOrganization,UserServicePlan,IsAdmin,"
    "ClientApplication,Cmdlet,Parameters,CmdletUniqueId,UserBudgetOnStart,"
    "ContributeToFailFast,RunspaceSettingsCreationHint,ADViewEntireForest,"
    "ADRecipientViewRoot,ADConfigurationDomainControllers,ADPreferredGlobalCatalogs,"
    "ADPreferredDomainControllers,ADUserConfigurationDomainController,"
    "ADUserPreferredGlobalCatalog,ADuserPreferredDomainControllers,ThrottlingInfo,DelayInfo,"
    "ThrottlingDelay,IsOutputObjectRedacted,CmdletProxyStage,CmdletProxyRemoteServer,"
    "CmdletProxyRemoteServerVersion,CmdletProxyMethod,ProxiedObjectCount,CmdletProxyLatency,"
    "OutputObjectCount,ParameterBinding,BeginProcessing,ProcessRecord,EndProcessing,"
    "StopProcessing,BizLogic,PowerShellLatency,UserInteractionLatency,"
    "ProvisioningLayerLatency,ActivityContextLifeTime,TotalTime,ErrorType,ExecutionResult,"
    "CacheHitCount,CacheMissCount,GenericLatency,GenericInfo,GenericErrors,ObjectGuid,"
    "ExternalDirectoryOrganizationId,ExternalDirectoryObjectId,NonPiiParameters";

static const char *const assumed[] = {columns, NULL};

static const struct log_format format = {
    .shape = LOG_CSV,
    .kind = KIND_exchange_cmdlet,
    .assumed = assumed,
    .needed = "Cmdlet",
};

static const struct exchange_log look = {
    .type = "Rps Cmdlet",
    .columns = {"Cmdlet", "Parameters", "CmdletUniqueId"},
    .file = "Rps_Cmdlet_",
};

static bool recognise(struct slice head, const char *name)
{
    return exchange_log_recognise(&look, head, name);
}

static int parse(struct job *job)
{
    return log_parse(job, &format);
}

static const char *const paths[] = {"{exchange_logging}/CmdletInfra/**/Cmdlet/**/*.LOG",
                                    "**/Rps_Cmdlet_*.LOG", NULL};
static const struct log_source sources[] = {{NULL, "exchange", "rps-cmdlet"}, {NULL, NULL, NULL}};

extern const struct artifact artifact_exchange_rps_cmdlet;
const struct artifact artifact_exchange_rps_cmdlet = {
    .name = "exchange_rps_cmdlet",
    .title = "Exchange cmdlets run remotely",
    .paths = paths,
    .sources = sources,
    .recognise = recognise,
    .parse = parse,
};
