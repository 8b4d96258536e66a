/*
 * How much each client and each user moved, by a log that counts bytes: sums over every line of a
 * file, in bounded memory, told as one fact when the file ends. A line that no rule matches costs
 * one search for its cells.
 */
#ifndef ARTIFACTS_LOG_VOLUME_H
#define ARTIFACTS_LOG_VOLUME_H

#include "artifacts/artifact.h"
#include "triage/formats/columns.h"

/* Names of the columns; NULL: the log has none. */
struct log_volume_columns {
    const char *client, *user;
    const char *sent, *received;    /* bytes, seen from the server */
    const char *only, *only_values; /* lines whose cell is one of these, comma separated */
};

struct log_volume;

/* To be called with each header; `volume` is NULL until one has the columns. When memory is out
 * nothing is counted. */
void log_volume_header(struct log_volume **volume, const struct log_volume_columns *names,
                       const struct columns *columns, uint8_t separator, bool quotes);
void log_volume_free(struct log_volume *volume);
/* Whether lines of the header in force are counted; false for NULL. */
bool log_volume_counts(const struct log_volume *volume);
/* A line that has as many cells as the header has columns. */
void log_volume_line(struct log_volume *volume, struct slice line, struct instant when);
void log_volume_cells(struct log_volume *volume, const struct cells *cells, struct instant when);
/* One fact: all lines together, and the clients and users that moved most. */
void log_volume_tell(struct log_volume *volume, struct job *job);

#endif
