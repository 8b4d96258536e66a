/*
 * What the outputs for other programs (STIX, CASE, MISP, DFXML, Markdown) share: one document that
 * is written to a stream as it grows, ids and times that are the same for the same case.
 */
#ifndef TRIAGE_REPORT_SHARING_H
#define TRIAGE_REPORT_SHARING_H

#include "triage/base/json.h"
#include "triage/base/uuid.h"
#include "triage/case/case.h"

#include <stdio.h>

/* Rows of a kind that an output for exchange holds; what is cut is said in it. */
enum { SHARED_MOST = 5000, SHARED_TIME_SIZE = 40 };

struct sharing {
    struct case_file *file;
    FILE *out;
    struct buffer text;            /* not yet written */
    struct json json;              /* over text */
    char moment[SHARED_TIME_SIZE]; /* of the last trace: what outputs give as the time of making */
    char *host, *summary;          /* "" when unknown */
    bool is_intrusion;
};

/* -1 with error_text when the case holds no findings; release it in any case. */
int sharing_begin(struct sharing *sharing, struct case_file *file, FILE *out);
/* Writes what is in the buffer; between two objects of the outermost list, or at the end. */
int sharing_flush(struct sharing *sharing);
void sharing_release(struct sharing *sharing);

/* A UUID of ours for something named by its kind and name. Gives `text` back. */
const char *sharing_uuid(const struct sharing *sharing, const char *kind, const char *name,
                         char text[UUID_TEXT_SIZE]);
/* "2021-03-03T04:37:12.000Z" of a time of the case ("...12.000000+00:00", or with Z); the moment of
 * the case for NULL or what is no time. */
const char *sharing_time(const struct sharing *sharing, const char *time,
                         char text[SHARED_TIME_SIZE]);
/* "attack.t1505.003" as "T1505.003"; false when the tag is no technique. */
bool sharing_technique(const char *tag, char id[16]);
/* "T1190" as "Exploit Public-Facing Application"; NULL when it is not one that our rules name. */
const char *sharing_technique_name(const char *id);
/* An IPv4 or IPv6 address as text, and nothing else. */
bool sharing_is_address(const char *text);
/* The last part of a Windows path. */
const char *sharing_file_name(const char *path);
/* Numbers of cells: 0 for NULL. */
long long sharing_number(const char *cell);

#endif
