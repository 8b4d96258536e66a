/*
 * The columns of a log as its header names them, and the cells of one record. Also the repairs that
 * need to know what a column can hold: a cell with stray separators, a record that was cut short.
 */
#ifndef TRIAGE_FORMATS_COLUMNS_H
#define TRIAGE_FORMATS_COLUMNS_H

#include "triage/base/buffer.h"
#include "triage/record/event.h"

enum {
    COLUMNS_CEILING = 512,
    COLUMNS_TEXT_CEILING = 32 * 1024,
    CELLS_CEILING = 4 * COLUMNS_CEILING,
    COLUMN_MISSING = COLUMNS_CEILING, /* index of a column that the header does not have */
};

enum column_type {
    COLUMN_TEXT,
    COLUMN_DATE,  /* 2021-03-03 */
    COLUMN_CLOCK, /* 10:15:19, with or without a fraction */
    COLUMN_STAMP, /* 2021-03-03T10:15:19.162Z */
    COLUMN_NUMBER,
    COLUMN_STATUS,  /* three digits */
    COLUMN_ADDRESS, /* IPv4 or IPv6, with or without zone and port */
    COLUMN_TOKEN,   /* letters, digits and -_.[] without anything else: a method */
};

struct column {
    const char *name; /* static or in columns.text */
    enum field field;
    enum column_type type;
    unsigned greed; /* 1 first: order in which columns are tried for stray separators; 0: never */
};

struct columns {
    struct column column[COLUMNS_CEILING];
    size_t count;
    bool overflow; /* the header has more or longer names than fit: its records are rejected */
    bool assumed;  /* not read from the file */
    size_t text_size;
    char text[COLUMNS_TEXT_CEILING];
};

void columns_clear(struct columns *columns);
void columns_add(struct columns *columns, struct slice name);
/* Index of a column by its name, any letter case; COLUMN_MISSING when there is none. */
size_t columns_find(const struct columns *columns, const char *name);
/* Can a column of this type hold the cell? Empty and "-" fit all but dates and times. */
bool column_fits(enum column_type type, struct slice cell);

/* The cells of a record: as it has them (`raw`) and without quotes (`text`), which borrow the
 * record or the scratch. */
struct cells {
    size_t count; /* may exceed what is kept */
    struct slice raw[CELLS_CEILING], text[CELLS_CEILING];
    struct buffer scratch;
    const char *repair; /* what was mended, in words; NULL: nothing */
};

enum record_state {
    RECORD_NONE, /* nothing there: an empty line */
    RECORD_USED,
    RECORD_REPAIRED,
    RECORD_REJECTED,
    RECORD_MORE, /* more of the file is needed to tell */
};

/* Empties the cells and makes room for unquoted text of a record of `size` bytes. */
void cells_reset(struct cells *cells, size_t size);
void cells_release(struct cells *cells);
void cells_add(struct cells *cells, struct slice raw);

/* More cells than columns: gives the surplus to the greedy column with which all other cells fit
 * their types, and most of them prove it. */
bool cells_absorb(struct cells *cells, const struct columns *columns);
/* Fewer cells than columns: true when those that are there fit their types and reach past column
 * `needed`, so that the record is taken to be cut short. The missing cells become empty. */
bool cells_cut_short(struct cells *cells, const struct columns *columns, size_t needed);
/* Drops empty cells when that gives the right count: doubled separators. */
bool cells_drop_empty(struct cells *cells, const struct columns *columns);

#endif
