/* ECP activity logs: the same four columns as the server log, with who asked and what it cost. */
#include "artifacts/exchange_ecp.h"
#include "artifacts/exchange_log.h"

static const struct exchange_log look = {
    .type = "ECP Activity",
    .columns = {"ServerName", "EventId", "EventData"},
    .file = "ECPActivity",
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

static const char *const paths[] = {"{exchange_logging}/ECP/Activity/**/*.LOG",
                                    "**/ECPActivity_*.LOG", NULL};
static const struct log_source sources[] = {{NULL, "exchange", "ecp-activity"}, {NULL, NULL, NULL}};

extern const struct artifact artifact_exchange_ecp_activity;
const struct artifact artifact_exchange_ecp_activity = {
    .name = "exchange_ecp_activity",
    .title = "Exchange control panel activity logs",
    .paths = paths,
    .sources = sources,
    .recognise = recognise,
    .parse = parse,
};
