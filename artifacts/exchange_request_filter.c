/*
 * What the request filter gave to the virus scanner (AMSI) and what it said of it: Exchange 2016
 * CU21 and 2019 CU10 and later. Source: Microsoft's Test-AMSI script names UrlHost, UrlStem,
 * ScanResult and the form of the time.
 */
#include "artifacts/exchange_log.h"
#include "artifacts/log_file.h"

static const struct log_format format = {
    .shape = LOG_CSV,
    .kind = KIND_exchange_filter,
};

static const struct exchange_log looks[] = {
    {.type = "HttpRequestFiltering",
     .columns = {"UrlStem", "ScanResult"},
     .file = "HttpRequestFiltering"},
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

static const char *const paths[] = {"{exchange_logging}/HttpRequestFiltering/**/*.log",
                                    "**/HttpRequestFiltering_*.log", NULL};
static const struct log_source sources[] = {{NULL, "exchange", "request-filter"},
                                            {NULL, NULL, NULL}};

extern const struct artifact artifact_exchange_request_filter;
const struct artifact artifact_exchange_request_filter = {
    .name = "exchange_request_filter",
    .title = "Exchange HTTP request filter (AMSI) logs",
    .paths = paths,
    .sources = sources,
    .recognise = recognise,
    .parse = parse,
};
