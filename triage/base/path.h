/* Parts of paths whose parts are separated by '/'. */
#ifndef TRIAGE_BASE_PATH_H
#define TRIAGE_BASE_PATH_H

/* Where the last part starts in `path`. */
const char *path_name(const char *path);

#endif
