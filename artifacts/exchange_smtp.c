/*
 * SMTP protocol logs of receive and send connectors: each line that was said.
 */
#include "artifacts/exchange_log.h"
#include "artifacts/log_file.h"

static const char columns[] = "date-time,connector-id,session-id,sequence-number,local-endpoint,"
                              "remote-endpoint,event,data,context";

static const char *const assumed[] = {columns, NULL};

static const struct log_format format = {
    .shape = LOG_CSV,
    .kind = KIND_exchange_smtp,
    .assumed = assumed,
    .needed = "event",
};

static const struct exchange_log looks[] = {
    {.type = "SMTP", .columns = {"connector-id", "session-id", "sequence-number"}, .file = "RECV"},
    {.type = "SMTP", .columns = {"connector-id", "session-id", "sequence-number"}, .file = "SEND"},
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

static const char *const paths[] = {"{message_tracking}/**/ProtocolLog/**/*.LOG", "**/RECV2*.LOG",
                                    "**/SEND2*.LOG", NULL};
static const struct log_source sources[] = {{NULL, "exchange", "smtp"}, {NULL, NULL, NULL}};

extern const struct artifact artifact_exchange_smtp;
const struct artifact artifact_exchange_smtp = {
    .name = "exchange_smtp",
    .title = "Exchange SMTP protocol logs",
    .paths = paths,
    .sources = sources,
    .recognise = recognise,
    .parse = parse,
};
