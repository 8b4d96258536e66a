/* OAB generator logs: what the offline address book service built, and which temporary files it
 * could not fetch. */
#include "artifacts/exchange_log.h"
#include "artifacts/log_file.h"

static const char columns[] = "Timestamp,RecordType,TraceId,OabGuid,AddressListGuid,Message";

static const char *const assumed[] = {columns, NULL};

static const struct log_format format = {
    .shape = LOG_CSV,
    .kind = KIND_exchange_oab,
    .assumed = assumed,
    .needed = "RecordType",
};

static const struct exchange_log look = {
    .type = "OAB Generator",
    .columns = {"RecordType", "OabGuid", "Message"},
    .file = "OABGenerator",
};

static bool recognise(struct slice head, const char *name)
{
    return exchange_log_recognise(&look, head, name);
}

static int parse(struct job *job)
{
    return log_parse(job, &format);
}

static const char *const paths[] = {"{exchange_logging}/OABGeneratorLog/**/*.LOG",
                                    "{exchange_logging}/OABGeneratorSimpleLog/**/*.LOG", NULL};
static const struct log_source sources[] = {{NULL, "exchange", "oabgenerator"}, {NULL, NULL, NULL}};

extern const struct artifact artifact_exchange_oab;
const struct artifact artifact_exchange_oab = {
    .name = "exchange_oab",
    .title = "Exchange OAB generator logs",
    .paths = paths,
    .sources = sources,
    .recognise = recognise,
    .parse = parse,
};
