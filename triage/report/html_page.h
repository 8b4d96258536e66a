/*
 * report.html in the making: what the parts share. Text from evidence reaches the page through
 * page_put() only, which escapes it; page_markup() is for our own markup.
 */
#ifndef TRIAGE_REPORT_HTML_PAGE_H
#define TRIAGE_REPORT_HTML_PAGE_H

#include "triage/case/case.h"
#include "triage/formats/json_reader.h"
#include "triage/report/html_files.h"
#include "triage/report/html_rows.h"

#include <stdio.h>

struct page {
    FILE *file;
    struct buffer out; /* not yet written */
    int failure;       /* -1 once something could not be written */
    struct arena *arena;
    struct case_file *source;
    /* Documents of the case; NULL when it has none of that name. */
    const struct json_value *findings, *host, *totals, *damage, *run;
    const struct json_value *artifacts; /* the sums of coverage.json */
    struct rows rows;
    struct found_files files;
    bool unfolded; /* long lists are not folded away */
};

/* Opens the case's documents and takes a first look at all indicators; -1 with error_text. */
int page_open(struct page *page, struct case_file *source, FILE *file);
void page_close(struct page *page);
/* A whole page: opens it, lets `put` fill it, closes it. -1 with error_text. */
int page_write(struct case_file *source, FILE *file, int (*put)(struct page *page));
/* Writes out what was added. */
void page_flush(struct page *page);

void page_markup(struct page *page, const char *markup);
/* Opens a <details>, as it will be seen at first. */
void page_fold(struct page *page, bool open);
/*
 * Markup with values in it, each escaped:
 *   %t const char *         text; a dash for NULL
 *   %v const json_value *   text, number or word; a dash for NULL and null
 *   %w const json_value *   ISO time as <time>, UTC; "not known" for null
 *   %h const json_value *   the same without the day
 *   %n int64_t              number with blanks between thousands
 *   %r int64_t              number as it is, for attributes
 *   %%                      a percent sign
 */
void page_put(struct page *page, const char *format, ...);

/* Text with markup escaped, and with what would not be seen, or would turn the direction of
 * reading, shown as \u{202e}. */
void html_escape(struct buffer *out, struct slice text);
/* The code point of a valid UTF-8 sequence when it is one of those (but for NUL); 0 otherwise. */
uint32_t html_unseen(struct slice sequence);
/* "1 day 21 h 37 min", "16 s". */
void html_duration(struct buffer *out, int64_t seconds);

/* NULL when it is missing, null or no text. */
const char *value_text(const struct json_value *parent, const char *name);
/* `otherwise` when it is missing, null or no whole number. */
int64_t value_number(const struct json_value *parent, const char *name, int64_t otherwise);
int64_t value_integer(const struct json_value *value, int64_t otherwise);
bool value_is(const struct json_value *parent, const char *name, const char *text);
bool value_true(const struct json_value *parent, const char *name);
/* The first of a list; NULL when it is missing or empty. */
const struct json_value *value_list(const struct json_value *parent, const char *name);
size_t value_count(const struct json_value *first);
/* Microseconds since 1970 of an ISO time; false for null. */
bool value_time(const struct json_value *parent, const char *name, int64_t *time);

/* The sections, in the order of the report. */
void html_verdict(struct page *page);
void html_leads(struct page *page);
void html_incidents(struct page *page);
void html_taken(struct page *page);
void html_exposure(struct page *page);
/* Parts of the exposure, and of what was taken. */
void html_mitigations(struct page *page);
void html_moved(struct page *page);
void html_destroyed(struct page *page);
void html_coverage(struct page *page);
void html_evidence(struct page *page);
void html_host(struct page *page);
void html_method(struct page *page);
/* Everything that the script needs, as a block of JSON. */
int html_data(struct page *page);

#endif
