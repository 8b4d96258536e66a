/* What the files of folder evidence share: folder.c, folder_names.c, folder_drives.c. */
#ifndef TRIAGE_EVIDENCE_FOLDER_PARTS_H
#define TRIAGE_EVIDENCE_FOLDER_PARTS_H

#include "triage/evidence/folder.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/types.h>

enum {
    ROOTS_MAX = 8,         /* folders that stand for the same drive */
    COMPONENT_SIZE = 1024, /* three times NAME_MAX and some */
    FOLDER_FLAGS = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC,
    FILE_FLAGS = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC,
};

struct identity {
    dev_t device;
    ino_t inode;
};

/* One or several folders that are the same drive. */
struct folder {
    struct source source;
    int roots[ROOTS_MAX];
    size_t root_count;
    bool decode;             /* names are percent-encoded, as Velociraptor writes them */
    struct identity *others; /* folders that are volumes of their own */
    size_t other_count;
};

/* A drive without roots; NULL with error_text. `decode`: its names are percent-encoded. */
struct folder *folder_new(bool decode);

/* Undoes percent-encoding; a byte that would be NUL or '/' stays encoded. False when there is no
 * room. */
bool name_decode(const char *name, char *out, size_t room);
bool name_is_dot(const char *name);

struct found {
    char *raw;     /* as it is on disk */
    char *shown;   /* decoded, or the same text */
    size_t parent; /* which of the merged folders it lies in */
};

struct found_list {
    struct found *items;
    size_t count, room;
};

void found_release(struct found_list *list);
/* By the names as they are shown, then by the folder they lie in; for qsort. */
int found_compare(const void *a, const void *b);

/* A stream on a fresh descriptor of the folder, so that the folder's own position does not matter;
 * NULL with errno. The caller closes it. */
DIR *folder_stream(int folder, const char *name);
/* Adds the names in one folder to the list. A folder that cannot be read is told by the result 1.
 */
int folder_names(int folder, size_t parent, bool decode, struct found_list *list);

#endif
