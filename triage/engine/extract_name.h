/* Names for extracted files that can never leave their folder, whatever the evidence calls them. */
#ifndef TRIAGE_ENGINE_EXTRACT_NAME_H
#define TRIAGE_ENGINE_EXTRACT_NAME_H

#include "triage/base/arena.h"
#include "triage/base/buffer.h"
#include "triage/record/file.h"
#include "triage/record/host.h"

struct name_set;

/* Names below `folder`; memory comes from the arena. NULL with error_text when it is out. */
struct name_set *name_set_new(struct arena *arena, const char *folder);
/*
 * A path of its own for the file, "FOLDER/C/inetpub/wwwroot/x.aspx", with its folders made;
 * "FOLDER/0/C/..." when there are several evidence items, "FOLDER/snapshot-1/C/..." of a shadow
 * copy. Each component is cleaned (name_clean); deleted files and streams say so in their name; a
 * name that is taken (in any letter case) gets the MFT entry behind it. NULL with error_text when a
 * folder cannot be made.
 */
const char *name_set_add(struct name_set *names, const struct host *host, size_t evidence_count,
                         const struct file *file);
/* One component: no separators, control bytes, characters that Windows refuses, no "." and "..", no
 * device names, at most 200 bytes. Appends at least one byte. */
void name_clean(struct slice component, struct buffer *out);

#endif
