/* Which folders are served by IIS: by what the survey found, and by the names that such folders
 * have where it found none. */
#ifndef ARTIFACTS_WEB_FOLDERS_H
#define ARTIFACTS_WEB_FOLDERS_H

#include "artifacts/artifact.h"

/* Files that follow each other often lie in one folder, so the last answer is kept. */
struct web_folders {
    const struct job *job; /* borrowed: its host, and the volume of its file */
    struct buffer last;
    bool last_is_web;
};

/* Does the file at `path` (from the root of the job's volume) lie in such a folder? */
bool web_folders_hold(struct web_folders *folders, const char *path);
void web_folders_release(struct web_folders *folders);

#endif
