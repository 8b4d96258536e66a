/*
 * IIS's text formats without a header: its native one (15 cells with ", " between) and NCSA common
 * log. Both fixed: "IIS Log File Formats" in Microsoft's documentation.
 */
#ifndef TRIAGE_FORMATS_IIS_TEXT_H
#define TRIAGE_FORMATS_IIS_TEXT_H

#include "triage/formats/columns.h"

/* Names of the native format's cells, as w3c_header() takes them. */
#define IIS_NATIVE_COLUMNS                                                                         \
    "c-ip cs-username date time s-sitename s-computername s-ip time-taken cs-bytes sc-bytes "      \
    "sc-status sc-win32-status cs-method cs-uri-stem cs-uri-query"

enum { NCSA_CELLS = 10 };

/* Surplus commas belong to the query, which is the last cell. */
enum record_state iis_native_record(const struct columns *columns, struct slice line,
                                    struct cells *cells);

/* The request becomes method, path, query and version; referer and agent may follow. */
enum record_state ncsa_record(struct slice line, struct cells *cells);
/* Names of the cells that ncsa_record() made, as w3c_header() takes them. */
const char *ncsa_columns(const struct cells *cells);

#endif
