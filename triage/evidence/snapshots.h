/* A volume's shadow copies, mounted on first use: what evidence.c has beside the live volume. */
#ifndef TRIAGE_EVIDENCE_SNAPSHOTS_H
#define TRIAGE_EVIDENCE_SNAPSHOTS_H

#include "triage/evidence/shadow.h"
#include "triage/evidence/source.h"

struct snapshots;

/* One state of a volume. */
struct view {
    struct source *source;   /* NULL when it cannot be read */
    struct listing *listing; /* built on first use */
};

/* Before the sandbox. Never fails for what the volume holds: snapshots_list says what is wrong.
 * NULL when memory is out. */
struct snapshots *snapshots_new(const struct shadow_volume *volume, struct arena *arena);
void snapshots_free(struct snapshots *snapshots);

/* All of them, oldest first. -1 with error_text when they cannot be told. */
int snapshots_list(struct snapshots *snapshots, const struct snapshot **list, size_t *count);
/* The copy with this number; NULL with error_text. Belongs to the snapshots. */
struct view *snapshots_view(struct snapshots *snapshots, uint32_t number);
/* Is a file of the copy stored like one of the live volume, down to its bytes? Both are streams of
 * this volume, `kept` of the copy. */
bool snapshots_same_content(struct snapshots *snapshots, uint32_t number, struct stream *kept,
                            struct stream *live);

void view_release(struct view *view);

#endif
