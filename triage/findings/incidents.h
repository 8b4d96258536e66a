/*
 * Sightings that belong together, joined into incidents: by the request, the client's address, the
 * page, and by time where one thing follows from another (part E.3 of the detection reference).
 * Attackers that share nothing stay apart.
 */
#ifndef TRIAGE_FINDINGS_INCIDENTS_H
#define TRIAGE_FINDINGS_INCIDENTS_H

#include "triage/findings/sightings.h"

enum confidence {
    CONFIDENCE_NONE,
    CONFIDENCE_SUSPICIOUS,
    CONFIDENCE_PROBABLE,
    CONFIDENCE_CONFIRMED,
};

const char *confidence_name(enum confidence confidence);

struct actor {
    const char *address;
    bool is_private;
    int64_t first, last; /* microseconds; 0 when none of its sightings has a time */
    size_t count;
    enum rung rung; /* the highest that its own requests show */
};

/* A page, an archive or another file that the incident is about. */
struct incident_file {
    const char *path, *page, *sha256; /* as written; lower case; NULL when not known */
    int64_t first, size;              /* earliest sighting of the file itself; -1: size not known */
    enum rung rung;
    bool deleted, seen; /* seen: the file system has, or had, it */
    size_t requests;    /* that were answered with success */
    int64_t first_request, last_request;
    const char *requested_by; /* the first one's address; NULL */
};

enum { STEP_OTHERS_MOST = 6, STEP_OBJECTS_MOST = 8 };

struct step {
    int64_t time, until;
    const char *what;                     /* a sentence: the one that says most */
    bool tried;                           /* what it says was tried, and is not seen to succeed */
    bool loose_time;                      /* only files say when, which anybody can set */
    const char *others[STEP_OTHERS_MOST]; /* what else was said of the same things */
    size_t other_count;
    int level;
    const char *actor;                      /* of the first sighting that has one; NULL */
    const char *objects[STEP_OBJECTS_MOST]; /* different ones, in the order in which they came */
    size_t object_count;                    /* all of them: more may not be listed */
    const char *last_object;                /* the one that came last */
    const size_t *sightings;                /* indices */
    size_t count;
};

/* A proxy of the own network that passed requests on: no actor. */
struct passage {
    const char *address;
    size_t count; /* sightings */
};

struct incident {
    uint32_t number; /* from 1, by first time */
    bool scanning;   /* all attempts without success that belong to no other incident */
    enum rung rung;
    enum confidence confidence;
    double score;
    unsigned witnesses; /* bits of enum witness, of what succeeded */
    bool dated;
    int64_t first, last;   /* of what succeeded; of all when nothing did */
    const size_t *members; /* indices of sightings, in their order */
    size_t member_count;
    struct actor *actors;
    size_t actor_count;
    struct passage *passages; /* in the order of their addresses */
    size_t passage_count;
    struct incident_file *files;
    size_t file_count;
    struct step *steps;
    size_t step_count;
};

struct incidents {
    struct incident *list;
    size_t count;
};

/* Sets each sighting's incident, too. -1 with error_text when memory is out. */
int incidents_make(struct sightings *sightings, struct arena *arena, struct incidents *incidents);

#endif
