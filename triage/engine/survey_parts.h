/* What the parts of the survey share; for triage/engine/survey*.c only. */
#ifndef TRIAGE_ENGINE_SURVEY_PARTS_H
#define TRIAGE_ENGINE_SURVEY_PARTS_H

#include "triage/engine/survey.h"
#include "triage/formats/hive.h"

enum {
    SURVEY_LOADS = 8,
    SURVEY_VALUES =
        4096, /* values of a key that are looked at: lists can name the same one over and over */
};

struct registry_file {
    struct hive *hive; /* NULL: not there or not readable */
    const char *path;  /* "C:\Windows\System32\config\SYSTEM" */
};

struct survey {
    struct evidence *evidence;
    struct arena *arena;
    struct host *host;
    bool windows_found;
    uint32_t windows_volume;
    const char *windows_folder; /* '/' path on that volume, "Windows" */
    struct registry_file system, software;
    const char *control; /* name of the current control set's key */
    void *loads[SURVEY_LOADS];
    size_t load_count;
    bool failed; /* memory is out */
};

/* Text in the arena; "" when memory is out. */
const char *survey_text(struct survey *survey, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* A sentence for the examiner: what could not be read, what was assumed. */
void survey_notice(struct survey *survey, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* `array` with room for one more element behind its `count`; the new element is zeroed. NULL when
 * memory is out. */
void *survey_grow(struct survey *survey, void *array, size_t count, size_t size);
/* Adds a fact to host->more. */
void survey_more(struct survey *survey, const char *name, struct fact fact);

/* Whether a file or folder is there. */
bool survey_exists(struct survey *survey, uint32_t volume, const char *path);
/* The whole content, valid until the survey ends. False when the file is not there; also, with a
 * notice, when it is larger than `ceiling` or cannot be read. */
bool survey_load(struct survey *survey, uint32_t volume, const char *path, uint64_t ceiling,
                 struct slice *content);
/* Windows path of a file of the volume, in the arena. */
const char *survey_windows_path(struct survey *survey, uint32_t volume, const char *path);
void survey_add_drive(struct survey *survey, char letter, uint32_t volume, struct fact why);
/*
 * Volume and '/' path (in the arena) of a Windows path. A drive that no volume is known for is
 * looked for: the volume that has the path is taken, and that is told. False, with a notice that
 * starts with `what`, when there is none.
 */
bool survey_locate(struct survey *survey, const char *what, const char *windows_path,
                   uint32_t *volume, const char **path);

/* Finds Windows and reads its registry: computer, version, control set, zone, drives, environment.
 */
void survey_windows(struct survey *survey);
/* A value's text or number with its source; false when it is not there. `key` may be NULL for a
 * missing hive. */
bool survey_registry_text(struct survey *survey, const struct registry_file *file, const char *key,
                          const char *value, struct fact *fact);
bool survey_registry_number(struct survey *survey, const struct registry_file *file,
                            const char *key, const char *value, uint64_t *number,
                            struct fact *fact);
/* Name of a key or value; NULL when it is longer than any that the survey looks for. */
const char *survey_name(struct survey *survey, struct hive_name name);
/* Path of a key below the current control set. */
const char *survey_control_key(struct survey *survey, const char *key);
/* Time zone from both hives. */
void survey_zone(struct survey *survey);
/* Drive letters from MountedDevices and the names of folders. */
void survey_drives(struct survey *survey);
/* Install path, version, roles. */
void survey_exchange(struct survey *survey);
/* Sites and logging from applicationHost.config. */
void survey_iis(struct survey *survey);
/* host->places from all of the above. */
void survey_places(struct survey *survey);

#endif
