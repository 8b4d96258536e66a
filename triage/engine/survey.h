/*
 * What the evidence says of itself: computer, Windows, time zone, drive letters, Exchange, IIS, and
 * where their files lie. Each value carries where it was read; what cannot be told is a default
 * marked as assumed, or stays unknown with a notice.
 */
#ifndef TRIAGE_ENGINE_SURVEY_H
#define TRIAGE_ENGINE_SURVEY_H

#include "triage/evidence/evidence.h"
#include "triage/record/host.h"

/* All texts of `host` go to the arena. -1 with error_text only when memory is out: an evidence that
 * tells nothing gives a host with notices. */
int survey_run(struct evidence *evidence, struct arena *arena, struct host *host);

#endif
