/*
 * Jobs of the Background Intelligent Transfer Service as qmgr0.dat and qmgr1.dat keep them one
 * behind the other, and qmgr.db in the column Blob of its tables Jobs and Files. Each begins with a
 * GUID by which it is found anywhere. Sources: bits_parser (ANSSI), BitsParser (Mandiant).
 */
#ifndef TRIAGE_FORMATS_BITS_QUEUE_H
#define TRIAGE_FORMATS_BITS_QUEUE_H

#include "triage/base/arena.h"
#include "triage/base/instant.h"

enum { BITS_GUID_SIZE = 16, BITS_FILES_MOST = 4096 };

#define BITS_SIZE_UNKNOWN UINT64_MAX

struct bits_file {
    const char *local, *remote, *temporary, *drive, *volume; /* never NULL */
    uint64_t size, transferred;                              /* bytes, or BITS_SIZE_UNKNOWN */
    struct instant created; /* of qmgr.db only; INSTANT_NONE when there is none */
    size_t end;             /* offset behind it */
};

struct bits_job {
    uint32_t type, priority, state, flags;
    uint8_t id[BITS_GUID_SIZE];
    const char *name, *description, *command, *arguments, *owner; /* never NULL */
    struct bits_file *files; /* those that stand within the job */
    size_t file_count;
    struct slice file_ids; /* keys of the table Files, BITS_GUID_SIZE each */
    struct instant created, modified, completed;
    uint32_t errors;
    const char *problem; /* NULL, or what is wrong behind the owner */
};

enum bits_part { BITS_NONE, BITS_JOB, BITS_FILE };

/* Where the next job or file begins, behind its GUID; BITS_NONE when there is none at or after
 * `from`. */
enum bits_part bits_find(struct slice bytes, size_t from, size_t *start);
/* Whether the file begins as qmgr0.dat does; `jobs` (may be NULL): as many as it says, `end`: where
 * the queue in force ends. */
bool bits_queue_header(struct slice bytes, uint32_t *jobs, size_t *end);
/* `bytes` begin behind the GUID. Texts live in the arena. -1 with error_text when there is no job.
 */
int bits_job_read(struct slice bytes, struct arena *arena, struct bits_job *out);
/* One row of the table Files, or what bits_find() found. -1 with error_text when it is none. */
int bits_file_read(struct slice bytes, struct arena *arena, struct bits_file *out);

const char *bits_type_name(uint32_t type);
const char *bits_priority_name(uint32_t priority);
const char *bits_state_name(uint32_t state);

#endif
