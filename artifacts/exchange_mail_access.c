/*
 * IMAP4 and POP3 protocol logs: one row for each command.
 */
#include "artifacts/exchange_log.h"
#include "artifacts/log_file.h"

static const char columns[] = "dateTime,sessionId,seqNumber,sIp,cIp,user,duration,rqsize,rpsize,"
                              "command,parameters,context,puid";

static const char *const assumed[] = {columns, NULL};

static const struct log_volume_columns volumes = {
    .client = "cIp", .user = "user", .sent = "rpsize", .received = "rqsize"};

static const struct log_format format = {
    .shape = LOG_CSV,
    .kind = KIND_exchange_mail_access,
    .assumed = assumed,
    .needed = "command",
    .volumes = &volumes,
};

static const struct exchange_log looks[] = {
    {.type = "IMAP4", .columns = {"sessionId", "cIp", "command"}, .file = "IMAP4"},
    {.type = "POP3", .columns = {"sessionId", "cIp", "command"}, .file = "POP3"},
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

static const char *const paths[] = {"{exchange_logging}/Imap4/**/*.LOG",
                                    "{exchange_logging}/Pop3/**/*.LOG", "**/IMAP42*.LOG",
                                    "**/POP32*.LOG", NULL};
static const struct log_source sources[] = {{NULL, "exchange", "mail-access"}, {NULL, NULL, NULL}};

extern const struct artifact artifact_exchange_mail_access;
const struct artifact artifact_exchange_mail_access = {
    .name = "exchange_mail_access",
    .title = "Exchange IMAP4 and POP3 logs",
    .paths = paths,
    .sources = sources,
    .recognise = recognise,
    .parse = parse,
};
