/* A folder as evidence (a mounted image, a collected triage folder) and a single artifact file. */
#ifndef TRIAGE_EVIDENCE_FOLDER_H
#define TRIAGE_EVIDENCE_FOLDER_H

#include "triage/evidence/source.h"

enum { FOLDER_VOLUMES_MAX = 27 }; /* A: to Z:, and what belongs to no drive */

struct folder_volume {
    struct source *source;
    char drive_hint;  /* 0 when the folder is not named like a drive */
    const char *text; /* static: what kind of folder this is */
};

/*
 * Opens the folder. Sub-folders named like drives ("C", "C:", "C%3A", and those of Velociraptor and
 * KAPE collections) become volumes of their own, in order of their letters, folders of the same
 * letter merged; the rest, if there is any, comes last. Only the opened folder descriptors are used
 * later, links are never followed. Each source belongs to the caller. -1 with error_text.
 */
int folder_open(const char *path, struct folder_volume volumes[FOLDER_VOLUMES_MAX], size_t *count);

/* The file at `path` as the only one of a volume. */
int single_file_open(const char *path, struct source **out);

/* The letter of the drive that a folder's name stands for; 0 when it stands for none. */
char folder_drive_letter(const char *name);

#endif
