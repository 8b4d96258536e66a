/*
 * What all text logs share: every line gets the bare scan and ends in one counter, lines that the
 * prefilter nominates are split into cells and become events. An artifact adds what its columns
 * mean.
 */
#ifndef ARTIFACTS_LOG_FILE_H
#define ARTIFACTS_LOG_FILE_H

#include "artifacts/artifact.h"
#include "triage/formats/columns.h"

enum log_shape {
    LOG_W3C,    /* '#Fields:', one blank between cells */
    LOG_CSV,    /* Exchange: '#Fields:' or a bare line of names, commas, quotes */
    LOG_NATIVE, /* IIS: ", " between 15 cells, local time */
    LOG_NCSA,   /* IIS: common log format, local time with offset */
};

/* A value that is told under a second name as well. */
struct log_alias {
    const char *column, *name;
    enum field field;
};

struct log_format {
    enum log_shape shape;
    enum kind kind;
    const struct log_alias *aliases; /* ended by an empty one; may be NULL */
    const char *const *assumed; /* headers to try when the file has none, NULL-ended; may be NULL */
    const char
        *needed; /* the column that a CSV record which is cut short must reach; NULL: the first */
};

enum { LOG_ALIASES_CEILING = 16, LOG_HEAD_SIZE = 64 * 1024 };

/* Parses the job's file as this kind of log. 0, or -1 with error_text when nothing of it could be
 * read. */
int log_parse(struct job *job, const struct log_format *format);

/* What the first lines of a file say, for telling the kinds of log apart. Slices borrow `text`. */
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
