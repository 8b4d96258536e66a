/* A text log on its way through log_file.c, log_columns.c and log_times.c, which alone include
 * this.
 */
#ifndef ARTIFACTS_LOG_PARTS_H
#define ARTIFACTS_LOG_PARTS_H

#include "artifacts/log_file.h"

#include "triage/formats/line_scan.h"
#include "triage/formats/lines.h"
#include "triage/formats/log_time.h"

enum { LOG_REPAIRS_TOLD = 8 }; /* kinds of repair that get a notice, each once */

/* Where the time of a record stands. */
struct time_columns {
    size_t date, clock, stamp; /* COLUMN_MISSING: the header has none */
    bool in_front;             /* date and clock, or the stamp, are the first cells */
    bool local;
};

struct log {
    struct job *job;
    const struct log_format *format;
    struct lines *lines;
    struct line_scan scan;
    struct columns columns;
    struct cells cells;
    struct slice header; /* the header line that the columns are from; borrows header_text */
    uint8_t header_text[COLUMNS_TEXT_CEILING];
    struct time_columns time;
    struct log_clock clock;
    struct instant day,
        day_clock;             /* of the #Date in force; the clock time read last without a date */
    uint8_t front[64];         /* the time text of the record in front ... */
    size_t front_size, needed; /* ... 0: none; the column that a record cut short must reach */
    struct slice window;       /* as it is now */
    size_t whole, candidate;   /* bytes of it that are whole lines; next nominated place */
    uint64_t number;           /* line ends passed */
    uint64_t nul_count, nul_first;
    const char *told[LOG_REPAIRS_TOLD];
    size_t told_count;
    bool quoted, fast;
    bool continuing; /* amid a line that is longer than a window */
    bool told_rejected, told_assumed, told_day, told_zone, told_long, told_overflow;
    size_t alias_count;
    size_t alias_column[LOG_ALIASES_CEILING];
    struct value values[COLUMNS_CEILING + LOG_ALIASES_CEILING];
    struct log_volume *volume; /* NULL: no bytes are counted */
};

/* One record on its way. */
struct log_entry {
    size_t start;
    struct slice raw;
    enum record_state state;
    struct instant when,
        counted; /* counted: what the tally gets, local time when its zone is unknown */
    struct slice time_text;
    enum time_basis basis;
};

/* A notice of this log, as printf() has it. */
__attribute__((format(printf, 3, 4))) void log_notice(struct log *log, uint64_t offset,
                                                      const char *format, ...);
/* Where a byte of the window stands in the file. */
uint64_t log_place(struct log *log, size_t at);

/* The columns have changed: looks up those that a record needs. */
void log_columns_ready(struct log *log);
/* Takes the names of a header for its columns. */
void log_header_take(struct log *log, struct slice names);
/* The file has no header yet: takes the first known one that has as many columns as the record. */
void log_header_assume(struct log *log, struct slice line, size_t at);
/* Does as a line says that begins with '#'. */
void log_take_directive(struct log *log, struct slice line);

/* Reads the time of the record in log->cells. False when it has one that cannot be read. */
bool log_time_read(struct log *log, struct log_entry *entry);

#endif
