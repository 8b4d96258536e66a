/*
 * An entry of the $MFT as a line of text for the prefilter, a tab between the values, and the
 * values of its event as parts of that line. The lines of a batch stand one behind the other in
 * `text`.
 */
#ifndef ARTIFACTS_MFT_LINES_H
#define ARTIFACTS_MFT_LINES_H

#include "artifacts/mft_reasons.h"
#include "artifacts/mft_scripts.h"
#include "artifacts/web_folders.h"

/* Each ended by a tab, the last by a line feed. */
enum mft_text {
    TEXT_TARGET,
    TEXT_EXTENSION,
    TEXT_ATTRIBUTES,
    TEXT_SIZE,
    TEXT_DELETED,
    TEXT_STREAM,
    TEXT_CREATED,
    TEXT_MODIFIED,
    TEXT_NAMED,
    TEXT_REASON,
    TEXT_BIRTH,
    TEXT_PLACE,
    TEXT_REFERENCE,
    TEXT_COUNT,
};

enum { MFT_VALUES = TEXT_COUNT + 1 }; /* the name is a part of the target */

struct mft_line {
    uint32_t start, end[TEXT_COUNT]; /* in the lines' text */
    uint32_t name, name_end;         /* of the last part of the target, without a stream */
    bool forged;                     /* there is a reason */
};

struct mft_lines {
    struct buffer text;
    struct buffer root; /* in front of each path */
    struct mft_reasons reasons;
    struct web_folders web;
    int64_t day; /* of the last time, and its text */
    char day_text[INSTANT_TEXT_SIZE];
};

void mft_lines_init(struct mft_lines *lines, const struct job *job, const struct listing *listing);
void mft_lines_release(struct mft_lines *lines);
/* Adds the line of a file; `script`: what is known of it when it was put aside, else NULL. -1 with
 * error_text when memory is out. */
int mft_lines_add(struct mft_lines *lines, const struct file *file, const struct script *script,
                  struct mft_line *line);
struct slice mft_line_text(const struct mft_lines *lines, const struct mft_line *line,
                           enum mft_text which);
/* The values borrow the lines' text, until the next one is added. */
void mft_line_values(const struct mft_lines *lines, const struct mft_line *line,
                     struct value values[MFT_VALUES]);

#endif
