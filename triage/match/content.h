/*
 * YARA rules over the contents of files; the only home of libyara. The rules are compiled once by
 * the parent and shared read-only by all workers; a scanner is the scratch of one worker. Built
 * without libyara, content_new() says so.
 */
#ifndef TRIAGE_MATCH_CONTENT_H
#define TRIAGE_MATCH_CONTENT_H

#include "triage/match/matcher.h"

struct content_rules;
struct content_scanner;

struct content_meta {
    const char *name,
        *text; /* numbers and truth values as text; a text ends at its first NUL byte */
};

/* A rule that can be reported; private rules are not among them. */
struct content_rule {
    const char *identifier;
    const char *path;        /* as given to content_add_file */
    unsigned line;           /* where the rule starts there */
    const char *const *tags; /* the words behind "rule NAME :", NULL-ended */
    const struct content_meta *metas;
    size_t meta_count;
};

struct content_sink {
    void *context;
    /* `detail`: "$a at 0x12, $b at 0x40", at most 16 places, the first of each string first;
     * borrowed. */
    void (*hit)(void *context, size_t rule, const char *detail);
    /* A limit was reached: whether the rule matches is not known. */
    void (*undecided)(void *context, size_t rule, const char *why);
    /* May be NULL: each place where a string of a rule that matched was found, before its hit; none
     * in a page's text without its disguise. */
    void (*place)(void *context, size_t rule, uint64_t offset, const char *string);
};

/* What of a rule file does not compile. */
struct content_refusals {
    void *context;
    void (*refuse)(void *context, unsigned line, const char *reason);
};

/* False when the program was built without libyara. */
bool content_available(void);
/* An empty set; -1 when built without libyara. */
int content_new(struct content_rules **out);
void content_free(struct content_rules *rules);

/* Adds the rules of one file; `path` names it in reports and is its namespace, `text` is copied.
 * Rules that do not compile are told and left out, with those that rest on them; so are imports of
 * modules that this libyara does not have. Includes are refused. Rules may use the external
 * variables filename, filepath, extension, filetype, owner, md5. -1 when memory is out. */
int content_add_file(struct content_rules *rules, const char *path, struct slice text,
                     const struct content_refusals *refusals);
/* Compiles all added files together; once, before the first fork. */
int content_compile(struct content_rules *rules);

/* Rules in the order of the files and within them; known from content_add_file on, valid as long as
 * the set. */
size_t content_rule_count(const struct content_rules *rules);
const struct content_rule *content_rule(const struct content_rules *rules, size_t index);
/* The text of the rule's first meta of that name, NULL when there is none. */
const char *content_rule_meta(const struct content_rule *rule, const char *name);

/* The scratch of one worker; the rules must be compiled and outlive it. Opens no file and starts no
 * thread, now or later. */
int content_scanner_new(const struct content_rules *rules, struct content_scanner **out);
void content_scanner_free(struct content_scanner *scanner);
/* Ends a scan after so many seconds of wall time (10 unless set, 0 never). */
void content_scanner_set_timeout(struct content_scanner *scanner, unsigned seconds);
/* Off: files that no rule could match are scanned all the same, for comparing the output. */
void content_scanner_set_gate(struct content_scanner *scanner, bool on);
/* Tells all matching rules: first those that match the bytes as they are, in the order of the set;
 * then, when the content is a server page that hides what it says, those that match only its plain
 * text (formats/page_text.h); their details say so. Each rule is told once. -1 with error_text when
 * the scan failed or ran out of time: then no rule is decided but those already told. NULL texts in
 * `file` count as empty.
 */
int content_scan(struct content_scanner *scanner, struct slice content,
                 const struct content_file *file, const struct content_sink *sink);

#endif
