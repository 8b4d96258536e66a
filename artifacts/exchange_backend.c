/*
 * Request logs of the other back ends, which are read by their headers: Autodiscover, MAPI over
 * HTTP, Outlook on the web, ActiveSync, RPC client access.
 */
#include "artifacts/exchange_log.h"
#include "artifacts/log_file.h"

static const struct log_format format = {
    .shape = LOG_CSV,
    .kind = KIND_exchange_backend,
};

static const struct exchange_log looks[] = {
    {.type = "Autodiscover",
     .columns = {"DateTime"},
     .same_columns = true,
     .file = "Autodiscover_"},
    {.type = "MapiHttp",
     .columns = {"MapiRequestId", "RequestType", "MailboxId"},
     .file = "MapiHttp_"},
    {.type = "MAPI", .columns = {"MapiRequestId", "RequestType", "MailboxId"}, .file = "MapiHttp_"},
    {.type = "OWA", .columns = {"DateTime"}, .same_columns = true, .file = "OWA_"},
    {.type = "RCA Protocol", .columns = {"DateTime"}, .same_columns = true, .file = "RCA_"},
    {.type = "RPC Client Access", .columns = {"DateTime"}, .same_columns = true, .file = "RCA_"},
    {.type = "Sync Logs", .columns = {"DateTime"}, .same_columns = true, .file = "Sync_"},
    {.type = "Eas", .columns = {"DateTime"}, .same_columns = true, .file = "Eas_"},
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

static const char *const paths[] = {"{exchange_logging}/Autodiscover/**/*.LOG",
                                    "{exchange_logging}/MapiHttp/**/*.LOG",
                                    "{exchange_logging}/MAPI Client Access/**/*.LOG",
                                    "{exchange_logging}/MAPI AddressBook Service/**/*.LOG",
                                    "{exchange_logging}/OWA/**/*.LOG",
                                    "{exchange_logging}/RPC Client Access/**/*.LOG",
                                    "{exchange_logging}/Sync/**/*.LOG",
                                    "{exchange_logging}/Eas/**/*.LOG",
                                    NULL};
static const struct log_source sources[] = {{NULL, "exchange", "backend"}, {NULL, NULL, NULL}};

extern const struct artifact artifact_exchange_backend;
const struct artifact artifact_exchange_backend = {
    .name = "exchange_backend",
    .title = "Exchange back-end request logs",
    .paths = paths,
    .sources = sources,
    .recognise = recognise,
    .parse = parse,
};
