/*
 * The indicators of a case as the verdict looks at them: what each stands for, who did it, to which
 * file, in which request. Texts that occur in many of them are kept once, so equal texts have equal
 * pointers.
 */
#ifndef TRIAGE_FINDINGS_SIGHTINGS_H
#define TRIAGE_FINDINGS_SIGHTINGS_H

#include "triage/case/case.h"
#include "triage/findings/judgement.h"

/* Kinds of evidence that do not depend on each other: two of them confirm what one only shows. */
enum witness {
    WITNESS_WEB_LOG, /* IIS and HttpProxy tell of the same request: they count as one */
    WITNESS_EXCHANGE_LOG,
    WITNESS_EVENT_LOG,
    WITNESS_FILE_SYSTEM,
    WITNESS_REGISTRY,
    WITNESS_SCANNER, /* a virus scanner's own records */
    WITNESS_OTHER,
    WITNESS_COUNT
};

struct sighting {
    size_t number; /* row of the case's table `indicator`, from 1 */
    bool dated;
    bool loose_time; /* when a file was last modified, which anybody can set: orders it, dates
                        nothing */
    int64_t time;    /* microseconds since 1970 UTC */
    int level;
    const struct judgement *judgement;
    const char *rule, *title, *artifact, *path, *confidence;
    int64_t offset;      /* of the record in its file */
    const char *actor;   /* address of the client; NULL: none, or the server itself */
    bool actor_private;  /* an address of the own network: a proxy's, as often as not */
    bool connected;      /* it is known as who connected to the web server, not more */
    const char *through; /* address of the proxy that passed the request on; NULL */
    const char *request; /* id that the logs of one request share; NULL */
    const char *page;    /* Windows path, lower case, of the file that it is about; NULL */
    const char *object;  /* the same as written, or what else it is about; NULL */
    const char *user;    /* NULL */
    const char *sha256;  /* of the file; NULL */
    int64_t size;        /* of the file; -1 */
    int status;          /* HTTP; 0: none */
    bool deleted;
    bool plants_page; /* the export of a mailbox that only served to write a page: the same record
                         is told as PS-09 */
    enum witness witness;
    uint32_t incident; /* number of its incident, from 1; 0: none */
};

struct sightings {
    struct sighting *list; /* in the order of the case: by time, the undated ones last */
    size_t count, room;
    struct arena *arena;
};

/* All indicators of a finished case. `host` is its host document. -1 with error_text. */
int sightings_load(struct case_file *file, struct judgements *judgements, struct slice host,
                   struct arena *arena, struct sightings *sightings);

/* High and critical: what it says has happened, not only been tried. */
static inline bool sighting_succeeded(const struct sighting *sighting)
{
    return sighting->level >= 3;
}

#endif
