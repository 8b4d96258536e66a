/* Which files are logs that tell of attacks on the server, by their path, and how old one was when
 * it was deleted, by the day that its name has. */
#ifndef ARTIFACTS_LOG_NAMES_H
#define ARTIFACTS_LOG_NAMES_H

#include "triage/base/cursor.h"
#include "triage/base/instant.h"

/* Event logs, logs of IIS and http.sys, and those of Exchange's web services. `path` has either
 * kind of slash. */
bool log_is_telling(struct slice path);
/* Days from the day in a log's name ("u_ex210303.log", "HttpProxy_2021030304-1.LOG") to `when`; -1
 * when the name has no day or a later one. */
int64_t log_age_days(struct slice name, struct instant when);

#endif
