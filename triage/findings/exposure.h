/*
 * What the server was open to, and when: the builds that were installed over time, whether the last
 * update took, and for each vulnerability the span in which this server had it (part D of the
 * detection reference). Builds are compared within one cumulative update only.
 */
#ifndef TRIAGE_FINDINGS_EXPOSURE_H
#define TRIAGE_FINDINGS_EXPOSURE_H

#include "triage/case/case.h"
#include "triage/engine/exchange_builds.h"

enum exposure_state {
    EXPOSURE_UNKNOWN,
    EXPOSURE_NOT_AFFECTED,
    EXPOSURE_FIXED,
    EXPOSURE_INDETERMINATE,
    EXPOSURE_VULNERABLE,
};

enum update_state { UPDATE_UNKNOWN, UPDATE_NONE, UPDATE_FAILED, UPDATE_PARTIAL, UPDATE_COMPLETE };

const char *exposure_name(enum exposure_state state);
const char *update_name(enum update_state state);

/* "Build so-and-so was installed", by one source. */
struct build_event {
    bool dated;
    int64_t time; /* microseconds since 1970 UTC */
    uint16_t number[4];
    const char *text;   /* "15.1.2106.13" */
    const char *what;   /* what says so, in a sentence */
    const char *source; /* path of the file that says so */
    bool claim;         /* a registry key or a log says so; else the program itself */
};

struct left_behind { /* a file that the update should have replaced */
    const char *path, *version;
};

struct cve_exposure {
    const char *cve;
    enum exposure_state state;    /* by what is installed now */
    const char *fix;              /* first build with the fix, NEVER, ...; "" when not known */
    bool from_known, until_known; /* of the span in which it was vulnerable */
    int64_t from, until;
    bool ever_vulnerable;
    const char *why; /* a sentence */
};

/* A setting that some vulnerabilities depend on. */
struct protection {
    enum { PROTECTION_UNKNOWN, PROTECTION_OFF, PROTECTION_PARTLY, PROTECTION_ON } state;
    size_t required, allowed, off; /* virtual directories by what they ask of clients */
    const char *open;              /* names of those that ask for nothing; NULL */
    const char *source, *why;
};

const char *protection_name(int state);

struct exposure {
    const char *family, *update, *build; /* "2016", "CU18", "15.1.2106.13"; NULL when not known */
    const char *name;                    /* "Exchange Server 2016 CU18 Mar21SU" */
    const char *install_path;
    const char **roles;
    size_t role_count;
    bool front_end; /* has the roles that serve clients */
    enum update_state update_state;
    const char *claimed, *found; /* builds */
    bool claimed_dated;
    int64_t claimed_time;        /* when the one that claims most says so */
    const char *update_why;      /* a sentence */
    struct build_event *history; /* in order of time, the undated ones first */
    size_t history_count;
    struct left_behind *left_behind;
    size_t left_behind_count, files_compared;
    struct protection extended_protection;
    struct cve_exposure *cves; /* in the order of the table */
    size_t cve_count;
};

/* `folder` holds exchange_builds.tsv, cve_fixes.tsv and update_files.tsv; `host` is the host
 * document. Times and texts live in the arena. -1 with error_text. */
int exposure_make(struct case_file *file, const char *folder, struct slice host,
                  struct arena *arena, struct exposure *exposure);

/* What the server was at that time: vulnerable, fixed, or not to be told. */
enum exposure_state exposure_at(const struct cve_exposure *cve, int64_t time);
/* NULL when the table does not know it. */
const struct cve_exposure *exposure_of(const struct exposure *exposure, const char *cve);

#endif
