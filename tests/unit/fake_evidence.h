/*
 * Evidence in memory for tests of what stands above the evidence layer: volumes and a few files. It
 * defines the functions of evidence.h that the survey calls, so that neither images nor libtsk are
 * needed.
 */
#ifndef TESTS_UNIT_FAKE_EVIDENCE_H
#define TESTS_UNIT_FAKE_EVIDENCE_H

#include "triage/evidence/evidence.h"

enum { FAKE_VOLUMES = 4, FAKE_FILES = 32 };

struct fake_file {
    uint32_t volume;
    const char *path; /* the folders above it are there, too */
    struct slice content;
};

struct evidence {
    enum evidence_shape shape;
    struct volume volumes[FAKE_VOLUMES];
    size_t volume_count;
    struct fake_file files[FAKE_FILES];
    size_t file_count;
};

void fake_add(struct evidence *evidence, uint32_t volume, const char *path, struct slice content);

#endif
