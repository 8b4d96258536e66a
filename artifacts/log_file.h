/*
 * What all text logs share: every line gets the bare scan and ends in one counter, lines that the
 * prefilter nominates are split into cells and become events. An artifact adds what its columns
 * mean.
 */
#ifndef ARTIFACTS_LOG_FILE_H
#define ARTIFACTS_LOG_FILE_H

#include "artifacts/artifact.h"
#include "artifacts/log_volume.h"
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
    const struct log_volume_columns *volumes; /* NULL: the log counts no bytes */
};

enum { LOG_ALIASES_CEILING = 16 };

/* Parses the job's file as this kind of log. 0, or -1 with error_text when nothing of it could be
 * read. */
int log_parse(struct job *job, const struct log_format *format);

#endif
