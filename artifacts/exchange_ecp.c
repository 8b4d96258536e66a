#include "artifacts/exchange_ecp.h"

static const char columns[] = "TimeStamp,ServerName,EventId,EventData";

static const char *const assumed[] = {columns, NULL};

const struct log_format exchange_ecp_format = {
    .shape = LOG_CSV,
    .kind = KIND_exchange_ecp,
    .assumed = assumed,
    .needed = "EventId",
};
