/*
 * Files that are known: what Microsoft ships in the web folders of Exchange, build by build; sets
 * of hashes that the user trusts; the files of a clean server. Filled by the parent, then only
 * read.
 */
#ifndef TRIAGE_MATCH_KNOWN_GOOD_H
#define TRIAGE_MATCH_KNOWN_GOOD_H

#include "triage/base/cursor.h"

struct known_good;

enum known_state {
    KNOWN_NOTHING,     /* nothing can be said */
    KNOWN_TRUSTED,     /* in a set of hashes, or the same at the same place of the clean server */
    KNOWN_SHIPPED,     /* what Microsoft ships there */
    KNOWN_OTHER_BUILD, /* what Microsoft ships there in other builds than the installed one */
    KNOWN_FOREIGN,   /* another content than the installed build, or the clean server, has there */
    KNOWN_UNDECIDED, /* Microsoft has a file of that name, but no list tells this build's content */
    KNOWN_NOT_SHIPPED, /* a page where Microsoft, or the clean server, has none */
};

struct known_file {
    const char *path; /* with backslashes: "C:\Program Files\...\FrontEnd\HttpProxy\owa\..." */
    struct slice md5, sha1, sha256; /* hexadecimal; empty where not known */
    uint64_t build;                 /* of Exchange, see known_good_build; 0: not known */
    bool without_lists;             /* Microsoft's lists do not fit this server: leave them out */
};

int known_good_new(struct known_good **out);
void known_good_free(struct known_good *known);
/* Microsoft's pages: rules/web_baseline.tsv. */
int known_good_load_pages(struct known_good *known, const char *path);
/* Hashes one a line, or a table that holds them in any column, as NSRL's RDS does. */
int known_good_load_hashes(struct known_good *known, const char *path);
int known_good_add_hashes(struct known_good *known, struct slice text);
/* A file of the clean server. */
int known_good_add_file(struct known_good *known, const char *path, const char *sha256);
/* After the last was added. */
int known_good_compile(struct known_good *known);
/* Whether there are lists of Microsoft's pages, and whether they reach as far as the build. */
bool known_good_has_lists(const struct known_good *known);
bool known_good_lists(const struct known_good *known, uint64_t build);
size_t known_good_hashes(const struct known_good *known);
size_t known_good_files(const struct known_good *known);

enum known_state known_good_judge(const struct known_good *known, const struct known_file *file);
/* The word for the field Baseline: "" for KNOWN_NOTHING. */
const char *known_state_word(enum known_state state);
/* "15.1.2176.2", also as "15.01.2176.002", as a number that compares; 0 when it is none. */
uint64_t known_good_build(const char *text);

#endif
