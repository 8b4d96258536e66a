/*
 * Which files are wanted, and which of those are copied: artifacts' globs with the survey's places
 * put in, tried against each entry of a listing. Globs are found by a file's ending or its first
 * folder, so that a file costs the same however many there are.
 */
#ifndef TRIAGE_ENGINE_PLAN_H
#define TRIAGE_ENGINE_PLAN_H

#include "artifacts/artifact.h"
#include "triage/base/arena.h"
#include "triage/record/file.h"
#include "triage/record/host.h"

enum { PLAN_ANY_VOLUME = UINT32_MAX, PLAN_MOST_ARTIFACTS = 64 };

struct plan;

/* All memory comes from the arena; NULL with error_text when it is out. */
struct plan *plan_new(struct arena *arena);
/* Adds a glob for artifact number `artifact`; "{place}/rest" is added once per place of that name,
 * for its volume, and not at all when the survey found none. */
int plan_add(struct plan *plan, const struct host *host, const char *glob, size_t artifact);
/* Bit i is set when artifact i wants the file (paths only; flags are the caller's business). */
uint64_t plan_match(const struct plan *plan, uint32_t volume, const char *path);

/* Is a file that the artifact wanted copied into the case, when it `matched` (an indicator came of
 * it) or not? Never people's mail. */
bool plan_copies(const struct artifact *artifact, const char *path, bool matched);

#endif
