/*
 * Logs of the emergency mitigation service: which mitigation was fetched, applied, or failed.
 * Exchange 2016 CU22 and 2019 CU11 and later. Columns by the header.
 */
#include "artifacts/exchange_log.h"
#include "artifacts/log_file.h"

static const struct log_format format = {
    .shape = LOG_CSV,
    .kind = KIND_exchange_mitigation,
};

static const struct exchange_log looks[] = {
    {.type = "MitigationService",
     .columns = {"DateTime"},
     .same_columns = true,
     .file = "MitigationService"},
    {.type = "Mitigation Service",
     .columns = {"DateTime"},
     .same_columns = true,
     .file = "MitigationService"},
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

static const char *const paths[] = {"{exchange_logging}/MitigationService/**/*.log", NULL};
static const struct log_source sources[] = {{NULL, "exchange", "mitigation"}, {NULL, NULL, NULL}};

extern const struct artifact artifact_exchange_mitigation;
const struct artifact artifact_exchange_mitigation = {
    .name = "exchange_mitigation",
    .title = "Exchange mitigation service logs",
    .paths = paths,
    .sources = sources,
    .recognise = recognise,
    .parse = parse,
};
