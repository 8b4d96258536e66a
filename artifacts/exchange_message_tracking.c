/* Message tracking: what became of each mail. Columns as in the headers of 2013 and later, and of
 * 2010. */
#include "artifacts/exchange_log.h"
#include "artifacts/log_file.h"

static const char columns_2013[] =
    "date-time,client-ip,client-hostname,server-ip,server-hostname,source-context,"
    "connector-id,source,event-id,internal-message-id,message-id,network-message-id,"
    "recipient-address,recipient-status,total-bytes,recipient-count,"
    "related-recipient-address,reference,message-subject,sender-address,return-path,"
    "message-info,directionality,tenant-id,original-client-ip,original-server-ip,custom-data,"
    "transport-traffic-type,log-id,schema-version";

static const char columns_2010[] =
    "date-time,client-ip,client-hostname,server-ip,server-hostname,source-context,"
    "connector-id,source,event-id,internal-message-id,message-id,recipient-address,"
    "recipient-status,total-bytes,recipient-count,related-recipient-address,reference,"
    "message-subject,sender-address,return-path,message-info,directionality,tenant-id,"
    "original-client-ip,original-server-ip,custom-data";

static const char *const assumed[] = {columns_2013, columns_2010, NULL};

/* What left for other servers. */
static const struct log_volume_columns volumes = {.user = "sender-address",
                                                  .sent = "total-bytes",
                                                  .only = "event-id",
                                                  .only_values = "SEND,SENDEXTERNAL"};

static const struct log_format format = {
    .shape = LOG_CSV,
    .kind = KIND_exchange_message,
    .assumed = assumed,
    .needed = "event-id",
    .volumes = &volumes,
};

static const struct exchange_log look = {
    .type = "Message Tracking",
    .columns = {"internal-message-id", "recipient-address", "event-id"},
    .file = "MSGTRK",
};

static bool recognise(struct slice head, const char *name)
{
    return exchange_log_recognise(&look, head, name);
}

static int parse(struct job *job)
{
    return log_parse(job, &format);
}

static const char *const paths[] = {"{message_tracking}/**/MSGTRK*.LOG", "**/MSGTRK*.LOG", NULL};
static const struct log_source sources[] = {{NULL, "exchange", "messagetracking"},
                                            {NULL, NULL, NULL}};

extern const struct artifact artifact_exchange_message_tracking;
const struct artifact artifact_exchange_message_tracking = {
    .name = "exchange_message_tracking",
    .title = "Exchange message tracking logs",
    .paths = paths,
    .sources = sources,
    .recognise = recognise,
    .parse = parse,
};
