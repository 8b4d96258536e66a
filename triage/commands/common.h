/* What several commands need: rules, messages, progress, signals. */
#ifndef TRIAGE_COMMANDS_COMMON_H
#define TRIAGE_COMMANDS_COMMON_H

#include "triage/commands/command.h"
#include "triage/commands/rule_folder.h"
#include "triage/engine/session.h"
#include "triage/report/outputs.h"

#include <stdio.h>

/* Messages: to log.txt when there is one, and to stderr. */
struct log {
    FILE *file; /* NULL before there is a case */
    bool json, quiet, color;
    unsigned verbose;
    struct buffer notices; /* JSON list items of all warnings, for run.json */
    size_t notice_count;
    bool line_open; /* a progress line stands on the terminal */
};

enum log_level { LOG_INFO, LOG_WARNING, LOG_ERROR };

void log_init(struct log *log, const struct options *options);
void log_release(struct log *log);
int log_open(struct log *log, const char *folder, bool append);
/* -1 with error_text when not all of it was written. */
int log_close(struct log *log);
void log_say(struct log *log, enum log_level level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* A line for log.txt alone. */
void log_trail(struct log *log, const char *text);
/* Ends the command with the error that is set: prints it, gives EXIT_FATAL. */
int log_failure(struct log *log);

/* The progress line; context for session_options. */
struct watcher {
    struct log *log;
    bool terminal; /* standard error is one */
    int64_t started_ms, shown_ms;
    enum stage stage;
};
void watcher_init(struct watcher *watcher, struct log *log);
void watcher_progress(void *watcher, const struct progress *progress);
void watcher_notice(void *watcher, const char *text);
void watcher_trail(void *watcher, const char *text);
void watcher_clear(struct watcher *watcher);

/* Set by SIGINT, SIGTERM and SIGHUP once signals_catch was called; a second one ends the program at
 * once. */
extern volatile int interrupted;
void signals_catch(void);

/* Warns when the folder of rules that is used is older than the installed one. */
void warn_of_old_rules(const struct options *options, struct log *log);
/* Loads and compiles the rules that the options name; NULL with error_text on failure. */
struct rule_set *rules_from_options(const struct options *options);

/* "1.5 GiB" into text. */
const char *size_text(uint64_t bytes, char text[32]);
/* Text from evidence for the terminal: no control bytes, valid UTF-8, appended to out. */
void printable(struct buffer *out, const char *text);
/* 0 when all names given with --format are those of outputs; -1 with error_text. */
int check_formats(const struct options *options);
/* Whether --format names the output, or none is given. */
bool is_asked_for(const struct options *options, const struct writer *writer);
/* Writes all that are, as many at once as --jobs says. `outputs` is to be released. */
int write_outputs_asked_for(const struct options *options, struct case_file *file,
                            struct outputs *outputs);
/* 0 when the case folder neither lies in a folder of evidence nor holds evidence: it would be read
 * as evidence, or --clobber would remove some. -1 with error_text. */
int check_output(const struct options *options);
/* True when each evidence path can be opened for reading; -1 with error_text otherwise. */
int check_evidence(const struct options *options);

#endif
