/*
 * Scheduled tasks of Windows XP and 2003, and of at.exe later: NAME.job. A fixed part, then texts
 * and triggers. Source: MS-TSCH 2.4.
 */
#ifndef TRIAGE_FORMATS_JOB_FILE_H
#define TRIAGE_FORMATS_JOB_FILE_H

#include "triage/base/arena.h"
#include "triage/base/instant.h"

enum { JOB_FILE_TRIGGERS = 48 };

struct job_file_trigger {
    struct instant start; /* local time; INSTANT_NONE when malformed */
    uint32_t type;        /* 0 once, 1 daily, 2 weekly, 3 and 4 monthly, 5 idle, 6 start, 7 logon */
};

struct job_file {
    const char *application, *parameters, *folder, *author, *comment; /* never NULL */
    struct instant last_run; /* local time; INSTANT_NONE when it never ran */
    uint32_t flags, exit_code;
    struct job_file_trigger triggers[JOB_FILE_TRIGGERS];
    size_t trigger_count;
    const char *problem; /* NULL, or what is wrong behind the application's name */
};

enum { JOB_FILE_DISABLED = 0x4, JOB_FILE_HIDDEN = 0x200 };

/* Texts live in the arena. -1 with error_text when not even the application can be read. */
int job_file_read(struct slice bytes, struct arena *arena, struct job_file *out);
const char *job_file_trigger_name(uint32_t type);

#endif
