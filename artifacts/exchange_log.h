/* Telling Exchange's CSV logs apart: by #Log-type, else by their columns, else by the file's name.
 */
#ifndef ARTIFACTS_EXCHANGE_LOG_H
#define ARTIFACTS_EXCHANGE_LOG_H

#include "triage/base/cursor.h"

enum { EXCHANGE_LOG_COLUMNS = 3 };

struct exchange_log {
    const char *type; /* how the value of #Log-type begins */
    const char
        *columns[EXCHANGE_LOG_COLUMNS]; /* that no other log has together; NULL: none needed */
    const char *file;                   /* how the file's name begins */
    bool same_columns;                  /* another log has these columns too: the name decides */
};

bool exchange_log_recognise(const struct exchange_log *log, struct slice head, const char *name);
/* One of several, ended by one without a type. */
bool exchange_log_recognise_any(const struct exchange_log *logs, struct slice head,
                                const char *name);

#endif
