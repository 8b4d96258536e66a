/*
 * One entry of a configuration file on its way to becoming an event: a module, a task's action, a
 * line of the hosts file. It gathers the values, is counted once and goes to the rules.
 */
#ifndef ARTIFACTS_ENTRY_H
#define ARTIFACTS_ENTRY_H

#include "artifacts/artifact.h"

enum { ENTRY_VALUES = 40, ENTRY_FILE_MOST = 16 * 1024 * 1024 };

struct entry {
    struct job *job;
    struct event event;
    struct value values[ENTRY_VALUES];
};

/* The file itself and its name are the first values. The time is that of the file's last change,
 * UTC, until entry_time() sets another. */
void entry_begin(struct entry *entry, struct job *job, enum kind kind);
/* `name` must be static or live in the job's arena, as must the text. NULL and empty texts are
 * left out, as is what comes after the ENTRY_VALUES-th. */
void entry_add(struct entry *entry, const char *name, const char *text);
/* The same for a text that lives until entry_emit() is done; it need not end with a NUL. */
void entry_add_slice(struct entry *entry, const char *name, struct slice text);
/* A time as text, UTC, kept in `arena`; INSTANT_NONE is left out. */
void entry_add_time(struct entry *entry, struct arena *arena, const char *name,
                    struct instant when);
/* When the file itself was made; left out where its file system cannot tell. */
void entry_add_created(struct entry *entry, const char *name);
void entry_time(struct entry *entry, struct instant when);
/* Counts it (used, or by its marks repaired or rejected) and lets the rules see it. */
void entry_emit(struct entry *entry);

/* The whole file in the job's arena; -1 with error_text when it is too large or nothing of it can
 * be read. What cannot be read behind its start is told. */
int entry_content(struct job *job, struct slice *content);
/* A file that makes no sense: one rejected record with the start of its bytes, and a notice. */
void entry_reject(struct job *job, enum kind kind, struct slice content, const char *why);

/* Last part of a path with either kind of slash. */
const char *entry_last_part(const char *path);
/* Whether a program is where a Windows path says: "true", "false", or "unknown" when the drive is
 * not known or the evidence does not hold the programs of Windows either. */
const char *entry_program_on_disk(struct job *job, const char *windows_path);

#endif
