/* What an incident is told by: who, which files, step by step. For incidents.c only. */
#ifndef TRIAGE_FINDINGS_INCIDENT_PARTS_H
#define TRIAGE_FINDINGS_INCIDENT_PARTS_H

#include "triage/findings/incidents.h"

/* Each fills its list from the members; -1 with error_text when memory is out. */
int incident_tell_actors(const struct sightings *sightings, struct incident *incident,
                         struct arena *arena);
int incident_tell_passages(const struct sightings *sightings, struct incident *incident,
                           struct arena *arena);
int incident_tell_files(const struct sightings *sightings, struct incident *incident,
                        struct arena *arena);
int incident_tell_steps(const struct sightings *sightings, struct incident *incident,
                        struct arena *arena);

#endif
