/* The inside of a rule set, for the files of this folder only. */
#ifndef TRIAGE_MATCH_RULE_SET_H
#define TRIAGE_MATCH_RULE_SET_H

#include "triage/base/hash.h"
#include "triage/match/content.h"
#include "triage/match/indicator_table.h"
#include "triage/match/literals.h"
#include "triage/match/nominator.h"
#include "triage/match/rules.h"
#include "triage/match/sigma.h"

/* A rule file that was read. */
struct rule_file {
    const char *path;
    struct slice text;
    char sha256[SHA256_TEXT_SIZE];
};

struct rule_entry {
    struct rule rule; /* first member: what others see */
    struct sigma sigma;
    struct literal_demands demands;
    size_t content;             /* RULE_YARA: number in the content rules */
    struct rule_entry *next_id; /* the next rule whose id has the same hash */
    const size_t *uses;         /* active correlations that rest on it, by number */
    size_t use_count;
    const struct field_use *wanted; /* fields whose values these want of its events */
    size_t wanted_count;
};

enum { ID_HEADS = 4096 };

/* The active Sigma rules for one list of log sources. */
struct rule_group {
    const struct log_source *sources;       /* own array, its texts borrowed */
    const size_t *rules;                    /* numbers in the set, ascending */
    const struct literal_demands **demands; /* of the same rules */
    size_t count;
};

struct group_filter {
    struct rule_group group;
    struct prefilter *prefilter;
};

struct rule_set {
    struct arena *arena;
    struct rule_memory memory;
    const struct log_source *available;
    struct logsources *sources;
    struct rule_entry **entries; /* each one lives in the arena */
    size_t count, room;
    struct rule_entry *ids[ID_HEADS]; /* Sigma rules that were loaded, by their ids */
    struct content_rules *content;    /* NULL when built without libyara */
    size_t *content_entries;          /* number of the entry by content rule */
    size_t content_count;
    struct indicator_table *indicators; /* NULL without lists */
    struct indicator_totals indicator_totals;
    struct prefilter *all; /* nominates every record */
    struct group_filter *filters;
    size_t filter_count;
    const struct yaml_node *placeholders; /* a map, later files over earlier ones */
    char settings[SHA256_TEXT_SIZE];      /* of all placeholders and log sources that were loaded */
    bool compiled, no_prefilter, examples_required;
};

/* A new rule of that file; NULL when memory is out. */
struct rule_entry *rule_set_add_entry(struct rule_set *set, const struct rule_file *file,
                                      enum rule_language language);
/* The rule is kept as RULE_NOT_LOADED, with a copy of the reason. */
void rule_set_refuse(struct rule_set *set, struct rule_entry *entry, const char *reason);
/* What stands at that line is not understood. */
int rule_set_add_refused(struct rule_set *set, const struct rule_file *file,
                         enum rule_language language, unsigned line, const char *reason);
/* Whether an event with these sources is one that the rule asks for. */
bool source_applies(const struct log_source *rule, const struct log_source *sources);
bool source_lists_equal(const struct log_source *a, const struct log_source *b);
bool source_is_end(const struct log_source *source);
/* Whether the list holds the logs of web servers. */
bool source_is_requests(const struct log_source *sources);
/* Whether the prefilter, which rule_set_prefilter gave, is for web server logs. */
bool rule_set_is_of_requests(const struct rule_set *set, const struct prefilter *prefilter);
/* The sources themselves, or all of event logs where source_map_any stands for them. */
const struct log_source *rule_set_expand(const struct rule_set *set,
                                         const struct log_source *sources);
/* The group for these sources, in the arena. -1 when memory is out. */
int rule_group_make(const struct rule_set *set, struct arena *arena,
                    const struct log_source *sources, struct rule_group *out);

#endif
