/*
 * What a Windows program says of its version: FILEVERSION in the fixed part of its version
 * resource. Source: "PE Format" and VS_VERSIONINFO, VS_FIXEDFILEINFO in the Windows documentation.
 */
#ifndef TRIAGE_FORMATS_PE_H
#define TRIAGE_FORMATS_PE_H

#include "triage/base/cursor.h"

enum { PE_VERSION_TEXT_SIZE = 4 * 6 };

struct pe_version {
    uint16_t major, minor, build, revision;
};

/* -1 with error_text when `bytes`, the whole file, is not a program or has no version. */
int pe_file_version(struct slice bytes, struct pe_version *version);
/* "15.1.2106.2"; gives `text` back. */
const char *pe_version_format(struct pe_version version, char text[PE_VERSION_TEXT_SIZE]);

#endif
