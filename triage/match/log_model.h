/* What the logs of an ordinary Exchange server look like: an estimate of how common a run of bytes
 * is in them. */
#ifndef TRIAGE_MATCH_LOG_MODEL_H
#define TRIAGE_MATCH_LOG_MODEL_H

#include "triage/base/cursor.h"

/* About how often the `size` (2 to 4) bytes stand in a megabyte of ordinary logs, letters in any
 * case and all digits alike. */
double log_model_frequency(const uint8_t *bytes, size_t size);
/* Share of all bytes of ordinary logs that are this one; capital letters have none. */
double log_model_share(uint8_t byte);

#endif
