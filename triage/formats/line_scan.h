/*
 * Finds the lines of a window and counts their separators, and nothing else: the bare scan that
 * every line of a log gets. Some 64 bytes at a time with AVX2 or SSE2 where the machine has them,
 * with the same result everywhere.
 */
#ifndef TRIAGE_FORMATS_LINE_SCAN_H
#define TRIAGE_FORMATS_LINE_SCAN_H

#include "triage/base/cursor.h"

enum line_mark {
    LINE_HIGH = 1, /* holds bytes over 0x7f */
    LINE_ODD = 2,  /* holds a NUL or a line break within quotes: the caller finds its end himself */
    LINE_OPEN = 4, /* the window ends before the line does, or an odd line is very long */
};

struct line {
    size_t start, size; /* in the window; without LF, CR LF or CR */
    size_t next;        /* where the next line starts */
    size_t separators;  /* outside of quotes when the scan minds quotes */
    unsigned marks;     /* line_mark */
};

enum { LINE_BATCH = 128 };

struct line_scan {
    struct slice text;
    size_t at; /* where the next batch starts */
    uint8_t separator;
    bool quotes;
    size_t taken, ready;
    struct line batch[LINE_BATCH];
};

/* `text` is borrowed for as long as the scan is used. With `quotes`, '"' opens and closes a stretch
 * in which separators and line ends do not count; each record starts outside of one. */
void line_scan_init(struct line_scan *scan, struct slice text, uint8_t separator, bool quotes);
/* False at the end of the window. */
bool line_scan_next(struct line_scan *scan, struct line *line);
/* The next line starts at `at`. */
void line_scan_seek(struct line_scan *scan, size_t at);

enum line_scan_method { LINE_SCAN_PLAIN, LINE_SCAN_SSE2, LINE_SCAN_AVX2 };

/* For tests: forces a method; false when the machine does not have it. */
bool line_scan_use(enum line_scan_method method);

#endif
