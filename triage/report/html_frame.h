/* What report.html and report-print.html have around their sections. */
#ifndef TRIAGE_REPORT_HTML_FRAME_H
#define TRIAGE_REPORT_HTML_FRAME_H

#include "triage/report/html_page.h"

enum html_kind { HTML_INTERACTIVE, HTML_PRINTED /* without a script, nothing folded away */ };

/* Up to <main>; the caller closes that. */
void html_begin(struct page *page, const char *title, enum html_kind kind);
void html_end(struct page *page, enum html_kind kind);
/* The same for a page that is not of one case: without a script, with its own sections as list
 * items. Ends like HTML_PRINTED. */
void html_begin_plain(struct page *page, const char *title, const char *subject,
                      const char *sections);

#endif
