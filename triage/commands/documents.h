/* The documents that tell of a run: host, totals and damage (in the case), run.json (beside it),
 * the summary on the terminal. */
#ifndef TRIAGE_COMMANDS_DOCUMENTS_H
#define TRIAGE_COMMANDS_DOCUMENTS_H

#include "triage/case/seal.h"
#include "triage/commands/common.h"
#include "triage/commands/stage_times.h"

struct run_times {
    struct timespec started, ended;
    struct stage_times stages;
};

/* Evidence as it was on disk when the command began; zero it first. */
struct seals {
    struct seal **list; /* one for each item */
    size_t count;
};
int seals_take(struct seals *seals, const struct options *options);
/* True when nothing changed; otherwise `what` tells what did. */
bool seals_hold(struct seals *seals, const struct session *session, struct buffer *what);
void seals_release(struct seals *seals);

/* Stores what all writers need besides rows. */
int documents_store(const struct session *session, size_t evidence_count, struct case_file *file);
/* For case_finish, with a struct completion: the verdict, and redaction when there are names. */
struct completion {
    struct pseudonyms *names;     /* NULL without --redact */
    const struct buffer *stopped; /* the document that the run was interrupted; NULL when it was not
                                   */
};
int documents_store_findings(void *completion, struct case_file *file);
/* That the run was interrupted in a stage: the document, what was not read, and a row of the
 * timeline, so that each output tells it. */
int documents_store_interruption(struct session *session, const char *stage,
                                 const struct rule_set *rules, struct case_file *file,
                                 struct buffer *document);
int documents_store_rules(const struct rule_set *rules, struct case_file *file);
/* Of run.json what the report tells: version, case fields, computed hashes. */
int documents_store_run(const struct options *options, const struct session *session,
                        struct case_file *file);
/* The text of run.json; -1 with error_text. */
int documents_write_run(const struct options *options, int argc, char **argv,
                        const struct session *session, const struct rule_set *rules,
                        const struct log *log, const struct run_times *times,
                        const struct seals *seals, int exit_code, struct buffer *text);
/* Writes a file of the case folder; -1 with error_text. */
int documents_write_file(const char *folder, const char *name, struct slice content);
/* A page that a person can act on. */
int summary_print(const struct options *options, const struct session *session,
                  struct case_file *file, FILE *out);
/* `info`: container, metadata, partitions, file systems, host, Exchange, as text. */
void info_print(const struct session *session, size_t evidence, FILE *out);
/* "SUCCESS" or what is wrong with the hashes, for `verify` and `run --verify`. */
void verification_print(const struct session *session, size_t evidence, FILE *out);

#endif
