/*
 * Agent logs of transport: what each transport agent did with a mail.
 */
#include "artifacts/exchange_log.h"
#include "artifacts/log_file.h"

static const char columns[] =
    "Timestamp,SessionId,LocalEndpoint,RemoteEndpoint,EnteredOrgFromIP,MessageId,P1FromAddress,"
    "P2FromAddresses,Recipient,NumRecipients,Agent,Event,Action,SmtpResponse,Reason,ReasonData,"
    "Diagnostics,NetworkMsgID,TenantID,Directionality";

static const char *const assumed[] = {columns, NULL};

static const struct log_format format = {
    .shape = LOG_CSV,
    .kind = KIND_exchange_agent,
    .assumed = assumed,
    .needed = "Agent",
};

static const struct exchange_log looks[] = {
    {.type = "Agent Log", .columns = {"P1FromAddress", "Agent", "ReasonData"}, .file = "AgentLog"},
    {0},
};

static bool recognise(struct slice head, const char *name)
{
    return exchange_log_recognise_any(looks, head, name);
}

static int parse(struct job *job)
{
    return log_parse(job, &format);
}

static const char *const paths[] = {"**/AgentLog*.LOG", NULL};
static const struct log_source sources[] = {{NULL, "exchange", "agentlog"}, {NULL, NULL, NULL}};

extern const struct artifact artifact_exchange_agent_log;
const struct artifact artifact_exchange_agent_log = {
    .name = "exchange_agent_log",
    .title = "Exchange transport agent logs",
    .paths = paths,
    .sources = sources,
    .recognise = recognise,
    .parse = parse,
};
