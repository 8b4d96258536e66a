/*
 * Who was there when a proxy or load balancer stands in front of the server: the log of the web
 * server has that one's address for every client. For sightings.c and incidents.c only.
 */
#ifndef TRIAGE_FINDINGS_FRONT_ENDS_H
#define TRIAGE_FINDINGS_FRONT_ENDS_H

#include "triage/findings/sightings.h"

/* Addresses that passed on requests of others are no actors: `through` is theirs, `actor` the
 * client's where a log of the same request names it, else NULL. -1 with error_text. */
int front_ends_resolve(struct sightings *sightings);

#endif
