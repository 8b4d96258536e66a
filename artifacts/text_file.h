/*
 * Text files whose records are lines, or a first line and what follows it until the next first
 * line: setup logs, installer logs, histories, transcripts. The file passes through a window of any
 * encoding that lines.h knows; every record is given once, with its place in the evidence.
 */
#ifndef ARTIFACTS_TEXT_FILE_H
#define ARTIFACTS_TEXT_FILE_H

#include "artifacts/entry.h"

enum {
    TEXT_RECORD_MOST = 1 << 20 /* bytes kept of one record; the rest of it is told, not kept */
};

struct text_record {
    struct slice text;       /* valid UTF-8, lines joined by '\n', no line end behind; lives for the
                                call */
    uint64_t offset, number; /* where its first line starts, and that line's number from 1 */
    bool first_line;         /* its first line is one that starts a record */
    bool repaired;           /* bytes were replaced, left out or cut */
};

struct text_format {
    bool (*starts)(struct slice line);  /* does a record start here? NULL: every line is one */
    bool (*goes_on)(struct slice line); /* does the record go on in the next line? May be NULL */
    void (*record)(void *context, const struct text_record *record);
};

/* Gives each record that is not blank. Damage is told once for each sort. 0, or -1 with error_text
 * when nothing could be read. */
int text_file_read(struct job *job, const struct text_format *format, void *context);

/* An entry for a record: number, offset and raw are set, and EVENT_REPAIRED where it was. The file
 * is the first value as entry_begin() has it. Its time is that of the file until one of
 * entry_time(), text_time_utc(), text_time_local() and text_undated() says otherwise. */
void text_entry_begin(struct entry *entry, struct job *job, enum kind kind,
                      const struct text_record *record);
/* The record was not understood. The first one of a file is told, with `why`. */
void text_entry_reject(struct entry *entry, const char *why);
/* Local time, which goes through the host's zone; without one the event is undated, and `told`
 * keeps the notice to one for each file. */
void text_time_local(struct entry *entry, struct instant local, struct slice text, bool *told);
void text_time_utc(struct entry *entry, struct instant when, struct slice text);
void text_undated(struct entry *entry);

/* What stands between `before` and `after` (any letter case; `after` empty: to the end); false when
 * there is no such place. */
bool text_between(struct slice text, const char *before, const char *after, struct slice *part);
/* Whether the text holds `words`, any letter case. */
bool text_holds(struct slice text, const char *words);
/* The text up to the first line end. */
struct slice text_first_line(struct slice text);
/* Decimal digits at `*at`, `least` to `most` of them; moves `at` behind them. */
bool text_number(struct slice text, size_t *at, size_t least, size_t most, int *number);

#endif
