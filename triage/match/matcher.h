/*
 * Matching events and contents against a compiled rule set. A matcher is the scratch of one worker;
 * the rule set behind it is shared and read-only.
 */
#ifndef TRIAGE_MATCH_MATCHER_H
#define TRIAGE_MATCH_MATCHER_H

#include "triage/match/rules.h"

struct matcher;
struct prefilter;

/* A rule that matched. `how` tells which form of a value matched when it was not the raw one
 * ("cs-uri-query rule matched the percent-decoded stem"), "" otherwise; `detail` names the strings
 * of a YARA match with their offsets. Borrowed. */
struct hit {
    size_t rule; /* index in the set */
    const char *how, *detail;
};

struct match_sink {
    void *context;
    void (*hit)(void *context, const struct hit *hit);
    /* A pattern gave up at its limit, a scan timed out: `rule` is undecided for this record. */
    void (*undecided)(void *context, size_t rule, const char *why);
    /* May be NULL: each place in the content where a string of a YARA rule that matched was found,
     * before its hit. */
    void (*place)(void *context, size_t rule, uint64_t offset, const char *string);
};

/* What YARA's external variables get. */
struct content_file {
    const char *filename, *filepath, *extension, *filetype, *owner, *md5;
    bool every_place; /* not only the first match of each string is of interest */
};

int matcher_new(const struct rule_set *set, struct matcher **out);
void matcher_free(struct matcher *matcher);

/* All Sigma rules of the event's log sources. An event with EVENT_REJECTED is searched as plain
 * text. Rules are told in the order of the set, each at most once. */
void matcher_event(struct matcher *matcher, const struct event *event,
                   const struct match_sink *sink);
/* While a hit is told: the values that correlations want of its event, the first of each field that
 * has one; gives their count, at most `room`. Borrowed from the event. */
size_t matcher_correlated_values(struct matcher *matcher, size_t rule, struct value *values,
                                 size_t room);
/*
 * Whether a record that the prefilter nominated is worth splitting: false when no rule of these
 * sources finds all the literals that it cannot match without in the record's text, raw or
 * percent-decoded. The record is whole and can be split, its values are parts of its text but for
 * doubled quotes; it lies in the window that matcher_next was asked about last, or in none at all.
 */
bool matcher_could_match(struct matcher *matcher, const struct log_source *sources,
                         struct slice record);
/* All YARA rules. -1 with error_text when the scan itself failed. */
int matcher_content(struct matcher *matcher, struct slice content, const struct content_file *file,
                    const struct match_sink *sink);

/* The literal prefilter for the rules of these log sources; made by rule_set_compile for each of
 * the `available` groups or on first use; lives as long as the set. Never NULL: a set whose rules
 * allow no filter nominates every record. */
const struct prefilter *rule_set_prefilter(struct rule_set *set, const struct log_source *sources);
/* Offset at or after `from` of the next place in `window` that a rule could match, SIZE_MAX when
 * there is none. Looks at raw bytes and, in lines with %XX, at the percent-decoded text too. */
size_t prefilter_next(const struct prefilter *prefilter, struct slice window, size_t from);
/* The same of the prefilter and of the addresses and digests that lists name; for windows of one
 * file from their start to their end. */
size_t matcher_next(struct matcher *matcher, const struct prefilter *prefilter, struct slice window,
                    size_t from);
/* Turns all prefilters of the set off (every record is nominated): for comparing the output. */
void rule_set_disable_prefilter(struct rule_set *set);

#endif
