/* ECP server logs: each request to the control panel with its cmdlets, in EventData as
 * "S:KEY=VALUE;...". */
#include "artifacts/exchange_ecp.h"
#include "artifacts/exchange_log.h"

static const struct exchange_log look = {
    .type = "ECP Server",
    .columns = {"ServerName", "EventId", "EventData"},
    .file = "ECPServer",
    .same_columns = true,
};

static bool recognise(struct slice head, const char *name)
{
    return exchange_log_recognise(&look, head, name);
}

static int parse(struct job *job)
{
    return log_parse(job, &exchange_ecp_format);
}

static const char *const paths[] = {"{exchange_logging}/ECP/Server/**/*.LOG", "**/ECPServer2*.LOG",
                                    NULL};
static const struct log_source sources[] = {{NULL, "exchange", "ecp-server"}, {NULL, NULL, NULL}};

extern const struct artifact artifact_exchange_ecp_server;
const struct artifact artifact_exchange_ecp_server = {
    .name = "exchange_ecp_server",
    .title = "Exchange control panel server logs",
    .paths = paths,
    .sources = sources,
    .recognise = recognise,
    .parse = parse,
};
