/* The folder of the rules that come with extriage. It can be newer than the program: where it is
 * looked for, which version it is, and whether this program understands it. */
#ifndef TRIAGE_COMMANDS_RULE_FOLDER_H
#define TRIAGE_COMMANDS_RULE_FOLDER_H

#include "triage/base/hash.h"

enum { RULE_VERSION_SIZE = 40 };

/* What a folder says of itself, in its file VERSION: a line with its version, a line "needs
 * extriage N.N.N". */
struct rule_folder_version {
    char version[RULE_VERSION_SIZE]; /* "" when there is no such file */
    char needs[RULE_VERSION_SIZE];   /* the oldest program that understands it; "" when it does not
                                        say */
};

/* Of all files but *.md: their number, and the SHA-256 of the lines that `sha256sum` prints of them
 * in order of their paths. */
struct rule_folder_digest {
    size_t files;
    char sha256[SHA256_TEXT_SIZE];
};

/* --default-rules; before anybody asks for the folder. NULL leaves the choice to the search.
 * Borrowed. */
void rule_folder_choose(const char *path);
/* The folder in use: the one chosen, $EXTRIAGE_RULES, `rules` beside the program, extriage/rules of
 * $XDG_DATA_HOME, that of /etc, the installed one; "" when there is none. The text is static. */
const char *default_rules_folder(void);

void rule_folder_read_version(const char *folder, struct rule_folder_version *version);
/* -1 with error_text when a file cannot be read. */
int rule_folder_read_digest(const char *folder, struct rule_folder_digest *digest);
/* -1 with error_text when the folder in use needs a newer program. */
int rule_folder_check(const char *folder);
/* True with a text when the folder in use is older than the installed one. */
bool rule_folder_is_old(char *text, size_t size);
/* Below, at or above 0 as the first is older, the same or newer: numbers with dots between them. */
int rule_version_compare(const char *a, const char *b);

#endif
