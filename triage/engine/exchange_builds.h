/* Names for Exchange builds, from the table that is shipped as rules/exchange_builds.tsv. */
#ifndef TRIAGE_ENGINE_EXCHANGE_BUILDS_H
#define TRIAGE_ENGINE_EXCHANGE_BUILDS_H

#include "triage/record/host.h"

struct exchange_build {
    const char *family, *update, *patch; /* "2016", "CU18", "Mar21SU" or "" */
    const char *released, *article;      /* "2021-03-02", "KB5000871"; "" when not known */
    uint16_t number[4];                  /* 15.1.2106.13 */
};

struct exchange_builds {
    struct exchange_build *rows;
    size_t count;
    const char *path;
};

/* Reads the table, which lives in the arena. -1 with error_text when it cannot be read or has no
 * usable line. */
int exchange_builds_load(const char *path, struct arena *arena, struct exchange_builds *builds);
/* The table from its text; lines that are not a build are passed over. */
int exchange_builds_parse(struct slice text, struct arena *arena, struct exchange_builds *builds);
/* "15.1.2106.13", also "15.01.2106.013"; false for anything else. */
bool exchange_build_parse(struct slice text, uint16_t number[4]);
int exchange_build_compare(const uint16_t a[4], const uint16_t b[4]);
/* The highest listed build that is not above `number`, of the same cumulative update; NULL when
 * the table does not know that update. */
const struct exchange_build *exchange_builds_find(const struct exchange_builds *builds,
                                                  const uint16_t number[4]);
/* Sets exchange_family and exchange_build of the host from its exchange_version, when the table
 * knows the cumulative update. */
void exchange_builds_name(const struct exchange_builds *builds, struct arena *arena,
                          struct host *host);

#endif
