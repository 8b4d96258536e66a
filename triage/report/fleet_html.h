/* fleet.html: what joined cases say together, for people. */
#ifndef TRIAGE_REPORT_FLEET_HTML_H
#define TRIAGE_REPORT_FLEET_HTML_H

#include "triage/report/writer.h"

extern const struct writer fleet_html_writer;

#endif
