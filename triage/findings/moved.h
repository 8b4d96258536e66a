/*
 * How much was moved, by client and by user, where a log counts bytes: during the intrusion against
 * the days before and after it. Made of the facts that logs and the resource monitor tell file by
 * file.
 */
#ifndef TRIAGE_FINDINGS_MOVED_H
#define TRIAGE_FINDINGS_MOVED_H

#include "triage/findings/incidents.h"

struct moved_row {
    const char *name;        /* address, user or program */
    uint64_t sent, received; /* bytes, seen from the server */
    uint64_t sent_during;    /* of `sent`: in files that tell of the time of the intrusion */
    uint64_t lines;
    bool actor;            /* takes part in an intrusion */
    uint64_t times_usual;  /* sent a day during the intrusion against other days; 0: not told */
    size_t first_sighting; /* of an actor */
};

enum { MOVED_ROWS_MOST = 10 };

/* Those that moved most, and all others together. */
struct moved_list {
    struct moved_row rows[MOVED_ROWS_MOST], rest;
    size_t count;
};

struct log_bytes { /* of one kind of log */
    const char *artifact;
    struct moved_row all;
    int64_t days_during, days_other;
    struct moved_list clients, users, programs;
};

struct moved {
    struct log_bytes *list; /* by artifact */
    size_t count;
    bool has_intrusion;
    int64_t from, until; /* of the intrusions, microseconds */
};

/* -1 with error_text. */
int moved_make(struct case_file *file, const struct sightings *sightings,
               const struct incidents *incidents, struct arena *arena, struct moved *volumes);
/* NULL: no such log counts bytes. */
const struct log_bytes *moved_by_log(const struct moved *volumes, const char *artifact);

#endif
