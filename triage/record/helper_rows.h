/*
 * What a helper program says of a file that an outside library reads: tables with named columns,
 * their rows, and notices. Written by triage/helpers/, read by the artifacts; the reader
 * trusts nothing, for a helper that a crafted file has taken over can send anything.
 *
 *   u8 kind, then  table: text name, u16 count, that many texts
 *                  row:   u64 number, u64 offset, u8 marks, u16 count, that many values
 *                  notice: u64 offset, text
 *   text: u32 size, UTF-8.  value: u8 form, then u64 (whole, real) or u32 size and bytes
 */
#ifndef TRIAGE_RECORD_HELPER_ROWS_H
#define TRIAGE_RECORD_HELPER_ROWS_H

#include "triage/base/buffer.h"
#include "triage/base/cursor.h"

enum {
    HELPER_COLUMNS_MOST = 128,
    HELPER_NAME_MOST = 255,              /* of a table or column */
    HELPER_VALUE_MOST = 4 * 1024 * 1024, /* bytes of one value */
};

#define HELPER_NO_OFFSET UINT64_MAX

enum helper_kind { HELPER_TABLE = 1, HELPER_ROW, HELPER_NOTICE };
enum helper_mark { HELPER_RECOVERED = 1, HELPER_DAMAGED = 2 };
enum helper_form { HELPER_NULL, HELPER_WHOLE, HELPER_REAL, HELPER_TEXT, HELPER_BYTES };

struct helper_value {
    enum helper_form form;
    uint64_t whole; /* signed numbers are sign-extended */
    double real;
    struct slice bytes; /* of text and bytes; borrowed from the frame */
};

/* The latest frame. What it borrows lives as long as the frame, the names as long as the reader. */
struct helper_reader {
    enum helper_kind kind;
    char table[HELPER_NAME_MOST + 1];
    char columns[HELPER_COLUMNS_MOST][HELPER_NAME_MOST + 1];
    size_t column_count;
    uint64_t number, offset; /* of a row or notice */
    unsigned marks;
    struct helper_value values[HELPER_COLUMNS_MOST]; /* as many as columns */
    struct slice text;                               /* of a notice; any bytes */
};

/* Zero the reader first. -1 with error_text when the frame is malformed. */
int helper_read(struct helper_reader *reader, struct slice frame);
/* The value of that column in the latest row; one of form HELPER_NULL when there is none. */
const struct helper_value *helper_value(const struct helper_reader *reader, const char *column);

void helper_write_table(struct buffer *frame, const char *name, const char *const *columns,
                        size_t count);
/* Followed by one helper_write_value() for each column. */
void helper_write_row(struct buffer *frame, uint64_t number, uint64_t offset, unsigned marks,
                      size_t count);
void helper_write_whole(struct buffer *frame, uint64_t value);
void helper_write_real(struct buffer *frame, double value);
void helper_write_null(struct buffer *frame);
/* More than HELPER_VALUE_MOST bytes are cut. */
void helper_write_bytes(struct buffer *frame, enum helper_form form, struct slice bytes);
void helper_write_notice(struct buffer *frame, uint64_t offset, const char *text);

#endif
