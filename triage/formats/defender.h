/*
 * What Microsoft Defender keeps of its detections. DetectionHistory: a run of values { size, type,
 * data, padding to 8 bytes }, in sets that a text "Magic.Version:1.2" separates. Quarantine
 * entries: three parts, each enciphered with the same published RC4 key: a header with the sizes of
 * the other two, what was found, and the resources that were taken away. Sources: "Windows Defender
 * scan DetectionHistory file format" of libyal's dtformats; "Windows_Defender" in ERNW's
 * quarantine-formats, and the reader of dissect.target.
 */
#ifndef TRIAGE_FORMATS_DEFENDER_H
#define TRIAGE_FORMATS_DEFENDER_H

#include "triage/base/arena.h"
#include "triage/base/guid.h"
#include "triage/base/instant.h"

enum { DEFENDER_RESOURCES = 256 };

struct defender_resource {
    const char *type, *path; /* "file", "process", "regkey" ... */
    const char *sha1, *sha256, *md5;
    const char *content_name; /* below Quarantine/ResourceData, in hexadecimal; NULL: none */
    uint64_t offset;          /* of the resource in the file */
};

struct defender_detection {
    const char *threat, *user, *process;
    uint64_t threat_id;
    char id[GUID_TEXT_SIZE]; /* GUID in braces */
    struct instant detected, changed, remedied;
    struct defender_resource resources[DEFENDER_RESOURCES];
    size_t resource_count;
    const char *problem; /* damage behind what was read */
};

/* -1 with error_text when nothing of it is of the format. */
int defender_history_read(struct slice file, struct arena *arena,
                          struct defender_detection *detection);
int defender_quarantine_read(struct slice file, struct arena *arena,
                             struct defender_detection *detection);

#endif
