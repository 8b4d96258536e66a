/* The command line: one table of options, from which parsing and help are made. */
#ifndef TRIAGE_OPTIONS_H
#define TRIAGE_OPTIONS_H

#include "triage/base/instant.h"
#include "triage/evidence/bitlocker.h"
#include "triage/evidence/snapshot.h"
#include "triage/match/rules.h"

enum { MOST_PATHS = 4096 };

struct options {
    const char *paths[MOST_PATHS + 1]; /* what stands on the command line without a dash */
    size_t path_count;
    const char *rules[MOST_PATHS + 1];
    size_t rule_count;
    const char *globs[MOST_PATHS + 1];
    size_t glob_count;
    const char *known_good[MOST_PATHS + 1];
    size_t known_good_count;
    const char *baseline, *default_rules;
    bool no_default_rules, verify, resume, clobber, quiet, no_color, no_prefilter, no_files, carve,
        no_hash, deleted, redact, yara_all, help;
    bool skip_errors;
    unsigned context_minutes, verbose, jobs, timeout;
    const char
        *formats[MOST_PATHS + 1]; /* as given: each may hold several names with commas between */
    size_t format_count;
    const char *output, *placeholders, *case_number, *evidence_number, *examiner, *agency,
        *description, *sign, *redaction_key, *database;
    struct instant from, to;
    enum level min_level, fail_level;
    int64_t clock_skew;
    bool log_json;
    struct snapshot_choice snapshots;
    struct bitlocker_keys keys;
};

/* Which commands an option belongs to, as bits. */
enum command_bit {
    FOR_RUN = 1,
    FOR_INFO = 2,
    FOR_VERIFY = 4,
    FOR_EXTRACT = 8,
    FOR_REPORT = 16,
    FOR_RULES = 32,
    FOR_MERGE = 64
};

/* Reads argv[1..]; -1 with error_text on anything that is not understood. */
int options_parse(int argc, char **argv, unsigned command, struct options *options);
/* The options of a command, one a line. */
void options_help(unsigned command, struct buffer *out);

#endif
