/* One command of the program: a const struct in one file of this folder, listed in main.c. */
#ifndef TRIAGE_COMMANDS_COMMAND_H
#define TRIAGE_COMMANDS_COMMAND_H

#include "triage/options.h"

enum exit_code {
    EXIT_COMPLETE = 0,
    EXIT_FATAL = 1,       /* usage, or nothing could be done */
    EXIT_FINDINGS = 2,    /* complete, something at or above --fail-level */
    EXIT_UNREADABLE = 3,  /* evidence could not be read in full */
    EXIT_INTERRUPTED = 4, /* can be resumed */
    EXIT_MISMATCH = 5,    /* a stored hash is not the computed one */
};

struct command {
    const char *name, *usage, *summary;
    unsigned bit; /* command_bit: which options it takes */
    int (*run)(const struct options *options, int argc, char **argv);
};

extern const struct command command_run, command_info, command_verify, command_extract,
    command_report, command_merge, command_rules;

#endif
