/* What a shell link says, as values of an event: for .lnk files and for the entries of jump lists.
 */
#ifndef ARTIFACTS_LINK_EVENT_H
#define ARTIFACTS_LINK_EVENT_H

#include "artifacts/entry.h"
#include "triage/formats/shell_link.h"

/* Texts that must be made go to `arena`, which must live until the entry is emitted. */
void link_add(struct entry *entry, struct arena *arena, const struct shell_link *link);
/* The user whose profile a '/' path lies in, by the name of its folder; NULL when in none. */
const char *link_profile(struct arena *arena, const char *path);

#endif
