/* Which file a web server serves for a path of its URL space, by the sites of the host document. */
#ifndef TRIAGE_FINDINGS_WEB_PATHS_H
#define TRIAGE_FINDINGS_WEB_PATHS_H

#include "triage/base/arena.h"
#include "triage/base/buffer.h"

struct web_paths;

/* `host` is the case's host document; sites that it does not tell are not known then. NULL when
 * memory is out. */
struct web_paths *web_paths_new(struct slice host, struct arena *arena);
/* Appends the Windows path, lower case, of `stem` as the site of that log file serves it; false
 * when no virtual directory holds it. */
bool web_paths_file(const struct web_paths *paths, const char *log_path, struct slice stem,
                    struct buffer *out);

#endif
