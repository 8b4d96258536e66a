/* What the first lines of a file say: for telling the kinds of text log apart. */
#ifndef ARTIFACTS_LOG_HEAD_H
#define ARTIFACTS_LOG_HEAD_H

#include "triage/base/cursor.h"

enum { LOG_HEAD_SIZE = 64 * 1024 };

/* Slices borrow `text`. */
struct log_head {
    uint8_t *text;                                  /* decoded; to be freed */
    struct slice software, log_type, fields, first; /* first: the first line that is no directive */
    bool fields_commas;                             /* #Fields are separated by commas */
};

/* False when the head is no text. log_head_release() in any case. */
bool log_head_read(struct slice bytes, struct log_head *head);
void log_head_release(struct log_head *head);
/* Is `name` among the column names of the head (of #Fields, or of a first line that names columns)?
 */
bool log_head_names(const struct log_head *head, const char *name);
/* Does the first line start like an Exchange row: a time stamp and a comma? */
bool log_head_starts_stamp(const struct log_head *head);

#endif
