/* What several indicators tell of one and the same thing: of a request, of a file, of a record. For
 * incident_parts.c only. */
#ifndef TRIAGE_FINDINGS_INCIDENT_THINGS_H
#define TRIAGE_FINDINGS_INCIDENT_THINGS_H

#include "triage/findings/incidents.h"

/* A table by member: which member says most of the same thing, itself when there is no other. Of
 * equals the one whose rule is rarer in the incident, for it says more. Only members that `tells`
 * is true for are looked at. NULL with error_text when memory is out; free() it. */
uint32_t *incident_things(const struct sightings *sightings, const struct incident *incident,
                          const bool *tells);

#endif
