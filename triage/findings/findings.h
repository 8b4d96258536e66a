/*
 * The answer: was this server broken into, when, how far did they get, what was taken, was it
 * patched, and how sure are we? Made from a finished case alone, so it is the same each time.
 */
#ifndef TRIAGE_FINDINGS_FINDINGS_H
#define TRIAGE_FINDINGS_FINDINGS_H

#include "triage/findings/checks.h"
#include "triage/findings/incidents.h"
#include "triage/findings/mitigations.h"
#include "triage/findings/moved.h"
#include "triage/findings/outcome.h"
#include "triage/findings/retention.h"

/* Something that left the server, or was made ready for it. */
struct taken {
    enum { TAKEN_PREPARED, TAKEN_LIKELY, TAKEN_CONFIRMED } status;
    const char *what, *by; /* a file, a mailbox; address or user, NULL */
    const char *how;       /* a sentence */
    int64_t size;          /* -1: not known */
    bool answers;          /* all that an address was sent, whatever it is: no mail, no file */
    bool dated;
    int64_t time;
    size_t sighting; /* index of what shows it */
    uint32_t incident;
};

/* An account, a service, a task ...: a way back in. */
struct remnant {
    const char *what, *how, *rule;
    bool account, dated;
    int64_t time;
    size_t sighting;
};

/* What one detection says was encrypted, destroyed, or made ready for it. */
struct destroyed {
    const char *what, *how, *rule; /* the first object; the rule's title */
    bool dated;
    int64_t first, last;
    size_t *sightings; /* the first of them */
    size_t count;      /* all */
};

enum { DESTROYED_LISTED_MOST = 50 };

struct lead {
    const char *what, *why;
    const size_t *sightings;
    size_t count;
};

struct verdict {
    enum rung rung;
    enum confidence confidence;
    bool is_blind;         /* no intrusion was seen, and what would show one is not there */
    bool not_determinable; /* ... nor anything else */
    bool dated;
    int64_t first, last;
    const char *summary;
    const char **limits; /* what cannot be known, a sentence each */
    size_t limit_count;
};

struct findings {
    struct judgements judgements;
    struct sightings sightings;
    struct incidents incidents;
    struct exposure exposure;
    struct log_spans spans;
    size_t unread;    /* files, and parts of the evidence, that could not be read in full */
    uint64_t damaged; /* bytes of media and images that are missing, or cannot be trusted */
    struct mitigations mitigations;
    struct slice interrupted; /* the case's document of that name; empty for a whole run */
    const char *interruption; /* of it the sentence; NULL */
    struct outcomes outcomes;
    struct checks checks;
    struct retention retention;
    struct verdict verdict;
    struct moved volumes;
    struct taken *taken;
    size_t taken_count;
    struct destroyed *destroyed;
    size_t destroyed_count;
    struct remnant *remnants;
    size_t remnant_count;
    struct lead *leads;
    size_t lead_count;
    struct arena *arena;
};

/* `folder` holds the tables (judgement.tsv, exchange_builds.tsv, cve_fixes.tsv, update_files.tsv).
 * -1 with error_text. */
int findings_make(struct case_file *file, const char *folder, struct findings *findings);
void findings_release(struct findings *findings);
/* The text of findings.json. */
void findings_json(const struct findings *findings, struct buffer *out);
/* Of it the list `retention`, which coverage.json has as well. */
void findings_retention(const struct findings *findings, struct buffer *out);

/* The parts of findings_make, in taken.c, destroyed.c, leads.c and verdict.c; -1 with error_text
 * when memory is out. */
int findings_tell_taken(struct findings *findings);
int findings_tell_destroyed(struct findings *findings);
int findings_tell_leads(struct findings *findings);
/* How far it went, when, how sure; then the words, which ask how far back the logs reach. */
void findings_find_rung(struct findings *findings);
/* In words, for machines too: nothing that was not seen for want of logs is called nothing. */
const char *verdict_name(const struct verdict *verdict);
const char *incident_name(const struct incident *incident);
int findings_tell_verdict(struct findings *findings);

#endif
