/* What the pictures need of every indicator: when it was, how grave, from which artifact. */
#ifndef TRIAGE_REPORT_HTML_ROWS_H
#define TRIAGE_REPORT_HTML_ROWS_H

#include "triage/base/arena.h"
#include "triage/case/case.h"

struct row {
    int64_t time; /* microseconds since 1970 UTC */
    const char *artifact, *rule;
    uint8_t level;
    bool dated;
};

struct rows {
    struct row *list; /* dated ones first, as findings.json numbers them: row n is list[n - 1] */
    size_t count, dated, room;
    size_t levels[5];
};

/* -1 with error_text. The texts live in the arena. */
int rows_load(struct case_file *file, struct arena *arena, struct rows *rows);
void rows_release(struct rows *rows);
/* NULL when there is no indicator of that number. */
const struct row *rows_at(const struct rows *rows, int64_t number);

#endif
