/*
 * Audit logs of administrators' cmdlets in the local queue, as JSON in Data.
 */
#include "artifacts/exchange_log.h"
#include "artifacts/log_file.h"

static const char columns[] = "Timestamp,Server,TenantId,RecordType,Data,UserKey,RecordId,"
                              "Operation,Workload,ResultStatus,Version,Scope";

static const char *const assumed[] = {columns, NULL};

static const struct log_format format = {
    .shape = LOG_CSV,
    .kind = KIND_exchange_audit,
    .assumed = assumed,
    .needed = "Data",
};

static const struct exchange_log looks[] = {
    {.type = "audit", .columns = {"RecordType", "UserKey", "Workload"}, .file = "audit"},
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

static const char *const paths[] = {"{exchange_logging}/LocalQueue/**/audit*.LOG",
                                    "{exchange_logging}/CosmosQueue/**/audit*.LOG",
                                    "**/audit2*.LOG", NULL};
static const struct log_source sources[] = {{NULL, "exchange", "audit"}, {NULL, NULL, NULL}};

extern const struct artifact artifact_exchange_audit;
const struct artifact artifact_exchange_audit = {
    .name = "exchange_audit",
    .title = "Exchange audit logs",
    .paths = paths,
    .sources = sources,
    .recognise = recognise,
    .parse = parse,
};
