/* Which sightings belong together. */
#ifndef TRIAGE_FINDINGS_JOINING_H
#define TRIAGE_FINDINGS_JOINING_H

#include "triage/findings/sightings.h"

enum {
    JOINED_TO_NONE = UINT32_MAX,
    JOINED_SCANNING = UINT32_MAX - 1,
    JOINED_UNEXPLAINED = UINT32_MAX - 2, /* incidents.c: no group of these shows an intrusion */
};

/* Gives each sighting the number of its group: JOINED_SCANNING for attempts that belong to no
 * other, JOINED_TO_NONE for what is no part of an attack. `groups` has a place for each. -1 with
 * error_text when memory is out. */
int joining_groups(const struct sightings *sightings, uint32_t *groups);

#endif
